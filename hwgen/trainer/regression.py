"""The regression of a core: scenarios with golden's answers, as the benches of an emitted project read them.

``sim/trainer_bench.py`` runs the scenarios of ``tb/regression.json`` on RTL and says what their steps are.
The C++ testbench has neither clock nor reset: it runs one long program, ``tb/program.txt``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from hwgen.trainer.commands import COMMAND_BITS, Command, Fetch, Fill, Gemm, Load, Nop, Store, Update, encode
from hwgen.trainer.float_programs import random_float_product
from hwgen.trainer.layout import Frame, pack, pack_numbers, pack_results, pack_weights, to_words
from hwgen.trainer.malformed import malformed
from hwgen.trainer.programs import Program, random_product, random_rounding, random_update
from hwgen.trainer.spec import TrainerSpec
from hwgen.trainer.status import STATUS_BITS

__all__ = ["program_of", "program_text", "regression_text", "scenarios"]

_RANDOM = 3
"""Random programs of each kind."""

_BEAT_BITS = 128

Step = dict[str, Any]


def scenarios(spec: TrainerSpec) -> Iterator[tuple[str, list[Step]]]:
    """Give name and steps of each scenario: random programs, and every fault with a program after it."""
    rng = np.random.default_rng(1)
    for kind in (random_product, random_rounding, random_update):
        for index in range(_RANDOM):
            yield f"{kind.__name__} {index}".replace("_", " "), _steps(kind(spec, rng))
    for index in range(_RANDOM if spec.float_lanes else 0):
        yield f"random float product {index}", _steps(random_float_product(spec, rng))
    good = random_product(spec, rng)
    yield "malformed commands change nothing", _steps(_refusals(spec, good))
    yield "frames too short and too long", _steps(_wrong_lengths(spec, good))
    yield "numbers that are not finite", _steps(_not_finite(spec, good))
    yield "results that overflow saturate", _steps(_overflow(spec, good))
    yield "frame that stops", _stop(spec, good)
    yield "resets in the middle of commands", _resets(spec, good)


def regression_text(found: Iterable[tuple[str, list[Step]]]) -> bytes:
    """Return the text of scenarios, ``tb/regression.json``."""
    data = {"scenarios": [{"name": name, "steps": steps} for name, steps in found]}
    return (json.dumps(data, indent=1) + "\n").encode()


def program_of(spec: TrainerSpec) -> Program:
    """Return one program of everything that needs no clock."""
    rng = np.random.default_rng(2)
    product = random_product(spec, rng)
    parts = [
        *(_wrong_lengths(spec, product), _refusals(spec, product), _overflow(spec, product)),
        *(kind(spec, rng) for kind in (random_product, random_rounding, random_update)),
    ]
    if spec.float_lanes:
        parts.append(random_float_product(spec, rng))
    commands = [command for part in parts for command in part.commands]
    return Program.of(spec, commands, [frame for part in parts for frame in part.frames])


def program_text(program: Program) -> bytes:
    """Return the text of a program and its answers, ``tb/program.txt``."""
    lines = ["# stream, TLAST where it has one, beat"]
    lines += [f"cmd {_hex(beat, COMMAND_BITS)}" for beat in program.beats]
    lines += _frame_lines("din", program.frames)
    lines += _frame_lines("dout", program.sent)
    lines += [f"status {_hex(status.encode(), STATUS_BITS)}" for status in program.statuses]
    return ("\n".join(lines) + "\n").encode()


# ---- the faults --------------------------------------------------------------------------------------


def _refusals(spec: TrainerSpec, good: Program) -> Program:
    """Return a program between whose commands all malformed ones stand; what they name holds its data."""
    bad = malformed(spec)
    cols = spec.array.cols
    # Results below the product, which malformed commands name too, are read back with it at the end.
    below = np.arange(7 * cols) * 0x1234567 - (1 << 24)
    commands: list[Command] = [Load(0, 1, 7, 7)]
    for command in good.commands:
        commands += [command, *(bad if isinstance(command, Fill | Gemm) else [])]
    return Program.of(spec, [*commands, Store(0, 1, 7, 7), Nop()], [pack_results(below), *good.frames])


def _wrong_lengths(spec: TrainerSpec, good: Program) -> Program:
    """Return fetches, loads and updates whose frames end too early or too late, then a product."""
    elements = to_words(np.arange(6 * 16).reshape(6, 16) - 40)
    results = np.arange(3 * spec.array.cols) - 5
    weights = np.linspace(-1, 1, spec.array.cols * 2, dtype=np.float32)
    update = Update(0, 2, 1, 1, exponent=-8, lr=0x3DCCCCCD, momentum=0x3F666666)
    whole = pack_weights(weights, weights[::-1].copy())
    faults: list[tuple[Command, Frame]] = [
        (Fetch(1, 9, 4), pack(elements[:2], 1)),
        (Fetch(1, 20, 4), pack(elements, 1)),
        (Fetch(Fetch.FP32, 40, 4, width=spec.most_width), pack_numbers(weights[:4])),
        (Load(0, 1, 3, 3), pack_results(results)),
        (Load(0, 1, 3, 3), pack_results(results[: spec.array.cols])),
        (Load(1, 1, 2, 2), pack_results(results)),
        (update, Frame(whole.beats[:1])),
        (update, Frame(np.concatenate([whole.beats, whole.beats[:3]]))),
        (update, whole),
    ]
    commands = [*(command for command, _ in faults), Store(0, 1, 3, 3), *good.commands]
    return Program.of(spec, commands, [*(frame for _, frame in faults), *good.frames])


def _not_finite(spec: TrainerSpec, good: Program) -> Program:
    """Return a product of what frames with infinities and NaNs have left, and another one."""
    width = spec.most_width
    numbers = np.linspace(-3, 3, 16 * 16, dtype=np.float32)
    commands: list[Command] = [Fetch(1, 0, 16)]
    frames = [pack(to_words(np.full((16, 16), 1)), 1)]
    for place, value in ((100, np.inf), (37, -np.inf), (0, np.nan)):
        broken = numbers.copy()
        broken[place] = value
        commands += [
            Fetch(Fetch.FP32, 0, 16, width=width, exponent=-2),
            Fetch(Fetch.FP32, 0, 16, width=width, measure=1),
        ]
        frames += [pack_numbers(broken)] * 2
    rows = {"n_y": 16, "s_y": 1, "limit_y": 16}
    tiles_m, tiles_n = 16 // spec.array.rows, 16 // spec.array.cols
    commands += [Fill(target, 0, width, 0, 0, 1, **rows) for target in (0, 1)]
    commands.append(Gemm(0, 0, 0, tiles_m, tiles_n, 1, width, width, 0, tiles_n))
    commands.append(Store(0, 16, tiles_n, tiles_n))
    return Program.of(spec, [*commands, *good.commands], [*frames, *good.frames])


def _overflow(spec: TrainerSpec, good: Program) -> Program:
    """Return products added to the greatest and least results, loads beyond them, and the next product."""
    most = (1 << spec.result_bits - 1) - 1
    rows, cols, width = spec.array.rows, spec.array.cols, spec.most_width
    edges = np.where(np.arange(rows * cols) % 3 == 0, -most - 1, most)
    beyond = np.where(edges < 0, np.iinfo(np.int64).min, np.iinfo(np.int64).max)
    operand = np.arange(16 * 16).reshape(16, 16) % ((1 << width - 1) - 1) - 1
    commands: list[Command] = [Fetch(1, 0, 16)]
    fill = {"n_y": 16, "s_y": 1, "limit_y": 16}
    commands += [Fill(target, 0, width, 0, 0, 1, **fill) for target in (0, 1)]
    commands += [
        Load(0, rows, 1, 1),
        Gemm(0, 0, 0, 1, 1, 1, width, width, 1, 1),
        Store(0, rows, 1, 1),
        Load(0, rows, 1, 1),
        Store(0, rows, 1, 1),
    ]
    frames = [pack(to_words(operand), 1), pack_results(edges), pack_results(beyond)]
    return Program.of(spec, [*commands, *good.commands], [*frames, *good.frames])


def _stop(spec: TrainerSpec, good: Program) -> list[Step]:
    """Return the steps of a fetch whose frame stops: it is given up; what comes then is the next one's."""
    stopped = Frame(pack(to_words(np.arange(32).reshape(2, 16)), 1).beats[:3], ended=False)
    program = Program.of(spec, [Fetch(1, 0, 6), *good.commands], [stopped, *good.frames])
    first, *others = _frames(good.frames)
    statuses = [_hex(status.encode(), STATUS_BITS) for status in program.statuses]
    commands = [_hex(beat, COMMAND_BITS) for beat in program.beats]
    return [
        {"send": "cmd", "beats": commands[:1]},
        {"send": "din", "beats": _beats(stopped) + first, "stop": len(stopped.beats)},
        {"expect": "status", "beats": statuses[:1]},
        {"resume": "din"},
        {"send": "cmd", "beats": commands[1:]},
        *({"send": "din", "beats": frame} for frame in others),
        {"expect": "status", "beats": statuses[1:]},
        {"expect": "dout", "frames": _frames(program.sent)},
    ]


