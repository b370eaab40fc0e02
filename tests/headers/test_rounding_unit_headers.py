"""The C++ of round, quantize, dequantize and sgd against the golden model, on formats that nobody chose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from header_builds import plant
from random_rounding_units import build, random_rounding_units, run

from hwgen.operators import Operator, load


def mismatches(
    units: Sequence[Operator], folder: Path, vectors: int, headers: Path | None = None
) -> list[str]:
    library = build(units, folder, headers=headers)
    found = []
    for unit in units:
        operands = unit.vectors(vectors, seed=1)
        assert len(operands[0]) == vectors > 0
        got, want = run(library, unit, operands), unit.golden(*operands)
        differs = (got != want).reshape(vectors, -1).any(axis=1)
        for index in np.flatnonzero(differs)[:1]:
            words = [operand[index].tolist() for operand in operands]
            found.append(f"{unit.spec!r}: {words} gives {got[index]}, golden {want[index]}")
    return found


def test_random_rounding_units_agree_with_the_golden_model(tmp_path: Path) -> None:
    assert mismatches(random_rounding_units(seed=1, count=20), tmp_path, 300) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_random_rounding_units_agree_with_the_golden_model(tmp_path: Path, seed: int) -> None:
    assert mismatches(random_rounding_units(seed=seed, count=60), tmp_path, 3_000) == []


def unit(kind: str, formats: dict[str, str], rounding: object = "rne", **more: Any) -> Operator:
    return load({"kind": kind, "name": "planted", "formats": formats, "rounding": rounding, **more})


SR4 = {"mode": "sr", "bits": 4}
MX = {"x": "fp32", "y": "mxfp8_e4m3"}
BFP = {"x": "bf16", "y": "bfp8"}
W = {"w": "bf16"}

# Header, what is there, what the bug makes of it, and the unit in which it must show.
BUGS = {
    "ties away in the nearest variant": (
        "round_unit",
        "(sticky | k[0])",
        "(sticky | k[0] | 1)",
        unit("round", {"x": "fp16", "y": "e5m2"}, SR4, variant="nearest"),
    ),
    "no half in the centred variant": (
        "round_unit",
        "| ap_uint<RULE::extra + 1>(1)",
        "",
        unit("round", {"x": "fp16", "y": "e5m2"}, SR4, variant="centred"),
    ),
    "a comparison that is one off": (
        "round_unit",
        "convert<X, Y, RULE>(x, ~random)",
        "convert<X, Y, RULE>(x, ap_uint<RULE::extra>(-random))",
        unit("round", {"x": "fp16", "y": "e5m2"}, SR4, variant="compare"),
    ),
    "subnormals without influence": (
        "quantize_scale",
        "s.bottom |= ",
        "s.bottom &= ",
        unit("quantize", {"x": "fp16", "y": "mxfp8_e5m2"}, n=4),
    ),
    "the last operand forgotten": (
        "quantize_scale",
        "n = (n + 1) / 2",
        "n = n / 2",
        unit("quantize", {"x": "bf16", "y": "mxfp4"}, n=3),
    ),
    "positive numbers that need no more room": (
        "quantize_scale",
        "p > w && normal > ones",
        "p > w && normal > ones && false",
        unit("quantize", {"x": "fp32", "y": "bfp8"}, n=4),
    ),
    "half a unit of room forgotten below": (
        "quantize_scale",
        "fraction > unit",
        "fraction > (unit >> 1)",
        unit("quantize", {"x": "fp32", "y": "bfp8"}, n=4),
    ),
    "an exponent that is not clamped": (
        "quantize_scale",
        "wanted > scale::highest ? exponent_t(scale::highest)",
        "wanted > scale::highest ? exponent_t(scale::highest - 1)",
        unit("quantize", {"x": "fp32", "y": "flex16+5"}, n=4),
    ),
    "NaN that leaves the elements": (
        "quantize",
        "all.invalid ? ap_uint<element::width>(0) : rounded",
        "rounded",
        unit("quantize", MX, n=4),
    ),
    "a window that ends too high": (
        "quantize",
        "element::lsb - RULE::extra - p",
        "element::lsb - RULE::extra - p + 6",
        unit("quantize", MX, SR4, n=4),
    ),
    "an overflow that is not flagged": (
        "quantize",
        "beyond = negative ^ wide[w - 1]",
        "beyond = ~negative & wide[w - 1]",
        unit("quantize", BFP, mode="tensor"),
    ),
    "words in another order": (
        "pack",
        "split_word<R, N>(dealt, word)",
        "for (int i = 0; i < N; ++i) word[i] = dealt >> ((N - 1 - i) * R)",
        unit("quantize", MX, SR4, n=4),
    ),
    "an exponent taken for unsigned": (
        "quantize_scale",
        "{ return code ^ (ap_uint<BITS>(1) << (BITS - 1)); }",
        "{ return code; }",
        unit("dequantize", {"x": "bfp8", "y": "fp32"}, n=4),
    ),
    "a scale NaN that is a number": (
        "dequantize",
        "element.is_nan | scale::is_nan(scale_code)",
        "element.is_nan",
        unit("dequantize", {"x": "mxfp4", "y": "bf16"}, n=4),
    ),
    "a rate that adds": ("sgd", "^= ap_uint<1>(SUBTRACT)", "^= ap_uint<1>(0)", unit("sgd", W)),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_in_a_header_of_a_rounding_unit_is_caught(tmp_path: Path, bug: str) -> None:
    header, right, wrong, victim = BUGS[bug]
    mutated = plant(tmp_path, header, right, wrong)
    assert mismatches([victim], tmp_path, 2_000, mutated)


def test_a_planted_bug_in_the_template_of_sgd_is_caught(tmp_path: Path) -> None:
    victim = unit("sgd", W, nesterov=True)
    operands = victim.vectors(2_000, seed=1)

    def take_the_new_momentum_for_d(top: str) -> str:
        return top.replace("const ap_uint<16> d =", "const ap_uint<16> unused =").replace(
            "(lr, d, w)", "(lr, next_m + 0 * unused, w)"
        )

    library = build([victim], tmp_path, change=take_the_new_momentum_for_d)
    assert "next_m + 0 * unused" in (tmp_path / "planted.cpp").read_text(encoding="utf-8")
    assert (run(library, victim, operands) != victim.golden(*operands)).any()
