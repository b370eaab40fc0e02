"""The fast golden path on int64: fixed-point operands whose exact result fits 62 bits.

Why the result is exact: operands are integers times a power of two; products and sums of integers are exact
in int64 as long as their widths fit, which `fits` checks by adding up widths. The only rounding is the final
right shift of the magnitude (`round_shifted`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.formats import FixedFormat, Overflow, Rounding, RoundingMode

__all__ = ["fits", "fixed_arrays", "round_shifted"]

_CARRIER = 62  # magnitude bits: int64 with one bit to spare for the carry of rounding


def _widths(factors: Sequence[FixedFormat], addend: FixedFormat | None) -> tuple[int, int]:
    """Return (magnitude bits of the exact result, its fraction bits)."""
    bits = sum(fmt.width for fmt in factors)
    fraction = sum(fmt.fraction for fmt in factors)
    if addend is None:
        return bits, fraction
    common = max(fraction, addend.fraction)
    return max(bits + common - fraction, addend.width + common - addend.fraction) + 1, common


def fits(factors: Sequence[FixedFormat], addend: FixedFormat | None, *, y_fmt: FixedFormat) -> bool:
    """Whether product, sum and rounding stay within 62 bits of magnitude."""
    bits, fraction = _widths(factors, addend)
    right = fraction - y_fmt.fraction
    return bits + max(-right, 0) <= _CARRIER and right <= _CARRIER


def round_shifted(
    magnitude: npt.NDArray[np.int64],
    shift: int,
    *,
    negative: npt.NDArray[np.bool_],
    rounding: Rounding,
    words: npt.NDArray[Any] | None,
) -> npt.NDArray[np.int64]:
    """Return magnitude * 2^-shift rounded to an integer.

    Parameters
    ----------
    magnitude : ndarray of int64
        Non-negative, below 2^62.
    shift : int
        0..62.
    negative : ndarray of bool
        Signs, for the directed modes.
    rounding : Rounding
        Mode and random bits r.
    words : ndarray of int or None
        Random words of `sr`.
    """
    below: npt.NDArray[np.int64] = magnitude >> shift
    rest = magnitude - (below << shift)
    if shift == 0:
        return below
    half = 1 << (shift - 1)
    match rounding.mode:
        case RoundingMode.RNE:
            up = (rest > half) | ((rest == half) & (below & 1 == 1))
        case RoundingMode.RNA:
            up = rest >= half
        case RoundingMode.RTZ:
            return below
        case RoundingMode.RUP:
            up = (rest != 0) & ~negative
        case RoundingMode.RDN:
            up = (rest != 0) & negative
        case RoundingMode.RTO:
            up = (rest != 0) & (below & 1 == 0)
        case _:
            assert words is not None  # noqa: S101  (as_words has seen to it)
            r = rounding.random_bits
            # floor(rest / 2^shift * 2^r): below 2^r, so the left shift stays within 64 unsigned bits.
            fraction = rest.astype(np.uint64)
            k = fraction >> np.uint64(shift - r) if shift >= r else fraction << np.uint64(r - shift)
            up = words.astype(np.uint64) > np.uint64((1 << r) - 1) - k
    rounded: npt.NDArray[np.int64] = below + up
    return rounded


def fixed_arrays(
    factors: Sequence[tuple[npt.NDArray[Any], FixedFormat]],
    addend: tuple[npt.NDArray[Any], FixedFormat] | None,
    *,
    y_fmt: FixedFormat,
    rounding: Rounding,
    overflow: Overflow,
    words: npt.NDArray[Any] | None,
) -> npt.NDArray[Any]:
    """Return round(product of factors + addend) for fixed-point formats that `fits`; as `exact_arrays`."""
    total = factors[0][1].integers(factors[0][0])
    if len(factors) == 2:
        total = total * factors[1][1].integers(factors[1][0])
    _, fraction = _widths([fmt for _, fmt in factors], None if addend is None else addend[1])
    if addend is not None:
        codes, fmt = addend
        total = total * (1 << (fraction - sum(f.fraction for _, f in factors)))
        total = total + fmt.integers(codes) * (1 << (fraction - fmt.fraction))
    negative = total < 0
    magnitude = np.abs(total)
    right = fraction - y_fmt.fraction
    if right > 0:
        magnitude = round_shifted(magnitude, right, negative=negative, rounding=rounding, words=words)
    else:
        magnitude = magnitude << -right
    signed = np.where(negative, -magnitude, magnitude)
    if overflow is Overflow.SATURATE:
        signed = np.clip(signed, y_fmt.min_integer, min(y_fmt.max_integer, (1 << 63) - 1))
    return (signed.view(np.uint64) & np.uint64((1 << y_fmt.width) - 1)).astype(y_fmt.dtype)
