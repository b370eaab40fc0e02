"""The accumulator headers against the golden model, on schemes, formats and modes that nobody chose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from header_builds import plant
from running_sums import Sum, build, random_sums, run

from hwgen.formats import FixedFormat, FloatFormat, Overflow, Rounding, parse_format


def mismatches(sums: Sequence[Sum], folder: Path, terms: int, headers: Path | None = None) -> list[str]:
    library = build(sums, folder, headers=headers)
    found = []
    for unit in sums:
        operands = unit.operands(terms, seed=1)
        got, want = run(library, unit, operands), unit.golden(*operands)
        assert len(want) > 20
        if len(got) != len(want) or (got != want).any():
            found.append(f"{unit}: {got[:50]} instead of {want[:50]}")
    return found


def test_random_sums_agree_with_the_golden_model(tmp_path: Path) -> None:
    assert mismatches(random_sums(seed=3, count=14), tmp_path, 1_500) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 206))
def test_many_random_sums_agree_with_the_golden_model(tmp_path: Path, seed: int) -> None:
    assert mismatches(random_sums(seed=seed, count=80), tmp_path, 20_000) == []


def a_sum(x: str, y: str, mode: str = "rne", **more: Any) -> Sum:
    x_fmt, y_fmt = parse_format(x), parse_format(y)
    assert isinstance(x_fmt, FloatFormat | FixedFormat)
    assert isinstance(y_fmt, FloatFormat | FixedFormat)
    rounding = Rounding(mode, 6 if mode == "sr" else None)
    common: dict[str, Any] = {"overflow": Overflow(y_fmt.default_overflow), "rounding": rounding}
    return Sum(name="planted", x=x_fmt, y=y_fmt, **common, **more)


PLAIN = a_sum("e5m2", "fp16")
PAIR = a_sum("e5m2", "e6m9", interleave=2)
FOUR = a_sum("e5m2", "e6m9", interleave=4)
CHUNKS = a_sum("e5m2", "e6m9", chunk=(4, parse_format("e4m3fn")))
LONG = a_sum("e5m2", "fp32", register=(20, -16, 8))
SHORT = a_sum("e5m2", "fp32", register=(16, -16, 8))

# Header, what is there, what the bug makes of it, and the sum in which it must show.
BUGS = [
    ("_step", "old.value.negative = x.value.negative", "old.value.negative = 0", PLAIN),
    ("", "const ap_uint<1> first = clears(control) | ~open", "const ap_uint<1> first = ~open", PLAIN),
    ("", "present = missing < i + span", "present = missing <= i + span", FOUR),
    ("", "outer_open & ~clears(control)", "outer_open", CHUNKS),
    ("_long", "first ? typename R::carries_t(0) : carries", "carries", LONG),
    ("_long", "now | (beyond & ~first)", "now | (beyond & first)", SHORT),
]
MORE_BUGS = [
    ("_step", "old.is_nan = 0", "", PLAIN),
    ("", "open = ~ends(control)", "open = 1", PLAIN),
    ("", "before + 1) : count_t(N)", "before + 1) : count_t(N - 1)", FOUR),
    ("", "partial[turn], before < N", "partial[turn], before < 1", PAIR),
    ("", "full = before == CHUNK - 1", "full = before == CHUNK - 2", CHUNKS),
    ("_long", "carry_in = i == 0 ? x.negative", "carry_in = i == 0 ? ap_uint<1>(0)", LONG),
    ("_long", "now | (beyond & ~first)", "now | (beyond & first)", SHORT),
    ("_long", "minus_zero & (old_zero | first)", "minus_zero", LONG),
    ("_long", "special.is_nan | (special.plus_inf & special.minus_inf)", "special.is_nan", LONG),
]


@pytest.mark.parametrize(
    ("header", "right", "wrong", "victim"),
    [*BUGS, *(pytest.param(*bug, marks=pytest.mark.slow) for bug in MORE_BUGS)],
)
def test_a_planted_bug_in_an_accumulator_is_caught(
    tmp_path: Path, header: str, right: str, wrong: str, victim: Sum
) -> None:
    mutated = plant(tmp_path, f"accumulator{header}", right, wrong)
    assert mismatches([victim], tmp_path, 3_000, mutated)


def test_a_million_terms_of_every_size_cancel_to_the_one_that_is_left(tmp_path: Path) -> None:
    unit = a_sum("bf16", "fp32", register=(150, -133, 32))
    rng = np.random.default_rng(8)
    half = rng.integers(0, 0x7F80, 499_999).astype(np.uint16)
    terms = rng.permutation(np.concatenate([half, half | 0x8000, [0x0001]]).astype(np.uint16))
    control = np.zeros(len(terms), np.uint8)
    control[-1] = 2
    operands = [terms, control, np.zeros((len(terms), 1), np.uint64)]
    result = run(build([unit], tmp_path), unit, operands)
    assert result.tolist() == [0x00010000]  # 2^-133: bf16's smallest, which fp32 has as a subnormal
