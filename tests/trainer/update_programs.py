"""Random programs of the third stage: results as gradients of weights and momenta that pass through."""

from __future__ import annotations

import numpy as np
from core_programs import Program
from rounding_programs import random_floats

from hwgen.trainer import Command, Frame, Load, Store, TrainerSpec, Update
from hwgen.trainer.layout import pack_results, pack_weights

_ODD = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -3e38, 3e38], np.float32)


def pattern(x: float) -> int:
    """Return the fp32 pattern of a number."""
    return int(np.float32(x).view(np.uint32))


def random_update(spec: TrainerSpec, rng: np.random.Generator) -> Program:
    """Return a program of loads, updates of whole and of broken frames, and a store that follows."""
    cols = spec.array.cols
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
                exponent=int(rng.integers(-40, 20)),
                lr=pattern(rng.choice([0.1, 0.01, 0.0, 1.5])),
                momentum=pattern(rng.choice([0.9, 0.0, 1.0])),
                decay=pattern(rng.choice([1e-4, 0.0])),
            )
        )
        frame = pack_weights(w, m)
        wrong = rng.random()
        if wrong < 0.15 and len(frame.beats) > 1:
            frame = Frame(frame.beats[: int(rng.integers(1, len(frame.beats)))])
        elif wrong < 0.3:
            frame = Frame(np.concatenate([frame.beats, frame.beats[:3]]))
        frames.append(frame)
        commands.append(Store(**region))
    return Program.of(spec, commands, frames)
