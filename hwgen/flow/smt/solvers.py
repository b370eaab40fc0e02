"""Deciding a script: z3 gives the floating-point theory its bits, and z3 or bitwuzla decides about the bits.

The released bitwuzla has IEEE's four interchange sorts only, and z3 has every sort but searches slowly;
so z3 reduces the theory to bit vectors and bitwuzla, the faster of the two on those, searches
(docs/proof.md has measured times). With ``solver="z3"`` z3 does everything: a second opinion on the
search.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from hwgen.errors import InputError, ToolError, legal_values
from hwgen.flow.tools import require_module

__all__ = ["SOLVERS", "Answer", "decide", "values"]

SOLVERS = ("bitwuzla", "z3")


@dataclass(frozen=True)
class Answer:
    """What a solver said about a script.

    Attributes
    ----------
    satisfiable : bool or None
        None if the time ran out.
    seconds : float
        Wall time, translation included.
    model : dict
        Value of each asked bit vector, if satisfiable.
    """

    satisfiable: bool | None
    seconds: float
    model: dict[str, int]


def decide(
    script: str, ask: tuple[str, ...], *, solver: str = "bitwuzla", timeout_s: float | None = None
) -> Answer:
    """Decide an SMT-LIB script.

    Parameters
    ----------
    script : str
        Declarations, definitions and assertions, without ``check-sat``.
    ask : tuple of str
        Bit vectors whose values are wanted if there is a model.
    timeout_s : float, optional
        Time limit of the search in seconds.

    Raises
    ------
    InputError
        If there is no such solver.
    ToolError
        If the solver is missing or does not take the script.
    """
    if solver not in SOLVERS:
        raise InputError(legal_values("solver", solver, SOLVERS))
    for module in {"z3", solver}:
        require_module(module, "a proof")
    started = time.monotonic()
    search = _bitwuzla if solver == "bitwuzla" else _z3
    satisfiable, model = search(_reduce_to_bits(script), ask, timeout_s)
    return Answer(satisfiable, time.monotonic() - started, model)


def _reduce_to_bits(script: str) -> Any:
    """Return z3's solver object with the script's assertions as bit-vector formulas."""
    import z3

    parsed = z3.Solver()
    goal = z3.Goal()
    try:
        parsed.from_string(script)
        goal.add(parsed.assertions())
        reduced = z3.Tactic("fpa2bv")(goal)
    except z3.Z3Exception as error:
        raise ToolError(f"z3 did not take the theorem: {error}") from error
    result = z3.Solver()
    for part in reduced:
        result.add(part.as_expr())
    return result


def _z3(problem: Any, ask: tuple[str, ...], timeout_s: float | None) -> tuple[bool | None, dict[str, int]]:
    import z3

    if timeout_s is not None:
        problem.set("timeout", max(1, round(timeout_s * 1000)))
    verdict = problem.check()
    if verdict != z3.sat:
        return (None if verdict == z3.unknown else False), {}
    found = {str(variable): problem.model()[variable] for variable in problem.model().decls()}
    return True, {name: found[name].as_long() if name in found else 0 for name in ask}


def _bitwuzla(
    problem: Any, ask: tuple[str, ...], timeout_s: float | None
) -> tuple[bool | None, dict[str, int]]:
    import bitwuzla

    parser, engine = _load(problem.to_smt2(), timeout_s)
    verdict = engine.check_sat()
    if verdict != bitwuzla.Result.SAT:
        return (None if verdict == bitwuzla.Result.UNKNOWN else False), {}
    return True, _model(parser, engine, ask)


def _load(bit_vectors: str, timeout_s: float | None) -> tuple[Any, Any]:
    import bitwuzla

    options = bitwuzla.Options()
    options.set(bitwuzla.Option.PRODUCE_MODELS, True)
    if timeout_s is not None:
        options.set(bitwuzla.Option.TIME_LIMIT_PER, max(1, round(timeout_s * 1000)))
    parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
    try:
        parser.parse(bit_vectors, True, False)
    except bitwuzla.BitwuzlaException as error:
        raise ToolError(f"bitwuzla did not take the theorem: {error}") from error
    return parser, parser.bitwuzla()


def _model(parser: Any, engine: Any, ask: tuple[str, ...]) -> dict[str, int]:
    # An input that the formula does not depend on was simplified away, so any value will do.
    known = {term.symbol(): term for term in parser.get_declared_funs()}
    return {name: int(engine.get_value(known[name]).value(10)) if name in known else 0 for name in ask}


def values(script: str, ask: str, inputs: list[dict[str, int]]) -> list[int | None]:
    """Return the value of the bit vector `ask` in a model of the script for each assignment of its inputs.

    One loading of the script serves all assignments. This is how the specification is compared with oracles,
    and how a counterexample's right answer is found.
    """
    import bitwuzla

    for module in ("z3", "bitwuzla"):
        require_module(module, "a proof")
    parser, engine = _load(_reduce_to_bits(script).to_smt2(), None)
    terms = {term.symbol(): term for term in parser.get_declared_funs()}

    def equal(name: str, value: int) -> str:
        return f"(= {name} (_ bv{value} {terms[name].sort().bv_size()}))"

    results: list[int | None] = []
    for assignment in inputs:
        engine.push()
        for name, value in assignment.items():
            if name in terms:
                engine.assert_formula(parser.parse_term(equal(name, value)))
        found = engine.check_sat() == bitwuzla.Result.SAT
        results.append(_model(parser, engine, (ask,))[ask] if found else None)
        engine.pop()
    return results
