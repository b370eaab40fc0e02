"""The specification side of the proofs, evaluated on operands and compared with what others say.

A theorem is worth as much as its statement: here the statement is shown to be the one meant, by libraries
that others wrote (ml_dtypes, gfloat, SoftFloat), by counting random words, and by the golden model on formats
that nobody chose.
"""

from __future__ import annotations

import random
from fractions import Fraction
from math import isnan
from typing import Any

import gfloat
import ml_dtypes
import numpy as np
import pytest
import softfloatpy
from gfloat import RoundMode
from gfloat.formats import format_info_binary16, format_info_ocp_e4m3, format_info_ocp_e5m2

from hwgen.errors import InputError
from hwgen.flow.prove import statement_of
from hwgen.flow.smt.rounding import Rule
from hwgen.flow.smt.solvers import values
from hwgen.flow.smt.theorem import Statement, specification
from hwgen.formats import FixedFormat, FloatFormat, parse_format
from hwgen.operators import load


def demanded(statement: Statement, operands: list[tuple[int, ...]]) -> list[int | None]:
    """Return the one y that the specification allows for each operand tuple."""
    script = specification(statement)
    script.demand("correct")
    names = [name for name, _ in statement.inputs]
    return values(script.text(), "y", [dict(zip(names, words, strict=True)) for words in operands])


def statement(kind: str, formats: dict[str, str], rounding: Any = "rne", **more: Any) -> Statement:
    return statement_of(load({"kind": kind, "formats": formats, "rounding": rounding, **more}))


def hard_words(rng: random.Random, fmt: FloatFormat | FixedFormat, count: int) -> list[int]:
    if isinstance(fmt, FixedFormat):
        edges = [0, 1, (1 << fmt.width) - 1, 1 << (fmt.width - 1), (1 << (fmt.width - 1)) - 1]
    else:
        edges = [0, 1, fmt.min_normal_code, fmt.min_normal_code - 1, fmt.min_normal_code + 1]
        edges += [fmt.max_finite_code, fmt.max_finite_code - 1, fmt.invalid_code, fmt.inf_code or 0]
        edges += [code ^ fmt.sign_mask for code in edges]
    limit = (1 << fmt.width) - 1
    edges = [code & limit for code in edges]
    return [rng.choice(edges) if rng.random() < 0.4 else rng.randint(0, limit) for _ in range(count)]


@pytest.mark.parametrize("operation", ["add", "mul"])
@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("e4m3fn", ml_dtypes.float8_e4m3fn),
        ("e5m2", ml_dtypes.float8_e5m2),
        ("e4m3", ml_dtypes.float8_e4m3),
        ("e4m3fnuz", ml_dtypes.float8_e4m3fnuz),
        ("e5m2fnuz", ml_dtypes.float8_e5m2fnuz),
    ],
)
def test_nearest_even_sums_and_products_are_those_of_ml_dtypes(name: str, dtype: Any, operation: str) -> None:
    fmt = parse_format(name)
    assert isinstance(fmt, FloatFormat)
    rng = random.Random(name + operation)
    a, b = (np.array(hard_words(rng, fmt, 300), np.uint8) for _ in range(2))
    x, y = (words.view(dtype).astype(np.float64) for words in (a, b))
    with np.errstate(all="ignore"):
        exact = x + y if operation == "add" else x * y  # in float64: fp8 operands leave nothing to round
        rounded = exact.astype(dtype)
    wanted = np.where(np.isnan(rounded.astype(np.float64)), fmt.nan_code, rounded.view(np.uint8))
    overflow = "infinity" if fmt.has_inf else "nan"  # what ml_dtypes' casts do
    stated = statement(operation, {"a": name, "b": name, "y": name}, overflow=overflow)
    assert demanded(stated, list(zip(a.tolist(), b.tolist(), strict=True))) == wanted.tolist()


