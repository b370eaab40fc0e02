"""The runs of operands whose results need no table: saturated ends, and ends where f(x) is about x or x/2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.golden.activation_design import End

__all__ = ["find_ends"]

_MOST = 2  # runs at either end: gelu has x/2 for subnormals and, with another constant, for small normals
_SECOND = 64  # codes that a second run must have; fewer are no burden to the table


def find_ends(accepted: Sequence[npt.NDArray[Any]], *, shortest: int, low: bool = True) -> tuple[End, ...]:
    """Return the runs at both ends of one half of the operands.

    Parameters
    ----------
    accepted : two ndarrays of int64
        Result codes that are right for each operand code, in order of the code without sign; -1 in both
        where anything is (NaN operands, which are tested for elsewhere).
    shortest : int
        Runs of fewer codes are left to the table.
    low : bool
        Whether to look for runs at the low end at all.
    """
    down, up = (np.asarray(codes).astype(np.int64) for codes in accepted)
    count = len(down)
    ends: list[End] = []
    high_ends: list[End] = []
    first = 0
    while low and len(ends) < _MOST and first < count:
        end = _longest(down, up, first, +1)
        if end.stop - end.start < (_SECOND if ends else shortest):
            break
        ends.append(end)
        first = end.stop
    last = count - 1
    while len(high_ends) < _MOST and last >= first:
        end = _longest(down, up, last, -1)
        end = End(max(end.start, first), end.stop, end.code, end.shift)
        if end.stop - end.start < (_SECOND if high_ends else shortest):
            break
        high_ends.append(end)
        last = end.start - 1
    return tuple(ends + high_ends)


def _longest(down: npt.NDArray[np.int64], up: npt.NDArray[np.int64], at: int, step: int) -> End:
    """Return the longest run that starts at code `at` and goes up (`step` 1) or down (-1)."""
    codes = np.arange(len(down))
    line = slice(at, None) if step > 0 else slice(at, None, -1)
    anything = down < 0
    known = np.flatnonzero(~anything[line])
    anchor = at + step * int(known[0]) if len(known) else at
    best, best_length = End(at, at, 0), 0
    for shift in (None, 0, 1) if step > 0 else (None, 0):
        base = np.zeros_like(codes) if shift is None else codes >> shift
        for code in {int(down[anchor] - base[anchor]), int(up[anchor] - base[anchor])}:
            good = anything | (base + code == down) | (base + code == up)
            wrong = np.flatnonzero(~good[line])
            length = int(wrong[0]) if len(wrong) else len(good[line])
            if length > best_length:
                start = at if step > 0 else at - length + 1
                best, best_length = End(start, start + length, code, shift), length
    return best
