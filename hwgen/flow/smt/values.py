"""Bit patterns and exact results as terms of the solver's IEEE floating-point theory.

Every operand pattern becomes a floating-point term of exactly its value, whatever its format. What
carries any format over to SMT-LIB's IEEE sorts is *lifting*: zeros put in front of the exponent field
turn a pattern of the format into a pattern of a sort with a wider exponent, whose value is the format's
times one fixed power of two. No pattern is left special, subnormals stay subnormal, and the bias no
longer matters. Nothing is rounded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hwgen.flow.smt.text import FloatSort, Script, bits, bv, ite, power_of_two
from hwgen.formats import FixedFormat, FloatFormat

__all__ = ["Exact", "Operation", "exactly", "is_plain", "lift", "operand"]

Operation = Literal["convert", "add", "mul", "fma"]


@dataclass(frozen=True)
class Exact:
    """A floating-point term, and where the bits of the value it stands for can be.

    Attributes
    ----------
    term : str
        Term of sort `sort`, equal to the value times 2^scale.
    precision, lsb, msb : int
        The value is a multiple of 2^lsb, below 2^(msb+1) in magnitude (or equal to 2^msb), with at most
        `precision` significant bits; or infinite, or NaN.
    """

    term: str
    sort: FloatSort
    scale: int
    precision: int
    lsb: int
    msb: int

    def fits(self, sort: FloatSort, scale: int) -> bool:
        """Say whether `sort` holds every value times 2^scale."""
        return sort.holds(precision=self.precision, lsb=self.lsb + scale, msb=self.msb + scale)

    def embed(self, script: Script, name: str, sort: FloatSort, scale: int) -> str:
        """Return the value times 2^scale as a term of `sort`, exactly (the caller has asked `fits`)."""
        shift = scale - self.scale
        if shift == 0:
            if sort == self.sort:
                return self.term
            return script.define(name, sort, f"((_ to_fp {sort.indices}) RNE {self.term})")
        # In between, an exponent range that holds the value before and after scaling, and the factor.
        between = FloatSort(max(sort.eb, self.sort.eb, abs(shift).bit_length() + 1) + 1, self.precision)
        between = FloatSort(between.eb, max(2, between.sb))
        wide = script.define(f"{name}.wide", between, f"((_ to_fp {between.indices}) RNE {self.term})")
        scaled = f"(fp.mul RNE {wide} {power_of_two(shift, between)})"
        if sort == between:
            return script.define(name, sort, scaled)
        return script.define(name, sort, f"((_ to_fp {sort.indices}) RNE {scaled})")


def operand(script: Script, name: str, fmt: FloatFormat | FixedFormat) -> Exact:
    """Return what the bit vector `name` means in `fmt`."""
    if isinstance(fmt, FixedFormat):
        sort = _sort_with_exponents(fmt.width + 1, max(2, fmt.width))
        convert = "to_fp" if fmt.signed else "to_fp_unsigned"
        term = script.define(f"{name}.value", sort, f"((_ {convert} {sort.indices}) RNE {name})")
        return Exact(term, sort, fmt.fraction, fmt.width, -fmt.fraction, fmt.width - fmt.fraction - 1)
    sort = FloatSort(fmt.exponent if is_plain(fmt) else fmt.exponent + 1, max(2, fmt.precision))
    term = script.define(f"{name}.value", sort, lift(name, fmt, sort, flush=not fmt.subnormals))
    return Exact(term, sort, sort.emin - fmt.emin, fmt.precision, fmt.emin - fmt.mantissa, fmt.emax)


def is_plain(fmt: FloatFormat) -> bool:
    """Say whether SMT-LIB's own sort has this format's patterns and values."""
    ieee_bias = (1 << (fmt.exponent - 1)) - 1
    return fmt.specials == "ieee" and fmt.bias == ieee_bias and fmt.subnormals and fmt.mantissa > 0


def _sort_with_exponents(largest: int, sb: int) -> FloatSort:
    """Return the smallest sort of precision `sb` whose normals reach from 2^-largest to 2^largest."""
    return FloatSort((largest + 1).bit_length() + 1, sb)


def lift(
    name: str, fmt: FloatFormat, sort: FloatSort, *, flush: bool = False, raise_exponent: int = 0
) -> str:
    """Read pattern `name` in `sort`: its value times 2^(sort.emin - fmt.emin + raise_exponent).

    `raise_exponent` is 0 or 1; with 1 only zeros and normal numbers get the value named above.
    """
    E, M = fmt.exponent, fmt.mantissa
    sign = bits(name, E + M, E + M)
    exponent = bits(name, E + M - 1, M)
    mantissa = bits(name, M - 1, 0) if M else "#b0"  # SMT-LIB has no one-bit significand: a zero bit more
    normal = f"(not (= {exponent} {bv(0, E)}))"
    if flush:
        mantissa = ite(normal, mantissa, bv(0, max(M, 1)))
    field = exponent
    if sort.eb > E:
        field = f"((_ zero_extend {sort.eb - E}) {exponent})"
        if raise_exponent:
            field = ite(normal, f"(bvadd {field} {bv(raise_exponent, sort.eb)})", bv(0, sort.eb))
    value = f"(fp {sign} {field} {mantissa})"
    if sort.eb == E:
        return value  # a plain IEEE format: the specials are the sort's
    ones = bv(-1, E)
    if fmt.specials == "ieee":
        infinity = ite(f"(= {sign} #b0)", f"(_ +oo {sort.indices})", f"(_ -oo {sort.indices})")
        special = ite(f"(= {mantissa} {bv(0, max(M, 1))})", infinity, f"(_ NaN {sort.indices})")
        return ite(f"(= {exponent} {ones})", special, value)
    if fmt.specials == "fn":
        magnitude = bits(name, E + M - 1, 0)
        return ite(f"(= {magnitude} {bv(-1, E + M)})", f"(_ NaN {sort.indices})", value)
    if fmt.specials == "fnuz":
        return ite(f"(= {name} {bv(1 << (E + M), E + M + 1)})", f"(_ NaN {sort.indices})", value)
    return value


def exactly(
    script: Script,
    name: str,
    operation: Operation,
    operands: tuple[Exact, ...],
    *,
    scale: int,
    zero_mode: str,
) -> Exact:
    """Return the exact result of an operation, times 2^scale, in a sort wide enough for it.

    `zero_mode` is the theory's rounding mode: nothing is rounded, but a cancelled sum takes its sign from it.
    """
    if operation == "convert":
        return _widen(script, name, operands[0], scale)
    if operation == "mul":
        return _exact_product(script, name, operands[0], operands[1], scale)
    if operation == "fma":
        product = _exact_product(script, f"{name}.product", operands[0], operands[1], scale)
        left, right = product, operands[2]
    else:
        left, right = operands
    lsb, msb = min(left.lsb, right.lsb), max(left.msb, right.msb) + 1
    sort = _narrowest(msb - lsb + 1, ((left, scale), (right, scale)), lsb + scale, msb + scale)
    terms = [
        part.embed(script, f"{name}.{side}", sort, scale) for side, part in (("left", left), ("right", right))
    ]
    total = script.define(name, sort, f"(fp.add {zero_mode} {terms[0]} {terms[1]})")
    return Exact(total, sort, scale, msb - lsb + 1, lsb, msb)


def _exact_product(script: Script, name: str, a: Exact, b: Exact, scale: int) -> Exact:
    precision, lsb, msb = a.precision + b.precision, a.lsb + b.lsb, a.msb + b.msb + 1
    parts = ((a, a.scale), (b, scale - a.scale))
    sort = _narrowest(precision, parts, lsb + scale, msb + scale)
    factors = [
        part.embed(script, f"{name}.factor{index}", sort, part_scale)
        for index, (part, part_scale) in enumerate(parts)
    ]
    term = script.define(name, sort, f"(fp.mul RNE {factors[0]} {factors[1]})")
    return Exact(term, sort, scale, precision, lsb, msb)


def _widen(script: Script, name: str, x: Exact, scale: int) -> Exact:
    if scale == x.scale:
        return x
    sort = _narrowest(max(2, x.precision), ((x, scale),), x.lsb + scale, x.msb + scale)
    return Exact(x.embed(script, name, sort, scale), sort, scale, x.precision, x.lsb, x.msb)


def _narrowest(sb: int, parts: tuple[tuple[Exact, int], ...], lsb: int, msb: int) -> FloatSort:
    """Return the smallest sort of precision `sb` in whose normal numbers lie all parts and the result."""
    lsb = min(lsb, *(part.lsb + scale for part, scale in parts))
    msb = max(msb, *(part.msb + scale for part, scale in parts))
    sort = _sort_with_exponents(max(-lsb, msb), max(2, sb))
    return FloatSort(sort.eb, max(sort.sb, sort.eb))  # z3 adds only where the precision is the larger