@pytest.mark.parametrize("target", [format_info_ocp_e4m3, format_info_ocp_e5m2])
@pytest.mark.parametrize(
    ("mode", "theirs"),
    [
        ("rne", RoundMode.TiesToEven),
        ("rna", RoundMode.TiesToAway),
        ("rtz", RoundMode.TowardZero),
        ("rup", RoundMode.TowardPositive),
        ("rdn", RoundMode.TowardNegative),
    ],
)
def test_saturating_conversions_are_those_of_gfloat(target: Any, mode: str, theirs: RoundMode) -> None:
    name = {"ocp_e4m3": "e4m3fn", "ocp_e5m2": "e5m2"}[target.name]
    source, fmt = parse_format("fp16"), parse_format(name)
    assert isinstance(source, FloatFormat)
    assert isinstance(fmt, FloatFormat)
    words = hard_words(random.Random(mode), source, 400)
    wanted = []
    for word in words:
        value = gfloat.decode_float(format_info_binary16, word).fval
        rounded = gfloat.round_float(target, value, theirs, sat=True)
        wanted.append(fmt.nan_code if isnan(rounded) else gfloat.encode_float(target, rounded))
    stated = statement("convert", {"x": "fp16", "y": name}, mode, overflow="saturate")
    assert demanded(stated, [(word,) for word in words]) == wanted


@pytest.mark.parametrize(
    ("mode", "theirs"),
    [
        ("rne", softfloatpy.RoundingMode.NEAR_EVEN),
        ("rna", softfloatpy.RoundingMode.NEAR_MAX_MAG),
        ("rtz", softfloatpy.RoundingMode.MIN_MAG),
        ("rup", softfloatpy.RoundingMode.MAX),
        ("rdn", softfloatpy.RoundingMode.MIN),
    ],
)
def test_half_precision_fma_is_that_of_softfloat(mode: str, theirs: Any) -> None:
    fmt = parse_format("fp16")
    assert isinstance(fmt, FloatFormat)
    rng = random.Random(mode)
    operands = list(zip(*(hard_words(rng, fmt, 300) for _ in range(3)), strict=True))
    softfloatpy.set_rounding_mode(theirs)
    wanted = []
    for words in operands:
        a, b, c = (softfloatpy.Float16.from_bytes(word.to_bytes(2, "big")) for word in words)
        result = softfloatpy.f16_mul_add(a, b, c)
        wanted.append(
            fmt.nan_code if softfloatpy.f16_is_nan(result) else int.from_bytes(result.to_bytes(), "big")
        )
    softfloatpy.set_rounding_mode(softfloatpy.RoundingMode.NEAR_EVEN)
    stated = statement("fma", dict.fromkeys("abcy", "fp16"), mode)
    assert demanded(stated, operands) == wanted


@pytest.mark.parametrize("name", ["e5m2", "e4m3fn", "q3.2"])
def test_stochastic_rounding_goes_up_for_exactly_k_of_all_random_words(name: str) -> None:
    r = 4
    fmt = parse_format(name)
    assert isinstance(fmt, FloatFormat | FixedFormat)
    stated = statement("add", {"a": "fp16", "b": "e5m2", "y": name}, {"mode": "sr", "bits": r})
    rng = random.Random(name)
    # Moderate operands: results in the format's range, its subnormals included, of both signs.
    pairs = [
        (rng.choice([0, 0x8000]) | rng.randrange(0x0800, 0x4800), rng.randrange(0x20, 0x44))
        for _ in range(12)
    ]
    words = demanded(stated, [(a, b, u) for a, b in pairs for u in range(1 << r)])
    seen = set()
    for index, (a, b) in enumerate(pairs):
        exact = sum(
            Fraction(float(parse_format(name).decode(word))) for name, word in (("fp16", a), ("e5m2", b))
        )
        codes = np.array(words[index << r : (index + 1) << r], np.uint64)
        results = [Fraction(float(value)) for value in fmt.decode(codes)]
        low, high = min(results, key=abs), max(results, key=abs)
        ups = sum(result != low for result in results)
        if low == high:
            assert abs(exact) >= abs(low)  # on the grid, less than 2^-r ulp above it, or saturated
        else:
            assert ups == (abs(exact) - abs(low)) / (abs(high) - abs(low)) * (1 << r) // 1
        seen.add(ups)
    assert len(seen) > 4


def test_overflow_under_stochastic_rounding_is_visible_whatever_the_random_word() -> None:
    stated = statement("mul", {"a": "e5m2", "b": "e5m2", "y": "e5m2"}, {"mode": "sr", "bits": 1})
    assert demanded(stated, [(0x5C, 0x5C, 0), (0x5C, 0xDC, 1)]) == [0x7C, 0xFC]  # 256 * 256 = 2^16


