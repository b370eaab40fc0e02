"""Host tensors as frames of 128-bit beats, and back.

A tensor is row-major; its rows (the last axis) are padded with zeros to whole words of 16 elements. A frame
of int8 has a word in each beat, one of int16 in each two, one of fp32 in each four, element 0 lowest. Results
come and go two to a beat, as 64-bit integers; requantised ones leave densely packed in int8 or int16, the
last beat filled up with zeros. Weights of an update come and go with their momenta: four weights, four
momenta, and so on, in fp32; sums of gradients come and go in fp32, too, and nothing fills them up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "BEAT_BYTES",
    "FP32_BITS",
    "WORD",
    "Array",
    "Frame",
    "container_of",
    "number_words",
    "pack",
    "pack_integers",
    "pack_numbers",
    "pack_results",
    "pack_sums",
    "pack_weights",
    "to_words",
    "unpack_elements",
    "unpack_integers",
    "unpack_numbers",
    "unpack_results",
    "unpack_sums",
    "unpack_weights",
]

WORD = 16
"""Elements of a word."""
BEAT_BYTES = 16
FP32_BITS = 32
"""A number of the float lanes; where a word length is meant, what stands for fp32."""

Array = npt.NDArray[Any]
_CONTAINERS = (np.dtype("<i1"), np.dtype("<i2"))
_FP32 = np.dtype("<f4")


@dataclass(frozen=True)
class Frame:
    """Beats of a stream, up to one with TLAST.

    Attributes
    ----------
    beats : ndarray of uint8, shape (beats, 16)
        Little-endian.
    ended : bool
        Whether the last beat has TLAST; a frame without one stops.
    """

    beats: Array
    ended: bool = True

    def __post_init__(self) -> None:
        if self.ended and not len(self.beats):
            raise ValueError("TLAST comes with a beat: a frame without beats has not ended")

    def words(self) -> list[int]:
        """Return the beats as integers."""
        return [int.from_bytes(beat.tobytes(), "little") for beat in self.beats]


def container_of(width: int) -> int:
    """Return the smallest container of elements of `width` bits: 0 for int8, 1 for int16, 3 for fp32."""
    return 3 if width == FP32_BITS else int(width > 8)


def to_words(tensor: Array) -> Array:
    """Return an integer tensor with its last axis in words: shape (..., words, 16), int16.

    Raises
    ------
    ValueError
        If it is not of integers, or one does not fit 16 bits.
    """
    tensor = np.asarray(tensor)
    if tensor.dtype.kind not in "iu" or tensor.ndim == 0:
        raise ValueError(f"a tensor of integers is needed, not {tensor.dtype} of shape {tensor.shape}")
    if tensor.size and (tensor.min() < -(1 << 15) or tensor.max() >= 1 << 15):
        raise ValueError("an element does not fit 16 bits")
    return _in_whole_words(tensor.astype(np.int16)).reshape(*tensor.shape[:-1], -1, WORD)


def number_words(numbers: Array) -> Array:
    """Return float32 numbers with their last axis in words: shape (..., words, 16)."""
    return _in_whole_words(numbers).reshape(*numbers.shape[:-1], -1, WORD)


def _in_whole_words(tensor: Array) -> Array:
    return np.pad(tensor, [(0, 0)] * (tensor.ndim - 1) + [(0, -tensor.shape[-1] % WORD)])


def pack(words: Array, container: int) -> Frame:
    """Return words as the frame that a fetch with this container takes.

    Raises
    ------
    ValueError
        If an element does not fit the container.
    """
    narrow = words.astype(_CONTAINERS[container])
    if not np.array_equal(narrow, words):
        raise ValueError(f"an element does not fit int{8 << container}")
    return Frame(np.ascontiguousarray(narrow).reshape(-1).view(np.uint8).reshape(-1, BEAT_BYTES))


def unpack_elements(beats: Array, container: int) -> Array:
    """Return the elements in beats, widened to int16."""
    return np.ascontiguousarray(beats).reshape(-1).view(_CONTAINERS[container]).astype(np.int16)


def pack_numbers(numbers: Array) -> Frame:
    """Return numbers as the fp32 frame that a fetch takes; rows are padded with zeros to whole words.

    Raises
    ------
    ValueError
        If they are not float32.
    """
    numbers = np.asarray(numbers)
    if numbers.dtype != np.float32 or numbers.ndim == 0:
        raise ValueError(f"a tensor of float32 is needed, not {numbers.dtype} of shape {numbers.shape}")
    padded = np.ascontiguousarray(_in_whole_words(numbers), _FP32)
    return Frame(padded.reshape(-1).view(np.uint8).reshape(-1, BEAT_BYTES))


def unpack_numbers(beats: Array) -> Array:
    """Return the fp32 numbers in beats."""
    return np.ascontiguousarray(beats).reshape(-1).view(_FP32).astype(np.float32, copy=False)


def pack_results(results: Array) -> Frame:
    """Return results as the frame that a store sends, or a load takes."""
    return Frame(
        np.ascontiguousarray(results, dtype="<i8").reshape(-1).view(np.uint8).reshape(-1, BEAT_BYTES)
    )


def pack_integers(elements: Array, container: int) -> Frame:
    """Return requantised elements as the frame that a store sends."""
    data = elements.reshape(-1).astype(_CONTAINERS[container]).view(np.uint8)
    return Frame(np.pad(data, (0, -len(data) % BEAT_BYTES)).reshape(-1, BEAT_BYTES))


def unpack_integers(frame: Frame, container: int, count: int) -> Array:
    """Return the first `count` requantised elements in a frame of a store, as int16."""
    return unpack_elements(frame.beats, container)[:count]


def unpack_results(frame: Frame) -> Array:
    """Return the results in a frame of a store, as int64."""
    return np.ascontiguousarray(frame.beats).reshape(-1).view("<i8").astype(np.int64)


def pack_sums(sums: Array) -> Frame:
    """Return fp32 sums as the frame that a norm takes, or sends.

    Raises
    ------
    ValueError
        If they are not float32, or not a multiple of four.
    """
    if sums.dtype != np.float32 or sums.size % 4 or not sums.size:
        raise ValueError(f"a multiple of four float32 sums are needed, not {sums.size} of {sums.dtype}")
    return Frame(np.ascontiguousarray(sums, _FP32).reshape(-1).view(np.uint8).reshape(-1, BEAT_BYTES))


def unpack_sums(frame: Frame) -> Array:
    """Return the fp32 sums in the frame of a norm."""
    return unpack_numbers(frame.beats)


def pack_weights(weights: Array, momenta: Array) -> Frame:
    """Return fp32 weights and their momenta as the frame that an update takes, or sends.

    Raises
    ------
    ValueError
        If they are not float32, or not as many of both, or not a multiple of four.
    """
    if weights.dtype != np.float32 or momenta.dtype != np.float32 or weights.shape != momenta.shape:
        raise ValueError(
            f"float32 weights and as many momenta are needed, not {weights.dtype} of shape {weights.shape} "
            f"and {momenta.dtype} of shape {momenta.shape}"
        )
    if weights.size % 4 or not weights.size:
        raise ValueError(f"{weights.size} weights are not a multiple of four: pad them with zeros")
    beats = np.stack([weights.reshape(-1, 4), momenta.reshape(-1, 4)], axis=1)
    return Frame(np.ascontiguousarray(beats, _FP32).reshape(-1).view(np.uint8).reshape(-1, BEAT_BYTES))


def unpack_weights(frame: Frame) -> tuple[Array, Array]:
    """Return the fp32 weights and the momenta in the frame of an update."""
    beats = unpack_numbers(frame.beats).reshape(-1, 2, 4)
    return beats[:, 0].reshape(-1), beats[:, 1].reshape(-1)
