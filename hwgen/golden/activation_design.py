"""An approximated function as data, and its bits: the golden model of the units that tables feed.

A `Design` says how a unit gets from an operand code to a result code: constant ends of the range, a reduction
of the argument, and a table, a bipartite table or a piecewise polynomial for what is left. `evaluate` does
these steps in exact integers; it is the definition of the unit. That every result is faithful is a matter
of the tables and is proven operand by operand where they are made, in `hwgen.operators.approximation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.formats import FixedFormat, Overflow
from hwgen.golden.activation import Element

__all__ = [
    "CodeTable",
    "Design",
    "End",
    "Exponential",
    "Half",
    "Segments",
    "evaluate",
    "magnitudes",
    "reduce_operands",
]

Codes = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class End:
    """A run of operands, mostly an end of the range, whose results need no table.

    For codes from `start` to `stop` - 1, the sign left out, the result is code `code` (a constant), or
    `code` plus the operand's code without its sign, shifted right by `shift`.
    """

    start: int
    stop: int
    code: int
    shift: int | None = None


@dataclass(frozen=True)
class Half:
    """What happens to operands with one value of the sign bit, by their code without that bit.

    Attributes
    ----------
    ends : tuple of End
        The runs without table; all other codes go through the table.
    origin : int
        Added to the index of the piece (or of the table entry) that a code falls into, so that both halves
        use one set of tables.
    """

    ends: tuple[End, ...]
    origin: int


@dataclass(frozen=True, eq=False)
class CodeTable:
    """Result codes, one for each operand code between the constant ends."""

    entries: Integers


@dataclass(frozen=True, eq=False)
class Segments:
    """A function on pieces of its domain; each piece is cut into 2^k segments of equal length.

    A place in a piece is `bits` bits m. The first k of them choose the segment, at address `base` + m's
    first k bits; the others, followed by k zeros, are t: the place in the segment in units of 2^-`bits` of
    its length, of which the first `t_bits` can be other than zero. The result has the magnitude
    S * 2^exponent[address].

    Polynomials (`rows` is None) have S = c0 + floor(h * t * 2^slope_shift / 2^t_bits) with
    h = c1 + floor(c2 * t / 2^t_bits), the terms of higher degree than there are arrays left out. Bipartite
    tables have S = c0 +- row[u] with a row for every 2^`shared` segments: t's first bit says plus (1) or
    minus (0), u is t's other bits, inverted for minus, so that a row serves both sides of the segment's
    middle (Schulte & Stine, "Approximating elementary functions with symmetric bipartite tables", 1999).

    Attributes
    ----------
    base, split : ndarray of int64, one for each piece
        Address of the piece's first segment, and k.
    exponent, negative, c0 : ndarray of int64, one for each segment
        Weight of S's last bit, sign of the result, value of S at the start (polynomial) or middle.
    c1, c2 : ndarray of int64 or None
        Coefficients, signed; c1 and the slope h in units of 2^`slope_shift`.
    rows : ndarray of int64, shape (rows, 2^(t_bits - 1)), or None
    width : int
        Bits of S, which is never negative.
    """

    bits: int
    t_bits: int
    base: Integers
    split: Integers
    exponent: Integers
    negative: Integers
    c0: Integers
    c1: Integers | None
    c2: Integers | None
    rows: Integers | None
    shared: int
    slope_shift: int
    width: int


@dataclass(frozen=True)
class Exponential:
    """Reduction of exp's argument: x * log2(e) = n + m / 2^bits, in fixed point.

    z = floor(|x| * 2^fraction), and -1 - z for negative x: inverting bits is cheaper than negating, and the
    difference is in the last place only. Then w = floor(z * constant / 2^shift); n is floor(w / 2^bits), m
    the rest.
    """

    fraction: int
    constant: int
    shift: int


@dataclass(frozen=True, eq=False)
class Design:
    """A unit for one function and pair of formats.

    Attributes
    ----------
    function : str
        Key of `hwgen.golden.activation_functions.FUNCTIONS`.
    x_fmt, y_fmt, overflow
        Formats and the result's policy.
    method : {"table", "bipartite", "polynomial"}
    reduction : {"none", "significand", "exponential"}
        What stands between an operand and its place m in a piece. ``none``: m is the low bits of the code.
        ``significand``: m is the fraction of the normalised significand; the result takes the negated
        exponent (reciprocal), or half of it and the piece by its last bit (rsqrt). ``exponential``: see
        `Exponential`; the result takes exponent n.
    parity : {"even", "odd", "none"}
        Symmetry that is made use of: both signs share tables, and an odd function's result has the
        operand's sign.
    halves : tuple of two Half
        For the sign bit 0 and 1 (unsigned formats: twice the same).
    table : CodeTable or Segments
    exponential : Exponential or None
    """

    function: str
    x_fmt: Element
    y_fmt: Element
    overflow: Overflow
    method: str
    reduction: str
    parity: str
    halves: tuple[Half, Half]
    table: CodeTable | Segments
    exponential: Exponential | None = None

    @property
    def magnitude_bits(self) -> int:
        """Bits of an operand code without the sign."""
        unsigned = isinstance(self.x_fmt, FixedFormat) and not self.x_fmt.signed
        return self.x_fmt.width - (not unsigned)


def evaluate(design: Design, codes: npt.ArrayLike) -> Codes:
    """Return the unit's results for operand codes of any shape."""
    x = np.asarray(codes).astype(np.int64)
    y_fmt = design.y_fmt
    sign = x >> design.magnitude_bits
    code = x & ((1 << design.magnitude_bits) - 1)
    if isinstance(design.table, CodeTable):
        result = _looked_up(design, design.table, sign, code)
    else:
        result = _approximated(design, design.table, x, sign, code)
    for which in (0, 1):
        for end in design.halves[which].ends:
            here = (sign == which) & (code >= end.start) & (code < end.stop)
            passed = 0 if end.shift is None else code >> end.shift
            result = np.where(here, end.code + passed, result)
    nan = np.isnan(design.x_fmt.decode(x.astype(design.x_fmt.dtype)))
    invalid = 0 if isinstance(y_fmt, FixedFormat) else y_fmt.invalid_code
    return np.where(nan, invalid, result).astype(y_fmt.dtype)


