"""A picture of an approximated function's error: ulps over the operand, every operand a dot."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hwgen.errors import InputError
from hwgen.flow.tools import require_module
from hwgen.golden.activation import targets
from hwgen.operators import Operator
from hwgen.operators.activation_spec import ActivationSpec
from hwgen.operators.approximation.errors import ulp_errors

__all__ = ["plot_error"]

_SUFFIXES = (".svg", ".png", ".pdf")


def plot_error(operator: Operator, path: Path) -> None:
    """Draw the error of every result of an approximated function into `path`.

    Parameters
    ----------
    operator : Operator
        An activation unit of a function that is not exact.
    path : Path
        A file that ends in .svg, .png or .pdf.

    Raises
    ------
    InputError
        If the operator approximates nothing, or the file's type is none of these.
    ToolError
        If matplotlib is missing.
    """
    spec = operator.spec
    if not isinstance(spec, ActivationSpec) or not spec.approximated:
        raise InputError(f"{operator.name} approximates no function, so there is no error to plot")
    if path.suffix not in _SUFFIXES:
        raise InputError(f"{path.name!r} is no picture: legal endings: {', '.join(_SUFFIXES)}")
    require_module("matplotlib", "plotting")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    design = spec.approximation.design
    goal = targets(spec.function, design.x_fmt, design.y_fmt, design.overflow)
    x, error = ulp_errors(design, goal)
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(x, error, ",", color="tab:blue", rasterized=True)
    for level in (-1, -0.5, 0.5, 1):
        axes.axhline(level, color="0.6", linewidth=0.8, linestyle="-" if abs(level) == 1 else ":")
    smallest = np.min(np.abs(x[x != 0]), initial=1.0)
    axes.set_xscale("symlog", linthresh=max(float(smallest), 2.0**-12))
    axes.set_ylim(-1.15, 1.15)
    axes.tick_params(axis="x", labelsize=7)
    axes.set_xlabel("x")
    axes.set_ylabel("error of the result, ulp")
    worst = float(np.max(np.abs(error), initial=0.0))
    formats = f"{design.x_fmt.name} to {design.y_fmt.name}"
    axes.set_title(f"{spec.function}, {formats}, {design.method}: at most {worst:.3f} ulp", fontsize=10)
    figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix != ".png" else None)
