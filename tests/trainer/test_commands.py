"""Commands and statuses as beats."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.trainer import (
    Bias,
    Fetch,
    Fill,
    Gemm,
    Load,
    Norm,
    Status,
    Store,
    Unknown,
    Update,
    decode,
    encode,
    field_table,
    status_table,
)
from hwgen.trainer.commands import COMMAND_BITS, COMMANDS, Command
from hwgen.trainer.status import STATUS_BITS, rounding_payload


@st.composite
def commands(draw: st.DrawFn) -> Command:
    kind = draw(st.sampled_from(COMMANDS))
    values = {}
    for item in fields(kind):
        width, signed = item.metadata["width"], item.metadata["signed"]
        low = -(1 << width - 1) if signed else 0
        values[item.name] = draw(st.integers(low, low + (1 << width) - 1))
    return kind(**values)


@given(commands())
def test_a_command_comes_back_from_its_beat(command: Command) -> None:
    assert decode(encode(command)) == command


@given(st.integers(0, (1 << COMMAND_BITS) - 1))
def test_every_beat_is_some_command(word: int) -> None:
    command = decode(word)
    low = encode(command)
    assert low == word if isinstance(command, Unknown) else decode(low) == command


@given(st.integers(0, (1 << STATUS_BITS) - 1))
def test_a_status_is_its_beat(word: int) -> None:
    assert Status.decode(word).encode() == word


def test_fields_follow_each_other_after_the_opcode_and_fit_the_beat() -> None:
    rows = list(field_table())
    for kind in COMMANDS:
        at = 8
        for row in (row for row in rows if row.command == kind.__name__.lower()):
            assert row.low == at
            at += row.width
        assert at <= COMMAND_BITS
    assert sum(row.width for row in status_table()) == STATUS_BITS


def test_positions_are_the_published_ones() -> None:
    # Written out by hand: hosts that do not use this package depend on them.
    assert encode(Fetch(container=1, base=0x1234, words=7)) == 1 | 1 << 8 | 0x1234 << 10 | 7 << 26
    assert encode(Store(c=5, rows=6, words=7, pitch=8)) == 4 | 5 << 8 | 6 << 24 | 7 << 40 | 8 << 52
    fetch = Fetch(2, 0, 1, width=9, exponent=-2, take=1, measure=1)
    assert encode(fetch) == 1 | 2 << 8 | 1 << 26 | 9 << 42 | 0xFFFE << 47 | 1 << 63 | 1 << 64
    store = Store(mode=1, width=9, exponent=-2, take=1, bias=1, bias_at=3, mask=0x1234, size=1)
    where = [64, 66, 71, 87, 88, 89, 100, 116]
    values = [1, 9, 0xFFFE, 1, 1, 3, 0x1234, 1]
    assert encode(store) == 4 | sum(v << at for v, at in zip(values, where, strict=True))
    flags = [encode(Store(**{key: 1})) >> 97 for key in ("apply_mask", "relu", "save_mask")]
    assert flags == [1, 2, 4]
    assert encode(Load(5, 6, 7, 8)) == 6 | 5 << 8 | 6 << 24 | 7 << 40 | 8 << 52
    assert encode(Bias(5, 6, 7)) == 7 | 5 << 8 | 6 << 24 | 7 << 32
    update = Update(5, 6, 7, 8, exponent=-2, lr=0x3DCCCCCD, momentum=9, decay=0xFFFFFFFF)
    where = [8, 24, 40, 52, 64, 80, 112, 144]
    values = [5, 6, 7, 8, 0xFFFE, 0x3DCCCCCD, 9, 0xFFFFFFFF]
    assert encode(update) == 8 | sum(v << at for v, at in zip(values, where, strict=True))
    norm = Norm(5, 6, 7, 8, exponent=-2, sums=1)
    values, where = [5, 6, 7, 8, 0xFFFE, 1], where[:6]
    assert encode(norm) == 9 | sum(v << at for v, at in zip(values, where, strict=True))
    gemm = Gemm(a=1, b=2, c=3, tiles_m=4, tiles_n=5, kgs=6, width_a=7, width_b=8, accumulate=1, pitch=9)
    where = [8, 24, 40, 56, 66, 76, 88, 93, 98, 99]
    values = [1, 2, 3, 4, 5, 6, 7, 8, 1, 9]
    assert encode(gemm) == 3 | sum(v << at for v, at in zip(values, where, strict=True))
    fill = Fill(target=1, transpose=0, width=16, s_b=-1, offset_x=-3, limit_x=0xABC)
    word = encode(fill)
    assert (word >> 8 & 1, word >> 10 & 31, word >> 95 & 0xFFFF) == (1, 16, 0xFFFF)
    assert (word >> 177 & 0xFF, word >> 197 & 0xFFF) == (0xFD, 0xABC)


def test_commands_of_the_first_stage_mean_what_they_did() -> None:
    for command in (Fetch(1, 2, 3), Store(5, 6, 7, 8)):
        word = encode(command)
        assert word >> 64 == 0
        assert decode(word) == command


def test_a_measured_exponent_is_signed() -> None:
    assert Status(payload=(1 << 64) - 5).exponent == -5
    assert Status(payload=7).exponent == 7


def test_a_rounding_tells_of_saturated_elements_and_of_the_exponent_they_asked_for() -> None:
    for asked_for in (-128, -1, 0, 127):
        status = Status(payload=rounding_payload(1 << 20, asked_for) & (1 << 64) - 1)
        assert (status.saturated, status.asked_for) == (1 << 20, asked_for)


def test_a_value_that_does_not_fit_its_field_is_refused() -> None:
    with pytest.raises(ValueError, match=r"fetch: words = 65536 does not fit: legal: 0\.\.65535"):
        encode(Fetch(words=65536))
    with pytest.raises(ValueError, match=r"fill: s_b = -32769 does not fit: legal: -32768\.\.32767"):
        encode(Fill(s_b=-32769))
