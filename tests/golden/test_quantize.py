"""Quantisation to shared exponents against gfloat, ml_dtypes, Fractions, and its own plain path."""

from __future__ import annotations

from fractions import Fraction

import gfloat
import ml_dtypes
import numpy as np
import pytest
from gfloat import formats as gf
from gfloat.block import BlockFormatInfo, compute_scale_amax
from gfloat.block import quantize_block as gfloat_quantize_block
from golden_vectors import edge_codes, random_codes

from hwgen.errors import InputError
from hwgen.formats import BlockFormat, FixedFormat, FloatFormat, Overflow, Rounding, parse_format
from hwgen.formats.exponent_format import ExponentFormat
from hwgen.golden import quantize, quantize_inverse
from hwgen.golden.quantize import quantize_block, quantize_elements, shared_scale
from hwgen.golden.quantize_inverse import dequantize

FP32 = parse_format("fp32")
MX = {
    "mxfp8_e4m3": (gf.format_info_ocp_e4m3, ml_dtypes.float8_e4m3fn),
    "mxfp8_e5m2": (gf.format_info_ocp_e5m2, ml_dtypes.float8_e5m2),
    "mxfp6_e3m2": (gf.format_info_ocp_e3m2, ml_dtypes.float6_e3m2fn),
    "mxfp6_e2m3": (gf.format_info_ocp_e2m3, ml_dtypes.float6_e2m3fn),
    "mxfp4": (gf.format_info_ocp_e2m1, ml_dtypes.float4_e2m1fn),
    "mxint8": (gf.format_info_ocp_int8, None),
}
MODES = ("rne", "rna", "rtz", "rup", "rdn", "rto", "sr", "sr")


def fp32_blocks(rng, count, size):
    """Blocks of binary32 whose largest magnitudes lie anywhere, some at the edges of the rules."""
    x = rng.standard_normal((count, size)) * 2.0 ** rng.integers(-8, 1, (count, size))
    x *= 2.0 ** rng.integers(-40, 40, (count, 1))
    top = np.abs(x).max(axis=1)
    power = 2.0 ** np.floor(np.log2(top)) * 2
    edges = rng.choice([1, 1 - 2.0**-9, 1 - 2.0**-8, 1 - 2.0**-10, 1 + 2.0**-8, 1 + 2.0**-9], count)
    column = np.where(rng.random(count) < 0.5, power * edges * rng.choice([-1, 1], count), x[:, 0])
    x[:, 0] = column
    return FP32.encode(x)


@pytest.mark.parametrize("name", MX)
def test_blocks_equal_gfloats(name):
    block_fmt, (element, _) = parse_format(name), MX[name]
    info = BlockFormatInfo(name, element, 32, gf.format_info_ocp_e8m0)
    x = fp32_blocks(np.random.default_rng(1), 200, 32)
    got = quantize_block(x, x_fmt=FP32, block_fmt=block_fmt, rounding=Rounding("rne"))
    values = block_fmt.element.decode(got.elements) * ExponentFormat().decode(got.scales)[:, None]
    for row, block in zip(values, FP32.decode(x), strict=True):
        want = gfloat_quantize_block(info, block, compute_scale_amax, gfloat.RoundMode.TiesToEven)
        np.testing.assert_array_equal(row, want)
    assert not got.invalid.any()


@pytest.mark.parametrize("name", [name for name, (_, dtype) in MX.items() if dtype])
def test_elements_equal_ml_dtypes_casts_of_scaled_operands(name):
    block_fmt, (_, dtype) = parse_format(name), MX[name]
    x = fp32_blocks(np.random.default_rng(2), 2_000, 32)
    got = quantize_block(x, x_fmt=FP32, block_fmt=block_fmt, rounding=Rounding("rne"))
    scales = got.scales.view(ml_dtypes.float8_e8m0fnu).astype(np.float64)
    largest = float(ml_dtypes.finfo(dtype).max)
    # Clipping above the rounding threshold of the largest value first: ml_dtypes does not saturate.
    scaled = np.clip(FP32.decode(x) / scales[:, None], -largest, largest).astype(np.float32)
    np.testing.assert_array_equal(got.elements, scaled.astype(dtype).view(np.uint8))


