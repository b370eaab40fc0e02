"""A picture of estimates: cycles of a training step by word length and pass, and its energy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hwgen.errors import InputError
from hwgen.flow.tools import require_module
from hwgen.train.estimate import StepEstimate

__all__ = ["plot_estimates"]

_SUFFIXES = (".svg", ".png", ".pdf")


def plot_estimates(steps: Sequence[StepEstimate], title: str, path: Path) -> None:
    """Draw steps at several word lengths into `path`.

    Raises
    ------
    InputError
        If the file's type is none of .svg, .png and .pdf.
    ToolError
        If matplotlib is missing.
    """
    if path.suffix not in _SUFFIXES:
        raise InputError(f"{path.name!r} is no picture: legal endings: {', '.join(_SUFFIXES)}")
    require_module("matplotlib", "plotting")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    cycles, energy = figure.subplots(1, 2)
    widths = [str(step.width) for step in steps]
    names = list(dict.fromkeys(part.name for part in steps[0].passes))
    bottom = [0.0] * len(steps)
    for name in names:
        heights = [sum(part.cycles for part in step.passes if part.name == name) / 1e3 for step in steps]
        cycles.bar(widths, heights, bottom=bottom, label=name)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    cycles.set_ylabel("thousand cycles a step")
    bottom = [0.0] * len(steps)
    for name, key in (("operations", "compute_pj"), ("data streams", "stream_pj")):
        heights = [getattr(step.total, key) / 1e6 for step in steps]
        energy.bar(widths, heights, bottom=bottom, label=name)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    energy.set_ylabel("energy of a step, µJ (45 nm)")
    for axes in (cycles, energy):
        axes.set_xlabel("word length, bits")
        axes.legend()
    figure.suptitle(title)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
