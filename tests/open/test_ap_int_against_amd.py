"""Our ap_int.h and AMD's give the same values of the same types, on programs of random expressions."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ap_builds import OPEN, run_with_amd, run_with_ours
from ap_programs import Program, nested_program, operator_program, statement_program


def differences(program: Program, ours: list[str], amd: list[str]) -> list[str]:
    """Return every statement with a differing result, and its first two results."""
    assert len(ours) == len(amd) > 0
    found: dict[int, str] = {}
    for mine, theirs in zip(ours, amd, strict=True):
        index = int(theirs.split()[0])
        if mine != theirs and index not in found:
            found[index] = f"{program.statements[index]}\n  ours {mine}\n  AMD  {theirs}"
    return list(found.values())


def compare(program: Program, folder: Path) -> None:
    source = program.source()
    bad = differences(program, run_with_ours(source, folder), run_with_amd(source, folder))
    assert not bad, "\n".join([f"{len(bad)} of {len(program.statements)} differ:", *bad[:20], *program.declarations])


PROGRAMS = pytest.mark.parametrize("make", [operator_program, statement_program, nested_program])


@PROGRAMS
def test_random_programs_print_what_they_print_with_amds_headers(
    make: Callable[..., Program], tmp_path: Path
) -> None:
    compare(make(20250, limit=160, count=250), tmp_path)


@pytest.mark.slow
@PROGRAMS
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("limit", [24, 70, 512])
def test_many_random_programs_print_what_they_print_with_amds_headers(
    make: Callable[..., Program], seed: int, limit: int, tmp_path: Path
) -> None:
    compare(make(seed, limit=limit, count=700), tmp_path)
