"""One rounding to a float format, said with the solver's IEEE floating-point theory.

If everything is scaled so that the format's patterns, lifted, are the sort's (see
`hwgen.flow.smt.values`), then rounding to the sort *is* the format's rounding with unbounded exponent,
gradual underflow included. There are two ways to round once. If the operands fit the target's sort, the
theory's operation there rounds the exact result once, by definition. Otherwise the operation is done in a
sort wide enough to be exact, and the theory's format conversion rounds.

Rounding to odd and stochastic rounding are not in the theory. Both follow from its rounding toward zero
and from the order of patterns: if T is a magnitude's pattern, T + 1 is the pattern of its upper
neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from hwgen.errors import InputError
from hwgen.flow.smt.text import FloatSort, Script, bits, bv, ite, real
from hwgen.flow.smt.values import Exact, Operation, exactly, is_plain, lift
from hwgen.formats import FloatFormat

__all__ = ["RANDOM", "THEORY_MODE", "Rule", "round_to_float", "same_value"]

#: Rounding modes that the floating-point theory has, under its names.
THEORY_MODE = {"rne": "RNE", "rna": "RNA", "rtz": "RTZ", "rup": "RTP", "rdn": "RTN"}

#: Name of the random word of stochastic rounding.
RANDOM = "rand"


@dataclass(frozen=True)
class Rule:
    """How a result is rounded.

    Attributes
    ----------
    mode : {'rne', 'rna', 'rtz', 'rup', 'rdn', 'rto', 'sr'}
        Rounding mode.
    overflow : {'infinity', 'saturate', 'nan', 'wrap'}
        Overflow policy of the result format.
    random_bits : int
        For `sr`, the width of the random word ``rand``; else 0.
    """

    mode: str
    overflow: str
    random_bits: int = 0


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
    first = fmt.exponent if is_plain(fmt) and not extra_bits else fmt.exponent + 1
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
    rule: Rule,
) -> Exact:
    """Return an operation's result rounded to `fmt`, overflow, flushing and signed zeros included.

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
    theory = THEORY_MODE.get(rule.mode, "RTZ")
    target, scales = _choose_target(operation, operands, _targets(fmt, rule.random_bits))
    if scales is None:
        opcode = f"(_ to_fp {target.sort.indices})"
        exact = exactly(script, f"{name}.exact", operation, operands, scale=target.scale, zero_mode=theory)
        arguments = exact.term
    else:
        opcode = f"fp.{operation}"
        arguments = " ".join(
            part.embed(script, f"{name}.operand{index}", target.sort, scale)
            for index, (part, scale) in enumerate(zip(operands, scales, strict=True))
        )

    def rounded(mode: str) -> str:
        return script.define(f"{name}.{mode}", target.sort, f"({opcode} {mode} {arguments})")

    if rule.mode in THEORY_MODE:
        result = rounded(theory)
    elif rule.mode == "rto":
        result = _to_odd(script, name, target, rounded("RTZ"), rounded("RTN"), rounded("RTP"))
    else:
        result = _stochastic(script, name, target, rounded("RTZ"), rule.random_bits)
        target = _Target(fmt, FloatSort(target.sort.eb, fmt.precision), target.scale)
    final = script.define(f"{name}.result", target.sort, _finish(result, target, rule))
    return Exact(final, target.sort, target.scale, fmt.precision, fmt.emin - fmt.mantissa, fmt.emax)


def _choose_target(
    operation: Operation, operands: tuple[Exact, ...], targets: list[_Target]
) -> tuple[_Target, tuple[int, ...] | None]:
    """Return where to round, with the operands' scales if the operation can be done right there."""
    for target in targets:
        scales = _scales_that_fit(operation, operands, target)
        if scales is not None:
            return target, scales
    return targets[0], None


def _scales_that_fit(
    operation: Operation, operands: tuple[Exact, ...], target: _Target
) -> tuple[int, ...] | None:
    """Return the operands' scales at which the operation in the target's sort rounds once, if any."""
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
    """Return the bit pattern of a magnitude, as the one that means it: SMT-LIB has no function this way."""
    width = sort.eb + sort.sb - 1
    script.declare(name, width)
    script.demand(f"(= ((_ to_fp {sort.indices}) (concat #b0 {name})) {magnitude})")
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


