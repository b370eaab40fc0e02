"""The property that the compiler must have: every engine computes what the C++ says."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from lowering_bench import Lowered, call_native, llvm_module, native_library, simulate
from random_cpp import PRELUDE, Program, generate

from hwgen.lower import arithmetic

_VECTORS = 24


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


def _mismatches(folder: Path, programs: list[Program], *, rtl: bool, optimised: bool = True) -> list[str]:
    """Compile all programs at once, run each on all engines, and describe what differs from native."""
    source = PRELUDE + "".join(program.source for program in programs)
    module, library = llvm_module(folder, source), native_library(folder, source)
    rng = random.Random(len(programs))
    wrong, projects, every_row, every_result = [], [], [], []
    for number, program in enumerate(programs):
        lowered = Lowered(module, program.name, program.inputs, program.output, optimised=optimised)
        rows = _vectors(program, rng)
        widths = list(program.inputs.values())
        expected = [
            call_native(library, program.name, list(zip(row, widths, strict=True)), program.output)
            for row in rows
        ]
        for row, right in zip(rows, expected, strict=True):
            wrong += [
                f"{program.name}{row}: {engine} gives {value:#x}, native {right:#x}\n{program.source}"
                for engine, value in lowered.results(row).items()
                if value != right
            ]
        if rtl:
            projects.append(lowered.write_project(folder, stages=number % 3))
            every_row.append(rows)
            every_result.append(expected)
    if rtl:
        simulated = simulate(projects, every_row)
        for program, results, expected in zip(programs, simulated, every_result, strict=True):
            if results != expected:
                wrong.append(f"{program.name}: RTL differs\n{program.source}")
    return wrong


def test_random_programs_compute_the_same_natively_in_xls_and_in_rtl(tmp_path: Path) -> None:
    assert _mismatches(tmp_path, generate(2024, 25), rtl=True) == []


def test_random_programs_with_wide_ports_compute_the_same_natively_and_in_xls(tmp_path: Path) -> None:
    assert _mismatches(tmp_path, generate(7, 5, widest_port=150), rtl=False) == []


@pytest.mark.slow
# Not seed 5: XLS' optimiser does not come to an end on its program 22 (remainders, a table and a popcount).
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 6, 7, 8])
def test_many_random_programs_compute_the_same_natively_in_xls_and_in_rtl(tmp_path: Path, seed: int) -> None:
    assert _mismatches(tmp_path, generate(seed, 40), rtl=True) == []


@pytest.mark.parametrize(("opcode", "wrong"), [("ashr", "shrl"), ("srem", "umod"), ("sub", "add")])
def test_a_wrong_lowering_of_one_instruction_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opcode: str, wrong: str
) -> None:
    monkeypatch.setitem(arithmetic.BINARY, opcode, wrong)
    assert _mismatches(tmp_path, generate(2024, 25), rtl=False, optimised=False)
