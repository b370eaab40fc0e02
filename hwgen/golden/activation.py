"""What the results of an activation unit may be: the codes around the exact value, and the nearest of them.

Function values come in float64 with a relative error far below an ulp of 16-bit formats; where that error
could matter, the answer is taken from mpmath, or is on the strict side. How a unit computes its result is
`hwgen.golden.activation_design`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.formats import FixedFormat, FloatFormat, Overflow, Rounding, RoundingMode
from hwgen.formats.exact import exact_of
from hwgen.golden.activation_functions import FUNCTIONS, PRECISION, RELATIVE_ERROR, multiprecision

__all__ = ["MAX_WIDTH", "Element", "Targets", "correctly_rounded", "exact_value", "targets"]

MAX_WIDTH = 16
"""Widest operand or result: every operand is looked at when a unit is designed."""

Element = FloatFormat | FixedFormat
Codes = npt.NDArray[Any]
Values = npt.NDArray[np.float64]

_NEAREST = Rounding(RoundingMode.RNE)


@dataclass(frozen=True, eq=False)
class Targets:
    """What is right for each operand code of one function and pair of formats.

    Attributes
    ----------
    x, f : ndarray of float64, shape (2^width of x,)
        Operand and function value; NaN where there is none.
    nearest : ndarray of result codes
        The correctly rounded result (ties to even, overflow by policy).
    down, up : ndarray of result codes
        The faithful results: the codes on either side of the exact value, by magnitude; the same one twice
        where the value is representable, out of range, or undefined.
    low, high : ndarray of float64
        A magnitude strictly between these, with the sign of `f`, rounds (ties to even) to `down` or `up`.
    """

    x: Values
    f: Values
    nearest: Codes
    down: Codes
    up: Codes
    low: Values
    high: Values

    def accepts(self, codes: Codes, *, exactly: bool = False) -> npt.NDArray[np.bool_]:
        """Tell which of `codes`, one for each operand code, are faithful; `exactly`: correctly rounded."""
        if exactly:
            return np.asarray(codes == self.nearest)
        return np.asarray((codes == self.down) | (codes == self.up))


@lru_cache(maxsize=32)
def targets(name: str, x_fmt: Element, y_fmt: Element, overflow: Overflow) -> Targets:
    """Return the targets of function `name` for all codes of `x_fmt`.

    Parameters
    ----------
    name : str
        Key of `hwgen.golden.activation_functions.FUNCTIONS`.
    x_fmt, y_fmt : FloatFormat or FixedFormat
        At most `MAX_WIDTH` bits wide.
    overflow : Overflow
        Policy of `y_fmt`; not ``wrap``.
    """
    codes = np.arange(1 << x_fmt.width).astype(x_fmt.dtype)
    x = x_fmt.decode(codes)
    f = FUNCTIONS[name].approximate(x)
    nearest, down, up = _codes(name, x, f, y_fmt, overflow)
    low, high = _intervals(f, down, up, nearest, y_fmt, overflow)
    return Targets(x, f, nearest, down, up, low, high)


def correctly_rounded(name: str, codes: Codes, x_fmt: Element, y_fmt: Element, overflow: Overflow) -> Codes:
    """Return f(x) rounded to nearest, ties to even, for operand codes of any shape."""
    return np.asarray(targets(name, x_fmt, y_fmt, overflow).nearest[codes])


def exact_value(name: str, x: float) -> Fraction:
    """Return f(x) with a relative error below 2^-280, for an operand whose value is a finite number."""
    mp = multiprecision()
    with mp.workprec(PRECISION):
        value = FUNCTIONS[name].precise(mp.mpf(x))
        sign, mantissa, exponent, _ = value._mpf_
    power = Fraction(2) ** int(exponent)
    return Fraction(-int(mantissa) if sign else int(mantissa)) * power


def _codes(name: str, x: Values, f: Values, y_fmt: Element, overflow: Overflow) -> tuple[Codes, ...]:
    """Return nearest, down and up.

    The exact value lies between f * (1 - e) and f * (1 + e). `down` is taken at the outer end and `up` at
    the inner one, so a representable number inside that interval is the only code that is accepted: one of
    the two neighbours on whichever side the exact value is.
    """

    def encode(values: Values, mode: str) -> Codes:
        return y_fmt.encode(values, rounding=mode, overflow=overflow)

    inner, outer = f * (1 - RELATIVE_ERROR), f * (1 + RELATIVE_ERROR)
    nearest = encode(inner, "rne")
    for index in np.flatnonzero(nearest != encode(outer, "rne")):
        exact = exact_of(exact_value(name, float(x[index])))
        nearest[index] = y_fmt.pack(exact, rounding=_NEAREST, overflow=overflow)
    down = encode(outer, "rtz")
    up = np.where(np.signbit(f), encode(inner, "rdn"), encode(inner, "rup"))
    beyond = ~(np.abs(outer) <= _largest(f, y_fmt))
    return nearest, np.where(beyond, nearest, down), np.where(beyond, nearest, up)


def _largest(f: Values, y_fmt: Element) -> Values:
    if isinstance(y_fmt, FixedFormat):
        ends = np.where(np.signbit(f), -float(y_fmt.min_integer), float(y_fmt.max_integer))
        return np.asarray(np.ldexp(ends, -y_fmt.fraction))
    return np.full(f.shape, float(y_fmt.decode(np.array([y_fmt.max_finite_code]))[0]))


def _intervals(
    f: Values, down: Codes, up: Codes, nearest: Codes, y_fmt: Element, overflow: Overflow
) -> tuple[Values, Values]:
    """Return the open intervals of magnitudes that round to `down` or `up`."""
    if isinstance(y_fmt, FixedFormat):
        step = 2.0**-y_fmt.fraction
        below, above = np.abs(y_fmt.decode(down)), np.abs(y_fmt.decode(up))
        high = np.where(above >= _largest(f, y_fmt), np.inf, above + step / 2)
        return np.where(below == 0, -1.0, below - step / 2), high
    magnitudes = (1 << (y_fmt.width - 1)) - 1
    finite = y_fmt.decode(np.arange(y_fmt.max_finite_code + 1).astype(y_fmt.dtype))
    if not y_fmt.subnormals:
        finite[: y_fmt.min_normal_code] = 0.0
    middle = np.empty(len(finite) + 1)  # middle[i]: between code i - 1 and code i
    middle[0] = -1.0
    middle[1:-1] = (finite[:-1] + finite[1:]) / 2
    last = 2.0 ** (y_fmt.emax - y_fmt.mantissa)
    middle[-1] = np.inf if overflow is Overflow.SATURATE else finite[-1] + last / 2
    if not y_fmt.subnormals:
        # Rounding is to precision M + 1 before the flush, so the last binade's ulp is halved down there.
        edge = finite[y_fmt.min_normal_code] - 2.0 ** (y_fmt.emin - y_fmt.mantissa - 2)
        middle[1 : y_fmt.min_normal_code + 1] = edge
    infinite = (down & magnitudes) > y_fmt.max_finite_code
    infinite |= np.isnan(f) | (y_fmt.has_nan & (down == y_fmt.invalid_code))
    low = middle[np.where(infinite, len(finite), down & magnitudes)]
    high = np.append(middle, np.inf)[np.where(infinite, len(finite), up & magnitudes) + 1]
    return low, high
