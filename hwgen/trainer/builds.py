"""A core compiled or simulated: from its spec to a network that runs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from hwgen.emit import emit_files
from hwgen.flow.csim_network import load_network_csim
from hwgen.flow.network import Network as Design
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated_network import load_network
from hwgen.trainer.engines import Network
from hwgen.trainer.project import render_core
from hwgen.trainer.spec import TrainerSpec, load_spec

__all__ = ["compiled_core", "project_with_rtl", "simulated_core"]


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
        return load_network(project_with_rtl(spec, Path(folder))[1])


def project_with_rtl(
    target: Path | TrainerSpec, folder: Path, progress: Callable[[str], None] = lambda step: None
) -> tuple[TrainerSpec, Path]:
    """Return a core's spec, and a project of it that has RTL.

    Parameters
    ----------
    target : Path or TrainerSpec
        An emitted core, whose RTL is taken as it is, and made if there is none; or a spec.
    folder : Path
        Where a project of a spec goes.
    progress : callable
        Told what takes time.

    Raises
    ------
    InputError
        If the spec is not legal, no core does yet what it asks for, or the folder is no core's.
    ToolError
        If a tool is missing or fails.
    """
    if isinstance(target, Path) and target.is_dir():
        spec, project = load_spec(Design.read(target).manifest["spec"]), target
    else:
        spec = load_spec(target)
        project = emit_files(render_core(spec), folder / spec.name)
    if not (project / "rtl" / f"{spec.name}.sv").is_file():
        progress("C++ to RTL")
        generate_rtl(project)
    return spec, project
