"""The vectors are as hard as they are said to be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwgen.formats import FloatFormat, parse_format
from hwgen.operators import load
from hwgen.operators.vectors import special_codes

COUNT = 4000


def values(name: str, codes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(parse_format(name).decode(codes), dtype=np.float64)


def spec(kind: str, **formats: str) -> dict[str, Any]:
    return {"kind": kind, "formats": formats}


ADDERS = [
    ("fp16", "fp16", "fp16"),
    ("bf16", "bf16", "bf16"),
    ("fp32", "fp32", "fp32"),
    ("e4m3fn", "e5m2", "e6m5"),
]


@pytest.mark.parametrize("formats", ADDERS)
def test_three_eighths_of_an_adders_vectors_cancel(formats: tuple[str, str, str]) -> None:
    a_name, b_name, y_name = formats
    a, b = load(spec("add", a=a_name, b=b_name, y=y_name)).vectors(COUNT, seed=1)
    x, y = values(a_name, a), values(b_name, b)
    with np.errstate(invalid="ignore"):
        lost = np.abs(x + y) <= 0.5 * np.minimum(np.abs(x), np.abs(y))
    assert (lost & (x != 0)).sum() >= COUNT * 3 // 8


@pytest.mark.parametrize("formats", ADDERS)
def test_three_eighths_of_an_adders_vectors_sit_within_reach_of_the_sticky_bit(
    formats: tuple[str, str, str],
) -> None:
    a_name, b_name, y_name = formats
    a, b = load(spec("add", a=a_name, b=b_name, y=y_name)).vectors(COUNT, seed=2)
    x, y = values(a_name, a), values(b_name, b)
    ok = np.isfinite(x) & np.isfinite(y) & (x != 0) & (y != 0)
    distance = np.abs(np.frexp(np.where(ok, x, 1))[1] - np.frexp(np.where(ok, y, 1))[1])
    result, second = parse_format(y_name), parse_format(b_name)
    assert isinstance(result, FloatFormat)
    assert isinstance(second, FloatFormat)
    reach = max(result.precision, second.precision) + 4
    within = ok & (distance >= 1) & (distance <= reach)
    assert within.sum() >= COUNT * 3 // 8
    for limit in (result.precision - 1, result.precision, result.precision + 1):
        assert (ok & (distance == limit)).sum() >= COUNT // 200


@pytest.mark.parametrize("formats", [("e4m3fn", "e4m3fn", "fp16", "fp16"), ("bf16", "bf16", "fp32", "fp32")])
def test_three_eighths_of_an_fmas_vectors_cancel(formats: tuple[str, str, str, str]) -> None:
    a_name, b_name, c_name, y_name = formats
    a, b, c = load(spec("fma", a=a_name, b=b_name, c=c_name, y=y_name)).vectors(COUNT, seed=1)
    with np.errstate(all="ignore"):
        product, addend = values(a_name, a) * values(b_name, b), values(c_name, c)
        lost = np.abs(product + addend) <= 0.5 * np.minimum(np.abs(product), np.abs(addend))
    assert (lost & (addend != 0)).sum() >= COUNT * 3 // 8


@pytest.mark.parametrize(
    ("kind", "formats"),
    [
        ("convert", {"x": "fp32", "y": "e4m3fn"}),
        ("mul", {"a": "bf16", "b": "bf16", "y": "bf16"}),
        ("add", {"a": "fp16", "b": "fp16", "y": "fp16"}),
        ("fma", {"a": "e5m2", "b": "e5m2", "c": "fp16", "y": "fp16"}),
    ],
)
def test_results_meet_ties_overflow_subnormals_and_special_values(kind: str, formats: dict[str, str]) -> None:
    operator = load({"kind": kind, "formats": formats})
    columns = operator.vectors(COUNT, seed=5)
    up, down = (load({"kind": kind, "formats": formats, "rounding": mode}) for mode in ("rup", "rdn"))
    nearest, away = (load({"kind": kind, "formats": formats, "rounding": mode}) for mode in ("rne", "rna"))
    result = operator.output.format
    assert isinstance(result, FloatFormat)
    y = operator.golden(*columns)
    magnitude = y & np.array(result.sign_mask - 1, dtype=y.dtype)
    assert (up.golden(*columns) != down.golden(*columns)).mean() > 0.05, "hardly anything is inexact"
    assert (nearest.golden(*columns) != away.golden(*columns)).any(), "no tie decides"
    assert (magnitude == result.max_finite_code).any(), "nothing is as large as it can be"
    assert ((magnitude > 0) & (magnitude < result.min_normal_code)).any(), "nothing is subnormal"
    assert (magnitude == result.nan_code).any(), "no NaN"
    for port, codes in zip(operator.inputs, columns, strict=True):
        assert isinstance(port.format, FloatFormat)
        assert set(special_codes(port.format)) <= set(codes.tolist())


def test_every_pair_of_special_codes_is_met_where_there_is_room() -> None:
    operator = load(spec("mul", a="e5m2", b="e4m3fn", y="bf16"))
    a, b = operator.vectors(8000, seed=1)
    fives, fours = special_codes(parse_format("e5m2")), special_codes(parse_format("e4m3fn"))
    assert {(x, y) for x in fives for y in fours} <= set(zip(a.tolist(), b.tolist(), strict=True))


def test_special_codes_of_fixed_formats_are_its_ends_and_ones() -> None:
    codes = special_codes(parse_format("q2.6"))
    assert {0, 1, 0x40, 0x7F, 0x80, 0x81, 0xFF, 0xC0} <= set(codes)
    assert all(0 <= code < 256 for code in codes)
    assert {0, 1, 15} <= set(special_codes(parse_format("uint4")))


@pytest.mark.parametrize(
    "formats",
    [
        {"a": "q1.7", "b": "q1.7", "acc": "q8.14"},
        {"a": "int1", "b": "uint1", "acc": "int64"},
        {"a": "fp64", "b": "fp64", "acc": "fp64"},
        {"a": "e2m0none", "b": "e3m0fn", "acc": "e2m1"},
        {"a": "e11m0b2047fn", "b": "e11m52b-1023", "acc": "fp16"},
        {"a": "fp64", "b": "q1.63", "acc": "e4m3fnuzftz"},
    ],
)
@pytest.mark.parametrize("count", [1, 7, 300])
def test_vectors_exist_for_every_pair_of_families_and_count(formats: dict[str, str], count: int) -> None:
    operator = load({"kind": "mac", "formats": formats, "rounding": {"mode": "sr", "bits": 64}})
    columns = operator.vectors(count, seed=9)
    for port, codes in zip(operator.inputs, columns, strict=True):
        assert codes.shape == (count,)
        assert codes.dtype == port.dtype
        assert int(codes.max()) >> port.width == 0


def test_the_same_seed_gives_the_same_vectors() -> None:
    operator = load(spec("add", a="fp16", b="fp16", y="fp16"))
    first, again, other = (operator.vectors(100, seed=seed) for seed in (4, 4, 5))
    assert all(np.array_equal(x, y) for x, y in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_random_words_include_both_extremes() -> None:
    operator = load({**spec("convert", x="fp16", y="e5m2"), "rounding": {"mode": "sr", "bits": 20}})
    rand = operator.vectors(1000, seed=0)[-1]
    assert {0, (1 << 20) - 1} <= set(rand.tolist())
