"""Generates SystemVerilog from an emitted project: XLS schedules the design and writes the text.

A function top is combinational (`stages` 0), or a pipeline that takes new operands in every cycle. Its inputs
are not registered and its output is: N stages put N registers on every path, so latency is N cycles and the
input logic is timed with whatever drives it. There is no reset and no valid signal; a pipeline computes
whatever it is given.

A stream top is a kernel with ready/valid ports and initiation interval one. Outputs are registered, so TVALID
and TDATA come straight from flip-flops as AXI4-Stream wants, and inputs are not, so TREADY may depend on
TVALID in the same cycle. Without stalls a result leaves `stages` cycles after its operands were taken.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwgen import __version__
from hwgen.errors import InputError, ToolError, legal_values
from hwgen.flow.network import is_network
from hwgen.flow.project import Project
from hwgen.flow.rtl_files import LINT_OFF, LINT_ON, RtlPort, tool_versions, write_file
from hwgen.flow.tools import require_module
from hwgen.flow.xls_codegen import (
    CLOCK,
    DEFAULT_DELAY_MODEL,
    DELAY_MODELS,
    MOST_STAGES,
    RESET,
    Timing,
    generate_verilog,
)
from hwgen.flow.xls_ir import compile_cpp_to_xls_ir
from hwgen.flow.xls_traffic import Traffic

if TYPE_CHECKING:
    from hwgen.flow.network_rtl import NetworkRtl

__all__ = ["DELAY_MODELS", "RtlPort", "RtlResult", "compile_cpp_to_xls_ir", "generate_rtl"]


@dataclass(frozen=True, kw_only=True)
class RtlResult:
    """What was generated.

    Attributes
    ----------
    path : Path
        The SystemVerilog file.
    module : str
        Name of the module.
    interface : str
        ``function`` or ``stream``.
    stages : int
        Pipeline stages; 0 for combinational logic.
    latency : int
        Clock cycles from operands to result (stream: without stalls).
    clock_ps : int or None
        Clock period that was asked for, in picoseconds.
    delay_model : str or None
        Model by which XLS timed it; None for combinational logic.
    reset : str or None
        Name of the synchronous, active-low reset.
    ports : tuple of RtlPort
        In the module's order.
    """

    path: Path
    module: str
    interface: str
    stages: int
    latency: int
    clock_ps: int | None
    delay_model: str | None
    reset: str | None
    ports: tuple[RtlPort, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain data, with the path relative to the project."""
        return {**asdict(self), "path": f"rtl/{self.path.name}"}

    def lines(self) -> list[str]:
        """Return a short summary for people."""
        kind = _count(self.stages, "stage") if self.stages else "combinational"
        timing = f", {self.clock_ps} ps ({self.delay_model})" if self.clock_ps else ""
        return [f"{self.path}: module {self.module}, {kind}, latency {self.latency}{timing}"]


def generate_rtl(
    project_dir: Path | str,
    *,
    clock_ps: int | None = None,
    stages: int | None = None,
    delay_model: str | None = None,
) -> RtlResult | NetworkRtl:
    """Write ``rtl/NAME.sv``, ``rtl/NAME.ir`` (the optimised XLS IR) and ``rtl/NAME.json`` into a project.

    The same project and options give the same bytes.

    Parameters
    ----------
    project_dir : Path or str
        The emitted project.
    clock_ps : int, optional
        Clock period to meet, in picoseconds; the spec's ``target`` if neither this nor `stages` is given. XLS
        then takes as few stages as it needs.
    stages : int, optional
        Pipeline stages; 0 is combinational. Default, unless a clock is given: 0 for functions, 1 for
        streams, 2 for streams that are read without waiting.
    delay_model : str, optional
        One of `DELAY_MODELS`; the spec's, else ``sky130``.

    Returns
    -------
    RtlResult or NetworkRtl
        What was generated; the latter for a network of kernels, see `hwgen.flow.network_rtl`.

    Raises
    ------
    InputError
        For illegal options, a clock that cannot be met (the message says which one can), or C++ that has no
        hardware form (the message names the line).
    ToolError
        If a tool is missing or fails.
    """
    if is_network(project_dir):
        require_module("llvmlite", "RTL generation")
        from hwgen.flow.network_rtl import generate_network_rtl

        return generate_network_rtl(project_dir, clock_ps=clock_ps, stages=stages, delay_model=delay_model)
    project = Project.read(project_dir)
    target = project.manifest.get("target") or {}
    if clock_ps is None and stages is None:
        clock_ps = target.get("clock_ps")
    model = delay_model or target.get("delay_model") or DEFAULT_DELAY_MODEL
    _check_options(project, clock_ps, stages, model)
    xls_ir = compile_cpp_to_xls_ir(project.path)
    traffic = _traffic(project, xls_ir)
    if stages is None and clock_ps is None:
        stages = traffic.fewest_stages if traffic else 0
    if traffic and stages is not None and stages < traffic.fewest_stages:
        raise InputError(
            f"{project.name} reads without waiting, so it needs at least {traffic.fewest_stages} stages, "
            f"not {stages}: what it sends must not change while it waits"
        )
    stages, verilog = generate_verilog(
        xls_ir,
        name=project.name,
        inputs=[port.name for port in project.inputs],
        output=project.output.name,
        streaming=project.interface == "stream",
        timing=Timing(stages=stages, clock_ps=clock_ps, delay_model=model),
        traffic=traffic,
    )
    ports = _ports(project, clocked=stages > 0)
    result = RtlResult(
        path=project.path / "rtl" / f"{project.name}.sv",
        module=project.name,
        interface=project.interface,
        stages=stages,
        latency=stages,
        clock_ps=clock_ps,
        delay_model=model if stages else None,
        reset=RESET if project.interface == "stream" else None,
        ports=_declared_ports(verilog, ports),
    )
    write_file(result.path, _header(project, result) + verilog + LINT_ON)
    write_file(result.path.with_suffix(".ir"), xls_ir)
    write_file(result.path.with_suffix(".json"), json.dumps(result.to_json(), indent=2) + "\n")
    return result


