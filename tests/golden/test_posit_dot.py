"""Exact dot products of posits: the standard's quire, against SoftPosit's and against sums of Fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import softposit_oracle
from fraction_oracle import Number
from posit_oracle import spec_of

from hwgen.formats import Overflow, PositFormat, Rounding, parse_format
from hwgen.golden.dot import dot
from hwgen.golden.dot_unit import DotUnit, ExactSum


def exact_unit(n, *, a, b, y, c=None):
    return DotUnit(
        n=n, a=a, b=b, c=c, y=y, scheme=ExactSum(), rounding=Rounding("rne"), overflow=y.default_overflow
    )


def hard_vectors(rng, a_fmt, b_fmt, count, n):
    """Vectors in half of which pairs of products cancel, or nearly so, and a far smaller one decides."""
    a = rng.integers(0, 1 << a_fmt.width, (count, n))
    b = rng.integers(0, 1 << b_fmt.width, (count, n))
    ends = rng.random((count, n)) < 0.2
    a[ends] = rng.choice([0, 1, -1, a_fmt.nan_code - 1, a_fmt.nan_code + 1], ends.sum()) % (1 << a_fmt.width)
    a[(a == a_fmt.nan_code) & (rng.random((count, n)) < 0.9)] = 1
    b[(b == b_fmt.nan_code) & (rng.random((count, n)) < 0.9)] = 1
    pairs = n // 2
    cancel = rng.random(count) < 0.5
    slip = rng.integers(0, 2, (count, pairs)) * (rng.random((count, pairs)) < 0.2)
    a[cancel, pairs : 2 * pairs] = ((1 << a_fmt.width) - a[:, :pairs] + slip)[cancel] % (1 << a_fmt.width)
    b[cancel, pairs : 2 * pairs] = b[cancel, :pairs]
    return a, b


@pytest.mark.parametrize(("width", "n"), [(8, 1), (8, 2), (8, 16), (12, 5), (16, 4), (16, 7), (24, 3)])
def test_the_exact_sum_agrees_with_softposits_quire(width, n):
    fmt = PositFormat(width)
    a, b = hard_vectors(np.random.default_rng(width + n), fmt, fmt, 2_000, n)
    got = dot(exact_unit(n, a=fmt, b=fmt, y=fmt), a, b)
    np.testing.assert_array_equal(got, softposit_oracle.dot(width, a, b))


@pytest.mark.parametrize(
    ("a", "b", "c", "y"),
    [
        ("posit8", "posit8", "posit8", "posit8"),
        ("posit8", "posit16", "posit9es1", "posit12"),
        ("posit9es0", "e4m3fn", "fp16", "posit8"),
        ("posit8", "q3.5", None, "posit12"),
        ("posit8", "posit8", "bf16", "fp16"),
        ("posit16", "posit6es3", "q4.4", "q8.4"),
    ],
)
def test_the_exact_sum_of_mixed_formats_agrees_with_fractions(a, b, c, y):
    a_fmt, b_fmt, y_fmt = parse_format(a), parse_format(b), parse_format(y)
    c_fmt = None if c is None else parse_format(c)
    rng = np.random.default_rng(9)
    n, count = 6, 400
    left, right = rng.integers(0, 1 << a_fmt.width, (count, n)), rng.integers(0, 1 << b_fmt.width, (count, n))
    left[::2, 3:] = ((1 << a_fmt.width) - left[::2, :3]) % (1 << a_fmt.width)
    right[::2, 3:] = right[::2, :3]
    addends = None if c_fmt is None else rng.integers(0, 1 << c_fmt.width, count)
    overflow = y_fmt.default_overflow
    assert overflow in (Overflow.SATURATE, Overflow.INFINITY)
    got = dot(exact_unit(n, a=a_fmt, b=b_fmt, c=c_fmt, y=y_fmt), left, right, addends)
    compared = 0
    for index in range(count):
        terms = [
            product(spec_of(a_fmt).value(x), spec_of(b_fmt).value(y))
            for x, y in zip(left[index].tolist(), right[index].tolist(), strict=True)
        ]
        if c_fmt is not None:
            terms.append(signed(spec_of(c_fmt).value(int(addends[index]))))
        if None in terms or not (total := sum(terms, Fraction(0))):
            continue
        want = spec_of(y_fmt).round(Number(total < 0, abs(total)), "rne", overflow)
        assert got[index] == want, (left[index], right[index])
        compared += 1
    assert compared > count // 3


def signed(x: Number) -> Fraction | None:
    """Return the value, or None for NaN and infinities."""
    if isinstance(x.magnitude, str):
        return None
    return -x.magnitude if x.negative else x.magnitude


def product(x: Number, y: Number) -> Fraction | None:
    left, right = signed(x), signed(y)
    return None if left is None or right is None else left * right


def test_one_not_a_real_makes_the_sum_not_a_real():
    fmt = PositFormat(8)
    unit = exact_unit(3, a=fmt, b=fmt, c=fmt, y=fmt)
    one, zero, nar = 0x40, 0, 0x80
    assert int(dot(unit, [one, nar, one], [one, zero, one], zero)) == nar
    assert int(dot(unit, [one, one, one], [one, one, one], nar)) == nar
    assert int(dot(unit, [one, one, one], [one, one, zero], zero)) == 0x48
