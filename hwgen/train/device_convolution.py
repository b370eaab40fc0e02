"""A convolution on a trainer core: its three products, and the places of images in the order that they need.

In scratch memory the input is images (batch, height, width, channels), channels in whole words, with one word
behind them that holds the constant; the weights are rows of kernel places with their channels, and one word
with the bias. The fills unroll the images. Of the products are

    output          Y  = U(X) * W' + bias     (places of the output, filters)
    input error     X' = U(E) * W             (places of the input, channels)
    weight gradient W' = E' * [U(X), constant]  (filters, columns)

The bias is a product of its own, of the constant and the weights' last words, which the store adds to every
row. The input error is a product for each of the stride x stride phases of the input's places, which see
different parts of the kernel (`hwgen.trainer.products`), and its rows come phase after phase. So that they
meet the masks of the layer before, that computes its own rows in the same order.

Products are cut along the images into pieces of which two fit operand memory, so that one is filled while
the other is multiplied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.train.device_layer import PlacedLayer, Results
from hwgen.train.layers import ConvolutionLayer
from hwgen.trainer import Bias, Command, Fill
from hwgen.trainer.layout import WORD
from hwgen.trainer.operands import View
from hwgen.trainer.products import Convolution, Phase

__all__ = ["Order", "PlacedConvolution"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Order:
    """The places of images, phase after phase, each image after image, row after row.

    Attributes
    ----------
    height, width : int
        Of an image.
    stride : int
        Places whose row and column differ by multiples of it are a phase.
    """

    height: int
    width: int
    stride: int = 1

    def phases(self) -> Iterator[tuple[int, int]]:
        """Give the first row and column of each phase."""
        for y in range(min(self.stride, self.height)):
            for x in range(min(self.stride, self.width)):
                yield y, x

    def lengths(self, y: int, x: int) -> tuple[int, int]:
        """Return rows and columns of a phase."""
        return -(-(self.height - y) // self.stride), -(-(self.width - x) // self.stride)

    def images(self, rows: Array, batch: int) -> Array:
        """Return rows (place, channel) as images."""
        images = np.zeros((batch, self.height, self.width, rows.shape[1]), rows.dtype)
        done = 0
        for y, x in self.phases():
            part = images[:, y :: self.stride, x :: self.stride]
            places = part[..., 0].size
            part[...] = rows[done : done + places].reshape(part.shape)
            done += places
        return images


@dataclass(frozen=True)
class PlacedConvolution(PlacedLayer):
    """A convolution on a core.

    Attributes
    ----------
    order : Order
        Of the places of its output, as the layer behind it needs them.
    """

    layer: ConvolutionLayer
    order: Order

    @property
    def output_results(self) -> Results:
        """Where the output lies."""
        height, width, filters = self.layer.output_shape
        words = self.result_words(filters)
        return Results(self.batch * height * width, words, words)

    @property
    def error_results(self) -> Results:
        """Where the input's error lies."""
        words = self.result_words(self.layer.depth)
        return Results(self.batch * self.layer.height * self.layer.width, words, words)

    @property
    def bias(self) -> int:
        """Whether stores of the output add the bias."""
        return 1

    @cached_property
    def convolution(self) -> Convolution:
        """The shapes of the convolution of a minibatch."""
        return self.layer.shape(self.batch)

    @property
    def input_order(self) -> Order:
        """The order of the rows of the input's error."""
        return Order(self.layer.height, self.layer.width, self.layer.conv.stride)

    def input_words(self, x: Array, constant: int) -> Array:
        """Return the input, with the constant that biases are multiplied by, as it lies in scratch memory."""
        channels = self.layer.channels
        words = np.pad(x.reshape(-1, channels), ((0, 0), (0, -channels % WORD))).reshape(-1, WORD)
        last = np.zeros((1, WORD), x.dtype)
        last[0, 0] = constant
        return np.concatenate([words, last])

    def output_of(self, results: Array) -> Array:
        """Return the output, a sample each, from its results row after row."""
        return self.order.images(super().output_of(results), self.batch)

    def input_error_of(self, results: Array) -> Array:
        """Return the input's error, a sample each, from its results row after row."""
        return self.input_order.images(super().input_error_of(results), self.batch)

    def output(self, width: int) -> list[Command]:
        """Return the commands of the output: first its bias, which is kept apart, then phase after phase."""
        filters, planes = self.layer.outputs, self.spec.planes(width)
        groups = self.layer.unrolled // WORD
        kernel = Fill(
            target=1,
            width=width,
            source=self.w.base,
            kgs=groups,
            **_matrix(filters, groups + 1),
            n_g=groups,
        )
        behind = self.result_words(filters) * groups * planes
        one = Fill(width=width, source=self._constant, kgs=1)
        biases = Fill(1, 0, width, self.w.base + groups, behind, kgs=1, **_matrix(filters, groups + 1))
        words = self.result_words(filters)
        commands: list[Command] = [one, biases, self.gemm(one, biases, 1, filters), Bias(0, words, 0)]
        commands.append(kernel)
        stride, margin = self.layer.conv.stride, self.layer.conv.padding
        row, turns = 0, count()
        for y, x in self.order.phases():
            view = View(
                (self.batch, self.layer.height, self.layer.width),
                self.layer.depth // WORD,
                (self.batch, *self.order.lengths(y, x)),
                (self.layer.conv.kernel, self.layer.conv.kernel),
                self.order.stride * stride,
                (y * stride - margin, x * stride - margin),
            )
            more, row = self._rows(view, self.x.base, kernel, filters, row, turns)
            commands += more
        return commands

    def input_error(self, width: int) -> list[Command]:
        """Return the commands of the input's error, phase after phase."""
        commands: list[Command] = []
        row, turns = 0, count()
        half = self.spec.b_words // 2
        for number, phase in enumerate(self.convolution.input_gradient(width, width)):
            assert phase.errors is not None  # noqa: S101  (no stride is greater than its kernel)
            kernel = self._reached(phase, width, number % 2 * half)
            if self.result_words(self.layer.depth) * kernel.kgs * self.spec.planes(width) > half:
                kernel = self._reached(phase, width, 0)
            more, row = self._rows(phase.errors.view, self.e.base, kernel, self.layer.depth, row, turns)
            commands += [kernel, *more]
        return commands

    def weight_gradient(self, width: int) -> list[Command]:
        """Return the commands of the weights' gradient: sums over some images, added up."""
        convolution, planes = self.convolution, self.spec.planes(width)
        places = convolution.out_height * convolution.out_width
        errors, image = convolution.kernel_gradient(width, width)
        tiles = self.result_words(self.layer.columns)

        def fits(images: int, slots: int) -> bool:
            groups = -(-images * places // WORD)
            left = -(-self.layer.outputs // self.spec.array.rows)
            return (
                groups <= self.spec.most_groups
                and left * groups * planes * slots <= self.spec.a_words
                and tiles * groups * planes * slots <= self.spec.b_words
            )

        commands: list[Command] = []
        for number, (images, slot) in enumerate(self._pieces(fits, count())):
            a, b = slot * (self.spec.a_words // 2), slot * (self.spec.b_words // 2)
            groups = -(-len(images) * places // WORD)
            left = self._image(errors.view, self.e.base, images, 0, width, a, turned=True)
            right = self._image(image.view, self.x.base, images, 1, width, b, turned=True)
            constant = Fill(
                target=1,
                transpose=1,
                width=width,
                source=self._constant,
                dest=b + self.result_words(self.layer.unrolled) * groups * planes,
                kgs=groups,
                n_b=len(images),
                n_x=places,
                limit_x=places,
            )
            gemm = self.gemm(left, right, self.layer.outputs, self.layer.columns, add=int(number > 0))
            commands += [left, right, constant, gemm]
        return commands

    @property
    def _constant(self) -> int:
        """The scratch word with the constant."""
        return self.x.base + self.x.words - 1

    def _rows(
        self, view: View, base: int, right: Fill, columns: int, row: int, turns: Iterator[int]
    ) -> tuple[list[Command], int]:
        """Return the commands of the product of an unrolled image, from a row of results on, and the next."""
        commands: list[Command] = []
        rows, cell = view.rows[1] * view.rows[2], self.spec.planes(right.width) * right.kgs

        def fits(images: int, slots: int) -> bool:
            padded = images * rows + -images * rows % WORD
            return padded // self.spec.array.rows * cell * slots <= self.spec.a_words

        for images, slot in self._pieces(fits, turns):
            left = self._image(view, base, images, 0, right.width, slot * (self.spec.a_words // 2))
            commands += [left, self.gemm(left, right, len(images) * rows, columns, row)]
            row += len(images) * rows
        return commands, row

    def _pieces(self, fits: Callable[[int, int], bool], turns: Iterator[int]) -> Iterator[tuple[range, int]]:
        """Cut the images into pieces, in turns for the lower and the upper halves of memories if they fit."""
        for slots in (2, 1):
            most = max((n for n in range(1, self.batch + 1) if fits(n, slots)), default=0)
            if most:
                break
        size = max(most, 1)
        size = -(-self.batch // -(-self.batch // size))
        for start in range(0, self.batch, size):
            yield range(start, min(start + size, self.batch)), next(turns) % slots

    def _image(
        self,
        view: View,
        base: int,
        images: range,
        target: int,
        width: int,
        dest: int,
        *,
        turned: bool = False,
    ) -> Fill:
        """Return the fill of some images of a view that lies whole in scratch memory."""
        _, height, across = view.shape
        groups = view.groups
        rows = len(images) * view.rows[1] * view.rows[2]
        return Fill(
            target=target,
            transpose=int(turned),
            width=width,
            source=base + images.start * height * across * groups,
            dest=dest,
            kgs=-(-rows // WORD) if turned else view.kernel[0] * view.kernel[1] * groups,
            n_b=len(images),
            n_y=view.rows[1],
            n_x=view.rows[2],
            s_b=height * across * groups,
            s_y=across * groups,
            s_x=groups,
            n_ky=view.kernel[0],
            n_kx=view.kernel[1],
            n_g=groups,
            step=view.step,
            offset_y=view.offset[0],
            offset_x=view.offset[1],
            limit_y=height,
            limit_x=across,
        )

    def _reached(self, phase: Phase, width: int, dest: int) -> Fill:
        """Return the fill of the kernel's elements that reach a phase of the input, turned and backwards."""
        assert phase.kernel is not None  # noqa: S101  (as above)
        count_y, count_x, filters = phase.kernel.view.rows
        stride, groups = self.layer.conv.stride, self.layer.depth // WORD
        line = self.layer.conv.kernel * groups
        last_y = phase.kernel_y.start + stride * (count_y - 1)
        last_x = phase.kernel_x.start + stride * (count_x - 1)
        return Fill(
            target=1,
            transpose=1,
            width=width,
            source=self.w.base + last_y * line + last_x * groups,
            dest=dest,
            kgs=count_y * count_x * filters // WORD,
            n_b=count_y,
            n_y=count_x,
            n_x=filters,
            s_b=-stride * line,
            s_y=-stride * groups,
            s_x=self.layer.columns // WORD,
            n_g=groups,
            limit_y=count_x,
            limit_x=filters,
        )


def _matrix(rows: int, pitch: int) -> dict[str, int]:
    """Return the fields of a fill that walks the rows of a matrix."""
    return {"n_x": rows, "s_x": pitch, "limit_x": rows}
