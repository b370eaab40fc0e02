"""Norms of gradients and of their running sums: one square at a time by exact fractions."""

from __future__ import annotations

import inspect
from fractions import Fraction
from math import inf, isfinite
from types import ModuleType

import numpy as np
import pytest
from cores import dirty, memories, small, unchanged
from test_weight_updates import fma, fp32, hard_numbers, patterns

from hwgen.trainer import Code, Counters, Frame, GoldenCore, Norm, pack_sums, run_cycles, unpack_sums
from hwgen.trainer import update as update_module

CANONICAL = 0x7FC00000


def by_the_letter(x: list[float]) -> int:
    """Return the pattern of the sum of squares: even and odd ones apart, each step rounded once."""
    sums = [0.0, 0.0]
    for place, number in enumerate(x):
        sums[place % 2] = fma(number, number, sums[place % 2])
    total = fma(1.0, sums[0], sums[1])
    return CANONICAL if np.isnan(total) else int(np.float32(total).view(np.uint32))


def check_norms(make_core: type[GoldenCore]) -> None:
    """Compare norms of gradients of every exponent, alone and added to sums of every kind."""
    rng = np.random.default_rng(1)
    spec = small(accumulator={"bits": 63}, exponent_bits=9, cols=4, buffers={"c_kib": 8})
    ends = set()
    for place, exponent in enumerate((0, -3, -40, -100, -150, -200, 4, 60, 90)):
        core = dirty(spec, place, make_core)
        core.c[:] = rng.integers(-(1 << 62), 1 << 62, core.c.shape) >> rng.integers(0, 62, core.c.shape)
        before = memories(core)
        region = (9, 3, 2, 5, exponent)
        results = np.concatenate([core.c[9 + 5 * row : 11 + 5 * row].ravel() for row in range(3)])
        g = [fp32(Fraction(int(v)) * Fraction(2) ** exponent, float(v)) for v in results]
        status, sent = core.execute(Norm(*region))
        assert (status.code, status.info, status.payload) == (Code.OK, 6, by_the_letter(g)), exponent
        assert sent is None
        ends.add(isfinite(float(np.uint32(status.payload).view(np.float32))))
        for sums in (rng.normal(size=24).astype(np.float32) * 2.0**exponent, hard_numbers(rng, 24)):
            x = [fma(1.0, float(s), number) for s, number in zip(sums, g, strict=True)]
            status, sent = core.execute(Norm(*region, sums=1), pack_sums(sums.astype(np.float32)))
            assert (status.code, status.info, status.payload) == (Code.OK, 6, by_the_letter(x)), exponent
            assert sent is not None
            assert sent.ended
            assert patterns(unpack_sums(sent)) == patterns(np.array(x, np.float32)), exponent
        assert unchanged(core, before)
    assert ends == {True, False}


def test_every_square_is_added_to_one_of_two_sums_and_rounded_once() -> None:
    check_norms(GoldenCore)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("interleave=2", "interleave=1"),
        ("last[-1] = 2", "last[-2:] = 2"),
        ("sums.view(np.uint32), x.view", "x.view(np.uint32), x.view"),
    ],
)
def test_planted_bugs_in_norms_are_found(old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = inspect.getsource(update_module)
    assert source.count(old) == 1
    planted = ModuleType("planted")
    planted.__dict__["__name__"] = update_module.__name__
    exec(compile(source.replace(old, new), "planted", "exec"), planted.__dict__)
    for name in ("added", "gradients", "norm_of"):
        monkeypatch.setattr(f"hwgen.trainer.golden.{name}", getattr(planted, name))
    with pytest.raises(AssertionError):
        check_norms(GoldenCore)


def test_infinite_sums_have_an_infinite_norm_and_others_none() -> None:
    assert by_the_letter([inf, -inf]) == 0x7F800000
    core = dirty(small(cols=4), 1)
    core.c[:] = 3
    for special, payload in ((-inf, 0x7F800000), (np.nan, CANONICAL)):
        sums = np.zeros(8, np.float32)
        sums[5] = special
        status, _ = core.execute(Norm(0, 2, 1, 1, sums=1), pack_sums(sums))
        assert (status.code, status.payload) == (Code.OK, payload)


@pytest.mark.parametrize(
    ("length", "ended", "code", "taken"),
    [
        (6, True, Code.OK, 6),
        (5, True, Code.EARLY_END, 5),
        (7, True, Code.LATE_END, 6),
        (2, False, Code.STOPPED, 2),
        (0, False, Code.STOPPED, 0),
    ],
)
def test_zeros_stand_for_sums_that_do_not_come(length: int, ended: bool, code: Code, taken: int) -> None:
    core = dirty(small(cols=4), 2)
    numbers = np.random.default_rng(2).normal(size=(7, 4)).astype(np.float32)
    norm = Norm(3, 2, 3, 4, -7, sums=1)
    whole = np.where(np.arange(6)[:, None] < taken, numbers[:6], np.float32(0))
    _, wanted = core.execute(norm, pack_sums(whole))
    core.execute(Counters(clear=1))
    before = memories(core)
    status, sent = core.execute(norm, Frame(numbers.view(np.uint8).reshape(-1, 16)[:length], ended))
    assert (status.code, status.info, status.payload != 0) == (code, 6, code is Code.OK)
    assert wanted is not None
    assert sent is not None
    assert np.array_equal(sent.beats, wanted.beats)
    assert unchanged(core, before)
    runs = [core.execute(Counters(select=1 + 5 * stage + 1))[0].payload for stage in (0, 3)]
    assert runs == [taken, 6]


@pytest.mark.parametrize(
    ("norm", "code"),
    [
        (Norm(0, 0, 1, 1), Code.SHAPE),
        (Norm(0, 1, 2, 1), Code.SHAPE),
        (Norm(0, 3, 1, 1), Code.SHAPE),  # 6 results
        (Norm(0, 2, 1, 1, exponent=128, sums=1), Code.SHAPE),
        (Norm(0, 2, 1, 1, exponent=-128), Code.OK),
        (Norm(62, 2, 1, 1, sums=1), Code.OK),
        (Norm(63, 2, 1, 1), Code.ADDRESS),
    ],
)
def test_bad_norms_are_refused_and_leave_their_frame(norm: Norm, code: Code) -> None:
    core = dirty(small(buffers={"c_kib": 1}), 3)
    assert core.takes_frame(norm) == (code is Code.OK and norm.sums == 1)
    status, sent = core.execute(norm, pack_sums(np.ones(4, np.float32)))
    assert (status.code, status.opcode, sent is not None) == (code, 9, core.takes_frame(norm))


def test_a_norm_takes_a_cycle_of_its_stage_for_each_four_elements() -> None:
    assert run_cycles(small(cols=4), Norm(0, 5, 3, 4)) == 15
    assert run_cycles(small(cols=4), Norm(0, 5, 3, 4, sums=1)) == 15


def test_sums_come_back_from_their_frame() -> None:
    sums = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert unpack_sums(pack_sums(sums)).tolist() == sums.ravel().tolist()
    for wrong in (sums.astype(np.float64), sums[:, :3], sums[:0]):
        with pytest.raises(ValueError, match="a multiple of four float32 sums"):
            pack_sums(wrong)
