"""Piecewise polynomials: every piece is cut until a polynomial of the wanted degree fits each segment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hwgen.formats import FixedFormat
from hwgen.golden.activation_design import Segments
from hwgen.operators.approximation.fit import Fit, Piece, fit_polynomial, scale_segments
from hwgen.operators.approximation.points import Points

__all__ = ["addresses", "cut_piece", "piecewise_polynomial", "segment_arrays"]

Integers = npt.NDArray[np.int64]

_MOST_SHIFT = 8


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
    fitted: list[tuple[int, Piece]] = []
    for number in range(len(points.f)):
        candidates = range(points.bits + 1) if split is None else (split,)
        for k in candidates:
            piece = cut_piece(points, number, split=k, guard=guard)
            if piece.signs_agree.all() and fit_polynomial(piece, degree=degree).good.all():
                fitted.append((k, piece))
                break
        else:
            return None
    shift, fits = 0, [fit_polynomial(piece, degree=degree) for _, piece in fitted]
    while shift < _MOST_SHIFT and degree:
        coarser = [fit_polynomial(piece, degree=degree, slope_shift=shift + 1) for _, piece in fitted]
        if not all(fit.good.all() for fit in coarser):
            break
        shift, fits = shift + 1, coarser
    return _assembled(points, fitted, fits, degree=degree, shift=shift)


def cut_piece(points: Points, number: int, *, split: int, guard: int) -> Piece:
    """Return piece `number` cut into 2^split segments, for results with `guard` bits beyond precision."""
    y_fmt = points.design.y_fmt
    fixed = isinstance(y_fmt, FixedFormat)
    if isinstance(y_fmt, FixedFormat):
        lowest = -y_fmt.fraction - guard
        largest = float(np.max(np.where(points.wanted, points.f, 0.0)))
        limit = 2.0 ** (y_fmt.width - y_fmt.fraction)  # beyond saturates
        width = max(int(np.frexp(min(largest, limit))[1]) - lowest, guard) + 1
    else:
        width = y_fmt.precision + guard
        reduced = points.design.reduction != "none"  # then the final exponent is not known here
        lowest = -400 if reduced else y_fmt.emin - y_fmt.mantissa - guard
    return scale_segments(
        points.f[number],
        points.low[number],
        points.high[number],
        points.negative[number],
        points.wanted[number],
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


def segment_arrays(base: Integers, total: int, parts: Sequence[Integers]) -> Integers:
    """Return the pieces' values, one for each segment, laid out by address."""
    values = np.zeros(total, dtype=np.int64)
    for start, part in zip(base.tolist(), parts, strict=True):
        values[start : start + len(part)] = part
    return values


def _assembled(
    points: Points, fitted: list[tuple[int, Piece]], fits: list[Fit], *, degree: int, shift: int
) -> Segments:
    splits = [k for k, _ in fitted]
    base, total = addresses(splits)

    def laid_out(parts: Sequence[Integers]) -> Integers:
        return segment_arrays(base, total, parts)

    coefficients = [laid_out([fit.coefficients[power] for fit in fits]) for power in range(3)]
    used = degree
    while used and not coefficients[used].any():
        used -= 1
    return Segments(
        bits=points.bits,
        t_bits=points.bits - min(splits) if used else 0,
        base=base,
        split=np.array(splits, dtype=np.int64),
        exponent=laid_out([piece.exponent for _, piece in fitted]),
        negative=laid_out([piece.negative for _, piece in fitted]),
        c0=coefficients[0],
        c1=coefficients[1] if used >= 1 else None,
        c2=coefficients[2] if used >= 2 else None,
        rows=None,
        shared=0,
        slope_shift=shift if used else 0,
        width=fitted[0][1].width,
    )
