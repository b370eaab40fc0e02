"""How the operands of products lie in row-major tensors of the host, and which part of a tensor a fill reads.

A view walks the rows of a tensor by three loops (b, y, x), and along each row k-groups by three more
(ky, kx, g), just as a fill command does. A matrix is one with rows (0, 0, x) and no ky, kx; im2col of an
image is one whose y and ky move along the same axis. Nothing is copied or reordered: from any box of the
loops follow the slab of the tensor that holds what it needs and the fields of the fill that reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, NamedTuple

from hwgen.trainer.layout import FP32_BITS, WORD

__all__ = ["Box", "Operand", "Slab", "Space", "View", "boxes", "sizes"]

Space = tuple[int, int, int]


class Box(NamedTuple):
    """A part of three nested loops; the last runs over elements."""

    slow: range
    middle: range
    fast: range

    @property
    def elements(self) -> int:
        """How many elements."""
        return len(self.slow) * len(self.middle) * len(self.fast)

    @property
    def words(self) -> int:
        """Elements in words of 16: k-groups, or chunks of rows."""
        return -(-self.elements // WORD)


def boxes(space: Space, size: Space) -> list[Box]:
    """Return the boxes of at most `size` that fill a space, in order of the loops."""
    cuts = [
        [range(low, min(low + step, length)) for low in range(0, length, step)]
        for length, step in zip(space, size, strict=True)
    ]
    return [Box(*cut) for cut in product(*cuts)]


def sizes(space: Space, most: int) -> Iterator[Space]:
    """Give ever smaller sizes of boxes of at most `most` elements: whole inner loops, or whole words."""
    slow, middle, fast = space
    for n in range(min(slow, most // (middle * fast)), 0, -1):
        yield n, middle, fast
    for n in range(min(middle, most // fast), 0, -1):
        yield 1, n, fast
    for n in range(min(fast, most) // WORD * WORD, 0, -WORD):
        yield 1, 1, n


class Slab(NamedTuple):
    """A part of a tensor, and how a fill walks it.

    Attributes
    ----------
    part : tuple of slice
        Of the tensor's three axes and its words.
    words : int
        How many words it has.
    fields : dict
        Of the fill; `source` counts from the slab's first word.
    """

    part: tuple[slice, slice, slice, slice]
    words: int
    fields: dict[str, int]


@dataclass(frozen=True)
class View:
    """Rows and k-groups of a tensor.

    Attributes
    ----------
    shape : tuple of int
        Lengths of the tensor's three axes.
    groups : int
        Words of its last axis.
    rows : Space
        Loop counts of b, y, x; x may run past the tensor, where zeros are read.
    kernel : tuple of int
        Loop counts of ky, kx.
    step, offset
        Row y and kernel row ky are at y * step + ky + offset[0] on the axis of y; x likewise.
    axes : Space
        Which axis of the tensor b, y and x move along.
    flipped : tuple of bool
        Along which of these the tensor is read backwards.
    """

    shape: Space
    groups: int
    rows: Space
    kernel: tuple[int, int] = (1, 1)
    step: int = 1
    offset: tuple[int, int] = (0, 0)
    axes: Space = (0, 1, 2)
    flipped: tuple[bool, bool, bool] = (False, False, False)

    @property
    def columns(self) -> Space:
        """Loop counts of ky, kx and the elements of a row."""
        return (*self.kernel, self.groups * WORD)

    def slab(self, rows: Box, columns: Box) -> Slab:
        """Return what a fill of these rows and columns reads. `columns` cuts no word."""
        groups = range(columns.fast.start // WORD, -(-columns.fast.stop // WORD))
        spans = [rows.slow]
        offsets = []
        for axis, loop, kernel, offset in (
            (1, rows.middle, columns.slow, self.offset[0]),
            (2, rows.fast, columns.middle, self.offset[1]),
        ):
            first = loop.start * self.step + kernel.start + offset
            last = (loop.stop - 1) * self.step + kernel.stop - 1 + offset
            length = self.shape[self.axes[axis]]
            # A part that lies in the padding altogether still needs one line, none of which is read.
            low = min(max(first, 0), length - 1)
            high = max(min(last, length - 1), low)
            spans.append(range(low, high + 1))
            offsets.append(first - low)

        # From the loops' spans to the tensor's axes, and the strides of what is cut out.
        part = [slice(0)] * 3
        for loop_index, span in enumerate(spans):
            axis = self.axes[loop_index]
            length = self.shape[axis]
            part[axis] = (
                slice(length - span.stop, length - span.start)
                if self.flipped[loop_index]
                else slice(span.start, span.stop)
            )
        lengths = [piece.stop - piece.start for piece in part]
        strides = [prod(lengths[axis + 1 :]) * len(groups) for axis in range(3)]
        source, signed = 0, []
        for loop_index, span in enumerate(spans):
            stride = strides[self.axes[loop_index]]
            if self.flipped[loop_index]:
                source += (len(span) - 1) * stride
                stride = -stride
            signed.append(stride)
        fields = {
            "source": source,
            "n_b": len(rows.slow),
            "n_y": len(rows.middle),
            "n_x": len(rows.fast),
            "s_b": signed[0],
            "s_y": signed[1],
            "s_x": signed[2],
            "n_ky": len(columns.slow),
            "n_kx": len(columns.middle),
            "n_g": len(groups),
            "step": self.step,
            "offset_y": offsets[0],
            "offset_x": offsets[1],
            "limit_y": len(spans[1]),
            "limit_x": len(spans[2]),
        }
        words = prod(lengths) * len(groups)
        return Slab((*part, slice(groups.start, groups.stop)), words, fields)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Operand:
    """One operand of a product: its rows, and along them what is summed over.

    Attributes
    ----------
    view : View
        The tensor.
    transpose : bool
        Whether the view's columns are the operand's rows, and its rows are summed over.
    width : int
        Bits of an element; 32 for fp32, of which 16 elements take two words.
    """

    view: View
    transpose: bool
    width: int

    @property
    def floats(self) -> bool:
        """Whether elements are fp32 numbers."""
        return self.width == FP32_BITS

    @property
    def rows(self) -> Space:
        """The space of the operand's rows."""
        return self.view.columns if self.transpose else self.view.rows

    @property
    def sums(self) -> Space:
        """The space that is summed over."""
        return self.view.rows if self.transpose else self.view.columns

    def slab(self, rows: Box, sums: Box) -> Slab:
        """Return what a fill of these operand rows and k-groups reads."""
        slab = self.view.slab(sums, rows) if self.transpose else self.view.slab(rows, sums)
        if not self.floats:
            return slab
        doubled = {name: 2 * slab.fields[name] for name in ("source", "s_b", "s_y", "s_x")}
        return Slab(slab.part, 2 * slab.words, {**slab.fields, **doubled})

    def fill_fields(self, slab: Slab, kgs: int) -> dict[str, Any]:
        """Return the fields of the fill that reads `slab` into an operand of `kgs` k-groups."""
        width = 0 if self.floats else self.width
        fields = {"transpose": int(self.transpose), "width": width, "kgs": kgs, "floats": int(self.floats)}
        return {**slab.fields, **fields}
