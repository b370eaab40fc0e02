"""Generates the SystemVerilog of a network: one module a kernel, queues, memories and a flat top.

Kernels are compiled by clang in one go and lowered one by one; each is then scheduled by itself. A kernel's
outputs come from registers. Its TREADY may depend on TVALID in the same cycle, but between any two kernels
there is a queue through which no handshake passes.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hwgen import __version__
from hwgen.errors import InputError
from hwgen.flow.kernel_rtl import KernelJob, KernelRtl, schedule_kernels
from hwgen.flow.network import Kernel, Network
from hwgen.flow.network_top import network_parts, network_top
from hwgen.flow.rtl_files import LINT_OFF, LINT_ON, RtlPort, tool_versions, write_file
from hwgen.flow.tools import require_module
from hwgen.flow.xls_codegen import CLOCK, DEFAULT_DELAY_MODEL, RESET, Timing
from hwgen.flow.xls_ir import compile_to_llvm_ir, include_folders
from hwgen.flow.xls_traffic import Traffic
from hwgen.lower import LoweredKernel

__all__ = ["KernelRecord", "NetworkRtl", "generate_network_rtl"]

_TOP = "hwgen_top_{}"


@dataclass(frozen=True, kw_only=True)
class KernelRecord:
    """What became of a kernel: its module, pipeline stages and memories (name, depth, width)."""

    name: str
    module: str
    stages: int
    memories: tuple[dict[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class NetworkRtl:
    """What was generated.

    Attributes
    ----------
    path : Path
        The SystemVerilog file.
    module : str
        Name of the top.
    kernels : tuple of KernelRecord
        In the manifest's order.
    clock_ps : int or None
        Clock period that was asked for, in picoseconds.
    delay_model : str
        Model by which XLS timed it.
    ports : tuple of RtlPort
        In the top's order.
    """

    path: Path
    module: str
    kernels: tuple[KernelRecord, ...]
    clock_ps: int | None
    delay_model: str
    ports: tuple[RtlPort, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain data, with the path relative to the project."""
        record = {**asdict(self), "path": f"rtl/{self.path.name}", "interface": "network", "reset": RESET}
        return {**record, "stages": max(kernel.stages for kernel in self.kernels), "latency": None}

    def lines(self) -> list[str]:
        """Return a short summary for people."""
        stages = ", ".join(f"{kernel.name} {kernel.stages}" for kernel in self.kernels)
        timing = f", {self.clock_ps} ps ({self.delay_model})" if self.clock_ps else ""
        return [
            f"{self.path}: module {self.module}, {len(self.kernels)} kernels{timing}",
            f"stages: {stages}",
        ]


def generate_network_rtl(
    project_dir: Path | str,
    *,
    clock_ps: int | None = None,
    stages: int | None = None,
    delay_model: str | None = None,
) -> NetworkRtl:
    """Write ``rtl/NAME.sv``, ``rtl/NAME.ir`` (the optimised XLS IR of all kernels) and ``rtl/NAME.json``.

    Parameters
    ----------
    project_dir : Path or str
        The emitted project.
    clock_ps : int, optional
        Clock period to meet, in picoseconds; the manifest's ``target`` if neither this nor `stages` is given.
        Without a clock, kernels have as few stages as there can be.
    stages : int, optional
        Pipeline stages of the kernels for which the manifest does not give them.
    delay_model : str, optional
        One of `DELAY_MODELS`; the manifest's, else ``sky130``.

    Raises
    ------
    InputError
        If the network is wrong, a clock cannot be met, or the C++ has no hardware form.
    ToolError
        If a tool is missing or fails.
    """
    network = Network.read(project_dir)
    target = network.manifest.get("target") or {}
    if clock_ps is None and stages is None:
        clock_ps = target.get("clock_ps")
    timing = Timing(
        stages=stages,
        clock_ps=clock_ps,
        delay_model=delay_model or target.get("delay_model") or DEFAULT_DELAY_MODEL,
    )
    lowered = _lower(network)
    jobs = [
        _job(network, kernel, form, timing) for kernel, form in zip(network.kernels, lowered, strict=True)
    ]
    scheduled = schedule_kernels(jobs)
    result = NetworkRtl(
        path=network.path / "rtl" / f"{network.name}.sv",
        module=network.name,
        kernels=tuple(
            _record(kernel, job, form, rtl)
            for kernel, job, form, rtl in zip(network.kernels, jobs, lowered, scheduled, strict=True)
        ),
        clock_ps=clock_ps,
        delay_model=timing.delay_model,
        ports=_ports(network),
    )
    memories = {kernel.name: form.memories for kernel, form in zip(network.kernels, lowered, strict=True)}
    modules = [rtl.verilog for rtl in scheduled]
    text = [
        _header(network, result),
        *modules,
        LINT_ON,
        network_parts(network.name),
        network_top(network, memories),
    ]
    write_file(result.path, "\n".join(text))
    write_file(result.path.with_suffix(".ir"), "\n".join(rtl.xls_ir for rtl in scheduled))
    write_file(result.path.with_suffix(".json"), json.dumps(result.to_json(), indent=2) + "\n")
    return result


