"""Random commands near the edges of what a core accepts: mostly wrong in one thing or in none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import pairwise
from random import Random

from hwgen.trainer import Bias, Fetch, Fill, Gemm, Load, Nop, Norm, Store, TrainerSpec, Unknown, Update
from hwgen.trainer.commands import COMMAND_BITS, COMMANDS, Command
from hwgen.trainer.judge import reach


def edge_commands(spec: TrainerSpec, count: int, seed: int) -> list[Command]:
    rng = Random(seed)
    return [_command(spec, rng) for _ in range(count)]


def _command(spec: TrainerSpec, rng: Random) -> Command:
    if rng.random() < 0.02:
        return Nop()
    if rng.random() < 0.02:
        return Unknown(rng.getrandbits(COMMAND_BITS - 8) << 8 | rng.randrange(len(COMMANDS), 256))
    kind = rng.choice((Fill, Fill, Gemm, *COMMANDS[1:]))  # the first ones have most to be wrong
    command: Command = _anything(rng, kind)
    if rng.random() < 0.9:
        command = _formatted(spec, rng, _shaped(spec, rng, command))
        if rng.random() < 0.1:
            command = _spoilt(rng, command)
        command = _placed(spec, rng, command)
    return command


def _anything(rng: Random, kind: type[Command]) -> Command:
    return kind(**{item.name: _value(rng, item.metadata) for item in fields(kind)})


def _spoilt(rng: Random, command: Command) -> Command:
    """Return the command with anything in one of its fields."""
    items = fields(command)
    if not items:
        return command
    item = rng.choice(items)
    return replace(command, **{item.name: _value(rng, item.metadata)})


def _value(rng: Random, metadata: Mapping) -> int:
    """Return a value of a field: of any length, a power of two or next to one, or an end of its range."""
    width = metadata["width"]
    power = 1 << rng.randrange(width + 1)
    value = rng.choices((rng.randrange(power), power + rng.randint(-1, 1), 0, -1), (6, 2, 1, 1))[0]
    return (
        _wrapped(-value if rng.random() < 0.4 else value, metadata)
        if metadata["signed"]
        else value % (1 << width)
    )


def _wrapped(value: int, metadata: Mapping) -> int:
    half = 1 << metadata["width"] - 1
    return (value + half) % (2 * half) - half if metadata["signed"] else value % (2 * half)


def _factors(rng: Random, product: float, *widths: int) -> list[int]:
    """Return positive numbers of so many bits whose product is about `product`, or less, or more."""
    bits = math.log2(product) * rng.choice((0.5, 0.8, 1, 1, 1, 1.1, 1.3, 2))
    cuts = [0.0, *sorted(rng.uniform(0, bits) for _ in widths)]
    lengths = [high - low for low, high in pairwise(cuts)]
    rng.shuffle(lengths)
    if rng.random() < 0.2:
        lengths = [math.ceil(length) for length in lengths]  # of powers of two
    return [min(round(2**length), (1 << width) - 1) for length, width in zip(lengths, widths, strict=True)]


def _formatted(spec: TrainerSpec, rng: Random, command: Command) -> Command:
    """Return the command with widths, exponents and flags that the core has, or nearly so."""
    changed = {}
    for item in fields(command):
        value = None
        if item.name.startswith("width"):
            value = rng.randint(spec.least_width, spec.most_width)
        elif item.name == "exponent":
            value = rng.choice((*spec.exponents, rng.randint(*spec.exponents)))
        elif item.name == "floats" and not spec.float_lanes:
            value = 0
        if value is not None:
            nearly = value + (rng.choice((-1, 1)) if rng.random() < 0.05 else 0)
            changed[item.name] = _wrapped(nearly, item.metadata)
    if isinstance(command, Fetch) and command.container != Fetch.FP32:
        changed = dict.fromkeys(("width", "exponent", "take", "measure"), 0)
    return replace(command, **changed)


def _shaped(spec: TrainerSpec, rng: Random, command: Command) -> Command:
    """Return the command with a shape that is legal, and about as large as a memory or smaller."""
    match command:
        case Fetch():
            return replace(command, words=_factors(rng, spec.scratch_words, 16, 16)[0])
        case Fill():
            return _shaped_fill(spec, rng, command)
        case Gemm():
            kgs, tiles_m, _ = _factors(rng, spec.a_words, 12, 10, 5)
            tiles_n = _factors(rng, spec.b_words, 10, 10)[0]
            space = spec.c_words // (tiles_m * spec.array.rows)
            pitch = max(tiles_n, rng.randint(0, space + 1))
            kgs = min(kgs, spec.most_groups)
            return replace(command, kgs=kgs, tiles_m=tiles_m, tiles_n=tiles_n, pitch=min(pitch, 4095))
        case Store() | Load() | Update() | Norm():
            rows, pitch = _factors(rng, spec.c_words, 16, 12)
            words = pitch if rng.random() < 0.5 else rng.randint(1, pitch)
            command = replace(command, rows=rows, pitch=pitch, words=words)
            if isinstance(command, Store) and rng.random() < 0.9:
                command = replace(command, mode=rng.randrange(3), save_mask=0, size=1)
            return command
        case Bias():
            return replace(command, words=_factors(rng, spec.bias_words, 8, 8)[0])
    return command


def _shaped_fill(spec: TrainerSpec, rng: Random, fill: Fill) -> Fill:
    lanes = spec.array.lanes
    written = lanes * (spec.b_words if fill.target else spec.a_words)
    n_b, n_y, n_x, n_ky, n_kx, n_g, _ = _factors(rng, written, 12, 12, 12, 6, 6, 10, 5)
    if rng.random() < 0.1:  # deep, of few rows
        n_b, n_y, n_ky, n_kx, n_g = 1, 1, 1, 1, rng.choice((512, rng.randint(1, 1023)))
    kgs = -(-n_b * n_y * n_x // lanes) if fill.transpose else n_ky * n_kx * n_g
    kgs += rng.choices((0, 1, -1), (18, 1, 1))[0]
    read = spec.scratch_words // rng.choice((1, 2, 4, 8, 16))
    limit_y, s_y = _factors(rng, read, 12, 15)
    limit_x, s_x = _factors(rng, read, 12, 15)
    s_b = rng.randint(0, min(read // n_b + 1, (1 << 15) - 1))
    if rng.random() < 0.1:  # far, by small steps
        s_b, limit_x, s_y, limit_y = 0, 1, rng.randint(0, 2), rng.randint(1, 4095)
    strides = {"s_b": s_b, "s_y": s_y, "s_x": s_x}
    for name, stride in strides.items():
        strides[name] = rng.choice((stride, -stride)) if rng.random() < 0.95 else getattr(fill, name)
    return replace(
        fill,
        kgs=kgs & 4095,
        n_b=n_b,
        n_y=n_y,
        n_x=n_x,
        n_ky=n_ky,
        n_kx=n_kx,
        n_g=n_g,
        limit_y=limit_y,
        limit_x=limit_x,
        step=max(fill.step, 1),
        **strides,
    )


def _placed(spec: TrainerSpec, rng: Random, command: Command) -> Command:
    """Return the command with its addresses anywhere, or such that it ends where a memory ends, or nearly."""
    places = {"base": "scratch", "source": "scratch", "a": "a", "b": "b", "c": "c", "mask": "mask"}
    places |= {"dest": "bias", "bias_at": "bias"}
    if isinstance(command, Fill):
        places["dest"] = "b" if command.target else "a"
    sizes = {"scratch": spec.scratch_words, "a": spec.a_words, "b": spec.b_words, "c": spec.c_words}
    sizes |= {"bias": spec.bias_words, "mask": spec.mask_words}
    items = [item for item in fields(command) if item.name in places]
    needed = reach(spec, replace(command, **{item.name: 0 for item in items}))
    changed = {}
    nearly = rng.choice(items) if items else None
    for item in items:
        words = sizes[places[item.name]]
        free = words - needed.get(places[item.name], words)
        at = rng.randrange(words)
        if rng.random() < 0.7:
            lowest = _depth(command) if isinstance(command, Fill) and item.name == "source" else free
            at = rng.choice((free, lowest)) + (rng.randint(-1, 1) if item is nearly else 0)
        if rng.random() < 0.05:
            at = _value(rng, item.metadata)
        changed[item.name] = at if 0 <= at < 1 << item.metadata["width"] else 0
    return replace(command, **changed)


def _depth(fill: Fill) -> int:
    """Return how far below its source a fill reads."""
    terms = ((fill.n_b, fill.s_b), (fill.limit_y, fill.s_y), (fill.limit_x, fill.s_x))
    return -sum(min(0, (count - 1) * stride) for count, stride in terms)
