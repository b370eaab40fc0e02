"""The error of a design in ulps, for reports. The proof does not need it: it compares codes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hwgen.formats import FixedFormat
from hwgen.golden.activation import Element, Targets
from hwgen.golden.activation_design import Design, evaluate

__all__ = ["ulp_errors"]

Values = npt.NDArray[np.float64]


def ulp_errors(design: Design, goal: Targets) -> tuple[Values, Values]:
    """Return operands in ascending order, and the errors of their results.

    Parameters
    ----------
    design : Design
    goal : Targets
        Of the same function and formats.

    Returns
    -------
    x : ndarray of float64
        Every operand whose exact and computed results are finite and within the range of the result format.
    error : ndarray of float64
        (result - f(x)) / ulp(f(x)), where ulp(v) is the distance of the numbers on either side of v, and for
        a power of two that of the numbers above it.
    """
    codes = np.arange(1 << design.x_fmt.width)
    results = design.y_fmt.decode(evaluate(design, codes))
    inside = np.isfinite(goal.f) & np.isfinite(results) & np.isfinite(goal.x)
    inside &= np.abs(goal.f) <= float(np.max(np.abs(results[np.isfinite(results)])))
    x, f, y = goal.x[inside], goal.f[inside], results[inside]
    order = np.argsort(x, kind="stable")
    return x[order], ((y - f) / _ulp(design.y_fmt, f))[order]


def _ulp(y_fmt: Element, f: Values) -> Values:
    if isinstance(y_fmt, FixedFormat):
        return np.full(f.shape, 2.0**-y_fmt.fraction)
    exponent = np.maximum(np.frexp(f)[1] - 1, y_fmt.emin)
    return np.asarray(np.ldexp(1.0, exponent - y_fmt.mantissa))
