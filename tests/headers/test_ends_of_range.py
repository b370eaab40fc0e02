"""Sums at both ends of the result's range, from every side of its borders, against the golden model.

A random sum hardly ever is the very power of two that overflows, and has the other sign than its first term
on top of that. Here every multiple of a sixteenth of an ulp near the largest finite and the smallest normal
number is the sum of terms of either sign.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dot_units import build, run
from header_builds import plant
from numpy.typing import NDArray
from running_sums import Sum
from running_sums import build as build_sums
from running_sums import run as run_sum

from hwgen.formats import FloatFormat, Overflow, Rounding
from hwgen.golden.dot import dot
from hwgen.golden.dot_unit import AlignedSum, DotUnit, ExactSum, SequentialSum, TreeSum

MODES = ("rne", "rna", "rtz", "rup", "rdn", "rto", "sr")
DIRECTED = ("rup", "rdn", "rtz", "rto")  # those in which an overflow may become the largest finite number
BITS = 3

TERM = FloatFormat(4, 8)  # holds every term below to the last bit
WIDE = FloatFormat(8, 8)
SIGN = FloatFormat(2, 1)  # the other factor is 1 or -1
RESULT = FloatFormat(3, 2)


def unit(mode: str = "rne", **more: Any) -> DotUnit:
    rounding = Rounding(mode, BITS if mode == "sr" else None)
    plain = DotUnit(
        n=3,
        a=TERM,
        b=SIGN,
        c=TERM,
        y=RESULT,
        scheme=ExactSum(),
        rounding=rounding,
        overflow=Overflow.INFINITY,
    )
    return replace(plain, **more)


# The ways in which a sum comes to its rounding.
SHAPES: dict[str, dict[str, Any]] = {
    "in a window": {},
    "without an addend": {"c": None, "n": 4},
    "into a format without subnormals": {"y": replace(RESULT, subnormals=False)},
    "the addend apart": {"c": WIDE},
    "in order": {"a": WIDE, "c": WIDE, "n": 2},
    "aligned": {"scheme": AlignedSum(12)},
    "aligned and cut": {"scheme": AlignedSum(2, jam=True)},
    "tree": {"scheme": TreeSum(TERM), "n": 2},
    "sequential": {"scheme": SequentialSum(TERM), "n": 2},
}
ENDS = [
    (FloatFormat(3, 2, specials=specials), policy)
    for specials in ("ieee", "fn", "fnuz", "none")
    for policy in FloatFormat(3, 2, specials=specials).legal_overflows
]


def sums_near_the_ends(y: FloatFormat) -> NDArray[np.float64]:
    """Return magnitudes around the smallest normal number and the largest finite one, of either sign."""
    steps = np.arange(16 * 3 << y.mantissa - 1)
    low = 2.0 ** (y.emin - y.mantissa - 4) * (steps + (8 << y.mantissa))
    ulp = 2.0 ** (y.emax - y.mantissa)
    largest = float(y.decode(np.array([y.max_finite_code], y.dtype))[0])
    high = largest - ulp + ulp / 16 * np.arange(16 * 4)
    beyond = 2.0 ** (y.emax + 2) + ulp / 8 * np.arange(-4, 5)
    magnitudes = np.concatenate([low, high, beyond])
    return np.concatenate([magnitudes, -magnitudes])


def terms_of(sums: NDArray[np.float64], n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return n terms for each sum, in any order; the first of them has either sign."""
    step = np.exp2(np.floor(np.log2(np.abs(sums))) - 7)[:, None]
    terms = step * rng.integers(-60, 61, (len(sums), n)) * (rng.random((len(sums), n)) < 0.7)
    terms[:, 0] += sums - terms.sum(axis=1)
    assert (terms.sum(axis=1) == sums).all()
    return rng.permuted(terms, axis=1)


def operands_of(each: DotUnit, copies: int) -> list[NDArray[Any]]:
    rng = np.random.default_rng(1)
    sums = np.repeat(sums_near_the_ends(each.y), copies)
    terms = terms_of(sums, each.n + (each.c is not None), rng)
    sign = rng.choice([-1.0, 1.0], (len(sums), each.n))
    operands = [each.a.encode(terms[:, : each.n] * sign), each.b.encode(sign)]
    assert (each.a.decode(operands[0]) * sign == terms[:, : each.n]).all()
    if each.c is not None:
        operands.append(each.c.encode(terms[:, -1]))
        assert (each.c.decode(operands[-1]) == terms[:, -1]).all()
    if each.rounding.bits:
        words = rng.integers(0, 1 << BITS, (len(sums), each.words))
        operands.append(words if each.words > 1 else words[:, 0])
    return operands


def mismatches(units: dict[str, DotUnit], folder: Path, headers: Path | None = None) -> list[str]:
    library = build(list(units.values()), folder, headers=headers)
    found = []
    for index, (name, each) in enumerate(units.items()):
        operands = operands_of(each, copies=12)
        *numbers, rand = operands if each.rounding.bits else [*operands, None]
        want = dot(each, *numbers, rand=rand)
        assert len(np.unique(want)) > 8
        for row in np.flatnonzero(run(library, index, operands) != want)[:1]:
            words = [np.vectorize(hex)(column[row]).tolist() for column in operands]
            found.append(f"{name}: {words}, golden {int(want[row]):#x}")
    return found


def test_dot_products_at_the_ends_of_the_range_are_golden(tmp_path: Path) -> None:
    everything = {mode: unit(mode) for mode in MODES}
    shapes = {name: unit(mode, **more) for (name, more), mode in zip(SHAPES.items(), cycle(DIRECTED))}
    rules = {
        f"{y.specials}, {rule}": unit(mode, y=y, overflow=rule)
        for (y, rule), mode in zip(ENDS, cycle(DIRECTED))
    }
    assert mismatches({**everything, **shapes, **rules}, tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_dot_products_of_every_shape_are_golden_at_the_ends_of_the_range(tmp_path: Path, mode: str) -> None:
    units = {
        f"{name}, {y.specials}, {rule}": unit(
            mode, **{**more, "y": replace(more.get("y", y), specials=y.specials), "overflow": rule}
        )
        for name, more in SHAPES.items()
        for y, rule in ENDS
    }
    assert mismatches(units, tmp_path) == []


def test_a_complement_that_may_carry_into_infinity_is_caught_in_every_directed_mode(tmp_path: Path) -> None:
    mutated = plant(tmp_path, "dot_round", "up & ~refused", "up")
    assert len(mismatches({mode: unit(mode) for mode in DIRECTED}, tmp_path, mutated)) == len(DIRECTED)


def a_sum(name: str, mode: str, **more: Any) -> Sum:
    rounding = Rounding(mode, BITS if mode == "sr" else None)
    return Sum(name=name, x=TERM, y=RESULT, rounding=rounding, overflow=Overflow.INFINITY, **more)


def test_running_sums_at_the_ends_of_the_range_are_golden(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    register = 8, -16, 12
    units = [a_sum(f"plain_{mode}", mode) for mode in ("rup", "rto")]
    units += [a_sum(f"long_{mode}", mode, register=register) for mode in ("rdn", "rtz")]
    terms = terms_of(np.repeat(sums_near_the_ends(RESULT), 6), 3, rng)
    control = np.tile(np.array([0, 0, 2], np.uint8), len(terms))
    operands = [TERM.encode(terms.ravel()), control, np.zeros((terms.size, 1), np.uint64)]
    library = build_sums(units, tmp_path)
    for each in units:
        want = each.golden(*operands)
        assert len(want) == len(terms)
        np.testing.assert_array_equal(run_sum(library, each, operands), want)
