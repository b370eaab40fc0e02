"""From a plan to the commands of a core, in an order in which no waiting command keeps another one waiting.

Each stage gets its commands in the order of the plan. These four lists are merged by the cycle model: next
comes the command that would be issued first, of those whose data and whose place are there by what came
before. So whatever the plan, a command that must wait for another stage comes after all that need not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from hwgen.errors import InputError
from hwgen.trainer.commands import Command, Fetch, Fill, Gemm, Store, encode
from hwgen.trainer.cycles import Timeline, Times
from hwgen.trainer.layout import WORD, Array, container_of
from hwgen.trainer.operands import Operand, Space
from hwgen.trainer.placement import place_tiles
from hwgen.trainer.plan import Block, Plan, Shape, Strip, make_plan
from hwgen.trainer.spec import TrainerSpec

__all__ = ["FrameSource", "ResultPlace", "Schedule", "best_schedule", "make_schedule"]

_MOST_LAID_OUT = 4000
"""Commands after which no further shapes are tried: a few tenths of a second."""


class FrameSource(NamedTuple):
    """What goes into a frame: a part of the words of one operand's tensor."""

    side: int
    part: tuple[slice, slice, slice, slice]
    container: int


class ResultPlace(NamedTuple):
    """Where the results of a store go.

    Attributes
    ----------
    block : tuple of int
        Rows and columns in its frame.
    rows, cols : ndarray
        Which of these mean something.
    to_rows, to_cols : ndarray
        The rows of the left and of the right operand that they belong to.
    """

    block: tuple[int, int]
    rows: Array
    cols: Array
    to_rows: Array
    to_cols: Array


@dataclass(frozen=True)
class Schedule:
    """A product as commands.

    Attributes
    ----------
    commands : tuple of Command
        In order.
    frames : tuple of FrameSource
        One for each fetch.
    results : tuple of ResultPlace
        One for each store.
    size : tuple of int
        Rows of the left and of the right operand: the shape of the product.
    times : Times
        What the cycle model says.
    """

    commands: tuple[Command, ...]
    frames: tuple[FrameSource, ...]
    results: tuple[ResultPlace, ...]
    size: tuple[int, int]
    times: Times


@dataclass
class _Job:
    """One command to be scheduled, and how far each other list must be before it may come.

    Attributes
    ----------
    needs : tuple of int
        Commands of each stage (fetch, fill, product, store) that must come before.
    """

    command: Fetch | Fill | Gemm | Store
    needs: tuple[int, int, int, int]
    holds: int | None = None


def make_schedule(spec: TrainerSpec, plan: Plan) -> Schedule:
    """Return the commands of a plan."""
    fetches, fills, frames, filled = _loads(spec, plan)
    products, stores, results = _products(spec, plan, filled)
    timeline = Timeline(spec)
    # In the order of preference if two commands would be issued in the same cycle.
    queues = {2: products, 3: stores, 1: fills, 0: fetches}
    for jobs in queues.values():
        for job in jobs:
            job.holds = timeline.holds(job.command)
    came = [0, 0, 0, 0]
    commands: list[Command] = []
    while True:
        heads = [
            (timeline.issue_time(job.command, job.holds), stage, job)
            for stage, jobs in queues.items()
            for job in jobs[came[stage] : came[stage] + 1]
            if all(have >= need for have, need in zip(came, job.needs, strict=True))
        ]
        if not heads:
            break
        _, stage, job = min(heads, key=lambda head: head[0])
        timeline.issue(job.command, job.holds)
        commands.append(job.command)
        came[stage] += 1
    size = (_size(plan.operands[0].rows), _size(plan.operands[1].rows))
    return Schedule(tuple(commands), tuple(frames), tuple(results), size, timeline.times())


def _size(space: Space) -> int:
    return space[0] * space[1] * space[2]


