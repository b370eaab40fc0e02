"""What an operator must compute, said with the solver's IEEE floating-point theory.

Every operand pattern becomes a floating-point term of exactly its value; the operation and its one rounding
are the theory's own. Two facts carry any format over to SMT-LIB's IEEE sorts:

*Lifting.* Putting zeros in front of the exponent field turns a pattern of a format into a pattern of a sort with
a wider exponent, whose value is the format's times one fixed power of two: no pattern is left special, the
subnormals stay subnormal, and the bias no longer matters. So one rounding to the sort *is* the format's rounding
with unbounded exponent, gradual underflow included, if everything is scaled by that power.

*Two ways to round once.* If the operands fit the target's sort, the theory's operation there rounds the exact
result once, by definition. Otherwise the operation is done in a sort wide enough to be exact, and the theory's
format conversion rounds.

Rounding to odd and stochastic rounding are not in the theory. Both follow from its rounding toward zero and from
the order of patterns: next to a magnitude's pattern T the pattern of its upper neighbour is T + 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from hwgen.errors import InputError
from hwgen.flow.smt.text import FloatSort, Script, bits, bv, ite, power_of_two, real
from hwgen.formats import FixedFormat, FloatFormat

__all__ = ["THEORY_MODE", "Exact", "Operation", "exactly", "operand", "round_to_float", "same_value"]

Operation = Literal["convert", "add", "mul", "fma"]

#: Rounding modes that the floating-point theory has, under its names.
THEORY_MODE = {"rne": "RNE", "rna": "RNA", "rtz": "RTZ", "rup": "RTP", "rdn": "RTN"}


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
    sort = FloatSort(fmt.exponent if _is_plain(fmt) else fmt.exponent + 1, max(2, fmt.precision))
    term = script.define(f"{name}.value", sort, _lift(name, fmt, sort, flush=not fmt.subnormals))
    return Exact(term, sort, sort.emin - fmt.emin, fmt.precision, fmt.emin - fmt.mantissa, fmt.emax)


def _is_plain(fmt: FloatFormat) -> bool:
    """Say whether SMT-LIB's own sort has this format's patterns and values."""
    ieee_bias = (1 << (fmt.exponent - 1)) - 1
    return fmt.specials == "ieee" and fmt.bias == ieee_bias and fmt.subnormals and fmt.mantissa > 0


def _sort_with_exponents(largest: int, sb: int) -> FloatSort:
    """Return the smallest sort of precision `sb` whose normals reach from 2^-largest to 2^largest."""
    return FloatSort((largest + 1).bit_length() + 1, sb)


def _lift(
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

    `zero_mode` is the theory's rounding mode: nothing is rounded, but the sign of a cancelled sum depends on it.
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


@dataclass(frozen=True)
class _Target:
    """The sort in which the result format's grid is the sort's own grid."""

    fmt: FloatFormat
    sort: FloatSort
    scale: int


def _targets(fmt: FloatFormat, extra_bits: int) -> list[_Target]:
    """Return sorts to round in, narrowest first, each with `extra_bits` more precision than the format."""
    sb = fmt.precision + extra_bits
    # The format's own sort would do for any plain format, but with extra bits an overflow must stay visible.
    first = fmt.exponent if _is_plain(fmt) and not extra_bits else fmt.exponent + 1
    # z3 5.4 rounds subnormals wrongly in sorts whose precision dwarfs their exponent range (docs/proof.md).
    first = max(first, sb.bit_length())
    # Flushing compares the rounded result with the smallest normal number, so the sort must still round
    # correctly in the binade below it: the format's smallest normal lies one binade above the sort's.
    below = 0 if fmt.subnormals else 1
    sorts = [FloatSort(eb, sb) for eb in range(first, first + 6)]
    return [_Target(fmt, sort, sort.emin - fmt.emin + below) for sort in sorts]


def round_to_float(
    script: Script,
    name: str,
    operation: Operation,
    operands: tuple[Exact, ...],
    fmt: FloatFormat,
    *,
    mode: str,
    overflow: str,
    random: str | None = None,
    random_bits: int = 0,
) -> Exact:
    """Return the operation's result rounded to `fmt`, overflow, flushing and signed zeros included.

    Parameters
    ----------
    mode : {'rne', 'rna', 'rtz', 'rup', 'rdn', 'rto', 'sr'}
        Rounding mode.
    overflow : {'infinity', 'saturate', 'nan'}
        Overflow policy.
    random : str, optional
        For `sr`, the bit vector of `random_bits` random bits.

    Returns
    -------
    Exact
        A term whose NaN stands for the format's canonical NaN.

    Raises
    ------
    InputError
        If the format has no mantissa bits: SMT-LIB has no one-bit significand to round to.
    """
    if fmt.mantissa == 0:
        raise InputError(f"no theorem for results in {fmt.name}: SMT-LIB has no sort of one significant bit")
    targets = _targets(fmt, random_bits if mode == "sr" else 0)
    theory = THEORY_MODE.get(mode, "RTZ")

    scales: tuple[int, ...] | None = None
    target = targets[0]
    for candidate in targets:
        scales = _scales_that_fit(operation, operands, candidate)
        if scales is not None:
            target = candidate
            break
    if scales is None:
        exact = exactly(script, f"{name}.exact", operation, operands, scale=target.scale, zero_mode=theory)
        opcode = f"(_ to_fp {target.sort.indices})"
        arguments = exact.term
    else:
        opcode = f"fp.{operation}"
        arguments = " ".join(
            part.embed(script, f"{name}.operand{index}", target.sort, scale)
            for index, (part, scale) in enumerate(zip(operands, scales, strict=True))
        )

    def rounded(rounding: str, suffix: str = "") -> str:
        return script.define(f"{name}.{rounding}{suffix}", target.sort, f"({opcode} {rounding} {arguments})")

    if mode in THEORY_MODE:
        result = rounded(theory)
    elif mode == "rto":
        result = _to_odd(script, name, target, rounded("RTZ"), rounded("RTN"), rounded("RTP"))
    else:
        if random is None:
            raise ValueError("stochastic rounding needs its random word")
        result = _stochastic(script, name, target, rounded("RTZ"), random, random_bits)
        target = _Target(fmt, FloatSort(target.sort.eb, fmt.precision), target.scale)
    final = script.define(f"{name}.result", target.sort, _finish(result, target, mode, overflow))
    return Exact(final, target.sort, target.scale, fmt.precision, fmt.emin - fmt.mantissa, fmt.emax)


def _scales_that_fit(
    operation: Operation, operands: tuple[Exact, ...], target: _Target
) -> tuple[int, ...] | None:
    """Return a scale for each operand so that the operation in the target's sort rounds the exact result once."""
    sort, scale = target.sort, target.scale
    if operation == "convert":
        return None
    if operation != "mul" and sort.eb > sort.sb:
        return None  # z3 does not add in such sorts
    addends = operands if operation == "add" else operands[2:]
    if not all(part.fits(sort, scale) for part in addends):
        return None
    if operation == "add":
        return (scale, scale)
    a, b = operands[:2]
    # The product carries the scale; the factors may share it in any way that leaves both in the sort.
    least = max(sort.lsb - a.lsb, scale - sort.emax + b.msb)
    most = min(sort.emax - a.msb, scale - sort.lsb + b.lsb)
    if least > most or max(a.precision, b.precision) > sort.sb:
        return None
    cheap = [first for first in (a.scale, scale - b.scale) if least <= first <= most]  # one factor unscaled
    first = cheap[0] if cheap else (least + most) // 2
    return (first, scale - first, *(scale for _ in addends))