def _resets(spec: TrainerSpec, good: Program) -> list[Step]:
    """Return the steps of programs that a reset ends early, each at another stage, and of a whole one."""
    cut = [step for step in _steps(good) if "send" in step]
    ended = ([*cut, {"cycles": cycles}, {"reset": 8}] for cycles in (20, 150, 400, 900))
    return [*(step for steps in ended for step in steps), *_steps(good)]


# ---- as text -----------------------------------------------------------------------------------------


def _steps(program: Program) -> list[Step]:
    """Return the steps that run a program at once and expect its answers."""
    return [
        {"send": "cmd", "beats": [_hex(encode(command), COMMAND_BITS) for command in program.commands]},
        *({"send": "din", "beats": beats} for beats in _frames(program.frames)),
        {"expect": "status", "beats": [_hex(status.encode(), STATUS_BITS) for status in program.statuses]},
        {"expect": "dout", "frames": _frames(program.sent)},
    ]


def _frames(frames: Iterable[Frame]) -> list[list[str]]:
    return [_beats(frame) for frame in frames]


def _beats(frame: Frame) -> list[str]:
    return [_hex(word, _BEAT_BITS) for word in frame.words()]


def _frame_lines(stream: str, frames: Sequence[Frame]) -> Iterator[str]:
    for frame in frames:
        beats = _beats(frame)
        yield from (
            f"{stream} {int(place == len(beats))} {beat}" for place, beat in enumerate(beats, start=1)
        )


def _hex(word: int, bits: int) -> str:
    return f"{word:0{bits // 4}x}"