def test_the_specification_allows_no_second_result() -> None:
    stated = statement("mul", {"a": "e4m3fn", "b": "e5m2", "y": "e4m3fnuz"})
    rng = random.Random(1)
    for a, b in [(0x00, 0x80), (0x7F, 0x3C), (0x01, 0x7C), (rng.randrange(256), rng.randrange(256))]:
        (only,) = demanded(stated, [(a, b)])
        assert only is not None
        script = specification(stated)
        script.demand("correct")
        script.demand(f"(not (= y (_ bv{only} 8)))")
        assert values(script.text(), "y", [{"a": a, "b": b}]) == [None]


# ---- the golden model as oracle, on random specs ----------------------------------------------


def random_format(rng: random.Random, *, result: bool = False) -> dict[str, Any]:
    if rng.random() < 0.25:
        width = rng.randint(1, 12)
        return {
            "fixed": {
                "width": width,
                "fraction": rng.randint(-3, width + 3),
                "signed": rng.random() < 0.6,
            }
        }
    specials = rng.choice(["ieee", "fn", "fnuz", "none"])
    exponent = rng.randint(2, 5)
    return {
        "float": {
            "exponent": exponent,
            # Sometimes far more significand than exponent: sorts of that shape are hard on solvers.
            "mantissa": rng.choice([12, 20, *range(1 if result or specials == "ieee" else 0, 7)]),
            "bias": (1 << (exponent - 1)) + rng.choice([-4, -1, -1, -1, 0, 4]),
            "specials": specials,
            "subnormals": rng.random() < 0.7,
        }
    }


def random_spec(rng: random.Random) -> dict[str, Any]:
    kind = rng.choice(["convert", "add", "mul", "fma", "mac"])
    keys = {"convert": "x", "add": "ab", "mul": "ab", "fma": "abc", "mac": "ab"}[kind]
    shared = random_format(rng)
    formats = {key: shared if rng.random() < 0.4 else random_format(rng) for key in keys}
    formats["acc" if kind == "mac" else "y"] = random_format(rng, result=True)
    spec: dict[str, Any] = {"kind": kind, "formats": formats}
    spec["rounding"] = rng.choice(
        ["rne", "rna", "rtz", "rup", "rdn", "rto", {"mode": "sr", "bits": rng.randint(1, 8)}]
    )
    if kind == "mac" and rng.random() < 0.5:
        spec["accumulate"] = {"split": random_format(rng, result=True)}
    legal = load(spec).output.format
    assert legal is not None
    spec["overflow"] = rng.choice([policy.value for policy in legal.legal_overflows])
    try:
        load(spec)
    except InputError:
        spec["overflow"] = "saturate"  # instead of "wrap" where numbers are added that are not fixed-point
    return spec


def check_random_specs(seeds: range, words: int) -> None:
    for seed in seeds:
        rng = random.Random(seed)
        unit = load(random_spec(rng))
        stated = statement_of(unit)
        columns = [hard_words(rng, port.format or FixedFormat(port.width, 0), words) for port in unit.inputs]
        golden = unit.golden(*(np.array(column, np.uint64) for column in columns))
        got = demanded(stated, list(zip(*columns, strict=True)))
        assert got == golden.tolist(), f"seed {seed}: {stated}"


def test_on_random_specs_the_specification_says_what_golden_says() -> None:
    check_random_specs(range(24), words=12)


@pytest.mark.slow
def test_on_many_random_specs_the_specification_says_what_golden_says() -> None:
    check_random_specs(range(1000, 1600), words=40)


def test_wide_formats_have_a_specification_too() -> None:
    one, half = 0x3FF0000000000000, 0x3FE0000000000000
    stated = statement("fma", dict.fromkeys("abcy", "fp64"))
    assert demanded(stated, [(one, half, half)]) == [one]
    stated = Statement(
        "mul",
        ("a", "b"),
        (FixedFormat(64, 0), FixedFormat(64, 0)),
        FixedFormat(64, 0),
        Rule("rne", "saturate"),
    )
    assert demanded(stated, [(1 << 63, 1 << 63), (3, 5)]) == [(1 << 63) - 1, 15]
