"""Fitting pieces: equal segments, a polynomial with integer coefficients in each, checked at every place.

The fit aims at the function; what decides is whether some integer c0 puts all of the segment's results, with
every truncation of the hardware, inside their intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Fit", "Pieces", "fit_polynomial", "scale_segments"]

Values = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Where a line, and a parabola, is best put through a smooth function on [0, 1]: the zeros of the Chebyshev
# polynomials T2 and T3, whose interpolants are within a few per cent of the minimax ones.
_LINE = (0.146, 0.854)
_PARABOLA = (0.067, 0.5, 0.933)


@dataclass(frozen=True, eq=False)
class Pieces:
    """The goals of one or several pieces, cut into equal segments: arrays of shape (segments, places).

    `f`, `low` and `high` are in units of 2^exponent of the segment, the weight of the last bit of S.
    """

    f: Values
    low: Values
    high: Values
    exponent: Integers
    negative: Integers
    signs_agree: npt.NDArray[np.bool_]
    width: int

    @property
    def segments(self) -> int:
        """Number of segments."""
        return len(self.f)


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
    f = np.where(np.any(wanted, axis=1, keepdims=True), f, 0.0)
    largest = np.max(np.where(wanted, f, 0.0), axis=1)
    largest = np.where(largest > 0, largest, 0.0)
    exponent = np.full(shape[0], lowest, dtype=np.int64)
    if not fixed:
        top = np.frexp(largest)[1].astype(np.int64)  # largest < 2^top
        exponent = np.where(largest > 0, np.maximum(top - width, lowest), lowest)
    scale = np.ldexp(1.0, -exponent)[:, None]
    minus, plus = np.any(negative & wanted, axis=1), np.any(~negative & wanted, axis=1)
    return Pieces(
        f=f * scale,
        low=np.maximum(low * scale, -1.0),
        high=np.minimum(high * scale, float(1 << width)),
        exponent=exponent,
        negative=minus.astype(np.int64),
        signs_agree=~(minus & plus),
        width=width,
    )


def fit_polynomial(pieces: Pieces, *, degree: int, slope_shift: int = 0) -> Fit:
    """Return polynomials of at most `degree` (0, 1 or 2) for all segments.

    Coefficients c1 and c2 are in units of 2^slope_shift; see
    `hwgen.golden.activation_design.Segments` for the arithmetic.
    """
    segments, places = pieces.f.shape
    zeros = np.zeros(segments, dtype=np.int64)
    t = np.arange(places, dtype=np.int64)
    bits, unit = places.bit_length() - 1, float(1 << slope_shift)
    degree = min(degree, places - 1)
    c1, c2 = zeros, zeros
    rest = pieces.f
    if degree == 2:
        i, j, k = (round(node * (places - 1)) for node in _PARABOLA)
        if i < j < k:
            first = (rest[:, j] - rest[:, i]) / (j - i)
            second = (rest[:, k] - rest[:, j]) / (k - j)
            c2 = np.rint((second - first) / (k - i) * places * places / unit).astype(np.int64)
    curve = (c2[:, None] * t) >> bits
    rest = rest - ((curve * t << slope_shift) >> bits)
    if degree >= 1:
        i, j = (round(node * (places - 1)) for node in _LINE)
        if i == j:
            i, j = 0, places - 1
        c1 = np.rint((rest[:, j] - rest[:, i]) / (j - i) * places / unit).astype(np.int64)
    moved = ((c1[:, None] + curve) * t << slope_shift) >> bits
    c0, good = _constant(pieces, moved)
    return Fit((c0, c1, c2), good & pieces.signs_agree)


def _constant(pieces: Pieces, moved: Integers) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Return the integers c0 for which c0 + moved is in the intervals, and where there are such."""
    # c0 itself is an unsigned number of the width of S, so it has to be one also where no operand comes.
    least = np.maximum(np.floor(np.max(pieces.low - moved, axis=1)) + 1, 0)
    most = np.minimum(np.ceil(np.min(pieces.high - moved, axis=1)), float(1 << pieces.width)) - 1
    # Of those the one that is nearest to the function in its worst places.
    difference = pieces.f - moved
    middle = np.rint((difference.max(axis=1) + difference.min(axis=1)) / 2)
    good = least <= most
    return np.where(good, np.clip(middle, least, np.maximum(least, most)), 0).astype(np.int64), good
