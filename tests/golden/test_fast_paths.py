"""The fast paths equal the plain path wherever they are taken, and are taken exactly up to their proofs."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from golden_vectors import edge_codes, random_codes

from hwgen import golden
from hwgen.formats import FixedFormat, FloatFormat, Overflow, PositFormat, Rounding, parse_format
from hwgen.golden import operators
from hwgen.golden.carriers import add_to_odd, extent, product_extent, sum_is_safe
from hwgen.golden.exact import exact_arrays
from hwgen.golden.integers import fits, fixed_arrays

NAMES = (
    *("fp64", "fp32", "tf32", "fp16", "bf16", "e5m2", "e4m3fn", "e4m3fnuz", "e2m1", "e6m5", "e11m4"),
    *("e4m3ftz", "e8m7ftz", "e4m3b11fnuz", "e11m3fn", "e5m2b-3", "e3m0fn", "posit8", "posit16"),
    *("q1.7", "q8.14", "uint8", "int32", "q1.31", "int64", "fixed8f-20", "ufixed12f30"),
)
MODES = ("rne", "rna", "rtz", "rup", "rdn", "rto", "sr")


def mixed_codes(rng, fmt, count):
    """Uniform, near one, and edge patterns."""
    codes = random_codes(rng, fmt, count)
    if isinstance(fmt, FloatFormat):
        near_one = np.clip(rng.integers(-4, 5, count) + fmt.bias, 0, (1 << fmt.exponent) - 1).astype(
            np.uint64
        )
        keep = np.uint64(fmt.sign_mask | (fmt.min_normal_code - 1))
        moved = (near_one << np.uint64(fmt.mantissa)) | (codes.astype(np.uint64) & keep)
        codes = np.where(rng.random(count) < 0.6, moved, codes).astype(fmt.dtype)
    if not isinstance(fmt, PositFormat):
        codes = np.where(rng.random(count) < 0.15, rng.choice(edge_codes(fmt), count), codes)
    return codes


def random_call(rng, count):
    """Return (keyword arguments of `exact_arrays`, factors, addend) of a random operation."""
    adds, factors = [(False, 1), (True, 1), (False, 2), (True, 2)][rng.integers(4)]
    formats = [parse_format(str(rng.choice(NAMES))) for _ in range(factors + adds)]
    y_fmt = parse_format(str(rng.choice(NAMES)))
    mode = "rne" if isinstance(y_fmt, PositFormat) else str(rng.choice(MODES))
    rounding = Rounding(mode, int(rng.choice([1, 3, 8, 13, 24, 30, 45, 64])) if mode == "sr" else None)
    words = None
    if mode == "sr":
        last = (1 << rounding.random_bits) - 1
        words = rng.integers(0, last, count, dtype=np.uint64, endpoint=True)
        words[:4], words[4:8] = 0, last
    overflow = Overflow(rng.choice(y_fmt.legal_overflows))
    operands = [(mixed_codes(rng, fmt, count), fmt) for fmt in formats]
    settings = {"y_fmt": y_fmt, "rounding": rounding, "overflow": overflow, "words": words}
    return settings, operands[:factors], operands[-1] if adds else None


def check_random_calls(seed, calls, count):
    rng = np.random.default_rng(seed)
    taken = set()
    for _ in range(calls):
        settings, factors, addend = random_call(rng, count)
        formats = [fmt for _, fmt in factors] + ([] if addend is None else [addend[1]])
        choice = {key: settings[key] for key in ("y_fmt", "rounding", "overflow")}
        path = operators._choose_path(formats, adds=addend is not None, **choice)
        taken.add(path)
        if path is exact_arrays:
            continue
        got = path(factors, addend, **settings)
        want = exact_arrays(factors, addend, **settings)
        wrong = np.flatnonzero(got != want)
        assert wrong.size == 0, ([fmt.name for fmt in formats], choice, wrong[0])
    assert taken == {exact_arrays, fixed_arrays, operators.float64_arrays}


def test_fast_equals_exact_on_random_formats_and_modes():
    check_random_calls(1, 600, 40)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 5))
def test_fast_equals_exact_on_many_random_formats_and_modes(seed):
    check_random_calls(seed, 3000, 60)


def far_sum(rng, count, gap):
    """Summands of about 1 and 2^-gap whose sum needs more than 53 bits if the gap is wide."""
    big = rng.integers(1 << 22, 1 << 24, count) * 2.0**-23
    small = rng.integers(1, 1 << 20, count) * 2.0 ** (-gap - 20)
    return big, small * rng.choice([-1.0, 1.0], count)


@pytest.mark.parametrize("gap", [1, 20, 29, 30, 45, 52, 53, 54, 80])
def test_sum_is_rounded_to_odd(gap):
    p, c = far_sum(np.random.default_rng(gap), 200, gap)
    odd = add_to_odd(p, c, rounding=Rounding("rne"))
    for x, y, z in zip(p, c, odd, strict=True):
        exact = Fraction(x) + Fraction(y)
        if Fraction(z) == exact:
            continue
        neighbour = np.nextafter(z, np.inf if Fraction(z) < exact else -np.inf)
        assert min(z, neighbour) < exact < max(z, neighbour)
        assert np.float64(z).view(np.int64) & 1 == 1


@pytest.mark.parametrize(
    ("y_name", "rounding", "safe"),
    [
        ("fp32", Rounding("sr", 28), True),  # 24 + 28 = 52 bits of threshold: the last that fits
        ("fp32", Rounding("sr", 29), False),
        ("e8m50", Rounding("rne"), True),
        ("e8m51", Rounding("rne"), False),
        ("fp64", Rounding("rtz"), False),
        ("q16.36", Rounding("sr", 1), False),  # 52 integer bits and one of fraction
        ("q16.35", Rounding("sr", 1), True),
        ("e11m4", Rounding("sr", 47), True),  # last threshold 2^(-1022 - 4 - 47) = 2^-1073
        ("e11m4", Rounding("sr", 48), False),
        ("e11m4ftz", Rounding("sr", 46), True),  # one binade more
        ("e11m4ftz", Rounding("sr", 47), False),
    ],
)
def test_float64_sum_is_chosen_up_to_the_proof_and_not_beyond(y_name, rounding, safe):
    bf16, y_fmt = parse_format("bf16"), parse_format(y_name)
    product = product_extent(extent(bf16), extent(bf16))
    overflow = y_fmt.default_overflow
    assert sum_is_safe(product, extent(bf16), y_fmt=y_fmt, rounding=rounding, overflow=overflow) is safe


def test_factors_beyond_float64_are_multiplied_exactly_even_if_the_product_is_a_float64():
    wide, narrow, fp64 = parse_format("e11m3fn"), parse_format("fixed8f30"), parse_format("fp64")
    codes = np.array([wide.max_finite_code])  # 1.75 * 2^1024
    got = golden.mul(codes, [1], a_fmt=wide, b_fmt=narrow, y_fmt=fp64, rounding=Rounding("rne"))
    assert fp64.decode(got).item() == 1.75 * 2.0**994


def test_wrapping_sums_never_take_the_rounded_path():
    bf16, fixed = extent(parse_format("bf16")), parse_format("int8")
    for overflow, safe in ((Overflow.SATURATE, True), (Overflow.WRAP, False)):
        assert sum_is_safe(bf16, bf16, y_fmt=fixed, rounding=Rounding("rne"), overflow=overflow) is safe


@pytest.mark.parametrize("r", [27, 28])
def test_sums_at_the_boundary_of_the_predicate_are_exact(r):
    """fp32 results with as many random bits as the proof allows, with the extreme words among them."""
    fp32, rng = parse_format("fp32"), np.random.default_rng(r)
    big = fp32.encode(rng.uniform(1, 2, 400))
    small = fp32.encode(rng.uniform(-1, 1, 400) * 2.0 ** rng.integers(-75, -22, 400))
    words = rng.integers(0, (1 << r) - 1, 400, dtype=np.uint64, endpoint=True)
    words[::3], words[1::3] = 0, (1 << r) - 1
    rounding = Rounding("sr", r)
    got = golden.add(big, small, a_fmt=fp32, b_fmt=fp32, y_fmt=fp32, rounding=rounding, rand=words)
    settings = {"y_fmt": fp32, "rounding": rounding, "overflow": Overflow.INFINITY, "words": words}
    assert (got == exact_arrays([(big, fp32)], (small, fp32), **settings)).all()
    assert len(np.unique(got.astype(np.int64) - big)) >= 3, "sums must move down, stay and move up"


@pytest.mark.parametrize(("width", "inside"), [(30, True), (31, False)])
def test_int64_path_is_chosen_while_the_sum_fits_62_bits(width, inside):
    fmt = FixedFormat(width, 0)
    assert fits([fmt, fmt], FixedFormat(61, 0), y_fmt=FixedFormat(64, 0)) is inside


@pytest.mark.parametrize("signs", list(itertools.product([True, False], repeat=3)))
def test_int64_path_is_exact_at_its_widest(signs):
    a, b, c = FixedFormat(30, 3, signs[0]), FixedFormat(30, 4, signs[1]), FixedFormat(60, 7, signs[2])
    rng = np.random.default_rng(8)
    operands = [np.resize(edge_codes(fmt), 64)[rng.permutation(64)] for fmt in (a, b, c)]
    factors, addend = [(operands[0], a), (operands[1], b)], (operands[2], c)
    for y_fmt in (FixedFormat(64, 7), FixedFormat(20, 0), FixedFormat(33, 2, False)):
        assert fits([a, b], c, y_fmt=y_fmt)
        for mode, overflow in itertools.product(MODES[:-1], (Overflow.SATURATE, Overflow.WRAP)):
            settings = {"y_fmt": y_fmt, "rounding": Rounding(mode), "overflow": overflow, "words": None}
            assert (
                fixed_arrays(factors, addend, **settings) == exact_arrays(factors, addend, **settings)
            ).all()
