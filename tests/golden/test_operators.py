"""Special values, signs of zero, the split mac, shapes and errors of the golden operators."""

from __future__ import annotations

import numpy as np
import pytest
from fraction_oracle import add, multiply, spec_of
from golden_vectors import hard_triples

from hwgen import golden
from hwgen.errors import InputError
from hwgen.formats import Rounding, parse_format

E5M2 = parse_format("e5m2")
RNE, RDN, SR8 = Rounding("rne"), Rounding("rdn"), Rounding("sr", 8)
INF, MINUS_INF, ZERO, MINUS_ZERO, ONE, MINUS_ONE, NAN = 0x7C, 0xFC, 0x00, 0x80, 0x3C, 0xBC, 0x7E


def e5m2_add(a, b, rounding=RNE):
    return int(golden.add(a, b, a_fmt=E5M2, b_fmt=E5M2, y_fmt=E5M2, rounding=rounding))


def e5m2_fma(a, b, c, rounding=RNE):
    return int(golden.fma(a, b, c, a_fmt=E5M2, b_fmt=E5M2, c_fmt=E5M2, y_fmt=E5M2, rounding=rounding))


@pytest.mark.parametrize(
    ("a", "b", "expected", "expected_down"),
    [
        (ONE, MINUS_ONE, ZERO, MINUS_ZERO),
        (ZERO, ZERO, ZERO, ZERO),
        (MINUS_ZERO, MINUS_ZERO, MINUS_ZERO, MINUS_ZERO),
        (ZERO, MINUS_ZERO, ZERO, MINUS_ZERO),
        (INF, MINUS_INF, NAN, NAN),
        (INF, MINUS_ONE, INF, INF),
        (0xFF, ONE, NAN, NAN),
    ],
)
def test_sums_of_zeros_infinities_and_nan_follow_ieee(a, b, expected, expected_down):
    assert (e5m2_add(a, b), e5m2_add(b, a)) == (expected, expected)
    assert (e5m2_add(a, b, RDN), e5m2_add(b, a, RDN)) == (expected_down, expected_down)


def test_fma_signs_of_zero_use_the_exact_product():
    assert e5m2_fma(ONE, MINUS_ZERO, MINUS_ZERO) == MINUS_ZERO
    assert e5m2_fma(ONE, MINUS_ZERO, ZERO) == ZERO
    assert e5m2_fma(ONE, ONE, MINUS_ONE) == ZERO
    assert e5m2_fma(ONE, ONE, MINUS_ONE, RDN) == MINUS_ZERO
    # An exact product that underflows is not a zero: its sign decides.
    assert e5m2_fma(0x01, 0x81, ZERO) == MINUS_ZERO


def test_fma_invalid_operations_give_the_canonical_nan():
    assert e5m2_fma(INF, ZERO, ONE) == NAN
    assert e5m2_fma(INF, ONE, MINUS_INF) == NAN
    assert e5m2_fma(INF, ONE, INF) == INF


@pytest.mark.parametrize(
    ("target", "expected"),
    [("e4m3fn", 0x7F), ("e4m3fnuz", 0x80), ("e2m1", 0x8), ("q1.7", 0), ("posit8", 0x80)],
)
def test_nan_becomes_what_the_target_has_for_it(target, expected):
    fmt = parse_format(target)
    assert int(golden.convert(0xFE, x_fmt=E5M2, y_fmt=fmt, rounding=RNE)) == expected


@pytest.mark.parametrize(
    ("target", "overflow", "mode", "expected"),
    [
        ("e5m2", "infinity", "rtz", INF),
        ("e5m2", "saturate", "rne", 0x7B),
        ("e4m3fn", "saturate", "rne", 0x7E),
        ("e4m3fn", "nan", "rtz", 0x7F),
        ("e4m3fnuz", "nan", "rne", 0x80),
        ("q1.7", "saturate", "rne", 0x7F),
        ("q1.7", "wrap", "rne", 0x7F),
        ("posit8", "saturate", "rne", 0x80),
    ],
)
def test_an_infinite_operand_becomes_what_the_policy_says(target, overflow, mode, expected):
    fmt = parse_format(target)
    got = golden.convert(INF, x_fmt=E5M2, y_fmt=fmt, rounding=Rounding(mode), overflow=overflow)
    assert int(got) == expected


