"""How a product is cut into pieces that fit a core's memories, and in which order they are computed.

The left operand's rows are cut into strips, the right one's too, and what is summed over into slices. A tile
is one slice of one strip: it lies in plane memory as one operand. A block of results is made by one product
for each slice and then stored. Blocks go along one strip of the outer operand and back along its next one,
and slices to and fro, so that from one step to the next as few tiles change as can be; but not slices of fp32
numbers, whose sums depend on their order, so that it is always that of the elements.

Two things shorten the time in which the array idles. The first strip may be cut into finer slices, so that
the first product needs little data; and the last block is stored in ever smaller parts, so that little is
left to store after the last product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from hwgen.trainer.layout import WORD
from hwgen.trainer.operands import Box, Operand, Space, boxes, sizes
from hwgen.trainer.spec import TrainerSpec

__all__ = ["Block", "Plan", "Shape", "Step", "Strip", "Tile", "make_plan"]


@dataclass(frozen=True)
class Strip:
    """Rows of an operand that are computed with together.

    Attributes
    ----------
    pieces : tuple of Box
        Each comes by its own fetch and fill, and begins at a multiple of 16 of the strip's rows.
    """

    pieces: tuple[Box, ...]

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """First row of each piece, and the end of all."""
        starts = [0]
        for piece in self.pieces:
            starts.append(starts[-1] + piece.words * WORD)
        return tuple(starts)

    @property
    def padded(self) -> int:
        """Rows in plane memory."""
        return self.starts[-1]

    @property
    def used(self) -> int:
        """Rows up to the last one that means something."""
        return self.starts[-2] + self.pieces[-1].elements


class Tile(NamedTuple):
    """A slice of a strip of one operand: side 0 is left, 1 is right."""

    side: int
    strip: int
    fine: bool
    slice: int


class Block(NamedTuple):
    """Results that are stored together: rows of a left strip, and columns of part of a right one.

    Attributes
    ----------
    left, right : int
        The strips.
    first_tile, tiles : int
        Which tiles of `cols` columns of the right strip.
    """

    left: int
    right: int
    first_tile: int
    tiles: int


class Step(NamedTuple):
    """One product of two tiles."""

    block: int
    left: Tile
    right: Tile
    first: bool
    last: bool


class Shape(NamedTuple):
    """How large the pieces of a plan may be, in elements.

    Attributes
    ----------
    rows, cols : int
        Of a block.
    depth : int
        Of a slice.
    fine : int
        Of a slice of the first strip; 0: like the others.
    slab : int
        Of what one fetch brings, in scratch words.
    outer : int
        Which operand's strips are the outer loop.
    """

    rows: int
    cols: int
    depth: int
    fine: int
    slab: int
    outer: int


@dataclass(frozen=True)
class Plan:
    """A product in steps.

    Attributes
    ----------
    operands : tuple of Operand
        Left, right.
    strips : tuple
        Of each operand.
    slices : tuple
        What is summed over at a time: coarse, and fine for the first strip if there are any.
    """

    operands: tuple[Operand, Operand]
    strips: tuple[tuple[Strip, ...], tuple[Strip, ...]]
    slices: tuple[tuple[Box, ...], tuple[Box, ...]]
    blocks: tuple[Block, ...]
    steps: tuple[Step, ...]


def make_plan(spec: TrainerSpec, left: Operand, right: Operand, shape: Shape) -> Plan | None:
    """Cut a product into pieces of at most this shape; None if some rows of an operand need a larger slab."""
    space = _sums(left, right)
    for size in sizes(space, min(shape.depth, _most_depth(spec, left, right, shape))):
        slices = tuple(boxes(space, _even(space, size)))
        left_strips = _strips(left, slices, shape.rows, shape.slab)
        right_strips = _strips(right, slices, shape.cols, shape.slab)
        if left_strips and right_strips:
            break
    else:
        return None
    finer = next(sizes(space, shape.fine), None) if shape.fine else None
    fine = tuple(boxes(space, finer)) if finer else ()
    strips = (left_strips, right_strips)
    blocks = _blocks(spec, strips, shape.outer)
    steps = _steps(blocks, len(slices), len(fine), shape.outer, to_and_fro=not left.floats)
    return Plan((left, right), strips, (slices, fine), blocks, steps)


def _sums(left: Operand, right: Operand) -> Space:
    """Return what both operands are summed over, in whole words if either has it so."""
    return right.sums if left.transpose and not right.transpose else left.sums


def _even(space: Space, size: Space) -> Space:
    """Return a size of boxes that cuts a space into as many, but of more even lengths."""
    even = []
    for length, most in zip(space, size, strict=True):
        count = -(-length // most)
        even.append(-(-length // count))
    if size[2] < space[2]:
        even[2] += -even[2] % WORD
    return even[0], even[1], even[2]


def _most_depth(spec: TrainerSpec, left: Operand, right: Operand, shape: Shape) -> int:
    """Return the longest slice whose tiles fit half a plane memory each, and whose 16 rows fit a slab."""
    groups = min(spec.most_groups, shape.slab // (2 * WORD if left.floats else WORD))
    for operand, words, banks, rows in (
        (left, spec.a_words, spec.array.rows, shape.rows),
        (right, spec.b_words, spec.array.cols, shape.cols),
    ):
        tiles = -(-(rows + -rows % WORD) // banks)
        groups = min(groups, words // 2 // (tiles * spec.planes(operand.width)))
    return groups * WORD


def _strips(operand: Operand, slices: tuple[Box, ...], rows: int, slab: int) -> tuple[Strip, ...]:
    """Cut an operand's rows into strips; none if a slab would be too large."""
    for size in sizes(operand.rows, rows):
        pieces = boxes(operand.rows, size)
        if all(operand.slab(piece, part).words <= slab for part in slices for piece in pieces):
            break
    else:
        return ()
    strips: list[Strip] = []
    gathered: list[Box] = []
    for piece in pieces:
        if gathered and sum(box.words for box in [*gathered, piece]) * WORD > rows:
            strips.append(Strip(tuple(gathered)))
            gathered = []
        gathered.append(piece)
    return (*strips, Strip(tuple(gathered)))


