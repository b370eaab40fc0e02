"""What floating-point patterns mean: derived properties, decoding, names."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.formats import FloatFormat, Overflow, format_names, parse_format

# width, bias, emin, emax, largest, smallest normal, smallest, Inf, NaN: OCP OFP8 1.0, OCP MX 1.0, IEEE 754.
PUBLISHED = {
    "e5m2": (8, 15, -14, 15, 57344.0, 2.0**-14, 2.0**-16, 0x7C, 0x7E),
    "e4m3fn": (8, 7, -6, 8, 448.0, 2.0**-6, 2.0**-9, None, 0x7F),
    "e5m2fnuz": (8, 16, -15, 15, 57344.0, 2.0**-15, 2.0**-17, None, 0x80),
    "e4m3fnuz": (8, 8, -7, 7, 240.0, 2.0**-7, 2.0**-10, None, 0x80),
    "e3m2": (6, 3, -2, 4, 28.0, 0.25, 0.0625, None, None),
    "e2m3": (6, 1, 0, 2, 7.5, 1.0, 0.125, None, None),
    "e2m1": (4, 1, 0, 2, 6.0, 1.0, 0.5, None, None),
    "fp16": (16, 15, -14, 15, 65504.0, 2.0**-14, 2.0**-24, 0x7C00, 0x7E00),
    "bf16": (16, 127, -126, 127, (2 - 2.0**-7) * 2.0**127, 2.0**-126, 2.0**-133, 0x7F80, 0x7FC0),
    "tf32": (19, 127, -126, 127, (2 - 2.0**-10) * 2.0**127, 2.0**-126, 2.0**-136, 0x3FC00, 0x3FE00),
    "fp32": (32, 127, -126, 127, (2 - 2.0**-23) * 2.0**127, 2.0**-126, 2.0**-149, 0x7F800000, 0x7FC00000),
    "fp64": (64, 1023, -1022, 1023, 2**1023 * (2 - 2.0**-52), 2.0**-1022, 5e-324, 0x7FF << 52, 0xFFF << 51),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_named_formats_have_their_published_limits(name):
    fmt = parse_format(name)
    limits = [fmt.decode(code).item() for code in (fmt.max_finite_code, fmt.min_normal_code, fmt.min_code)]
    got = (fmt.width, fmt.bias, fmt.emin, fmt.emax, *limits, fmt.inf_code, fmt.nan_code)
    assert got == PUBLISHED[name]
    assert fmt.name == name


def test_every_named_float_is_tested_against_its_publication():
    assert set(PUBLISHED) == {name for name in format_names() if parse_format(name).family == "float"}


@pytest.mark.parametrize("name", ["fp16", "fp32", "fp64"])
def test_ieee_patterns_decode_as_numpy_reads_them(name):
    fmt, rng = parse_format(name), np.random.default_rng(1)
    codes = rng.integers(0, (1 << fmt.width) - 1, 5000, dtype=np.uint64, endpoint=True).astype(fmt.dtype)
    numpy_type = {"fp16": np.float16, "fp32": np.float32, "fp64": np.float64}[name]
    with np.errstate(invalid="ignore"):
        want = codes.view(numpy_type).astype(np.float64)
    np.testing.assert_array_equal(fmt.decode(codes), want)


@pytest.mark.parametrize(
    "name", ["e4m3fn", "e4m3fnuz", "e4m3ftz", "e3m0fn", "fp32", "fp64", "e11m3fn", "e5m2b-900"]
)
def test_array_decoding_equals_unpacking_one_by_one(name):
    fmt = parse_format(name)
    top = (1 << fmt.width) - 1
    codes = np.unique(np.random.default_rng(2).integers(0, top, 3000, dtype=np.uint64, endpoint=True))
    for code, value in zip(codes.tolist(), fmt.decode(codes).tolist(), strict=True):
        exact = fmt.unpack(code)
        if exact.is_nan or exact.is_infinite:
            assert repr(value) == repr(exact.number())
        else:
            assert value == exact.number()
            assert value != 0 or np.signbit(value) == exact.negative


def test_formats_beyond_float64_decode_to_fractions():
    fmt = FloatFormat(11, 3, specials="fn")  # its largest value is above 2^1024
    largest, zero, nan = fmt.decode([fmt.max_finite_code, fmt.sign_mask, fmt.nan_code])
    assert largest == Fraction(7, 4) * 2**1024
    assert (zero, str(zero), str(nan)) == (0, "-0.0", "nan")
    assert not fmt.fits_float64


def test_flushing_formats_read_subnormal_patterns_as_zeros_of_their_sign():
    fmt = parse_format("e4m3ftz")
    values = fmt.decode([1, 7, 0x81, 0x87, 8])
    assert values.tolist() == [0, 0, 0, 0, 2.0**-6]
    assert np.signbit(values).tolist() == [False, False, True, True, False]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((4, 3), "e4m3"),
        ((3, 2), "e3m2ieee"),  # plain e3m2 is OCP's FP6
        ((4, 3, 11, "fnuz"), "e4m3b11fnuz"),
        ((5, 2, None, "ieee", False), "e5m2ftz"),
        ((4, 0, -3, "none"), "e4m0b-3none"),
    ],
)
def test_names_say_what_differs_from_ieee_and_can_be_read_back(arguments, name):
    fmt = FloatFormat(*arguments)
    assert fmt.name == name
    assert parse_format(name) == fmt


@pytest.mark.parametrize(
    ("name", "legal"),
    [
        ("e5m2", ("infinity", "saturate")),
        ("e4m3fn", ("saturate", "nan")),
        ("e4m3fnuz", ("saturate", "nan")),
        ("e2m1", ("saturate",)),
    ],
)
def test_each_kind_of_special_values_has_its_overflow_policies(name, legal):
    fmt = parse_format(name)
    assert fmt.legal_overflows == tuple(map(Overflow, legal))
    assert fmt.default_overflow == legal[0]


def test_records_are_values():
    assert FloatFormat(4, 3, 7, "fn") == FloatFormat(4, 3, specials="fn")
    assert len({FloatFormat(5, 2), parse_format("e5m2"), FloatFormat(5, 2, 15)}) == 1
    assert eval(repr(FloatFormat(4, 3))) == FloatFormat(4, 3)
    with pytest.raises(AttributeError):
        FloatFormat(4, 3).bias = 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"exponent": 1, "mantissa": 3}, "float exponent width 1 out of range: legal: 2..11"),
        ({"exponent": 12, "mantissa": 3}, "float exponent width 12 out of range"),
        ({"exponent": 4, "mantissa": 60}, "float mantissa width 60 out of range: legal: 0..52"),
        ({"exponent": 4, "mantissa": -1}, "float mantissa width -1 out of range"),
        ({"exponent": 4, "mantissa": 0}, "leaves no room for a NaN"),
        ({"exponent": 4.0, "mantissa": 3}, "float exponent width 4.0 must be an integer"),
        ({"exponent": True, "mantissa": 3}, "float exponent width True must be an integer"),
        ({"exponent": 4, "mantissa": 3, "bias": 5000}, "float exponent bias 5000 out of range"),
        (
            {"exponent": 4, "mantissa": 3, "specials": "fnu"},
            "unknown float specials 'fnu': did you mean 'fnuz'?",
        ),
        ({"exponent": 4, "mantissa": 3, "subnormals": 1}, "float subnormals 1 must be a boolean"),
    ],
)
def test_impossible_fields_are_quoted_with_the_legal_ones(arguments, message):
    with pytest.raises(InputError) as caught:
        FloatFormat(**arguments)
    assert message in str(caught.value)


def test_patterns_wider_than_the_format_are_refused():
    with pytest.raises(InputError, match="0x40 does not fit 6 bits"):
        parse_format("e3m2").decode([0x40])
