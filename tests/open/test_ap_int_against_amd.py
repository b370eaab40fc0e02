"""Our ap_int.h and AMD's give the same values of the same types, on programs of random expressions."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from ap_builds import OPEN, run_with_amd, run_with_ours
from ap_draft import Program
from ap_programs import add_nested, add_operators, add_statements

from hwgen.errors import ToolError


def differences(program: Program, ours: list[str], amd: list[str]) -> list[str]:
    """Return every statement with a differing result, and its first two results."""
    assert len(ours) == len(amd) >= program.trials * len(program.statements) > 0
    found: dict[int, str] = {}
    for mine, theirs in zip(ours, amd, strict=True):
        index = int(theirs.split()[0])
        if mine != theirs and index not in found:
            found[index] = f"{program.statements[index]}\n  ours {mine}\n  AMD  {theirs}"
    return list(found.values())


def compare(program: Program, folder: Path) -> None:
    source = program.source()
    bad = differences(program, run_with_ours(source, folder), run_with_amd(source, folder))
    assert not bad, "\n".join(
        [f"{len(bad)} of {len(program.statements)} differ:", *bad[:20], *program.declarations]
    )


def test_a_random_program_prints_what_it_prints_with_amds_headers(tmp_path: Path) -> None:
    # Widths on both sides of AMD's boundary between one word and several, and the single bit.
    program = Program(Random(2027), widths=[1, 13, 64, 97])
    add_operators(program, 160)
    add_statements(program, 160)
    add_nested(program, 25)
    compare(program, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("add", [add_operators, add_statements, add_nested])
@pytest.mark.parametrize("limit", [24, 70, 512])
@pytest.mark.parametrize("seed", range(2))
def test_many_random_programs_print_what_they_print_with_amds_headers(
    add: Callable[[Program, int], None], limit: int, seed: int, tmp_path: Path
) -> None:
    program = Program.seeded(seed, limit=limit)
    add(program, 150 if add is add_nested else 600)
    compare(program, tmp_path)


# One statement for each rule that a mutant breaks.
@pytest.fixture(scope="module")
def rules() -> Program:
    p = Program(Random(1), widths=[8], trials=200)
    p.declarations = [
        "ap_uint<8> u, v; ap_int<8> s; load(u); load(v); load(s);",
        "ap_int<4> n; load(n); bool b; load(b); ap_uint<3> w; load(w);",
    ]
    for expression in ("u + v", "u - v", "s(5, 2) + u", "s < u", "u << n", "-7 % ap_uint<8>(u | 1)"):
        p.show(expression)
    p.show("ap_uint<11>((w, u(4, 2)))")
    p.run("auto t = u; t(5, 3) = s;", "t")
    return p


@pytest.fixture(scope="module")
def rules_by_amd(rules: Program, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return run_with_amd(rules.source(), tmp_path_factory.mktemp("amd"))


def test_the_rules_under_mutation_hold(rules: Program, rules_by_amd: list[str], tmp_path: Path) -> None:
    assert not differences(rules, run_with_ours(rules.source(), tmp_path), rules_by_amd)


@pytest.mark.parametrize(
    ("header", "right", "wrong"),
    [
        ("ap_int_widths.h", "using plus = ap_t<common + 1, any_sign>", "using plus = ap_t<common, any_sign>"),
        (
            "ap_int_widths.h",
            "using minus = ap_t<common + 1, true>",
            "using minus = ap_t<common + 1, any_sign>",
        ),
        ("ap_int_widths.h", "? A::parent : A::sign", "? A::sign : A::sign"),
        ("ap_int_widths.h", "a::width < 32 && b::width < 32", "a::width < 8 && b::width < 8"),
        (
            "ap_int_widths.h",
            "ruled<A, B, true> : rules<B::width, B::sign, A::width, A::sign>",
            "ruled<A, B, true> : exact<A, B>",
        ),
        ("ap_int_operators.h", "P::amount::sign && amount < 0", "P::amount::sign && amount < -8"),
        ("ap_int_select.h", "high.get()) << low.length()", "high.get()) << low_width"),
        ("ap_int_select.h", "bits() & ~", "bits() | ~"),
    ],
)
def test_a_wrong_rule_in_our_headers_is_caught(
    header: str, right: str, wrong: str, rules: Program, rules_by_amd: list[str], tmp_path: Path
) -> None:
    include = tmp_path / "include"
    shutil.copytree(OPEN, include)
    text = (include / header).read_text()
    assert text.count(right) == 1, f"{header} no longer says {right!r}"
    (include / header).write_text(text.replace(right, wrong))
    try:
        ours = run_with_ours(
            rules.source(), tmp_path, include=include, flags=("-DNDEBUG", "-fno-sanitize=all")
        )
    except ToolError:
        return  # a mutant that does not compile or run is caught too
    assert differences(rules, ours, rules_by_amd)
