"""Softmax of a vector, stable: the largest element is subtracted before the exponentials. Defined to the bit.

With m the largest element: d_i = x_i - m, rounded toward zero to `DIFFERENCE`; e_i = exp(d_i), faithful, in
`EXPONENTIAL`; s = the exact sum of the e_i, rounded to nearest even in `SUM`; r = 1 / s, faithful, in `SUM`;
y_i = e_i * r, rounded once to the result format. If an element is NaN, or the largest is infinite, all
results are NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.formats import FixedFormat, FloatFormat, Overflow, Rounding, RoundingMode
from hwgen.golden.activation_design import Design, evaluate
from hwgen.golden.operators import convert, fma, mul

__all__ = ["DIFFERENCE", "EXPONENTIAL", "SUM", "softmax", "sum_format"]

DIFFERENCE = FixedFormat(16, 10)
"""Of x_i - m: from -32, where exp is far below the last place of `EXPONENTIAL`, in steps of 2^-10."""

EXPONENTIAL = FixedFormat(16, 15, signed=False)
"""Of exp(d_i), 0 to 1, so that sums are exact integers."""

SUM = FloatFormat(5, 10)
"""Of the sum and its reciprocal: 11 bits of precision."""

_ONE = FloatFormat(2, 0, 1, "none", False)  # holds -1
_TOWARD_ZERO = Rounding(RoundingMode.RTZ)
_NEAREST = Rounding(RoundingMode.RNE)


def sum_format(n: int) -> FixedFormat:
    """Return the format of the exact sum of n exponentials."""
    return FixedFormat(EXPONENTIAL.width + (n - 1).bit_length(), EXPONENTIAL.fraction, signed=False)


def softmax(
    x: npt.ArrayLike,
    *,
    x_fmt: FloatFormat | FixedFormat,
    y_fmt: FloatFormat | FixedFormat,
    exponential: Design,
    reciprocal: Design,
    rounding: Rounding,
    overflow: Overflow,
) -> npt.NDArray[Any]:
    """Return the softmax of the last axis.

    Parameters
    ----------
    x : array_like of int, shape (..., n)
        Operand codes.
    x_fmt, y_fmt : FloatFormat or FixedFormat
    exponential, reciprocal : Design
        exp from `DIFFERENCE` to `EXPONENTIAL`, and 1/x from `SUM` to `SUM`.
    rounding, overflow
        Of the results; deterministic.

    Returns
    -------
    ndarray of `y_fmt.dtype`, shape (..., n)
    """
    codes = np.asarray(x)
    values = x_fmt.decode(codes)
    largest = np.argmax(np.nan_to_num(values, nan=-np.inf), axis=-1, keepdims=True)
    m = np.take_along_axis(codes, largest, axis=-1)
    undefined = np.isnan(values).any(axis=-1, keepdims=True) | ~np.isfinite(x_fmt.decode(m))
    d = fma(
        m,
        _ONE.encode(-1.0),
        codes,
        a_fmt=x_fmt,
        b_fmt=_ONE,
        c_fmt=x_fmt,
        y_fmt=DIFFERENCE,
        rounding=_TOWARD_ZERO,
    )
    e = evaluate(exponential, d)
    total = e.astype(np.uint64).sum(axis=-1, keepdims=True)
    s = convert(total, x_fmt=sum_format(codes.shape[-1]), y_fmt=SUM, rounding=_NEAREST)
    r = evaluate(reciprocal, s)
    y = mul(e, r, a_fmt=EXPONENTIAL, b_fmt=SUM, y_fmt=y_fmt, rounding=rounding, overflow=overflow)
    invalid = 0 if isinstance(y_fmt, FixedFormat) else y_fmt.invalid_code
    return np.where(undefined, invalid, y).astype(y_fmt.dtype)
