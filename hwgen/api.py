"""The Python face of hwgen: formats that encode and decode, operators that compute and compile.

>>> import hwgen
>>> hwgen.format("e4m3fn").name
'e4m3fn'
>>> mul = hwgen.operator({"kind": "mul", "formats": {"a": "e4m3fn", "b": "e4m3fn", "y": "bf16"}})
>>> [hex(y) for y in mul.golden([0x38, 0x40], [0x38, 0x38])]
['0x3f80', '0x4000']
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwgen import operators
from hwgen.emit import emit
from hwgen.errors import InputError, legal_values
from hwgen.formats import Format, parse_format

__all__ = ["BitPatterns", "CompiledOperator", "CompiledUnit", "OperatorUnit", "format", "operator"]

BitPatterns = NDArray[np.unsignedinteger[Any]]
CompiledOperator = Callable[..., BitPatterns]


def format(spec: str | Mapping[str, Any]) -> Format:
    """Return the number format with a name such as ``"e4m3fn"``, or as a mapping such as in a spec file.

    Raises
    ------
    InputError
        If there is no such format.
    """
    return parse_format(spec if isinstance(spec, str) else dict(spec))


def operator(spec: str | Path | Mapping[str, Any]) -> OperatorUnit:
    """Return the operator of a spec file, of an emitted project folder, or of a spec as a mapping.

    Raises
    ------
    InputError
        If the spec is not legal; the message names file, line, value and legal values.
    """
    if isinstance(spec, str | Path) and Path(spec).is_dir():
        return OperatorUnit(operators.load_project(Path(spec)))
    return OperatorUnit(operators.load(spec))


class OperatorUnit:
    """One operator: its ports, its golden model, its C++ and its RTL.

    Attributes
    ----------
    definition : hwgen.operators.Operator
        The validated spec and what follows from it.
    """

    def __init__(self, definition: operators.Operator) -> None:
        self.definition = definition

    @property
    def name(self) -> str:
        """Name of the project, the C++ top and the RTL module."""
        return self.definition.name

    @property
    def inputs(self) -> tuple[operators.Port, ...]:
        """Input ports in operand order."""
        return self.definition.inputs

    @property
    def output(self) -> operators.Port:
        """The result port."""
        return self.definition.output

    def golden(self, *operands: ArrayLike) -> BitPatterns:
        """Return the results that C++, RTL and proof must equal.

        Parameters
        ----------
        *operands : array_like of int
            One array of bit patterns for each input port, of shapes that broadcast.

        Returns
        -------
        ndarray
            Bit patterns of the result, in the smallest unsigned dtype.

        Raises
        ------
        InputError
            If an operand is not of integers, or is wider than its port.
        TypeError
            If the number of operands is not the number of input ports.
        """
        return self.definition.golden(*operands)

    def emit(self, folder: str | Path) -> Path:
        """Write the HLS project to `folder` and return its path; `hwgen.emit.folder` says what is refused."""
        return emit(self.definition, folder)

    def golden_gemm(
        self,
        a: ArrayLike,
        b: ArrayLike,
        c: ArrayLike | None = None,
        *,
        seed: int = 0,
        mode: int | None = None,
    ) -> BitPatterns:
        """Return the matrix product that ``compile().gemm`` must equal; it takes the same operands."""
        from hwgen.operators.matrix_step import MatrixStep

        return MatrixStep.of(self.definition).golden(a, b, c, seed=seed, mode=mode)

    def compile(self) -> CompiledUnit:
        """Build the emitted C++ natively; the result is called as `golden` is, and gives the same bits.

        Raises
        ------
        ToolError
            If the compiler is missing.
        """
        from hwgen.flow.csim import compile_native

        with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
            native = compile_native(self.emit(Path(folder) / self.name))
        return CompiledUnit(self.definition, self._counted(native))

    def simulate(self) -> CompiledOperator:
        """Build the RTL and its simulator; the result is called as `golden` is, and gives the same bits.

        Raises
        ------
        ToolError
            If the compiler or the simulator is missing.
        """
        from hwgen.flow.rtl import generate_rtl
        from hwgen.flow.verilated import load_rtl

        with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
            project = self.emit(Path(folder) / self.name)
            generate_rtl(project)
            return self._counted(load_rtl(project))

    def engine(self, name: str) -> CompiledOperator:
        """Return what computes the operator: ``golden``, ``csim`` (compiled C++) or ``rtl`` (simulated)."""
        engines: dict[str, Callable[[], CompiledOperator]] = {
            "golden": lambda: self.golden,
            "csim": self.compile,
            "rtl": self.simulate,
        }
        if name not in engines:
            raise InputError(legal_values("engine", name, engines))
        return engines[name]()

    def _counted(self, engine: CompiledOperator) -> CompiledOperator:
        """Return `engine`, told how many results to wait for if that varies."""
        if self.definition.definition.results is None:
            return engine

        def run(*operands: ArrayLike) -> BitPatterns:
            counts = self.definition.result_counts(*operands)
            assert counts is not None  # noqa: S101  (it varies)
            return engine(*operands, results=int(counts.sum()))

        return run

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OperatorUnit) and self.definition == other.definition

    def __hash__(self) -> int:
        return hash(self.definition)

    def __repr__(self) -> str:
        return f"hwgen.operator({self.definition.spec.to_yaml()!r})"


class CompiledUnit:
    """The emitted C++ of an operator, compiled for this machine: called as ``golden`` is."""

    def __init__(self, definition: operators.Operator, native: CompiledOperator) -> None:
        self.definition = definition
        self._native = native

    def __call__(self, *operands: ArrayLike) -> BitPatterns:
        """Return the results for bit patterns in port order; see `OperatorUnit.golden`."""
        return self._native(*operands)

    def gemm(
        self,
        a: ArrayLike,
        b: ArrayLike,
        c: ArrayLike | None = None,
        *,
        seed: int = 0,
        mode: int | None = None,
        threads: int | None = None,
    ) -> BitPatterns:
        """Return the matrix product a b + c, every result accumulated in order by this unit.

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
        threads : int, optional
            Default: as many as this process may use processors. The result does not depend on it.

        Returns
        -------
        ndarray of shape (rows, columns)
            Bit patterns in the format of the result.

        Raises
        ------
        InputError
            If the operator does not add products to a third operand in the format of its result, shapes do
            not fit, a pattern is too wide, or a number is out of range.
        """
        return self._product(a, b, c, seed=seed, mode=mode, threads=threads)

    @cached_property
    def _product(self) -> Callable[..., BitPatterns]:
        from hwgen.flow.gemm import compile_gemm

        return compile_gemm(self.definition)

    def __repr__(self) -> str:
        return f"<compiled {self.definition.name}>"
