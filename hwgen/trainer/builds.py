"""A core compiled or simulated: from its spec to a network that runs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hwgen.emit import emit_files
from hwgen.flow.csim_network import load_network_csim
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated_network import load_network
from hwgen.trainer.engines import Network
from hwgen.trainer.project import render_core
from hwgen.trainer.spec import TrainerSpec

__all__ = ["compiled_core", "simulated_core"]


def compiled_core(spec: TrainerSpec) -> Network:
    """Return the C++ of a core, compiled for this machine. Builds are kept between runs.

    Raises
    ------
    InputError
        If no core does yet what the spec asks for.
    ToolError
        If a tool is missing or fails.
    """
    with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
        return load_network_csim(emit_files(render_core(spec), Path(folder, spec.name)))


def simulated_core(spec: TrainerSpec) -> Network:
    """Return the RTL of a core, simulated by Verilator. Builds are kept between runs.

    Raises
    ------
    InputError
        If no core does yet what the spec asks for, or its clock cannot be met.
    ToolError
        If a tool is missing or fails.
    """
    with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
        project = emit_files(render_core(spec), Path(folder, spec.name))
        generate_rtl(project)
        return load_network(project)