def _stochastic(script: Script, name: str, target: _Target, truncated: str, r: int) -> str:
    """Return the result of adding the random word, r bits below the last place, and cutting there.

    The magnitude truncated to r more bits is lo + k 2^-r ulp with k = floor(f 2^r). Its pattern is that of lo
    followed by k in r bits, so adding the word u carries into lo's pattern exactly if k + u >= 2^r.
    """
    wide = target.sort
    narrow = FloatSort(wide.eb, wide.sb - r)
    width = wide.eb + wide.sb - 1
    pattern = _pattern(script, f"{name}.bits", f"(fp.abs {truncated})", wide)
    total = script.define(f"{name}.sum", width, f"(bvadd {pattern} ((_ zero_extend {width - r}) {RANDOM}))")
    cut = f"((_ to_fp {narrow.indices}) (concat {_sign(truncated)} {bits(total, width - 1, r)}))"
    special = f"((_ to_fp {narrow.indices}) RTZ {truncated})"
    return script.define(f"{name}.sr", narrow, ite(_is_special(truncated), special, cut))


def _finish(term: str, target: _Target, rule: Rule) -> str:
    """Apply overflow policy, flushing, and the zeros and NaNs of the format to a rounded result."""
    fmt, sort = target.fmt, target.sort
    result = term
    if not (
        sort.eb == fmt.exponent and rule.overflow == "infinity"
    ):  # the sort's own overflow is the format's
        unit = Fraction(2) ** target.scale
        largest = real(_magnitude(fmt, fmt.max_finite_code) * unit, sort)
        minus_largest = f"(fp.neg {largest})"
        signed_largest = ite(f"(fp.isNegative {term})", minus_largest, largest)
        too_big = f"(fp.gt (fp.abs {term}) {largest})"
        result = ite(too_big, _overflowed(term, sort, signed_largest, rule), result)
    if not fmt.subnormals:
        smallest = real(Fraction(2) ** (fmt.emin + target.scale), sort)
        zero = ite(f"(fp.isNegative {term})", f"(_ -zero {sort.indices})", f"(_ +zero {sort.indices})")
        result = ite(f"(fp.lt (fp.abs {term}) {smallest})", zero, result)
    if fmt.specials == "fnuz":
        result = f"(let ((z {result})) (ite (fp.isZero z) (_ +zero {sort.indices}) z))"
    if fmt.specials == "none":
        result = f"(let ((z {result})) (ite (fp.isNaN z) (_ -zero {sort.indices}) z))"
    return result


def _overflowed(term: str, sort: FloatSort, signed_largest: str, rule: Rule) -> str:
    if rule.overflow == "saturate":
        return signed_largest
    infinite = ite(f"(fp.isNegative {term})", f"(_ -oo {sort.indices})", f"(_ +oo {sort.indices})")
    if rule.overflow == "nan":
        infinite = f"(_ NaN {sort.indices})"
    to_infinity = {
        "rup": f"(or (fp.isInfinite {term}) (fp.isPositive {term}))",
        "rdn": f"(or (fp.isInfinite {term}) (fp.isNegative {term}))",
        "rtz": f"(fp.isInfinite {term})",
        "rto": f"(fp.isInfinite {term})",
    }.get(rule.mode, "true")
    return ite(to_infinity, infinite, signed_largest)


def _magnitude(fmt: FloatFormat, code: int) -> Fraction:
    """Return the value of a normal, positive pattern."""
    mantissa = code & ((1 << fmt.mantissa) - 1)
    exponent = (code >> fmt.mantissa) - fmt.bias
    return Fraction(mantissa + (1 << fmt.mantissa), 1 << fmt.mantissa) * Fraction(2) ** exponent


def same_value(pattern: str, fmt: FloatFormat, result: Exact) -> str:
    """Say that `pattern` is the one encoding of `result`: the canonical NaN, or that value and sign."""
    below = 0 if fmt.subnormals else 1
    value = lift(pattern, fmt, result.sort, raise_exponent=below)
    equal = f"(= {value} {result.term})"
    if fmt.nan_code is None:
        return equal
    canonical = f"(= {pattern} {bv(fmt.nan_code, fmt.width)})"
    return f"(ite (fp.isNaN {result.term}) {canonical} {equal})"
