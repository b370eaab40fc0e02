"""What a fill does in the golden model: words of a tensor gathered, turned if asked, and cut into digits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.trainer.commands import Fill
from hwgen.trainer.spec import ELEMENT_BITS, TrainerSpec

__all__ = ["halves_as_planes", "plane_words"]

Array = npt.NDArray[Any]


def plane_words(spec: TrainerSpec, fill: Fill, scratch: Array, banks: int) -> Array:
    """Return the words that a fill writes: digits, shape (words, banks, lanes).

    Parameters
    ----------
    spec : TrainerSpec
        The core.
    fill : Fill
        The command.
    scratch : ndarray of int16
        Scratch memory.
    banks : int
        Rows of a word.
    """
    lanes, digit = spec.array.lanes, spec.array.digit
    planes = ELEMENT_BITS // digit if fill.floats else spec.planes(fill.width)
    digits = np.concatenate(
        [
            np.stack([operand >> digit * plane for plane in range(planes)], axis=2) & (1 << digit) - 1
            for operand in _gathered(fill, scratch)
        ],
        axis=2,
    )
    words = digits.reshape(-1, banks, fill.kgs, digits.shape[2], lanes).transpose(0, 2, 3, 1, 4)
    if spec.array.splits and planes == 2 and not fill.floats:
        words = _planes_as_halves(words)
    return words.reshape(-1, banks, lanes)


def _planes_as_halves(words: Array) -> Array:
    """Return two planes, (..., 2, banks, lanes), as halves of the elements, an element's digits together."""
    *outer, planes, banks, lanes = words.shape
    elements = np.moveaxis(words, -3, -1).reshape(*outer, banks, planes, lanes // planes, planes)
    return np.moveaxis(elements, -4, -3).reshape(words.shape)


def halves_as_planes(words: Array) -> Array:
    """Return words of halves of the elements, (..., 2, banks, lanes), as planes of their digits."""
    *outer, planes, banks, lanes = words.shape
    elements = words.reshape(*outer, planes, banks, lanes // planes, planes)
    return np.moveaxis(elements, (-1, -4), (-4, -2)).reshape(words.shape)


def _gathered(fill: Fill, scratch: Array) -> Iterator[Array]:
    """Give the operand, (rows, k-groups, lanes); of fp32 patterns first low halves, then high ones."""
    lanes = scratch.shape[1]
    b, y, x = np.indices((fill.n_b, fill.n_y, fill.n_x)).reshape(3, -1, 1)
    ky, kx, g = np.indices((fill.n_ky, fill.n_kx, fill.n_g)).reshape(3, 1, -1)
    row = y * fill.step + ky + fill.offset_y
    column = x * fill.step + kx + fill.offset_x
    inside = (row >= 0) & (row < fill.limit_y) & (column >= 0) & (column < fill.limit_x)
    parts = 1 + fill.floats
    address = fill.source + b * fill.s_b + row * fill.s_y + column * fill.s_x + parts * g
    rows, groups = address.shape
    for part in range(parts):
        tensor = np.zeros((rows + -rows % lanes, groups, lanes), np.int16)
        tensor[:rows][inside] = scratch[address[inside] + part]
        if fill.transpose:
            # From (chunk, row of it, k-group, column of it): columns are operand rows, rows go along K.
            tensor = tensor.reshape(-1, lanes, groups, lanes).transpose(2, 3, 0, 1)
        yield tensor.reshape(-1, fill.kgs, lanes)
