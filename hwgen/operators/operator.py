"""An operator: one validated spec together with everything that follows from it.

Ports, golden results and test vectors are here. Files on disk are `hwgen.emit`'s, tools are `hwgen.flow`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwgen import golden
from hwgen.formats import FixedFormat, FloatFormat
from hwgen.operators.kind import Kind
from hwgen.operators.vectors import ExactForm, hard_operands, random_words, threshold_words
from hwgen.spec import OperatorSpec
from hwgen.spec.polynomial import tap_mask

__all__ = ["LfsrParameters", "Operator", "Port"]

_AIMED_WORDS = 1 << 14  # each costs as many golden results as the word has bits


@dataclass(frozen=True)
class Port:
    """One port of the unit: a word of `width` bits that holds `format`, or random bits if that is None."""

    name: str
    width: int
    format: FloatFormat | FixedFormat | None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Smallest unsigned NumPy type that holds the word."""
        return np.min_scalar_type((1 << self.width) - 1)


@dataclass(frozen=True)
class LfsrParameters:
    """The on-unit generator: register width, feedback mask, reset state, bits taken for each result."""

    width: int
    taps: int
    seed: int
    bits: int


@dataclass(frozen=True)
class Operator:
    """A unit of one `Kind`, as its `spec` describes it. Compares by value."""

    definition: Kind
    spec: OperatorSpec

    @property
    def kind(self) -> str:
        """Name of the operator kind."""
        return self.definition.name

    @property
    def name(self) -> str:
        """Name of the project, the C++ top and the RTL module."""
        assert self.spec.name is not None  # noqa: S101  (filled in by validation)
        return self.spec.name

    @property
    def interface(self) -> str:
        """``function`` or ``stream``."""
        assert self.spec.interface is not None  # noqa: S101  (filled in by validation)
        return self.spec.interface

    @cached_property
    def inputs(self) -> tuple[Port, ...]:
        """Input ports in order: the operands, then `rand` where random words come from a port."""
        ports = [self._port(key, key) for key in self.definition.operands]
        if self.spec.rounding.rand == "port" and self.spec.rounding.bits is not None:
            ports.append(Port("rand", self.spec.rounding.bits, None))
        return tuple(ports)

    @cached_property
    def output(self) -> Port:
        """The result port, always named `y`."""
        return self._port("y", self.definition.result)

    @property
    def state(self) -> LfsrParameters | None:
        """The on-unit random generator, or None."""
        lfsr, bits = self.spec.rounding.lfsr, self.spec.rounding.bits
        if lfsr is None or lfsr.width is None or lfsr.taps is None or bits is None:
            return None
        return LfsrParameters(lfsr.width, tap_mask(lfsr.taps), lfsr.seed, bits)

    def golden(self, *operands: ArrayLike) -> NDArray[np.unsignedinteger[Any]]:
        """Return the results that every witness must give, as bit patterns.

        Parameters
        ----------
        *operands : array_like of unsigned integers
            One array of bit patterns for each input port, in port order, of shapes that broadcast. With an
            on-unit generator the results, in C order, take its words from the reset state on.

        Returns
        -------
        ndarray
            Bit patterns of the result format, of the broadcast shape and the output port's dtype.

        Raises
        ------
        InputError
            If an operand is not of integers, or is wider than its port.
        TypeError
            If the number of operands is not the number of input ports.
        """
        if len(operands) != len(self.inputs):
            names = ", ".join(port.name for port in self.inputs)
            raise TypeError(f"{self.name} takes {len(self.inputs)} operands ({names}), not {len(operands)}")
        arrays = [np.asarray(given) for given in operands]
        rand = None
        if self.inputs[-1].format is None:
            rand = arrays.pop()
        elif self.state is not None:
            shape = np.broadcast_shapes(*(array.shape for array in arrays))
            state = self.state
            generator = golden.Lfsr(state.width, state.taps, state.seed)
            rand = generator.words(int(np.prod(shape)), state.bits).reshape(shape)
        return self.definition.golden(self.spec, arrays, rand)

    def vectors(self, count: int, *, seed: int = 0) -> tuple[NDArray[np.unsignedinteger[Any]], ...]:
        """Return `count` hard and random operand vectors, one 1-D array for each input port.

        What is hard is said in `hwgen.operators.vectors`. Of the random words, many are the last that keeps
        and the first that changes the result. The same `count` and `seed` give the same vectors.
        """
        rng = np.random.default_rng(seed)
        columns = hard_operands(self._exact_form(), count, rng)
        if self.inputs[-1].format is None:
            columns.append(self._words_for(columns, count, rng))
        return tuple(column.astype(port.dtype) for column, port in zip(columns, self.inputs, strict=True))

    def exhaustive(self, *, limit: int = 16) -> tuple[NDArray[np.unsignedinteger[Any]], ...] | None:
        """Return all combinations of input words, the last port fastest; None above 2**limit of them."""
        if sum(port.width for port in self.inputs) > limit:
            return None
        axes = [np.arange(1 << port.width, dtype=port.dtype) for port in self.inputs]
        return tuple(grid.ravel() for grid in np.meshgrid(*axes, indexing="ij"))

    def _port(self, name: str, key: str) -> Port:
        format_ = getattr(self.spec.formats, key)
        return Port(name, format_.width, format_)

    def _words_for(
        self, operands: Sequence[NDArray[np.uint64]], count: int, rng: np.random.Generator
    ) -> NDArray[np.uint64]:
        bits = self.inputs[-1].width
        words = random_words(bits, count, rng)
        aimed = min(count // 2, _AIMED_WORDS)
        head = [column[:aimed] for column in operands]
        thresholds = threshold_words(lambda drawn: self.golden(*head, drawn), bits, aimed)
        words[:aimed] = np.maximum(thresholds, 1) - rng.integers(0, 2, aimed, np.uint64)
        return words

    def _exact_form(self) -> ExactForm:
        kind, formats = self.definition, self.spec.formats
        return ExactForm(
            factors=tuple(getattr(formats, key) for key in kind.factors),
            addend=None if kind.addend is None else getattr(formats, kind.addend),
            result=getattr(formats, kind.result),
            random_bits=self.spec.rounding.bits or 0,
        )
