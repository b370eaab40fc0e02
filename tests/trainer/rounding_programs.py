"""Random programs of the second stage: fp32 in, measured and rounded; results out by bias, mask and relu."""

from __future__ import annotations

import numpy as np
from core_programs import Program

from hwgen.trainer import Bias, Command, Fetch, Fill, Frame, Gemm, Load, Store, TrainerSpec
from hwgen.trainer.layout import pack, pack_numbers, pack_results


def random_floats(rng: np.random.Generator, count: int) -> np.ndarray:
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
