"""Laws that hold for every format: order, idempotence, symmetry, bracketing, commutativity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen import golden
from hwgen.formats import FixedFormat, FloatFormat, Overflow, Rounding, parse_format

DETERMINISTIC = ("rne", "rna", "rtz", "rup", "rdn", "rto")
SYMMETRIC = ("rne", "rna", "rtz", "rto", "sr")
NAMED = ("e5m2", "e4m3fn", "e4m3fnuz", "e2m1", "e3m2", "fp16", "bf16", "tf32", "fp32", "fp64", "e6m5")


@st.composite
def float_formats(draw):
    if draw(st.booleans()):
        return parse_format(draw(st.sampled_from(NAMED)))
    specials = draw(st.sampled_from(["ieee", "fn", "fnuz", "none"]))
    mantissa = draw(st.integers(1 if specials == "ieee" else 0, 12))
    return FloatFormat(draw(st.integers(2, 8)), mantissa, specials=specials, subnormals=draw(st.booleans()))


fixed_formats = st.builds(FixedFormat, st.integers(1, 52), st.integers(-8, 40), st.booleans())
formats = st.one_of(float_formats(), fixed_formats)
finite = st.floats(allow_nan=False, allow_infinity=False)
near = st.floats(-300, 300)
modes = st.sampled_from(DETERMINISTIC)


def encode(fmt, x, mode):
    return fmt.decode(fmt.encode(np.asarray(x, dtype=np.float64), rounding=mode, overflow="saturate"))


@given(formats, st.lists(st.one_of(finite, near), min_size=2, max_size=40), modes)
def test_rounding_keeps_order(fmt, values, mode):
    assert (np.diff(encode(fmt, np.sort(values), mode)) >= 0).all()


@given(formats, st.one_of(finite, near), st.integers(0, 255), st.integers(0, 255))
def test_stochastic_rounding_keeps_order_for_the_same_word_and_in_the_word(fmt, x, word, other):
    low, high = sorted((word, other))
    down, up = (
        abs(float(fmt.decode(fmt.encode(x, rounding="sr", rbits=8, rand=u, overflow="saturate"))))
        for u in (low, high)
    )
    assert down <= up


@given(formats, st.integers(0, 2**64 - 1), modes)
def test_representable_values_never_move(fmt, seed, mode):
    code = seed % (1 << fmt.width)
    value = fmt.decode(np.array([code], dtype=np.uint64))
    again = fmt.decode(fmt.encode(value, rounding=mode, overflow="saturate"))
    assert np.isnan(value).all() or np.isinf(value).all() or (again == value).all()


@given(formats, st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=50))
def test_decode_encode_decode_is_decode(fmt, seeds):
    codes = np.array([seed % (1 << fmt.width) for seed in seeds], dtype=np.uint64)
    values = fmt.decode(codes)
    np.testing.assert_array_equal(fmt.decode(fmt.encode(values)), values)
    canonical = fmt.encode(values)
    np.testing.assert_array_equal(fmt.encode(fmt.decode(canonical)), canonical)


@given(float_formats(), st.one_of(finite, near), st.sampled_from(SYMMETRIC), st.integers(0, 15))
def test_magnitude_modes_are_symmetric_in_sign(fmt, x, mode, word):
    random = {"rand": word, "rbits": 4} if mode == "sr" else {}
    plus, minus = (fmt.decode(fmt.encode(v, rounding=mode, **random)) for v in (x, -x))
    np.testing.assert_array_equal(plus, -minus)


@given(float_formats(), st.one_of(finite, near))
def test_up_mirrors_down(fmt, x):
    np.testing.assert_array_equal(encode(fmt, x, "rup"), -encode(fmt, -x, "rdn"))


@given(formats, st.one_of(finite, near), st.sampled_from([*DETERMINISTIC, "sr"]), st.integers(0, 7))
def test_up_and_down_bracket_every_mode(fmt, x, mode, word):
    random = {"rand": word, "rbits": 3} if mode == "sr" else {}
    result = fmt.decode(fmt.encode(x, rounding=mode, overflow="saturate", **random))
    low, high = encode(fmt, x, "rdn"), encode(fmt, x, "rup")
    assert low <= result <= high
    if not isinstance(fmt, FloatFormat) or fmt.subnormals:
        largest = float(np.abs(fmt.decode(fmt.encode([np.inf, -np.inf], overflow="saturate"))).min())
        assert low <= x <= high or abs(x) > largest


@given(formats, formats, float_formats(), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), modes)
@pytest.mark.parametrize("operation", ["add", "mul"])
def test_operands_commute(operation, a_fmt, b_fmt, y_fmt, a, b, mode):
    a, b = a % (1 << a_fmt.width), b % (1 << b_fmt.width)
    function, settled = getattr(golden, operation), {"y_fmt": y_fmt, "rounding": Rounding(mode)}
    one = function(np.uint64(a), np.uint64(b), a_fmt=a_fmt, b_fmt=b_fmt, **settled)
    other = function(np.uint64(b), np.uint64(a), a_fmt=b_fmt, b_fmt=a_fmt, **settled)
    assert one == other


@given(formats, formats, st.integers(0, 2**64 - 1), modes)
def test_conversion_is_decode_then_encode(x_fmt, y_fmt, seed, mode):
    code = np.uint64(seed % (1 << x_fmt.width))
    got = golden.convert(code, x_fmt=x_fmt, y_fmt=y_fmt, rounding=Rounding(mode))
    assert got == y_fmt.encode(x_fmt.decode(code), rounding=mode)


@settings(max_examples=60)
@given(st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1), modes)
def test_fma_with_one_or_with_zero_is_add_or_nearly_mul(a, b, c, mode):
    fmt, rounding = parse_format("fp16"), Rounding(mode)
    same = {"a_fmt": fmt, "b_fmt": fmt, "y_fmt": fmt, "rounding": rounding}
    one = fmt.encode(1.0)
    assert golden.fma(a, one, c, **same, c_fmt=fmt) == golden.add(a, c, **same)
    product = golden.mul(a, b, **same)
    zero = fmt.sign_mask if mode != "rdn" else 0  # the zero that is neutral in this mode
    got = golden.fma(a, b, zero, **same, c_fmt=fmt)
    assert got == product or fmt.decode(product) == 0


@given(st.integers(1, 30), st.integers(-4, 20), near, modes)
def test_wrapping_is_saturating_modulo_the_width(width, fraction, x, mode):
    fmt = FixedFormat(width, fraction)
    wide = FixedFormat(64, fraction)
    exact = wide.encode(x, rounding=mode).astype(np.uint64)
    assert fmt.encode(x, rounding=mode, overflow=Overflow.WRAP) == exact & np.uint64((1 << width) - 1)
