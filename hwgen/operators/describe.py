"""What a unit does, in sentences: for the headers and READMEs of emitted projects.

Each sentence states what docs and golden models define; nothing is decided here.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from hwgen.formats import ExponentFormat, FixedFormat, FloatFormat, Overflow, PositFormat, RoundingMode
from hwgen.operators.operator import Operator
from hwgen.operators.port import ElementFormat

__all__ = ["format_sentence", "overflow_sentence", "rounding_sentence", "special_sentences", "value_text"]

_MODES = {
    RoundingMode.RNE: "to nearest, ties to even",
    RoundingMode.RNA: "to nearest, ties away from zero",
    RoundingMode.RTZ: "toward zero",
    RoundingMode.RUP: "toward plus infinity",
    RoundingMode.RDN: "toward minus infinity",
    RoundingMode.RTO: "to odd: an inexact result takes the neighbour whose last bit is 1",
}


def value_text(value: Fraction | float) -> str:
    """Write a finite value for people: a power of two as such, else as a decimal of at most six digits."""
    exact = Fraction(value)
    sign, magnitude = ("-" if exact < 0 else ""), abs(exact)
    if (
        magnitude.numerator & (magnitude.numerator - 1) == 0
        and magnitude.denominator & (magnitude.denominator - 1) == 0
    ):
        exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
        if magnitude and abs(exponent) > 3:
            return f"{sign}2^{exponent}"
    if magnitude > Fraction(np.finfo(np.float64).max):
        return f"{sign}about 2^{magnitude.numerator.bit_length() - magnitude.denominator.bit_length()}"
    return f"{float(exact):.6g}"


def format_sentence(format_: ElementFormat) -> str:
    """Return fields, range, precision and special values of a format."""
    if isinstance(format_, ExponentFormat):
        ends = value_text(Fraction(2) ** format_.emin), value_text(Fraction(2) ** format_.emax)
        return f"a power of two from {ends[0]} to {ends[1]}; NaN 0x{format_.nan_code:x}"
    if isinstance(format_, PositFormat):
        top = value_text(Fraction(2) ** format_.emax)
        return (
            f"posit with {format_.es} exponent bits: magnitudes from 1/{top} to {top}; "
            f"NaR 0x{format_.nan_code:x}"
        )
    if isinstance(format_, FixedFormat):
        sign = "two's complement" if format_.signed else "unsigned"
        step = value_text(Fraction(2) ** -format_.fraction)
        low = -(1 << (format_.width - 1)) if format_.signed else 0
        high = (1 << (format_.width - format_.signed)) - 1
        scale = Fraction(2) ** -format_.fraction
        # Six digits do not tell the end of a long range from the power of two beyond it.
        end = value_text(high * scale) if high < 10**6 else f"{value_text((high + 1) * scale)} - {step}"
        span = f"{value_text(low * scale)} to {end} in steps of {step}"
        return f"{sign}, {format_.fraction} fraction bits: {span}"
    largest = value_text(_value(format_, format_.max_finite_code))
    smallest = value_text(_value(format_, format_.min_normal_code))
    below = (
        f"subnormals from {value_text(_value(format_, 1))}"
        if format_.subnormals
        else "subnormals flushed to zero"
    )
    if format_.mantissa == 0:
        below = "no subnormals"
    return (
        f"1 sign, {format_.exponent} exponent (bias {format_.bias}), {format_.mantissa} fraction bits: "
        f"normals from {smallest} to {largest}, {below}; {_specials(format_)}"
    )


def rounding_sentence(operator: Operator) -> str:
    """Return how results are rounded."""
    rounding = operator.spec.rounding
    if rounding.bits is None:
        return f"{_MODES[rounding.mode]} ({rounding.mode.value})"
    source = "the port rand"
    if operator.state is not None:
        source = f"the low bits of a {operator.state.width}-bit LFSR, which then makes {rounding.bits} shifts"
    bits = rounding.bits
    decision = getattr(operator.spec, "decision", f"k + u >= 2^{bits}")
    when = ", added eagerly, while the sum is normalised" if rounding.eager else ""
    return (
        f"stochastic (sr): f is the discarded fraction of an ulp of the exact result, "
        f"k = floor(f * 2^{bits}); "
        f"the magnitude is rounded up when {decision}, where the {bits}-bit word u is {source}{when}"
    )


def overflow_sentence(operator: Operator) -> str:
    """Return what becomes of results that are too large."""
    policy, result = operator.spec.overflow, operator.result_format
    if isinstance(result, FixedFormat):
        if policy is Overflow.WRAP:
            return f"the rounded result modulo 2^{result.width} (wrap)"
        return "the nearest end of the range (saturate)"
    if isinstance(result, PositFormat):
        return "maxpos of the result's sign, as the standard demands; infinite exact results are NaR"
    match policy:
        case Overflow.SATURATE:
            return "the largest finite value of the result's sign, also for infinite exact results (saturate)"
        case Overflow.NAN:
            return "the canonical NaN (nan)"
        case _ if operator.spec.rounding.mode in (RoundingMode.RTZ, RoundingMode.RTO):
            return "the largest finite value of the result's sign (IEEE 754 in this rounding mode)"
        case _ if operator.spec.rounding.mode in (RoundingMode.RUP, RoundingMode.RDN):
            return "infinity in the direction of rounding, else the largest finite value (IEEE 754)"
        case _:
            return "infinity of the result's sign (IEEE 754)"


def special_sentences(operator: Operator) -> list[str]:
    """Return what becomes of NaNs, infinities, zeros and tiny results; only what this unit can meet."""
    form = operator.definition.form
    if form is None:
        return operator.definition.sentences(operator.spec)
    operands = [format_ for port in operator.lane_inputs for format_ in port.element_formats]
    floats = [format_ for format_ in operands if isinstance(format_, FloatFormat)]
    result = operator.result_format
    sentences = []
    causes = [
        f"{name} operands"
        for name, families in (("NaN", (FloatFormat, ExponentFormat)), ("NaR", (PositFormat,)))
        if any(isinstance(format_, families) and format_.has_nan for format_ in operands)
    ]
    if causes:
        multiplies = len(form.factors) > 1
        infinities = any(format_.has_inf for format_ in floats)
        if infinities and multiplies:
            causes.append("0 * Inf")
        if infinities and form.addend is not None:
            causes.append("Inf - Inf")
        sentences.append(f"{_enumeration(causes)} give {_invalid(result)}.")
    if isinstance(result, PositFormat):
        ends = f"minpos, 2^{-result.emax}, or maxpos, 2^{result.emax}"
        sentences.append(f"Nothing else is rounded to zero or NaR: beyond the range it is {ends}.")
    if isinstance(result, ExponentFormat):
        sentences.append(f"Zero and negative results are NaN, positive ones below 2^{result.emin} are that.")
    if isinstance(result, FloatFormat):
        if form.addend is not None:
            sign = (
                "-0" if operator.spec.rounding.mode is RoundingMode.RDN and result.has_negative_zero else "+0"
            )
            sentences.append(f"A sum that cancels exactly is {sign}.")
        if not result.has_negative_zero:
            sentences.append("Every zero result is code 0; the format has no -0.")
        if not result.subnormals:
            sentences.append("A result below the smallest normal is zero of its sign.")
    if any(not format_.subnormals for format_ in floats):
        sentences.append("A subnormal operand of a flushing format reads as zero of its sign.")
    return sentences


def _invalid(result: Any) -> str:
    if isinstance(result, FixedFormat):
        return "0"
    if isinstance(result, PositFormat | ExponentFormat):
        name = "NaR" if isinstance(result, PositFormat) else "NaN"
        return f"{name} 0x{result.nan_code:0{-(-result.width // 4)}x}"
    what = "the canonical NaN" if result.has_nan else "the negative-zero pattern, for want of a NaN,"
    return f"{what} 0x{result.invalid_code:0{-(-result.width // 4)}x}"


def _value(format_: FloatFormat, code: int) -> Fraction | float:
    decoded = format_.decode(np.array([code], dtype=format_.dtype))[0]
    return decoded if isinstance(decoded, Fraction) else float(decoded)


def _specials(format_: FloatFormat) -> str:
    if format_.has_inf:
        return "NaN and infinity"
    return "NaN, no infinity" if format_.has_nan else "every pattern finite"


def _enumeration(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
