"""Random programs of the float lanes and golden's answers: products of numbers of all kinds, and stores."""

from __future__ import annotations

import numpy as np

from hwgen.trainer.commands import Command, Fetch, Fill, Gemm, Load, Store, Update
from hwgen.trainer.floats import as_results
from hwgen.trainer.layout import Array, pack_numbers, pack_results, pack_weights
from hwgen.trainer.programs import Program, random_floats, random_product
from hwgen.trainer.spec import TrainerSpec
from hwgen.trainer.status import Code

__all__ = ["random_float_product"]

_ODD = np.array(
    [0x0, 0x80000000, 1, 0x807FFFFF, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000, 0xFF800000, 0x7F812345, 0xFFC00000],
    np.uint32,
).view(np.float32)
"""Zeros, subnormals, the greatest numbers, infinities, a signalling and a negative NaN."""


def random_float_product(
    spec: TrainerSpec, rng: np.random.Generator, most: tuple[int, int, int] = (20, 20, 40)
) -> Program:
    """Return products of fp32 numbers with a product of integers among them, stores, and an update by one.

    Parameters
    ----------
    most : tuple of int
        Greatest rows, columns and length of sums; halved until the core's memories hold the product.
    """
    array = spec.array
    m, n, k = (int(rng.integers(1, limit + 1)) for limit in most)
    groups = -(-k // array.lanes)
    tiles_m, tiles_n = -(-m // array.rows), -(-n // array.cols)
    half = spec.scratch_words // 2
    commands: list[Command] = []
    frames = []
    wild = rng.random() < 0.3
    for target, rows in enumerate((m, n)):
        turn = int(rng.integers(2))
        shape = (k, rows) if turn else (rows, k)
        tensor = _numbers(rng, shape, wild=wild)
        frames.append(pack_numbers(tensor))
        words = len(frames[-1].beats) // 2
        row = words // shape[0]
        fill = Fill(
            target, turn, 0, target * half, 3 + target, groups, n_y=shape[0], s_y=row, limit_y=shape[0]
        )
        commands += [Fetch(Fetch.PATTERNS, target * half, words), _along_rows(fill, row // 2)]
    rows, pitch = tiles_m * array.rows, tiles_n + 1
    region = {"c": 7, "rows": rows, "words": tiles_n, "pitch": pitch}
    product = Gemm(3, 4, 7, tiles_m, tiles_n, groups, pitch=pitch, floats=1)
    begin = _numbers(rng, (rows * tiles_n * array.cols,), wild=wild)
    commands += [Load(**region), _adding(product, rng.random() < 0.6)]
    frames.append(pack_results(as_results(begin)))
    if rng.random() < 0.5:
        commands.append(_adding(product, rng.random() < 0.5))
    commands += [
        Store(**region, save_mask=1, relu=int(rng.integers(2)), mask=5),
        Store(**region, apply_mask=1, mask=5),
        Update(**region, lr=0x3DCCCCCD, momentum=0x3F666666, decay=0x38D1B717, floats=1),
    ]
    w, momenta = (random_floats(rng, rows * tiles_n * array.cols) for _ in range(2))
    frames.append(pack_weights(w, momenta))
    # Integers before and behind go through the same array.
    other = random_product(spec, rng, (16, 16, 33))
    if rng.random() < 0.5:
        commands, frames = [*commands, *other.commands], [*frames, *other.frames]
    else:
        commands, frames = [*other.commands, *commands], [*other.frames, *frames]
    program = Program.of(spec, commands, frames)
    if any(Code(status.code).refused for status in program.statuses):
        smaller = (max(1, most[0] // 2), max(1, most[1] // 2), max(1, most[2] // 2))
        return random_float_product(spec, rng, smaller)
    return program


def _along_rows(fill: Fill, groups: int) -> Fill:
    return Fill(**{**vars(fill), "n_g": groups, "floats": 1})


def _adding(product: Gemm, adds: bool) -> Gemm:
    return Gemm(**{**vars(product), "accumulate": int(adds)})


def _numbers(rng: np.random.Generator, shape: tuple[int, ...], *, wild: bool) -> Array:
    """Return fp32 numbers: of a few binades, or wild ones, patterns of every kind among them."""
    count = int(np.prod(shape))
    numbers = random_floats(rng, count)
    if wild:
        anything = rng.random(count) < 0.1
        numbers[anything] = rng.integers(0, 1 << 32, int(anything.sum()), np.uint32).view(np.float32)
        special = rng.random(count) < 0.02
        numbers[special] = rng.choice(_ODD, int(special.sum()))
    return numbers.reshape(shape)
