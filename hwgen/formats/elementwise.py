"""Encode and decode arrays of any scalar format: one element at a time where no vectorised way is exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from hwgen.formats.checks import as_values, as_words
from hwgen.formats.exact import Exact, exact_of
from hwgen.formats.modes import Overflow, Rounding

__all__ = ["ScalarFormat", "encode_elementwise", "unpack_elementwise"]


class ScalarFormat(Protocol):
    """What every format of single numbers offers."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Smallest unsigned NumPy dtype of a pattern."""

    def unpack(self, code: int) -> Exact:
        """Return the exact value of one pattern."""

    def pack(self, value: Exact, *, rounding: Rounding, overflow: Overflow, word: int = 0) -> int:
        """Round one exact value to a pattern."""


_Scalar = TypeVar("_Scalar", bound=ScalarFormat)


def unpack_elementwise(fmt: ScalarFormat, codes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Decode patterns into an object array of Fraction (float for zeros and special values)."""
    values = np.empty(codes.shape, dtype=object)
    for index, code in np.ndenumerate(codes):
        values[index] = fmt.unpack(int(code)).number()
    return values


def encode_elementwise(
    fmt: _Scalar,
    x: npt.ArrayLike,
    *,
    rounding: Rounding,
    overflow: Overflow,
    rand: npt.ArrayLike | None,
    fast: Callable[..., npt.NDArray[Any]] | None = None,
) -> npt.NDArray[Any]:
    """Encode `x`, by `fast(fmt, values, words, rounding=, overflow=)` where that takes it, else plainly."""
    values = as_values(x)
    words = as_words(rand, rounding)
    if words is not None:
        values, words = np.broadcast_arrays(values, words)
    if fast is not None and values.dtype.kind != "O":
        flat_words = None if words is None else words.reshape(-1)
        codes = fast(fmt, values.reshape(-1), flat_words, rounding=rounding, overflow=overflow)
        return codes.reshape(values.shape)
    codes = np.empty(values.shape, dtype=fmt.dtype)
    for index, value in np.ndenumerate(values):
        word = 0 if words is None else int(words[index])
        codes[index] = fmt.pack(exact_of(value), rounding=rounding, overflow=overflow, word=word)
    return codes
