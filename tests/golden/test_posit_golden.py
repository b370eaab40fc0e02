"""Posit arithmetic of the golden model against SoftPosit, and against enumerated Fractions for every es."""

from __future__ import annotations

import numpy as np
import pytest
import softposit_oracle
from fraction_oracle import add, multiply
from posit_oracle import spec_of

from hwgen import golden
from hwgen.errors import InputError
from hwgen.formats import PositFormat, Rounding, parse_format

RNE = Rounding("rne")
OPERANDS = {"add": "ab", "mul": "ab", "fma": "abc"}


def compute(operation, fmt, *columns):
    formats = {f"{name}_fmt": fmt for name in (*OPERANDS[operation], "y")}
    return getattr(golden, operation)(*columns, **formats, rounding=RNE)


def hard_columns(fmt, count, seed=0):
    """Patterns of a, b, c: a quarter of the sums and half of the fmas cancel, a quarter are near the ends."""
    rng, size = np.random.default_rng(seed), 1 << fmt.width
    a, b, c = rng.integers(0, size, (3, count))
    near = rng.integers(-9, 10, (3, count))
    opposite = rng.random(count) < 0.25
    b[opposite] = (size - a + near[0])[opposite] % size
    ends = rng.random(count) < 0.25
    a[ends] = (near[1] + np.where(rng.random(count) < 0.5, 0, size >> 1))[ends] % size
    cancel = rng.random(count) < 0.5
    c[cancel] = (size - compute("mul", fmt, a, b).astype(np.int64) + near[2] // 4)[cancel] % size
    return a, b, c


@pytest.mark.parametrize("operation", ["add", "mul"])
def test_every_pair_of_posit8_agrees_with_softposit(operation):
    fmt = PositFormat(8)
    a, b = (grid.ravel() for grid in np.meshgrid(np.arange(256), np.arange(256)))
    np.testing.assert_array_equal(compute(operation, fmt, a, b), softposit_oracle.compute(operation, 8, a, b))


def test_every_triple_of_posit5_agrees_with_softposit():
    fmt = PositFormat(5)
    columns = [grid.ravel() for grid in np.meshgrid(*[np.arange(32)] * 3)]
    np.testing.assert_array_equal(compute("fma", fmt, *columns), softposit_oracle.compute("fma", 5, *columns))


@pytest.mark.parametrize("operation", list(OPERANDS))
@pytest.mark.parametrize("width", [8, 12, 16, 31])
def test_hard_operands_agree_with_softposit(width, operation):
    fmt = PositFormat(width)
    columns = hard_columns(fmt, 2_000 if width == 31 else 8_000)[: len(OPERANDS[operation])]
    want = softposit_oracle.compute(operation, width, *columns)
    np.testing.assert_array_equal(compute(operation, fmt, *columns), want)


@pytest.mark.slow
@pytest.mark.parametrize("operation", list(OPERANDS))
@pytest.mark.parametrize("width", [16, 24, 31])
def test_a_million_hard_operands_agree_with_softposit(width, operation):
    fmt = PositFormat(width)
    columns = hard_columns(fmt, 1_000_000, seed=1)[: len(OPERANDS[operation])]
    want = softposit_oracle.compute(operation, width, *columns)
    np.testing.assert_array_equal(compute(operation, fmt, *columns), want)


@pytest.mark.parametrize(("width", "es"), [(2, 2), (3, 0), (4, 1), (5, 4), (6, 0), (6, 3), (6, 1)])
def test_every_pair_agrees_with_fractions_for_every_es(width, es):
    fmt, oracle = PositFormat(width, es), spec_of(PositFormat(width, es))
    values = [oracle.value(code) for code in range(1 << width)]
    a, b = (grid.ravel() for grid in np.meshgrid(np.arange(1 << width), np.arange(1 << width)))
    pairs = [(values[i], values[j]) for i, j in zip(a.tolist(), b.tolist(), strict=True)]
    sums = [oracle.round(add(x, y, "rne"), "rne", "saturate") for x, y in pairs]
    products = [oracle.round(multiply(x, y), "rne", "saturate") for x, y in pairs]
    np.testing.assert_array_equal(compute("add", fmt, a, b), sums)
    np.testing.assert_array_equal(compute("mul", fmt, a, b), products)


def test_posit32_rounds_on_the_bit_string_next_to_its_ends():
    fmt, oracle, wider = PositFormat(32), spec_of(PositFormat(32)), spec_of(PositFormat(33))
    last = fmt.max_finite_code
    codes = np.array([*range(1, 40), *range(last - 39, last + 1)])
    factors = fmt.encode([1.25, 2.0, 0.5, 4.0, 3.0])
    products = compute("mul", fmt, codes[:, None], factors[None, :])
    for i, code in enumerate(codes.tolist()):
        for j, factor in enumerate(factors.tolist()):
            body, x = int(products[i, j]), oracle.value(code).magnitude * oracle.value(factor).magnitude
            low = wider.value(2 * body - 1).magnitude if body > 1 else 0
            high = wider.value(2 * body + 1).magnitude if body < last else x + 1
            assert low < x < high or (x in (low, high) and body % 2 == 0)


@pytest.mark.parametrize("width", [40, 57, 64])
def test_exact_sums_and_products_of_wide_posits_stay_exact(width):
    fmt = PositFormat(width)
    small = np.arange(-9, 10)
    codes = fmt.encode(small.astype(float))
    a, b = (grid.ravel() for grid in np.meshgrid(np.arange(19), np.arange(19)))
    sums, products = small[a] + small[b], small[a] * small[b]
    np.testing.assert_array_equal(fmt.decode(compute("add", fmt, codes[a], codes[b])).astype(float), sums)
    np.testing.assert_array_equal(fmt.decode(compute("mul", fmt, codes[a], codes[b])).astype(float), products)


def test_operands_and_results_of_different_families_meet_in_one_rounding():
    rng = np.random.default_rng(4)
    formats = [parse_format(name) for name in ("posit8", "e4m3fn", "q3.4", "e8m0", "posit6es1")]
    for x, y, z in [(0, 1, 4), (1, 0, 4), (0, 2, 0), (3, 0, 0), (0, 4, 1), (0, 1, 2), (0, 3, 3)]:
        a_fmt, b_fmt, y_fmt = formats[x], formats[y], formats[z]
        a, b = rng.integers(0, 1 << a_fmt.width, 600), rng.integers(0, 1 << b_fmt.width, 600)
        policy = y_fmt.default_overflow
        keys = {"a_fmt": a_fmt, "b_fmt": b_fmt, "y_fmt": y_fmt, "rounding": RNE}
        values = [
            (spec_of(a_fmt).value(i), spec_of(b_fmt).value(j))
            for i, j in zip(a.tolist(), b.tolist(), strict=True)
        ]
        sums = [spec_of(y_fmt).round(add(p, q, "rne"), "rne", policy) for p, q in values]
        products = [spec_of(y_fmt).round(multiply(p, q), "rne", policy) for p, q in values]
        np.testing.assert_array_equal(golden.add(a, b, **keys), sums)
        np.testing.assert_array_equal(golden.mul(a, b, **keys), products)


def test_a_posit_product_is_rounded_to_nearest_whatever_the_final_mode():
    rng = np.random.default_rng(8)
    posit, fp16 = parse_format("posit8"), parse_format("fp16")
    a, b, acc = rng.integers(0, 256, 500), rng.integers(0, 256, 500), rng.integers(0, 1 << 16, 500)
    product = golden.mul(a, b, a_fmt=posit, b_fmt=posit, y_fmt=posit, rounding=RNE)
    rtz = Rounding("rtz")
    want = golden.add(product, acc, a_fmt=posit, b_fmt=fp16, y_fmt=fp16, rounding=rtz)
    keys = {"a_fmt": posit, "b_fmt": posit, "acc_fmt": fp16, "product_fmt": posit}
    np.testing.assert_array_equal(golden.mac(a, b, acc, **keys, rounding=rtz), want)


def test_what_the_standard_does_not_have_is_refused():
    posit = parse_format("posit8")
    with pytest.raises(InputError, match="rounding 'sr' is impossible for format 'posit8'"):
        golden.convert(1, x_fmt=posit, y_fmt=posit, rounding=Rounding("sr", 4), rand=0)
    with pytest.raises(InputError, match="overflow policy 'infinity' is impossible for format 'posit8'"):
        golden.convert(1, x_fmt=posit, y_fmt=posit, rounding=RNE, overflow="infinity")
