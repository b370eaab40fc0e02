"""The variants of stochastic rounding: against gfloat's and their definitions, and counted over all words."""

from __future__ import annotations

from fractions import Fraction

import gfloat
import numpy as np
import pytest
from gfloat import RoundMode
from golden_vectors import edge_codes, random_codes
from test_gfloat_oracle import gfloat_info, values_for

from hwgen import golden
from hwgen.errors import InputError
from hwgen.formats import FloatFormat, Overflow, Rounding, parse_format
from hwgen.golden import round_unit as module
from hwgen.golden.round_unit import Variant, exact_round, round_unit

GFLOAT = {
    Variant.FLOOR: RoundMode.StochasticFastest,
    Variant.CENTRED: RoundMode.StochasticFast,
    Variant.NEAREST: RoundMode.Stochastic,
}
FORMATS = ("fp32", "bf16", "fp16", "e6m9", "e8m7ftz", "q16.16", "int20", "q8.40", "uq4.12", "int64", "fp64")
RESULTS = ("e5m2", "e4m3fn", "e4m3fnuz", "e6m5", "bf16", "e4m3ftz", "q1.7", "int8", "uq4.4", "e2m1")


def operands(rng, fmt, count):
    """Mixed patterns: most floats near one, where narrow results are neither zero nor overflow."""
    codes = random_codes(rng, fmt, count)
    if isinstance(fmt, FloatFormat):
        codes = fmt.encode(rng.standard_normal(count) * 2.0 ** rng.integers(-9, 5, count))
    return np.where(rng.random(count) < 0.15, rng.choice(edge_codes(fmt), count), codes)


@pytest.mark.parametrize("variant", GFLOAT)
@pytest.mark.parametrize("bits", [1, 3, 8])
@pytest.mark.parametrize("result", ["e5m2", "e4m3fn", "e2m3", "bf16"])
def test_variant_equals_gfloats(variant, bits, result):
    y_fmt = parse_format(result)
    rng = np.random.default_rng(bits)
    x_fmt = parse_format("fp32")
    x = x_fmt.encode(values_for(y_fmt, rng, 3000))
    words = rng.integers(0, 1 << bits, x.size)
    want = gfloat.round_ndarray(
        gfloat_info(y_fmt), x_fmt.decode(x), GFLOAT[variant], True, srbits=words, srnumbits=bits
    )
    rounding = Rounding("sr", bits)
    how = {"x_fmt": x_fmt, "y_fmt": y_fmt, "rounding": rounding, "overflow": "saturate"}
    got = y_fmt.decode(round_unit(x, variant=variant, rand=words, **how))
    np.testing.assert_array_equal(got, want)


def check_random_calls(seed, calls, count):
    rng = np.random.default_rng(seed)
    seen = set()
    for _ in range(calls):
        x_fmt, y_fmt = (parse_format(str(rng.choice(names))) for names in (FORMATS, RESULTS))
        variant = Variant(rng.choice(list(Variant)))
        rounding = Rounding("sr", int(rng.choice([1, 2, 5, 8, 13, 30, 63, 64])))
        overflow = Overflow(rng.choice(y_fmt.legal_overflows))
        x = operands(rng, x_fmt, count)
        last = (1 << rounding.random_bits) - 1
        words = rng.integers(0, last, count, dtype=np.uint64, endpoint=True)
        words[:8:2], words[1:8:2] = 0, last
        how = {"y_fmt": y_fmt, "rounding": rounding, "overflow": overflow, "variant": variant}
        got = round_unit(x, x_fmt=x_fmt, rand=words, **how)
        want = [
            exact_round(x_fmt.unpack(code), word=word, **how)
            for code, word in zip(x.tolist(), words.tolist(), strict=True)
        ]
        assert got.dtype == y_fmt.dtype
        wrong = np.flatnonzero(got != want)
        assert wrong.size == 0, (x_fmt.name, how, hex(x[wrong[0]]), hex(words[wrong[0]]))
        seen.add((variant, x_fmt.family, y_fmt.family))
    assert len(seen) == 16


def test_mapping_to_floor_with_other_words_equals_the_definition():
    check_random_calls(1, 500, 40)


def test_a_nearest_variant_with_ties_away_is_caught(monkeypatch):
    monkeypatch.setattr(module, "_significant_bits", lambda fmt: 1)
    with pytest.raises(AssertionError):
        check_random_calls(1, 500, 40)


@pytest.mark.parametrize("sign", [0, 0x8000])
@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize("bits", [1, 3, 7])
def test_over_all_words_the_upward_results_number_what_the_definition_says(variant, bits, sign):
    x_fmt, y_fmt = parse_format("bf16"), parse_format("e4m3fn")
    one, below = 0x3F80, 0x3B00  # from 1 to 2, and from 2^-9, the smallest subnormal, on
    x = np.concatenate([np.arange(one, one + 128), np.arange(below, below + 512)]) | sign
    words = np.arange(1 << bits)
    how = {"x_fmt": x_fmt, "y_fmt": y_fmt}
    results = round_unit(x[:, None], rounding=Rounding("sr", bits), variant=variant, rand=words, **how)
    low, high = (golden.convert(x, rounding=Rounding(mode), **how) for mode in ("rtz", "rup"))
    if sign:
        high = golden.convert(x, rounding=Rounding("rdn"), **how)
    inexact = 0
    for row, value, lo, hi in zip(
        results, x_fmt.decode(x), y_fmt.decode(low), y_fmt.decode(high), strict=True
    ):
        ups = int(np.count_nonzero(y_fmt.decode(row) == hi)) if lo != hi else 0
        f = (Fraction(value) - Fraction(lo)) / (Fraction(hi) - Fraction(lo)) if lo != hi else Fraction(0)
        z = f * 2**bits
        expected = {
            Variant.FLOOR: int(z),
            Variant.COMPARE: int(z),
            Variant.CENTRED: int(z + Fraction(1, 2)),
            Variant.NEAREST: round(z),  # of a Fraction: to nearest, ties to even
        }[variant]
        assert ups == expected
        inexact += lo != hi
    assert inexact > 100


def test_a_variant_of_a_deterministic_mode_is_refused():
    fmt = parse_format("bf16")
    with pytest.raises(InputError, match="variant 'nearest' belongs to rounding 'sr', not to 'rne'"):
        round_unit([0], x_fmt=fmt, y_fmt=fmt, rounding=Rounding("rne"), variant=Variant.NEAREST)
