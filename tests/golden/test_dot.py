"""Golden dot products against definitions written anew on Fractions, gfloat's blocks and APyTypes' trees."""

from __future__ import annotations

import random
from fractions import Fraction

import apytypes as apy
import gfloat
import numpy as np
import pytest
from fraction_oracle import NAN, FixedSpec, FloatSpec, Number, add, multiply, spec_of
from gfloat import formats as gfloat_formats

from hwgen.errors import InputError
from hwgen.formats import BlockFormat, ExponentFormat, FixedFormat, Overflow, Rounding, parse_format
from hwgen.golden import dot as dot_module
from hwgen.golden.dot import dot, plain_dot
from hwgen.golden.dot_unit import AlignedSum, DotUnit, ExactSum, SequentialSum, TreeSum
from hwgen.operators.dot_vectors import hard_dot_operands

SCHEMES = (
    ExactSum(),
    AlignedSum(3),
    AlignedSum(9, jam=True),
    AlignedSum(24),
    TreeSum(),
    TreeSum(parse_format("fp16")),
    SequentialSum(),
    SequentialSum(partial=parse_format("bf16")),
    SequentialSum(product=parse_format("e6m5")),
)
FORMATS = (
    ("e4m3fn", "e5m2", "fp16", "bf16", 5),
    ("e5m2", "e5m2", None, "e4m3fnuz", 4),
    ("bf16", "fp16", "bf16", "fp16", 3),
    ("int8", "uint8", "q4.9", "q6.2", 7),
    ("q1.7", "e4m3fnuz", "e5m2", "e5m2ftz", 2),
    ("e2m1", "e3m2", None, "e6m5", 1),
)
MODES = ("rne", "rna", "rtz", "rup", "rdn", "rto")
R = 5


def unit_of(a, b, c, y, n, scheme, rounding) -> DotUnit:
    y_fmt = parse_format(y)
    return DotUnit(
        n=n,
        a=parse_format(a),
        b=parse_format(b),
        c=None if c is None else parse_format(c),
        y=y_fmt,
        scheme=scheme,
        rounding=rounding,
        overflow=y_fmt.default_overflow,
    )


# ---- the definition, on enumerated values and Fractions -----------------------------------------------


def exponent_of(spec: FloatSpec | FixedSpec, code: int) -> int:
    """The weight of the first significand bit, read from the pattern."""
    if isinstance(spec, FixedSpec):
        return spec.width - 1 - spec.fraction
    return max(code % spec.sign_bit >> spec.mantissa, 1) - spec.bias


def scaled(number: Number, exponent: int) -> Number:
    if isinstance(number.magnitude, str):
        return number
    return Number(number.negative, number.magnitude * Fraction(2) ** exponent)


def total_of(terms, mode) -> Number:
    total = terms[0]
    for term in terms[1:]:
        total = add(total, term, mode)
    return total


