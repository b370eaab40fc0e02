"""The dot product headers against the golden model, on formats and schemes that nobody chose."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from dot_units import build, random_unit, run
from header_builds import plant

from hwgen.formats import FloatFormat, parse_format
from hwgen.formats.modes import Rounding
from hwgen.golden.dot import dot
from hwgen.golden.dot_unit import AlignedSum, DotUnit, ExactSum, SequentialSum, TreeSum, element_of
from hwgen.operators.dot_vectors import hard_dot_operands

SR = Rounding("sr", 4)


def mismatches(
    units: list[DotUnit], folder: Path, vectors: int, headers: Path | None = None, *, circuit: bool = False
) -> list[str]:
    library = build(units, folder, headers=headers, circuit=circuit)
    rng = np.random.default_rng(len(units))
    found = []
    for index, unit in enumerate(units):
        operands = hard_dot_operands(unit, vectors, rng)
        rand = None
        if unit.rounding.bits:
            words = rng.integers(0, 1 << unit.rounding.bits, (vectors, unit.words)).astype(np.uint64)
            rand = words if unit.words > 1 else words[:, 0]
        want = dot(unit, *operands, rand=rand)
        got = run(library, index, operands if rand is None else [*operands, rand])
        assert len(want) == vectors > 0
        for row in np.flatnonzero(got != want)[:1]:
            words_of = [np.vectorize(hex)(column[row]).tolist() for column in operands]
            found.append(f"{unit}: {words_of} gives {int(got[row]):#x}, golden {int(want[row]):#x}")
    return found


def units_of(seed: int, *, widest: int) -> Iterator[DotUnit]:
    """Yield random units whose operands have exponents of at most `widest` bits: they bound the windows."""
    rng = random.Random(seed)
    while True:
        unit = random_unit(rng)
        elements = [element_of(fmt) for fmt in (unit.a, unit.b)]
        if all(getattr(element, "exponent", 0) <= widest for element in elements):
            yield unit


def test_random_formats_and_schemes_agree_with_the_golden_model(tmp_path: Path) -> None:
    units = units_of(3, widest=5)
    assert mismatches([next(units) for _ in range(14)], tmp_path, 2_000) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 106))
def test_many_random_formats_and_schemes_agree_with_the_golden_model(tmp_path: Path, seed: int) -> None:
    units = units_of(seed, widest=8)
    assert mismatches([next(units) for _ in range(40)], tmp_path, 20_000) == []


def few_terms_of(seed: int) -> Iterator[DotUnit]:
    """Yield random exact sums of two or three terms in floating point, which need no window of all bits."""
    for drawn in units_of(seed, widest=8):
        n = 2 if drawn.c is not None else 2 + drawn.n % 2
        few = replace(drawn, n=n, scheme=ExactSum())
        parts = [element_of(few.a), element_of(few.b), few.y, few.c or few.y]
        if all(isinstance(part, FloatFormat) for part in parts):
            yield few


def test_sums_of_two_and_three_terms_agree_with_the_golden_model(tmp_path: Path) -> None:
    known = [unit("fp16 fp16 fp32 fp32", ExactSum(), n=2), unit("bf16 bf16 - fp32", ExactSum(), SR, n=3)]
    assert mismatches([*known, *islice(few_terms_of(11), 6)], tmp_path, 4_000, circuit=True) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 206))
def test_many_sums_of_two_and_three_terms_agree_with_the_golden_model(tmp_path: Path, seed: int) -> None:
    assert mismatches(list(islice(few_terms_of(seed), 40)), tmp_path, 60_000, circuit=seed % 2 == 0) == []


def unit(formats: str, scheme: object, rounding: Rounding | None = None, n: int = 3) -> DotUnit:
    a, b, c, y = (None if name == "-" else parse_format(name) for name in formats.split())
    rounding = rounding or Rounding("rne")
    return DotUnit(n=n, a=a, b=b, c=c, y=y, scheme=scheme, rounding=rounding, overflow=y.default_overflow)


# Header, what is there, what the bug makes of it, and the unit in which it must show.
BUGS = [
    ("window", "negative ^ base;", "negative | base;", unit("e4m3fn e4m3fn - fp16", ExactSum())),
    (
        "window",
        "ap_uint<SUM::width + 1>(b.complemented)",
        "ap_uint<SUM::width + 1>(0)",
        unit("e2m1 e3m2 - e4m3fn", ExactSum()),
    ),
    ("lanes", "(flags.plus_inf & flags.minus_inf)", "0", unit("e5m2 e5m2 - e5m2", ExactSum())),
    ("round", "guard | (exact & odd)", "guard", unit("e4m3fn e4m3fn - e5m2", ExactSum())),
    (
        "round",
        "ap_uint<R + 2>(exact)",
        "ap_uint<R + 2>(exact & 0)",
        unit("e2m1 e3m2 - e4m3fn", ExactSum(), SR),
    ),
    ("trim", "kept_t(whole | kept_t(jam))", "whole", unit("e5m2 e5m2 - e4m3fn", ExactSum(), n=4)),
    (
        "trim",
        "(complement >> (below + p - 1)) != 0",
        "(complement >> (below + p - 1)) == 1",
        unit("e5m2 e5m2 - e4m3fn", ExactSum(), n=4),
    ),
    ("far", "d > w::high", "d > w::high - 8", unit("e3m2 e3m2 bf16 bf16", ExactSum())),
    ("far", "products.value == 0", "products.value == 1", unit("e3m2 e3m2 bf16 bf16", ExactSum())),
    (
        "ordered",
        "nothing_left ? amount_t(0)",
        "false ? amount_t(0)",
        unit("fp16 fp16 fp32 fp32", ExactSum(), n=2),
    ),
    (
        "ordered",
        "is_zero(x) ? exponent_t(0)",
        "false ? exponent_t(0)",
        unit("fp16 fp16 fp32 fp32", ExactSum(), n=2),
    ),
    ("ordered", "take & ~small.jam", "take", unit("bf16 bf16 - fp32", ExactSum(), n=3)),
    ("ordered", "rounding) + 1, span)", "rounding) - 2, span)", unit("e5m2 e5m2 fp16 fp16", ExactSum(), n=2)),
    (
        "few",
        "term_flags{0, 0, 0, 1, 0}",
        "term_flags{0, 0, 0, 0, 0}",
        unit("bf16 bf16 - fp32", ExactSum(), n=2),
    ),
    ("operand", "code == 255", "code == 254", unit("mxfp4 mxfp4 - fp16", ExactSum())),
    (
        "aligned",
        "x.significand != 0 && y.significand != 0 ? exponent<I>() : value_t(0)",
        "x.significand != 0 && y.significand != 0 ? exponent<I>() : exponent<I>()",
        unit("e4m3fn e4m3fn fp16 fp16", AlignedSum(4)),
    ),
    (
        "aligned",
        "== shifted_out::jam",
        "!= shifted_out::jam",
        unit("e4m3fn e4m3fn - fp16", AlignedSum(4, jam=True)),
    ),
    ("chain", "word<A::count - 1 + I>", "word<I>", unit("e4m3fn e4m3fn - e5m2", TreeSum(), SR, n=4)),
    ("chain", "word<I>(random)", "word<0>(random)", unit("e4m3fn e4m3fn e5m2 e5m2", SequentialSum(), SR)),
    ("chain", "p.is_nan | scale.is_nan", "p.is_nan", unit("mxfp4 mxfp4 - e5m2", TreeSum(), n=2)),
]


@pytest.mark.parametrize(("header", "right", "wrong", "victim"), BUGS, ids=lambda value: str(value)[:40])
def test_a_planted_bug_in_a_dot_header_is_caught(
    tmp_path: Path, header: str, right: str, wrong: str, victim: DotUnit
) -> None:
    mutated = plant(tmp_path, f"dot_{header}", right, wrong)
    assert mismatches([victim], tmp_path, 4_000, mutated)
