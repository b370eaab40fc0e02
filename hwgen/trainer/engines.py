"""What runs commands: the golden model, or a network of kernels (compiled C++ or simulated RTL)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hwgen.errors import CheckError
from hwgen.trainer.commands import Command, Fetch, Norm, Store, Update, encode
from hwgen.trainer.cycles import estimate
from hwgen.trainer.golden import GoldenCore
from hwgen.trainer.layout import BEAT_BYTES, Frame
from hwgen.trainer.run_cycles import stages_of
from hwgen.trainer.spec import TrainerSpec
from hwgen.trainer.status import Status

__all__ = ["Engine", "GoldenEngine", "Network", "NetworkEngine"]


class Engine(Protocol):
    """A core that commands are run on. What it holds in memory stays from one run to the next."""

    def reset(self) -> None:
        """Start again: memories hold anything, the next command has number 0."""

    def run(self, commands: Sequence[Command], frames: Sequence[Frame]) -> tuple[list[Status], list[Frame]]:
        """Run commands to the end.

        Parameters
        ----------
        commands : sequence of Command
            In order.
        frames : sequence of Frame
            For the data stream, in order.

        Returns
        -------
        statuses, by command number, and the frames that the core sent
        """


class GoldenEngine:
    """The golden model."""

    def __init__(self, spec: TrainerSpec) -> None:
        self._spec = spec
        self.core = GoldenCore(spec)
        self._waiting: deque[Frame] = deque()

    def reset(self) -> None:
        """Start again from a core that holds zeros."""
        self.core = GoldenCore(self._spec)
        self._waiting.clear()

    def run(self, commands: Sequence[Command], frames: Sequence[Frame]) -> tuple[list[Status], list[Frame]]:
        """Run commands one after the other; a frame that none takes waits for later ones."""
        self._waiting.extend(frames)
        statuses, sent = [], []
        for command in commands:
            frame = self._waiting.popleft() if self._waiting and self.core.takes_frame(command) else None
            status, results = self.core.execute(command, frame)
            statuses.append(status)
            if results is not None:
                sent.append(results)
        return statuses, sent


class Network(Protocol):
    """A simulated network of kernels, as `hwgen.flow` loads it from an emitted project."""

    def reset(self) -> None:
        """Reset all kernels and empty all queues."""

    def push(self, stream: str, words: npt.ArrayLike, last: npt.ArrayLike | None = None) -> None:
        """Queue words for an input; `last` is TLAST of each."""

    def run(self, max_cycles: int, until: Mapping[str, int] | None = None) -> int:
        """Simulate until so many words wait at the outputs named, and return the cycles."""

    def pop(self, stream: str) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
        """Take the words that wait at an output, as rows of 64-bit limbs, and TLAST of each."""


class NetworkEngine:
    """A core as its C++ or its RTL, simulated.

    Parameters
    ----------
    spec : TrainerSpec
        The core.
    network : Network
        Its kernels.
    clocked : bool
        Whether the network's cycles are clocks of the core, as RTL's are.

    Attributes
    ----------
    clocked : bool
        As given.
    cycles : int
        Simulated since the last reset.
    """

    def __init__(self, spec: TrainerSpec, network: Network, *, clocked: bool = True) -> None:
        self.clocked = clocked
        self._spec = spec
        self._network = network
        self.reset()

    def reset(self) -> None:
        """Reset the core."""
        self._network.reset()
        self._number = 0
        self.cycles = 0

    def run(self, commands: Sequence[Command], frames: Sequence[Frame]) -> tuple[list[Status], list[Frame]]:
        """Run commands, whose statuses may come in another order.

        Raises
        ------
        CheckError
            If a status or a result does not come, or one comes that is not of these commands.
        """
        for frame in frames:
            last = np.zeros(len(frame.beats), bool)
            if frame.ended:
                last[-1] = True
            self._network.push("din", np.ascontiguousarray(frame.beats).view("<u8"), last)
        self._network.push("cmd", [encode(command) for command in commands])
        # A frame that stops takes 2^16 cycles more; everything else is within a few times what is expected.
        fetches = sum(Fetch in stages_of(command) for command in commands)
        patience = 4 * estimate(self._spec, commands).cycles + (fetches + 1 << 17)
        self.cycles += self._network.run(patience, {"status": len(commands)})
        rows, _ = self._network.pop("status")
        statuses = [Status.decode(int(row[0]) | int(row[1]) << 64) for row in rows]
        statuses.sort(key=lambda status: status.number - self._number & 0xFFFF)
        wanted = [self._number + place & 0xFFFF for place in range(len(commands))]
        if [status.number for status in statuses] != wanted:
            raise CheckError(
                f"statuses of commands {wanted[0]}..{wanted[-1]} were expected, and came of "
                f"{[status.number for status in statuses]}"
            )
        self._number = self._number + len(commands) & 0xFFFF
        return statuses, self._sent(commands, statuses, patience)

    def _sent(self, commands: Sequence[Command], statuses: Sequence[Status], patience: int) -> list[Frame]:
        """Return the frames of the commands that have sent one: their statuses count the beats."""
        lengths = [
            status.info
            for command, status in zip(commands, statuses, strict=True)
            if status.info and _sends(command)
        ]
        if not lengths:
            return []
        self.cycles += self._network.run(patience, {"dout": sum(lengths)})
        rows, last = self._network.pop("dout")
        beats = np.ascontiguousarray(rows).view(np.uint8).reshape(-1, BEAT_BYTES)
        ends = np.cumsum(lengths)
        if not np.array_equal(np.flatnonzero(last) + 1, ends) or len(beats) != ends[-1]:
            raise CheckError(f"frames of {lengths} beats were expected; {len(beats)} beats came")
        return [Frame(part) for part in np.split(beats, ends[:-1])]


def _sends(command: Command) -> bool:
    """Say whether a command sends a frame if it is not refused."""
    match command:
        case Store():
            return command.mode != Store.MEASURE
        case Norm():
            return bool(command.sums)
        case _:
            return isinstance(command, Update)