def _looked_up(design: Design, table: CodeTable, sign: Integers, code: Integers) -> Integers:
    origin = np.where(sign == 1, design.halves[1].origin, design.halves[0].origin)
    # Codes at the constant ends may lie outside the table; their result is replaced.
    entries = table.entries[np.clip(code + origin, 0, len(table.entries) - 1)]
    if design.parity != "odd":
        return entries
    no_negative_zero = getattr(design.y_fmt, "specials", "") == "fnuz"
    flips = (sign == 1) & ~((entries == 0) & no_negative_zero)
    return np.where(flips, entries ^ (1 << (design.y_fmt.width - 1)), entries)


def _approximated(design: Design, table: Segments, x: Integers, sign: Integers, code: Integers) -> Integers:
    piece, place, scale = reduce_operands(design, table.bits, x, sign, code)
    piece = np.clip(piece, 0, len(table.base) - 1)  # as above
    address, magnitude = magnitudes(table, piece, place)
    # The clip leaves what the reduction is for as it is; the rest is replaced by the ends.
    value = np.ldexp(magnitude.astype(np.float64), np.clip(table.exponent[address] + scale, -900, 900))
    negative = table.negative[address] == 1
    if design.parity == "odd":
        negative ^= np.signbit(design.x_fmt.decode(x.astype(design.x_fmt.dtype)))
    signed = np.where(negative, -value, value)
    rounded = design.y_fmt.encode(signed, rounding="rne", overflow=design.overflow)
    return np.asarray(rounded).astype(np.int64)


def magnitudes(table: Segments, piece: Integers, place: Integers) -> tuple[Integers, Integers]:
    """Return the segment's address and S."""
    split = table.split[piece]
    address = table.base[piece] + (place >> (table.bits - split))
    t = ((place << split) & ((1 << table.bits) - 1)) >> (table.bits - table.t_bits)
    if table.rows is not None:
        side = t >> (table.t_bits - 1)
        inner = (1 << (table.t_bits - 1)) - 1
        row = table.rows[address >> table.shared, np.where(side == 1, t, ~t) & inner]
        return address, table.c0[address] + np.where(side == 1, row, -row)
    magnitude = table.c0[address]
    if table.c1 is not None:
        slope = table.c1[address]
        if table.c2 is not None:
            slope = slope + ((table.c2[address] * t) >> table.t_bits)
        magnitude = magnitude + (((slope * t) << table.slope_shift) >> table.t_bits)
    return address, magnitude


def reduce_operands(
    design: Design, bits: int, x: Integers, sign: Integers, code: Integers
) -> tuple[Integers, Integers, Integers]:
    """Return the piece, the place in it, and the exponent that the reduction leaves for the result.

    Operands that the reduction is not for (zeros, infinities, the constant ends) give anything.
    """
    mask = (1 << bits) - 1
    if design.reduction == "none":
        origin = np.where(sign == 1, design.halves[1].origin, design.halves[0].origin)
        return (code >> bits) + origin, code & mask, np.zeros_like(code)
    value = design.x_fmt.decode(x.astype(design.x_fmt.dtype))
    if design.reduction == "significand":
        fraction, exponent = np.frexp(np.abs(np.where(np.isfinite(value), value, 0.0)))
        # |x| = (1 + m / 2^bits) * 2^e, exactly: `bits` is what the format's significand has.
        place = np.ldexp(fraction, bits + 1).astype(np.int64) & mask
        e = exponent.astype(np.int64) - 1
        if design.function == "rsqrt":
            return e & 1, place, -(e >> 1)
        return np.zeros_like(e), place, -e
    assert design.exponential is not None  # noqa: S101  (the third reduction)
    how = design.exponential
    bounded = np.minimum(np.abs(np.nan_to_num(value)), 2.0**20)  # beyond is a constant end
    z = np.floor(np.ldexp(bounded, how.fraction)).astype(np.int64)
    z = np.where(np.signbit(value), -1 - z, z)
    w = (z * how.constant) >> how.shift
    return np.zeros_like(w), w & mask, w >> bits
