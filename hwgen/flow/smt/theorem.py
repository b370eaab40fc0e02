"""The theorem of one operator, as an SMT-LIB script that is unsatisfiable exactly if the theorem holds.

A `Statement` says what is to be computed; nothing in it knows how the circuit does it.
"""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.flow.smt import fixed, rounding, values
from hwgen.flow.smt.rounding import RANDOM, Rule
from hwgen.flow.smt.text import Script
from hwgen.flow.smt.values import Exact, Operation
from hwgen.formats import FixedFormat, FloatFormat

__all__ = ["Split", "Statement", "refutation", "specification"]

_IN_WORDS = {"convert": "{0}", "add": "{0} + {1}", "mul": "{0} * {1}", "fma": "{0} * {1} + {2}"}


@dataclass(frozen=True)
class Split:
    """The first rounding of a split multiply-accumulate: the product's."""

    fmt: FloatFormat | FixedFormat
    rule: Rule


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
    rule : Rule
        Rounding and overflow of the result.
    split : Split, optional
        For `fma`: the product is rounded by itself first.
    """

    operation: Operation
    names: tuple[str, ...]
    operands: tuple[FloatFormat | FixedFormat, ...]
    result: FloatFormat | FixedFormat
    rule: Rule
    split: Split | None = None

    @property
    def inputs(self) -> tuple[tuple[str, int], ...]:
        """Name and width of every input bit vector, the random word last."""
        ports = [(name, fmt.width) for name, fmt in zip(self.names, self.operands, strict=True)]
        if self.rule.random_bits:
            ports.append((RANDOM, self.rule.random_bits))
        return tuple(ports)

    def __str__(self) -> str:
        members = ", ".join(f"{n} in {f.name}" for n, f in zip(self.names, self.operands, strict=True))
        exact = _IN_WORDS[self.operation].format(*self.names)
        if self.split is not None:
            a, b, addend = self.names
            exact = f"{self.split.rule.mode}_{self.split.fmt.name}({a} * {b}) + {addend}"
        mode, words = self.rule.mode, ""
        if self.rule.random_bits:
            mode += str(self.rule.random_bits)
            words = f" and all {self.rule.random_bits}-bit words {RANDOM}"
        return (
            f"for all {members}{words}: y = {mode}_{self.result.name}({exact}), overflow {self.rule.overflow}"
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
    formats = [*statement.operands, statement.result]
    if statement.split is not None:
        formats.append(statement.split.fmt)
    if all(isinstance(fmt, FixedFormat) for fmt in formats):
        correct = _among_integers(script, statement)
    else:
        correct = _among_floats(script, statement)
    script.define("correct", "Bool", correct)
    return script


def _among_integers(script: Script, statement: Statement) -> str:
    """State an operator whose formats are all fixed-point."""

    def operand(name: str, fmt: FloatFormat | FixedFormat) -> fixed.Integer:
        assert isinstance(fmt, FixedFormat)  # noqa: S101  (the caller's case)
        return fixed.integer_operand(script, name, fmt)

    def rounded(name: str, exact: fixed.Integer, fmt: FloatFormat | FixedFormat, rule: Rule) -> str:
        assert isinstance(fmt, FixedFormat)  # noqa: S101  (the caller's case)
        near = fixed.round_integer(script, f"{name}.rounded", exact, fmt.fraction, rule)
        return fixed.pattern(script, name, near, fmt, rule.overflow, None)

    operation = statement.operation
    operands = tuple(map(operand, statement.names, statement.operands))
    if statement.split is not None:
        product = fixed.combine(script, "product.exact", "mul", operands[:2])
        rounded("product", product, statement.split.fmt, statement.split.rule)
        operation, operands = "add", (operand("product", statement.split.fmt), operands[2])
    exact = fixed.combine(script, "expected.exact", operation, operands)
    return f"(= y {rounded('expected', exact, statement.result, statement.rule)})"


def _among_floats(script: Script, statement: Statement) -> str:
    """State an operator with at least one float format."""

    def to_fixed(
        name: str, operation: Operation, operands: tuple[Exact, ...], fmt: FixedFormat, rule: Rule
    ) -> str:
        scale = fmt.fraction + rule.random_bits
        exact = values.exactly(script, f"{name}.exact", operation, operands, scale=scale, zero_mode="RNE")
        near = fixed.round_float(script, f"{name}.rounded", exact, rule)
        return fixed.pattern(script, name, near, fmt, rule.overflow, exact)

    operation = statement.operation
    operands = tuple(
        values.operand(script, name, fmt)
        for name, fmt in zip(statement.names, statement.operands, strict=True)
    )
    if statement.split is not None:
        fmt, rule = statement.split.fmt, statement.split.rule
        if isinstance(fmt, FixedFormat):
            to_fixed("product", "mul", operands[:2], fmt, rule)
            product = values.operand(script, "product", fmt)
        else:
            product = rounding.round_to_float(script, "product", "mul", operands[:2], fmt, rule)
        operation, operands = "add", (product, operands[2])
    if isinstance(statement.result, FixedFormat):
        return f"(= y {to_fixed('expected', operation, operands, statement.result, statement.rule)})"
    result = rounding.round_to_float(
        script, "expected", operation, operands, statement.result, statement.rule
    )
    return rounding.same_value("y", statement.result, result)


def refutation(statement: Statement, circuit: str) -> str:
    """Return the script whose models are the counterexamples: the circuit's y is not what it must be.

    Parameters
    ----------
    circuit : str
        SMT-LIB definition of the function ``circuit`` over the inputs, in order.
    """
    script = specification(statement)
    arguments = " ".join(name for name, _ in statement.inputs)
    script.lines.append(circuit)
    script.demand(f"(= y (circuit {arguments}))")
    script.demand("(not correct)")
    return script.text()
