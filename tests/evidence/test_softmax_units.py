"""Softmax of frames: golden = C++ = RTL, with pauses and at one element a clock; and planted bugs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.emit import emit
from hwgen.errors import CheckError, InputError
from hwgen.flow.csim import compile_native
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated import RtlOperator, load_many
from hwgen.operators import Operator, load

SMALL: dict[str, Any] = {"kind": "softmax", "formats": {"x": "e5m2", "y": "e4m3fn"}, "max_length": 4}
LARGE: dict[str, Any] = {"kind": "softmax", "formats": {"x": "bf16", "y": "bf16"}, "max_length": 64}
TOP = "passes.take(x_word, ctrl.read(), elements, frames)"


def emitted(spec: dict[str, Any], folder: Path, file: str = "", right: str = "", wrong: str = "") -> Operator:
    """Emit the unit, with a bug planted in a file below its src/."""
    operator = load({**spec, "name": "unit"})
    path = emit(operator, folder) / "src" / (file or "unit.cpp")
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong) if right else text, encoding="utf-8")
    return operator


def check(operator: Operator, rtl: RtlOperator, count: int) -> None:
    operands = operator.vectors(count, seed=11)
    want = operator.golden(*operands)
    assert len(want) > count // 2
    for stall in (0.0, 0.3, 0.8):
        run = rtl.run(*operands, results=len(want), stall=stall, seed=2)
        np.testing.assert_array_equal(run.result, want)
        assert stall == 0 or min(run.withheld, run.refused) > 0


def cycles(operator: Operator, rtl: RtlOperator, lengths: list[int]) -> int:
    """Run frames of these lengths back to back, check their results, and return the clock cycles."""
    ctrl = np.zeros(sum(lengths), np.uint8)
    ctrl[np.cumsum(lengths) - 1] = 2
    x = operator.vectors(len(ctrl), seed=3)[0]
    want = operator.golden(x, ctrl)
    assert len(want) == len(x)
    run = rtl.run(x, ctrl, results=len(want))
    np.testing.assert_array_equal(run.result, want)
    return run.cycles


def check_throughput(operator: Operator, rtl: RtlOperator, stages: int) -> None:
    """An element is taken in every clock; its result leaves as many later as the longest frame has."""
    longest = operator.spec.max_length  # type: ignore[attr-defined]
    for lengths in ([longest] * 20, [1] * 50, [2, longest, 1] * 20, [*range(1, longest + 1)]):
        assert cycles(operator, rtl, lengths) == sum(lengths) + max(lengths) + stages


def test_softmax_is_the_same_in_golden_cpp_and_rtl_at_one_element_a_clock(tmp_path: Path) -> None:
    operator = emitted(SMALL, tmp_path / "p")
    operands = operator.vectors(5_000, seed=11)
    want = operator.golden(*operands)
    np.testing.assert_array_equal(compile_native(tmp_path / "p")(*operands, results=len(want)), want)
    with pytest.raises(InputError, match="unit reads without waiting, so it needs at least 2 stages, not 1"):
        generate_rtl(tmp_path / "p", stages=1)
    assert generate_rtl(tmp_path / "p").stages == 2  # type: ignore[union-attr]
    (rtl,) = load_many([tmp_path / "p"])
    check(operator, rtl, 5_000)
    check_throughput(operator, rtl, stages=2)


@pytest.mark.slow
def test_a_long_softmax_and_a_pipelined_one_are_the_same_in_rtl(tmp_path: Path) -> None:
    units = [emitted(spec, tmp_path / name) for spec, name in ((LARGE, "large"), (SMALL, "deep"))]
    generate_rtl(tmp_path / "large")
    generate_rtl(tmp_path / "deep", stages=6)
    simulations = load_many([tmp_path / "large", tmp_path / "deep"])
    for operator, rtl, stages in zip(units, simulations, (2, 6), strict=True):
        check(operator, rtl, 20_000)
        check_throughput(operator, rtl, stages)


def test_a_planted_bug_in_the_template_is_caught(tmp_path: Path) -> None:
    wrong = TOP.replace("ctrl.read()", "ctrl.read() & 2")
    operator = emitted(SMALL, tmp_path / "p", right=TOP, wrong=wrong)
    operands = operator.vectors(500, seed=1)
    want = operator.golden(*operands)
    with pytest.raises(CheckError, match=rf"\d+ results, but {len(want)} are due"):
        compile_native(tmp_path / "p")(*operands, results=len(want))


@pytest.mark.slow
def test_a_ring_that_makes_no_room_while_results_leave_is_found_too_slow(tmp_path: Path) -> None:
    condition = "complete + length != MAX || releases()"
    operator = emitted(SMALL, tmp_path / "p", "hwgen/softmax.hpp", condition, "complete + length != MAX")
    generate_rtl(tmp_path / "p")
    (rtl,) = load_many([tmp_path / "p"])
    check(operator, rtl, 2_000)
    with pytest.raises(AssertionError):
        check_throughput(operator, rtl, stages=2)
