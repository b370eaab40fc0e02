"""What is wrong with a command before it runs, and which memory it touches if nothing is.

Checks go in the order opcode, width, shape, address; the first that fails is the command's code. Addresses
of a fill's reads are judged by the whole box 0 <= b < n_b, 0 <= Y < limit_y, 0 <= X < limit_x, 0 <= g < n_g,
whether its loops reach every corner of it or not. A field that a command does not use is not judged, such as
the exponent beside `take`; but a fetch that does not quantise must leave everything about quantising at 0.
"""

from __future__ import annotations

from enum import IntFlag
from typing import NamedTuple

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
from hwgen.trainer.layout import container_of
from hwgen.trainer.spec import TrainerSpec
from hwgen.trainer.status import Code

__all__ = ["LAST_COUNTER", "Half", "Verdict", "judge", "reach"]

LAST_COUNTER = 4 * Counters.PER_STAGE


class Half(IntFlag):
    """Halves of the memories, by the top bit of the address: what a command holds while it runs."""

    NONE = 0
    S0, S1, A0, A1, B0, B1, C0, C1 = (1 << bit for bit in range(8))


class Verdict(NamedTuple):
    """The code of a command before it runs, and the halves that it holds if that is OK."""

    code: Code
    holds: Half


_FIRST = {"scratch": Half.S0, "a": Half.A0, "b": Half.B0, "c": Half.C0}
"""The lower half of each memory that has halves; the higher one is the next."""


class _Span(NamedTuple):
    """The words low..high of a memory of `words`."""

    low: int
    high: int
    words: int
    memory: str

    @property
    def inside(self) -> bool:
        return self.low >= 0 and self.high < self.words

    @property
    def halves(self) -> Half:
        middle = self.words // 2
        first = _FIRST.get(self.memory, Half.NONE)
        return (first if self.low < middle else Half.NONE) | (
            Half(first << 1) if self.high >= middle else Half.NONE
        )


class _Look(NamedTuple):
    """What there is to be judged: whether width and shape are legal, and the words that are touched."""

    width: bool
    shape: bool
    spans: list[_Span]


def judge(spec: TrainerSpec, command: Command) -> Verdict:
    """Return what is known of a command before it runs."""
    if isinstance(command, Unknown):
        return Verdict(Code.OPCODE, Half.NONE)
    look = _look(spec, command)
    if not look.width:
        return Verdict(Code.WIDTH, Half.NONE)
    if not look.shape:
        return Verdict(Code.SHAPE, Half.NONE)
    if not all(span.inside for span in look.spans):
        return Verdict(Code.ADDRESS, Half.NONE)
    holds = Half.NONE
    for span in look.spans:
        holds |= span.halves
    return Verdict(Code.OK, holds)


def reach(spec: TrainerSpec, command: Command) -> dict[str, int]:
    """Return how many words each memory that a command touches must have.

    Memories are ``scratch``, ``a``, ``b``, ``c``, ``bias`` and ``mask``.
    """
    words: dict[str, int] = {}
    for span in _look(spec, command).spans:
        words[span.memory] = max(words.get(span.memory, 0), span.high + 1)
    return words


def _look(spec: TrainerSpec, command: Command) -> _Look:
    width, shape, spans = True, True, []
    match command:
        case Fetch():
            width = command.container != Fetch.FP32 or _in_range(spec, command.width)
            shape = _fetch_shape(spec, command)
            if not command.measure:
                spans = [_Span(command.base, command.base + command.words - 1, spec.scratch_words, "scratch")]
        case Fill():
            width = _has_floats(spec) if command.floats else _in_range(spec, command.width)
            shape = _fill_shape(spec, command)
            spans = _fill_spans(spec, command)
        case Gemm():
            width = (
                _has_floats(spec)
                if command.floats
                else _in_range(spec, command.width_a) and _in_range(spec, command.width_b)
            )
            shape = (
                min(command.tiles_m, command.tiles_n) > 0
                and 0 < command.kgs <= spec.most_groups
                and command.pitch >= command.tiles_n
            )
            spans = _gemm_spans(spec, command)
        case Store():
            quantizes = command.mode in (Store.INTEGERS, Store.MEASURE)
            width = not quantizes or _in_range(spec, command.width)
            shape = _block_shape(command) and _store_shape(spec, command)
            spans = [_block_span(spec, command), *_store_spans(spec, command)]
        case Load():
            shape = _block_shape(command)
            spans = [_block_span(spec, command)]
        case Update() | Norm():
            results = command.rows * command.words * spec.array.cols
            floats = isinstance(command, Update) and bool(command.floats)
            width = not floats or _has_floats(spec)
            exponent = floats or _fits(spec, command.exponent)
            shape = _block_shape(command) and results % 4 == 0 and exponent
            spans = [_block_span(spec, command)]
        case Bias():
            shape = command.words > 0
            spans = [
                _Span(command.c, command.c + command.words - 1, spec.c_words, "c"),
                _Span(command.dest, command.dest + command.words - 1, spec.bias_words, "bias"),
            ]
        case Counters():
            shape = command.select <= LAST_COUNTER
    return _Look(width, shape, spans)


