"""Prove an operator: its circuit computes what IEEE 754 says, for every operand and every random word.

The circuit is the XLS IR that was made from the emitted C++, the same text that becomes RTL. What it must
compute is said by `hwgen.flow.smt` in the solver's floating-point theory; nothing of the golden model or of
the C++ headers takes part. The golden model is only asked about a counterexample, to show who is wrong.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.emit import emit
from hwgen.errors import InputError
from hwgen.flow.rtl import compile_cpp_to_xls_ir
from hwgen.flow.smt.circuit import circuit_definition
from hwgen.flow.smt.rounding import Rule
from hwgen.flow.smt.solvers import Answer, decide, values
from hwgen.flow.smt.theorem import Split, Statement, refutation, specification
from hwgen.flow.smt.values import Operation
from hwgen.formats import ExponentFormat, FixedFormat, FloatFormat, PositFormat, Rounding
from hwgen.operators import Operator, load, load_project

__all__ = ["ProofResult", "prove", "statement_of"]

Word = dict[str, str]
"""A bit pattern for people: ``hex``, and ``value`` where it has a format."""


@dataclass(frozen=True, kw_only=True)
class ProofResult:
    """The outcome of a proof.

    Attributes
    ----------
    proved : bool or None
        True: the theorem holds. False: `counterexample` refutes it. None: the time ran out.
    seconds : float
        Wall time of the solver.
    counterexample : dict or None
        ``operands`` by name, ``circuit`` (what the circuit gives), ``ieee`` (what the theorem demands) and
        ``golden`` (what the golden model says), each as `Word`.
    theorem : str
        The statement in words.
    script : str
        The SMT-LIB script that was decided; unsatisfiable exactly if the theorem holds.
    solver : str
        Who decided.
    name : str
        The operator.
    """

    proved: bool | None
    seconds: float
    counterexample: dict[str, Any] | None
    theorem: str
    script: str
    solver: str
    name: str

    def to_json(self) -> dict[str, Any]:
        """Return plain data, without the script."""
        return {
            "name": self.name,
            "proved": self.proved,
            "seconds": round(self.seconds, 3),
            "solver": self.solver,
            "theorem": self.theorem,
            "counterexample": self.counterexample,
        }

    def lines(self) -> list[str]:
        """Return a short summary for people."""
        verdict = {True: "proved", False: "REFUTED", None: "undecided: the time ran out"}[self.proved]
        lines = [f"{self.name}: {verdict} ({self.solver}, {self.seconds:.1f} s)", f"  {self.theorem}"]
        if self.counterexample is not None:
            words = dict(self.counterexample["operands"])
            words |= {f"y, {who}": self.counterexample[who] for who in ("circuit", "ieee", "golden")}
            for who, word in words.items():
                meaning = f" = {word['value']}" if "value" in word else ""
                lines.append(f"  {who}: {word['hex']}{meaning}")
        return lines


def prove(
    operator: Operator | Mapping[str, Any] | Path | str,
    *,
    timeout_s: float | None = None,
    solver: str = "bitwuzla",
) -> ProofResult:
    """Prove that an operator's circuit equals the solver's IEEE arithmetic.

    Parameters
    ----------
    operator : Operator, mapping, or path
        An operator; its spec as data or file; or the folder of an emitted project, whose own C++ is then
        proved. A stream top is proved by its arithmetic: as a function, with the random word an input.
    timeout_s : float, optional
        Time limit of the solver's search, in seconds.
    solver : {'bitwuzla', 'z3'}
        Who searches.

    Raises
    ------
    InputError
        If the spec or solver is unknown, or the result format has no theorem.
    ToolError
        If a tool is missing.
    """
    unit, xls_ir = _circuit(operator)
    statement = statement_of(unit)
    script = refutation(statement, circuit_definition(xls_ir))
    names = tuple(name for name, _ in statement.inputs)
    answer = decide(script, (*names, "y"), solver=solver, timeout_s=timeout_s)
    return ProofResult(
        proved=None if answer.satisfiable is None else not answer.satisfiable,
        seconds=answer.seconds,
        counterexample=_explain(unit, statement, answer) if answer.satisfiable else None,
        theorem=str(statement),
        script=script,
        solver=solver,
        name=unit.name,
    )


def _circuit(source: Operator | Mapping[str, Any] | Path | str) -> tuple[Operator, str]:
    """Return the operator, as a function of its operands, and the XLS IR of its C++."""
    project = Path(source) if isinstance(source, Path | str) and Path(source).is_dir() else None
    if project is not None:
        given = load_project(project)
    else:
        given = source if isinstance(source, Operator) else load(source)
    if project is not None and given.interface == "function":
        return given, compile_cpp_to_xls_ir(project)
    unit = _as_function(given)
    with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
        emitted = emit(unit, Path(folder) / unit.name)
        if project is not None:  # the top is the function's, the arithmetic is the project's own
            shutil.copytree(project / "src" / "hwgen", emitted / "src" / "hwgen", dirs_exist_ok=True)
        return unit, compile_cpp_to_xls_ir(emitted)


def _as_function(operator: Operator) -> Operator:
    """Return the operator without streams and state: the random word, if any, comes from a port."""
    if operator.interface == "function":
        return operator
    spec = operator.spec.to_yaml()
    spec["interface"] = "function"
    if operator.state is not None:
        spec["rounding"]["rand"] = "port"
    return load(spec)


def statement_of(operator: Operator) -> Statement:
    """Return what `operator`, a function, must compute."""
    form, spec = operator.definition.form, operator.spec
    if form is None or operator.lanes > 1:
        raise InputError(
            f"there is no IEEE 754 operation to prove {operator.kind}"
            f"{' of several lanes' if operator.lanes > 1 else ''} against: "
            "legal: convert, add, mul, fma and mac of one lane"
        )
    product: tuple[FloatFormat | FixedFormat, Rounding] | None = getattr(spec, "product", None)
    ports = [port.format for port in (*operator.inputs, operator.output)]
    strangers = [f for f in (*ports, *(product or ())) if isinstance(f, PositFormat | ExponentFormat)]
    if strangers:
        raise InputError(
            f"IEEE 754 has no arithmetic of {strangers[0].name!r} to prove this operator against: "
            "legal: float and fixed formats"
        )
    operations: dict[tuple[int, bool], Operation] = {
        (1, False): "convert",
        (1, True): "add",
        (2, False): "mul",
        (2, True): "fma",
    }
    names, formats = [], []
    for port in operator.inputs:
        if isinstance(port.format, FloatFormat | FixedFormat):
            names.append(port.name)
            formats.append(port.format)
    result = operator.output.format
    if not isinstance(result, FloatFormat | FixedFormat) or spec.overflow is None:
        raise TypeError(f"{operator.name} has no result format")
    split = None
    if product is not None:
        fmt, rounding = product
        split = Split(fmt, Rule(rounding.mode.value, fmt.default_overflow.value))
    return Statement(
        operation=operations[len(form.factors), form.addend is not None],
        names=tuple(names),
        operands=tuple(formats),
        result=result,
        rule=Rule(spec.rounding.mode.value, spec.overflow.value, spec.rounding.bits or 0),
        split=split,
    )


def _explain(operator: Operator, statement: Statement, answer: Answer) -> dict[str, Any]:
    """Return the operands of a counterexample, and what everybody says about them."""
    operands = {name: answer.model[name] for name, _ in statement.inputs}
    wanted = specification(statement)
    wanted.demand("correct")
    (ieee,) = values(wanted.text(), "y", [operands])
    golden = int(operator.golden(*(np.uint64(code) for code in operands.values())))
    result = statement.result
    formats: list[FloatFormat | FixedFormat | None] = [*statement.operands]
    if statement.rule.random_bits:
        formats.append(None)
    return {
        "operands": {
            name: _word(code, width, fmt)
            for (name, width), code, fmt in zip(statement.inputs, operands.values(), formats, strict=True)
        },
        "circuit": _word(answer.model["y"], result.width, result),
        "ieee": _word(-1 if ieee is None else ieee, result.width, result),
        "golden": _word(golden, result.width, result),
    }


def _word(code: int, width: int, fmt: FloatFormat | FixedFormat | None) -> Word:
    word = {"hex": f"0x{code:0{-(-width // 4)}x}"}
    if fmt is not None:
        word["value"] = str(fmt.unpack(code).number())
    return word
