"""Round-to-nearest conversions and 8-bit arithmetic against ml_dtypes (and NumPy's float16)."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from hwgen import golden
from hwgen.formats import FloatFormat, Rounding, parse_format

# Overflow policy under which ml_dtypes converts: it never saturates where the format has a NaN.
TYPES = {
    "e5m2": (ml_dtypes.float8_e5m2, "infinity"),
    "e4m3": (ml_dtypes.float8_e4m3, "infinity"),
    "e3m4": (ml_dtypes.float8_e3m4, "infinity"),
    "e4m3fn": (ml_dtypes.float8_e4m3fn, "nan"),
    "e5m2fnuz": (ml_dtypes.float8_e5m2fnuz, "nan"),
    "e4m3fnuz": (ml_dtypes.float8_e4m3fnuz, "nan"),
    "e4m3b11fnuz": (ml_dtypes.float8_e4m3b11fnuz, "nan"),
    "e3m2": (ml_dtypes.float6_e3m2fn, "saturate"),
    "e2m3": (ml_dtypes.float6_e2m3fn, "saturate"),
    "e2m1": (ml_dtypes.float4_e2m1fn, "saturate"),
    "bf16": (ml_dtypes.bfloat16, "infinity"),
    "fp16": (np.float16, "infinity"),
}


def theirs(values, dtype, fmt):
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(dtype).view(fmt.dtype)


def assert_same(got, want, fmt: FloatFormat):
    """Equal patterns; ml_dtypes keeps the sign of NaN where hwgen gives the canonical NaN."""
    nan = np.isnan(fmt.decode(want))
    assert (got[nan] == fmt.invalid_code).all()
    wrong = np.flatnonzero((got != want) & ~nan)
    assert wrong.size == 0, wrong[:5]


@pytest.mark.parametrize("name", TYPES)
def test_every_pattern_decodes_as_ml_dtypes_has_it(name):
    fmt = parse_format(name)
    codes = np.arange(1 << fmt.width).astype(fmt.dtype)
    with np.errstate(invalid="ignore"):  # signalling NaN patterns
        want = codes.view(TYPES[name][0]).astype(np.float64)
    np.testing.assert_array_equal(fmt.decode(codes), want)


def hard_values(fmt: FloatFormat, rng, count):
    """float32 on, at the middle of, and one float32 beside target values; overflow and uniform patterns."""
    grid = np.unique(fmt.decode(rng.integers(0, fmt.max_finite_code, count)).astype(np.float32))
    beyond = 2.0**fmt.emax * np.array([1.5, 1.75, 1.875, 1.9375, 1.96875, 1.99, 1.999])
    grid = np.concatenate([grid, beyond.astype(np.float32)])
    with np.errstate(over="ignore", invalid="ignore"):
        middle = grid[:-1] / 2 + grid[1:] / 2
    points = np.concatenate([grid, middle])
    beside = np.concatenate([np.nextafter(points, np.float32(np.inf)), np.nextafter(points, np.float32(0))])
    uniform = rng.integers(0, 1 << 32, count, dtype=np.uint64).astype(np.uint32).view(np.float32)
    special = np.float32([0, np.inf, np.nan, 1e-45])
    values = np.concatenate([points, beside, uniform, special])
    return np.concatenate([values, -values])


@pytest.mark.parametrize("name", TYPES)
def test_conversion_of_float32_equals_ml_dtypes(name):
    fmt, (dtype, overflow) = parse_format(name), TYPES[name]
    values = hard_values(fmt, np.random.default_rng(1), 200_000)
    if overflow == "saturate":
        values = values[~np.isnan(values)]  # their NaN pattern without a NaN is checked below
    assert_same(fmt.encode(values, overflow=overflow), theirs(values, dtype, fmt), fmt)


@pytest.mark.parametrize("name", ["e3m2", "e2m3", "e2m1"])
def test_nan_in_a_format_without_nan_is_its_negative_zero_as_in_ml_dtypes(name):
    fmt = parse_format(name)
    nan = np.array([np.nan], dtype=np.float32)
    assert fmt.encode(nan)[0] == theirs(nan, TYPES[name][0], fmt)[0] == fmt.sign_mask


def test_e8m0_equals_ml_dtypes_on_normal_float32():
    # ml_dtypes 0.6 rounds subnormal float32 up whatever their fraction: 1.25 * 2^-127 becomes 2^-126.
    fmt = parse_format("e8m0")
    values = 2.0 ** np.arange(-126, 128)[:, None] * np.array([1, 1.25, 1.5, 1.75])
    values = np.concatenate([values.ravel(), [np.nan, np.inf, 0, -1]]).astype(np.float32)
    np.testing.assert_array_equal(
        fmt.encode(values, overflow="nan"), theirs(values, ml_dtypes.float8_e8m0fnu, fmt)
    )
    codes = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(fmt.decode(codes), codes.view(ml_dtypes.float8_e8m0fnu).astype(np.float64))


@pytest.mark.parametrize("operation", ["add", "mul"])
@pytest.mark.parametrize("name", ["e4m3", "e4m3fn", "e4m3fnuz", "e4m3b11fnuz", "e3m4"])
def test_8_bit_arithmetic_equals_ml_dtypes_where_its_float32_detour_is_exact(name, operation):
    # Sums of e4m3 span at most 19 bits and products 8, so float32 holds them and ml_dtypes rounds once.
    fmt, (dtype, overflow) = parse_format(name), TYPES[name]
    codes = np.arange(256, dtype=np.uint8)
    a, b = np.repeat(codes, 256), np.tile(codes, 256)
    with np.errstate(all="ignore"):
        function = np.add if operation == "add" else np.multiply
        want = function(a.view(dtype), b.view(dtype)).view(np.uint8)
    got = getattr(golden, operation)(
        a, b, a_fmt=fmt, b_fmt=fmt, y_fmt=fmt, rounding=Rounding("rne"), overflow=overflow
    )
    assert_same(got, want, fmt)
