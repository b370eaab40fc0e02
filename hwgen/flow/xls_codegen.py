"""XLS' scheduler and SystemVerilog generator, with the options that our interfaces mean.

What a design's ports are called and what is written to disk is `hwgen.flow.rtl`'s business.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from hwgen.errors import InputError, ToolError
from hwgen.flow.sv_names import escape_ports, hide_ports
from hwgen.flow.sv_tables import tables_as_functions
from hwgen.flow.tools import require_module
from hwgen.flow.xls_rings import Ring, predicate_rings, waiting_elements
from hwgen.flow.xls_traffic import IN_ORDER, Traffic

__all__ = [
    "CLOCK",
    "DEFAULT_DELAY_MODEL",
    "DELAY_MODELS",
    "MOST_STAGES",
    "RESET",
    "Timing",
    "generate_verilog",
]

DELAY_MODELS = ("unit", "sky130", "asap7")
"""XLS' models of how long an operation takes; ``unit`` counts one picosecond an operation."""

DEFAULT_DELAY_MODEL = "sky130"
MOST_STAGES = 1000
CLOCK = "ap_clk"
RESET = "ap_rst_n"

# XLS' semantics, which its optimiser relies on but its generator does not keep by itself: an index past the
# end reads the last entry, and a receive that does not happen gives zero.
_FAITHFUL = {"array_index_bounds_checking": True, "gate_recvs": True}


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What the schedule must meet.

    Attributes
    ----------
    stages : int or None
        Pipeline stages, 0 for combinational; None for as few as the clock allows.
    clock_ps : int or None
        Clock period in picoseconds.
    delay_model : str
        One of `DELAY_MODELS`.
    """

    stages: int | None
    clock_ps: int | None
    delay_model: str


@dataclass(frozen=True, kw_only=True)
class _Design:
    xls_ir: str
    name: str
    inputs: Sequence[str]
    output: str
    streaming: bool
    traffic: Traffic | None = None
    rings: tuple[Ring, ...] = ()

    @property
    def fewest_stages(self) -> int:
        """Stages below which there is no schedule."""
        return self.traffic.fewest_stages if self.traffic else 1

    @property
    def spacing(self) -> int:
        """Activations after which a state element may be used again: all, or each of a ring in turn."""
        return min((len(ring.elements) for ring in self.rings), default=1)


class _WaitsError(RuntimeError):
    """A schedule in which activations wait for state that is not of a ring: not one in every clock."""


def generate_verilog(
    xls_ir: str,
    *,
    name: str,
    inputs: Sequence[str],
    output: str,
    streaming: bool,
    timing: Timing,
    traffic: Traffic | None = None,
) -> tuple[int, str]:
    """Schedule an optimised XLS package and return its number of stages and its SystemVerilog.

    Parameters
    ----------
    xls_ir : str
        The package; its top is a proc if `streaming`, else a function.
    name : str
        Name of the module.
    inputs, output : sequence of str, str
        The ports' names.
    streaming : bool
        Whether ports are ready/valid channels.
    timing : Timing
        What to meet; with neither stages nor a clock, the fewest stages that there can be.
    traffic : Traffic, optional
        What a kernel's channels ask of the schedule, where it has memories or reads that do not wait.

    Raises
    ------
    InputError
        If the schedule cannot be met; the message says what XLS could meet.
    ToolError
        If XLS is missing or fails otherwise.
    """
    require_module("xls", "RTL generation")
    rings: tuple[Ring, ...] = ()
    if streaming:
        xls_ir, rings = predicate_rings(xls_ir)
    design = _Design(
        xls_ir=xls_ir,
        name=name,
        inputs=inputs,
        output=output,
        streaming=streaming,
        traffic=traffic,
        rings=rings,
    )
    if timing.stages is not None or timing.clock_ps is not None:
        verilog = _schedule_or_explain(design, timing)
        if timing.stages is not None:
            return timing.stages, tables_as_functions(verilog)
    # XLS does not say how many stages it took to meet the clock, but what it needs when given too few.
    stages = design.fewest_stages
    while stages <= MOST_STAGES:
        try:
            return stages, tables_as_functions(_schedule(design, replace(timing, stages=stages)))
        except RuntimeError as error:
            if found := re.search(r"--worst_case_throughput=(\d+)", str(error)):
                raise InputError(_recurrence(design, timing, int(found.group(1)))) from error
            needed = re.search(r"--pipeline_stages=(\d+)", str(error))
            stages = max(stages + 1, int(needed.group(1)) if needed else 0)
    raise InputError(f"{name} needs more than {MOST_STAGES} stages at {timing.clock_ps} ps")


def _schedule_or_explain(design: _Design, timing: Timing) -> str:
    try:
        return _schedule(design, timing)
    except _WaitsError as error:
        if timing.stages is not None:
            raise ToolError(f"{error} with {timing.stages} stages; more stages may do") from error
        return ""  # a few more stages than XLS' fewest will do, and they are searched for
    except RuntimeError as error:
        if needed := re.search(r"--worst_case_throughput=(\d+)", str(error)):
            raise InputError(_recurrence(design, timing, int(needed.group(1)))) from error
        if "clock period" not in str(error) and "pipeline length" not in str(error):
            raise ToolError(f"XLS cannot generate RTL for {design.name}: {error}") from error
        raise InputError(_advice(design, timing, str(error))) from error


def _recurrence(design: _Design, timing: Timing, needed: int) -> str:
    """Say how many clocks the longest way from state to state takes, and how many it may take."""
    clock = f" of {timing.clock_ps} ps by the {timing.delay_model} delay model" if timing.clock_ps else ""
    message = (
        f"{design.name} cannot take operands in every clock{clock}: a step of its state takes {needed} clocks"
    )
    if design.traffic is not None and design.traffic.memories:
        return (
            f"{message}; what a memory's load brings may not come back to that memory through state: "
            "send it out, and let it come back by a stream"
        )
    if design.spacing > 1:
        message += f", and the next use of the same partial sum comes after {design.spacing}"
    return (
        f"{message}; legal: a longer clock, or what the kind offers: an interleave of at least {needed}, "
        "or shorter segments"
    )


def _advice(design: _Design, timing: Timing, refusal: str) -> str:
    """Ask XLS what would be feasible, and say so."""
    try:
        with _quiet_stderr():
            _schedule(design, timing, minimise_clock=True)
    except RuntimeError as error:
        refusal = str(error)
    stages = f" with {timing.stages} stages" if timing.stages else ""
    wanted = f"{timing.clock_ps} ps" if timing.clock_ps else "any clock"
    if shortest := re.search(r"--clock_period_ps=(\d+)", refusal):
        hint = f"the shortest period that XLS can schedule is {shortest.group(1)} ps"
    else:
        hint = refusal.removeprefix("INVALID_ARGUMENT: ").split(";")[0]
    return f"{design.name} cannot run at {wanted}{stages} by the {timing.delay_model} delay model: {hint}"


def _schedule(design: _Design, timing: Timing, *, minimise_clock: bool = False) -> str:
    """Run XLS once; it refuses with a `RuntimeError`."""
    import xls

    options: dict[str, Any] = {"module_name": design.name, "use_system_verilog": True, **_FAITHFUL}
    if timing.stages == 0:
        options["generator"] = "combinational"
    else:
        options |= {
            "generator": "pipeline",
            "with_delay_model": True,
            "delay_model": timing.delay_model,
            "pipeline_stages": timing.stages,
            "clock_period_ps": timing.clock_ps,
            "minimize_clock_on_failure": minimise_clock or None,
            "flop_inputs": False,
            "flop_outputs": True,
        }
    if design.streaming:
        options |= {
            "reset": RESET,
            "reset_active_low": True,
            "reset_asynchronous": False,
            "flop_outputs_kind": "flop",
            "worst_case_throughput": design.spacing,
            **(design.traffic.options() if design.traffic else IN_ORDER),
            "streaming_channel_data_suffix": "_TDATA",
            "streaming_channel_valid_suffix": "_TVALID",
            "streaming_channel_ready_suffix": "_TREADY",
        }
        package = xls.parse_ir_package(design.xls_ir)
        verilog = str(package.schedule_and_codegen(**options).get_verilog_text())
        in_turn = {element for ring in design.rings for element in ring.elements}
        if spread := waiting_elements(verilog) - in_turn:
            raise _WaitsError(f"XLS lets activations of {design.name} wait for {', '.join(sorted(spread))}")
        return _renamed_clock(verilog)
    package = xls.parse_ir_package(hide_ports(design.xls_ir, design.inputs))
    result = package.schedule_and_codegen(output_port_name=design.output, **options)
    verilog = escape_ports(str(result.get_verilog_text()), design.inputs)
    return verilog if timing.stages == 0 else _renamed_clock(verilog)


def _renamed_clock(verilog: str) -> str:
    """Call the clock as Vitis does; XLS has no option for it, and gives nothing else the name ``clk``."""
    if re.search(rf"\b{CLOCK}\b", verilog):
        raise ToolError(f"the name {CLOCK!r} is taken in the generated RTL")
    return re.sub(r"\bclk\b", CLOCK, verilog)


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keep XLS' log, which it writes to the process' stderr, out of the user's sight for a moment."""
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
