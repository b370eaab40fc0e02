"""Activations that are exact up to one rounding: relu, leaky relu, and their gradients by a stored mask."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.formats import FixedFormat, FloatFormat, Overflow, Rounding
from hwgen.golden.operators import convert, mul

__all__ = ["positive", "relu", "relu_gradient"]

Element = FloatFormat | FixedFormat
Codes = npt.NDArray[Any]

_FP64 = FloatFormat(11, 52)  # holds every slope


def positive(x: npt.ArrayLike, x_fmt: Element) -> npt.NDArray[np.bool_]:
    """Tell which operand codes are greater than zero; NaN is not. This is the mask that is stored."""
    return np.asarray(x_fmt.decode(x) > 0)


def relu(
    x: npt.ArrayLike,
    *,
    x_fmt: Element,
    y_fmt: Element,
    rounding: Rounding,
    overflow: Overflow,
    slope: float | None = None,
    rand: npt.ArrayLike | None = None,
) -> Codes:
    """Return x where it is positive or NaN, else +0, or `slope` * x; rounded once.

    Parameters
    ----------
    x : array_like of int
        Operand codes, any shape.
    x_fmt, y_fmt : FloatFormat or FixedFormat
    rounding, overflow, rand
        As `hwgen.golden.convert`.
    slope : float, optional
        Of a leaky relu.

    Returns
    -------
    ndarray of `y_fmt.dtype`
        Result codes; the sign of leaky zeros is that of x.
    """
    codes = np.asarray(x)
    values = x_fmt.decode(codes)
    passes = (values > 0) | np.isnan(values)
    return _gated(codes, passes, x_fmt, y_fmt, rounding, overflow, slope, rand)


def relu_gradient(
    g: npt.ArrayLike,
    mask: npt.ArrayLike,
    *,
    x_fmt: Element,
    y_fmt: Element,
    rounding: Rounding,
    overflow: Overflow,
    slope: float | None = None,
    rand: npt.ArrayLike | None = None,
) -> Codes:
    """Return the gradient g where the stored `mask` is 1, else +0, or `slope` * g; rounded once.

    Parameters as `relu`; `mask` broadcasts with `g`. Where the mask is 0 and there is no slope, NaN and
    infinite gradients are dropped too: no multiplication takes place.
    """
    codes, passes = np.broadcast_arrays(np.asarray(g), np.asarray(mask) != 0)
    return _gated(codes, passes, x_fmt, y_fmt, rounding, overflow, slope, rand)


def _gated(
    codes: Codes,
    passes: npt.NDArray[np.bool_],
    x_fmt: Element,
    y_fmt: Element,
    rounding: Rounding,
    overflow: Overflow,
    slope: float | None,
    rand: npt.ArrayLike | None,
) -> Codes:
    passed = convert(codes, x_fmt=x_fmt, y_fmt=y_fmt, rounding=rounding, overflow=overflow, rand=rand)
    if slope is None:
        return np.where(passes, passed, np.zeros_like(passed))
    factor = _FP64.encode(slope)
    scaled = mul(
        codes,
        factor,
        a_fmt=x_fmt,
        b_fmt=_FP64,
        y_fmt=y_fmt,
        rounding=rounding,
        overflow=overflow,
        rand=rand,
    )
    return np.where(passes, passed, scaled)
