"""Symmetric bipartite tables: S = c0[segment] +- row[group of segments][place].

D. Das Sarma and D. W. Matula, "Faithful bipartite ROM reciprocal tables", ARITH-12, 1995; M. J. Schulte and
J. E. Stine, "Approximating elementary functions with symmetric bipartite tables", IEEE TC 48(8), 1999.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hwgen.golden.activation_design import Segments
from hwgen.operators.approximation.fit import Piece
from hwgen.operators.approximation.points import Points
from hwgen.operators.approximation.polynomial import addresses, cut_piece, segment_arrays

__all__ = ["bipartite_table"]

Integers = npt.NDArray[np.int64]


def bipartite_table(points: Points, *, place_bits: int, shared: int, guard: int) -> Segments | None:
    """Return bipartite tables, or None if there are none with these parameters.

    Parameters
    ----------
    points : Points
        What to meet.
    place_bits : int
        Bits of the place in the longest segments, at least 1; pieces that need it have shorter ones.
    shared : int
        log2 of the number of neighbouring segments that share a row.
    guard : int
        Bits of S beyond the result's precision.
    """
    first = points.bits - place_bits
    if first < shared or place_bits < 1:
        return None
    pieces, splits, constants, rows = [], [], [], []
    for number in range(len(points.f)):
        for split in range(first, points.bits + 1):
            # All segments that share a row share the weight of S's last bit.
            groups = cut_piece(points, number, split=split - shared, guard=guard)
            found = _fit(groups, shared) if groups.signs_agree.all() else None
            if found is not None:
                pieces.append(groups)
                splits.append(split)
                constants.append(found[0])
                rows.append(_spread(found[1], place_bits))
                break
        else:
            return None
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
