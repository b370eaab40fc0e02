"""Accumulators and norms: golden = C++ = RTL, with pauses, with none, and with a bug in their template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.emit import emit
from hwgen.flow.csim import compile_native
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated import load_many
from hwgen.operators import Operator, load

SR4 = {"mode": "sr", "bits": 4}
LFSR = {"mode": "sr", "bits": 4, "rand": {"lfsr": {"width": 17}}}
FAST: list[dict[str, Any]] = [
    {"kind": "accumulator", "formats": {"x": "e3m2", "y": "e4m3fn"}, "rounding": LFSR, "interleave": 2},
    {
        "kind": "accumulator",
        "formats": {"x": "e4m3fn", "y": "e6m5"},
        "scheme": {"long": {"msb": 10, "segment": 5}},
    },
    {
        "kind": "accumulator",
        "formats": {"x": "int4", "y": "int8"},
        "scheme": {"chunked": {"terms": 3, "format": "int5"}},
        "rounding": SR4,
    },
    {"kind": "norm", "formats": {"x": "e3m2", "y": "e5m2"}, "scheme": {"long": {"terms": 8}}, "sum": True},
]
SLOW: list[dict[str, Any]] = [
    {"kind": "accumulator", "formats": {"x": "e5m2", "y": "fp16"}, "interleave": 8, "rounding": SR4},
    {"kind": "accumulator", "formats": {"x": "e4m3fnuz", "y": "e5m2fnuz"}, "rounding": "rdn"},
    {"kind": "accumulator", "formats": {"x": "q1.7", "y": "q8.14"}, "overflow": "wrap"},
    {"kind": "accumulator", "formats": {"x": "bf16", "y": "fp32"}, "scheme": "long"},
    {
        "kind": "accumulator",
        "formats": {"x": "e5m2", "y": "e6m9"},
        "scheme": {"chunked": {"terms": 64, "format": "e6m9"}},
        "rounding": LFSR,
    },
    {"kind": "norm", "formats": {"x": "bf16", "y": "fp32"}, "interleave": 4, "sum": True},
    {"kind": "norm", "formats": {"x": "int8", "y": "int32"}, "rounding": "rtz", "sum": True},
]


def units(specs: list[dict[str, Any]]) -> list[Operator]:
    return [load({**spec, "name": f"unit{index}"}) for index, spec in enumerate(specs)]


def check(operators: list[Operator], folder: Path, count: int) -> None:
    projects = [emit(operator, folder / operator.name) for operator in operators]
    for project in projects:
        generate_rtl(project)
    for operator, project, rtl in zip(operators, projects, load_many(projects), strict=True):
        operands = operator.vectors(count, seed=11)
        want = operator.golden(*operands)
        assert len(want) > count // 40
        csim = compile_native(project)(*operands, results=len(want))
        np.testing.assert_array_equal(csim, want, f"{operator.spec}: csim")
        for stall in (0.0, 0.3):
            run = rtl.run(*operands, results=len(want), stall=stall, seed=2)
            np.testing.assert_array_equal(run.result, want, f"{operator.spec}: rtl")
            if stall:
                assert min(run.withheld, run.refused) > 0
            else:
                assert run.cycles == count + 1, "a term in every clock, then one stage"
        clear_everywhere(operator, rtl)


def clear_everywhere(operator: Operator, rtl: Any) -> None:
    """Run frames of one to six terms back to back, each with a clear at every position or none."""
    control = []
    for length in range(1, 7):
        for at in range(length + 1):
            frame = [0] * length
            if at < length:
                frame[at] = 1
            frame[-1] |= 2
            control += frame
    (x, _, *rand) = operator.vectors(len(control), seed=5)
    operands = [x, np.array(control, np.uint8), *rand]
    want = operator.golden(*operands)
    assert len(want) == sum(length + 1 for length in range(1, 7))
    np.testing.assert_array_equal(rtl(*operands, results=len(want)), want)


def test_sums_are_the_same_in_golden_cpp_and_rtl_at_one_term_a_clock(tmp_path: Path) -> None:
    check(units(FAST), tmp_path, 2_000)


@pytest.mark.slow
def test_more_sums_are_the_same_in_golden_cpp_and_rtl_at_one_term_a_clock(tmp_path: Path) -> None:
    check(units(SLOW), tmp_path, 20_000)


@pytest.mark.parametrize(
    ("spec", "right", "wrong"),
    [
        (FAST[0], "ctrl_word, rand_word", "hwgen::sum_control(ctrl_word & 2), rand_word"),
        ({**FAST[3], "scheme": "float"}, "terms::square(x_word)", "terms::value(x_word)"),
    ],
    ids=["accumulator", "norm"],
)
def test_a_planted_bug_in_the_template_is_caught(
    spec: dict[str, Any], right: str, wrong: str, tmp_path: Path
) -> None:
    (operator,) = units([spec])
    project = emit(operator, tmp_path / operator.name)
    source = project / "src" / f"{operator.name}.cpp"
    text = source.read_text(encoding="utf-8")
    assert right in text
    source.write_text(text.replace(right, wrong), encoding="utf-8")
    operands = operator.vectors(500, seed=1)
    want = operator.golden(*operands)
    got = compile_native(project)(*operands, results=len(want))
    assert len(got) != len(want) or (got != want).any()
