"""Layers: their shapes, and their products as those of matrices.

A layer's weights are one matrix, a row for each output unit or filter, in whole words of 16 columns. A bias
is a weight like any other: the row has one column more, by which a constant is multiplied. In fp32 that is 1.
In block floating point it is the power of two nearest to 1 that the input's format holds, so that it is
exact at every exponent.

- Linear: the columns are the inputs, the constant behind them, and zeros up to whole words.
- Convolution: the columns are the kernel's places, row by row, with their channels in whole words; the
  constant begins a word of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.trainer.layout import WORD
from hwgen.trainer.products import Convolution

__all__ = ["Conv2d", "ConvolutionLayer", "Layer", "LinearLayer", "whole_words"]

Array = npt.NDArray[Any]


def whole_words(elements: int) -> int:
    """Return a number of elements, rounded up to whole words of the core."""
    return elements + -elements % WORD


@dataclass(frozen=True)
class Conv2d:
    """A convolution in the description of a network, where the image before it is known.

    Attributes
    ----------
    filters : int
        Channels of its output: whole words of the core.
    kernel : int
        Height and width of the kernel.
    stride, padding : int
        Of the kernel, in both directions.
    """

    filters: int
    kernel: int
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        if self.filters < 1 or self.filters % WORD:
            raise InputError(f"{self.filters} filters are not legal: legal: multiples of {WORD}")
        if not 1 <= self.stride <= self.kernel:
            raise InputError(f"stride {self.stride} is not legal: legal: 1..{self.kernel}, the kernel's size")


@dataclass(frozen=True)
class LinearLayer:
    """A linear layer.

    Attributes
    ----------
    inputs, outputs : int
        Units before and behind it, without the constant.
    """

    inputs: int
    outputs: int

    @property
    def columns(self) -> int:
        """Columns of its weights."""
        return whole_words(self.inputs + 1)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of a sample before it."""
        return (self.inputs,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of a sample behind it."""
        return (self.outputs,)

    @property
    def weights_of_an_output(self) -> tuple[int, ...]:
        """Shape of the weights of an output, without the bias."""
        return (self.inputs,)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the forward product of a sample, without biases."""
        return self.inputs * self.outputs

    def matrix(self, weights: Array) -> Array:
        """Return weights (outputs, *weights_of_an_output) with biases of zero as the layer's matrix."""
        return np.pad(weights, ((0, 0), (0, self.columns - self.inputs)))

    def unroll(self, x: Array) -> Array:
        """Return samples as the rows that the weights are multiplied with, for a constant of 1."""
        rows = np.zeros((len(x), self.columns), x.dtype)
        rows[:, : self.inputs] = x.reshape(len(x), -1)
        rows[:, self.inputs] = 1
        return rows

    def fold(self, rows: Array) -> Array:
        """Return the error of samples from the errors of their unrolled rows."""
        return rows[:, : self.inputs]


@dataclass(frozen=True)
class ConvolutionLayer:
    """A convolution of images; its output is an image of `filters` channels.

    Attributes
    ----------
    height, width, channels : int
        Of an image before it.
    conv : Conv2d
        The convolution.
    """

    height: int
    width: int
    channels: int
    conv: Conv2d

    def __post_init__(self) -> None:
        self.shape(1)

    def shape(self, images: int) -> Convolution:
        """Return the shapes of the convolution of so many images."""
        conv = self.conv
        return Convolution(
            *(images, self.height, self.width, self.channels),
            *(conv.filters, conv.kernel, conv.kernel, conv.stride, conv.padding),
        )

    @property
    def outputs(self) -> int:
        """Rows of its weights: the filters."""
        return self.conv.filters

    @property
    def depth(self) -> int:
        """Channels in whole words."""
        return whole_words(self.channels)

    @property
    def unrolled(self) -> int:
        """Columns of its weights before the constant's."""
        return self.conv.kernel**2 * self.depth

    @property
    def columns(self) -> int:
        """Columns of its weights."""
        return self.unrolled + WORD

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of a sample before it."""
        return (self.height, self.width, self.channels)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of a sample behind it."""
        shape = self.shape(1)
        return (shape.out_height, shape.out_width, self.outputs)

    @property
    def weights_of_an_output(self) -> tuple[int, ...]:
        """Shape of the weights of an output, without the bias."""
        return (self.conv.kernel, self.conv.kernel, self.channels)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the forward product of a sample, without biases; padding is multiplied."""
        height, width, filters = self.output_shape
        return height * width * filters * self.conv.kernel**2 * self.channels

    def matrix(self, weights: Array) -> Array:
        """Return weights (outputs, *weights_of_an_output) with biases of zero as the layer's matrix."""
        deep = np.pad(weights, ((0, 0), (0, 0), (0, 0), (0, self.depth - self.channels)))
        return np.pad(deep.reshape(len(weights), -1), ((0, 0), (0, WORD)))

    def unroll(self, x: Array) -> Array:
        """Return samples as the rows that the weights are multiplied with, for a constant of 1."""
        height, width, _ = self.output_shape
        rows = np.zeros((len(x), height, width, self.columns), x.dtype)
        margin, step = self.conv.padding, self.conv.stride
        padded = np.pad(
            x.reshape(len(x), *self.input_shape), ((0, 0), (margin, margin), (margin, margin), (0, 0))
        )
        for column, (i, j) in enumerate(np.ndindex(self.conv.kernel, self.conv.kernel)):
            at = column * self.depth
            seen = padded[:, i::step, j::step][:, :height, :width]
            rows[..., at : at + self.channels] = seen
        rows[..., self.unrolled] = 1
        return rows.reshape(-1, self.columns)

    def fold(self, rows: Array) -> Array:
        """Return the error of samples from the errors of their unrolled rows."""
        height, width, _ = self.output_shape
        rows = rows.reshape(-1, height, width, self.columns)
        margin, step = self.conv.padding, self.conv.stride
        padded = np.zeros(
            (len(rows), self.height + 2 * margin, self.width + 2 * margin, self.channels), rows.dtype
        )
        for column, (i, j) in enumerate(np.ndindex(self.conv.kernel, self.conv.kernel)):
            at = column * self.depth
            padded[:, i::step, j::step][:, :height, :width] += rows[..., at : at + self.channels]
        return padded[:, margin : margin + self.height, margin : margin + self.width]


Layer: TypeAlias = LinearLayer | ConvolutionLayer
