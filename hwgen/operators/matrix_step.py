"""An operator as one step of a matrix product: a unit that adds products to a running sum.

Which operators can be one, what its ports are called, and the golden product. The order of the steps and the
random words are `hwgen.golden.gemm`'s; the native product is `hwgen.flow.gemm`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwgen.errors import InputError
from hwgen.formats.checks import as_codes, check_integer
from hwgen.golden import Lfsr
from hwgen.golden.gemm import counter_words, gemm, register_words
from hwgen.operators.operator import Operator
from hwgen.operators.port import Port
from hwgen.operators.registry import load

__all__ = ["MatrixOperands", "MatrixStep"]

Bits = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class MatrixOperands:
    """Checked operands of a matrix product: bit patterns, row by row without gaps.

    Attributes
    ----------
    a : ndarray of shape (rows, inner)
    b : ndarray of shape (inner, columns)
    c : ndarray of shape (rows, columns)
        A copy: the addend, to be overwritten.
    mode : int
        Word of the port `mode`, 0 without one.
    """

    a: Bits
    b: Bits
    c: Bits
    mode: int


@dataclass(frozen=True)
class MatrixStep:
    """A unit whose result has the format of its addend, and so can be fed back.

    Attributes
    ----------
    operator : Operator
        As specified.
    unit : Operator
        The same arithmetic as a function of one lane, with random words from a port: what a step computes.
    """

    operator: Operator
    unit: Operator

    @classmethod
    def of(cls, operator: Operator) -> MatrixStep:
        """Return `operator` as a step.

        Raises
        ------
        InputError
            If it does not add products of two operands to a third in the format of the result.
        """
        refusal = _refusal(operator)
        if refusal is not None:
            raise InputError(
                f"{operator.name} is no step of a matrix product: {refusal}; legal: a mac, or an fma or dot "
                "whose addend c has the format of the result"
            )
        return cls(operator, _function_of(operator))

    @property
    def factors(self) -> tuple[Port, Port]:
        """The ports of the factors, `a` and `b`."""
        left, right = self.unit.inputs[:2]
        return left, right

    @property
    def addend(self) -> Port:
        """The port of the running sum."""
        return self.unit.inputs[2]

    @property
    def selects(self) -> bool:
        """Whether the unit has a port `mode`."""
        return any(port.name == "mode" for port in self.unit.inputs)

    @property
    def terms(self) -> int:
        """Products that one step takes."""
        return self.factors[0].elements

    @property
    def bits(self) -> int:
        """Bits of the random word of a step, 0 if it takes none."""
        return self.unit.spec.rounding.bits or 0

    def steps(self, inner: int) -> int:
        """Return the number of steps for an inner dimension."""
        return -(-inner // self.terms)

    def operands(
        self, a: ArrayLike, b: ArrayLike, c: ArrayLike | None, *, seed: int, mode: int | None
    ) -> MatrixOperands:
        """Check the operands of a product; parameters as `golden`."""
        check_integer("GEMM seed", seed, 0, (1 << 64) - 1)
        given = [np.asarray(array) for array in (a, b)]
        for name, array in zip("ab", given, strict=True):
            if array.ndim != 2:
                raise InputError(f"operand {name!r} of a matrix product has the shape {array.shape}, not 2-D")
        if given[0].shape[1] != given[1].shape[0]:
            raise InputError(
                f"a matrix product needs as many columns of a as rows of b, not {given[0].shape[1]} "
                f"and {given[1].shape[0]}"
            )
        shape = given[0].shape[0], given[1].shape[1]
        left, right = (
            np.ascontiguousarray(as_codes(array, max(port.layout), port.dtype))
            for array, port in zip(given, self.factors, strict=True)
        )
        start = as_codes(0 if c is None else c, self.addend.width, self.addend.dtype)
        try:
            total = np.broadcast_to(start, shape).copy()
        except ValueError:
            raise InputError(f"the addend's shape {start.shape} does not broadcast to {shape}") from None
        if self.selects:
            (port,) = (port for port in self.unit.inputs if port.name == "mode")
            selected = check_integer("mode", mode, 0, (1 << port.width) - 1)
        elif mode is not None:
            raise InputError(
                f"{self.operator.name} has no selectable formats, so mode {mode!r} has no meaning"
            )
        else:
            selected = 0
        return MatrixOperands(left, right, total, selected)

    def golden(
        self,
        a: ArrayLike,
        b: ArrayLike,
        c: ArrayLike | None = None,
        *,
        seed: int = 0,
        mode: int | None = None,
    ) -> Bits:
        """Return the matrix product that the native one must equal.

        Parameters
        ----------
        a : array_like of int, shape (rows, inner)
            Bit patterns of the first factor.
        b : array_like of int, shape (inner, columns)
            Bit patterns of the second factor.
        c : array_like of int, optional
            Bit patterns of the addend, of a shape that broadcasts to (rows, columns); default: patterns 0.
        seed : int
            Key of the random words of a port, 0..2^64 - 1. A unit with its own generator takes that one's.
        mode : int, optional
            Word of the port `mode`; needed if the unit has selectable formats.

        Returns
        -------
        ndarray of shape (rows, columns)
            Bit patterns in the format of the result.

        Raises
        ------
        InputError
            If shapes do not fit, a pattern is too wide, or seed or mode are out of range.
        """
        given = self.operands(a, b, c, seed=seed, mode=mode)
        extra = (given.mode,) if self.selects else ()

        def step(left: Bits, right: Bits, total: Bits, words: Bits | None) -> Bits:
            return self.unit.golden(left, right, total, *extra, *([] if words is None else [words]))

        words = None
        shape = given.c.shape[0], given.c.shape[1]
        if self.operator.state is not None:
            state = self.operator.state
            register = Lfsr(state.width, state.taps, state.seed)
            words = register_words(register, shape, self.steps(given.a.shape[1]), state.bits)
        elif self.bits:
            words = counter_words(seed, shape, self.bits)
        return gemm(given.a, given.b, given.c, terms=self.terms, step=step, words=words)


def _refusal(operator: Operator) -> str | None:
    """Return why `operator` is no step, or None."""
    ports = operator.lane_inputs
    if operator.sequential:
        return "it keeps a sum of its own"
    if len(ports) < 3 or any(port.name not in ("mode",) for port in ports[3:]):
        return "it does not add to products of two operands"
    left, right, addend = ports[:3]
    if left.elements != right.elements or any(len(port.fields) != 1 for port in (left, right)):
        return "its operands are blocks with scales"
    if addend.packed or addend.fields != operator.lane_output.fields:
        return "its addend and its result differ in format"
    if operator.random_words > 1:
        return "it takes several random words at once"
    return None


def _function_of(operator: Operator) -> Operator:
    """Return the operator as a function of one lane, with random words from a port."""
    spec = operator.spec.to_yaml()
    spec["interface"] = "function"
    spec.pop("lanes", None)
    if operator.spec.rounding.lfsr is not None:
        spec["rounding"]["rand"] = "port"
    return load(spec)