def expected(unit: DotUnit, a, b, c, words, scale: int | None = 0) -> int:
    """The result of one activation; `scale` is the exponent of all products, None a NaN."""
    mode, bits = unit.rounding.mode.value, unit.rounding.random_bits
    element_a, element_b = (spec_of(getattr(fmt, "element", fmt)) for fmt in (unit.a, unit.b))
    pairs = list(zip(a, b, strict=True))
    terms = [
        NAN if scale is None else scaled(multiply(element_a.value(x), element_b.value(y)), scale)
        for x, y in pairs
    ]
    addend = [] if unit.c is None else [spec_of(unit.c).value(c)]
    y_rule = (unit.y, unit.overflow.value)

    def rounded(rule, number, word) -> int:
        fmt, overflow = rule
        return spec_of(fmt).round(number, mode, overflow, word, bits)

    match unit.scheme:
        case ExactSum():
            return rounded(y_rule, total_of(terms + addend, mode), words[0])
        case AlignedSum(w, jam):
            exponents = [
                exponent_of(element_a, x) + exponent_of(element_b, y) + (scale or 0) for x, y in pairs
            ]
            exponents += [] if unit.c is None else [exponent_of(spec_of(unit.c), c)]
            terms = terms + addend
            special = any(isinstance(term.magnitude, str) for term in terms)
            live = [e for e, term in zip(exponents, terms, strict=True) if term.magnitude != 0]
            if live and not special:
                last = Fraction(2) ** (max(live) - w)
                cut = []
                for term in terms:
                    steps, rest = divmod(term.magnitude, last)
                    steps += 1 if jam and rest and steps % 2 == 0 else 0
                    cut.append(Number(term.negative, steps * last))
                terms = cut
            return rounded(y_rule, total_of(terms, mode), words[0])
        case TreeSum(partial):
            inner = y_rule if partial is None else (partial, partial.default_overflow.value)
            rest = unit.n - 1 + len(addend)  # sums to come
            # A level is a list of (first element, value); neighbours are added, an odd last one passes up.
            level = []
            for index, term in enumerate(terms):
                rule = y_rule if rest == 0 else inner
                level.append((index, rounded(rule, term, words[index])))
            while len(level) > 1:
                above = []
                for left, right in zip(level[::2], level[1::2], strict=False):
                    rest -= 1
                    rule = y_rule if rest == 0 else inner
                    values = [spec_of(inner[0]).value(code) for _, code in (left, right)]
                    code = rounded(rule, add(*values, mode), words[unit.n - 1 + right[0]])
                    above.append((left[0], code))
                level = above + (level[-1:] if len(level) % 2 else [])
            if not addend:
                return level[0][1]
            return rounded(y_rule, add(spec_of(inner[0]).value(level[0][1]), addend[0], mode), words[-1])
        case SequentialSum(partial, product):
            inner = y_rule if partial is None else (partial, partial.default_overflow.value)
            sums, code = addend, 0
            stream = iter(words)
            for index, term in enumerate(terms):
                if product is not None:
                    code = rounded((product, product.default_overflow.value), term, next(stream))
                    term = spec_of(product).value(code)
                last = index == unit.n - 1
                code = rounded(y_rule if last else inner, total_of([*sums, term], mode), next(stream))
                sums = [] if last else [spec_of(inner[0]).value(code)]
            return code
    raise AssertionError(unit.scheme)


