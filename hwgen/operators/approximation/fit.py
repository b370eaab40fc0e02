"""Fitting pieces: equal segments, a polynomial with integer coefficients in each, checked at every place.

The fit aims at the function; what decides is whether some integer c0 puts all of the segment's results, with
every truncation of the hardware, inside their intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Fit", "Pieces", "fit_polynomial", "may_fit", "scale_segments"]

Values = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Where a line, and a parabola, is best put through a smooth function on [0, 1]: the zeros of the Chebyshev
# polynomials T2 and T3, whose interpolants are within a few per cent of the minimax ones.
_LINE = (0.146, 0.854)
_PARABOLA = (0.067, 0.5, 0.933)

# Places of a segment that are looked at before all are, and how many are few enough to look at all at once.
_SAMPLE, _FEW = 64, 16


@dataclass(frozen=True, eq=False)
class Pieces:
    """The goals of one or several pieces, cut into equal segments: arrays of shape (segments, places).

    `raw` is f, low and high. The methods return them in units of 2^exponent of the segment, the weight of the
    last bit of S; they scale what they are asked for, as most cuts are given up after a look at a few places.
    """

    raw: tuple[Values, Values, Values]
    used: npt.NDArray[np.bool_]
    exponent: Integers
    negative: Integers
    signs_agree: npt.NDArray[np.bool_]
    width: int

    @property
    def segments(self) -> int:
        """Number of segments."""
        return len(self.exponent)

    @property
    def places(self) -> int:
        """Places of a segment."""
        return int(self.raw[0].shape[1])

    def scaled_f(self, columns: slice | list[int] = slice(None)) -> Values:
        """Return f at some places; 0 in segments where no operand comes."""
        return self.raw[0][:, columns] * np.where(self.used, self._scale, 0.0)[:, None]

    def intervals(self, columns: slice = slice(None)) -> tuple[Values, Values]:
        """Return the ends, low and high, of the open intervals at some places."""
        scale = self._scale[:, None]
        low, high = self.raw[1][:, columns] * scale, self.raw[2][:, columns] * scale
        return np.maximum(low, -1.0, out=low), np.minimum(high, float(1 << self.width), out=high)

    @property
    def _scale(self) -> Values:
        return np.ldexp(1.0, -self.exponent)


@dataclass(frozen=True, eq=False)
class Fit:
    """Integer coefficients of all segments, highest degree last; and which segments are good."""

    coefficients: tuple[Integers, ...]
    good: npt.NDArray[np.bool_]


def scale_segments(
    f: Values,
    low: Values,
    high: Values,
    negative: npt.NDArray[np.bool_],
    wanted: npt.NDArray[np.bool_],
    *,
    split: int,
    width: int,
    lowest: int,
    fixed: bool,
) -> Pieces:
    """Cut each piece into 2^split segments and choose the weight of S's last bit in each.

    Parameters
    ----------
    f, low, high, negative, wanted : ndarray, shape (pieces, places)
        As in `hwgen.operators.approximation.points.Points`.
    split, width : int
        log2 of the number of segments; bits of S.
    lowest : int
        Least exponent: below the last place of subnormal results more bits would not help.
    fixed : bool
        Whether all segments have exponent `lowest`.
    """
    shape = (len(f) << split, f.shape[1] >> split)
    f, low, high = f.reshape(shape), low.reshape(shape), high.reshape(shape)
    negative, wanted = negative.reshape(shape), wanted.reshape(shape)
    exponent = np.full(shape[0], lowest, dtype=np.int64)
    if not fixed:
        largest = np.max(f, axis=1, initial=0.0, where=wanted)
        top = np.frexp(largest)[1].astype(np.int64)  # largest < 2^top
        exponent = np.where(largest > 0, np.maximum(top - width, lowest), lowest)
    minus, plus = np.any(negative & wanted, axis=1), np.any(~negative & wanted, axis=1)
    return Pieces(
        raw=(f, low, high),
        used=minus | plus,
        exponent=exponent,
        negative=minus.astype(np.int64),
        signs_agree=~(minus & plus),
        width=width,
    )


def fit_polynomial(pieces: Pieces, *, degree: int, slope_shift: int = 0, together: int = 1) -> Fit:
    """Return polynomials of at most `degree` (0, 1 or 2) for all segments.

    Coefficients c1 and c2 are in units of 2^slope_shift; see
    `hwgen.golden.activation_design.Segments` for the arithmetic. Of every `together` neighbouring segments
    (at most all) none is good unless all are: once one fails, the others need not be looked at.
    """
    c1, c2 = _slopes(pieces, min(degree, pieces.places - 1), slope_shift)
    for step in (_step(pieces.places), 1) if pieces.places > _FEW else (1,):
        moved, least, most = _constants(pieces, c1, c2, slope_shift, step)
        good = (least <= most) & pieces.signs_agree
        if not good.reshape(-1, together).all(axis=1).any():
            return Fit((np.zeros_like(c1), c1, c2), good)
    # Of the constants the one that is nearest to the function in its worst places.
    difference = pieces.scaled_f() - moved
    middle = np.rint((difference.max(axis=1) + difference.min(axis=1)) / 2)
    c0 = np.where(good, np.clip(middle, least, np.maximum(least, most)), 0).astype(np.int64)
    return Fit((c0, c1, c2), good)


def may_fit(pieces: Pieces, *, degree: int, slope_shift: int) -> bool:
    """Return whether all segments look good at the few places that `fit_polynomial` starts with."""
    c1, c2 = _slopes(pieces, min(degree, pieces.places - 1), slope_shift)
    _, least, most = _constants(pieces, c1, c2, slope_shift, _step(pieces.places))
    return bool(np.all(least <= most))


def _step(places: int) -> int:
    """Return the distance of the places that are looked at first."""
    # An odd one, for operands may come to every second or fourth place only.
    return max(places // _SAMPLE, 4) | 1


def _slopes(pieces: Pieces, degree: int, slope_shift: int) -> tuple[Integers, Integers]:
    """Return c1 and c2, by interpolation; no more than the degree, which has to be less than the places."""
    zeros = np.zeros(pieces.segments, dtype=np.int64)
    last, unit = pieces.places - 1, float(1 << slope_shift)
    bits = pieces.places.bit_length() - 1
    c1, c2 = zeros, zeros
    if degree == 2:
        i, j, k = (round(node * last) for node in _PARABOLA)
        if i < j < k:
            f = pieces.scaled_f([i, j, k])
            first = (f[:, 1] - f[:, 0]) / (j - i)
            second = (f[:, 2] - f[:, 1]) / (k - j)
            c2 = np.rint((second - first) / (k - i) * pieces.places * pieces.places / unit).astype(np.int64)
    if degree >= 1:
        i, j = (round(node * last) for node in _LINE)
        if i == j:
            i, j = 0, last
        nodes = np.array([i, j])
        rest = pieces.scaled_f([i, j]) - ((((c2[:, None] * nodes) >> bits) * nodes << slope_shift) >> bits)
        c1 = np.rint((rest[:, 1] - rest[:, 0]) / (j - i) * pieces.places / unit).astype(np.int64)
    return c1, c2


def _constants(
    pieces: Pieces, c1: Integers, c2: Integers, slope_shift: int, step: int
) -> tuple[Integers, Values, Values]:
    """Return what the slopes add at every `step`-th place, and the least and greatest c0 that do there."""
    columns = slice(None, None, step)
    bits = pieces.places.bit_length() - 1
    t = np.arange(pieces.places, dtype=np.int64)[columns]
    slope = c1[:, None] + ((c2[:, None] * t) >> bits) if c2.any() else c1[:, None]
    moved = (slope * t << slope_shift) >> bits
    low, high = pieces.intervals(columns)
    low -= moved
    high -= moved
    # c0 itself is an unsigned number of the width of S, so it has to be one also where no operand comes.
    least = np.maximum(np.floor(np.max(low, axis=1)) + 1, 0)
    most = np.minimum(np.ceil(np.min(high, axis=1)), float(1 << pieces.width)) - 1
    return moved, least, most
