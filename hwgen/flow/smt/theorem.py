"""The theorem of one operator, as an SMT-LIB script that is unsatisfiable exactly if the theorem holds.

A `Statement` says what is to be computed; nothing in it knows how the circuit does it.
"""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.errors import InputError
from hwgen.flow.smt import fixed, ieee
from hwgen.flow.smt.ieee import Exact, Operation
from hwgen.flow.smt.text import Script
from hwgen.formats import FixedFormat, FloatFormat

__all__ = ["Split", "Statement", "refutation", "specification"]

_SIGNS: dict[str, str] = {"convert": "{0}", "add": "{0} + {1}", "mul": "{0} * {1}", "fma": "{0} * {1} + {2}"}


@dataclass(frozen=True)
class Split:
    """The first rounding of a split multiply-accumulate: the product's."""

    fmt: FloatFormat | FixedFormat
    mode: str
    overflow: str


@dataclass(frozen=True)
class Statement:
    """What an operator computes.

    Attributes
    ----------
    operation : {'convert', 'add', 'mul', 'fma'}
        The exact operation.
    names : tuple of str
        Names of the operand patterns, in order.
    operands : tuple of format
        Their formats.
    result : format
        Format of the result pattern, named ``y``.
    mode, overflow : str
        Rounding mode and overflow policy.
    random_bits : int
        For mode `sr`, the width of the last input, the random word ``rand``; 0 otherwise.
    split : Split, optional
        For `fma`: the product is rounded by itself first.
    """

    operation: Operation
    names: tuple[str, ...]
    operands: tuple[FloatFormat | FixedFormat, ...]
    result: FloatFormat | FixedFormat
    mode: str
    overflow: str
    random_bits: int = 0
    split: Split | None = None

    @property
    def inputs(self) -> tuple[tuple[str, int], ...]:
        """Name and width of every input bit vector."""
        ports = [(name, fmt.width) for name, fmt in zip(self.names, self.operands, strict=True)]
        return (*ports, ("rand", self.random_bits)) if self.random_bits else tuple(ports)

    def __str__(self) -> str:
        names = list(self.names)
        quantified = ", ".join(f"{n} in {f.name}" for n, f in zip(names, self.operands, strict=True))
        mode = f"{self.mode}({self.random_bits} bits)" if self.random_bits else self.mode
        exact = _SIGNS[self.operation].format(*names)
        if self.split is not None:
            exact = f"{self.split.mode}_{self.split.fmt.name}({names[0]} * {names[1]}) + {names[2]}"
        extra = " and every random word" if self.random_bits else ""
        return (
            f"for all {quantified}{extra}: y = {mode}_{self.result.name}({exact}), overflow {self.overflow}"
        )


def specification(statement: Statement) -> Script:
    """Return a script with the inputs and ``y`` free, and the term ``correct`` defined: y is what it must be.

    Raises
    ------
    InputError
        If the statement cannot be said in the theory (a float result without mantissa bits).
    """
    script = Script()
    script.say(str(statement))
    for name, width in statement.inputs:
        script.declare(name, width)
    script.declare("y", statement.result.width)
    random = "rand" if statement.random_bits else None
    all_fixed = all(isinstance(fmt, FixedFormat) for fmt in (*statement.operands, statement.result))
    if all_fixed and (statement.split is None or isinstance(statement.split.fmt, FixedFormat)):
        correct = _among_integers(script, statement, random)
    else:
        correct = _among_reals(script, statement, random)
    script.define("correct", "Bool", correct)
    return script


def _among_integers(script: Script, statement: Statement, random: str | None) -> str:
    target = statement.result
    assert isinstance(target, FixedFormat)  # noqa: S101  (the caller's case)
    operation = statement.operation
    operands = tuple(
        fixed.integer_operand(script, name, fmt)
        for name, fmt in zip(statement.names, statement.operands, strict=True)
        if isinstance(fmt, FixedFormat)
    )
    if statement.split is not None:
        product = fixed.combine(script, "p.exact", "mul", operands[:2])
        fmt = statement.split.fmt
        assert isinstance(fmt, FixedFormat)  # noqa: S101  (the caller's case)
        rounded = fixed.round_integer(script, "p.rounded", product, fmt.fraction, mode=statement.split.mode)
        fixed.pattern(script, "p", rounded, fmt, statement.split.overflow, None)
        operands, operation = (fixed.integer_operand(script, "p", fmt), operands[2]), "add"
    exact = fixed.combine(script, "exact", operation, operands)
    rounded = fixed.round_integer(
        script,
        "rounded",
        exact,
        target.fraction,
        mode=statement.mode,
        random=random,
        random_bits=statement.random_bits,
    )
    return f"(= y {fixed.pattern(script, 'expected', rounded, target, statement.overflow, None)})"


def _among_reals(script: Script, statement: Statement, random: str | None) -> str:
    operation = statement.operation
    operands = tuple(
        ieee.operand(script, name, fmt) for name, fmt in zip(statement.names, statement.operands, strict=True)
    )
    if statement.split is not None:
        split = statement.split
        product = _rounded(script, "p", "mul", operands[:2], split.fmt, split.mode, split.overflow, None, 0)
        operands, operation = (product, operands[2]), "add"
    target = statement.result
    if isinstance(target, FixedFormat):
        name = _fixed_pattern(
            script,
            "expected",
            operation,
            operands,
            target,
            statement.mode,
            statement.overflow,
            random,
            statement.random_bits,
        )
        return f"(= y {name})"
    result = ieee.round_to_float(
        script,
        "expected",
        operation,
        operands,
        target,
        mode=statement.mode,
        overflow=statement.overflow,
        random=random,
        random_bits=statement.random_bits,
    )
    return ieee.same_value("y", target, result)


def _rounded(
    script: Script,
    name: str,
    operation: Operation,
    operands: tuple[Exact, ...],
    fmt: FloatFormat | FixedFormat,
    mode: str,
    overflow: str,
    random: str | None,
    random_bits: int,
) -> Exact:
    if isinstance(fmt, FloatFormat):
        return ieee.round_to_float(script, name, operation, operands, fmt, mode=mode, overflow=overflow)
    _fixed_pattern(script, name, operation, operands, fmt, mode, overflow, random, random_bits)
    return ieee.operand(script, name, fmt)


def _fixed_pattern(
    script: Script,
    name: str,
    operation: Operation,
    operands: tuple[Exact, ...],
    fmt: FixedFormat,
    mode: str,
    overflow: str,
    random: str | None,
    random_bits: int,
) -> str:
    scale = fmt.fraction + random_bits
    exact = ieee.exactly(script, f"{name}.exact", operation, operands, scale=scale, zero_mode="RNE")
    rounded = fixed.round_float(
        script, f"{name}.rounded", exact, mode=mode, random=random, random_bits=random_bits
    )
    return fixed.pattern(script, name, rounded, fmt, overflow, exact)


def refutation(statement: Statement, circuit: str) -> str:
    """Return the script whose models are the counterexamples: the circuit's y is not what it must be.

    Parameters
    ----------
    circuit : str
        SMT-LIB definition of the function ``circuit`` over the inputs, in order.
    """
    script = specification(statement)
    arguments = " ".join(name for name, _ in statement.inputs)
    script.lines.insert(0, "(set-logic QF_BVFP)")
    script.lines.append(circuit)
    script.assert_(f"(= y (circuit {arguments}))")
    script.assert_("(not correct)")
    return script.text()
