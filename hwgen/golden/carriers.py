"""The fast golden path on float64: exact products, sums rounded to odd, then one rounding to the target.

Why the result is exact
-----------------------
*Product.* Factors that are float64, of m and n significant bits, have a product of at most m + n bits. If
m + n <= 53 and the exponents of its first and last bit stay in float64's range, fl(a * b) = a * b.

*Sum.* For p and c in float64, without overflow, s = fl(p + c) and Knuth's TwoSum give t with s + t = p + c
exactly (Knuth, TAOCP 2, 4.2.2; additions never underflow inexactly). If t = 0 the sum is s. Otherwise p + c
lies strictly between s and its neighbour on the side of t; of these two exactly one has an odd last bit.
Taking that one is rounding to odd, z -> o(z), of z = p + c (Boldo & Melquiond, "Emulation of FMA and
correctly rounded sums: proved algorithms using rounding to odd", IEEE Trans. Computers 57(4), 2008).

*Rounding.* Rounding to the target depends on z only through its comparisons (<, =, >) with decision
thresholds: the target's values; for `rne` and `rna` also their midpoints; for `sr` with r bits the points
lo + j * ulp / 2^r, since k = floor(f * 2^r) counts those at or below z. Let b be a threshold that is a
float64 with an *even* last bit. If z is a float64, o(z) = z. Otherwise z lies strictly between consecutive
float64 d < u, one of which is o(z), the odd one. As b is even, b <= d or b >= u, and b is not o(z). So b < z
implies b <= d <= o(z), hence b < o(z); likewise b > z implies b > o(z). Every comparison is preserved, and
rounding o(z) gives what rounding z would.

A threshold has at most p + max(1, r) significant bits, p the target's precision. It is a float64 with an
even last bit if that is at most 52 and its last bit weighs at least 2^-1073, twice the smallest float64.
This is what `sum_is_safe` checks. Overflow thresholds are of the same form. Below the smallest normal of a
target without subnormals, only the binade next to it has thresholds that matter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hwgen.formats import ExponentFormat, FixedFormat, FloatFormat, Overflow, Rounding, RoundingMode
from hwgen.golden.exact import Scalar

__all__ = ["Extent", "add_to_odd", "extent", "is_float64", "product_extent", "sum_is_safe"]

_PRECISION = 53
_LAST_BIT = -1074  # exponent of the smallest positive float64
_TOP = 1024  # every finite float64 is below 2^1024


class Extent(NamedTuple):
    """Bounds on the finite values of an operand or product.

    Attributes
    ----------
    bits : int
        Significant bits, at most.
    last : int
        Exponent of the last bit of any value, at least.
    top : int
        Every magnitude is below 2^top.
    """

    bits: int
    last: int
    top: int


def extent(fmt: Scalar) -> Extent:
    """Return the bounds of a format."""
    if isinstance(fmt, FloatFormat):
        return Extent(fmt.precision, fmt.emin - fmt.mantissa, fmt.emax + 1)
    if isinstance(fmt, FixedFormat):
        # Of width-1 magnitude bits; the most negative integer is a power of two, hence one significant bit.
        bits = max(fmt.width - fmt.signed, 1)
        return Extent(bits, -fmt.fraction, fmt.width - fmt.fraction)
    if isinstance(fmt, ExponentFormat):
        return Extent(1, fmt.emin, fmt.emax + 1)
    return Extent(fmt.precision, -fmt.emax, fmt.emax + 1)


def product_extent(a: Extent, b: Extent) -> Extent:
    """Return the bounds of a product."""
    return Extent(a.bits + b.bits, a.last + b.last, a.top + b.top)


def is_float64(bounds: Extent) -> bool:
    """Whether every value within the bounds is a float64."""
    return bounds.bits <= _PRECISION and bounds.last >= _LAST_BIT and bounds.top <= _TOP


def sum_is_safe(p: Extent, c: Extent, *, y_fmt: Scalar, rounding: Rounding, overflow: Overflow) -> bool:
    """Whether round(p + c) may go through a float64 that was rounded to odd; see the module's proof."""
    if not (is_float64(p) and is_float64(c) and max(p.top, c.top) < _TOP):
        return False
    if overflow is Overflow.WRAP:
        return False  # every integer is a threshold modulo 2^width, however long
    split = max(1, rounding.random_bits)
    if isinstance(y_fmt, FloatFormat):
        precision = y_fmt.precision
        last = y_fmt.emin - y_fmt.mantissa - (not y_fmt.subnormals)
    elif isinstance(y_fmt, FixedFormat):
        precision = y_fmt.width
        last = -y_fmt.fraction
    elif isinstance(y_fmt, ExponentFormat):
        precision, last = y_fmt.precision, y_fmt.emin
    else:
        # Ties of posits are the values of posits one bit longer.
        precision = y_fmt.width
        last = -(y_fmt.emax + (1 << y_fmt.es))
    return precision + split < _PRECISION and last - split > _LAST_BIT


def add_to_odd(
    p: npt.NDArray[np.float64], c: npt.NDArray[np.float64], *, rounding: Rounding
) -> npt.NDArray[np.float64]:
    """Return p + c rounded to odd, with IEEE's sign of an exact zero under `rounding`.

    Parameters
    ----------
    p, c : ndarray of float64
        Summands, broadcast; NaN and infinities as IEEE has them.
    rounding : Rounding
        The mode of the rounding that follows; it decides the sign of zero only.
    """
    with np.errstate(invalid="ignore"):  # Inf - Inf is NaN, as wanted
        total = np.atleast_1d(p + c)
        p_part = total - c
        error = (p - p_part) + (c - (total - p_part))
    bits = total.view(np.int64)
    inexact = (error != 0) & np.isfinite(total) & (bits & 1 == 0)
    # One step of the pattern is one step of the magnitude, outward if the error has the sum's sign.
    step = np.where((error > 0) == (total > 0), 1, -1)
    bits += np.where(inexact, step, 0)
    if rounding.mode is RoundingMode.RDN:
        zero = total == 0
        total[zero & np.broadcast_to(np.signbit(p) | np.signbit(c), zero.shape)] = -0.0
    return total.reshape(np.broadcast_shapes(p.shape, c.shape))