@pytest.mark.parametrize("mode", ["rne", "rna", "rtz", "rup", "rdn", "rto"])
@pytest.mark.parametrize(
    "names", [("e4m3fn", "e5m2", "e6m5", "e6m9"), ("e5m2", "e5m2", "e4m3fnuz", "e3m3none")]
)
def test_split_mac_rounds_the_product_then_the_sum(names, mode):
    a, b, acc, product = map(parse_format, names)
    specs = [spec_of(fmt) for fmt in (a, b, acc, product)]
    codes = hard_triples(np.random.default_rng(1), a, b, acc, 1500)
    got = golden.mac(*codes, a_fmt=a, b_fmt=b, acc_fmt=acc, rounding=Rounding(mode), product_fmt=product)
    for x, y, z, result in zip(*(array.tolist() for array in (*codes, got)), strict=True):
        exact = multiply(specs[0].value(x), specs[1].value(y))
        rounded = specs[3].value(specs[3].round(exact, mode, product.default_overflow))
        total = add(rounded, specs[2].value(z), mode)
        assert result == specs[2].round(total, mode, acc.default_overflow)


def test_split_mac_takes_a_product_rounding_of_its_own():
    fmt = {"a_fmt": E5M2, "b_fmt": E5M2, "acc_fmt": parse_format("fp16"), "product_fmt": E5M2}
    a, b = E5M2.encode([1.25]), E5M2.encode([1.25])  # 1.5625 lies between 1.5 and 1.75
    up = golden.mac(a, b, [0], **fmt, rounding=RNE, product_rounding=Rounding("rup"))
    down = golden.mac(a, b, [0], **fmt, rounding=RNE, product_rounding=Rounding("rtz"))
    assert parse_format("fp16").decode([up[0], down[0]]).tolist() == [1.75, 1.5]


def test_fused_mac_is_fma_into_the_accumulator():
    codes = hard_triples(np.random.default_rng(2), E5M2, E5M2, parse_format("fp16"), 2000)
    acc = parse_format("fp16")
    mac = golden.mac(*codes, a_fmt=E5M2, b_fmt=E5M2, acc_fmt=acc, rounding=RNE)
    fma = golden.fma(*codes, a_fmt=E5M2, b_fmt=E5M2, c_fmt=acc, y_fmt=acc, rounding=RNE)
    assert (mac == fma).all()


def test_operands_and_words_broadcast():
    fmt = parse_format("e4m3fn")
    shape = golden.add(
        np.zeros((3, 1, 1), int),
        np.zeros((2, 1), int),
        a_fmt=fmt,
        b_fmt=fmt,
        y_fmt=fmt,
        rounding=SR8,
        rand=np.arange(5),
    ).shape
    assert shape == (3, 2, 5)
    assert golden.add([], [], a_fmt=fmt, b_fmt=fmt, y_fmt=fmt, rounding=RNE).shape == (0,)


def test_large_arrays_are_worked_off_in_blocks_without_seams():
    fmt, rng = parse_format("e5m2"), np.random.default_rng(3)
    a, b = rng.integers(0, 256, (2, 100_003), dtype=np.uint8)
    table = golden.add(np.arange(256)[:, None], np.arange(256), a_fmt=fmt, b_fmt=fmt, y_fmt=fmt, rounding=RNE)
    assert (golden.add(a, b, a_fmt=fmt, b_fmt=fmt, y_fmt=fmt, rounding=RNE) == table[a, b]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": 256}, "bit pattern 0x100 does not fit 8 bits"),
        ({"a": -1}, "does not fit 8 bits"),
        ({"a": 1.5}, "must be integers"),
        (
            {"overflow": "nan"},
            "overflow policy 'nan' is impossible for format 'e5m2': legal: infinity, saturate",
        ),
        ({"overflow": "clamp"}, "unknown overflow policy 'clamp'"),
        ({"rounding": SR8}, "needs random words"),
        ({"rand": 3}, "only 'sr' uses them"),
        ({"rounding": SR8, "rand": 256}, "random word 256 does not fit 8 bits"),
        ({"rounding": SR8, "rand": 0.5}, "random words must be integers"),
        (
            {"y_fmt": parse_format("posit8"), "rounding": RDN},
            "rounding 'rdn' is impossible for format 'posit8'",
        ),
    ],
)
def test_wrong_arguments_are_named(change, message):
    arguments = {"a": 1, "b": 1, "a_fmt": E5M2, "b_fmt": E5M2, "y_fmt": E5M2, "rounding": RNE} | change
    with pytest.raises(InputError) as caught:
        golden.add(arguments.pop("a"), arguments.pop("b"), **arguments)
    assert message in str(caught.value)


def test_product_rounding_is_refused_where_it_has_no_meaning():
    formats = {"a_fmt": E5M2, "b_fmt": E5M2, "acc_fmt": E5M2, "rounding": RNE}
    with pytest.raises(InputError, match="without a product format"):
        golden.mac(1, 1, 1, **formats, product_rounding=RNE)
    with pytest.raises(InputError, match="product rounding 'sr' is impossible"):
        golden.mac(1, 1, 1, **formats, product_fmt=E5M2, product_rounding=SR8)
