"""One vector per clock into a design without handshake, and its results some fixed latency later."""

from __future__ import annotations

from cocotb.handle import SimHandleBase
from cocotb.triggers import FallingEdge, ReadOnly, Timer
from signals import find_signal, read_word
from vectors import VectorFile

__all__ = ["align", "run_function"]

_LONGEST_LATENCY = 100
"""Clock cycles after which a design whose latency is not given must have answered."""


async def run_function(
    dut: SimHandleBase, file: VectorFile, *, clocked: bool, latency: int | None
) -> list[int | str]:
    """Drive all vectors and return what the output shows in each cycle, the first vector's first.

    As many cycles follow the last vector as `latency` says, or as are needed to find it out.
    """
    inputs = [find_signal(dut, port.name) for port in file.inputs]
    output = find_signal(dut, file.output.name)
    drain = 0 if not clocked else _LONGEST_LATENCY if latency is None else latency
    samples = []
    for cycle in range(len(file.vectors) + drain):
        if cycle < len(file.vectors):
            for signal, word in zip(inputs, file.vectors[cycle].operands, strict=True):
                signal.value = word
        if clocked:
            await ReadOnly()
        else:
            await Timer(1, "ns")
        samples.append(read_word(output, file.output.width))
        if clocked:
            await FallingEdge(dut.ap_clk)
    return samples


def align(file: VectorFile, samples: list[int | str]) -> int:
    """Return the latency at which `samples` fit the vectors best: at most `_LONGEST_LATENCY`."""
    count = len(file.vectors)

    def agreement(latency: int) -> int:
        window = samples[latency : latency + count]
        return sum(got == vector.expected[0] for got, vector in zip(window, file.vectors, strict=True))

    return max(range(len(samples) - count + 1), key=agreement)
