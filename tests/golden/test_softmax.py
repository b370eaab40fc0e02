"""Softmax of frames: golden against a plain model in exact numbers, and against the real softmax."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hwgen.golden.activation_design import evaluate
from hwgen.golden.softmax import RISE
from hwgen.operators import Operator, load


def softmax(max_length: int, x: str, y: str, **keys: Any) -> Operator:
    return load({"kind": "softmax", "max_length": max_length, "formats": {"x": x, "y": y}, **keys})


def plain_model(unit: Operator, x: NDArray[Any], ctrl: NDArray[Any]) -> list[list[int]]:
    """The definition, one element at a time; exp and 1 / t are tables of all their operands."""
    spec: Any = unit.spec
    x_fmt, y_fmt = spec.formats.x, spec.formats.y
    designs = [part.design for part in spec.parts]
    exp, reciprocal = (evaluate(design, np.arange(1 << 16)).tolist() for design in designs)
    sum_fmt = designs[1].x_fmt

    def difference(a: float, b: float) -> int:
        if np.isnan(a - b):
            return 0
        if np.isinf(a - b):
            return 32767 if a > b else -32768
        return min(max(round((Fraction(a) - Fraction(b)) * 2048), -32768), 32767)

    results, frame = [], []
    for code, control in zip(x.tolist(), ctrl.tolist(), strict=True):
        if control & 1:
            frame = []
        frame.append(float(x_fmt.decode(np.array([code], x_fmt.dtype))[0]))
        if not control & 2:
            continue
        kept = frame[: spec.max_length]
        reference, total = kept[0], 1 << 17
        for value in kept[1:]:
            d = difference(value, reference)
            if Fraction(d, 2048) >= Fraction(11, 16):
                reference, total = value, (total * exp[-d] >> 17) + (1 << 17)
            else:
                total += exp[d & 0xFFFF]
        t = int(sum_fmt.encode(np.array([total / 2**17]))[0])
        r = Fraction(float(sum_fmt.decode(np.array([reciprocal[t]], np.uint16))[0]))
        bad = np.isnan(kept).any() or np.isinf(reference) or len(frame) > spec.max_length
        for index, value in enumerate(kept):
            exact = Fraction(exp[difference(value, reference) & 0xFFFF], 1 << 17) * r
            y = y_fmt.encode(np.array([float(exact)]), rounding=spec.rounding.mode.value)[0]
            last = index == len(kept) - 1
            results.append([y_fmt.invalid_code if bad else int(y), last, len(frame) > spec.max_length])
        frame = []
    return results


@pytest.mark.parametrize(
    ("max_length", "x", "y", "mode"), [(8, "bf16", "bf16", "rne"), (64, "fp16", "e4m3fn", "rup")]
)
def test_golden_is_the_definition(max_length: int, x: str, y: str, mode: str) -> None:
    unit = softmax(max_length, x, y, rounding=mode)
    operands = unit.vectors(3000, seed=4)
    want = plain_model(unit, *operands)
    assert len(want) > 2000
    assert {row[2] for row in want} == {False, True}
    np.testing.assert_array_equal(unit.golden(*operands), want)


def most_scaled(length: int) -> float:
    """How often terms are scaled at most, each weighted by what is left of it: see docs/softmax.md."""
    step = RISE - 2.0**-12
    best = 0.0
    for depth in range(length):
        kept = np.exp(-step * np.arange(depth))
        rest = 2 * np.exp(-step * depth) * (length - depth)
        best = max(best, float(kept @ np.arange(depth) + depth * rest) / float(kept.sum() + rest))
    return best


def climbing_rows(length: int, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Rows whose terms are scaled often, by factors that round badly, and rows that nothing is known of."""
    rows = rng.normal(size=(count, length)) * rng.choice([0.1, 1.0, 4.0], (count, 1))
    for row in rows[count // 3 :]:
        climb = int(rng.integers(0, min(length, 12)))
        row[: length - climb] = RISE - rng.uniform(0.0003, 0.0011)
        row[0] = 0
        row[length - climb :] = np.cumsum(np.full(climb, RISE + 2**-12 * rng.uniform(0, 3)))
    return rows


@pytest.mark.parametrize("length", [2, 8, 64])
def test_results_are_within_the_bound_of_the_docs(length: int) -> None:
    unit = softmax(length, "fp32", "fp32")
    fmt = unit.spec.formats.x
    codes = fmt.encode(climbing_rows(length, 8000 // length, np.random.default_rng(length)))
    x = fmt.decode(codes)
    ctrl = np.zeros(x.shape, np.uint8)
    ctrl[:, -1] = 2
    got = fmt.decode(unit.golden(codes.ravel(), ctrl.ravel())[:, 0]).reshape(x.shape)
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    want = e / e.sum(axis=-1, keepdims=True)
    relative = (2 + most_scaled(length)) * 2.0**-12 + (2.5 * length + 1) * 2.0**-17 + 3 * 2.0**-11
    error = (np.abs(got - want) - 2.0**-17) / want
    assert error.max() < relative
    assert error.max() < 2.0**-9


def frames(unit: Operator, *rows: list[float]) -> list[list[float]]:
    fmt = unit.spec.formats.x
    x = fmt.encode(np.array([value for row in rows for value in row]))
    ctrl = [2 * (index == len(row) - 1) for row in rows for index in range(len(row))]
    got = unit.golden(x, np.array(ctrl, np.uint8))
    y = unit.spec.formats.y.decode(got[:, 0]).tolist()
    ends = np.flatnonzero(got[:, 1]) + 1
    return [y[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def test_frames_of_one_element_of_equal_ones_and_of_far_too_large_ones() -> None:
    unit = softmax(4, "bf16", "bf16")
    assert frames(unit, [-3e38], [2.0] * 4, [3e38, 3e38, -3e38], [1.0, 3e38], [-np.inf, 0.0, -0.0]) == [
        [1.0],
        [0.25] * 4,
        [0.5, 0.5, 0.0],
        [0.0, 1.0],
        [0.0, 0.5, 0.5],
    ]


@pytest.mark.parametrize("row", [[np.nan, 1.0], [1.0, np.nan], [0.0, np.inf], [np.inf, 1.0], [-np.inf] * 2])
def test_what_has_no_softmax_is_nan_and_does_not_reach_the_next_frame(row: list[float]) -> None:
    bad, good = frames(softmax(2, "bf16", "bf16"), row, [1.0, 1.0])
    assert np.isnan(bad).all()
    assert good == [0.5, 0.5]


def test_a_frame_that_is_too_long_says_so_in_as_many_results_as_there_may_be() -> None:
    unit = softmax(4, "bf16", "q1.7")
    one = int(unit.spec.formats.x.encode([0.0])[0])
    ctrl = np.array([0, 0, 0, 0, 2, 0, 2], np.uint8)
    got = unit.golden(np.full(7, one), ctrl)
    assert got.tolist() == [[0, 0, 1]] * 3 + [[0, 1, 1]] + [[0x40, 0, 0], [0x40, 1, 0]]
    assert unit.result_counts(np.full(7, one), ctrl).tolist() == [0, 0, 0, 0, 4, 0, 2]