def muppet(block, width, lowest, highest):
    """MuPPET's rule in Fractions, with rounding to nearest even and the clip."""
    ratios = [(Fraction(2) ** (width - 1) - Fraction(1, 2)) / max(block)] if max(block) > 0 else []
    ratios += [(Fraction(2) ** (width - 1) + Fraction(1, 2)) / -min(block)] if min(block) < 0 else []
    if not ratios:
        return 0, [0] * len(block)
    r, log = min(ratios), -300
    while Fraction(2) ** (log + 1) <= r:
        log += 1
    e = min(max(-log, lowest), highest)
    scaled = [x / Fraction(2) ** e for x in block]
    return e, [min(max(round(x), -(2 ** (width - 1))), 2 ** (width - 1) - 1) for x in scaled]


@pytest.mark.parametrize("width", [2, 4, 8, 12, 16])
def test_block_floating_point_follows_muppets_rule(width):
    block_fmt = BlockFormat(FixedFormat(width, 0), 8, 8)
    x = fp32_blocks(np.random.default_rng(width), 300, 8)
    x[0] = 0
    got = quantize_block(x, x_fmt=FP32, block_fmt=block_fmt, rounding=Rounding("rne"))
    integers = block_fmt.element.integers(got.elements)
    for row, scale, block in zip(integers, got.scales.view(np.int8), FP32.decode(x), strict=True):
        e, want = muppet([Fraction(v) for v in block], width, -128, 127)
        assert (int(scale), row.tolist()) == (e, want)


def random_block_format(rng):
    if rng.random() < 0.5:
        element = FixedFormat(int(rng.integers(2, 17)), int(rng.integers(-3, 9)))
    else:
        names = ("e4m3fn", "e5m2", "e3m2", "e2m1", "e4m3fnuz", "e5m2ftz", "e4m3ftz", "e8m3", "e2m3", "e3m0fn")
        element = parse_format(str(rng.choice(names)))
    scale = ExponentFormat() if rng.random() < 0.5 else int(rng.choice([2, 5, 8, 10]))
    return BlockFormat(element, "tensor", scale)


def random_operands(rng, fmt, shape):
    """Blocks of similar magnitude, of any bits, and of edges."""
    codes = random_codes(rng, fmt, shape)
    if isinstance(fmt, FloatFormat):
        spread = 2.0 ** rng.integers(-6, 3, shape) * 2.0 ** rng.integers(-30, 30, (*shape[:-1], 1))
        similar = fmt.encode(rng.standard_normal(shape) * spread)
        codes = np.where(rng.random((*shape[:-1], 1)) < 0.7, similar, codes)
        zero = 0
    else:
        codes = codes >> rng.integers(0, fmt.width, (*shape[:-1], 1)).astype(fmt.dtype)
        zero = 0
    codes = np.where(rng.random((*shape[:-1], 1)) < 0.05, zero, codes)
    return np.where(rng.random(shape) < 0.02, rng.choice(edge_codes(fmt), shape), codes).astype(fmt.dtype)


X_NAMES = (
    "fp32",
    "bf16",
    "fp16",
    "e5m2",
    "e8m7ftz",
    "q8.14",
    "int16",
    "uq4.12",
    "int32",
    "e4m3fn",
    "e4m3fnuz",
    "fp64",
)


def random_call(rng):
    x_fmt, block_fmt = parse_format(str(rng.choice(X_NAMES))), random_block_format(rng)
    mode = str(rng.choice(MODES))
    rounding = Rounding(mode, int(rng.choice([1, 4, 8, 16, 40])) if mode == "sr" else None)
    return {"x_fmt": x_fmt, "block_fmt": block_fmt, "rounding": rounding}


def random_words(rng, rounding, shape):
    if not rounding.random_bits:
        return None
    return rng.integers(0, (1 << rounding.random_bits) - 1, shape, np.uint64, endpoint=True)


def check_paths_agree(seed, calls):
    rng = np.random.default_rng(seed)
    invalid = overflows = 0
    for _ in range(calls):
        call = random_call(rng)
        assert quantize._is_fast(*call.values())
        x = random_operands(rng, call["x_fmt"], (6, 5))
        words = random_words(rng, call["rounding"], x.shape)
        got = quantize_block(x, **call, rand=words)
        want = quantize._plain_blocks(x, words, **call)
        for a, b in zip(got, want, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=str(call))
        invalid += int(got.invalid.sum())

        block_fmt = call["block_fmt"]
        scales = got.scales[:, None] + rng.integers(-2, 2, (6, 5)) & (1 << block_fmt.scale_width) - 1
        flat_words = None if words is None else words.reshape(-1)
        elements = quantize_elements(x, scales, **call, rand=words)
        plain = quantize._plain_elements(x.reshape(-1), scales.reshape(-1), flat_words, **call)
        for a, b in zip(elements, plain, strict=True):
            np.testing.assert_array_equal(a.reshape(-1), b, err_msg=str(call))
        overflows += int(elements.overflow.sum())
    assert invalid > calls // 20
    assert overflows > calls