def _pattern(script: Script, name: str, magnitude: str, sort: FloatSort) -> str:
    """Return the bit pattern of a magnitude; SMT-LIB has only the function the other way, so it is asked for."""
    width = sort.eb + sort.sb - 1
    script.declare(name, width)
    script.assert_(f"(= ((_ to_fp {sort.indices}) (concat #b0 {name})) {magnitude})")
    return name


def _is_special(term: str) -> str:
    return f"(or (fp.isNaN {term}) (fp.isInfinite {term}))"


def _sign(term: str) -> str:
    return ite(f"(fp.isNegative {term})", "#b1", "#b0")


def _to_odd(script: Script, name: str, target: _Target, truncated: str, down: str, up: str) -> str:
    """Return the odd neighbour if the result is inexact, that is if its two directed roundings differ."""
    sort = target.sort
    width = sort.eb + sort.sb - 1
    pattern = _pattern(script, f"{name}.bits", f"(fp.abs {truncated})", sort)
    odd = f"((_ to_fp {sort.indices}) (concat {_sign(truncated)} (bvor {pattern} {bv(1, width)})))"
    exact = f"(or {_is_special(truncated)} (fp.eq {down} {up}))"
    return script.define(f"{name}.odd", sort, ite(exact, truncated, odd))


def _stochastic(script: Script, name: str, target: _Target, truncated: str, random: str, r: int) -> str:
    """Return the result of adding the random word at r bits below the last place, and cutting there.

    The magnitude truncated to r more bits is lo + k 2^-r ulp with k = floor(f 2^r); its pattern is the pattern of
    lo followed by k in r bits, so adding the word u carries into lo's pattern exactly if k + u >= 2^r.
    """
    wide = target.sort
    narrow = FloatSort(wide.eb, wide.sb - r)
    width = wide.eb + wide.sb - 1
    pattern = _pattern(script, f"{name}.bits", f"(fp.abs {truncated})", wide)
    total = script.define(f"{name}.sum", width, f"(bvadd {pattern} ((_ zero_extend {width - r}) {random}))")
    cut = f"((_ to_fp {narrow.indices}) (concat {_sign(truncated)} {bits(total, width - 1, r)}))"
    special = f"((_ to_fp {narrow.indices}) RTZ {truncated})"
    return script.define(f"{name}.sr", narrow, ite(_is_special(truncated), special, cut))


