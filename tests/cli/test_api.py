"""The Python face: formats, operators, and compiled C++ that equals golden."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.errors import InputError

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(importlib.import_module("hwgen.api")).failed == 0


def test_a_format_comes_from_a_name_or_a_mapping() -> None:
    spelt = hwgen.format({"float": {"exponent": 4, "mantissa": 3, "specials": "fn"}})
    assert spelt == hwgen.format("e4m3fn")
    assert spelt.encode(np.array([1.0, 1000.0]), rounding="rne").tolist() == [0x38, 0x7E]


def test_an_operator_comes_from_a_file_a_mapping_or_a_project(tmp_path: Path) -> None:
    from_file = hwgen.operator(EXAMPLES / "add_bf16.yaml")
    assert hwgen.operator(str(EXAMPLES / "add_bf16.yaml")) == from_file
    assert hwgen.operator(from_file.definition.spec.to_yaml()) == from_file
    assert hwgen.operator(from_file.emit(tmp_path / "p")) == from_file


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_repr_of_an_operator_round_trips(path: Path) -> None:
    unit = hwgen.operator(path)
    assert eval(repr(unit), {"hwgen": hwgen}) == unit
    assert hash(eval(repr(unit), {"hwgen": hwgen})) == hash(unit)


def test_the_compiled_operator_equals_golden() -> None:
    unit = hwgen.operator(EXAMPLES / "mac_e4m3fn_e5m2_e6m5_sr8.yaml")
    run = unit.compile()
    operands = unit.definition.vectors(10_000, seed=2)
    assert np.array_equal(run(*operands), unit.golden(*operands))
    assert run(operands[0][:, None], 0x3C, 0, 255).shape == (10_000, 1)


def test_wrong_operands_are_refused() -> None:
    unit = hwgen.operator(EXAMPLES / "add_bf16.yaml")
    with pytest.raises(InputError, match="0x10000"):
        unit.golden(0x10000, 0)
    with pytest.raises(TypeError, match="takes 2 operands"):
        unit.golden(0)
    with pytest.raises(InputError, match="unknown engine 'spice': legal: golden, csim, rtl"):
        unit.engine("spice")


def test_there_is_nothing_else_at_the_top() -> None:
    with pytest.raises(AttributeError, match="no attribute 'fromat'"):
        _ = hwgen.fromat  # type: ignore[attr-defined]
