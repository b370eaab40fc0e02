"""The golden units with formats chosen at run time: in each mode the unit of that mode's formats, no other.

There is nothing to define but which format a word has. The arithmetic is that of `hwgen.golden.operators`,
mode by mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["selected"]

Array = npt.NDArray[Any]


def selected(
    units: Sequence[Callable[..., Array]],
    operands: Sequence[Array],
    mode: Array,
    *,
    widths: Sequence[Sequence[int]],
    vectors: Sequence[bool],
    dtype: np.dtype[Any],
    rand: Array | None = None,
) -> Array:
    """Return for each element the result of the unit that its mode selects.

    Parameters
    ----------
    units : sequence of callable
        ``units[k](*operands, rand)``: the unit of mode k, on bit patterns of that mode's formats. A mode
        beyond them takes the last.
    operands : sequence of ndarray of unsigned integers
        Words of the operand ports; of vectors, of their elements. The pattern is in the low bits; the bits
        above a narrow format are ignored.
    mode : ndarray of unsigned integers
        Words of the port `mode`, of a shape that broadcasts with the operands.
    widths : sequence of sequence of int
        ``widths[k]``: bits of each operand, or of its elements, in mode k.
    vectors : sequence of bool
        Which operands have a last axis of elements.
    dtype : dtype
        Of the result: unsigned, wide enough for every mode. A narrow result has zeros above it.
    rand : ndarray or None
        Random words, broadcast with the operands.

    Returns
    -------
    ndarray of `dtype`
        Bit patterns in the broadcast shape.
    """
    arrays = [np.asarray(array) for array in (*operands, mode, *([] if rand is None else [rand]))]
    tails = [array.shape[-1:] if vector else () for array, vector in zip(arrays, vectors, strict=False)]
    tails += [()] * (len(arrays) - len(tails))
    leading = [array.shape[: array.ndim - len(tail)] for array, tail in zip(arrays, tails, strict=True)]
    shape = np.broadcast_shapes(*leading)
    arrays = [np.broadcast_to(array, shape + tail) for array, tail in zip(arrays, tails, strict=True)]
    modes = np.minimum(arrays[len(operands)], len(units) - 1)
    result = np.zeros(modes.shape, dtype)
    for number, (unit, bits) in enumerate(zip(units, widths, strict=True)):
        chosen = modes == number
        patterns = [
            array[chosen] & array.dtype.type((1 << width) - 1)
            for array, width in zip(arrays, bits, strict=False)
        ]
        result[chosen] = unit(*patterns, None if rand is None else arrays[-1][chosen])
    return result
