"""Run AMD's tools on an emitted project where they are installed; otherwise say what to run where they are.

C simulation, C synthesis, co-simulation of the RTL and export, in that order, by the unified command line
of Vitis 2023.2 and later (``v++`` and ``vitis-run``, UG1399 "Creating HLS Components from the Command
Line") or by the project's Tcl script with an older ``vitis_hls``. Nothing here knows the project's
arithmetic.
"""

from __future__ import annotations

import shlex
import shutil
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import CheckError, ToolError
from hwgen.flow.project import Project
from hwgen.flow.tools import run_tool

__all__ = ["VitisReport", "run"]

_CONFIG = "vitis/hls_config.cfg"
_SCRIPT = "vitis/run_hls.tcl"
_WORK = "build/vitis"
_WORK_OF_SCRIPT = "build/vitis_tcl"


@dataclass(frozen=True)
class _Step:
    """One command; if `checks`, its failure means that the design is wrong, not the tool."""

    what: str
    command: tuple[str, ...]
    checks: bool = False


def _vitis_run(goal: str) -> tuple[str, ...]:
    return ("vitis-run", "--mode", "hls", f"--{goal}", "--config", _CONFIG, "--work_dir", _WORK)


_UNIFIED: tuple[_Step, ...] = (
    _Step("C simulation", _vitis_run("csim"), checks=True),
    _Step("C synthesis", ("v++", "-c", "--mode", "hls", "--config", _CONFIG, "--work_dir", _WORK)),
    _Step("co-simulation", _vitis_run("cosim"), checks=True),
    _Step("IP export", _vitis_run("package")),
)
_CLASSIC: tuple[_Step, ...] = (_Step("Vitis HLS", ("vitis_hls", "-f", _SCRIPT)),)


@dataclass(frozen=True, kw_only=True)
class VitisReport:
    """What AMD's tools made of a project.

    Attributes
    ----------
    name : str
        The operator.
    commands : tuple of str
        The commands that were run in the project's folder, all with success.
    seconds : float
        Wall time.
    estimates : dict
        ``lut``, ``ff``, ``dsp``, ``bram``, ``clock_ns``, ``latency`` and ``interval``, as far as the
        synthesis report has them. They are estimates of HLS, before logic synthesis.
    """

    name: str
    commands: tuple[str, ...]
    seconds: float
    estimates: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self) | {"commands": list(self.commands), "seconds": round(self.seconds, 1)}

    def lines(self) -> list[str]:
        """Return a short summary for people."""
        figures = ", ".join(f"{key} {value:g}" for key, value in self.estimates.items())
        return [
            f"{self.name}: passed AMD's tools in {self.seconds:.0f} s",
            *(f"  {command}" for command in self.commands),
            *([f"  estimates: {figures}"] if figures else []),
        ]


def run(project_dir: Path | str) -> VitisReport:
    """Run AMD's tools on a project.

    Raises
    ------
    InputError
        If `project_dir` is no emitted project.
    ToolError
        If neither tool is on PATH (the message names the commands to run), or synthesis or export fails.
    CheckError
        If a simulation fails.
    """
    project = Project.read(project_dir)
    if shutil.which("v++") and shutil.which("vitis-run"):
        steps, work = _UNIFIED, _WORK
    elif shutil.which("vitis_hls"):
        steps, work = _CLASSIC, _WORK_OF_SCRIPT
    else:
        raise ToolError(_instructions(project.path))
    started = time.monotonic()
    for step in steps:
        try:
            run_tool(step.command, what=step.what, cwd=project.path)
        except ToolError as error:
            if step.checks:
                raise CheckError(str(error)) from error
            raise
    return VitisReport(
        name=project.name,
        commands=tuple(shlex.join(step.command) for step in steps),
        seconds=time.monotonic() - started,
        estimates=_estimates(project.path / work),
    )


def _instructions(folder: Path) -> str:
    unified = "\n".join(f"  {shlex.join(step.command)}" for step in _UNIFIED)
    classic = shlex.join(_CLASSIC[0].command)
    return (
        "AMD Vitis is not on PATH (v++ and vitis-run, or vitis_hls). On a machine that has it, source its "
        f"settings64.sh and run, in a copy of {str(folder)!r}:\n{unified}\n"
        f"or, with a release before 2023.2:\n  {classic}"
    )


def _estimates(work: Path) -> dict[str, float]:
    """Return the figures of the synthesis report below `work`, if there is one."""
    reports = sorted(work.rglob("syn/report/csynth.xml"))
    if not reports:
        return {}
    root = ElementTree.parse(reports[0]).getroot()  # noqa: S314  (written by the tool we started)
    places = {
        "lut": "AreaEstimates/Resources/LUT",
        "ff": "AreaEstimates/Resources/FF",
        "dsp": "AreaEstimates/Resources/DSP",
        "bram": "AreaEstimates/Resources/BRAM_18K",
        "clock_ns": "PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod",
        "latency": "PerformanceEstimates/SummaryOfOverallLatency/Worst-caseLatency",
        "interval": "PerformanceEstimates/SummaryOfOverallLatency/Interval-max",
    }
    figures = {}
    for key, place in places.items():
        text = root.findtext(place, "")
        if text.replace(".", "", 1).isdigit():  # a free-running kernel's latency is "undef"
            figures[key] = float(text)
    return figures
