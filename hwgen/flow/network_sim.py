"""The face of a running network, the same for its RTL and its C++: queues of words at the ports, and time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.flow.network import Link
from hwgen.operators.packing import limbs

__all__ = ["Words", "last_bits", "port_words"]

Words = npt.NDArray[np.uint64]


def port_words(stream: Link, words: npt.ArrayLike) -> Words:
    """Return words of a stream as rows of 64-bit limbs, the lowest first.

    Parameters
    ----------
    stream : Link
        Whose words they are.
    words : array_like of unsigned integers
        One word an element, or rows of limbs: the last axis has as many limbs as a word needs, which a stream
        of at most 64 bits may leave out. Python integers of any size will do.

    Raises
    ------
    InputError
        If a word is no bit pattern of the stream's width.
    """
    count = limbs(stream.width)
    # NumPy would make floats of a list with small and large integers.
    array = words if isinstance(words, np.ndarray) else np.asarray(words, object)
    if array.ndim == 1 and (array.dtype == object or count > 1):
        array = _of_integers(stream, array.tolist(), count)
    elif array.dtype == object:
        array = array.astype(np.uint64)
    if array.dtype.kind not in "ui" and array.size:
        raise InputError(f"words of {stream.name!r} must be integers, not {array.dtype}")
    if count == 1 and array.ndim <= 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != count:
        raise InputError(
            f"words of {stream.name!r} need a last axis of {count} limbs, not the shape {array.shape}"
        )
    if array.dtype.kind == "i" and array.size and array.min() < 0:
        raise InputError(f"words of {stream.name!r} must be unsigned, not {int(array.min())}")
    rows = np.ascontiguousarray(array, np.uint64)
    top = stream.width - 64 * (count - 1)
    if top < 64 and rows.size and int(rows[:, -1].max()) >> top:
        raise InputError(f"a word of {stream.name!r} does not fit {stream.width} bits")
    return rows


def _of_integers(stream: Link, values: list[Any], count: int) -> Words:
    rows = np.zeros((len(values), count), np.uint64)
    for row, value in zip(rows, values, strict=True):
        if not isinstance(value, int) or not 0 <= value < 1 << stream.width:
            raise InputError(f"a word of {stream.name!r} is {value!r}; legal: 0 to 2^{stream.width} - 1")
        row[:] = [value >> 64 * limb & 0xFFFF_FFFF_FFFF_FFFF for limb in range(count)]
    return rows


def last_bits(stream: Link, last: npt.ArrayLike | None, count: int) -> npt.NDArray[np.uint8]:
    """Return TLAST of `count` words; None: with the last word only, where the stream has it.

    Raises
    ------
    InputError
        If the stream has no TLAST, or there are more or fewer bits than words.
    """
    bits = np.zeros(count, np.uint8)
    if last is None:
        bits[count - 1 :] = stream.last
        return bits
    if not stream.last:
        raise InputError(f"stream {stream.name!r} has no TLAST")
    bits[:] = np.broadcast_to(np.asarray(last, bool), count)
    return bits
