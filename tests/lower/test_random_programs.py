"""The property that the compiler must have: every engine computes what the C++ says."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from lowering_bench import Lowered, call_native, llvm_module, native_library, simulate
from patience import Impatient, with_patience
from random_cpp import PRELUDE, Program, generate

from hwgen.lower import arithmetic
from hwgen.lower.llvm import Module

_VECTORS = 24
_PATIENCE = 300.0
"""Seconds for one step of one program: a hundred times what is usual, so beyond it something hangs."""


def _vectors(program: Program, rng: random.Random) -> list[list[int]]:
    """Corner values and random ones, each operand on its own."""
    rows = []
    for _ in range(_VECTORS):
        row = []
        for width in program.inputs.values():
            corners = [0, 1, (1 << width) - 1, 1 << (width - 1), (1 << (width - 1)) - 1]
            row.append(rng.choice([*corners, *[rng.getrandbits(width) for _ in range(5)]]) % (1 << width))
        rows.append(row)
    return rows


@dataclass(frozen=True)
class _Trial:
    """A program, its vectors, what native code computes of them, and where its RTL goes (if anywhere)."""

    program: Program
    rows: list[list[int]]
    expected: list[int]
    project: Path | None
    stages: int


def _trial(module: Module, trial: _Trial, *, optimised: bool, report: Callable[[str], None]) -> list[str]:
    """Describe what XLS computes otherwise than native code, and write the RTL."""
    program = trial.program
    report("lowering and optimising")
    lowered = Lowered(module, program.name, program.inputs, program.output, optimised=optimised)
    report("interpreting")
    wrong = [
        f"{program.name}{row}: {engine} gives {value:#x}, native {right:#x}\n{program.source}"
        for row, right in zip(trial.rows, trial.expected, strict=True)
        for engine, value in lowered.results(row).items()
        if value != right
    ]
    if trial.project is not None:
        report("generating RTL")
        lowered.write_project(trial.project, stages=trial.stages)
    return wrong


def _mismatches(folder: Path, programs: list[Program], *, rtl: bool, optimised: bool = True) -> list[str]:
    """Compile all programs at once, run each on all engines, and describe what differs from native."""
    source = PRELUDE + "".join(program.source for program in programs)
    module, library = llvm_module(folder, source), native_library(folder, source)
    rng = random.Random(len(programs))
    wrong, trials = [], []
    for number, program in enumerate(programs):
        rows = _vectors(program, rng)
        widths = list(program.inputs.values())
        expected = [
            call_native(library, program.name, list(zip(row, widths, strict=True)), program.output)
            for row in rows
        ]
        trial = _Trial(program, rows, expected, folder if rtl else None, number % 3)
        work = partial(_trial, module, trial, optimised=optimised)
        try:
            wrong += with_patience(lambda report, work=work: work(report=report), seconds=_PATIENCE)
            trials.append(trial)
        except Impatient as error:
            wrong.append(f"{program.name}: {error}\n{program.source}")
    if rtl:
        simulated = simulate([folder / t.program.name for t in trials], [t.rows for t in trials])
        wrong += [
            f"{trial.program.name}: RTL differs\n{trial.program.source}"
            for trial, results in zip(trials, simulated, strict=True)
            if results != trial.expected
        ]
    return wrong


def test_random_programs_compute_the_same_natively_in_xls_and_in_rtl(tmp_path: Path) -> None:
    assert _mismatches(tmp_path, generate(2024, 12), rtl=True) == []


def test_random_programs_with_wide_ports_compute_the_same_natively_and_in_xls(tmp_path: Path) -> None:
    assert _mismatches(tmp_path, generate(7, 5, widest_port=150), rtl=False) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(9))
def test_many_random_programs_compute_the_same_natively_in_xls_and_in_rtl(tmp_path: Path, seed: int) -> None:
    assert _mismatches(tmp_path, generate(seed, 40), rtl=True) == []


@pytest.mark.parametrize(("opcode", "wrong"), [("ashr", "shrl"), ("srem", "umod"), ("sub", "add")])
def test_a_wrong_lowering_of_one_instruction_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opcode: str, wrong: str
) -> None:
    monkeypatch.setitem(arithmetic.BINARY, opcode, wrong)
    assert _mismatches(tmp_path, generate(2024, 25), rtl=False, optimised=False)