def test_fast_blocks_and_elements_equal_the_plain_path():
    check_paths_agree(3, 600)


def test_an_exponent_rule_that_forgets_the_sign_is_caught(monkeypatch):
    def one_sided(values, fmt):
        return exact([value._replace(negative=False) for value in values], fmt)

    from hwgen.golden import quantize_exact

    exact = quantize_exact.exact_exponent
    monkeypatch.setattr(quantize_exact, "exact_exponent", one_sided)
    with pytest.raises(AssertionError):
        check_paths_agree(3, 600)


def test_elements_that_overflow_are_those_that_saturation_changed():
    rng = np.random.default_rng(5)
    for element in ("e4m3fn", "e5m2", "int8", "e2m1", "e4m3fnuz"):
        fmt = parse_format(element)
        block_fmt = BlockFormat(fmt, "tensor", 8)
        top = float(fmt.decode(fmt.max_integer if fmt.family == "fixed" else fmt.max_finite_code))
        x = FP32.encode(top * rng.uniform(0.9, 1.5, 4000))
        got = quantize_elements(x, 0, x_fmt=FP32, block_fmt=block_fmt, rounding=Rounding("rtz"))
        step = top - float(fmt.decode(fmt.encode(top * (1 - 2.0**-9), rounding="rtz")))
        np.testing.assert_array_equal(got.overflow, FP32.decode(x) >= top + step)
        assert 100 < got.overflow.sum() < 3900


def test_scales_of_a_stream_are_those_of_its_frames_as_blocks():
    rng = np.random.default_rng(6)
    invalid = 0
    for _ in range(200):
        call = random_call(rng)
        del call["rounding"]
        lanes, frames = int(rng.integers(1, 4)), rng.integers(1, 7, 5)
        x = random_operands(rng, call["x_fmt"], (int(frames.sum()), lanes))
        last = np.zeros(len(x), np.uint8)
        ends = np.cumsum(frames)
        last[ends - 1] = 1
        last[-1] = rng.integers(2)
        got = shared_scale(x[:, 0] if lanes == 1 else x, last, **call)
        assert len(got.scales) == last.sum()
        for frame, scale, bad in zip(np.split(x, ends[:-1]), *got, strict=False):
            want = quantize_block(frame.reshape(-1), rounding=Rounding("rne"), **call)
            assert (scale, bad) == (want.scales, want.invalid)
            invalid += int(bad)
    assert invalid > 20


def test_two_passes_over_a_tensor_give_what_one_block_gives():
    rng = np.random.default_rng(7)
    for _ in range(200):
        call = random_call(rng)
        x = random_operands(rng, call["x_fmt"], (12,))
        words = random_words(rng, call["rounding"], x.shape)
        whole = quantize_block(x, **call, rand=words)
        if not whole.invalid:
            elements = quantize_elements(x, whole.scales, **call, rand=words).elements
            np.testing.assert_array_equal(elements, whole.elements)


@pytest.mark.parametrize("name", ["mxfp8_e4m3", "mxint8", "bfp8"])
@pytest.mark.parametrize("bits", [1, 4, 8])
def test_over_all_words_the_upward_elements_number_exactly_k(name, bits):
    block_fmt = parse_format(name)
    element = block_fmt.element
    x = fp32_blocks(np.random.default_rng(bits), 60, 8)
    words = np.broadcast_to(np.arange(1 << bits)[:, None, None], (1 << bits, *x.shape))
    rounding = Rounding("sr", bits)
    got = quantize_block(
        np.broadcast_to(x, words.shape), x_fmt=FP32, block_fmt=block_fmt, rounding=rounding, rand=words
    )
    assert (got.scales == got.scales[0]).all()
    exponents = quantize._exponents(got.scales[0], block_fmt)
    inexact = 0
    for (row, column), value in np.ndenumerate(FP32.decode(x)):
        scaled = Fraction(value) / Fraction(2) ** int(exponents[row])
        decoded = element.decode(got.elements[:, row, column])
        low = Fraction(float(element.decode(element.encode(float(scaled), rounding="rtz"))))
        if abs(scaled) <= abs(low):  # representable, or saturated
            assert (decoded == float(low)).all()
            continue
        mode = "rup" if scaled > 0 else "rdn"
        wide = quantize.with_headroom(element)
        high = Fraction(float(wide.decode(wide.encode(float(scaled), rounding=mode))))
        k = int((scaled - low) / (high - low) * 2**bits)
        largest = Fraction(
            float(
                element.decode(element.max_integer if element.family == "fixed" else element.max_finite_code)
            )
        )
        if abs(high) > largest:
            continue
        assert np.count_nonzero(decoded == float(high)) == k
        assert np.count_nonzero(decoded == float(low)) == (1 << bits) - k
        inexact += 1
    assert inexact > 200


