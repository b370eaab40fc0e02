"""Floating-point formats in words: the rows that `hwgen formats NAME` prints."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from hwgen.formats.exact import Exact, floor_log2

if TYPE_CHECKING:
    from hwgen.formats.float_format import FloatFormat

__all__ = ["describe_float"]

_SPECIALS_TEXT = {
    "ieee": "top exponent is infinity and NaN (IEEE 754-2019)",
    "fn": "all ones is NaN, no infinity (OCP OFP8 E4M3)",
    "fnuz": "negative-zero pattern is NaN, no infinity, no -0",
    "none": "every pattern is finite (OCP MX FP6, FP4)",
}


def describe_float(fmt: FloatFormat) -> list[tuple[str, str]]:
    """Return (property, text) rows: fields, range, precision, special values, overflow policies."""
    digits = -(-fmt.width // 4)

    def row(code: int) -> str:
        exact = fmt.unpack(code)
        power = floor_log2(exact.numerator, exact.denominator)
        return f"{_decimal(exact)} = {_decimal(exact, power)} * 2^{power} (0x{code:0{digits}X})"

    rows = [
        ("name", fmt.name),
        ("family", "float"),
        ("width", f"{fmt.width} bits"),
        ("fields", f"sign 1, exponent {fmt.exponent}, mantissa {fmt.mantissa}"),
        ("bias", str(fmt.bias)),
        ("precision", f"{fmt.precision} bits"),
        ("exponents", f"{fmt.emin}..{fmt.emax} (normal)"),
        ("largest finite", row(fmt.max_finite_code)),
        ("smallest normal", row(fmt.min_normal_code)),
    ]
    if not fmt.subnormals:
        rows.append(("subnormals", "flushed to zero"))
    elif fmt.mantissa:
        rows.append(("smallest subnormal", row(1)))
    rows.append(("special values", _SPECIALS_TEXT[fmt.specials]))
    if fmt.inf_code is not None:
        low, high = fmt.inf_code, fmt.inf_code | fmt.sign_mask
        rows.append(("infinities", f"0x{low:0{digits}X}, 0x{high:0{digits}X}"))
    if fmt.nan_code is not None:
        rows.append(("canonical NaN", f"0x{fmt.nan_code:0{digits}X}"))
    zeros = f"0x{0:0{digits}X}" + (f", 0x{fmt.sign_mask:0{digits}X}" if fmt.has_negative_zero else "")
    rows.append(("zeros", zeros))
    rows.append(("overflow", ", ".join(fmt.legal_overflows) + " (the first is the default)"))
    return rows


def _decimal(value: Exact, power: int = 0) -> str:
    """Return value / 2^power as the shortest decimal that float64 tells apart from others."""
    scaled = Fraction(value.numerator, value.denominator) / Fraction(2) ** power
    try:
        return repr(float(scaled)).removesuffix(".0")
    except OverflowError:
        return "beyond float64"
