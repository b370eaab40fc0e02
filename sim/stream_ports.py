"""The AXI4-Streams of a trainer core, driven by the sources and sinks of cocotbext-axi."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import cocotb
from cocotb.handle import SimHandleBase
from cocotb.triggers import FallingEdge, SimTimeoutError, Timer, with_timeout
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource
from signals import PERIOD_NS

__all__ = ["DRAIN", "StreamPorts", "reset_all"]

DRAIN = 200
"""Cycles after the last result in which a result too many would show."""

_PATIENCE = 100_000
"""Cycles without a frame that count as a deadlock: more than the 2^16 that a stream that stops is given."""

_INPUTS, _OUTPUTS = ("cmd", "din"), ("dout", "status")


class StreamPorts:
    """The streams ``cmd``, ``din``, ``dout`` and ``status`` of `dut`.

    Attributes
    ----------
    withheld, refused : int
        Cycles in which the inputs, and the outputs, were told to pause.
    """

    def __init__(self, dut: SimHandleBase, *, stall: float, random: Random) -> None:
        self._dut = dut
        self._stall = stall
        self._random = random
        self.withheld = self.refused = 0
        reset, active = _reset_of(dut)
        self._ports = {}
        for name in (*_INPUTS, *_OUTPUTS):
            bus = AxiStreamBus.from_prefix(dut, name)
            # With TKEEP, as Vitis has it, lanes are bytes; without it one lane is the whole beat.
            size = {} if hasattr(bus, "tkeep") else {"byte_size": len(bus.tdata)}
            kind = AxiStreamSource if name in _INPUTS else AxiStreamSink
            port = kind(bus, dut.ap_clk, reset, reset_active_level=active, **size)
            port.log.setLevel("ERROR")  # it would print every frame, and each that a reset flushes
            self._ports[name] = port
            self._pause(name)

    def send(self, name: str, beats: list[int], stop: int | None = None) -> None:
        """Queue a frame; if `stop` is given, the stream pauses after so many beats from now on."""
        port = self._ports[name]
        lanes, bits = port.byte_lanes, port.byte_size
        # A command is a frame of its own where the stream has no TLAST.
        data = [beat >> lane * bits & port.byte_mask for beat in beats for lane in range(lanes)]
        if stop is not None:
            cocotb.start_soon(self._stop(name, stop))
        port.send_nowait(AxiStreamFrame(data))

    def resume(self, name: str) -> None:
        """Let a stream that was stopped go on."""
        self._ports[name].pause = False
        self._pause(name)

    async def receive(self, name: str, count: int) -> list[str]:
        """Return the next frame of a stream with TLAST, or the next `count` beats of one without.

        Raises
        ------
        AssertionError
            If it does not come.
        """
        port = self._ports[name]
        frames = 1 if hasattr(port.bus, "tlast") else count
        beats: list[str] = []
        for _ in range(frames):
            try:
                frame = await with_timeout(port.recv(), _PATIENCE * PERIOD_NS, "ns")
            except SimTimeoutError:
                raise AssertionError(f"{name}: {len(beats)} of {count} beats came, and no more") from None
            beats += self._beats(name, list(frame.tdata))
        return beats

    async def cycles(self, count: int) -> None:
        """Wait for so many cycles."""
        await Timer(count * PERIOD_NS, "ns")

    def check_empty(self) -> None:
        """Raise `AssertionError` if something was sent that is not due, or something was not taken."""
        for name in _OUTPUTS:
            assert self._ports[name].empty(), f"{name}: more came than is due"
            assert self._ports[name].idle(), f"{name}: a frame has not ended"
        for name in _INPUTS:
            assert self._ports[name].idle(), f"{name}: not everything was taken"

    def clear(self) -> None:
        """Drop what waits."""
        for port in self._ports.values():
            port.clear()

    def _beats(self, name: str, data: list[int]) -> list[str]:
        port = self._ports[name]
        lanes, bits = port.byte_lanes, port.byte_size
        words = (data[start : start + lanes] for start in range(0, len(data), lanes))
        return [f"{sum(x << lane * bits for lane, x in enumerate(word)):x}" for word in words]

    def _pause(self, name: str) -> None:
        if self._stall:
            self._ports[name].set_pause_generator(self._pauses(name))

    def _pauses(self, name: str) -> Iterator[bool]:
        """Give for every cycle whether the stream pauses."""
        while True:
            pause = self._random.random() < self._stall
            if name in _INPUTS:
                self.withheld += pause
            else:
                self.refused += pause
            yield pause

    async def _stop(self, name: str, count: int) -> None:
        """Pause after `count` beats: while the last one moves, before the next is driven."""
        port = self._ports[name]
        while count:
            await FallingEdge(self._dut.ap_clk)
            count -= int(port.bus.tvalid.value) & int(port.bus.tready.value)
        port.clear_pause_generator()
        port.pause = True


def _reset_of(dut: SimHandleBase) -> tuple[SimHandleBase, bool]:
    """Return the reset and its active level."""
    return (dut.ap_rst, True) if hasattr(dut, "ap_rst") else (dut.ap_rst_n, False)


async def reset_all(dut: SimHandleBase, ports: StreamPorts, count: int) -> None:
    """Reset the core and its streams for `count` cycles; what waits is dropped."""
    reset, active = _reset_of(dut)
    await FallingEdge(dut.ap_clk)
    reset.value = int(active)
    await FallingEdge(dut.ap_clk)
    ports.clear()
    await Timer(count * PERIOD_NS, "ns")
    await FallingEdge(dut.ap_clk)
    reset.value = 1 - int(active)
    await FallingEdge(dut.ap_clk)
