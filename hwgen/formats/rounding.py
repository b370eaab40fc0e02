"""Rounding float64 arrays to floating-point patterns, vectorised: exact and at memory-like speed.

Method. For |x| in [2^e, 2^(e+1)) the target's ulp is 2^(e-M) (e not below the smallest normal exponent), so
T = |x| * 2^(M-e) is the significand with its discarded fraction. The factor is a power of two made from the
exponent bits of x, hence T is exact; rounding is then rounding T < 2^(M+1) to an integer, and the pattern is
((e - emin) << M) + T, where the hidden bit and a carry move into the exponent field by addition. Work is done
in blocks that stay in the first-level cache.

The definition this must equal is `FloatFormat.pack`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hwgen.formats.modes import Overflow, Rounding, RoundingMode

if TYPE_CHECKING:
    from hwgen.formats.float_format import FloatFormat

__all__ = ["encode_float64", "round_to_integers"]

_BLOCK = 4096  # elements; the five 8-byte work arrays are 160 KiB, which measured fastest
_MAGNITUDE = 0x7FFF_FFFF_FFFF_FFFF  # float64 bits of |x|
_INFINITY = 0x7FF0_0000_0000_0000  # float64 bits of infinity, and the mask of the exponent field
_BIAS = 1023  # float64's
_TINY = 2.0**-100
"""Stands for a positive T that underflowed: no mode, not even sr with 64 bits, can tell them apart."""


def round_to_integers(
    scaled: npt.NDArray[np.float64],
    *,
    sign: npt.NDArray[np.int64],
    rounding: Rounding,
    words: npt.NDArray[Any] | None,
) -> npt.NDArray[np.float64]:
    """Round magnitudes to integral float64, in place.

    Parameters
    ----------
    scaled : ndarray of float64
        Magnitudes; overwritten with the result.
    sign : ndarray of int64
        Negative where the value is, for the directed modes.
    rounding : Rounding
        Mode and random bits r.
    words : ndarray of int or None
        Random words of `sr`.

    Notes
    -----
    floor(T) and T - floor(T) are exact in float64, and f * 2^r is a multiplication by a power of two, so
    k = floor(f * 2^r) is exact for every r <= 64.
    """
    match rounding.mode:
        case RoundingMode.RNE:
            return np.rint(scaled, out=scaled)
        case RoundingMode.RTZ:
            return np.floor(scaled, out=scaled)
    below = np.floor(scaled)
    fraction = np.subtract(scaled, below, out=scaled)
    match rounding.mode:
        case RoundingMode.RNA:
            up = fraction >= 0.5
        case RoundingMode.RUP:
            up = (fraction > 0) & (sign >= 0)
        case RoundingMode.RDN:
            up = (fraction > 0) & (sign < 0)
        case RoundingMode.RTO:
            half = below * 0.5
            up = (fraction > 0) & (half == np.floor(half))
        case _:
            assert words is not None  # noqa: S101  (as_words has seen to it)
            fraction *= 2.0**rounding.random_bits
            k = fraction.astype(np.uint64)
            # k + u >= 2^r without leaving 64 bits.
            top = np.uint64((1 << rounding.random_bits) - 1)
            up = words.astype(np.uint64) > top - k
    return np.add(below, up, out=below)


@dataclass(frozen=True)
class _Plan:
    """What one (format, rounding, overflow) needs per block, computed once.

    Attributes are float64 bit patterns where they act on bits of x, target patterns where they act on codes.
    """

    clip: int
    """|x| is cut here: twice the largest finite binade overflows like anything beyond it."""
    lowest: int
    """Exponent of the lowest binade that has its own ulp."""
    scale_top: int | None
    """Scale factor = this - exponent field of x; None where the factor may not be a normal float64."""
    fused_bits: int
    """r if floor(T * 2^r) + u fits an int64, which makes `sr` an addition and a shift; else 0."""
    limits: tuple[int, int]
    """Largest pattern of a positive and of a negative result; one past the largest finite is Inf or NaN."""


@lru_cache(maxsize=256)
def _plan(fmt: FloatFormat, rounding: Rounding, overflow: Overflow) -> _Plan:
    # Without subnormals the exponent is unbounded below, but only the binade just under the smallest
    # normal can still round up to it, so one more binade is enough.
    lowest = fmt.emin if fmt.subnormals else fmt.emin - 1
    # A format that ends below float64's normal range overflows at any of its normal numbers.
    clip = max(fmt.emax + 1 + _BIAS, 1)
    fused = rounding.random_bits if fmt.precision + rounding.random_bits <= 62 else 0
    top = 2 * _BIAS + fmt.mantissa + fused
    # The factor 2^(M+r-e) must be a normal float64 for every e, and not shrink inputs below 2^lowest,
    # which could underflow.
    direct = lowest + _BIAS >= 1 and top - (lowest + _BIAS) <= 2046 and clip <= 2046 and top - clip >= 1
    direct = direct and fmt.mantissa + fused >= lowest
    finite = fmt.max_finite_code
    # 64-bit fnuz: one past the largest finite is no int64, but no finite float64 reaches it either.
    beyond = finite if overflow is Overflow.SATURATE else min(finite + 1, _MAGNITUDE)
    return _Plan(
        clip=clip << 52 if clip <= 2046 else _INFINITY - 1,
        lowest=lowest,
        scale_top=_as_int64(top << 52) if direct else None,
        fused_bits=fused if direct else 0,
        limits={
            RoundingMode.RTZ: (finite, finite),
            RoundingMode.RTO: (finite, finite),
            RoundingMode.RUP: (beyond, finite),
            RoundingMode.RDN: (finite, beyond),
        }.get(rounding.mode, (beyond, beyond)),
    )


def encode_float64(
    fmt: FloatFormat,
    x: npt.NDArray[Any],
    words: npt.NDArray[Any] | None,
    *,
    rounding: Rounding,
    overflow: Overflow,
) -> npt.NDArray[Any]:
    """Round a floating array to patterns of `fmt`.

    Parameters
    ----------
    fmt : FloatFormat
        Target.
    x : ndarray of float16, float32 or float64
        Values, one axis.
    words : ndarray of int or None
        Random words of `sr`, in the shape of `x`, each below 2^bits.
    rounding, overflow
        Checked already.

    Returns
    -------
    ndarray of `fmt.dtype`
        Patterns, in the shape of `x`.
    """
    plan = _plan(fmt, rounding, overflow)
    codes = np.empty(x.shape, dtype=fmt.dtype)
    work = np.empty((5, min(_BLOCK, x.size)), dtype=np.int64)
    for start in range(0, x.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        part = None if words is None else words[block]
        codes[block] = _encode_block(fmt, plan, x[block], part, rounding, overflow, work)
    return codes


def _encode_block(
    fmt: FloatFormat,
    plan: _Plan,
    x: npt.NDArray[Any],
    words: npt.NDArray[Any] | None,
    rounding: Rounding,
    overflow: Overflow,
    work: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Round one block; the result is a row of `work`."""
    rows: list[npt.NDArray[np.int64]] = list(work[:, : x.size])
    bits, field, sign, codes, random = rows
    with np.errstate(invalid="ignore"):  # a signalling float32 NaN is a NaN like any other
        np.copyto(bits.view(np.float64), x)
    np.right_shift(bits, 63, out=sign)  # all ones where negative
    np.bitwise_and(bits, _MAGNITUDE, out=bits)
    special = bits >= _INFINITY if bits.max() >= _INFINITY else None
    np.minimum(bits, plan.clip, out=bits)

    if plan.scale_top is None:
        scaled = _scale_by_ldexp(fmt, plan, bits.view(np.float64), field)
    else:
        np.bitwise_and(bits, _INFINITY, out=field)  # infinity is the exponent mask
        np.maximum(field, (plan.lowest + _BIAS) << 52, out=field)
        factor = np.subtract(plan.scale_top, field, out=codes)
        scaled = np.multiply(bits.view(np.float64), factor.view(np.float64), out=bits.view(np.float64))
        np.subtract(field, (fmt.emin + _BIAS) << 52, out=field)
        np.right_shift(field, 52 - fmt.mantissa, out=field)
    if plan.fused_bits:
        np.copyto(codes, scaled, casting="unsafe")  # truncates: floor(T * 2^r)
        np.copyto(random, words, casting="unsafe")  # type: ignore[arg-type]  # sr has words
        np.add(codes, random, out=codes)
        np.right_shift(codes, plan.fused_bits, out=codes)
    else:
        rounded = round_to_integers(scaled, sign=sign, rounding=rounding, words=words)
        np.copyto(codes, rounded, casting="unsafe")
    np.add(codes, field, out=codes)

    if not fmt.subnormals:
        codes[codes < fmt.min_normal_code] = 0
    positive, negative = plan.limits
    limit = positive if positive == negative else np.where(sign < 0, negative, positive)
    np.minimum(codes, limit, out=codes)
    if special is not None:
        codes[np.isinf(x)] = _as_int64(fmt.max_finite_code + (overflow is not Overflow.SATURATE))

    np.bitwise_and(sign, _as_int64(fmt.sign_mask), out=sign)
    if not fmt.has_negative_zero:
        sign[codes == 0] = 0
    if overflow is Overflow.NAN:
        sign[codes > fmt.max_finite_code] = 0
    np.bitwise_or(codes, sign, out=codes)
    if special is not None:
        codes[np.isnan(x)] = _as_int64(fmt.invalid_code)
    return codes


def _as_int64(pattern: int) -> int:
    return pattern - (1 << 64) if pattern >> 63 else pattern


def _scale_by_ldexp(
    fmt: FloatFormat, plan: _Plan, magnitude: npt.NDArray[np.float64], field: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return T, and (e - emin) << M in `field`, for exponent ranges near or beyond float64's own."""
    _, exponent = np.frexp(magnitude)
    exponent = np.where(magnitude == 0, plan.lowest, np.maximum(exponent.astype(np.int64) - 1, plan.lowest))
    with np.errstate(under="ignore"):  # tiny inputs are put right below
        scaled: npt.NDArray[np.float64] = np.ldexp(magnitude, fmt.mantissa - exponent)
    scaled[(scaled == 0) & (magnitude > 0)] = _TINY
    np.left_shift(exponent - fmt.emin, fmt.mantissa, out=field)
    return scaled
