"""Block formats: the exact choice of shared exponents (MX and MuPPET), elements, shapes."""

from __future__ import annotations

from fractions import Fraction
from math import floor, log2

import numpy as np
import pytest
from gfloat import RoundMode, quantize_block
from gfloat.block import compute_scale_amax
from gfloat.formats import (
    format_info_mxfp4_e2m1,
    format_info_mxfp6_e2m3,
    format_info_mxfp6_e3m2,
    format_info_mxfp8_e4m3,
    format_info_mxfp8_e5m2,
    format_info_mxint8,
)

from hwgen.errors import InputError
from hwgen.formats import BlockCodes, BlockFormat, ExponentFormat, FixedFormat, FloatFormat, parse_format

GFLOAT = {
    "mxfp8_e4m3": format_info_mxfp8_e4m3,
    "mxfp8_e5m2": format_info_mxfp8_e5m2,
    "mxfp6_e3m2": format_info_mxfp6_e3m2,
    "mxfp6_e2m3": format_info_mxfp6_e2m3,
    "mxfp4": format_info_mxfp4_e2m1,
    "mxint8": format_info_mxint8,
}


def wide_values(rng, shape):
    return rng.standard_normal(shape) * 2.0 ** rng.integers(-20, 20, (*shape[:-1], 1))


@pytest.mark.parametrize("name", GFLOAT)
def test_mx_blocks_equal_gfloat(name):
    fmt, rng = parse_format(name), np.random.default_rng(1)
    x = wide_values(rng, (30, 32))
    x[0] = 0
    x[1] *= 1e-300
    got = fmt.decode(fmt.encode(x))
    for row, block in zip(got, x, strict=True):
        want = quantize_block(GFLOAT[name], block, compute_scale_amax, RoundMode.TiesToEven)
        np.testing.assert_array_equal(row, want)


@pytest.mark.parametrize("name", ["mxfp8_e4m3", "mxfp4"])
def test_scale_exponent_is_exact_around_powers_of_two(name):
    fmt = parse_format(name)
    for power in (-100, -3, 0, 7, 100):
        for largest, shift in ((2.0**power, 0), (np.nextafter(2.0**power, 0), -1)):
            codes = fmt.encode(np.full(32, largest))
            assert codes.scales.item() - 127 == power + shift - fmt.element_emax


def muppet_exponent(x, width):
    """TRAINER's rule by search: the smallest e with every x * 2^-e within the half-integer limits."""
    high, low = Fraction(2 ** (width - 1)) - Fraction(1, 2), Fraction(2 ** (width - 1)) + Fraction(1, 2)
    ratios = [high / Fraction(v) if v > 0 else low / -Fraction(v) for v in x.ravel().tolist() if v]
    ratio = min(ratios)
    guess = floor(log2(ratio))
    while Fraction(2) ** guess > ratio:
        guess -= 1
    while Fraction(2) ** (guess + 1) <= ratio:
        guess += 1
    return -guess


@pytest.mark.parametrize("width", [2, 4, 8, 12, 16, 32])
def test_bfp_exponent_is_muppets_rule_exactly(width):
    fmt, rng = parse_format(f"bfp{width}"), np.random.default_rng(width)
    edge = [2.0 ** (width - 1) - 0.5, -(2.0 ** (width - 1)) - 0.5]
    tensors = [rng.standard_normal(9) * 2.0 ** int(rng.integers(-30, 30)) for _ in range(60)]
    tensors += [np.array([value * 2.0**power]) for value in edge for power in (-3, 0, 5)]
    tensors += [np.nextafter(tensor, side) for tensor in tensors[-6:] for side in (np.inf, -np.inf)]
    for x in tensors:
        codes = fmt.encode(x)
        assert codes.scales.view(np.int8).item() == muppet_exponent(x, width)
        assert np.abs(fmt.decode(codes) - x).max() <= 2.0 ** muppet_exponent(x, width)


def test_elements_saturate_where_the_released_code_of_muppet_would_leave_the_range():
    fmt = parse_format("bfp8")
    x = np.array([127.5, -128.5])
    codes = fmt.encode(x, rounding="sr", rbits=4, rand=np.array([15, 15]))
    assert codes.elements.tolist() == [0x7F, 0x80]
    assert codes.scales.item() == 0


def test_all_zero_tensors_take_exponent_zero_or_the_smallest_scale():
    assert parse_format("bfp8").encode(np.zeros(5)).scales.item() == 0
    assert parse_format("mxfp4").encode(np.zeros(32)).scales.item() == 0  # 2^-127


