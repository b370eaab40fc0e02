"""The on-unit random generator, to the bit: a Fibonacci linear-feedback shift register, shifting right.

State s has w bits and is never zero. One shift is s -> (s >> 1) | (parity(s & taps) << (w - 1)). A result
takes the word s & (2^r - 1), then s advances by exactly r shifts, so that words are disjoint runs of the
m-sequence.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hwgen.formats.checks import check_integer
from hwgen.golden.polynomials import MAX_WIDTH, MIN_WIDTH, check_maximal, default_taps

__all__ = ["DEFAULT_SEED", "MARGIN", "Lfsr", "default_width"]

DEFAULT_SEED = 0xACE1
MARGIN = 8
"""Least excess of the register's width over its words'.

The absent zero state makes the all-zero word rarer than 2^-r, by a factor of no less than 1 - 2^-8.
"""

_LANE = 64


def default_width(bits: int) -> int:
    """Return the register width used for words of `bits` bits where none is given."""
    return max(32, bits + MARGIN)


class Lfsr:
    """A maximal-length shift register.

    Parameters
    ----------
    width : int
        Bits of the state, 9..80.
    taps : int, optional
        Tap mask: bit i set if state bit i enters the feedback, that is, x^i is in the feedback polynomial
        beside x^width. Default: XAPP052's polynomial.
    seed : int, optional
        First state, 1..2^width - 1; default 0xACE1 (its low bits, for registers narrower than 16).

    Attributes
    ----------
    state : int
        Current state.

    Raises
    ------
    InputError
        If the width is out of range, the taps do not give the full period, or the seed is zero or too wide.
    """

    def __init__(self, width: int, taps: int | None = None, seed: int | None = None) -> None:
        self.width = check_integer("LFSR width", width, MIN_WIDTH, MAX_WIDTH)
        self.taps = default_taps(width) if taps is None else taps
        check_integer("LFSR taps", self.taps, 1, (1 << width) - 1)
        check_maximal(width, self.taps)
        self.state = DEFAULT_SEED & ((1 << width) - 1) if seed is None else seed
        check_integer("LFSR seed", self.state, 1, (1 << width) - 1)

    def __repr__(self) -> str:
        return f"Lfsr({self.width}, {self.taps:#x}, {self.state:#x})"

    def shift(self, count: int) -> None:
        """Advance the state by `count` shifts, one at a time: the definition."""
        for _ in range(count):
            feedback = (self.state & self.taps).bit_count() & 1
            self.state = (self.state >> 1) | (feedback << (self.width - 1))

    def words(self, n: int, bits: int) -> npt.NDArray[np.uint64]:
        """Return the next `n` words of `bits` bits and advance the state past them.

        Parameters
        ----------
        n : int
            Number of words.
        bits : int
            Bits r of a word, 1..width - 8 (at most 64).

        Returns
        -------
        ndarray of uint64
            Words in the order of the results that take them.

        Notes
        -----
        The bits that leave the register obey b[t + w] = xor of b[t + i] over the taps i. Squaring a
        polynomial over GF(2) only spreads its exponents, P(x)^q = P(x^q) for q a power of two, so b[t +
        q*w] = xor of b[t + q*i] holds as well. With q a multiple of 64 this is a recurrence on packed
        64-bit lanes, and ever longer slices of them are computed at once.
        """
        check_integer("LFSR word length", bits, 1, min(self.width - MARGIN, _LANE))
        check_integer("number of words", n, 0, 1 << 40)
        lanes = self._lanes(n * bits + self.width)
        first = np.arange(n, dtype=np.uint64) * np.uint64(bits)
        words = _extract(lanes, first) & np.uint64((1 << bits) - 1)
        end = n * bits
        low, high = _extract(lanes, np.array([end, end + _LANE], dtype=np.uint64))
        self.state = (int(high) << _LANE | int(low)) & ((1 << self.width) - 1)
        return words

    def _lanes(self, length: int) -> npt.NDArray[np.uint64]:
        """Return at least `length` + 128 bits of the sequence from the current state on, 64 to a lane."""
        w = self.width
        total = length // _LANE + 3
        lanes = np.empty(max(total, w), dtype=np.uint64)
        lanes[:w] = self._first_lanes()
        offsets = [i for i in range(w) if self.taps >> i & 1]
        known = w
        while known < total:
            q = 1 << ((known // w).bit_length() - 1)
            start = known - q * w
            # The newest term of the recurrence reaches back q * (w - max tap); no further can be computed.
            size = min(q * (w - offsets[-1]), total - known)
            fresh = lanes[known : known + size]
            fresh[:] = 0
            for i in offsets:
                fresh ^= lanes[start + q * i : start + q * i + size]
            known += size
        return lanes

    def _first_lanes(self) -> npt.NDArray[np.uint64]:
        """Return the first 64 * width bits, computed bit by bit."""
        twin = Lfsr.__new__(Lfsr)
        twin.width, twin.taps, twin.state = self.width, self.taps, self.state
        sequence = 0
        for t in range(_LANE * self.width):
            sequence |= (twin.state & 1) << t
            twin.shift(1)
        return np.frombuffer(sequence.to_bytes(8 * self.width, "little"), dtype="<u8").astype(np.uint64)


def _extract(lanes: npt.NDArray[np.uint64], first: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return the 64 bits that start at bit position `first` of the packed sequence."""
    index = (first >> np.uint64(6)).astype(np.int64)
    shift = first & np.uint64(63)
    low: npt.NDArray[np.uint64] = lanes[index] >> shift
    # Two shifts, since shifting by 64 at once is undefined.
    high = (lanes[index + 1] << np.uint64(1)) << (np.uint64(63) - shift)
    return np.bitwise_or(low, high)