def test_a_block_with_nan_or_infinity_is_invalid():
    x = FP32.encode([[1.0, np.nan, 2.0], [1.0, -np.inf, 0.0], [1.0, 2.0, -0.0]])
    mx = quantize_block(x, x_fmt=FP32, block_fmt=parse_format("mxfp8_e4m3"), rounding=Rounding("rne"))
    assert mx.scales.tolist() == [0xFF, 0xFF, 127 + 1 - 8]
    assert mx.elements.tolist() == [[0, 0, 0], [0, 0, 0], [0x70, 0x78, 0x80]]
    bfp = quantize_block(x, x_fmt=FP32, block_fmt=parse_format("bfp8"), rounding=Rounding("rne"))
    assert bfp.invalid.tolist() == [True, True, False]
    assert bfp.scales[:2].tolist() == [0, 0]
    assert not bfp.elements[:2].any()


def test_the_inverse_is_the_formats_decoding_where_the_result_is_wide():
    for name in (*MX, "bfp8", "bfp16", "flex16+5"):
        block_fmt = parse_format(name)
        x = fp32_blocks(np.random.default_rng(8), 300, 32)
        x[0, 0] = FP32.inf_code if name in MX else 0
        got = quantize_block(x, x_fmt=FP32, block_fmt=block_fmt, rounding=Rounding("rtz"))
        y = dequantize(
            got.elements, got.scales[:, None], block_fmt=block_fmt, y_fmt=FP32, rounding=Rounding("rne")
        )
        exponents = quantize._exponents(got.scales, block_fmt)[:, None]
        want = np.ldexp(block_fmt.element.decode(got.elements), exponents)
        want = np.where(got.invalid[:, None], np.nan, want)
        np.testing.assert_array_equal(FP32.decode(y), want)


def test_the_inverses_fast_path_equals_the_plain_one():
    rng = np.random.default_rng(9)
    names = (
        "fp32",
        "bf16",
        "e5m2",
        "e4m3fn",
        "e4m3fnuz",
        "q8.8",
        "int16",
        "e8m7ftz",
        "uq8.8",
        "e2m1",
        "fp64",
    )
    for _ in range(300):
        block_fmt, y_fmt = random_block_format(rng), parse_format(str(rng.choice(names)))
        mode = str(rng.choice(MODES))
        rounding = Rounding(mode, int(rng.choice([1, 8, 20])) if mode == "sr" else None)
        overflow = Overflow(rng.choice(y_fmt.legal_overflows))
        elements = random_codes(rng, block_fmt.element, 60)
        middle = 127 if isinstance(block_fmt.scale, ExponentFormat) else 0
        scales = middle + rng.integers(-20, 20, 60) & (1 << block_fmt.scale_width) - 1
        scales[0] = 255 & (1 << block_fmt.scale_width) - 1
        words = random_words(rng, rounding, 60)
        how = {"block_fmt": block_fmt, "y_fmt": y_fmt, "rounding": rounding, "overflow": overflow}
        got = dequantize(elements, scales, **how, rand=words)
        want = quantize_inverse.exact_arrays(elements, scales, words, **how)
        np.testing.assert_array_equal(got, want, err_msg=str(how))


def test_wide_fixed_point_operands_take_the_plain_path():
    x_fmt, block_fmt = parse_format("int64"), parse_format("bfp8")
    x = np.array([[1 << 62, (1 << 62) + 1, (1 << 64) - 5]], np.uint64)
    got = quantize_block(x, x_fmt=x_fmt, block_fmt=block_fmt, rounding=Rounding("rup"))
    assert got.scales.tolist() == [56]
    assert got.elements.tolist() == [[64, 65, 0]]


def test_a_scalar_is_no_block():
    with pytest.raises(InputError, match="needs an axis"):
        quantize_block(0, x_fmt=FP32, block_fmt=parse_format("bfp8"), rounding=Rounding("rne"))