def test_exponents_clamp_to_the_field_and_elements_saturate():
    fmt = parse_format("flex16+5")
    large, tiny = fmt.encode([1e30, -1.0]), fmt.encode([1e-30, 0.0])
    assert (large.scales.item(), large.elements.tolist()) == (15, [0x7FFF, 0])
    assert (tiny.scales.item(), tiny.elements.tolist()) == (0x10, [0, 0])  # -16 in five bits
    assert fmt.decode(large)[0] == 32767 * 2.0**15


def test_sizes_share_scales_over_tensor_row_or_group():
    x = wide_values(np.random.default_rng(3), (4, 6, 64))
    for size, shape in (("tensor", ()), ("row", (4, 6)), (32, (4, 6, 2)), (64, (4, 6, 1))):
        fmt = BlockFormat(FixedFormat(8, 0), size, 8)
        codes = fmt.encode(x)
        assert (codes.scales.shape, codes.elements.shape) == (shape, x.shape)
        assert (fmt.encode(fmt.decode(codes)).elements == codes.elements).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_value_spoils_its_mx_block_and_no_other(bad):
    fmt, x = parse_format("mxfp8_e5m2"), np.ones(64)
    x[40] = bad
    codes = fmt.encode(x)
    assert codes.scales.tolist() == [127 - 15, 0xFF]
    assert np.isnan(fmt.decode(codes)).tolist() == [False] * 32 + [True] * 32
    with pytest.raises(InputError, match="cannot code NaN or infinity"):
        parse_format("bfp8").encode(x)


def test_values_that_underflow_in_scaling_still_round_up():
    fmt = parse_format("bfp8")
    codes = fmt.encode([1e30, 5e-324, -5e-324], rounding="rup")
    assert codes.elements.tolist()[1:] == [1, 0]


@pytest.mark.parametrize("name", ["mxfp8_e4m3", "bfp8", "flex16+5"])
def test_stochastic_elements_take_one_word_each(name):
    fmt, x = parse_format(name), np.full(32, 1.03)
    ups = fmt.decode(fmt.encode(x, rounding="sr", rbits=5, rand=np.arange(32)))
    low, high = (fmt.decode(fmt.encode(x, rounding=mode))[0] for mode in ("rdn", "rup"))
    k = floor((Fraction(1.03) - Fraction(low)) / (Fraction(high) - Fraction(low)) * 32)
    assert np.count_nonzero(ups == high) == k
    assert np.count_nonzero(ups == low) == 32 - k


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BlockFormat(FixedFormat(8, 0, False), 32, 8), "block element 'uint8' must be signed"),
        (lambda: BlockFormat(FixedFormat(40, 0), 32, 8), "block element width 40 out of range: legal: 2..32"),
        (lambda: BlockFormat(FloatFormat(11, 4), 32, 8), "block element exponent width 11 out of range"),
        (lambda: BlockFormat("int8", 32, 8), "block element 'int8' must be a float or a fixed format"),
        (lambda: BlockFormat(FixedFormat(8, 0), 0, 8), "block size 0 out of range"),
        (lambda: BlockFormat(FixedFormat(8, 0), "rows", 8), "block size 'rows' is unknown"),
        (
            lambda: BlockFormat(FixedFormat(8, 0), 32, 11),
            "block scale exponent width 11 out of range: legal: 2..10",
        ),
        (
            lambda: parse_format("mxfp4").encode(np.ones(33)),
            "length 33 is not a multiple of the block size 32",
        ),
        (lambda: parse_format("mxfp4").encode(1.0), "needs at least one axis"),
        (lambda: parse_format("bfp8").encode(np.array([Fraction(1, 3)])), "takes floats of at most 64 bits"),
        (
            lambda: parse_format("bfp8").decode(BlockCodes(np.zeros(4, np.uint8), np.zeros(2, np.uint8))),
            "scales of shape (2,) do not fit elements of shape (4,): legal: ()",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(make, message):
    with pytest.raises(InputError) as caught:
        make()
    assert message in str(caught.value)


def test_scale_format_stands_alone():
    fmt = ExponentFormat()
    values = [1.0, 1.49, 1.5, 3.0, 2.0**-200, 2.0**200, 0.0, -1.0, np.nan]
    assert fmt.encode(values).tolist() == [127, 127, 128, 129, 0, 254, 255, 255, 255]
    assert fmt.encode(values, overflow="nan")[5] == 255
    assert fmt.encode(values, rounding="rtz", overflow="nan")[5] == 254
    assert fmt.encode(1.75, rounding="sr", rbits=2, rand=np.arange(4)).tolist() == [127, 128, 128, 128]
    assert fmt.decode([0, 127, 254]).tolist() == [2.0**-127, 1.0, 2.0**127]
    assert np.isnan(fmt.decode(255))
