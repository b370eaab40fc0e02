"""Fixed-point results, said with integers: bit-vector arithmetic that is wide enough to be exact.

Operands that are all fixed-point need no floating-point theory: the exact result is an integer. If an
operand is a float, the exact result comes from `hwgen.flow.smt.values`, and the theory's conversion to an
integer rounds it. All rounding is defined on the magnitude, as everywhere in hwgen.
"""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.flow.smt.rounding import RANDOM, THEORY_MODE, Rule
from hwgen.flow.smt.text import Script, bits, bv, ite
from hwgen.flow.smt.values import Exact, Operation
from hwgen.formats import FixedFormat

__all__ = ["Integer", "combine", "integer_operand", "pattern", "round_float", "round_integer"]


@dataclass(frozen=True)
class Integer:
    """A signed bit vector `term` of `width` bits that stands for term * 2^-fraction."""

    term: str
    width: int
    fraction: int

    def widened(self, width: int, fraction: int) -> str:
        """Return the same value with more bits on both sides, as a term of `width` bits."""
        shifted = self.term
        if fraction > self.fraction:
            shifted = f"(concat {self.term} {bv(0, fraction - self.fraction)})"
        return f"((_ sign_extend {width - self.width - fraction + self.fraction}) {shifted})"


def integer_operand(script: Script, name: str, fmt: FixedFormat) -> Integer:
    """Return what the bit vector `name` means in `fmt`."""
    extend = "sign_extend" if fmt.signed else "zero_extend"
    term = script.define(f"{name}.value", fmt.width + 1, f"((_ {extend} 1) {name})")
    return Integer(term, fmt.width + 1, fmt.fraction)


def combine(script: Script, name: str, operation: Operation, operands: tuple[Integer, ...]) -> Integer:
    """Return the exact result of ``convert``, ``add``, ``mul`` or ``fma``."""
    if operation == "convert":
        return operands[0]
    if operation == "add":
        return _sum(script, name, *operands)
    product = _product(script, f"{name}.product", *operands[:2])
    return product if operation == "mul" else _sum(script, name, product, operands[2])


def _product(script: Script, name: str, a: Integer, b: Integer) -> Integer:
    width = a.width + b.width
    factors = f"((_ sign_extend {b.width}) {a.term}) ((_ sign_extend {a.width}) {b.term})"
    return Integer(script.define(name, width, f"(bvmul {factors})"), width, a.fraction + b.fraction)


def _sum(script: Script, name: str, a: Integer, b: Integer) -> Integer:
    fraction = max(a.fraction, b.fraction)
    width = max(part.width + fraction - part.fraction for part in (a, b)) + 1
    term = f"(bvadd {a.widened(width, fraction)} {b.widened(width, fraction)})"
    return Integer(script.define(name, width, term), width, fraction)


def round_integer(script: Script, name: str, x: Integer, fraction: int, rule: Rule) -> Integer:
    """Return `x` rounded to a multiple of 2^-fraction, with bits enough that nothing overflows."""
    drop = x.fraction - fraction
    if drop <= 0:
        width = x.width - drop
        return Integer(script.define(name, width, x.widened(width, fraction)), width, fraction)
    # One bit above `drop` at least, so that the last kept bit exists whatever the operand's width.
    width = max(x.width, drop + 1) + 1
    value = script.define(f"{name}.exact", width, x.widened(width, x.fraction))
    negative = f"(bvslt {value} {bv(0, width)})"
    size = script.define(f"{name}.magnitude", width, ite(negative, f"(bvneg {value})", value))
    low = script.define(f"{name}.lower", width, f"(bvlshr {size} {bv(drop, width)})")
    rest = script.define(f"{name}.rest", drop, bits(size, drop - 1, 0))
    half, zero = bv(1 << (drop - 1), drop), bv(0, drop)
    odd = f"(= {bits(low, 0, 0)} #b1)"
    if rule.mode == "sr":
        # k = floor(rest * 2^r / 2^drop) goes up if k + u >= 2^r.
        r = rule.random_bits
        padded = f"(concat {rest} {bv(0, r)})"
        k = f"((_ zero_extend 1) {bits(padded, drop + r - 1, drop)})"
        carry = f"(bvadd {k} ((_ zero_extend 1) {RANDOM}))"
        up = f"(= {bits(carry, r, r)} #b1)"
    else:
        up = {
            "rne": f"(or (bvugt {rest} {half}) (and (= {rest} {half}) {odd}))",
            "rna": f"(bvuge {rest} {half})",
            "rtz": "false",
            "rup": f"(and (not (= {rest} {zero})) (not {negative}))",
            "rdn": f"(and (not (= {rest} {zero})) {negative})",
            "rto": f"(and (not (= {rest} {zero})) (not {odd}))",
        }[rule.mode]
    rounded = script.define(f"{name}.size", width, f"(bvadd {low} {ite(up, bv(1, width), bv(0, width))})")
    signed = ite(negative, f"(bvneg {rounded})", rounded)
    return Integer(script.define(name, width, signed), width, fraction)


def round_float(script: Script, name: str, x: Exact, rule: Rule) -> Integer:
    """Return a finite `x`, whose scale is the target's fraction (plus r for `sr`), as a rounded integer."""
    r = rule.random_bits
    width = max(x.msb + x.scale, r) + 3
    fraction = x.scale - r
    if rule.mode in THEORY_MODE:
        term = f"((_ fp.to_sbv {width}) {THEORY_MODE[rule.mode]} {x.term})"
        return Integer(script.define(name, width, term), width, fraction)
    size = script.define(f"{name}.magnitude", width, f"((_ fp.to_ubv {width}) RTZ (fp.abs {x.term}))")
    if rule.mode == "rto":
        down, up = (f"((_ fp.to_sbv {width}) {directed} {x.term})" for directed in ("RTN", "RTP"))
        odd = ite(f"(= {down} {up})", size, f"(bvor {size} {bv(1, width)})")
        size = script.define(f"{name}.size", width, odd)
    else:
        total = f"(bvadd {size} ((_ zero_extend {width - r}) {RANDOM}))"
        size = script.define(f"{name}.size", width, f"(bvlshr {total} {bv(r, width)})")
    signed = ite(f"(fp.isNegative {x.term})", f"(bvneg {size})", size)
    return Integer(script.define(name, width, signed), width, fraction)


def pattern(
    script: Script, name: str, x: Integer, fmt: FixedFormat, overflow: str, special: Exact | None
) -> str:
    """Return the pattern of `x` in `fmt` after the overflow policy.

    `special` is the float that `x` came from: its NaN becomes 0, its infinities the nearest limit.
    """
    width = max(x.width, fmt.width + 1) + 1
    value = script.define(f"{name}.wide", width, f"((_ sign_extend {width - x.width}) {x.term})")
    low = -(1 << (fmt.width - 1)) if fmt.signed else 0
    high = low + (1 << fmt.width) - 1
    largest, smallest = bv(high, fmt.width), bv(low, fmt.width)
    result = bits(value, fmt.width - 1, 0)
    if overflow == "saturate":
        result = ite(f"(bvsgt {value} {bv(high, width)})", largest, result)
        result = ite(f"(bvslt {value} {bv(low, width)})", smallest, result)
    if special is not None:
        limit = ite(f"(fp.isNegative {special.term})", smallest, largest)
        result = ite(f"(fp.isInfinite {special.term})", limit, result)
        result = ite(f"(fp.isNaN {special.term})", bv(0, fmt.width), result)
    return script.define(name, fmt.width, result)
