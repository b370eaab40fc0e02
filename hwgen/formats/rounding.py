"""Rounding float64 arrays to floating-point patterns, vectorised: exact and at memory-like speed.

Method. For |x| in [2^e, 2^(e+1)) the target's ulp is 2^(e-M) (e not below the smallest normal exponent), so
T = |x| * 2^(M-e) is the significand with its discarded fraction. The factor is a power of two made from the
exponent bits of x, hence T is exact; rounding is then rounding T < 2^(M+1) to an integer, and the pattern is
((e - emin) << M) + T, where the hidden bit and a carry move into the exponent field by addition. Work is done
in blocks that stay in the second-level cache.

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

_BLOCK = 1 << 14  # elements; the 512 KiB of work arrays stay in a second-level cache, calls cost little
_INFINITY = 0x7FF0_0000_0000_0000  # float64 bits of infinity, and the mask of the exponent field
_BIAS = 1023  # float64's
_MAGIC = 2.0**52
_TINY = 2.0**-100
"""Stands for a positive T that underflowed: no mode, not even sr with 64 bits, can tell them apart."""


def round_to_integers(
    scaled: npt.NDArray[np.float64],
    *,
    negative: npt.NDArray[np.bool_],
    rounding: Rounding,
    words: npt.NDArray[Any] | None,
) -> npt.NDArray[np.float64]:
    """Round magnitudes to integral float64, in place.

    Parameters
    ----------
    scaled : ndarray of float64
        Magnitudes; overwritten with the result.
    negative : ndarray of bool
        Signs, for the directed modes.
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
            up = (fraction > 0) & ~negative
        case RoundingMode.RDN:
            up = (fraction > 0) & negative
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
    adds_magic: bool
    """Whether integers may be left in the low bits of T + 2^52, the high bits being cut off."""
    special_from: int
    """Infinities and NaN, being clipped, have reached at least this pattern when all are limited."""
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
    beyond = finite if overflow is Overflow.SATURATE else finite + 1
    limits = {
        RoundingMode.RTZ: (finite, finite),
        RoundingMode.RTO: (finite, finite),
        RoundingMode.RUP: (beyond, finite),
        RoundingMode.RDN: (finite, beyond),
    }.get(rounding.mode, (beyond, beyond))
    return _Plan(
        clip=clip << 52 if clip <= 2046 else _INFINITY - 1,
        lowest=lowest,
        scale_top=_as_int64(top << 52) if direct else None,
        fused_bits=fused if direct else 0,
        adds_magic=fmt.width <= 32 and fmt.subnormals,
        special_from=min(limits) if clip <= 2046 else 0,
        limits=limits,
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
    work = np.empty((4, min(_BLOCK, x.size)), dtype=np.int64)
    for start in range(0, x.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        part = None if words is None else words[block]
        out = codes[block]
        negative = _round_block(fmt, plan, x[block], part, rounding, work, out)
        _finish_block(fmt, plan, x[block], negative, overflow, out)
    return codes


def _round_block(
    fmt: FloatFormat,
    plan: _Plan,
    x: npt.NDArray[Any],
    words: npt.NDArray[Any] | None,
    rounding: Rounding,
    work: npt.NDArray[np.int64],
    out: npt.NDArray[Any],
) -> npt.NDArray[np.bool_]:
    """Put the magnitude patterns of one block, not yet limited, into `out`; return the signs."""
    rows: list[npt.NDArray[np.int64]] = list(work[:, : x.size])
    bits, field, codes, random = rows
    values = bits.view(np.float64)
    with np.errstate(invalid="ignore"):  # a signalling float32 NaN is a NaN like any other
        np.copyto(values, x)
    negative: npt.NDArray[np.bool_] = np.signbit(values)
    np.abs(values, out=values)
    np.minimum(bits, plan.clip, out=bits)  # patterns of magnitudes are in order, NaN above all

    if plan.scale_top is None:
        scaled = _scale_by_ldexp(fmt, plan, values, field)
    else:
        np.bitwise_and(bits, _INFINITY, out=field)  # infinity is the exponent mask
        np.maximum(field, (plan.lowest + _BIAS) << 52, out=field)
        factor = np.subtract(plan.scale_top, field, out=codes)
        scaled = np.multiply(values, factor.view(np.float64), out=values)
        np.subtract(field, (fmt.emin + _BIAS) << 52, out=field)
        np.right_shift(field, 52 - fmt.mantissa, out=field)
    if plan.fused_bits:
        np.copyto(codes, scaled, casting="unsafe")  # truncates: floor(T * 2^r)
        np.copyto(random, words, casting="unsafe")  # type: ignore[arg-type]  # sr has words
        np.add(codes, random, out=codes)
        np.right_shift(codes, plan.fused_bits, out=codes)
    elif plan.adds_magic and rounding.mode is RoundingMode.RNE:
        # In [2^52, 2^53) the ulp is 1: this addition rounds T to the nearest integer, ties to even, and
        # leaves it in the low bits. The high ones fall away below.
        np.add(scaled, _MAGIC, out=codes.view(np.float64))
    else:
        rounded = round_to_integers(scaled, negative=negative, rounding=rounding, words=words)
        np.copyto(codes, rounded, casting="unsafe")
    np.add(codes, field, out=codes)
    if not fmt.subnormals:
        codes[codes < fmt.min_normal_code] = 0
    np.copyto(out, codes, casting="unsafe")
    return negative


def _finish_block(
    fmt: FloatFormat,
    plan: _Plan,
    x: npt.NDArray[Any],
    negative: npt.NDArray[np.bool_],
    overflow: Overflow,
    out: npt.NDArray[Any],
) -> None:
    """Limit the magnitude patterns of one block, put special values in their place, and add signs.

    This is done in the target's own type, where passes are short. NumPy's loops on short integers are
    fast only between arrays, hence the rows of constants.
    """
    positive_limit, negative_limit = plan.limits
    limits = np.full(x.size, positive_limit, dtype=out.dtype)
    if positive_limit != negative_limit:
        limits[negative] = negative_limit
    np.minimum(out, limits, out=out)
    special = out.max() >= plan.special_from
    if special:
        out[np.isinf(x)] = fmt.max_finite_code + (overflow is not Overflow.SATURATE)
    sign = negative.astype(out.dtype)
    np.negative(sign, out=sign)
    np.bitwise_and(sign, np.full(x.size, fmt.sign_mask, dtype=out.dtype), out=sign)
    if not fmt.has_negative_zero:
        sign[out == 0] = 0
    if overflow is Overflow.NAN:
        sign[out > fmt.max_finite_code] = 0
    np.bitwise_or(out, sign, out=out)
    if special:
        out[np.isnan(x)] = fmt.invalid_code


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
    # `clip` cannot cut at a format's end that lies below float64; the pattern must fit all the same.
    exponent = np.minimum(exponent, fmt.emax + 1)
    np.left_shift(exponent - fmt.emin, fmt.mantissa, out=field)
    return scaled
