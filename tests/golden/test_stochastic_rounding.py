"""Stochastic rounding by enumeration: all 2^r random words, up-counts equal to k = floor(f * 2^r) exactly.

The expected neighbours and f come from the Fraction oracle; no probability is estimated anywhere.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from fraction_oracle import FloatSpec, Number, add, multiply, spec_of

from hwgen import golden
from hwgen.formats import FloatFormat, Overflow, Rounding, parse_format

R = 6
WORDS = np.arange(1 << R)
SR = Rounding("sr", R)


def assert_counts(results, exact: Number, spec: FloatSpec, context):
    """`results` are the patterns for all words, in order."""
    below, fraction = spec.place(exact)
    k = int(fraction * 2**R)
    low, high = (
        spec.round(Number(exact.negative, spec.magnitude(body)), "rtz", "saturate")
        for body in (below, below + 1)
    )
    expected = [high if k + word >= 2**R else low for word in range(2**R)]
    assert results.tolist() == expected, (context, k)
    if low != high:
        assert np.count_nonzero(results == high) == k


def values_around(fmt: FloatFormat, rng, count):
    """fp64 values between neighbours of `fmt`, subnormals and both signs included, with sub-2^-r tails."""
    body = np.concatenate(
        [np.arange(min(12, fmt.max_finite_code)), rng.integers(0, fmt.max_finite_code, count)]
    )
    exact = fmt.decode(body)
    step = fmt.decode(body + 1) - exact
    part = rng.integers(0, 1 << R, body.size) / (1 << R) + rng.choice(
        [0, 2.0**-20, 2.0**-R - 2.0**-20], body.size
    )
    return (exact + step * part) * rng.choice([-1.0, 1.0], body.size)


@pytest.mark.parametrize("name", ["e4m3fn", "e5m2", "e4m3fnuz", "e6m5", "e2m1", "e4m3ftz", "bf16", "e3m0fn"])
def test_convert_counts_up_words_exactly(name):
    fmt, source = parse_format(name), parse_format("fp64")
    spec = spec_of(fmt)
    values = values_around(fmt, np.random.default_rng(1), 80)
    results = golden.convert(
        source.encode(values)[:, None],
        x_fmt=source,
        y_fmt=fmt,
        rounding=SR,
        overflow=Overflow.SATURATE,
        rand=WORDS,
    )
    for value, row in zip(values, results, strict=True):
        assert_counts(row, Number(bool(np.signbit(value)), abs(Fraction(value))), spec, value)


def sums_with_far_addends(a_fmt, b_fmt, rng, count):
    """Pairs of patterns: any gap of exponents, borrows from far below the last place among them."""
    a = rng.integers(0, 1 << a_fmt.width, count)
    b = rng.integers(0, 1 << b_fmt.width, count)
    tiny = np.array([b_fmt.min_code, b_fmt.min_code | b_fmt.sign_mask])
    b[: count // 3] = rng.choice(tiny, count // 3)
    return a, b


@pytest.mark.parametrize(
    "names", [("e4m3fn", "e4m3fn", "e5m2"), ("e5m2", "e5m2", "e5m2"), ("bf16", "bf16", "bf16")]
)
def test_add_counts_up_words_exactly_borrows_from_far_away_included(names):
    a_fmt, b_fmt, y_fmt = map(parse_format, names)
    spec = spec_of(y_fmt)
    a, b = sums_with_far_addends(a_fmt, b_fmt, np.random.default_rng(2), 400)
    results = golden.add(
        a[:, None],
        b[:, None],
        a_fmt=a_fmt,
        b_fmt=b_fmt,
        y_fmt=y_fmt,
        rounding=SR,
        overflow="saturate",
        rand=WORDS,
    )
    checked = 0
    for x, y, row in zip(a.tolist(), b.tolist(), results, strict=True):
        exact = add(spec_of(a_fmt).value(x), spec_of(b_fmt).value(y), "sr")
        if exact.magnitude not in ("nan", "inf", 0):
            assert_counts(row, exact, spec, (hex(x), hex(y)))
            checked += 1
    assert checked > 200


@pytest.mark.parametrize("split", [None, "e6m9"])
@pytest.mark.parametrize(
    "names", [("e4m3fn", "e5m2", "e6m5"), ("e5m2", "e5m2", "fp16"), ("e4m3fn", "e4m3fn", "e4m3ftz")]
)
def test_mac_counts_up_words_exactly(names, split):
    a_fmt, b_fmt, acc_fmt = map(parse_format, names)
    product_fmt = None if split is None else parse_format(split)
    rng = np.random.default_rng(3)
    a = rng.integers(0, 1 << a_fmt.width, 400)
    b = rng.integers(0, 1 << b_fmt.width, 400)
    _, acc = sums_with_far_addends(a_fmt, acc_fmt, rng, 400)
    results = golden.mac(
        a[:, None],
        b[:, None],
        acc[:, None],
        a_fmt=a_fmt,
        b_fmt=b_fmt,
        acc_fmt=acc_fmt,
        rounding=SR,
        overflow="saturate",
        product_fmt=product_fmt,
        rand=WORDS,
    )
    spec, checked = spec_of(acc_fmt), 0
    for x, y, z, row in zip(a.tolist(), b.tolist(), acc.tolist(), results, strict=True):
        product = multiply(spec_of(a_fmt).value(x), spec_of(b_fmt).value(y))
        if product_fmt is not None:
            p_spec = spec_of(product_fmt)
            product = p_spec.value(p_spec.round(product, "rne", "infinity"))
        exact = add(product, spec.value(z), "sr")
        if exact.magnitude not in ("nan", "inf", 0):
            assert_counts(row, exact, spec, (hex(x), hex(y), hex(z)))
            checked += 1
    assert checked > 200


def test_a_tiny_opposite_addend_leaves_one_word_in_2_to_the_r_rounding_down():
    # 1 - 2^-14 is just below a representable value: f is just below 1, so k = 2^r - 1, not 2^r.
    fmt = parse_format("e5m2")
    one, tiny = fmt.encode(1.0), fmt.encode(-(2.0**-14))
    results = golden.add(one, tiny, a_fmt=fmt, b_fmt=fmt, y_fmt=fmt, rounding=SR, rand=WORDS)
    assert np.count_nonzero(results == one) == (1 << R) - 1


def test_a_tiny_addend_of_the_same_sign_never_rounds_up_below_its_resolution():
    fmt = parse_format("e5m2")
    one, tiny = fmt.encode(1.0), fmt.encode(2.0**-14)
    results = golden.add(one, tiny, a_fmt=fmt, b_fmt=fmt, y_fmt=fmt, rounding=SR, rand=WORDS)
    assert (results == one).all()


@pytest.mark.parametrize("name", ["e4m3fn", "e5m2", "bf16", "q4.4", "e4m3ftz"])
def test_representable_values_never_move(name):
    fmt = parse_format(name)
    codes = np.unique(np.linspace(0, (1 << fmt.width) - 1, 1000).astype(np.int64))
    results = golden.convert(codes[:, None], x_fmt=fmt, y_fmt=fmt, rounding=SR, rand=WORDS[[0, 1, -1]])
    nearest = golden.convert(codes[:, None], x_fmt=fmt, y_fmt=fmt, rounding=Rounding("rtz"))
    assert (results == nearest).all()


@pytest.mark.parametrize("r", [1, 7, 30, 52, 53, 63, 64])
def test_threshold_word_is_exact_for_every_word_length(r):
    """The first word that rounds up is 2^r - k, checked at that word and the one before it."""
    fmt, rng = parse_format("e5m2"), np.random.default_rng(4)
    values = rng.uniform(0, 3, 200)
    for value in values:
        below = fmt.encode(value, rounding="rtz")
        low, high = (Fraction(float(fmt.decode(below + step))) for step in (0, 1))
        k = int((Fraction(value) - low) / (high - low) * 2**r)
        if k == 0:
            continue
        words = np.array([2**r - k - 1, 2**r - k], dtype=np.uint64)
        got = fmt.encode(value, rounding="sr", rbits=r, rand=words)
        assert got.tolist() == [below, below + 1]


@pytest.mark.parametrize(
    "names", [("q1.7", "q1.7", "q2.6"), ("q2.6", "e4m3fn", "q4.4"), ("int8", "q1.7", "uint4")]
)
def test_fixed_point_counts_up_words_exactly(names):
    formats = [parse_format(name) for name in names]
    specs = [spec_of(fmt) for fmt in formats]
    rng = np.random.default_rng(6)
    a, b = (rng.integers(0, 1 << fmt.width, 300) for fmt in formats[:2])
    results = golden.mul(
        a[:, None], b[:, None], a_fmt=formats[0], b_fmt=formats[1], y_fmt=formats[2], rounding=SR, rand=WORDS
    )
    for x, y, row in zip(a.tolist(), b.tolist(), results, strict=True):
        exact = multiply(specs[0].value(x), specs[1].value(y))
        assert row.tolist() == [specs[2].round(exact, "sr", "saturate", word, R) for word in WORDS.tolist()]
