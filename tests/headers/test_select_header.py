"""Selectable formats in C++ against the plain golden units, on lists of formats that nobody chose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from header_builds import plant
from random_selections import Selection, build, random_selections, run

from hwgen.formats import Overflow, Rounding, RoundingMode, parse_format


def mismatches(
    units: Sequence[Selection], folder: Path, vectors: int, headers: Path | None = None
) -> list[str]:
    library = build(units, folder, headers=headers)
    found = []
    for unit in units:
        operands, mode, words = unit.vectors(vectors, seed=1)
        assert len(mode) == vectors > 0
        assert set(mode.tolist()) >= set(range(unit.modes))
        got, want = run(library, unit, operands, mode, words), unit.golden(operands, mode, words)
        for index in np.flatnonzero(got != want)[:1]:
            given = [hex(int(column[index])) for column in (*operands, mode)]
            found.append(f"{unit}: {given} gives {int(got[index]):#x}, golden {int(want[index]):#x}")
    return found


def test_random_lists_of_formats_agree_with_the_golden_units(tmp_path: Path) -> None:
    assert mismatches(random_selections(seed=1, count=8), tmp_path, 4_000) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 106))
def test_many_random_lists_of_formats_agree_with_the_golden_units(tmp_path: Path, seed: int) -> None:
    assert mismatches(random_selections(seed=seed, count=40), tmp_path, 20_000) == []


def unit(a: str, b: str, c: str, y: str = "", rounding: str = "rne") -> Selection:
    lists = [tuple(parse_format(name) for name in names.split()) for names in (a, b, c, y)]
    addend = lists[2]
    result = lists[3] if y else addend
    return Selection(
        "planted",
        lists[0],
        lists[1],
        addend,
        result,
        Rounding(RoundingMode(rounding)),
        Overflow.INFINITY,
    )


FP8_BF16 = unit("e4m3fn e5m2 bf16", "e4m3fn e5m2 bf16", "fp32")
LONG_AND_WIDE = unit("e3m5 e5m1", "e3m5 e5m1", "e5m9")  # e3m5's subnormal products meet smaller addends
TO_FP32 = unit(
    "bf16 e4m3fn", "bf16 e4m3fn", "fp16 bf16", "fp32"
)  # fp16's subnormals above far smaller products


IN_BF16 = unit("e4m3fn bf16", "e4m3fn bf16", "bf16")
FP8_TO_FP16 = unit("e4m3fn e5m2", "e4m3fn e5m2", "fp16")
FIXED = unit("q1.2 e4m3fn", "q1.2 e4m3fn", "fp16")
SHORT_AND_WIDE = unit("e5m2", "e5m2", "e4m3fn e6m1", "e6m5")  # products far below e4m3fn, into a wide range

# Header, what is there, what the bug makes of it, and the unit in which it must show.
BUGS = [
    ("select_terms", "mode == K ? here : later", "mode == 0 ? here : later", FP8_BF16),
    ("select_terms", "<< (LIST::precision - F::precision)", "<< 0", FP8_BF16),
    ("select_terms", "u.is_nan = narrow.is_nan", "u.is_nan = 0", FP8_BF16),
    (
        "select_terms",
        "ap_uint<1> of(ap_uint<F::width>) { return 1; }",
        "ap_uint<1> of(ap_uint<F::width>) { return 0; }",
        FIXED,
    ),
    ("select_terms", "low_bits = word;", "low_bits = word >> 8;", FP8_BF16),
    ("select_terms", "here::lsb > common ?", "here::lsb > common + 999 ?", LONG_AND_WIDE),
    ("select", "x.value.offset + distance", "x.value.offset - distance", IN_BF16),
    ("select", "u.is_inf = x.is_inf", "u.is_inf = 0", IN_BF16),
    ("select", "+ bounds::above_addend", "+ 100", TO_FP32),
    ("select_anchored", "+ exponent_t(distance)", "- exponent_t(distance)", FP8_BF16),
    (
        "select_anchored",
        "exponent_t(1 - exponent_t(zeros))",
        "exponent_t(exponent_t(zeros) - 1)",
        FP8_TO_FP16,
    ),
    ("select_anchored", "v.value.zero = significand == 0", "v.value.zero = 0", FP8_TO_FP16),
    ("select_anchored", "B::highest_bottom - B::lsb>", "B::bottom - B::lsb>", SHORT_AND_WIDE),
    ("select_anchored", "C::count > 1 || lowest", "lowest", SHORT_AND_WIDE),
]


@pytest.mark.parametrize(
    ("header", "there", "planted", "bad"), BUGS, ids=[str(index) for index in range(len(BUGS))]
)
def test_a_planted_bug_is_found(
    header: str, there: str, planted: str, bad: Selection, tmp_path: Path
) -> None:
    headers = plant(tmp_path, header, there, planted)
    assert mismatches([bad], tmp_path, 20_000, headers) != []
