"""Conversions in five modes and stochastic rounding, and all decode tables, against gfloat."""

from __future__ import annotations

import gfloat
import numpy as np
import pytest
from gfloat import RoundMode, formats
from gfloat.types import Domain, FormatInfo

from hwgen.formats import FloatFormat, parse_format

GF_MODES = {
    "rne": RoundMode.TiesToEven,
    "rna": RoundMode.TiesToAway,
    "rtz": RoundMode.TowardZero,
    "rup": RoundMode.TowardPositive,
    "rdn": RoundMode.TowardNegative,
}
NAMES = [
    "e5m2",
    "e4m3fn",
    "e4m3fnuz",
    "e5m2fnuz",
    "e3m2",
    "e2m3",
    "e2m1",
    "fp16",
    "bf16",
    "e6m5",
    "e4m3b11fnuz",
]


def gfloat_info(fmt: FloatFormat) -> FormatInfo:
    """The same format in gfloat's terms."""
    top_nans = {"ieee": (1 << fmt.mantissa) - 1, "fn": 1, "fnuz": 0, "none": 0}[fmt.specials]
    return FormatInfo(
        name=fmt.name,
        k=fmt.width,
        precision=fmt.precision,
        bias=fmt.bias,
        is_signed=True,
        domain=Domain.Extended if fmt.has_inf else Domain.Finite,
        has_nz=fmt.has_negative_zero,
        num_high_nans=top_nans,
        has_subnormals=True,
        is_twos_complement=False,
    )


def values_for(fmt: FloatFormat, rng, count):
    body = rng.integers(0, fmt.max_finite_code, count)
    exact = fmt.decode(body)
    step = fmt.decode(body + 1) - exact
    part = rng.choice([0, 0.5, 0.25, 0.75, 2.0**-12, 1 - 2.0**-12, 0.5 - 2.0**-12, 0.5 + 2.0**-12], count)
    values = exact + step * part
    beyond = fmt.decode(fmt.max_finite_code) * np.array([1.01, 1.03, 1.0625, 1.125, 1.5, 2, 100])
    values = np.concatenate([values, beyond, [0.0, np.inf]])
    return np.concatenate([values, -values])


@pytest.mark.parametrize(
    ("name", "info"),
    [
        ("e5m2", formats.format_info_ocp_e5m2),
        ("e4m3fn", formats.format_info_ocp_e4m3),
        ("e3m2", formats.format_info_ocp_e3m2),
        ("e2m3", formats.format_info_ocp_e2m3),
        ("e2m1", formats.format_info_ocp_e2m1),
        ("fp16", formats.format_info_binary16),
        ("bf16", formats.format_info_bfloat16),
    ],
)
def test_decode_table_equals_gfloat(name, info):
    fmt = parse_format(name)
    codes = (
        np.arange(1 << fmt.width)
        if fmt.width <= 8
        else np.random.default_rng(1).integers(0, 1 << fmt.width, 4000)
    )
    want = np.array([gfloat.decode_float(info, int(code)).fval for code in codes])
    np.testing.assert_array_equal(fmt.decode(codes), want)
    np.testing.assert_array_equal(np.signbit(fmt.decode(codes)), np.signbit(want))


@pytest.mark.parametrize("mode", GF_MODES)
@pytest.mark.parametrize("name", NAMES)
def test_conversion_equals_gfloat(name, mode):
    fmt = parse_format(name)
    info = gfloat_info(fmt)
    values = values_for(fmt, np.random.default_rng(2), 3000)
    for overflow in fmt.legal_overflows:
        saturates = overflow == "saturate"
        if not saturates and not fmt.has_nan:
            continue
        want = gfloat.round_ndarray(info, values, GF_MODES[mode], saturates)
        got = fmt.decode(fmt.encode(values, rounding=mode, overflow=overflow))
        wrong = np.flatnonzero(~((got == want) | (np.isnan(got) & np.isnan(want))))
        assert wrong.size == 0, (overflow, values[wrong[:4]], got[wrong[:4]], want[wrong[:4]])


@pytest.mark.parametrize("bits", [1, 3, 8, 13])
@pytest.mark.parametrize("name", NAMES)
def test_stochastic_rounding_equals_gfloats_definition_a(name, bits):
    fmt = parse_format(name)
    rng = np.random.default_rng(bits)
    values = values_for(fmt, rng, 3000)
    words = rng.integers(0, 1 << bits, values.size)
    want = gfloat.round_ndarray(
        gfloat_info(fmt), values, RoundMode.StochasticFastest, True, srbits=words, srnumbits=bits
    )
    got = fmt.decode(fmt.encode(values, rounding="sr", rbits=bits, rand=words, overflow="saturate"))
    np.testing.assert_array_equal(got, want)
