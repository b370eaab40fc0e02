"""The arithmetic of requantisation, of fp32 numbers and of results: what the fetch and the store stage share.

Rules and rounding are `hwgen.golden.quantize`'s, as for any tensor with a shared exponent. A core's exponents
may be longer than those of a block format, but these are long enough: the numbers here are fp32, or integers
of 64 bits. The exponents that they need lie far inside `_SCALE_BITS` bits; a given exponent below these makes
everything but zero saturate, as the lowest does, and one above makes everything a speck that is not zero, as
the highest does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hwgen.formats import BlockFormat, FixedFormat, FloatFormat, Rounding, parse_format
from hwgen.golden.quantize import quantize_elements, shared_scale
from hwgen.trainer.generators import RandomWords
from hwgen.trainer.spec import TrainerSpec

__all__ = ["Elements", "Quantizer", "as_float64"]

Array = npt.NDArray[Any]

_SCALE_BITS = 10
_FLOATS: dict[int, Any] = {bits: parse_format(f"fp{bits}") for bits in (32, 64)}
_EXACT = 53
"""Bits of integers that float64 holds."""
_DROPPED = 11
"""Bits of longer ones, of 64, that it does not."""


class Elements(NamedTuple):
    """Rounded elements, and how many of them saturated."""

    elements: npt.NDArray[np.int16]
    saturated: int


class Quantizer:
    """The quantiser of one stage.

    Parameters
    ----------
    spec : TrainerSpec
        Says how to round, and in how many bits exponents are kept.
    words : RandomWords or None
        The stage's generator, if rounding is stochastic.

    Attributes
    ----------
    kept : int
        Exponent measured last; 0 after reset.
    """

    def __init__(self, spec: TrainerSpec, words: RandomWords | None) -> None:
        self._spec = spec
        self._rounding = Rounding(spec.rounding.mode, spec.rounding.bits)
        self._words = words
        self.kept = 0

    def draw(self, count: int) -> Array | None:
        """Return the next random words of `count` elements; None if rounding needs none."""
        return None if self._words is None else self._words.take(count)

    def measure(self, x: Array, width: int) -> int:
        """Return, and keep, what `asked_for` returns."""
        self.kept = self.asked_for(x, width)
        return self.kept

    def asked_for(self, x: Array, width: int) -> int:
        """Return the least exponent under which finite floats fit `width` bits.

        Parameters
        ----------
        x : ndarray of float32 or float64
            The tensor.
        width : int
            Bits of an element.
        """
        last = np.ones(1, np.uint8)
        codes = _codes(x).reshape(1, -1)
        scale = shared_scale(codes, last, x_fmt=_format(x), block_fmt=_block(width)).scales
        exponent = int(FixedFormat(_SCALE_BITS, 0).integers(scale)[0])
        least, most = self._spec.exponents
        return min(max(exponent, least), most)

    def quantize(self, x: Array, width: int, exponent: int, words: Array | None) -> Elements:
        """Return finite floats (as `measure`'s) * 2^-exponent as elements of `width` bits."""
        scale = min(max(exponent, -(1 << _SCALE_BITS - 1)), (1 << _SCALE_BITS - 1) - 1)
        codes, overflow = quantize_elements(
            _codes(x).reshape(-1),
            scale & (1 << _SCALE_BITS) - 1,
            x_fmt=_format(x),
            block_fmt=_block(width),
            rounding=self._rounding,
            rand=words,
        )
        elements = FixedFormat(width, 0).integers(codes).astype(np.int16)
        return Elements(elements.reshape(x.shape), int(overflow.sum()))


def as_float64(integers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return integers as numbers that quantise as they do.

    Below 2^53 they are the same. Above, the last bits are replaced by one that says whether any was set,
    which changes no comparison with a multiple of 2^12. Integers so large saturate unless the exponent is
    above 53 - 17; what decides about them is then a multiple of 2^(37 - r) with r <= 24, or in a measurement,
    of 2^36.
    """
    magnitude = np.abs(integers).view(np.uint64)  # 2^63 is its own negative, and right without sign
    large = magnitude >> np.uint64(_EXACT) != 0
    if large.any():
        kept = magnitude >> np.uint64(_DROPPED)
        lost = kept << np.uint64(_DROPPED) != magnitude
        magnitude = np.where(large, (kept | lost) << np.uint64(_DROPPED), magnitude)
    return np.copysign(magnitude.astype(np.float64), integers)


def _codes(x: Array) -> Array:
    return np.ascontiguousarray(x).view(f"u{x.dtype.itemsize}")


def _format(x: Array) -> FloatFormat:
    fmt: FloatFormat = _FLOATS[8 * x.dtype.itemsize]
    return fmt


@lru_cache(maxsize=32)
def _block(width: int) -> BlockFormat:
    return BlockFormat(FixedFormat(width, 0), "tensor", _SCALE_BITS)
