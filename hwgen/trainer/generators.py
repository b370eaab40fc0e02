"""The two random generators of a core: one in the fetch stage, one in the store stage.

Both are the register that the spec describes. That of the store stage starts where the other one arrives
after 2^16 words, so their sequences are far apart, and it needs no seed of its own.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from hwgen.golden import Lfsr

__all__ = ["Generators", "RandomWords"]

_APART = 1 << 16
_BLOCK = 1 << 14


class Generators(NamedTuple):
    """What the generators are made from.

    Attributes
    ----------
    width, taps : int
        Bits of the state, and the tap mask: bit i is set if state bit i enters the feedback.
    fetch_seed, store_seed : int
        State after reset.
    bits : int
        Bits r of a random word.
    """

    width: int
    taps: int
    fetch_seed: int
    store_seed: int
    bits: int

    @classmethod
    def of(cls, width: int, taps: int, seed: int, bits: int) -> Self:
        """Return the generators of which the fetch stage's has this seed."""
        register = Lfsr(width, taps, seed)
        register.words(_APART, bits)
        return cls(width, taps, seed, register.state, bits)


class RandomWords:
    """The words of one generator in order; made in blocks, since a few cost as much as many."""

    def __init__(self, generators: Generators, seed: int) -> None:
        self._register = Lfsr(generators.width, generators.taps, seed)
        self._bits = generators.bits
        self._made: npt.NDArray[Any] = np.zeros(0, np.uint64)

    def take(self, count: int) -> npt.NDArray[Any]:
        """Return the next `count` words."""
        missing = count - len(self._made)
        if missing > 0:
            fresh = self._register.words(max(missing, _BLOCK), self._bits)
            self._made = np.concatenate([self._made, fresh])
        words, self._made = self._made[:count], self._made[count:]
        return words
