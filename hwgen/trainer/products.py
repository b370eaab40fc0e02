"""Matrix products and convolutions as pairs of operands in row-major tensors.

Images are NHWC and kernels OHWI, as integers; their channels are padded with zeros to words of 16. All three
products of training read the same tensors: what is transposed, unrolled or read backwards is so by the fills.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hwgen.errors import InputError
from hwgen.trainer.layout import WORD
from hwgen.trainer.operands import Operand, View

__all__ = ["Convolution", "Phase", "matrix"]


def matrix(rows: int, columns: int, transpose: bool, width: int) -> Operand:
    """Return the operand in a matrix: its rows, or with `transpose` its columns, are the operand's rows."""
    # What is summed over is counted in whole words, along rows as along columns.
    padded = rows + -rows % WORD if transpose else rows
    groups = -(-columns // WORD)
    return Operand(View((1, 1, rows), groups, (1, 1, padded)), transpose, width)


class Phase(NamedTuple):
    """The part of an input gradient with the same place within a step.

    Attributes
    ----------
    y, x : slice
        Rows and columns of the gradient.
    kernel_y, kernel_x : slice
        Rows and columns of the kernel that reach them.
    errors, kernel : Operand
        The operands; None if no kernel element reaches this part, which is zero.
    """

    y: slice
    x: slice
    kernel_y: slice
    kernel_x: slice
    errors: Operand | None
    kernel: Operand | None


@dataclass(frozen=True)
class Convolution:
    """Shapes of a two-dimensional convolution.

    Attributes
    ----------
    images, height, width, channels : int
        Of the input.
    filters, kernel_height, kernel_width : int
        Of the kernel.
    step : int
        Of the kernel over the image, 1..15.
    padding : int
        Zeros on each side of the image.
    """

    images: int
    height: int
    width: int
    channels: int
    filters: int
    kernel_height: int
    kernel_width: int
    step: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.step <= 15:
            raise InputError(f"stride {self.step} is out of range: legal: 1..15")
        for what, kernel, image, out in (
            ("height", self.kernel_height, self.height, self.out_height),
            ("width", self.kernel_width, self.width, self.out_width),
        ):
            if not 1 <= kernel <= 63 or out < 1:
                raise InputError(
                    f"kernel {what} {kernel} is out of range: legal: 1..{min(63, image + 2 * self.padding)}"
                )
        if not 0 <= self.padding < max(2, min(self.kernel_height, self.kernel_width)):
            most = min(self.kernel_height, self.kernel_width) - 1
            raise InputError(f"padding {self.padding} is out of range: legal: 0..{most}")

    @property
    def out_height(self) -> int:
        """Rows of the output."""
        return (self.height + 2 * self.padding - self.kernel_height) // self.step + 1

    @property
    def out_width(self) -> int:
        """Columns of the output."""
        return (self.width + 2 * self.padding - self.kernel_width) // self.step + 1

    def _image(self, transpose: bool, width: int) -> Operand:
        """Return the unrolled input: rows are places of the output, along them kernel places and channels."""
        view = View(
            (self.images, self.height, self.width),
            -(-self.channels // WORD),
            (self.images, self.out_height, self.out_width),
            (self.kernel_height, self.kernel_width),
            self.step,
            (-self.padding, -self.padding),
        )
        return Operand(view, transpose, width)

    def forward(self, width_x: int, width_w: int) -> tuple[Operand, Operand]:
        """Return the operands, input and kernel, of the output: places x filters."""
        kernel = View(
            (self.filters, self.kernel_height, self.kernel_width),
            -(-self.channels // WORD),
            (self.filters, 1, 1),
            (self.kernel_height, self.kernel_width),
        )
        return self._image(False, width_x), Operand(kernel, False, width_w)

    def kernel_gradient(self, width_e: int, width_x: int) -> tuple[Operand, Operand]:
        """Return the operands, errors and input, of the kernel's gradient: filters x kernel."""
        shape = (self.images, self.out_height, self.out_width)
        errors = View(shape, -(-self.filters // WORD), shape)
        return Operand(errors, True, width_e), self._image(True, width_x)

    def input_gradient(self, width_e: int, width_w: int) -> list[Phase]:
        """Return the parts of the input's gradient, each (image, y, x) x channels.

        A kernel that moves by more than one place reaches a place of the input only with each `step`th of its
        elements, so places that see the same elements are one product of their own: a convolution of the
        errors with those elements, backwards.
        """
        phases = []
        rows = [
            self._line(place, self.height, self.kernel_height) for place in range(min(self.step, self.height))
        ]
        columns = [
            self._line(place, self.width, self.kernel_width) for place in range(min(self.step, self.width))
        ]
        for row in rows:
            for column in columns:
                phases.append(self._phase(row, column, width_e, width_w))
        return phases

    def _line(self, place: int, length: int, kernel: int) -> tuple[slice, slice, int, int, int]:
        """Return places, kernel elements, counts of both, and the offset of the errors along one axis.

        Kernel element k takes place p to output o if o * step + k = p + padding. With p = place + step * u
        and k = first + step * m that is o = u - m + shift; backwards, with m = count - 1 - n, it is
        o = u + n + offset.
        """
        first = (place + self.padding) % self.step
        count = max(0, -(-(kernel - first) // self.step))
        shift = (place + self.padding - first) // self.step
        places = -(-(length - place) // self.step)
        return (
            slice(place, None, self.step),
            slice(first, None, self.step),
            places,
            count,
            shift - (count - 1),
        )

    def _phase(
        self,
        row: tuple[slice, slice, int, int, int],
        column: tuple[slice, slice, int, int, int],
        width_e: int,
        width_w: int,
    ) -> Phase:
        y, kernel_y, places_y, count_y, offset_y = row
        x, kernel_x, places_x, count_x, offset_x = column
        if not count_y or not count_x:
            return Phase(y, x, kernel_y, kernel_x, None, None)
        groups = -(-self.filters // WORD)
        errors = View(
            (self.images, self.out_height, self.out_width),
            groups,
            (self.images, places_y, places_x),
            (count_y, count_x),
            offset=(offset_y, offset_x),
        )
        # Its rows run over kernel places, backwards, and filters, in whole words as the errors have them.
        kernel = View(
            (self.filters, count_y, count_x),
            -(-self.channels // WORD),
            (count_y, count_x, groups * WORD),
            axes=(1, 2, 0),
            flipped=(True, True, False),
        )
        return Phase(
            y, x, kernel_y, kernel_x, Operand(errors, False, width_e), Operand(kernel, True, width_w)
        )
