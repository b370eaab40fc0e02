"""The softmax header, with the function units that are emitted, against the golden model."""

from __future__ import annotations

from pathlib import Path

import pytest
from header_builds import plant
from softmax_units import mismatches, softmax

PLANTED = ("bf16", "bf16")


def test_softmaxes_of_several_formats_and_lengths_agree_with_golden(tmp_path: Path) -> None:
    units = [
        softmax("pair", 2, "fp16", "e4m3fn", rounding="rup"),
        softmax("few", 8, "e4m3fnuz", "uq0.8", rounding="rtz"),
        softmax("many", 64, "fp32", "fp32"),
        softmax("fixed", 16, "q6.10", "bf16", overflow="saturate"),
    ]
    assert mismatches(units, tmp_path, 4_000) == []


# What is there and what the bug makes of it.
BUGS = [
    ("11 << (d_t", "1 << (d_t"),
    ("? ap_uint<d_t::width>(-d)", "? ap_uint<d_t::width>(d)"),
    ("has_nan & ~first", "has_nan"),
    ("close(dropped,", "close(0,"),
]
MORE_BUGS = [
    ("mode::rne>(x, reference)", "mode::rtz>(x, reference)"),
    ("(first ? word(0) : before)", "before"),
    ("before == MAX", "before == MAX - 1"),
    ("clears(control) | ~open", "~open"),
    ("releases() || length == MAX", "releases()"),
    ("| unpack<X>(running.reference).is_inf", ""),
    ("start += place_t(length)", "start += place_t(1)"),
]


@pytest.mark.parametrize(
    ("right", "wrong"), [*BUGS, *(pytest.param(*bug, marks=pytest.mark.slow) for bug in MORE_BUGS)]
)
def test_a_planted_bug_in_the_softmax_header_is_caught(tmp_path: Path, right: str, wrong: str) -> None:
    mutated = plant(tmp_path, "softmax", right, wrong)
    assert mismatches([softmax("planted", 8, *PLANTED)], tmp_path, 2_000, mutated)
