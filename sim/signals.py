"""Reading and finding signals of a design, whichever tool wrote its RTL."""

from __future__ import annotations

from cocotb.clock import Clock
from cocotb.handle import SimHandleBase
from cocotb.triggers import FallingEdge

__all__ = ["PERIOD_NS", "find_signal", "read_word", "start_clock_and_reset"]

PERIOD_NS = 10
_RESET_CYCLES = 8


def find_signal(dut: SimHandleBase, port: str, suffix: str = "") -> SimHandleBase:
    """Return the signal of `port`; Vitis calls a port that is a word of Verilog, such as rand, rand_r."""
    name = f"{port}{suffix}"
    return getattr(dut, name if hasattr(dut, name) else f"{port}_r{suffix}")


def read_word(signal: SimHandleBase, width: int) -> int | str:
    """Return the low `width` bits of `signal`; as text if some are X or Z. AXI pads TDATA to bytes."""
    value = signal.value
    try:
        return int(value) & ((1 << width) - 1)
    except ValueError:
        return str(value)[-width:]


async def start_clock_and_reset(dut: SimHandleBase) -> bool:
    """Start the clock and apply whatever reset there is, then stop at a falling edge.

    Returns
    -------
    bool
        Whether the design has a clock at all; a combinational one does not.
    """
    if not hasattr(dut, "ap_clk"):
        return False
    Clock(dut.ap_clk, PERIOD_NS, unit="ns").start()
    for name, active in (("ap_rst", 1), ("ap_rst_n", 0)):
        if hasattr(dut, name):
            reset = getattr(dut, name)
            reset.value = active
            for _ in range(_RESET_CYCLES):
                await FallingEdge(dut.ap_clk)
            reset.value = 1 - active
    await FallingEdge(dut.ap_clk)
    return True
