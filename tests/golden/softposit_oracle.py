"""SoftPosit, the posit working group's C library, on arrays: its pX2 types are posit<n> with es = 2.

Widths up to 31 only: with 32 some results next to minpos and maxpos are a pattern away, even exact ones (a
sum that is 2^114 comes out as 2^112).
"""

from __future__ import annotations

import _softposit as library
import numpy as np
from softposit import posit_2_t

OPERATIONS = {"add": library.pX2_add, "mul": library.pX2_mul, "fma": library.pX2_mulAdd}


def posit(code: int, width: int) -> posit_2_t:
    """A pX2 keeps its pattern at the top of a 32-bit word."""
    number = posit_2_t()
    number.v = int(code) << (32 - width)
    return number


def compute(operation: str, width: int, *columns) -> np.ndarray:
    """Return the patterns of a + b, a * b or a * b + c for columns of patterns."""
    function = OPERATIONS[operation]
    rows = zip(*columns, strict=True)
    words = [function(*(posit(code, width) for code in row), width).v >> (32 - width) for row in rows]
    return np.array(words, dtype=np.uint64)


def dot(width: int, a, b) -> np.ndarray:
    """Return the patterns of sum(a[i] * b[i]) over the last axis, through SoftPosit's 512-bit quire."""
    results = []
    for left, right in zip(a, b, strict=True):
        quire = library.qX2Clr()
        for x, y in zip(left, right, strict=True):
            quire = library.qX2_fdp_add(quire, posit(x, width), posit(y, width))
        results.append(library.qX2_to_pX2(quire, width).v >> (32 - width))
    return np.array(results, dtype=np.uint64)
