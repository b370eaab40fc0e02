"""Commands that a core must refuse: each is wrong in one way, and would spoil a memory if it ran."""

from __future__ import annotations

from collections.abc import Iterator

from hwgen.trainer.commands import (
    Bias,
    Command,
    Counters,
    Fetch,
    Fill,
    Gemm,
    Load,
    Norm,
    Store,
    Unknown,
    Update,
)
from hwgen.trainer.judge import LAST_COUNTER
from hwgen.trainer.spec import TrainerSpec

__all__ = ["malformed"]

_FARTHEST = (1 << 16) - 1
"""The greatest address that a command can name."""


def malformed(spec: TrainerSpec) -> list[Command]:
    """Return commands that must be refused, each for one reason."""
    return [*_products(spec), *_operands(spec), *_results(spec)]


def _products(spec: TrainerSpec) -> Iterator[Command]:
    width = spec.most_width
    good = {"tiles_m": 1, "tiles_n": 1, "kgs": 1, "width_a": width, "width_b": width, "pitch": 1}
    yield Unknown(0x77)
    for field, value in (
        ("width_a", width + 1),
        ("width_b", spec.least_width - 1),
        ("tiles_m", 0),
        ("tiles_n", 2),  # beyond the pitch
        ("kgs", spec.most_groups + 1),
    ):
        yield Gemm(**{**good, field: value})
    yield from _floats(spec)
    # All planes of the widest word, and one of them past the end.
    yield Gemm(**good, a=min(spec.a_words - spec.most_planes + 1, _FARTHEST))
    yield Gemm(**good, b=min(spec.b_words - spec.most_planes + 1, _FARTHEST))
    yield Gemm(**good, c=min(spec.c_words - spec.array.rows + 1, _FARTHEST))


def _floats(spec: TrainerSpec) -> Iterator[Command]:
    """Give commands of fp32 numbers: without float lanes all are wrong, and with them these reach too far."""
    a = spec.a_words - spec.float_planes + 1 if spec.float_lanes else 0
    scratch, results = (spec.scratch_words, spec.c_words) if spec.float_lanes else (1, 1)
    yield Gemm(min(a, _FARTHEST), 0, 0, 1, 1, 1, pitch=1, floats=1)
    yield Fill(0, 0, 0, scratch - 1, 0, 1, floats=1)
    yield Update(results - 1, 2, 1, 1, floats=1)


def _operands(spec: TrainerSpec) -> Iterator[Command]:
    last, width = spec.scratch_words - 1, spec.most_width
    yield Fetch(0, last, 2)
    yield Fetch(0, 0, 0)
    yield Fetch(3, 0, 1)
    yield Fetch(0, 0, 1, width=8)
    yield Fetch(Fetch.FP32, 0, 1, width=width + 1)
    yield Fetch(Fetch.FP32, 0, 1, width=width, exponent=spec.exponents[1] + 1)
    yield Fill(0, 0, width, 0, 0, 2)
    yield Fill(0, 0, spec.least_width - 1, 0, 0, 1)
    yield Fill(1, 0, width, last, 0, 1, n_y=2, s_y=1, limit_y=2)
    yield Fill(1, 0, width, 0, spec.b_words - 1, 1)
    yield Fill(0, 0, width, 0, 0, 1, n_y=2, s_y=-1, limit_y=2)


def _results(spec: TrainerSpec) -> Iterator[Command]:
    last = spec.c_words - 1
    yield Store(0, 0, 1, 1)
    yield Store(last, 2, 1, 1)
    yield Store(0, 1, 2, 1)
    yield Store(0, 1, 1, 1, mode=3)
    yield Store(0, 1, 1, 1, apply_mask=1, save_mask=1)
    yield Store(0, 1, 1, 1, bias=1, bias_at=spec.bias_words)
    yield Store(0, 1, 1, 1, save_mask=1, mask=spec.mask_words)
    yield Load(0, 1, 2, 1)
    yield Load(last, 2, 1, 1)
    yield Bias(0, 0, 0)
    yield Bias(0, 2, spec.bias_words - 1)
    yield Update(0, 0, 1, 1)
    yield Update(last, 2, 1, 1)
    yield Norm(0, 1, 2, 1)
    yield Norm(last, 2, 1, 1, sums=1)
    yield Norm(0, 1, 1, 1, exponent=spec.exponents[0] - 1)
    yield Counters(LAST_COUNTER + 1)