def _check_options(project: Project, clock_ps: int | None, stages: int | None, model: str) -> None:
    if model not in DELAY_MODELS:
        raise InputError(legal_values("delay model", model, DELAY_MODELS))
    if clock_ps is not None and clock_ps < 1:
        raise InputError(f"a clock period of {clock_ps} ps is not possible; it must be at least 1")
    if stages is not None and not 0 <= stages <= MOST_STAGES:
        raise InputError(f"{stages} pipeline stages are not possible; legal: 0 to {MOST_STAGES}")
    if stages == 0 and clock_ps is not None:
        raise InputError("combinational logic (0 stages) has no clock period; leave out one of the two")
    if stages == 0 and project.interface == "stream":
        raise InputError("a stream top needs at least 1 stage; 0 (combinational) is for function tops")


def _traffic(project: Project, xls_ir: str) -> Traffic | None:
    """Return what the channels of a stream top ask of the schedule."""
    if project.interface == "function":
        return None
    inputs, output = [port.name for port in project.inputs], project.output.name
    return Traffic(inputs=inputs, outputs=[output], memories=(), polls="blocking=false" in xls_ir)


def _ports(project: Project, *, clocked: bool) -> tuple[RtlPort, ...]:
    """Return the ports that the module must have, in any order."""
    ports = []
    if clocked:
        ports.append(RtlPort(name=CLOCK, direction="input", width=1))
    if project.interface == "function":
        ports += [RtlPort(name=p.name, direction="input", width=p.width) for p in project.inputs]
        ports.append(RtlPort(name=project.output.name, direction="output", width=project.output.width))
        return tuple(ports)
    ports.append(RtlPort(name=RESET, direction="input", width=1))
    for port in (*project.inputs, project.output):
        forward, backward = ("output", "input") if port is project.output else ("input", "output")
        ports.append(RtlPort(name=f"{port.name}_TDATA", direction=forward, width=port.width))
        ports.append(RtlPort(name=f"{port.name}_TVALID", direction=forward, width=1))
        ports.append(RtlPort(name=f"{port.name}_TREADY", direction=backward, width=1))
    return tuple(ports)


def _declared_ports(verilog: str, expected: tuple[RtlPort, ...]) -> tuple[RtlPort, ...]:
    """Read the module's ports and insist that they are the `expected` ones."""
    header = verilog[: verilog.index(");")]
    found = re.findall(r"(input|output) wire (?:\[(\d+):0\] )?\\?(\w+)", header)
    ports = tuple(RtlPort(name=n, direction=d, width=int(high or 0) + 1) for d, high, n in found)
    if set(ports) != set(expected):
        raise ToolError(
            "the RTL's ports are not those of the design: "
            f"{', '.join(port.name for port in ports)} instead of {', '.join(port.name for port in expected)}"
        )
    return ports


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _header(project: Project, result: RtlResult) -> str:
    """Return the comment that says where the RTL came from; nothing in it depends on when or where."""
    clock = f" at {result.clock_ps} ps" if result.clock_ps else ""
    timing = (
        f"{_count(result.stages, 'stage')}{clock}, {result.delay_model} delay model"
        if result.stages
        else "combinational"
    )
    manifest = project.manifest
    return "\n".join(
        [
            f"// {project.name}: generated by hwgen {__version__} from src/{project.name}.cpp; do not edit.",
            f"// Spec:    {manifest.get('kind', 'design')}, sha256 {manifest.get('spec_sha256', 'unknown')}",
            f"// Timing:  {timing}, latency {_count(result.latency, 'cycle')}",
            f"// Tools:   {tool_versions()}",
            "",
            LINT_OFF,
        ]
    )
