"""The arithmetic of the float lanes in the golden model: sums of fp32 products by fused multiply-adds.

A step is `hwgen.golden.fma`'s, by its fast path: a product of two fp32 numbers has 48 bits, so it is a
float64; its sum with a third is rounded to odd there, and then to fp32, which is what one rounding gives (the
proof is in `hwgen.golden.carriers`). Sums stay float64 that are fp32 numbers from one step to the next.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.formats import Rounding, RoundingMode
from hwgen.golden.carriers import add_to_odd

__all__ = ["as_float32", "as_results", "halves_of", "joined", "sums_of_products"]

Array = npt.NDArray[Any]

_RNE = Rounding(RoundingMode.RNE)
_NAN = np.uint32(0x7FC00000)


def as_float32(results: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Return the fp32 numbers whose patterns are the low 32 bits of results."""
    return results.astype(np.uint32).view(np.float32)


def as_results(numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Return fp32 numbers as results: their patterns, the sign extended."""
    return np.ascontiguousarray(numbers).view(np.int32).astype(np.int64)


def halves_of(numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    """Return the low halves of 16 patterns, then their high halves, and so on."""
    halves = np.ascontiguousarray(numbers).view("<i2").reshape(-1, 16, 2)
    return np.ascontiguousarray(halves.transpose(0, 2, 1), np.int16)


def joined(digits: npt.NDArray[np.uint8], digit: int) -> npt.NDArray[np.float32]:
    """Return the fp32 numbers that digits of `digit` bits make, along the first axis, the lowest first."""
    patterns = np.zeros(digits.shape[1:], np.uint32)
    for plane, part in enumerate(digits):
        patterns |= part.astype(np.uint32) << np.uint32(digit * plane)
    return patterns.view(np.float32)


def sums_of_products(left: Array, right: Array, begin: Array) -> npt.NDArray[np.float32]:
    """Return sums over K that begin with `begin`, one product after the other.

    Parameters
    ----------
    left : ndarray of float32, shape (M, K)
        Rows of the left factor.
    right : ndarray of float32, shape (N, K)
        Columns of the right one.
    begin : ndarray of float32, shape (M, N)
        What the first product is added to.
    """
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        a, b = (np.ascontiguousarray(factor.T, np.float64) for factor in (left, right))
        sums = begin.astype(np.float64)
        for x, y in zip(a, b, strict=True):
            exact = add_to_odd(x[:, None] * y, sums, rounding=_RNE)
            sums = exact.astype(np.float32).astype(np.float64)
        patterns = sums.astype(np.float32).view(np.uint32)
    return np.where(np.isnan(sums), _NAN, patterns).view(np.float32)
