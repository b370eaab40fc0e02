"""Random programs of a trainer core: products of random shapes, widths and layouts, with what golden says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.trainer import (
    Command,
    Fetch,
    Fill,
    Frame,
    Gemm,
    GoldenCore,
    Status,
    Store,
    TrainerSpec,
    encode,
    pack,
    to_words,
)


@dataclass(frozen=True)
class Program:
    """Commands, the frames that they take, and what must come back."""

    commands: list[Command]
    frames: list[Frame]
    statuses: list[Status]
    sent: list[Frame]

    @classmethod
    def of(cls, spec: TrainerSpec, commands: list[Command], frames: list[Frame]) -> Program:
        """Return the program with golden's answers, from reset on."""
        core, left = GoldenCore(spec), list(frames)
        answers = [
            core.execute(command, left.pop(0) if core.takes_frame(command) else None) for command in commands
        ]
        sent = [frame for _, frame in answers if frame is not None]
        return cls(commands, frames, [status for status, _ in answers], sent)

    @property
    def beats(self) -> list[int]:
        """The commands as beats."""
        return [encode(command) for command in self.commands]


def random_product(spec: TrainerSpec, rng: np.random.Generator) -> Program:
    """Return loads of two operands, as they lie or transposed, one or two products, and a store."""
    array = spec.array
    widths = rng.integers(spec.least_width, spec.most_width + 1, 2).tolist()
    m, n, k = (int(rng.integers(1, most)) for most in (33, 33, 60))
    turned = rng.integers(0, 2, 2).tolist()
    tensors = []
    for width, rows, turn in zip(widths, (m, n), turned, strict=True):
        operand = rng.integers(-(1 << width - 1), 1 << width - 1, (rows, k))
        operand[rng.integers(rows)] = -(1 << width - 1)
        tensors.append(operand.T if turn else operand)
    groups = -(-k // array.lanes)
    tiles_m, tiles_n = -(-m // array.rows), -(-n // array.cols)
    half = spec.scratch_words // 2
    commands: list[Command] = []
    frames = []
    for target, (tensor, width, turn) in enumerate(zip(tensors, widths, turned, strict=True)):
        container = int(width > 8 or rng.random() < 0.5)
        frame = pack(to_words(tensor), container)
        frames.append(frame)
        words = len(frame.beats) // (container + 1)
        row = words // len(tensor)
        commands += [
            Fetch(container, target * half, words),
            Fill(
                target,
                turn,
                width,
                target * half,
                3 + target,
                groups,
                n_y=len(tensor),
                s_y=row,
                n_g=row,
                limit_y=len(tensor),
            ),
        ]
    product = {"a": 3, "b": 4, "c": 7, "tiles_m": tiles_m, "tiles_n": tiles_n, "kgs": groups}
    product |= {"width_a": widths[0], "width_b": widths[1], "pitch": tiles_n + 1}
    commands.append(Gemm(**product))
    if rng.random() < 0.5:
        commands.append(Gemm(**product, accumulate=1))
    commands.append(Store(7, tiles_m * array.rows, tiles_n, tiles_n + 1))
    return Program.of(spec, commands, frames)


def malformed(spec: TrainerSpec) -> list[Command | int]:
    """Return commands that must be refused, each for one reason."""
    good = Gemm(0, 0, 0, 1, 1, 1, 8, 8, 0, 1)
    return [
        0x77,
        Gemm(**{**vars(good), "width_a": spec.most_width + 1}),
        Gemm(**{**vars(good), "width_b": spec.least_width - 1}),
        Gemm(**{**vars(good), "tiles_m": 0}),
        Gemm(**{**vars(good), "kgs": spec.most_groups + 1}),
        Gemm(**{**vars(good), "a": spec.a_words - 3}),
        Gemm(**{**vars(good), "b": spec.b_words - 3}),
        Gemm(**{**vars(good), "c": spec.c_words - spec.array.rows + 1}),
        Gemm(**{**vars(good), "tiles_n": 2}),
        Fetch(0, spec.scratch_words - 1, 2),
        Fetch(0, 0, 0),
        Fetch(3, 0, 1),
        Fill(0, 0, 8, 0, 0, 2, limit_y=1),
        Fill(0, 0, 1, 0, 0, 1),
        Fill(1, 0, 8, spec.scratch_words, 0, 1),
        Fill(1, 0, 8, 0, spec.b_words - 1, 1),
        Fill(0, 0, 8, 0, 0, 1, n_y=2, s_y=-1, limit_y=2),
        Store(0, 0, 1, 1),
        Store(spec.c_words - 1, 2, 1, 1),
        Store(0, 1, 2, 1),
    ]