def _in_range(spec: TrainerSpec, width: int) -> bool:
    return spec.least_width <= width <= spec.most_width


def _has_floats(spec: TrainerSpec) -> bool:
    """Say whether the core has the width of fp32."""
    return spec.float_lanes > 0


def _fits(spec: TrainerSpec, exponent: int) -> bool:
    least, most = spec.exponents
    return least <= exponent <= most


def _fetch_shape(spec: TrainerSpec, fetch: Fetch) -> bool:
    kept = fetch.container == Fetch.PATTERNS
    if not fetch.words or (kept and (not spec.float_lanes or fetch.words % 2)):
        return False
    if fetch.container != Fetch.FP32:
        return not (fetch.width or fetch.exponent or fetch.take or fetch.measure)
    return bool(fetch.measure or fetch.take) or _fits(spec, fetch.exponent)


def _block_shape(block: Store | Load | Update | Norm) -> bool:
    return min(block.rows, block.words) > 0 and block.pitch >= block.words


def _block_span(spec: TrainerSpec, block: Store | Load | Update | Norm) -> _Span:
    end = block.c + (block.rows - 1) * block.pitch + block.words - 1
    return _Span(block.c, end, spec.c_words, "c")


def _store_shape(spec: TrainerSpec, store: Store) -> bool:
    if store.mode > Store.MEASURE or (store.apply_mask and store.save_mask):
        return False
    if store.mode != Store.INTEGERS:
        return True
    return container_of(store.width) <= store.size and bool(store.take or _fits(spec, store.exponent))


def _store_spans(spec: TrainerSpec, store: Store) -> list[_Span]:
    spans = []
    if store.bias:
        spans.append(_Span(store.bias_at, store.bias_at + store.words - 1, spec.bias_words, "bias"))
    if store.apply_mask or store.save_mask:
        end = store.mask + store.rows * store.words - 1
        spans.append(_Span(store.mask, end, spec.mask_words, "mask"))
    return spans


def _fill_shape(spec: TrainerSpec, fill: Fill) -> bool:
    loops = (fill.n_b, fill.n_y, fill.n_x, fill.n_ky, fill.n_kx, fill.n_g)
    if min(*loops, fill.limit_y, fill.limit_x, fill.step) == 0:
        return False
    groups = fill.n_ky * fill.n_kx * fill.n_g
    chunks = -(-fill.n_b * fill.n_y * fill.n_x // spec.array.lanes)
    return fill.kgs == (chunks if fill.transpose else groups)


def _fill_spans(spec: TrainerSpec, fill: Fill) -> list[_Span]:
    low = high = fill.source
    for count, stride in ((fill.n_b, fill.s_b), (fill.limit_y, fill.s_y), (fill.limit_x, fill.s_x)):
        reach = (count - 1) * stride
        low, high = low + min(reach, 0), high + max(reach, 0)
    high += (2 if fill.floats else 1) * fill.n_g - 1

    lanes = spec.array.lanes
    blocks = (
        fill.n_ky * fill.n_kx * fill.n_g if fill.transpose else -(-fill.n_b * fill.n_y * fill.n_x // lanes)
    )
    banks, words, memory = (
        (spec.array.cols, spec.b_words, "b") if fill.target else (spec.array.rows, spec.a_words, "a")
    )
    written = blocks * (lanes // banks) * fill.kgs * spec.planes(fill.width, fill.floats)
    return [
        _Span(low, high, spec.scratch_words, "scratch"),
        _Span(fill.dest, fill.dest + written - 1, words, memory),
    ]


def _gemm_spans(spec: TrainerSpec, gemm: Gemm) -> list[_Span]:
    a = gemm.tiles_m * gemm.kgs * spec.planes(gemm.width_a, gemm.floats)
    b = gemm.tiles_n * gemm.kgs * spec.planes(gemm.width_b, gemm.floats)
    c = (gemm.tiles_m * spec.array.rows - 1) * gemm.pitch + gemm.tiles_n
    return [
        _Span(gemm.a, gemm.a + a - 1, spec.a_words, "a"),
        _Span(gemm.b, gemm.b + b - 1, spec.b_words, "b"),
        _Span(gemm.c, gemm.c + c - 1, spec.c_words, "c"),
    ]
