"""Words of ports that hold several elements: to and from arrays of those elements.

A word is a bit string, element 0 in its lowest bits. Here it is a NumPy integer if it has at most 64 bits; a
longer one is a last axis of 64-bit limbs, the lowest first, which is how the engines' C++ reads it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.formats.checks import storage_dtype

__all__ = ["LIMB_BITS", "integers_of_words", "limbs", "pack", "unpack", "word_dtype", "words_of_integers"]

LIMB_BITS = 64
_MACHINE_BITS = (8, 16, 32, 64)

Bits = NDArray[np.unsignedinteger[Any]]


def limbs(width: int) -> int:
    """Return the number of 64-bit limbs of a word of `width` bits."""
    return -(-width // LIMB_BITS)


def word_dtype(width: int) -> np.dtype[Any]:
    """Return the dtype of a word: the smallest unsigned machine type, or that of a limb."""
    return storage_dtype(width)


def pack(elements: NDArray[Any], layout: Sequence[int]) -> Bits:
    """Return the words that hold the elements.

    Parameters
    ----------
    elements : ndarray of unsigned int, shape S + (len(layout),)
        Each below 2 to the power of its width.
    layout : sequence of int
        Width of each element, at most 64.

    Returns
    -------
    ndarray
        Shape S, or S + (limbs,) where the word has more than 64 bits.
    """
    width = sum(layout)
    storage = word_dtype(width)
    shape = elements.shape[:-1]
    count = limbs(width)
    size = layout[0]
    if size in _MACHINE_BITS and set(layout) == {size} and width == count * storage.itemsize * 8:
        # Elements of whole bytes that fill the word: little-endian memory already is the word.
        words = np.ascontiguousarray(elements, dtype=f"<u{size // 8}").view(storage)
        return words.reshape((*shape, count) if count > 1 else shape)
    packed = np.zeros((*shape, count), storage)
    for index, length, offset, bits in _runs(layout):
        if _is_machine_word(offset, bits):
            place = offset // bits
            packed.view(f"<u{bits // 8}")[..., place : place + length] = elements[..., index : index + length]
            continue
        limb, shift = divmod(offset, LIMB_BITS)
        element = elements[..., index].astype(np.uint64)
        packed[..., limb] |= (element << np.uint64(shift)).astype(storage)
        if shift + bits > LIMB_BITS:
            packed[..., limb + 1] |= element >> np.uint64(LIMB_BITS - shift)
    return packed if count > 1 else packed[..., 0]


def unpack(words: NDArray[Any], layout: Sequence[int]) -> Bits:
    """Return the elements of the words: the inverse of `pack`.

    Returns
    -------
    ndarray of unsigned int, shape S + (len(layout),)
        In the smallest dtype that holds the widest element.
    """
    if limbs(sum(layout)) == 1:
        words = words[..., np.newaxis]
    words = np.ascontiguousarray(words)
    elements = np.empty((*words.shape[:-1], len(layout)), storage_dtype(max(layout)))
    for index, length, offset, bits in _runs(layout):
        if _is_machine_word(offset, bits):
            place = offset // bits
            elements[..., index : index + length] = words.view(f"<u{bits // 8}")[..., place : place + length]
            continue
        limb, shift = divmod(offset, LIMB_BITS)
        element = words[..., limb].astype(np.uint64) >> np.uint64(shift)
        if shift + bits > LIMB_BITS:
            element |= words[..., limb + 1].astype(np.uint64) << np.uint64(LIMB_BITS - shift)
        elements[..., index] = element & np.uint64((1 << bits) - 1)
    return elements


def integers_of_words(words: NDArray[Any], width: int) -> list[int]:
    """Return a one-dimensional array of words as Python integers."""
    if width <= LIMB_BITS:
        return [int(word) for word in words.tolist()]
    rows = words.astype("<u8", copy=False)
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


def words_of_integers(integers: Sequence[int], width: int) -> Bits:
    """Return integers below 2**width as an array of words: the inverse of `integers_of_words`."""
    storage = word_dtype(width)
    if width <= LIMB_BITS:
        return np.array(integers, dtype=storage)
    size = limbs(width) * storage.itemsize
    data = b"".join(value.to_bytes(size, "little") for value in integers)
    return np.frombuffer(data, "<u8").reshape(len(integers), limbs(width)).astype(storage)


def _runs(layout: Sequence[int]) -> Iterator[tuple[int, int, int, int]]:
    """Yield index, number, offset and width of elements that can be moved together.

    Those are successive machine words of one type; any other element stands alone.
    """
    offsets = [0, *accumulate(layout)][:-1]

    def kind(index: int) -> tuple[int, int]:
        bits = layout[index]
        return bits, -1 if _is_machine_word(offsets[index], bits) else index

    for (bits, _), run in groupby(range(len(layout)), key=kind):
        indices = list(run)
        yield indices[0], len(indices), offsets[indices[0]], bits


def _is_machine_word(offset: int, bits: int) -> bool:
    """Whether an element lies in little-endian memory as a machine word does."""
    return bits in _MACHINE_BITS and offset % bits == 0
