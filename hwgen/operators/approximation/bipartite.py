"""Symmetric bipartite tables: S = c0[segment] +- row[group of segments][place].

D. Das Sarma and D. W. Matula, "Faithful bipartite ROM reciprocal tables", ARITH-12, 1995; M. J. Schulte and
J. E. Stine, "Approximating elementary functions with symmetric bipartite tables", IEEE TC 48(8), 1999.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from hwgen.golden.activation_design import Segments
from hwgen.operators.approximation.fit import Piece
from hwgen.operators.approximation.points import Points
from hwgen.operators.approximation.polynomial import addresses, cut_piece, segment_arrays

__all__ = ["bipartite_tables"]

Integers = npt.NDArray[np.int64]
_Fitted = tuple[Piece, Integers, Integers]

_LEAST_PLACE_BITS = 2  # below, the second table is no smaller than the first


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
    fits: list[dict[int, _Fitted]] = []
    for number in range(len(points.f)):
        found: dict[int, _Fitted] = {}
        for split in range(points.bits, shared - 1, -1):
            # All segments that share a row share the weight of S's last bit.
            groups = cut_piece(points, number, split=split - shared, guard=guard)
            fitted = _fit(groups, shared) if groups.signs_agree.all() else None
            if fitted is None:
                break
            found[split] = groups, *fitted
        if not found:
            return
        fits.append(found)
    for place_bits in range(_LEAST_PLACE_BITS, points.bits - shared + 1):
        longest = points.bits - place_bits
        splits = [max(longest, min(found)) for found in fits]
        if min(splits) == longest:
            chosen = [found[split] for found, split in zip(fits, splits, strict=True)]
            yield _assembled(points, splits, chosen, place_bits=place_bits, shared=shared)


def _assembled(
    points: Points, splits: list[int], chosen: list[_Fitted], *, place_bits: int, shared: int
) -> Segments:
    pieces = [piece for piece, _, _ in chosen]
    constants = [c0 for _, c0, _ in chosen]
    rows = [_spread(row, place_bits) for _, _, row in chosen]
    base, total = addresses(splits)
    inner = 1 << (place_bits - 1)
    table = np.zeros((-(-total >> shared), inner), dtype=np.int64)
    for start, part in zip(base.tolist(), rows, strict=True):
        table[start >> shared : (start >> shared) + len(part)] = part
    share = 1 << shared
    return Segments(
        bits=points.bits,
        t_bits=place_bits,
        base=base,
        split=np.array(splits, dtype=np.int64),
        exponent=segment_arrays(base, total, [np.repeat(piece.exponent, share) for piece in pieces]),
        negative=segment_arrays(base, total, [np.repeat(piece.negative, share) for piece in pieces]),
        c0=segment_arrays(base, total, constants),
        c1=None,
        c2=None,
        rows=table,
        shared=shared,
        slope_shift=0,
        width=pieces[0].width,
    )


def _fit(groups: Piece, shared: int) -> tuple[Integers, Integers] | None:
    """Return c0 of every segment and the row of every group, or None."""
    count, share = groups.segments, 1 << shared
    places = groups.f.shape[1] // share
    shape = (count, share, places)
    f, low, high = (array.reshape(shape) for array in (groups.f, groups.low, groups.high))
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
    if not (least <= most).all():
        return None
    difference = f - moved
    middle = np.rint((difference.max(axis=2) + difference.min(axis=2)) / 2)
    return np.clip(middle, least, most).astype(np.int64).reshape(-1), row


def _spread(row: Integers, place_bits: int) -> Integers:
    """Return rows of short segments in the layout of the longest ones.

    A place of fewer bits has zeros below it: the plus side reads u = 100..., the minus side, inverted, ones;
    both must find the same entry.
    """
    wide = 1 << (place_bits - 1)
    return np.repeat(row, wide // row.shape[1], axis=1)
