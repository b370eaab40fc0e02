"""Estimated LUTs of a design, to choose between designs: a model fitted to ``hwgen area``, not a promise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hwgen.formats import FixedFormat, FloatFormat
from hwgen.golden.activation_design import CodeTable, Design, Segments

__all__ = ["estimated_luts", "rom_luts", "signed_bits", "unsigned_bits"]

Integers = npt.NDArray[np.int64]


def unsigned_bits(values: Integers | int) -> int:
    """Return the bits of the largest of some non-negative integers; 0 if all are 0."""
    return int(np.max(values)).bit_length()


def signed_bits(values: Integers) -> int:
    """Return the two's complement width that holds all values; 0 if all are 0."""
    least, most = int(values.min()), int(values.max())
    if least == most == 0:
        return 0
    return 1 + max(most.bit_length(), (-least - 1).bit_length() if least < 0 else 0)


def rom_luts(values: Integers) -> float:
    """Return the LUTs of a table: one LUT6 for 64 different entries and bit, fewer where entries repeat."""
    entries = len(values)
    low = int(values.min())
    bits = unsigned_bits(values) if low >= 0 else signed_bits(values)
    differing = int(np.bitwise_or.reduce(values) & ~np.bitwise_and.reduce(values))
    varying = (differing & ((1 << bits) - 1)).bit_count()
    changes = 1 + int(np.count_nonzero(np.diff(values)))
    # Runs of equal entries (ends of the range) minimise away.
    effective = min(entries, 4 * changes)
    if effective <= 4:
        return 0.5 * varying
    return varying * (1.0 if effective <= 64 else 2.0 * effective / 64)


def estimated_luts(design: Design) -> float:
    """Return the estimated number of LUTs of the whole unit."""
    table = design.table
    luts = _ends(design)
    if isinstance(table, CodeTable):
        luts += rom_luts(table.entries)
        if any(half.origin for half in design.halves) and any(half.ends for half in design.halves):
            luts += 8.0
        return luts + (2.0 if design.parity == "odd" else 0.0)
    luts += _reduction(design, table)
    luts += rom_luts(table.base) + rom_luts(table.split)
    distinct = len(np.unique(table.split))
    luts += (distinct - 1) * (table.t_bits + unsigned_bits(table.base)) / 3
    luts += sum(rom_luts(values) for values in (table.exponent, table.negative, table.c0))
    luts += _arithmetic(table)
    return luts + _rounding(design, table)


def _ends(design: Design) -> float:
    luts = 0.0
    for half in design.halves[: 1 if design.parity != "none" else 2]:
        for end in half.ends:
            luts += 4.0 + (design.y_fmt.width / 2 if end.shift is not None else design.y_fmt.width / 4)
    return luts


def _reduction(design: Design, table: Segments) -> float:
    x_fmt = design.x_fmt
    if design.reduction == "none":
        return 3.0
    if design.reduction == "significand":
        subnormals = isinstance(x_fmt, FixedFormat) or x_fmt.subnormals
        return 12.0 + (4.5 * table.bits if subnormals else 0.0)
    assert design.exponential is not None  # noqa: S101  (the third reduction)
    z = design.exponential.fraction + 6
    return 4.0 * z + 1.0 * z * bin(design.exponential.constant).count("1")


def _arithmetic(table: Segments) -> float:
    luts = 0.0
    if table.rows is not None:
        return rom_luts(table.rows.reshape(-1)) + table.t_bits / 2 + table.width
    if table.c1 is not None:
        slope = signed_bits(table.c1)
        luts += rom_luts(table.c1)
        if table.c2 is not None:
            luts += rom_luts(table.c2) + 1.4 * table.t_bits * signed_bits(table.c2) + slope
        luts += 1.4 * table.t_bits * slope + 0.6 * table.width
    return luts


def _rounding(design: Design, table: Segments) -> float:
    y_fmt = design.y_fmt
    if isinstance(y_fmt, FloatFormat):
        right = 2.0 * y_fmt.precision if design.reduction != "none" and y_fmt.subnormals else 0.0
        return 3.0 * table.width + y_fmt.exponent * 3.0 + 12 + right
    return 1.5 * y_fmt.width
