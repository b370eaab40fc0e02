"""The plain golden model of quantisation to shared exponents: one block at a time, exact integers.

The definition of every bit, meant to be checked by reading; `hwgen.golden.quantize` is the fast twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from hwgen.formats import BlockFormat, FixedFormat, FloatFormat, Overflow, Rounding
from hwgen.formats.exact import Exact, floor_log2
from hwgen.formats.exponent_format import ExponentFormat

__all__ = ["exact_block", "exact_element", "exact_exponent", "scale_code", "scale_exponent", "with_headroom"]


def exact_exponent(values: Sequence[Exact], fmt: BlockFormat) -> int:
    """Return the shared exponent of finite values; the rules are in `BlockFormat`'s notes."""
    lowest, highest = fmt.scale_range
    largest = max((Fraction(v.numerator, v.denominator) for v in values), default=Fraction(0))
    if not largest:
        return lowest if isinstance(fmt.scale, ExponentFormat) else 0
    if isinstance(fmt.scale, ExponentFormat) or isinstance(fmt.element, FloatFormat):
        exponent = floor_log2(largest.numerator, largest.denominator) - fmt.element_emax
    else:
        # R = min(|maxVal / max x|, |minVal / min x|) over the signs present, in MuPPET's words.
        ratios: list[Fraction] = []
        for negative, limit in ((False, -Fraction(1, 2)), (True, Fraction(1, 2))):
            side = [Fraction(v.numerator, v.denominator) for v in values if v.negative == negative]
            most = max(side, default=Fraction(0))
            if most:
                ratios.append((2 ** (fmt.element.width - 1) + limit) / most)
        r = min(ratios)
        exponent = -floor_log2(r.numerator, r.denominator) + fmt.element.fraction
    return min(max(exponent, lowest), highest)


def exact_block(
    values: Sequence[Exact], fmt: BlockFormat, *, rounding: Rounding, words: Sequence[int]
) -> tuple[list[int], int, bool]:
    """Return element patterns, scale pattern, and whether the block held a NaN or an infinity.

    Such a block has zero elements, and the NaN scale or, without one, exponent 0.
    """
    if any(value.special for value in values):
        return [0] * len(values), scale_code(None, fmt), True
    exponent = exact_exponent(values, fmt)
    pairs = zip(values, words, strict=True)
    elements = [exact_element(value, exponent, fmt, rounding=rounding, word=word)[0] for value, word in pairs]
    return elements, scale_code(exponent, fmt), False


def exact_element(
    value: Exact, exponent: int | None, fmt: BlockFormat, *, rounding: Rounding, word: int
) -> tuple[int, bool]:
    """Return the element of `value` under a given shared exponent, and whether it overflowed.

    It overflows if, rounded with unbounded exponent, it is beyond the largest element; then it saturates.
    Infinities and NaN count as overflows. The exponent None is the scale NaN: element 0, overflow.
    """
    if exponent is None:
        return 0, True
    scaled = value
    if not value.special:
        up, down = max(-exponent, 0), max(exponent, 0)
        scaled = Exact(value.negative, value.numerator << up, value.denominator << down)
    element = fmt.element
    code = element.pack(scaled, rounding=rounding, overflow=Overflow.SATURATE, word=word)
    wide = with_headroom(element)
    unbounded = wide.unpack(wide.pack(scaled, rounding=rounding, overflow=Overflow.SATURATE, word=word))
    kept = element.unpack(code)
    same = unbounded.numerator * kept.denominator == kept.numerator * unbounded.denominator
    return code, bool(value.special) or not same


def with_headroom(element: FloatFormat | FixedFormat) -> FloatFormat | FixedFormat:
    """Return the element format with another bit of range: a value that saturates here is larger there."""
    if isinstance(element, FixedFormat):
        return FixedFormat(element.width + 1, element.fraction)
    return FloatFormat(
        element.exponent + 1, element.mantissa, element.bias, specials="none", subnormals=element.subnormals
    )


def scale_code(exponent: int | None, fmt: BlockFormat) -> int:
    """Return the pattern of a shared exponent; None is NaN, or exponent 0 in a field without one."""
    if isinstance(fmt.scale, ExponentFormat):
        return fmt.scale.nan_code if exponent is None else exponent + fmt.scale.bias
    return (exponent or 0) & ((1 << fmt.scale) - 1)


def scale_exponent(code: int, fmt: BlockFormat) -> int | None:
    """Return the shared exponent of a scale pattern; None for NaN."""
    if isinstance(fmt.scale, ExponentFormat):
        return None if code == fmt.scale.nan_code else code - fmt.scale.bias
    return code - (1 << fmt.scale) if code >> (fmt.scale - 1) else code
