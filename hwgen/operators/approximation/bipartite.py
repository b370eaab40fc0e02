"""Symmetric bipartite tables: S = c0[segment] +- row[group of segments][place].

D. Das Sarma and D. W. Matula, "Faithful bipartite ROM reciprocal tables", ARITH-12, 1995; M. J. Schulte and
J. E. Stine, "Approximating elementary functions with symmetric bipartite tables", IEEE TC 48(8), 1999.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hwgen.golden.activation_design import Segments
from hwgen.operators.approximation.fit import Pieces
from hwgen.operators.approximation.points import Points
from hwgen.operators.approximation.polynomial import addresses, cut_pieces, segment_array

__all__ = ["bipartite_tables"]

Integers = npt.NDArray[np.int64]

_LEAST_PLACE_BITS = 2  # below, the second table is no smaller than the first


@dataclass(frozen=True, eq=False)
class _Fitted:
    """The pieces `numbers`, cut into segments of one length, with the tables that were fitted to them.

    Arrays have an axis of pieces, then one of the groups of segments with a common row, or of segments (c0).
    """

    numbers: Integers
    exponent: Integers
    negative: Integers
    c0: Integers
    row: Integers

    def only(self, numbers: Integers) -> _Fitted:
        """Return the same of some of the pieces."""
        at = np.searchsorted(self.numbers, numbers)
        return _Fitted(numbers, self.exponent[at], self.negative[at], self.c0[at], self.row[at])


def bipartite_tables(points: Points, *, shared: int, guard: int) -> Iterator[Segments]:
    """Return bipartite tables, for every length of the longest segments that there are any for.

    Parameters
    ----------
    points : Points
        What to meet.
    shared : int
        log2 of the number of neighbouring segments that share a row.
    guard : int
        Bits of S beyond the result's precision.
    """
    # Whether a segment length will do for a piece has nothing to do with the other pieces' lengths.
    fits: dict[int, _Fitted] = {}
    width = 0
    least = np.full(len(points.f), points.bits + 1)  # log2 of the fewest segments that each piece can have
    fitting = np.arange(len(points.f))
    for split in range(points.bits, shared - 1, -1):
        # All segments that share a row share the weight of S's last bit.
        groups = cut_pieces(points, fitting, split=split - shared, guard=guard)
        width = groups.width
        c0, row, good = _fit(groups, shared)
        shape = (len(fitting), 1 << (split - shared))
        fits[split] = _Fitted(
            numbers=fitting,
            exponent=groups.exponent.reshape(shape),
            negative=groups.negative.reshape(shape),
            c0=c0.reshape(len(fitting), 1 << split),
            row=row.reshape(*shape, -1),
        )
        fitting = fitting[good.reshape(shape).all(axis=1)]
        least[fitting] = split
        if not len(fitting):
            break
    if least.max() > points.bits:
        return
    for place_bits in range(_LEAST_PLACE_BITS, points.bits - shared + 1):
        splits = np.maximum(points.bits - place_bits, least)
        if splits.min() == points.bits - place_bits:
            yield _assembled(points, splits, fits, width, place_bits=place_bits, shared=shared)


def _assembled(
    points: Points,
    splits: Integers,
    fits: Mapping[int, _Fitted],
    width: int,
    *,
    place_bits: int,
    shared: int,
) -> Segments:
    chosen = [fits[split].only(np.flatnonzero(splits == split)) for split in np.unique(splits).tolist()]
    base, total = addresses(splits.tolist())
    share, inner = 1 << shared, 1 << (place_bits - 1)
    table = np.zeros((-(-total >> shared), inner), dtype=np.int64)
    for part in chosen:
        rows = _spread(part.row, place_bits)
        table[(base[part.numbers] >> shared)[:, None] + np.arange(rows.shape[1])] = rows

    def laid_out(parts: Iterable[Integers]) -> Integers:
        return segment_array(base, total, zip([part.numbers for part in chosen], parts, strict=True))

    return Segments(
        bits=points.bits,
        t_bits=place_bits,
        base=base,
        split=splits,
        exponent=laid_out(np.repeat(part.exponent, share, axis=1) for part in chosen),
        negative=laid_out(np.repeat(part.negative, share, axis=1) for part in chosen),
        c0=laid_out(part.c0 for part in chosen),
        c1=None,
        c2=None,
        rows=table,
        shared=shared,
        slope_shift=0,
        width=width,
    )


def _fit(groups: Pieces, shared: int) -> tuple[Integers, Integers, npt.NDArray[np.bool_]]:
    """Return c0 of every segment, the row of every group, and which groups are good."""
    count, share = groups.segments, 1 << shared
    places = groups.places // share
    shape = (count, share, places)
    f, low, high = (array.reshape(shape) for array in (groups.scaled_f(), *groups.intervals()))
    half = places // 2
    if half == 0:
        row = np.zeros((count, 1), dtype=np.int64)
        moved = np.zeros(shape, dtype=np.int64)
    else:
        # Half the distance between places that lie symmetrically, averaged over the segments of the group.
        distance = (f[:, :, half:] - f[:, :, half - 1 :: -1]) / 2
        row = np.rint((distance.max(axis=1) + distance.min(axis=1)) / 2).astype(np.int64)
        moved = np.concatenate([-row[:, ::-1], row], axis=1)[:, None, :]
    # The intervals are open, and c0 is unsigned.
    least = np.maximum(np.floor((low - moved).max(axis=2)) + 1, 0)
    most = np.minimum(np.ceil((high - moved).min(axis=2)), float(1 << groups.width)) - 1
    good = (least <= most).all(axis=1) & groups.signs_agree
    difference = f - moved
    middle = np.rint((difference.max(axis=2) + difference.min(axis=2)) / 2)
    return np.clip(middle, least, np.maximum(least, most)).astype(np.int64), row, good


def _spread(row: Integers, place_bits: int) -> Integers:
    """Return rows of short segments in the layout of the longest ones.

    A place of fewer bits has zeros below it: the plus side reads u = 100..., the minus side, inverted, ones;
    both must find the same entry.
    """
    wide = 1 << (place_bits - 1)
    return np.repeat(row, wide // row.shape[-1], axis=-1)
