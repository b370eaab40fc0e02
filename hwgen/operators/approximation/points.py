"""What an approximation has to meet: for each place in each piece of the reduced domain, an interval.

The interval holds the magnitudes that round to a faithful result for every operand that the reduction takes
to that place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hwgen.formats import FixedFormat
from hwgen.golden.activation import Targets
from hwgen.golden.activation_design import Design, reduce_operands

__all__ = ["Points", "place_points", "table_half_codes"]

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Points:
    """Goals for the magnitude of the reduced function; arrays of shape (pieces, 2^bits).

    Attributes
    ----------
    design : Design
        The skeleton that they belong to: ends, origins and reduction; its table is still empty.
    bits : int
        Bits of a place in a piece.
    f : ndarray of float64
        Magnitude of the reduced function, for fitting; finite everywhere.
    low, high : ndarray of float64
        The open interval; (-1, inf) where no operand comes.
    negative : ndarray of bool
        Sign of the result; relative to the operand's where the design makes use of odd symmetry.
    wanted : ndarray of bool
        Whether any operand comes there.
    """

    design: Design
    bits: int
    f: Values
    low: Values
    high: Values
    negative: npt.NDArray[np.bool_]
    wanted: npt.NDArray[np.bool_]

    @cached_property
    def largest(self) -> float:
        """The largest magnitude that is wanted."""
        return float(np.max(np.where(self.wanted, self.f, 0.0)))


def table_half_codes(design: Design, half: int) -> npt.NDArray[np.int64]:
    """Return the operand codes, the sign left out, of one half that go through the table, in order."""
    count = 1 << design.magnitude_bits
    codes = np.arange(count)
    ends = design.halves[half].ends
    x = codes + (half << design.magnitude_bits) if half else codes
    taken = np.isnan(design.x_fmt.decode(x.astype(design.x_fmt.dtype)))
    for end in ends:
        taken |= (codes >= end.start) & (codes < end.stop)
    return np.asarray(codes[~taken])


def place_points(skeleton: Design, goal: Targets, bits: int) -> Points | None:
    """Return the goals of a design whose table is still to be made; None if no operand needs a table.

    Parameters
    ----------
    skeleton : Design
        Ends and reduction; `origin` is chosen here for the reduction ``none``.
    goal : Targets
        Of the same function and formats.
    bits : int
        Bits of a place in a piece.
    """
    unsigned = isinstance(skeleton.x_fmt, FixedFormat) and not skeleton.x_fmt.signed
    by_half = [table_half_codes(skeleton, half) for half in ((0,) if unsigned else (0, 1))]
    if not sum(map(len, by_half)):
        return None
    design, pieces = _with_origins(skeleton, by_half, bits)
    shape = (pieces, 1 << bits)
    low, high = np.full(shape, -1.0), np.full(shape, np.inf)
    f, wanted, negative = np.full(shape, np.nan), np.zeros(shape, bool), np.zeros(shape, bool)
    for half, codes in enumerate(by_half):
        x = codes + (half << design.magnitude_bits)
        piece, place, scale = reduce_operands(design, bits, x, np.full_like(x, half), codes)
        np.maximum.at(low, (piece, place), np.ldexp(goal.low[x], -scale))
        np.minimum.at(high, (piece, place), np.ldexp(goal.high[x], -scale))
        reduced = np.ldexp(np.abs(goal.f[x]), -scale)
        finite = np.isfinite(reduced)
        f[piece[finite], place[finite]] = reduced[finite]
        sign = np.signbit(goal.f[x])
        if design.parity == "odd":
            sign ^= np.signbit(goal.x[x])
        clash = wanted[piece, place] & (negative[piece, place] != sign)
        if clash.any():
            raise AssertionError(f"{design.function}: one place is to have both signs")
        negative[piece, place] = sign
        wanted[piece, place] = True
    if design.reduction == "exponential":
        # Between the places that operands meet, the function itself is the best guide for a fit.
        middle = (np.arange(1 << bits) + 0.5) / (1 << bits)
        f = np.broadcast_to(np.exp2(middle), shape).copy()
    return Points(design, bits, _filled(f), low, high, negative, wanted)


def _with_origins(skeleton: Design, by_half: list[npt.NDArray[np.int64]], bits: int) -> tuple[Design, int]:
    """Return the design with the halves' origins, and its number of pieces."""
    if skeleton.reduction != "none":
        return skeleton, 2 if skeleton.function == "rsqrt" else 1
    if skeleton.parity != "none":
        by_half = [np.concatenate(by_half)]  # one set of pieces for both signs
    origins: list[int] = []
    pieces = 0
    for codes in by_half:
        first, last = (int(codes.min()) >> bits, int(codes.max()) >> bits) if len(codes) else (0, -1)
        origins.append(pieces - first)
        pieces += last - first + 1
    plus, minus = skeleton.halves
    halves = replace(plus, origin=origins[0]), replace(minus, origin=origins[-1])
    return replace(skeleton, halves=halves), pieces


def _filled(f: Values) -> Values:
    """Replace NaN by the nearest number in the same piece."""
    filled = f.copy()
    for row in filled:
        known = np.flatnonzero(np.isfinite(row))
        if len(known) == 0:
            row[:] = 1.0
            continue
        holes = np.flatnonzero(~np.isfinite(row))
        nearest = np.clip(np.searchsorted(known, holes), 0, len(known) - 1)
        row[holes] = row[known[nearest]]
    return filled
