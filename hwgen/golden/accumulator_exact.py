"""The plain model of sums over frames: one term at a time, exact numbers, every rounding where it is defined.

A stream is cut into *frames* by the control word of each term (bit 0 `clear`, bit 1 `last`). Everything here
is meant to be checked by reading; `hwgen.golden.accumulator` has the fast ways, tested against this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy.typing as npt

from hwgen.formats import Overflow, Rounding, RoundingMode
from hwgen.formats.exact import Exact
from hwgen.golden.exact import Scalar, exact_sum

__all__ = [
    "CLEAR",
    "LAST",
    "Frame",
    "Rounder",
    "chunked_sum",
    "combine_rounding",
    "frames_of",
    "interleaved_sum",
    "long_sum",
    "scaled",
]

CLEAR = 1
"""Bit of the control word: the sum starts anew with this term; what was accumulated is dropped."""

LAST = 2
"""Bit of the control word: the sum is released after this term, and the next term starts a new frame."""


class Frame(NamedTuple):
    """The terms start..stop-1 of a stream, whose sum is released with the last of them."""

    start: int
    stop: int


def frames_of(ctrl: npt.NDArray[Any]) -> list[Frame]:
    """Return the frames whose sum is released, in order.

    Parameters
    ----------
    ctrl : ndarray of int, shape (T,)
        Control words. A frame that a `clear` cuts off, or that the stream ends in, releases nothing.
    """
    frames, start = [], 0
    for index, word in enumerate(ctrl.tolist()):
        if word & CLEAR:
            start = index
        if word & LAST:
            frames.append(Frame(start, index + 1))
            start = index + 1
    return frames


def combine_rounding(rounding: Rounding) -> Rounding:
    """Return how the sums of interleaved partial sums are rounded: `rne` under `sr`, else as every step.

    One random word serves one rounding, that of the step.
    """
    return Rounding(RoundingMode.RNE) if rounding.mode is RoundingMode.SR else rounding


@dataclass(frozen=True)
class Rounder:
    """Rounds exact numbers into `fmt` and gives back what the pattern means."""

    fmt: Scalar
    rounding: Rounding
    overflow: Overflow

    def __call__(self, value: Exact, word: int = 0) -> Exact:
        """Return `value` rounded with random word `word`."""
        return self.fmt.unpack(self.code(value, word))

    def code(self, value: Exact, word: int = 0) -> int:
        """Return the pattern of `value` rounded with random word `word`."""
        return self.fmt.pack(value, rounding=self.rounding, overflow=self.overflow, word=word)

    def sum(self, terms: Sequence[Exact], words: Sequence[int]) -> Exact:
        """Return the sum of at least one term from left to right, rounded after each, the first one too."""
        total = self(terms[0], words[0])
        for term, word in zip(terms[1:], words[1:], strict=True):
            total = self(exact_sum(term, total, self.rounding), word)
        return total


def interleaved_sum(terms: Sequence[Exact], words: Sequence[int], rounder: Rounder, interleave: int) -> int:
    """Return the pattern of the sum of one frame in `interleave` partial sums.

    Term i goes to partial sum i modulo `interleave`. The partial sums are then added in the order in which
    they got their last term, the oldest first, as a tree of neighbours: (0 + 1), (2 + 3), ...; one left over
    goes up a level as it is. If there are fewer terms than partial sums, the tree has the positions of the
    missing, oldest, ones all the same; a missing operand leaves the other as it is.
    """
    count = len(terms)
    row: list[Exact | None] = []
    for newest in range(count - interleave, count):
        lane = range(newest % interleave, newest + 1, interleave)
        started = newest >= 0
        row.append(rounder.sum([terms[i] for i in lane], [words[i] for i in lane]) if started else None)
    combine = Rounder(rounder.fmt, combine_rounding(rounder.rounding), rounder.overflow)
    while len(row) > 1:
        pairs = [(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        left_over = row[-1:] if len(row) % 2 else []
        row = [
            b if a is None or b is None else combine(exact_sum(a, b, combine.rounding)) for a, b in pairs
        ] + left_over
    (total,) = row
    assert total is not None  # noqa: S101  (a frame has a last term, and it is in the tree)
    return combine.code(total)


def chunked_sum(
    terms: Sequence[Exact],
    words: Sequence[tuple[int, int]],
    inner: Rounder,
    outer: Rounder,
    chunk: int,
) -> int:
    """Return the pattern of the sum of one frame in chunks of `chunk` terms; the last may be shorter.

    The sum of each chunk is rounded by `inner` at each step, with the first random word of each term; the sum
    of the chunks by `outer`, with the second word of the term that ends the chunk. After N. Wang et al.,
    "Training deep neural networks with 8-bit floating point numbers", NeurIPS 2018.
    """
    sums, outer_words = [], []
    for start in range(0, len(terms), chunk):
        part = slice(start, start + chunk)
        sums.append(inner.sum(terms[part], [word for word, _ in words[part]]))
        outer_words.append(words[part][-1][1])
    total = outer.sum(sums, outer_words)
    return outer.code(total)


def long_sum(terms: Sequence[Exact], word: int, rounder: Rounder, *, msb: int, lsb: int) -> tuple[int, bool]:
    """Return the pattern of the exact sum of one frame, and whether the fixed-point register overflowed.

    Parameters
    ----------
    terms : sequence of Exact
        At least one.
    word : int
        The random word of the one rounding.
    rounder : Rounder
        That rounding.
    msb, lsb : int
        The register is a two's complement number with places of weight -2^msb, 2^(msb-1), ..., 2^lsb.

    Notes
    -----
    Of a term's magnitude the bits below 2^lsb are cut off. The register wraps; the flag is set if any of the
    running sums was out of its range. NaN and infinities are kept beside the register, and any NaN, or
    infinities of both signs, give NaN. After U. Kulisch, "Computer Arithmetic and Validity", 2nd ed., 2013.
    """
    register, overflow = 0, False
    half = 1 << (msb - lsb)
    special: Exact | None = None
    for term in terms:
        if term.special:
            special = term if special is None else exact_sum(special, term, rounder.rounding)
            continue
        register += scaled(term, lsb)
        overflow |= not -half <= register < half
    if special is not None:
        return rounder.code(special, word), overflow
    register = (register + half) % (2 * half) - half
    if register:
        return rounder.code(Exact.dyadic(register < 0, abs(register), lsb), word), overflow
    return rounder.code(Exact(_zero_is_negative(terms, rounder.rounding), 0), word), overflow


def scaled(term: Exact, lsb: int) -> int:
    """Return a finite term as an integer times 2^lsb, the bits of its magnitude below that cut off."""
    magnitude = term.numerator * (1 << max(-lsb, 0)) // (term.denominator << max(lsb, 0))
    return -magnitude if term.negative else magnitude


def _zero_is_negative(terms: Sequence[Exact], rounding: Rounding) -> bool:
    """Return the sign of a sum that is zero: IEEE's, left to right, of zeros; else that of a cancellation."""
    if not all(term.is_zero for term in terms):
        return rounding.mode is RoundingMode.RDN
    total = terms[0]
    for term in terms[1:]:
        total = exact_sum(total, term, rounding)
    return total.negative
