"""Lanes: as many equal units side by side, which give what one unit gives element by element."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.operators import load

MAC = {"kind": "mac", "formats": {"a": "e4m3fn", "b": "e5m2", "acc": "e6m5"}}
SR = {"mode": "sr", "bits": 7}


def test_ports_hold_a_word_for_each_lane() -> None:
    operator = load({**MAC, "rounding": SR, "lanes": 5})
    assert [port.width for port in operator.inputs] == [40, 40, 60, 35]
    assert operator.output.width == 60
    assert operator.name.endswith("_x5")


@pytest.mark.parametrize("rounding", ["rne", SR])
def test_lanes_give_what_one_unit_gives(rounding: Any) -> None:
    one, four = load({**MAC, "rounding": rounding}), load({**MAC, "rounding": rounding, "lanes": 4})
    operands = four.vectors(100)
    assert np.array_equal(four.golden(*operands), one.golden(*operands))


def test_an_on_unit_generator_deals_its_words_lane_by_lane() -> None:
    rounding = {**SR, "rand": {"lfsr": {"seed": 9}}}
    one, four = load({**MAC, "rounding": rounding}), load({**MAC, "rounding": rounding, "lanes": 4})
    operands = four.vectors(50)
    flat = [array.reshape(-1) for array in operands]
    assert np.array_equal(four.golden(*operands).reshape(-1), one.golden(*flat))


@pytest.mark.parametrize("lanes", [0, 65, "two", True])
def test_impossible_lanes_are_refused(lanes: Any) -> None:
    with pytest.raises(InputError, match=r"lanes .* 1\.\.64"):
        load({**MAC, "lanes": lanes})


def test_the_missing_axis_of_lanes_is_named() -> None:
    with pytest.raises(InputError, match="'a' needs a last axis of 4 elements"):
        load({**MAC, "lanes": 4}).golden(np.uint8([1]), np.uint8([1]), np.uint16([1]))
