"""AXI4-Stream endpoints that pause at random, one clock cycle at a time.

Both are driven by the bench's loop, which moves at falling clock edges: values settle in the low half of
the clock, and what is seen there is what the rising edge acts on, in every simulator. A source keeps TVALID
and TDATA until TREADY comes, as the protocol demands; the sink checks that the design does.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from cocotb.handle import SimHandleBase
from signals import find_signal, read_word
from vectors import Port

__all__ = ["Sink", "Source"]


class Source:
    """Sends `words` into the input stream `port`.

    Attributes
    ----------
    sent : int
        Words the design has taken.
    paused : int
        Cycles in which a word was held back on purpose.
    """

    def __init__(
        self, dut: SimHandleBase, port: Port, words: Sequence[int], *, stall: float, random: Random
    ) -> None:
        self._data = find_signal(dut, port.name, "_TDATA")
        self._valid = find_signal(dut, port.name, "_TVALID")
        self._ready = find_signal(dut, port.name, "_TREADY")
        self._words = words
        self._stall = stall
        self._random = random
        self._offering = False
        self.sent = 0
        self.paused = 0
        self._valid.value = 0
        self._data.value = 0

    def drive(self) -> None:
        """Offer the next word in this cycle, or pause."""
        if self._offering or self.sent == len(self._words):
            return
        if self._random.random() < self._stall:
            self.paused += 1
            return
        self._offering = True
        self._data.value = self._words[self.sent]
        self._valid.value = 1

    def sample(self) -> bool:
        """Return whether the design takes the offered word at the coming clock edge."""
        return self._offering and int(self._ready.value) == 1

    def advance(self) -> None:
        """Go on to the next word, which was taken."""
        self.sent += 1
        self._offering = False
        self._valid.value = 0


class Sink:
    """Receives from the output stream `port`.

    Attributes
    ----------
    paused : int
        Cycles in which a result waited for the sink.
    """

    def __init__(self, dut: SimHandleBase, port: Port, *, stall: float, random: Random) -> None:
        self._data = find_signal(dut, port.name, "_TDATA")
        self._valid = find_signal(dut, port.name, "_TVALID")
        self._ready = find_signal(dut, port.name, "_TREADY")
        self._port = port
        self._stall = stall
        self._random = random
        self._accepting = False
        self._waiting: int | str | None = None
        self.paused = 0
        self._ready.value = 0

    def drive(self) -> None:
        """Be ready in this cycle, or pause."""
        self._accepting = self._random.random() >= self._stall
        self._ready.value = int(self._accepting)

    def sample(self) -> int | str | None:
        """Return the word that moves at the coming clock edge, None if none does."""
        valid = int(self._valid.value) == 1
        name = self._port.name
        assert valid or self._waiting is None, f"{name}_TVALID fell before {name}_TREADY came"
        if not valid:
            return None
        word = read_word(self._data, self._port.width)
        assert self._waiting in (None, word), f"{name}_TDATA changed before {name}_TREADY came"
        self._waiting = None if self._accepting else word
        self.paused += not self._accepting
        return word if self._accepting else None