def _lower(network: Network) -> list[LoweredKernel]:
    """Compile all kernels in one go, and lower each."""
    require_module("llvmlite", "RTL generation")
    from hwgen.lower import lower_kernel, parse_module

    source = network.path / "src" / f"{network.name}.cpp"
    if not source.is_file():
        raise InputError(f"the project has no {source.relative_to(network.path)}", file=network.path)
    with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
        shim = Path(folder, "shim.cpp")
        shim.write_text(_shim(network), encoding="utf-8")
        llvm_ir = compile_to_llvm_ir(shim, include=include_folders(network.path), cwd=network.path)
    module = parse_module(llvm_ir)
    return [
        lower_kernel(
            module,
            top=_TOP.format(kernel.name),
            inputs={joint.port: joint.link.word for joint in kernel.inputs},
            outputs={joint.port: joint.link.word for joint in kernel.outputs},
            name=kernel.name,
        )
        for kernel in network.kernels
    ]


def _shim(network: Network) -> str:
    """Return the C++ that gives each kernel C linkage."""
    lines = ['#line 1 "<hwgen>"', f'#include "src/{network.name}.cpp"']
    for kernel in network.kernels:
        joints = (*kernel.inputs, *kernel.outputs)
        parameters = ", ".join(f"hls::stream<{joint.link.cpp_type}>& {joint.port}" for joint in joints)
        arguments = ", ".join(joint.port for joint in joints)
        top = f'extern "C" void {_TOP.format(kernel.name)}'
        lines.append(f"{top}({parameters}) {{ ::{kernel.function}({arguments}); }}")
    return "\n".join([*lines, ""])


def _job(network: Network, kernel: Kernel, form: LoweredKernel, timing: Timing) -> KernelJob:
    traffic = Traffic(
        inputs=[joint.port for joint in kernel.inputs],
        outputs=[joint.port for joint in kernel.outputs],
        memories=[(memory.request, memory.response) for memory in form.memories],
        polls=form.polls,
    )
    stages = kernel.stages or timing.stages
    if stages is not None and stages < traffic.fewest_stages:
        raise InputError(
            f"kernel {kernel.name!r} needs at least {traffic.fewest_stages} stages, not {stages}: "
            "reads that do not wait take one, and a memory takes two"
        )
    return KernelJob(
        proc=kernel.name,
        module=f"{network.name}_{kernel.name}",
        xls_ir=form.xls_ir,
        timing=replace(timing, stages=stages),
        traffic=traffic,
    )


def _record(kernel: Kernel, job: KernelJob, form: LoweredKernel, rtl: KernelRtl) -> KernelRecord:
    memories = tuple(
        {"name": memory.request.removesuffix("_request"), "depth": memory.depth, "width": memory.width}
        for memory in form.memories
    )
    return KernelRecord(name=kernel.name, module=job.module, stages=rtl.stages, memories=memories)


def _ports(network: Network) -> tuple[RtlPort, ...]:
    ports = [RtlPort(name=name, direction="input", width=1) for name in (CLOCK, RESET)]
    for stream in network.streams:
        forward, backward = ("input", "output") if stream.direction == "input" else ("output", "input")
        ports += [
            RtlPort(name=f"{stream.name}_TDATA", direction=forward, width=stream.width),
            RtlPort(name=f"{stream.name}_TVALID", direction=forward, width=1),
            RtlPort(name=f"{stream.name}_TREADY", direction=backward, width=1),
        ]
        if stream.last:
            ports.append(RtlPort(name=f"{stream.name}_TLAST", direction=forward, width=1))
    return tuple(ports)


def _header(network: Network, result: NetworkRtl) -> str:
    """Return the comment that says where the RTL came from; nothing in it depends on when or where."""
    clock = f"{result.clock_ps} ps, {result.delay_model} delay model" if result.clock_ps else "fewest stages"
    stages: Sequence[str] = [f"{kernel.name} {kernel.stages}" for kernel in result.kernels]
    return "\n".join(
        [
            f"// {network.name}: generated by hwgen {__version__} from src/{network.name}.cpp; do not edit.",
            f"// Spec:    {network.manifest.get('kind', 'network')}, "
            f"sha256 {network.manifest.get('spec_sha256', 'unknown')}",
            f"// Timing:  {clock}; stages: {', '.join(stages)}",
            f"// Tools:   {tool_versions()}",
            "",
            LINT_OFF,
        ]
    )
