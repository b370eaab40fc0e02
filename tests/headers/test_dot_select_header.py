"""Dot products with selectable formats in C++ against the plain golden units of each mode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from header_builds import plant
from random_dot_selections import dot, mismatches, random_dots


def test_random_lists_of_formats_agree_with_the_golden_units(tmp_path: Path) -> None:
    assert mismatches(random_dots(seed=1, count=6), tmp_path, 3_000) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300, 306))
def test_many_random_lists_of_formats_agree_with_the_golden_units(tmp_path: Path, seed: int) -> None:
    assert mismatches(random_dots(seed=seed, count=40), tmp_path, 20_000) == []


FP8: dict[str, Any] = {"a": ["e4m3fn", "e5m2"], "b": ["e4m3fn", "e5m2"]}
EXACT: dict[str, Any] = {"n": 3, "formats": {**FP8, "c": "fp16", "y": "fp16"}}
EXACT_APART: dict[str, Any] = {"n": 2, "formats": {**FP8, "c": "fp32", "y": "fp32"}}
TWO_RESULTS: dict[str, Any] = {"n": 2, "formats": {**FP8, "y": ["bf16", "fp16"]}}
ALIGNED: dict[str, Any] = {**EXACT, "scheme": {"aligned": {"bits": 9, "shifted_out": "jam"}}}

FAR: dict[str, Any] = {"n": 2, "formats": {**FP8, "c": "bf16", "y": "bf16"}, "scheme": {"aligned": 9}}

# What is there, what the bug makes of it, and the unit in which it must show.
BUGS = [
    (
        "distance<bits>(mode, bounds_of<MODES>::lsb)",
        "distance<bits>(mode, bounds_of<MODES>::lsb + 1)",
        ALIGNED,
    ),
    ("at<K>::lsb - SUM::lsb", "at<0>::lsb - SUM::lsb", EXACT),
    ("ap_uint<1>(~p.zero)", "ap_uint<1>(1)", ALIGNED),
    ("mode == K ? here : later", "mode == 0 ? later : here", TWO_RESULTS),
    ("exponent_t(largest - smallest)", "largest", ALIGNED),
]
MORE_BUGS = [
    ("a >> (I * list_a::width)", "a", EXACT),
    ("sum.flags | flags_of(addend)", "sum.flags", EXACT_APART),
    ("s.flags = sum.flags", "s.flags = term_flags{0, 0, 0, 0, 0}", EXACT),
    ("left.any & (~right.any | ", "(left.any & ", ALIGNED),
    ("first.any ? ", "true ? ", ALIGNED),
    ("range::of_products - range::low", "0", FAR),
    ("products::precision - 2", "products::precision - 1", ALIGNED),
]


@pytest.mark.parametrize(
    ("right", "wrong", "victim"), [*BUGS, *(pytest.param(*bug, marks=pytest.mark.slow) for bug in MORE_BUGS)]
)
def test_a_planted_bug_in_the_header_is_caught(
    tmp_path: Path, right: str, wrong: str, victim: dict[str, Any]
) -> None:
    mutated = plant(tmp_path, "dot_select", right, wrong)
    assert mismatches([dot(**victim)], tmp_path, 4_000, mutated)
