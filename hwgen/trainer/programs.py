"""Random programs of a trainer core and golden's answers: products, rounding of all kinds, weight updates.

Memories keep what they held through a reset, so a program reads only what it has written itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.trainer.commands import Bias, Command, Fetch, Fill, Gemm, Load, Norm, Store, Update, encode
from hwgen.trainer.golden import GoldenCore
from hwgen.trainer.layout import (
    Array,
    Frame,
    pack,
    pack_numbers,
    pack_results,
    pack_sums,
    pack_weights,
    to_words,
)
from hwgen.trainer.spec import TrainerSpec
from hwgen.trainer.status import Code, Status

__all__ = ["Program", "random_product", "random_rounding", "random_update"]

_ODD = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -3e38, 3e38], np.float32)


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


def random_product(
    spec: TrainerSpec, rng: np.random.Generator, most: tuple[int, int, int] = (32, 32, 59)
) -> Program:
    """Return loads of two operands, as they lie or transposed, one or two products, and a store.

    Parameters
    ----------
    most : tuple of int
        Greatest rows, columns and length of its sums; halved until the core's memories hold the product.
    """
    array = spec.array
    widths = rng.integers(spec.least_width, spec.most_width + 1, 2).tolist()
    m, n, k = (int(rng.integers(1, limit + 1)) for limit in most)
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
    program = Program.of(spec, commands, frames)
    if any(Code(status.code).refused for status in program.statuses):
        rows, cols, length = (max(1, limit // 2) for limit in most)
        return random_product(spec, rng, (rows, cols, length))
    return program


def random_floats(rng: np.random.Generator, count: int) -> Array:
    """Return fp32 numbers of a few binades, with zeros, subnormals and equal magnitudes among them."""
    x = rng.standard_normal(count) * 2.0 ** rng.integers(-20, 20)
    x *= 2.0 ** rng.integers(-6, 2, count)
    x[rng.random(count) < 0.1] = 0
    if rng.random() < 0.2:
        x *= 2.0**-130
    if rng.random() < 0.3:
        x = np.sign(x) * 2.0 ** np.floor(np.log2(np.abs(x) + 2.0**-140))
    return x.astype(np.float32)


def random_rounding(spec: TrainerSpec, rng: np.random.Generator) -> Program:
    """Return a program that measures and rounds operands, multiplies, and stores in every way."""
    array = spec.array
    cols = array.cols
    commands: list[Command] = []
    frames: list[Frame] = []
    width_a, width_b = rng.integers(spec.least_width, spec.most_width + 1, 2).tolist()
    for target, width in enumerate((width_a, width_b)):
        x = random_floats(rng, 16 * 16)
        # Memories keep what they held through a reset; a frame that is refused leaves it there.
        half = target * spec.scratch_words // 2
        commands.append(Fetch(1, half, 16))
        frames.append(pack(np.zeros((16, 1, 16), np.int16), 1))
        if rng.random() < 0.1:
            x[rng.integers(len(x))] = rng.choice([np.inf, -np.inf, np.nan])
        taken = rng.random() < 0.7
        if taken:
            commands.append(Fetch(Fetch.FP32, 0, 16, width=width, measure=1))
            frames.append(pack_numbers(x))
        exponent = int(rng.integers(-20, 20))
        commands.append(
            Fetch(Fetch.FP32, half, 16, width=width, take=int(taken), exponent=0 if taken else exponent)
        )
        frames.append(pack_numbers(x))
        commands.append(Fill(target, 0, width, half, 0, 1, n_y=16, s_y=1, limit_y=16))
    tiles_m, tiles_n = 16 // array.rows, 16 // cols
    commands.append(Gemm(0, 0, 0, tiles_m, tiles_n, 1, width_a, width_b, 0, tiles_n))
    biases = rng.integers(-(1 << 20), 1 << 20, cols * tiles_n)
    at = spec.c_words - tiles_n
    commands.append(Load(at, 1, tiles_n, tiles_n))
    frames.append(pack_results(biases))
    commands.append(Bias(at, tiles_n, 3))
    region = {"c": 0, "rows": 16, "words": tiles_n, "pitch": tiles_n}
    commands.append(Store(**region, save_mask=1, mask=5))
    for _ in range(4):
        width = int(rng.integers(spec.least_width, spec.most_width + 1))
        mask = int(rng.integers(0, 3))
        how = {
            "bias": int(rng.integers(0, 2)),
            "bias_at": 3,
            "relu": int(rng.integers(0, 2)),
            "apply_mask": int(mask == 1),
            "save_mask": int(mask == 2),
            "mask": 5,
            "width": width,
        }
        commands.append(Store(**region, mode=Store.MEASURE, **how))
        size = int(width > 8 or rng.random() < 0.5)
        commands.append(Store(**region, mode=Store.INTEGERS, take=1, size=size, **how))
        exponent = int(rng.integers(-3, 30))
        commands.append(Store(**region, mode=Store.INTEGERS, exponent=exponent, size=size, **how))
        commands.append(Store(**region, mode=Store.RAW, **how))
    return Program.of(spec, commands, frames)


def pattern(x: float) -> int:
    """Return the fp32 pattern of a number."""
    return int(np.float32(x).view(np.uint32))


def random_update(spec: TrainerSpec, rng: np.random.Generator) -> Program:
    """Return a program of loads, updates and norms, of whole and of broken frames, and stores."""
    cols = spec.array.cols
    lowest = max(-40, -(1 << spec.exponent_bits - 1))  # one that is refused would leave its frame to the next
    commands: list[Command] = []
    frames: list[Frame] = []
    for _ in range(3):
        rows, words = (int(n) for n in rng.integers(1, 5, 2))
        region = {
            "c": int(rng.integers(20)),
            "rows": rows,
            "words": words,
            "pitch": words + int(rng.integers(2)),
        }
        count = rows * words * cols
        results = rng.integers(-(1 << 30), 1 << 30, count) >> rng.integers(0, 30, count)
        commands.append(Load(**region))
        frames.append(pack_results(results))
        w, m = random_floats(rng, count), random_floats(rng, count)
        for tensor in (w, m):
            odd = rng.random(count) < 0.1
            tensor[odd] = rng.choice(_ODD, int(odd.sum()))
        commands.append(
            Update(
                **region,
                exponent=int(rng.integers(lowest, 20)),
                lr=pattern(rng.choice([0.1, 0.01, 0.0, 1.5])),
                momentum=pattern(rng.choice([0.9, 0.0, 1.0])),
                decay=pattern(rng.choice([1e-4, 0.0])),
            )
        )
        frames.append(_perhaps_broken(pack_weights(w, m), rng))
        for sums in rng.integers(0, 2, 2).tolist():
            commands.append(Norm(**region, exponent=int(rng.integers(lowest, 20)), sums=sums))
            frames += [_perhaps_broken(pack_sums(w), rng)] * sums
        commands.append(Store(**region))
    return Program.of(spec, commands, frames)


def _perhaps_broken(frame: Frame, rng: np.random.Generator) -> Frame:
    """Return a frame as it is, or, seldom, one that ends too early or too late."""
    wrong = rng.random()
    if wrong < 0.15 and len(frame.beats) > 1:
        return Frame(frame.beats[: int(rng.integers(1, len(frame.beats)))])
    if wrong < 0.3:
        return Frame(np.concatenate([frame.beats, frame.beats[:3]]))
    return frame
