"""Conversion among all families of single numbers: every pattern, mode and policy, against Fractions."""

from __future__ import annotations

import numpy as np
import pytest
from posit_oracle import spec_of

from hwgen import golden
from hwgen.formats import Rounding, parse_format

FORMATS = ("e4m3fn", "e3m2", "e5m2ftz", "int8", "uq2.5", "posit8", "posit9es1", "e8m0")
TARGETS = (*FORMATS, "bf16", "q4.12", "posit12", "posit12es0")
MODES = ("rne", "rna", "rtz", "rup", "rdn", "rto", "sr")


def legal_modes(fmt):
    return ("rne",) if fmt.family == "posit" else MODES


@pytest.mark.parametrize("y", TARGETS)
@pytest.mark.parametrize("x", FORMATS)
def test_every_pattern_of_every_family_converts_as_the_definitions_say(x, y):
    x_fmt, y_fmt = parse_format(x), parse_format(y)
    codes = np.arange(1 << x_fmt.width)
    values = [spec_of(x_fmt).value(code) for code in codes.tolist()]
    words = np.random.default_rng(3).integers(0, 32, len(codes))
    oracle = spec_of(y_fmt)
    for mode in legal_modes(y_fmt):
        bits = 5 if mode == "sr" else None
        for policy in y_fmt.legal_overflows:
            want = [
                oracle.round(value, mode, policy, word, bits or 0)
                for value, word in zip(values, words.tolist(), strict=True)
            ]
            got = golden.convert(
                codes,
                x_fmt=x_fmt,
                y_fmt=y_fmt,
                rounding=Rounding(mode, bits),
                overflow=policy,
                rand=words if bits else None,
            )
            np.testing.assert_array_equal(got, want, f"{x} to {y}, {mode}, {policy}")


@pytest.mark.parametrize("x", ["fp16", "posit16", "q8.8"])
@pytest.mark.parametrize("y", ["posit8", "posit12es1", "e8m0"])
def test_sixteen_bit_patterns_convert_as_the_definitions_say(x, y):
    x_fmt, y_fmt = parse_format(x), parse_format(y)
    codes = np.arange(0, 1 << 16, 7)
    want = [
        spec_of(y_fmt).round(spec_of(x_fmt).value(code), "rne", y_fmt.default_overflow)
        for code in codes.tolist()
    ]
    np.testing.assert_array_equal(
        golden.convert(codes, x_fmt=x_fmt, y_fmt=y_fmt, rounding=Rounding("rne")), want
    )


@pytest.mark.parametrize(("narrow", "wide"), [("posit8", "posit16"), ("posit16", "fp32"), ("posit8", "e6m9")])
def test_a_wider_format_gives_back_what_it_was_given(narrow, wide):
    """fp32 holds posit16's 2^-56..2^56 with 12 bits, e6m9 posit8's 2^-24..2^24 with 4."""
    a, b = parse_format(narrow), parse_format(wide)
    codes = np.arange(1 << a.width)
    there = golden.convert(codes, x_fmt=a, y_fmt=b, rounding=Rounding("rne"))
    np.testing.assert_array_equal(golden.convert(there, x_fmt=b, y_fmt=a, rounding=Rounding("rne")), codes)
