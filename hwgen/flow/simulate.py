"""Run a cocotb bench of ``sim/`` on a project's RTL, with cached builds.

This is the protocol witness: slower than `hwgen.flow.verilated`, but written independently of it, in the
language users write their own benches in, and the one that also runs on RTL from Vitis.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from hwgen.errors import InputError, ToolError
from hwgen.flow.cache import build
from hwgen.flow.network import Network, is_network
from hwgen.flow.project import Project
from hwgen.flow.tools import require_module, run_tool, verilator_environment
from hwgen.flow.verilator_runtime import toolchain, verilator_runtime
from hwgen.resources import sim_dir

__all__ = ["BenchRun", "simulate"]


@dataclass(frozen=True, kw_only=True)
class BenchRun:
    """Outcome of one bench run.

    Attributes
    ----------
    vectors, checked, mismatches : int
        Vectors in the file, results compared, results that differ. Of a trainer core: beats.
    cycles : int
        Clock cycles; for a combinational design, evaluations.
    withheld, refused : int
        Cycles in which an input paused on purpose, and in which a result waited for the pausing sink.
    differences : tuple of (int, int or str)
        The first mismatches: position in the vectors, and the word that the design gave (text if some of
        its bits are X or Z).
    error : str
        What went wrong, in words; empty if the bench passed.
    """

    vectors: int
    checked: int
    mismatches: int
    cycles: int = 0
    withheld: int = 0
    refused: int = 0
    differences: tuple[tuple[int, int | str], ...] = ()
    error: str = ""

    @property
    def passed(self) -> bool:
        """Whether vectors were run and all of them agree."""
        return not self.error and self.checked == self.vectors > 0


def simulate(
    project_dir: Path | str, *, vectors: Path | None = None, stall: float = 0.25, seed: int = 1
) -> BenchRun:
    """Run the cocotb bench on the RTL of a project.

    Parameters
    ----------
    project_dir : Path or str
        Project folder in which ``hwgen rtl`` has run.
    vectors : Path, optional
        Vector file; by default the project's own ``tb/vectors.txt``. Of a trainer core: scenarios, by default
        ``tb/regression.json``.
    stall : float
        For streams: probability, 0 <= stall < 1, that a port pauses in a cycle.
    seed : int
        Seed of those pauses.

    Raises
    ------
    InputError
        If the folder is no project or has no RTL.
    ToolError
        If a tool is missing, the RTL does not compile, or the bench could not be run.
    """
    project = Network.read(project_dir) if is_network(project_dir) else Project.read(project_dir)
    source = project.path / "rtl" / f"{project.name}.sv"
    if not source.is_file():
        raise InputError(f"{str(project.path)!r} has no RTL yet (run hwgen rtl first)")
    require_module("cocotb", "RTL simulation")
    if isinstance(project, Network):
        require_module("cocotbext", "RTL simulation of trainer cores")
    # The program finds cocotb's libraries by an absolute path, below sys.prefix.
    cocotb: list[str | bytes | Path] = ["cocotb", version("cocotb"), sys.prefix, sim_dir() / "run.py"]
    folder = build(
        [*cocotb, *toolchain(), project.name, source], lambda part: _compile(part, project, source)
    )
    with tempfile.TemporaryDirectory(prefix="hwgen-") as temporary:
        result = Path(temporary, "result.json")
        arguments: list[str | Path] = ["--step", "test", "--build-dir", folder, "--result", result]
        arguments += ["--stall", str(stall), "--seed", str(seed)]
        arguments += [] if vectors is None else ["--vectors", vectors.resolve()]
        try:
            _run_bench(project.path, arguments)
        except ToolError:
            if not result.is_file():
                raise
        counts = json.loads(result.read_text(encoding="utf-8"))
    counts.pop("latency", None)
    differences = tuple((index, got) for index, got in counts.pop("differences", ()))
    return BenchRun(**counts, differences=differences)


def _compile(folder: Path, project: Project | Network, source: Path) -> None:
    for compiled in verilator_runtime().glob("*.o"):
        done = shutil.copy(compiled, folder)
        # Verilator's makefile remakes what is older than the makefile itself, which is still to be written.
        os.utime(done, times=(time.time() + 3600,) * 2)
    _run_bench(project.path, ["--step", "build", "--build-dir", folder, "--rtl", source.resolve()])
    for file in folder.iterdir():
        if file.suffix:  # all but the program
            file.unlink()


def _run_bench(project: Path, arguments: list[str | Path]) -> None:
    environment = verilator_environment()
    # cocotb's runner behaves differently inside a pytest test, which we may be in.
    environment.pop("PYTEST_CURRENT_TEST", None)
    command = [sys.executable, sim_dir() / "run.py", "--project", project, *arguments]
    run_tool(command, what="the cocotb bench", env=environment)