def check(unit: DotUnit, count: int, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    operands = hard_dot_operands(unit, count, rng)
    bits = unit.rounding.random_bits
    words = rng.integers(0, 1 << bits, (count, unit.words))
    rand = None if not bits else words if unit.words > 1 else words[:, 0]
    got = dot(unit, *operands, rand=rand)
    a, b, c = (*operands, np.zeros(count, np.uint64))[:3]
    rows = zip(a.tolist(), b.tolist(), c.tolist(), words.tolist(), strict=True)
    want = [expected(unit, *row) for row in rows]
    assert len(want) == count > 0
    wrong = [i for i in range(count) if int(got[i]) != want[i]]
    assert not wrong, (unit, wrong[:3], [[column[i].tolist() for column in operands] for i in wrong[:3]])


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@pytest.mark.parametrize("formats", FORMATS, ids=str)
def test_every_scheme_equals_its_definition_on_fractions(formats, scheme) -> None:
    for index, mode in enumerate(MODES):
        check(unit_of(*formats, scheme, Rounding(mode)), 60, seed=index)
    check(unit_of(*formats, scheme, Rounding("sr", R)), 120, seed=99)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@pytest.mark.parametrize("formats", FORMATS, ids=str)
def test_every_scheme_equals_its_definition_on_many_vectors(formats, scheme) -> None:
    for index, mode in enumerate(MODES):
        check(unit_of(*formats, scheme, Rounding(mode)), 4_000, seed=100 + index)


@pytest.mark.parametrize(
    ("a", "n"), [("mxfp8_e4m3", 32), ("mxfp8_e5m2", 8), ("mxfp6_e3m2", 3), ("mxfp4", 32)]
)
def test_exact_dot_products_of_mx_blocks_equal_gfloats_decoding_and_fractions(a, n) -> None:
    info = getattr(gfloat_formats, "format_info_" + {"mxfp4": "mxfp4_e2m1"}.get(a, a))
    unit = unit_of(a, a, None, "bf16", n, ExactSum(), Rounding("rne"))
    operands = hard_dot_operands(unit, 250, np.random.default_rng(3))
    results = dot(unit, *operands)
    bf16 = spec_of(unit.y)
    scales = 0
    for x, y, result in zip(*operands, results, strict=True):
        left, right = (
            list(gfloat.decode_block(info, [int(codes[-1]), *map(int, codes[:-1])])) for codes in (x, y)
        )
        scales += int(x[-1]) == 255 or int(y[-1]) == 255
        with np.errstate(invalid="ignore"):
            products = [np.float64(p) * np.float64(q) for p, q in zip(left, right, strict=True)]
        infinite = {p for p in products if np.isinf(p)}
        if any(np.isnan(p) for p in products) or len(infinite) == 2:
            exact = NAN
        elif infinite:
            exact = Number(infinite.pop() < 0, "inf")
        else:
            total = sum((Fraction(float(p)) * Fraction(float(q)) for p, q in zip(left, right, strict=True)))
            zero_sign = all(np.signbit(p) for p in products)
            exact = Number(total < 0 or (total == 0 and zero_sign), abs(Fraction(total)))
        assert int(result) == bf16.round(exact, "rne", "infinity")
    assert scales > 0


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_scales_multiply_products_exactly_in_every_scheme(scheme) -> None:
    block = BlockFormat(FixedFormat(5, 2), 8, 4)
    unit = DotUnit(
        n=4,
        a=block,
        b=BlockFormat(parse_format("e3m2"), 16, ExponentFormat()),
        c=parse_format("bf16"),
        y=parse_format("fp16"),
        scheme=scheme,
        rounding=Rounding("rne"),
        overflow=Overflow.INFINITY,
    )
    a, b, c = hard_dot_operands(unit, 300, np.random.default_rng(1))
    got = dot(unit, a, b, c)
    words = [0] * unit.words
    for index in range(300):
        first, second = int(a[index, -1]), int(b[index, -1])
        signed = first - 16 if first >= 8 else first
        scale = None if second == 255 else signed + second - 127
        row = a[index, :4].tolist(), b[index, :4].tolist(), int(c[index])
        assert int(got[index]) == expected(unit, *row, words, scale)


@pytest.mark.parametrize("mode", ["rne", "rtz", "rup"])
@pytest.mark.parametrize("n", [2, 5, 8])
def test_trees_equal_apytypes_products_and_sums(mode, n) -> None:
    unit = unit_of("bf16", "bf16", None, "bf16", n, TreeSum(), Rounding(mode))
    a, b = hard_dot_operands(unit, 3_000, np.random.default_rng(n))
    theirs = {"rne": "TIES_EVEN", "rtz": "TO_ZERO", "rup": "TO_POS"}[mode]
    columns = [
        [apy.APyFloatArray.from_bits(x[:, i].astype(np.int64), 8, 7) for i in range(n)] for x in (a, b)
    ]
    with apy.APyFloatQuantizationContext(getattr(apy.QuantizationMode, theirs)):
        level = [p * q for p, q in zip(*columns, strict=True)]
        while len(level) > 1:
            pairs = [p + q for p, q in zip(level[::2], level[1::2], strict=False)]
            level = pairs + (level[-1:] if len(level) % 2 else [])
    want = np.array(level[0].to_bits(), dtype=np.uint16)
    got = dot(unit, a, b)
    nan = np.isnan(unit.y.decode(want))
    assert (got[nan] == unit.y.nan_code).all()
    np.testing.assert_array_equal(got[~nan], want[~nan])
    assert np.count_nonzero(~nan) > 1_500


def test_the_quire_of_posits_is_the_exact_sum() -> None:
    unit = unit_of("posit16", "posit16", "posit16", "posit16", 6, ExactSum(), Rounding("rne"))
    a, b, c = hard_dot_operands(unit, 400, np.random.default_rng(8))
    got = dot(unit, a, b, c)
    decode = unit.y.decode
    for x, y, z, result in zip(
        decode(a.astype(np.uint16)),
        decode(b.astype(np.uint16)),
        decode(c.astype(np.uint16)),
        got,
        strict=True,
    ):
        if np.isnan([*x, *y, z]).any():
            assert result == unit.y.nan_code
            continue
        total = Fraction(float(z)) + sum(
            Fraction(float(p)) * Fraction(float(q)) for p, q in zip(x, y, strict=True)
        )
        assert result == unit.y.encode(np.array([total], dtype=object))[0]


# ---- stochastic rounding ------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", [ExactSum(), AlignedSum(13), AlignedSum(13, jam=True)], ids=str)
def test_over_all_words_the_upward_results_number_exactly_k(scheme) -> None:
    unit = unit_of("e4m3fn", "e5m2", "fp16", "e4m3fn", 4, scheme, Rounding("sr", 6))
    operands = hard_dot_operands(unit, 80, np.random.default_rng(5))
    results = dot(unit, *(column[:, None] for column in operands), rand=np.arange(64)[None, :])
    inexact = 0
    for index, row in enumerate(results):
        columns = [column[index].tolist() for column in operands]
        wanted = [expected(unit, *columns, [word]) for word in range(64)]
        assert row.tolist() == wanted
        ups = sum(code != wanted[0] for code in wanted)
        assert wanted == [wanted[0]] * (64 - ups) + [wanted[-1]] * ups  # k + u >= 2^r: the k largest words
        inexact += ups > 0
    assert inexact > 5


# ---- fast paths and plain path, arguments -------------------------------------------------------------


def test_fast_paths_equal_the_plain_path_for_random_units() -> None:
    rng = random.Random(4)
    names = ("e4m3fn", "e5m2", "bf16", "fp32", "int8", "uq4.9", "e2m1", "posit8", "fp16")
    fast = 0
    for seed in range(60):
        a, b, c, y = (rng.choice(names) for _ in range(4))
        mode = "rne" if y == "posit8" else rng.choice(MODES)
        unit = unit_of(
            a, b, rng.choice((None, c)), y, rng.choice((1, 3, 6, 11)), rng.choice(SCHEMES), Rounding(mode)
        )
        operands = hard_dot_operands(unit, 60, np.random.default_rng(seed))
        fast += dot_module._path(unit) is not dot_module._plain
        np.testing.assert_array_equal(dot(unit, *operands), plain_dot(unit, *operands), str(unit))
    assert fast > 50


def test_wide_formats_take_the_plain_path() -> None:
    for formats in (("fp64", "fp64", "fp64", "fp64", 2), ("int8", "int8", "int32", "fixed60f3", 3)):
        unit = unit_of(*formats, ExactSum(), Rounding("rne"))
        assert dot_module._path(unit) is dot_module._plain
        operands = hard_dot_operands(unit, 20, np.random.default_rng(0))
        assert dot(unit, *operands).shape == (20,)


def test_one_bit_survives_the_cancellation_of_everything_above_it() -> None:
    unit = unit_of("bf16", "bf16", "bf16", "fp32", 4, ExactSum(), Rounding("rne"))
    encode = unit.a.encode
    a = encode(np.array([2.0**60, -(2.0**60), 2.0**-60, 2.0**120]))
    b = encode(np.array([2.0**60, 2.0**60, 2.0**-60, 0.0]))
    assert unit.y.decode(dot(unit, a, b, encode(0.0))) == 2.0**-120


def test_arguments_that_do_not_fit_the_unit_are_refused() -> None:
    unit = unit_of("e4m3fn", "e4m3fn", None, "fp16", 4, ExactSum(), Rounding("rne"))
    with pytest.raises(InputError, match="legal: a last axis of 4 patterns"):
        dot(unit, np.zeros(3, int), np.zeros(4, int))
    with pytest.raises(InputError, match="has no addend"):
        dot(unit, np.zeros(4, int), np.zeros(4, int), 0)
    with pytest.raises(InputError, match="does not fit 8 bits"):
        dot(unit, np.full(4, 256), np.zeros(4, int))
    with pytest.raises(InputError, match=r"legal: 1\.\.64"):
        unit_of("e4m3fn", "e4m3fn", None, "fp16", 65, ExactSum(), Rounding("rne"))
    with pytest.raises(InputError, match=r"several scales: legal: 1\.\.32"):
        unit_of("mxfp4", "mxfp4", None, "fp16", 33, ExactSum(), Rounding("rne"))
