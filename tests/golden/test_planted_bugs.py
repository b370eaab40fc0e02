"""A check that finds nothing must be able to find something: each planted bug is caught by an oracle."""

from __future__ import annotations

import numpy as np
import pytest
import test_exhaustive_8bit as exhaustive
import test_fast_paths as paths
import test_stochastic_rounding as stochastic

from hwgen.formats import float_format, rounding
from hwgen.golden import carriers, operators


def ties_to_even(scaled, *, negative, rounding, words):
    return np.rint(scaled, out=scaled)


def test_ties_to_even_in_place_of_ties_away_is_caught(monkeypatch):
    monkeypatch.setattr(rounding, "round_to_integers", ties_to_even)
    with pytest.raises(AssertionError, match="e5m2 mul rna"):
        exhaustive.check_pairs("e5m2", "mul")


def test_nearest_rounding_at_the_wrong_place_is_caught(monkeypatch):
    monkeypatch.setattr(rounding, "_MAGIC", 2.0**53)
    with pytest.raises(AssertionError, match="e5m2 mul rne"):
        exhaustive.check_pairs("e5m2", "mul")


def test_a_sum_that_is_not_rounded_to_odd_is_caught(monkeypatch):
    monkeypatch.setattr(operators, "add_to_odd", lambda p, c, *, rounding: p + c)
    with pytest.raises(AssertionError):
        paths.check_random_calls(1, 600, 40)


def test_a_sticky_shortcut_in_stochastic_addition_is_caught(monkeypatch):
    # Jamming lost bits into the last bit of a short sum, as an adder built for round-to-nearest does.
    def jammed(p, c, *, rounding):
        total = carriers.add_to_odd(p, c, rounding=rounding)
        bits = total.view(np.int64)
        lost = bits & ((1 << 46) - 1) != 0
        bits &= ~((1 << 46) - 1)
        bits |= np.where(lost, 1 << 46, 0)
        return total

    monkeypatch.setattr(operators, "add_to_odd", jammed)
    with pytest.raises(AssertionError):
        stochastic.test_add_counts_up_words_exactly_borrows_from_far_away_included(("e5m2", "e5m2", "e5m2"))


def test_an_unflushed_subnormal_is_caught(monkeypatch):
    monkeypatch.setattr(
        float_format.FloatFormat, "min_normal_code", property(lambda fmt: 1 << (fmt.mantissa - 1))
    )
    with pytest.raises(AssertionError):
        exhaustive.test_conversion_of_every_pattern_in_every_mode("fp16", "e4m3ftz")


def test_a_predicate_that_is_one_bit_too_generous_is_caught(monkeypatch):
    monkeypatch.setattr(carriers, "_PRECISION", 54)
    with pytest.raises(AssertionError):
        paths.test_float64_sum_is_chosen_up_to_the_proof_and_not_beyond(
            "e8m51", rounding.Rounding("rne"), False
        )
