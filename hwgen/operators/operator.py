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
from hwgen.errors import InputError
from hwgen.operators.kind import Kind
from hwgen.operators.packing import unpack, words_of_integers
from hwgen.operators.port import ElementFormat, Port
from hwgen.operators.vectors import random_words, threshold_words
from hwgen.spec import ElementwiseSpec, OperatorSpec
from hwgen.spec.polynomial import tap_mask

__all__ = ["LfsrParameters", "Operator"]

_AIMED_WORDS = 1 << 14  # each costs as many golden results as the word has bits

Bits = NDArray[np.unsignedinteger[Any]]


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

    @property
    def lanes(self) -> int:
        """Number of equal units side by side."""
        return self.spec.lanes if isinstance(self.spec, ElementwiseSpec) else 1

    @cached_property
    def lane_inputs(self) -> tuple[Port, ...]:
        """Operand and control ports of one lane."""
        return self.definition.inputs(self.spec)

    @cached_property
    def lane_output(self) -> Port:
        """The result port of one lane."""
        return self.definition.output(self.spec)

    @cached_property
    def random_words(self) -> int:
        """Random words that an activation of one lane takes: none unless the rounding is stochastic."""
        return self.definition.random_words(self.spec) if self.spec.rounding.bits else 0

    @cached_property
    def inputs(self) -> tuple[Port, ...]:
        """Input ports in order: the operands, then `rand` where random words come from a port."""
        ports = [self._all_lanes(port) for port in self.lane_inputs]
        bits, words = self.spec.rounding.bits, self.random_words * self.lanes
        if self.spec.rounding.rand == "port" and bits is not None and words:
            plural = f"{words} words of {bits} " if words > 1 else ""
            ports.append(
                Port.bits(
                    "rand", bits, f"{plural}uniform random bits, fresh for every activation", count=words
                )
            )
        return tuple(ports)

    @cached_property
    def output(self) -> Port:
        """The result port, always named `y`."""
        return self._all_lanes(self.lane_output)

    @property
    def result_format(self) -> ElementFormat | None:
        """Format of the result that is rounded: that of the lowest element of `y`."""
        return self.lane_output.fields[0].format

    @property
    def state(self) -> LfsrParameters | None:
        """The on-unit random generator, or None."""
        lfsr, bits = self.spec.rounding.lfsr, self.spec.rounding.bits
        if lfsr is None or lfsr.width is None or lfsr.taps is None or bits is None or not self.random_words:
            return None
        return LfsrParameters(lfsr.width, tap_mask(lfsr.taps), lfsr.seed, bits)

    @property
    def sequential(self) -> bool:
        """Whether activations are a sequence from reset on, apart from an on-unit random generator."""
        return self.definition.stateful(self.spec)

    def golden(self, *operands: ArrayLike) -> Bits:
        """Return the results that every witness must give, as bit patterns.

        Parameters
        ----------
        *operands : array_like of unsigned integers
            One array of bit patterns for each input port, in port order, of shapes that broadcast; that of a
            packed port has a last axis of elements. A unit with state takes them in C order from reset on.

        Returns
        -------
        ndarray
            Bit patterns in the output port's dtype: of the broadcast shape, and with a last axis of elements
            if the port is packed. Where an activation may release several results or none, their sequence.

        Raises
        ------
        InputError
            If an operand is not of integers, is wider than its port, or lacks the axis of elements.
        TypeError
            If the number of operands is not the number of input ports.
        """
        arrays, shape = self._arrays(operands)
        if self.state is not None:
            state = self.state
            generator = golden.Lfsr(state.width, state.taps, state.seed)
            per_activation = self.random_words * self.lanes
            drawn = generator.words(int(np.prod(shape)) * per_activation, state.bits)
            arrays.append(
                drawn.reshape(*shape, per_activation) if per_activation > 1 else drawn.reshape(shape)
            )
        has_words = self.random_words > 0
        rand = arrays.pop() if has_words else None
        if not self.sequential:
            return self._lanes_golden(arrays, rand)
        if rand is not None:
            tail = (self.random_words,) if self.random_words > 1 else ()
            rand = np.broadcast_to(rand, (*shape, *tail)).reshape(-1, *tail)
        result = self.definition.golden(self.spec, self._sequence(arrays, shape), rand)
        return result if self.definition.results else result.reshape(self.output.shape(shape))

    def result_counts(self, *operands: ArrayLike) -> NDArray[np.int64] | None:
        """Return how many results each activation of the sequence releases; None if always one."""
        if self.definition.results is None:
            return None
        return self.definition.results(self.spec, self._sequence(*self._arrays(operands)))

    def vectors(self, count: int, *, seed: int = 0) -> tuple[Bits, ...]:
        """Return `count` hard and random operand vectors, one array for each input port.

        What is hard is the kind's business. Of the random words, many are the last that keeps and the first
        that changes the result. The same `count` and `seed` give the same vectors.
        """
        rng = np.random.default_rng(seed)
        total = count * self.lanes
        columns = [np.asarray(column) for column in self.definition.vectors(self.spec, total, rng)]
        if self.random_words and self.spec.rounding.rand == "port":
            columns.append(self._words_for(columns, total, rng))
        return tuple(
            column.reshape(port.shape((count,))).astype(port.dtype)
            for column, port in zip(columns, self.inputs, strict=True)
        )

    def exhaustive(self, *, limit: int = 16) -> tuple[Bits, ...] | None:
        """Return all combinations of input words, the last port fastest.

        None if there are more than 2**limit, or if results depend on more than one activation's inputs.
        """
        if self.sequential or sum(port.width for port in self.inputs) > limit:
            return None
        axes = [np.arange(1 << port.width) for port in self.inputs]
        grids = np.meshgrid(*axes, indexing="ij")
        return tuple(
            unpack(words_of_integers(grid.ravel().tolist(), port.width), port.layout)
            if port.packed
            else grid.ravel().astype(port.dtype)
            for grid, port in zip(grids, self.inputs, strict=True)
        )

    def _all_lanes(self, port: Port) -> Port:
        return port if self.lanes == 1 else port.repeated(self.lanes)

    def _arrays(self, operands: Sequence[ArrayLike]) -> tuple[list[NDArray[Any]], tuple[int, ...]]:
        """Return the operands as arrays, and the shape of their activations."""
        if len(operands) != len(self.inputs):
            names = ", ".join(port.name for port in self.inputs)
            raise TypeError(f"{self.name} takes {len(self.inputs)} operands ({names}), not {len(operands)}")
        arrays = [np.asarray(given) for given in operands]
        leading = []
        for array, port in zip(arrays, self.inputs, strict=True):
            try:
                leading.append(port.leading(array))
            except ValueError as error:
                raise InputError(str(error)) from None
        return arrays, np.broadcast_shapes(*leading)

    def _sequence(self, arrays: Sequence[NDArray[Any]], shape: tuple[int, ...]) -> list[NDArray[Any]]:
        """Return the operands, without random words, as one-dimensional sequences of activations."""
        return [
            np.broadcast_to(array, port.shape(shape)).reshape(port.shape((-1,)))
            for array, port in zip(arrays, self.lane_inputs, strict=False)
        ]

    def _lanes_golden(self, arrays: Sequence[NDArray[Any]], rand: NDArray[Any] | None) -> Bits:
        """Return the results of a unit without state, whose lanes are an axis like any other."""
        if self.lanes == 1:
            return self.definition.golden(self.spec, arrays, rand)
        split = [
            array.reshape(port.shape((*array.shape[:-1], self.lanes)))
            for array, port in zip(arrays, self.lane_inputs, strict=True)
        ]
        if rand is not None:
            tail = (self.random_words,) if self.random_words > 1 else ()
            rand = rand.reshape(*rand.shape[:-1], self.lanes, *tail)
        result = self.definition.golden(self.spec, split, rand)
        leading = self.lane_output.leading(result)
        return result.reshape(*leading[:-1], self.output.elements)

    def _words_for(
        self, operands: Sequence[NDArray[Any]], count: int, rng: np.random.Generator
    ) -> NDArray[np.uint64]:
        """Return the random words of `count` activations of one lane."""
        bits = self.spec.rounding.bits
        assert bits is not None  # noqa: S101  (there are random words)
        if self.random_words > 1:
            drawn = random_words(bits, count * self.random_words, rng)
            return drawn.reshape(count, self.random_words)
        words = random_words(bits, count, rng)
        if self.sequential:
            return words
        aimed = min(count // 2, _AIMED_WORDS)
        head = [column[:aimed] for column in operands]

        def golden_of(drawn: NDArray[np.uint64]) -> Bits:
            return self.definition.golden(self.spec, head, drawn)

        thresholds = threshold_words(golden_of, bits, aimed)
        words[:aimed] = np.maximum(thresholds, 1) - rng.integers(0, 2, aimed, np.uint64)
        return words
