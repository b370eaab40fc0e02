"""Sums on the scale of their larger term, rounded eagerly or not, against the golden model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from header_builds import plant
from random_units import build, random_float_sums, run
from test_headers_on_random_formats import mismatches

from hwgen.operators import Operator, load


def mac(formats: str, bits: int, variant: str = "eager") -> Operator:
    names = dict(zip(("a", "b", "acc"), formats.split(), strict=True))
    rounding = {"mode": "sr", "bits": bits, "variant": variant}
    return load({"kind": "mac", "name": f"mac_{variant}", "formats": names, "rounding": rounding})


def test_sums_of_random_formats_agree_with_the_golden_model(tmp_path: Path) -> None:
    units = random_float_sums(seed=1, count=10, eager=True)
    others = random_float_sums(seed=3, count=5, eager=False)
    renamed = [load({**unit.spec.to_yaml(), "name": f"v{index}"}) for index, unit in enumerate(others)]
    assert mismatches([*units, *renamed], tmp_path, 3_000) == []


def test_sums_as_circuits_agree_with_the_golden_model(tmp_path: Path) -> None:
    assert mismatches(random_float_sums(seed=2, count=4, eager=True), tmp_path, 3_000, circuit=True) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_sums_of_many_random_formats_agree_with_the_golden_model(tmp_path: Path, seed: int) -> None:
    units = random_float_sums(seed=seed, count=100, eager=seed % 2 == 0)
    assert mismatches(units, tmp_path, 20_000) == []


def test_eager_and_lazy_give_the_same_bits_for_every_word(tmp_path: Path) -> None:
    eager, lazy = mac("e4m3fn e5m2 e6m5", 4), mac("e4m3fn e5m2 e6m5", 4, "lazy")
    library = build([eager, lazy], tmp_path)
    rng = np.random.default_rng(1)
    products = np.repeat(rng.permutation(1 << 16)[:12_000], 16)
    words = np.tile(np.arange(16), 12_000)
    operands = [products & 255, products >> 8, np.repeat(rng.integers(0, 1 << 12, 12_000), 16), words]
    assert (run(library, eager, operands) == run(library, lazy, operands)).all()


# Header, what is there, what the bug makes of it, and the unit in which it must show.
BUGS = [
    ("eager", "(shift - max_right)", "(shift + 1 - max_right)", mac("e4m3fn e5m2 e6m5", 8)),
    ("eager", "max_right + MAX_LEFT + 1", "max_right + MAX_LEFT", mac("e4m3fn e5m2 e6m5", 8)),
    ("anchored", "d < 0 ? d_t(~d) : d", "d < 0 ? d_t(-d) : d", mac("e4m3fn e5m2 e6m5", 8)),
    ("anchored", "subtract & ~aligned.jam", "subtract", mac("e4m3fn e5m2 e6m5", 8)),
    (
        "anchored",
        "X::slack + Y::precision + RULE::extra",
        "Y::precision + RULE::extra",
        mac("e5m2 e5m2 e6m5", 4),
    ),
    ("anchored", "w::x_zero_matters ? x.zero", "!w::x_zero_matters ? x.zero", mac("e5m2 e5m2 e6m5", 4)),
    ("anchored", "small_larger ? reversed", "(small_larger & c_first) ? reversed", mac("e5m2 e5m2 e6m5", 4)),
    ("anchored", "small_larger ? reversed", "(small_larger & ~c_first) ? reversed", mac("e5m2 e5m2 e5m2", 4)),
    (
        "anchored",
        "c.negative : x.negative) ^ small_larger",
        "c.negative : x.negative)",
        mac("e5m2 e5m2 e6m5", 4),
    ),
    (
        "carry",
        "carry_tree<half>::generates(a, b)",
        "carry_tree<half>::passes(a, b)",
        mac("e5m2 e5m2 e6m5", 4),
    ),
]


@pytest.mark.parametrize(("header", "right", "wrong", "victim"), BUGS)
def test_a_planted_bug_in_a_sum_is_caught(
    tmp_path: Path, header: str, right: str, wrong: str, victim: Operator
) -> None:
    assert mismatches([victim], tmp_path, 4_000, headers=plant(tmp_path, header, right, wrong))
