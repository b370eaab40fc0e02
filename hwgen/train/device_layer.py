"""A layer on a trainer core: what all kinds have in common, and the linear one.

Every tensor is fetched once in a step and lies in scratch memory while it is needed: the input X, the weights
W and the error E, each row in whole words. The products of a linear layer are

    output          Y  = X * W'     into result memory (batch, outputs)
    input error     X' = E * W      (batch, columns), of which the inputs are stored
    weight gradient W' = E' * X     (outputs, columns), which the weight update reads

and the fills turn what has to be turned. A convolution's are the same of its unrolled input
(`hwgen.train.device_convolution`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.train.layers import Layer, LinearLayer
from hwgen.trainer import Command, Fetch, Fill, Gemm, Store, TrainerSpec
from hwgen.trainer.layout import WORD, container_of

__all__ = ["PlacedLayer", "PlacedLinear", "Post", "Region", "Results"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Region:
    """Words of scratch memory.

    Attributes
    ----------
    base : int
        The first.
    words : int
        How many.
    """

    base: int
    words: int

    def fetches(self, width: int, *, numbers: bool) -> list[Command]:
        """Return what fetches a tensor: integers, or fp32 numbers, whose frame comes twice."""
        if not numbers:
            return [Fetch(container_of(width), self.base, self.words)]
        return [
            Fetch(Fetch.FP32, 0, self.words, width=width, measure=1),
            Fetch(Fetch.FP32, self.base, self.words, width=width, take=1),
        ]


@dataclass(frozen=True)
class Post:
    """What the store stage does on the way, apart from rounding.

    Attributes
    ----------
    bias, relu, save_mask, apply_mask : int
        As in the command.
    mask : int
        Its mask word.
    """

    bias: int = 0
    relu: int = 0
    save_mask: int = 0
    apply_mask: int = 0
    mask: int = 0


@dataclass(frozen=True)
class Results:
    """A matrix in result memory, from its first word on.

    Attributes
    ----------
    rows : int
        Rows.
    words : int
        Result words of a row that mean something.
    pitch : int
        Result words from one row to the next.
    """

    rows: int
    words: int
    pitch: int

    def raw(self, post: Post | None = None) -> Store:
        """Return the store that sends the exact results."""
        bias = post.bias if post else 0
        return Store(0, self.rows, self.words, self.pitch, Store.RAW, bias=bias)

    def stores(self, width: int, post: Post) -> tuple[Store, Store]:
        """Return the stores that measure and that requantise."""
        shape = (0, self.rows, self.words, self.pitch)
        fields = {
            **{"width": width, "bias": post.bias, "relu": post.relu},
            **{"apply_mask": post.apply_mask, "mask": post.mask},
        }
        return (
            Store(*shape, Store.MEASURE, save_mask=post.save_mask, **fields),
            Store(*shape, Store.INTEGERS, take=1, size=container_of(width), **fields),
        )


@dataclass(frozen=True)
class PlacedLayer(ABC):
    """One layer on one core.

    Attributes
    ----------
    spec : TrainerSpec
        The core.
    batch : int
        Samples.
    x, w, e : Region
        Input, weights and error in scratch memory.
    mask : int
        First mask word of its output.
    layer : Layer
        The layer.
    """

    spec: TrainerSpec
    batch: int
    x: Region
    w: Region
    e: Region
    mask: int
    layer: Layer

    @property
    @abstractmethod
    def output_results(self) -> Results:
        """Where the output lies."""

    @property
    @abstractmethod
    def error_results(self) -> Results:
        """Where the input's error lies."""

    @property
    def bias(self) -> int:
        """Whether stores of the output add the bias."""
        return 0

    @property
    def gradient_results(self) -> Results:
        """Where the weights' gradient lies."""
        words = self.result_words(self.layer.columns)
        return Results(self.layer.outputs, words, words)

    @abstractmethod
    def output(self, width: int) -> list[Command]:
        """Return the commands of the output."""

    @abstractmethod
    def input_error(self, width: int) -> list[Command]:
        """Return the commands of the input's error."""

    @abstractmethod
    def weight_gradient(self, width: int) -> list[Command]:
        """Return the commands of the weights' gradient."""

    @abstractmethod
    def input_words(self, x: Array, constant: int) -> Array:
        """Return the input, with the constant that biases are multiplied by, as it lies in scratch memory."""

    def error_words(self, e: Array) -> Array:
        """Return the output's error as it lies in scratch memory."""
        outputs = self.layer.outputs
        return np.pad(e.reshape(-1, outputs), ((0, 0), (0, -outputs % WORD))).reshape(-1, WORD)

    def output_of(self, results: Array) -> Array:
        """Return the output, a sample each, from its results row after row."""
        return results[:, : self.layer.outputs]

    def input_error_of(self, results: Array) -> Array:
        """Return the input's error, a sample each, from its results row after row."""
        return results[:, : self.layer.input_shape[-1]]

    def result_words(self, columns: int) -> int:
        """Return the result words of a row of so many columns."""
        return -(-columns // self.spec.array.cols)

    def gemm(self, left: Fill, right: Fill, rows: int, columns: int, at: int = 0, add: int = 0) -> Gemm:
        """Return the product of the operands of two fills.

        Parameters
        ----------
        left, right : Fill
            What fills the operands.
        rows, columns : int
            Of the results.
        at : int
            First row of result memory.
        add : int
            1: adds to the results there.
        """
        tiles_m, tiles_n = -(-rows // self.spec.array.rows), self.result_words(columns)
        widths = left.width, right.width
        return Gemm(
            left.dest, right.dest, at * tiles_n, tiles_m, tiles_n, left.kgs, *widths, add, pitch=tiles_n
        )


@dataclass(frozen=True)
class PlacedLinear(PlacedLayer):
    """A linear layer on a core."""

    layer: LinearLayer

    @property
    def output_results(self) -> Results:
        """Where the output lies."""
        words = self.result_words(self.layer.outputs)
        return Results(self.batch, words, words)

    @property
    def error_results(self) -> Results:
        """Where the input's error lies."""
        return Results(
            self.batch, self.result_words(self.layer.inputs), self.result_words(self.layer.columns)
        )

    def output(self, width: int) -> list[Command]:
        """Return the commands of the output."""
        return self._product(self._x(0, width), self._w(1, width), self.batch, self.layer.outputs)

    def input_error(self, width: int) -> list[Command]:
        """Return the commands of the input's error."""
        right = self._w(1, width, turned=True)
        return self._product(self._e(0, width), right, self.batch, self.layer.columns)

    def weight_gradient(self, width: int) -> list[Command]:
        """Return the commands of the weights' gradient."""
        left, right = self._e(0, width, turned=True), self._x(1, width, turned=True)
        return self._product(left, right, self.layer.outputs, self.layer.columns)

    def input_words(self, x: Array, constant: int) -> Array:
        """Return the input, with the constant that biases are multiplied by, as it lies in scratch memory."""
        rows = np.pad(x.reshape(len(x), -1), ((0, 0), (0, 1)), constant_values=constant)
        return np.pad(rows, ((0, 0), (0, -rows.shape[1] % WORD))).reshape(-1, WORD)

    def _x(self, target: int, width: int, *, turned: bool = False) -> Fill:
        return _matrix(self.x, self.batch, target, width, turned)

    def _w(self, target: int, width: int, *, turned: bool = False) -> Fill:
        return _matrix(self.w, self.layer.outputs, target, width, turned)

    def _e(self, target: int, width: int, *, turned: bool = False) -> Fill:
        return _matrix(self.e, self.batch, target, width, turned)

    def _product(self, left: Fill, right: Fill, rows: int, columns: int) -> list[Command]:
        return [left, right, self.gemm(left, right, rows, columns)]


def _matrix(region: Region, rows: int, target: int, width: int, turned: bool) -> Fill:
    """Return the fill of an operand: the rows of a matrix, or, turned, its columns."""
    groups = region.words // rows
    return Fill(
        target=target,
        transpose=int(turned),
        width=width,
        source=region.base,
        kgs=-(-rows // WORD) if turned else groups,
        n_x=rows,
        s_x=groups,
        n_g=groups,
        limit_x=rows,
    )
