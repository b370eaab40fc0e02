"""Checks that every format record shares: integers in a legal range, array arguments of encode and decode."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.formats.modes import Rounding

__all__ = ["as_codes", "as_values", "as_words", "check_integer", "storage_dtype"]

_FLOAT64_INTEGERS = 1 << 53


def check_integer(what: str, value: object, low: int, high: int) -> int:
    """Return `value` if it is an integer in low..high, else raise `InputError` quoting it."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{what} {value!r} must be an integer: legal: {low}..{high}")
    if not low <= value <= high:
        raise InputError(f"{what} {value} out of range: legal: {low}..{high}")
    return value


def storage_dtype(width: int) -> np.dtype[Any]:
    """Return the smallest unsigned NumPy dtype that holds `width` bits."""
    for bits in (8, 16, 32):
        if width <= bits:
            return np.dtype(f"uint{bits}")
    return np.dtype(np.uint64)


def as_codes(bits: npt.ArrayLike, width: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return bit patterns as an array of `dtype`, refusing anything wider than `width` bits."""
    codes = np.asarray(bits)
    if codes.dtype == dtype and width == 8 * dtype.itemsize:
        return codes
    if codes.dtype.kind == "O" or codes.dtype.kind in "iu":
        if codes.size and (codes.min() < 0 or int(codes.max()) >> width):
            bad = codes.max() if int(codes.max()) >> width else codes.min()
            raise InputError(
                f"bit pattern {int(bad):#x} does not fit {width} bits: legal: 0..{(1 << width) - 1:#x}"
            )
        return codes.astype(dtype)
    if codes.size == 0:
        return codes.astype(dtype)
    raise InputError(f"bit patterns must be integers, not {codes.dtype}")


def as_values(x: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return real values as a floating array of at most 64 bits, or as an object array of exact numbers.

    Integers that float64 cannot hold become an object array of Python integers.
    """
    values = np.asarray(x)
    if values.dtype.kind == "f" and values.dtype.itemsize <= 8:
        return values
    if values.dtype.kind == "O":
        return values
    if values.dtype.kind in "iub":
        if values.dtype.itemsize < 8 or values.size == 0:
            return values.astype(np.float64)
        wide = int(values.max()) > _FLOAT64_INTEGERS or int(values.min()) < -_FLOAT64_INTEGERS
        return values.astype(object if wide else np.float64)
    raise InputError(f"values must be real numbers of at most 64 bits, not {values.dtype}")


def as_words(rand: npt.ArrayLike | None, rounding: Rounding) -> npt.NDArray[Any] | None:
    """Return the random words of `rounding`, one per result, refusing words longer than its bits."""
    bits = rounding.random_bits
    if rand is None:
        if bits:
            raise InputError(f"rounding 'sr' needs random words: give rand=, integers of {bits} bits")
        return None
    if not bits:
        raise InputError(f"random words given with rounding {rounding.mode.value!r}: only 'sr' uses them")
    words = np.asarray(rand)
    if words.dtype.kind == "O":
        words = words.astype(np.uint64)
    if words.dtype.kind not in "iu":
        raise InputError(f"random words must be integers, not {words.dtype}")
    fits_by_type = words.dtype.kind == "u" and 8 * words.dtype.itemsize <= bits
    if not fits_by_type and words.size and (words.min() < 0 or int(words.max()) >> bits):
        bad = words.max() if int(words.max()) >> bits else words.min()
        raise InputError(f"random word {int(bad)} does not fit {bits} bits: legal: 0..{(1 << bits) - 1}")
    return words