def _blocks(
    spec: TrainerSpec, strips: tuple[tuple[Strip, ...], tuple[Strip, ...]], outer: int
) -> tuple[Block, ...]:
    blocks = []
    inner = list(range(len(strips[1 - outer])))
    for index in range(len(strips[outer])):
        for other in inner:
            left, right = (index, other) if outer == 0 else (other, index)
            rows = strips[0][left].used
            tiles = -(-strips[1][right].used // spec.array.cols)
            # Half of result memory holds a block, the other half the one that is being stored.
            most = spec.c_words // 2 // (rows + -rows % spec.array.rows)
            blocks += [Block(left, right, at, min(most, tiles - at)) for at in range(0, tiles, most)]
        inner.reverse()
    # The last block ends in halves, down to one tile of columns.
    last = blocks.pop()
    left_over = last.tiles
    while left_over:
        tiles = -(-left_over // 2)
        at = last.first_tile + last.tiles - left_over
        blocks.append(last._replace(first_tile=at, tiles=tiles))
        left_over -= tiles
    return tuple(blocks)


def _steps(
    blocks: tuple[Block, ...], coarse: int, finer: int, outer: int, *, to_and_fro: bool
) -> tuple[Step, ...]:
    steps: list[Step] = []
    for number, block in enumerate(blocks):
        fine = finer > coarse and (block.left, block.right)[outer] == 0
        order = range(finer if fine else coarse)
        if to_and_fro and steps and steps[-1].left.fine == fine and steps[-1].left.slice == order[-1]:
            order = order[::-1]
        for part in order:
            step = Step(
                number,
                Tile(0, block.left, fine, part),
                Tile(1, block.right, fine, part),
                part == order[0],
                part == order[-1],
            )
            steps.append(step)
    return tuple(steps)
