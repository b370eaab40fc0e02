"""Posits against the 2022 standard's own formula, evaluated on signed fields without any negation."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.formats import PositFormat, parse_format


def standard_value(code, n, es):
    """((1 - 3s) + f) * 2^((1 - 2s) * (2^es * r + e + s)) of the raw fields (Posit Standard 2022, 3.3)."""
    if code == 0:
        return Fraction(0)
    bits = [code >> i & 1 for i in reversed(range(n))]
    s, body = bits[0], bits[1:]
    if s and not any(body):
        return None
    run = next((i for i, bit in enumerate(body) if bit != body[0]), len(body))
    r = run - 1 if body[0] else -run
    rest = body[run + 1 :]
    e = sum(bit << (es - 1 - i) for i, bit in enumerate(rest[:es]))
    f = sum(Fraction(bit, 2 << i) for i, bit in enumerate(rest[es:]))
    return ((1 - 3 * s) + f) * Fraction(2) ** ((1 - 2 * s) * ((r << es) + e + s))


@cache
def positive_values(n, es):
    """Values of the patterns 1, 2, ..., which grow with them."""
    return [standard_value(code, n, es) for code in range(1, 1 << (n - 1))]


def standard_rounding(x, n, es):
    """Nearest on the bit string: compare with the (n+1)-bit posit between the neighbours."""
    if x == 0:
        return 0
    magnitude = abs(x)
    positives = positive_values(n, es)
    below = bisect_right(positives, magnitude)
    if below == 0:
        code = 1
    elif below == len(positives):
        code = below
    else:
        between = standard_value(2 * below + 1, n + 1, es)
        code = below + (magnitude > between or (magnitude == between and below % 2 == 1))
    return (1 << n) - code if x < 0 else code


@pytest.mark.parametrize(
    ("n", "es"),
    [
        (8, 2),
        (16, 2),
        (32, 2),
        (2, 2),
        (3, 2),
        (5, 0),
        (8, 0),
        (9, 1),
        (10, 3),
        (16, 4),
        (48, 2),
        (57, 2),
        (64, 2),
    ],
)
def test_every_pattern_has_the_value_of_the_standards_formula(n, es):
    fmt = PositFormat(n, es)
    words = np.random.default_rng(1).integers(0, (1 << n) - 1, 3000, dtype=np.uint64, endpoint=True)
    codes = np.arange(1 << n) if n <= 10 else words
    for code, value in zip(codes.tolist(), fmt.decode(codes).tolist(), strict=True):
        want = standard_value(code, n, es)
        assert value != value if want is None else value == want
        assert fmt.unpack(code).number() == want or want is None


@pytest.mark.parametrize(("n", "es"), [(8, 2), (6, 2), (7, 0), (8, 1), (3, 2), (2, 2)])
def test_rounding_is_nearest_on_the_bit_string(n, es):
    fmt = PositFormat(n, es)
    positives = positive_values(n, es)
    ties = [standard_value(2 * code + 1, n + 1, es) for code in range(len(positives) + 1)]
    points = np.array([float(x) for x in positives + ties if x] + [1e-30, 1e30, 5e-324, 1e308])
    values = np.concatenate([points, np.nextafter(points, 0), np.nextafter(points, np.inf)])
    values = np.concatenate([values[values > 0], -values, [0.0]])
    want = [standard_rounding(Fraction(x), n, es) for x in values.tolist()]
    assert fmt.encode(values).tolist() == want
    assert fmt.encode(values.astype(object)).tolist() == want


@pytest.mark.parametrize("n", [40, 64])
def test_posits_wider_than_the_fast_path_round_on_the_bit_string(n):
    fmt, rng = PositFormat(n), np.random.default_rng(3)
    codes = rng.integers(1, (1 << (n - 1)) - 1, 60).tolist()
    for code in codes:
        between = standard_value(2 * code + 1, n + 1, 2)
        tiny = between / (1 << 80)
        nearby = [between - tiny, between, between + tiny]
        assert fmt.encode(np.array(nearby, dtype=object)).tolist() == [code, code + code % 2, code + 1]
        assert int(fmt.encode(fmt.decode([code]))[0]) == code


@pytest.mark.parametrize("n", [16, 32])
def test_wide_posits_round_arrays_as_they_round_one_by_one(n):
    fmt, rng = PositFormat(n), np.random.default_rng(2)
    codes = rng.integers(1, (1 << (n - 1)) - 1, 400)
    ties = np.array([float(standard_value(2 * code + 1, n + 1, 2)) for code in codes.tolist()])
    wild = rng.integers(0, 1 << 63, 200, dtype=np.uint64).view(np.float64)
    values = np.concatenate(
        [ties, np.nextafter(ties, 0), np.nextafter(ties, np.inf), wild[np.isfinite(wild)]]
    )
    values = np.concatenate([values, -values])
    assert (fmt.encode(values) == fmt.encode(values.astype(object))).all()
    assert (fmt.encode(fmt.decode(codes)) == codes).all()


def test_no_value_becomes_zero_or_not_a_real():
    fmt = parse_format("posit16")
    codes = fmt.encode([5e-324, -5e-324, 1e308, -1e308, 0.0, np.nan, np.inf])
    assert codes.tolist() == [1, 0xFFFF, 0x7FFF, 0x8001, 0, 0x8000, 0x8000]


def test_standard_posits_have_their_published_extremes():
    for n, power in ((8, 24), (16, 56), (32, 120)):
        fmt = parse_format(f"posit{n}")
        assert fmt.decode([1, fmt.max_finite_code]).tolist() == [2.0**-power, 2.0**power]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PositFormat(1), "posit width 1 out of range: legal: 2..64"),
        (lambda: PositFormat(65), "posit width 65 out of range: legal: 2..64"),
        (lambda: PositFormat(8, 5), "posit exponent size es 5 out of range: legal: 0..4"),
        (
            lambda: PositFormat(8).encode(1.0, rounding="rtz"),
            "rounding 'rtz' is impossible for format 'posit8'",
        ),
        (lambda: PositFormat(8).encode(1.0, overflow="nan"), "overflow policy 'nan' is impossible"),
    ],
)
def test_what_the_standard_does_not_have_is_refused(make, message):
    with pytest.raises(InputError) as caught:
        make()
    assert message in str(caught.value)
