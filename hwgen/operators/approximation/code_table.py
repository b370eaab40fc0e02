"""Plain tables: the correctly rounded result code of every operand code, where a table is small enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwgen.formats import FixedFormat
from hwgen.golden.activation import Targets
from hwgen.golden.activation_design import CodeTable, Design, Half
from hwgen.operators.approximation.points import table_half_codes

__all__ = ["WHOLE_BITS", "plain_table"]

WHOLE_BITS = 10
"""Up to this many operand bits the table has every code in it: minimisation finds the constant ends."""


def plain_table(skeleton: Design, goal: Targets) -> Design | None:
    """Return the design with a table of correctly rounded results; None if every operand is in an end.

    Parameters
    ----------
    skeleton : Design
        Ends whose results are correctly rounded (none for at most `WHOLE_BITS` bits); without reduction.
    goal : Targets
        Of the same function and formats.
    """
    unsigned = isinstance(skeleton.x_fmt, FixedFormat) and not skeleton.x_fmt.signed
    # A half table of codes serves the other sign only if that costs no more than its sign bit.
    parity = skeleton.parity
    if parity == "odd" and isinstance(skeleton.y_fmt, FixedFormat):
        parity = "none"
    halves: list[Half] = []
    entries: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
    for half in (0,) if unsigned or parity != "none" else (0, 1):
        codes = table_half_codes(skeleton, half)
        if len(codes) == 0:
            halves.append(skeleton.halves[half])
            continue
        first, last = int(codes[0]), int(codes[-1])
        grain = 1 << max((last - first).bit_length() - 2, 0)
        first -= first % grain  # an aligned start makes the index a matter of the top bits
        if not skeleton.halves[half].ends:
            first, last = 0, (1 << skeleton.magnitude_bits) - 1
        origin = sum(map(len, entries)) - first
        halves.append(replace(skeleton.halves[half], origin=origin))
        span = np.arange(first, last + 1) + (half << skeleton.magnitude_bits)
        entries.append(goal.nearest[span].astype(np.int64))
    if not entries:
        return None
    if len(halves) == 1:
        other = halves[0] if unsigned else replace(skeleton.halves[1], origin=halves[0].origin)
        halves.append(other)
    return replace(
        skeleton,
        method="table",
        parity=parity,
        halves=(halves[0], halves[1]),
        table=CodeTable(np.concatenate(entries)),
    )
