"""Softmax: golden against float64, at the accuracy that its formats have, and its special cases."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.operators import load


def softmax(n: int, x: str, y: str):
    return load({"kind": "activation", "function": "softmax", "n": n, "formats": {"x": x, "y": y}})


def exact(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("n", [2, 5, 64])
def test_results_are_close_to_the_real_softmax_and_sum_to_one(n: int) -> None:
    unit = softmax(n, "bf16", "fp16")
    x_fmt, y_fmt = unit.spec.formats.x, unit.spec.formats.y
    codes = x_fmt.encode(np.random.default_rng(n).normal(size=(500, n)) * 4)
    got = y_fmt.decode(unit.golden(codes))
    want = exact(x_fmt.decode(codes))
    # d is up to 2^-10 too large (a relative 2^-10 of e and of s), e and r have errors of an ulp or less.
    assert np.all(np.abs(got - want) <= want * 2.0**-8 + 2.0**-14)
    assert np.all(np.abs(got.sum(axis=-1) - 1) <= 2.0**-9 + n * 2.0**-12)


def test_large_logits_do_not_overflow_and_equal_ones_share_equally() -> None:
    unit = softmax(4, "bf16", "bf16")
    fmt = unit.spec.formats.x
    rows = fmt.encode(
        np.array([[3e38, 3e38, -3e38, 1.0], [2.0, 2.0, 2.0, 2.0], [-300.0, 0.0, -0.0, -np.inf]])
    )
    expected = [[0.5, 0.5, 0, 0], [0.25] * 4, [0, 0.5, 0.5, 0]]
    np.testing.assert_array_equal(fmt.decode(unit.golden(rows)), expected)


@pytest.mark.parametrize("row", [[np.nan, 1.0], [np.inf, 1.0], [-np.inf, -np.inf]])
def test_what_has_no_softmax_is_nan(row: list[float]) -> None:
    unit = softmax(2, "bf16", "bf16")
    fmt = unit.spec.formats.x
    assert np.isnan(fmt.decode(unit.golden(fmt.encode(np.array([row]))))).all()
