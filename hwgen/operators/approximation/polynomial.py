"""Piecewise polynomials: every piece is cut until a polynomial of the wanted degree fits each segment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hwgen.formats import FixedFormat
from hwgen.golden.activation_design import Segments
from hwgen.operators.approximation.fit import Fit, Pieces, fit_polynomial, may_fit, scale_segments
from hwgen.operators.approximation.points import Points

__all__ = ["addresses", "cut_pieces", "piecewise_polynomial", "segment_array"]

Integers = npt.NDArray[np.int64]

_MOST_SHIFT = 8


@dataclass(frozen=True, eq=False)
class _Group:
    """The pieces `numbers`, which take the same number of segments: 2^split each; and how they fit."""

    split: int
    numbers: Integers
    pieces: Pieces
    fit: Fit


def piecewise_polynomial(
    points: Points, *, degree: int, guard: int, split: int | None = None
) -> Segments | None:
    """Return the tables of a piecewise polynomial, or None if there is none with these parameters.

    Parameters
    ----------
    points : Points
        What to meet.
    degree : int
        1 or 2 (0: a table of S, one entry a place).
    guard : int
        Bits of S beyond the result's precision.
    split : int, optional
        log2 of the number of segments of every piece; default for each piece the fewest that do.
    """
    if split is not None and split > points.bits:
        return None
    waiting = np.arange(len(points.f))
    groups: list[_Group] = []
    for k in range(points.bits + 1) if split is None else (split,):
        pieces = cut_pieces(points, waiting, split=k, guard=guard)
        fit = fit_polynomial(pieces, degree=degree, together=1 << k)
        good = fit.good.reshape(len(waiting), -1).all(axis=1)
        if good.any():
            chosen = waiting[good]
            if not good.all():
                pieces = cut_pieces(points, chosen, split=k, guard=guard)
                fit = fit_polynomial(pieces, degree=degree)
            groups.append(_Group(k, chosen, pieces, fit))
        waiting = waiting[~good]
        if not len(waiting):
            break
    else:
        return None
    shift, fits = _coarsest_slopes(groups, degree)
    return _assembled(points, groups, fits, degree=degree, shift=shift)


def _coarsest_slopes(groups: list[_Group], degree: int) -> tuple[int, list[Fit]]:
    """Return the largest slope shift that fits all segments, and the fits: the shortest coefficients."""
    shift = 0
    while (
        degree
        and shift < _MOST_SHIFT
        and all(may_fit(group.pieces, degree=degree, slope_shift=shift + 1) for group in groups)
    ):
        shift += 1
    for coarse in range(shift, 0, -1):
        fits = [
            fit_polynomial(group.pieces, degree=degree, slope_shift=coarse, together=group.pieces.segments)
            for group in groups
        ]
        if all(fit.good.all() for fit in fits):
            return coarse, fits
    return 0, [group.fit for group in groups]


def cut_pieces(points: Points, numbers: Integers, *, split: int, guard: int) -> Pieces:
    """Return some pieces, each cut into 2^split segments, for results with `guard` bits beyond precision."""
    y_fmt = points.design.y_fmt
    fixed = isinstance(y_fmt, FixedFormat)
    if isinstance(y_fmt, FixedFormat):
        lowest = -y_fmt.fraction - guard
        limit = 2.0 ** (y_fmt.width - y_fmt.fraction)  # beyond saturates
        width = max(int(np.frexp(min(points.largest, limit))[1]) - lowest, guard) + 1
    else:
        width = y_fmt.precision + guard
        reduced = points.design.reduction != "none"  # then the final exponent is not known here
        lowest = -400 if reduced else y_fmt.emin - y_fmt.mantissa - guard
    # All pieces (often there is one) need no copy.
    chosen = slice(None) if len(numbers) == len(points.f) else numbers
    return scale_segments(
        points.f[chosen],
        points.low[chosen],
        points.high[chosen],
        points.negative[chosen],
        points.wanted[chosen],
        split=split,
        width=width,
        lowest=lowest,
        fixed=fixed,
    )


def addresses(splits: Sequence[int]) -> tuple[Integers, int]:
    """Return the address of each piece's first segment, a multiple of their number, and the total.

    Larger pieces come first, so that no address is wasted and an address is a base OR an index.
    """
    base = np.zeros(len(splits), dtype=np.int64)
    total = 0
    for number in sorted(range(len(splits)), key=lambda n: -splits[n]):
        base[number] = total
        total += 1 << splits[number]
    return base, total


def segment_array(base: Integers, total: int, parts: Iterable[tuple[Integers, Integers]]) -> Integers:
    """Return values of segments, laid out by address.

    Each part is the numbers of pieces of one length and, one piece after the other, their segments' values.
    """
    values = np.zeros(total, dtype=np.int64)
    for numbers, part in parts:
        rows = part.reshape(len(numbers), -1)
        values[base[numbers][:, None] + np.arange(rows.shape[1])] = rows
    return values


def _assembled(points: Points, groups: list[_Group], fits: list[Fit], *, degree: int, shift: int) -> Segments:
    splits = np.zeros(len(points.f), dtype=np.int64)
    for group in groups:
        splits[group.numbers] = group.split
    base, total = addresses(splits.tolist())

    def laid_out(parts: Iterable[Integers]) -> Integers:
        return segment_array(base, total, zip([group.numbers for group in groups], parts, strict=True))

    coefficients = [laid_out(fit.coefficients[power] for fit in fits) for power in range(3)]
    used = degree
    while used and not coefficients[used].any():
        used -= 1
    return Segments(
        bits=points.bits,
        t_bits=points.bits - int(splits.min()) if used else 0,
        base=base,
        split=splits,
        exponent=laid_out(group.pieces.exponent for group in groups),
        negative=laid_out(group.pieces.negative for group in groups),
        c0=coefficients[0],
        c1=coefficients[1] if used >= 1 else None,
        c2=coefficients[2] if used >= 2 else None,
        rows=None,
        shared=0,
        slope_shift=shift if used else 0,
        width=groups[0].pieces.width,
    )