def _finish(term: str, target: _Target, mode: str, overflow: str) -> str:
    """Apply overflow policy, flushing, and the zeros and NaNs of the format to a rounded result."""
    fmt, sort = target.fmt, target.sort
    result = term
    if not (sort.eb == fmt.exponent and overflow == "infinity"):  # the sort's own overflow is the format's
        unit = Fraction(2) ** target.scale
        largest = real(_magnitude(fmt, fmt.max_finite_code) * unit, sort)
        minus_largest = f"(fp.neg {largest})"
        signed_largest = ite(f"(fp.isNegative {term})", minus_largest, largest)
        too_big = f"(fp.gt (fp.abs {term}) {largest})"
        result = ite(too_big, _overflowed(term, sort, signed_largest, mode, overflow), result)
    if not fmt.subnormals:
        smallest = real(Fraction(2) ** (fmt.emin + target.scale), sort)
        zero = ite(f"(fp.isNegative {term})", f"(_ -zero {sort.indices})", f"(_ +zero {sort.indices})")
        result = ite(f"(fp.lt (fp.abs {term}) {smallest})", zero, result)
    if fmt.specials == "fnuz":
        result = f"(let ((z {result})) (ite (fp.isZero z) (_ +zero {sort.indices}) z))"
    if fmt.specials == "none":
        result = f"(let ((z {result})) (ite (fp.isNaN z) (_ -zero {sort.indices}) z))"
    return result


def _overflowed(term: str, sort: FloatSort, signed_largest: str, mode: str, overflow: str) -> str:
    if overflow == "saturate":
        return signed_largest
    infinite = ite(f"(fp.isNegative {term})", f"(_ -oo {sort.indices})", f"(_ +oo {sort.indices})")
    if overflow == "nan":
        infinite = f"(_ NaN {sort.indices})"
    to_infinity = {
        "rup": f"(or (fp.isInfinite {term}) (fp.isPositive {term}))",
        "rdn": f"(or (fp.isInfinite {term}) (fp.isNegative {term}))",
        "rtz": f"(fp.isInfinite {term})",
        "rto": f"(fp.isInfinite {term})",
    }.get(mode, "true")
    return ite(to_infinity, infinite, signed_largest)


def _magnitude(fmt: FloatFormat, code: int) -> Fraction:
    """Return the value of a normal, positive pattern."""
    mantissa = code & ((1 << fmt.mantissa) - 1)
    exponent = (code >> fmt.mantissa) - fmt.bias
    return Fraction(mantissa + (1 << fmt.mantissa), 1 << fmt.mantissa) * Fraction(2) ** exponent


def same_value(pattern: str, fmt: FloatFormat, result: Exact) -> str:
    """Say that `pattern` is the one encoding of `result`: the canonical NaN, or that value and sign."""
    below = 0 if fmt.subnormals else 1
    value = _lift(pattern, fmt, result.sort, raise_exponent=below)
    equal = f"(= {value} {result.term})"
    if fmt.specials == "none":
        return equal
    canonical = f"(= {pattern} {bv(fmt.nan_code, fmt.width)})"
    return f"(ite (fp.isNaN {result.term}) {canonical} {equal})"
