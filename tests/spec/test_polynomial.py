"""Feedback polynomials: the table is primitive, and the test for it agrees with counting the period."""

from __future__ import annotations

from itertools import combinations

import pytest

from hwgen.spec.polynomial import MAX_WIDTH, MIN_WIDTH, default_taps, is_maximal_length, tap_mask


@pytest.mark.parametrize("width", range(MIN_WIDTH, MAX_WIDTH + 1))
def test_every_default_polynomial_has_the_maximal_period(width: int) -> None:
    taps = default_taps(width)
    assert taps[0] == width
    assert is_maximal_length(taps)


def period(taps: tuple[int, ...]) -> int:
    width, mask = max(taps), tap_mask(taps)
    state, steps = 1, 0
    while True:
        state = state >> 1 | (state & mask).bit_count() % 2 << (width - 1)
        steps += 1
        if state == 1:
            return steps


@pytest.mark.parametrize("width", [3, 4, 5, 6, 8, 9])
def test_the_test_agrees_with_stepping_the_register_round(width: int) -> None:
    for count in (1, 2, 3):
        for lower in combinations(range(1, width), count):
            taps = (width, *lower)
            assert is_maximal_length(taps) == (period(taps) == 2**width - 1), taps


def test_the_mask_has_the_constant_term_and_not_the_leading_one() -> None:
    assert tap_mask((32, 22, 2, 1)) == 1 << 22 | 0b111
