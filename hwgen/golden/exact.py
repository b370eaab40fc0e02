"""The plain golden model: one element at a time, exact integers, one rounding. The definition of every bit.

Nothing here is clever. `hwgen.golden.operators` uses it where no fast path is provably exact, and the tests
compare every fast path with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.formats import (
    ExponentFormat,
    FixedFormat,
    FloatFormat,
    Overflow,
    PositFormat,
    Rounding,
    RoundingMode,
)
from hwgen.formats.exact import NAN, Exact

__all__ = ["Scalar", "exact_arrays", "exact_product", "exact_sum"]

Scalar = FloatFormat | FixedFormat | PositFormat | ExponentFormat
"""The formats of single numbers that arithmetic takes and gives."""


def exact_product(a: Exact, b: Exact) -> Exact:
    """Return a * b; the sign of zeros and infinities is the exclusive or of the operands'."""
    negative = a.negative != b.negative
    if a.is_nan or b.is_nan:
        return NAN
    if a.is_infinite or b.is_infinite:
        return NAN if a.is_zero or b.is_zero else Exact(negative, 0, special="inf")
    return Exact(negative, a.numerator * b.numerator, a.denominator * b.denominator)


def exact_sum(a: Exact, b: Exact, rounding: Rounding) -> Exact:
    """Return a + b; the rounding mode decides only the sign of an exact zero (IEEE 754-2019, 6.3)."""
    if a.is_nan or b.is_nan:
        return NAN
    if a.is_infinite or b.is_infinite:
        if a.is_infinite and b.is_infinite and a.negative != b.negative:
            return NAN
        return a if a.is_infinite else b
    left = -a.numerator if a.negative else a.numerator
    right = -b.numerator if b.negative else b.numerator
    # Denominators are powers of two, so the larger one is common to both.
    denominator = max(a.denominator, b.denominator)
    total = left * (denominator // a.denominator) + right * (denominator // b.denominator)
    if total:
        return Exact(total < 0, abs(total), denominator)
    if a.is_zero and b.is_zero and a.negative == b.negative:
        return a
    return Exact(rounding.mode is RoundingMode.RDN, 0)


def exact_arrays(
    factors: Sequence[tuple[npt.NDArray[Any], Scalar]],
    addend: tuple[npt.NDArray[Any], Scalar] | None,
    *,
    y_fmt: Scalar,
    rounding: Rounding,
    overflow: Overflow,
    words: npt.NDArray[Any] | None,
) -> npt.NDArray[Any]:
    """Return round(product of factors + addend), elementwise.

    Parameters
    ----------
    factors : sequence of (ndarray, format)
        One or two operands as patterns and their format.
    addend : (ndarray, format) or None
        What is added to the product; None adds nothing (not even a zero, which would change signs).
    y_fmt : format
        Result format.
    rounding, overflow
        How to round once.
    words : ndarray of int or None
        Random words of `sr`.

    Returns
    -------
    ndarray of `y_fmt.dtype`
        Patterns in the broadcast shape of the operands and the words.
    """
    formats = [fmt for _, fmt in factors]

    def one(word: int, *codes: int) -> int:
        value = formats[0].unpack(codes[0])
        if len(formats) == 2:
            value = exact_product(value, formats[1].unpack(codes[1]))
        if addend is not None:
            value = exact_sum(value, addend[1].unpack(codes[-1]), rounding)
        return y_fmt.pack(value, rounding=rounding, overflow=overflow, word=word)

    operands = [codes for codes, _ in factors] + ([] if addend is None else [addend[0]])
    words = np.zeros((), dtype=np.uint64) if words is None else words
    as_python = [np.asarray(array).astype(object) for array in (words, *operands)]
    results = np.frompyfunc(one, len(as_python), 1)(*as_python)
    return np.asarray(results).astype(y_fmt.dtype)