def _loads(
    spec: TrainerSpec, plan: Plan
) -> tuple[list[_Job], list[_Job], list[FrameSource], list[tuple[int, int, int]]]:
    """Return fetches, fills and frames; and for each step how many fills it needs and both addresses."""
    loads, addresses = place_tiles(spec, plan)
    fetches: list[_Job] = []
    fills: list[_Job] = []
    frames = []
    upto = [0] * len(plan.steps)
    for load in loads:
        tile = load.tile
        operand = plan.operands[tile.side]
        strip = plan.strips[tile.side][tile.strip]
        sums = plan.slices[tile.fine][tile.slice]
        banks = spec.array.cols if tile.side else spec.array.rows
        planes = spec.planes(operand.width)
        for piece, start in zip(strip.pieces, strip.starts, strict=False):
            slab = operand.slab(piece, sums)
            count = len(fills)
            base = count % 2 * (spec.scratch_words // 2)
            container = container_of(operand.width)
            fetches.append(_Job(Fetch(container, base, slab.words), (0, max(count - 1, 0), 0, 0)))
            frames.append(FrameSource(tile.side, slab.part, container))
            fields = operand.fill_fields(slab, sums.words)
            fields["source"] += base
            fields["dest"] = addresses[load.step][tile.side] + start // banks * sums.words * planes
            fills.append(_Job(Fill(target=tile.side, **fields), (count + 1, 0, load.after + 1, 0)))
        upto[load.step] = len(fills)
    filled = []
    for number, pair in enumerate(addresses):
        upto[number] = max(upto[number], upto[number - 1] if number else 0)
        filled.append((upto[number], *pair))
    return fetches, fills, frames, filled


def _products(
    spec: TrainerSpec, plan: Plan, filled: list[tuple[int, int, int]]
) -> tuple[list[_Job], list[_Job], list[ResultPlace]]:
    """Return products, stores, and where the results of each store go."""
    widths = plan.operands[0].width, plan.operands[1].width
    floats = plan.operands[0].floats
    products: list[_Job] = []
    stores: list[_Job] = []
    results = []
    for step, (fills, a, b) in zip(plan.steps, filled, strict=True):
        block = plan.blocks[step.block]
        groups = plan.slices[step.left.fine][step.left.slice].words
        base = step.block % 2 * (spec.c_words // 2)
        rows = plan.strips[0][block.left].used
        gemm = Gemm(
            a=a,
            b=b + block.first_tile * groups * spec.planes(widths[1]),
            c=base,
            tiles_m=-(-rows // spec.array.rows),
            tiles_n=block.tiles,
            kgs=groups,
            width_a=0 if floats else widths[0],
            width_b=0 if floats else widths[1],
            accumulate=int(not step.first),
            pitch=block.tiles,
            floats=int(floats),
        )
        products.append(_Job(gemm, (0, fills, 0, max(step.block - 1, 0))))
        if step.last:
            stores.append(_Job(Store(base, rows, block.tiles, block.tiles), (0, 0, len(products), 0)))
            results.append(_result_place(spec, plan, block))
    return products, stores, results


def _result_place(spec: TrainerSpec, plan: Plan, block: Block) -> ResultPlace:
    left, right = plan.strips[0][block.left], plan.strips[1][block.right]
    cols = spec.array.cols
    to_rows = _numbers(left, plan.operands[0].rows)[: left.used]
    first = block.first_tile * cols
    to_cols = _numbers(right, plan.operands[1].rows)[first : first + block.tiles * cols]
    rows, columns = np.flatnonzero(to_rows >= 0), np.flatnonzero(to_cols >= 0)
    return ResultPlace((left.used, block.tiles * cols), rows, columns, to_rows[rows], to_cols[columns])


def _numbers(strip: Strip, space: Space) -> Array:
    """Return for each row of a strip its number in the operand's rows, or -1 for padding."""
    numbers = np.full(strip.padded, -1, np.int64)
    for piece, start in zip(strip.pieces, strip.starts, strict=False):
        slow, middle, fast = np.ix_(piece.slow, piece.middle, piece.fast)
        flat = ((slow * space[1] + middle) * space[2] + fast).reshape(-1)
        numbers[start : start + len(flat)] = flat
    return numbers


@lru_cache(maxsize=256)
def best_schedule(spec: TrainerSpec, left: Operand, right: Operand) -> Schedule:
    """Return the fastest schedule of a product, by the cycle model, of a few shapes of pieces.

    Raises
    ------
    InputError
        If the core's memories are too small for any.
    """
    best: Schedule | None = None
    laid_out = 0
    plans: set[Plan] = set()
    for shape in _shapes(spec, left, right):
        plan = make_plan(spec, left, right, shape)
        if plan is None or plan in plans:
            continue
        plans.add(plan)
        schedule = make_schedule(spec, plan)
        if not _encodable(schedule):
            continue
        if best is None or schedule.times.cycles < best.times.cycles:
            best = schedule
        laid_out += len(schedule.commands)
        if laid_out > _MOST_LAID_OUT:
            break
    if best is None:
        raise InputError(
            f"operands of rows {left.rows} and {right.rows} over {left.sums} do not fit the memories: "
            "legal: larger buffers, such as scratch_kib"
        )
    return best


def _encodable(schedule: Schedule) -> bool:
    """Say whether every count and stride fits its field."""
    try:
        for command in schedule.commands:
            encode(command)
    except ValueError:
        return False
    return True


def _shapes(spec: TrainerSpec, left: Operand, right: Operand) -> list[Shape]:
    """Return the shapes to try: square blocks of half of result memory, smaller and wider ones."""
    results = spec.c_words // 2 * spec.array.cols
    side = WORD
    while (2 * side) ** 2 <= results:
        side *= 2
    rows, cols = (size + -size % WORD for size in (_size(left.rows), _size(right.rows)))
    wide = min(4 * side, results // min(rows, side), cols)
    high = min(4 * side, results // min(cols, side), rows)
    deep = spec.most_groups * WORD
    shapes = []
    for height, width, depth, fine in (
        (side, side, deep, 0),
        (side // 2, side // 2, deep, 0),
        (side, side, deep, 64),
        (side, side, 64, 0),
        (side, wide, deep, 0),
        (high, side, deep, 0),
    ):
        size = max(WORD, min(height, rows)), max(WORD, min(width, cols))
        for slab in (spec.scratch_words // 4, spec.scratch_words // 2):
            shapes += [Shape(*size, depth, fine, slab, outer) for outer in (0, 1)]
    return list(dict.fromkeys(shapes))
