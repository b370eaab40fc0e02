"""hwgen prove: theorems that hold, planted bugs that are refuted, and what the solver is given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.emit import emit
from hwgen.errors import InputError
from hwgen.flow.prove import prove
from hwgen.flow.rtl import compile_cpp_to_xls_ir
from hwgen.flow.smt.circuit import circuit_definition
from hwgen.flow.smt.solvers import values
from hwgen.operators import load

# Alone on a core each takes a minute at most (docs/proof.md has the times); a busy machine may need longer.
PATIENCE = 600.0
SR4 = {"mode": "sr", "bits": 4}


def spec(kind: str, formats: str, rounding: Any = "rne", **more: Any) -> dict[str, Any]:
    keys = {"convert": "x y", "add": "a b y", "mul": "a b y", "fma": "a b c y", "mac": "a b acc"}[kind]
    named = dict(zip(keys.split(), formats.split(), strict=True))
    return {"kind": kind, "formats": named, "rounding": rounding, **more}


@pytest.mark.parametrize(
    "unit",
    [
        spec("add", "e4m3fn e4m3fn e4m3fn"),
        spec("mul", "e4m3fn e4m3fn e4m3fn"),
        spec("convert", "fp16 e4m3fn"),
        spec("add", "e5m2 e5m2 e5m2"),
        spec("mul", "e5m2 e5m2 e5m2"),
        spec("convert", "bf16 e5m2"),
        spec("mul", "e4m3fn e5m2 bf16"),
        spec("add", "e5m2 e5m2 e5m2", "rto"),
        spec("mul", "e4m3fn e4m3fn e4m3fn", SR4),
        spec("convert", "fp32 e5m2", {"mode": "sr", "bits": 13}),
        spec("mul", "e4m3fnuz e4m3fnuz e4m3fnuz", "rna", overflow="nan"),
        spec("add", "e3m2 e3m2 e3m2", "rup"),
        spec("convert", "fp16 q4.4", "rdn"),
        spec("mac", "q1.7 q1.7 q8.14", SR4),
        spec("mul", "q1.7 q1.7 q1.7", "rtz", overflow="wrap"),
        spec("mac", "e2m1 e2m1 e5m2", accumulate={"split": "e4m3", "rounding": "rtz"}),
    ],
    ids=lambda unit: load(unit).name,
)
def test_small_operators_are_proved(unit: dict[str, Any]) -> None:
    result = prove(unit, timeout_s=PATIENCE)
    assert result.proved is True
    assert result.counterexample is None


def test_an_fp8_fma_is_proved() -> None:
    assert prove(spec("fma", "e5m2 e5m2 e5m2 e5m2"), timeout_s=PATIENCE).proved is True


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        spec("fma", "e4m3fn e4m3fn e4m3fn e4m3fn"),
        spec("mac", "e4m3fn e5m2 e6m5"),
        spec("mac", "e4m3fn e5m2 e6m5", {"mode": "sr", "bits": 8}),
        spec("add", "fp16 fp16 fp16"),
        spec("add", "bf16 bf16 bf16"),
        spec("mul", "bf16 bf16 bf16"),
    ],
    ids=lambda unit: load(unit).name,
)
def test_larger_operators_are_proved(unit: dict[str, Any]) -> None:
    assert prove(unit, timeout_s=2 * PATIENCE).proved is True


def plant(project: Path, header: str, right: str, wrong: str) -> None:
    file = project / "src" / "hwgen" / f"{header}.hpp"
    text = file.read_text()
    assert text.count(right) == 1
    file.write_text(text.replace(right, wrong))


def test_a_planted_bug_is_refuted_and_the_counterexample_shows_who_is_wrong(tmp_path: Path) -> None:
    unit = load(spec("mul", "e4m3fn e4m3fn e4m3fn"))
    project = emit(unit, tmp_path / "project")
    plant(project, "rounding", "guard & (sticky | odd)", "guard")  # ties away from zero
    result = prove(project)
    assert result.proved is False
    found = result.counterexample
    assert found is not None
    assert found["circuit"]["hex"] != found["ieee"]["hex"] == found["golden"]["hex"]
    operands = [int(word["hex"], 16) for word in found["operands"].values()]
    assert int(unit.golden(*operands)) == int(found["ieee"]["hex"], 16)
    report = "\n".join(result.lines())
    assert "REFUTED" in report
    for word in (*found["operands"].values(), found["circuit"], found["ieee"]):
        assert f"{word['hex']} = {word['value']}" in report
    assert json.loads(json.dumps(result.to_json()))["counterexample"] == found


def test_a_bug_in_one_stochastic_carry_is_refuted(tmp_path: Path) -> None:
    project = emit(load(spec("add", "e5m2 e5m2 e5m2", SR4)), tmp_path / "project")
    right = "const ap_uint<R + 1> sum = k + u;"
    plant(project, "rounding", right, right.replace("k + u", "ap_uint<R + 1>(k) + u + 1"))
    result = prove(project)
    assert result.proved is False
    assert result.counterexample is not None
    assert set(result.counterexample["operands"]) == {"a", "b", "rand"}
    assert "value" not in result.counterexample["operands"]["rand"]


def test_a_stream_with_its_own_generator_is_proved_by_its_arithmetic(tmp_path: Path) -> None:
    unit = load(spec("mul", "e2m1 e2m1 e2m1", {**SR4, "rand": {"lfsr": {}}}))
    assert unit.interface == "stream"
    assert prove(unit).proved is True
    project = emit(unit, tmp_path / "project")
    plant(project, "rounding", "const ap_uint<R + 1> sum = k + u;", "const ap_uint<R + 1> sum = u;")
    assert prove(project).proved is False


def test_z3_alone_comes_to_the_same_verdict(tmp_path: Path) -> None:
    unit = load(spec("mul", "e2m1 e2m1 e2m1"))
    assert prove(unit, solver="z3").proved is True
    project = emit(unit, tmp_path / "project")
    plant(project, "rounding", "guard & (sticky | odd)", "sticky & guard")  # ties toward zero
    result = prove(project, solver="z3")
    assert result.proved is False
    assert result.counterexample is not None


def test_the_circuit_of_the_theorem_is_the_compiled_operator(tmp_path: Path) -> None:
    unit = load(spec("mul", "e2m1 e2m1 e4m3fn", SR4))
    project = emit(unit, tmp_path / "project")
    inputs = [(port.name, port.width) for port in unit.inputs]
    declared = [*inputs, ("y", 8)]
    script = "".join(f"(declare-const {name} (_ BitVec {width}))\n" for name, width in declared)
    script += circuit_definition(compile_cpp_to_xls_ir(project))
    script += f"(assert (= y (circuit {' '.join(name for name, _ in inputs)})))\n"
    operands = unit.exhaustive()
    assert operands is not None
    chosen = np.random.default_rng(1).choice(len(operands[0]), 200, replace=False)
    words = [[int(column[index]) for column in operands] for index in chosen]
    names = [name for name, _ in inputs]
    got = values(script, "y", [dict(zip(names, row, strict=True)) for row in words])
    assert got == [int(unit.golden(*row)) for row in words]


def test_the_script_is_complete_and_says_the_theorem_in_words() -> None:
    result = prove(spec("convert", "e4m3fn e5m2"))
    assert result.script.startswith(f"; {result.theorem}\n")
    assert "(declare-const x (_ BitVec 8))" in result.script
    assert result.script.rstrip().endswith("(assert (not correct))")


def test_time_that_runs_out_proves_nothing() -> None:
    result = prove(spec("mul", "fp16 fp16 fp16"), timeout_s=0.5)
    assert result.proved is None
    assert result.counterexample is None
    assert "undecided" in result.lines()[0]


def test_an_unknown_solver_is_refused() -> None:
    with pytest.raises(InputError, match="bitwuzla, z3"):
        prove(spec("mul", "e2m1 e2m1 e2m1"), solver="bitwuzzla")


def test_a_result_without_mantissa_has_no_theorem_and_says_why() -> None:
    power_of_two = {"float": {"exponent": 4, "mantissa": 0, "specials": "fn"}}
    unit = {"kind": "convert", "formats": {"x": "e4m3fn", "y": power_of_two}}
    with pytest.raises(InputError, match="one significant bit"):
        prove(unit)
