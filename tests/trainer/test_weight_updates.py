"""Weight updates: one weight at a time by exact fractions, every special value, every length of a frame."""

from __future__ import annotations

import inspect
from fractions import Fraction
from math import copysign, inf, isfinite
from types import ModuleType

import numpy as np
import pytest
from cores import dirty, memories, small, unchanged

from hwgen.trainer import (
    Code,
    Counters,
    Frame,
    GoldenCore,
    NetworkEngine,
    Nop,
    Status,
    Store,
    Update,
    encode,
    pack_weights,
    run_cycles,
    unpack_weights,
)
from hwgen.trainer import update as update_module


def fp32(x: Fraction, sign: float) -> float:
    """Round to the nearest fp32 number, ties to even; zeros have the sign given."""
    if x == 0:
        return copysign(0.0, sign)
    # The least power of two above |x| is one of two.
    power = x.numerator.bit_length() - x.denominator.bit_length()
    power += abs(x) >= Fraction(2) ** power
    step = Fraction(2) ** (max(power, -125) - 24)
    rounded = abs(round(x / step)) * step
    return copysign(inf if rounded >= 2**128 else float(rounded), sign)


def fma(a: float, b: float, c: float) -> float:
    """One rounding of a * b + c; float64 has every special result and every zero's sign."""
    with np.errstate(invalid="ignore"):
        rough = float(np.float64(a) * np.float64(b) + np.float64(c))
    if not all(map(isfinite, (a, b, c))):
        return rough
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    return fp32(exact, rough if exact == 0 else float(exact > 0) - 0.5)


def by_the_letter(
    w: float, m: float, v: int, exponent: int, lr: float, mu: float, wd: float
) -> tuple[float, float]:
    g = fp32(Fraction(v) * Fraction(2) ** exponent, v)
    next_m = fma(mu, m, fma(wd, w, g))
    return fma(-lr, next_m, w), next_m


def pattern(x: float) -> int:
    return int(np.float32(x).view(np.uint32))


def patterns(numbers: np.ndarray) -> list[int]:
    """Return patterns, with one for all NaN."""
    codes = np.where(np.isnan(numbers), 0x7FC00000, numbers.view(np.uint32))
    return codes.tolist()


def hard_numbers(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return fp32 numbers of all kinds: most of them ordinary, some special, some anything."""
    numbers = rng.normal(size=count).astype(np.float32)
    special = np.array([0x0, 0x80000000, 1, 0x807FFFFF, 0x7F7FFFFF, 0x7F800000, 0xFF800000, 0x7F812345])
    numbers[::5] = rng.choice(special, len(numbers[::5])).astype(np.uint32).view(np.float32)
    numbers[1::5] = rng.integers(0, 1 << 32, len(numbers[1::5])).astype(np.uint32).view(np.float32)
    return numbers


COEFFICIENTS = [(0.1, 0.9, 1e-4), (1.0, 0.0, 0.0), (-0.5, 1.5, 0.25), (3e-39, 1e-45, 3e38), (inf, 0.5, -0.0)]


def check_updates(make_core: type[GoldenCore]) -> None:
    """Compare updates of numbers of every kind with every exponent, weight by weight."""
    rng = np.random.default_rng(1)
    spec = small(accumulator={"bits": 63}, exponent_bits=9, cols=4, buffers={"c_kib": 8})
    moved = 0
    for place, exponent in enumerate((0, -3, -40, -150, -170, -200, -256, 65, 66, 127, 255)):
        lr, mu, wd = (float(np.float32(x)) for x in COEFFICIENTS[place % len(COEFFICIENTS)])
        core = dirty(spec, place, make_core)
        core.c[:] = rng.integers(-(1 << 62), 1 << 62, core.c.shape) >> rng.integers(0, 62, core.c.shape)
        core.c[9] = (0, 1, -1, (1 << 62) - 1)
        core.c[10] = ((1 << 60) + (1 << 36), (1 << 60) + (1 << 36) + 1, 3 << 36, -(1 << 62))  # ties
        core.c[14] = (
            (1 << 31) + (1 << 20) + 1,
            -(1 << 31) - (1 << 20) - 1,
            1 << 20,
            3 << 20,
        )  # subnormal ones
        weights, momenta = hard_numbers(rng, 24), hard_numbers(rng, 24)
        weights[8:12] = momenta[8:12] = 0
        update = Update(9, 3, 2, 5, exponent, pattern(lr), pattern(mu), pattern(wd))
        expected = memories(core)
        status, sent = core.execute(update, pack_weights(weights, momenta))
        assert (status.code, status.info, status.payload) == (Code.OK, 12, 0)
        assert unchanged(core, expected)
        results = np.concatenate([core.c[9 + 5 * row : 11 + 5 * row].ravel() for row in range(3)])
        pairs = [
            by_the_letter(float(w), float(m), int(v), exponent, lr, mu, wd)
            for w, m, v in zip(weights, momenta, results, strict=True)
        ]
        assert sent is not None
        assert sent.ended
        next_w, next_m = unpack_weights(sent)
        assert patterns(next_w) == patterns(np.array([w for w, _ in pairs], np.float32)), exponent
        assert patterns(next_m) == patterns(np.array([m for _, m in pairs], np.float32)), exponent
        moved += int((next_w.view(np.uint32) != weights.view(np.uint32)).sum())
        canonical = np.concatenate([next_w, next_m])
        assert set(canonical[np.isnan(canonical)].view(np.uint32).tolist()) <= {0x7FC00000}
    assert moved > 100


def test_every_step_of_an_update_is_rounded_once() -> None:
    check_updates(GoldenCore)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("as_float64(results)", "results.astype(np.float64)"),
        ("np.ldexp(as_float64(results), exponent).astype", "np.ldexp(np.float32(results), exponent).astype"),
        ('("mu", update.momentum)', '("mu", update.decay)'),
        ("overflow=Overflow.INFINITY", "overflow=Overflow.SATURATE"),
    ],
)
def test_planted_bugs_in_updates_are_found(old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = inspect.getsource(update_module)
    assert source.count(old) == 1
    planted = ModuleType("planted")
    planted.__dict__["__name__"] = update_module.__name__
    exec(compile(source.replace(old, new), "planted", "exec"), planted.__dict__)
    monkeypatch.setattr("hwgen.trainer.golden.updated", planted.updated)
    with pytest.raises(AssertionError):
        check_updates(GoldenCore)


@pytest.mark.parametrize(
    ("length", "ended", "code", "taken"),
    [
        (12, True, Code.OK, 12),
        (11, True, Code.EARLY_END, 11),
        (2, True, Code.EARLY_END, 2),
        (14, True, Code.LATE_END, 12),
        (14, False, Code.STOPPED, 12),
        (5, False, Code.STOPPED, 5),
        (0, False, Code.STOPPED, 0),
    ],
)
def test_zeros_stand_for_weights_that_do_not_come(length: int, ended: bool, code: Code, taken: int) -> None:
    core = dirty(small(cols=4), 2)
    rng = np.random.default_rng(2)
    numbers = rng.normal(size=(14, 4)).astype(np.float32)
    update = Update(3, 2, 3, 4, -7, pattern(0.1), pattern(0.9), pattern(1e-4))
    whole = np.where(np.arange(12)[:, None] < taken, numbers[:12], np.float32(0))
    _, wanted = core.execute(update, pack_weights(whole[0::2], whole[1::2]))
    core.execute(Counters(clear=1))
    expected = memories(core)
    beats = numbers.view(np.uint8).reshape(-1, 16)[:length]
    status, sent = core.execute(update, Frame(beats, ended))
    assert (status.code, status.info, status.payload) == (code, 12, 0)
    assert wanted is not None
    assert sent is not None
    assert np.array_equal(sent.beats, wanted.beats)
    assert sent.ended
    assert unchanged(core, expected)
    # It is a command of both stages, and counts what each of them has done.
    counters = [
        core.execute(Counters(select=1 + 5 * stage + which))[0] for stage in (0, 3) for which in (1, 4)
    ]
    assert [status.payload for status in counters] == [taken, 1, 12, 1]


@pytest.mark.parametrize(
    ("update", "code"),
    [
        (Update(0, 0, 1, 1), Code.SHAPE),
        (Update(0, 1, 2, 1), Code.SHAPE),
        (Update(0, 3, 1, 1), Code.SHAPE),  # 6 results
        (Update(0, 2, 1, 1, exponent=128), Code.SHAPE),
        (Update(0, 2, 1, 1, exponent=-129), Code.SHAPE),
        (Update(0, 2, 1, 1, exponent=-128), Code.OK),
        (Update(0, 2, 1, 1, exponent=127), Code.OK),
        (Update(62, 2, 1, 1), Code.OK),
        (Update(63, 2, 1, 1), Code.ADDRESS),
        (Update(65535, 2, 1, 1), Code.ADDRESS),
    ],
)
def test_bad_updates_are_refused_and_leave_their_frame(update: Update, code: Code) -> None:
    core = dirty(small(buffers={"c_kib": 1}), 3)
    assert core.spec.c_words == 64
    assert core.takes_frame(update) == (code is Code.OK)
    status, sent = core.execute(update, pack_weights(np.ones(4, np.float32), np.ones(4, np.float32)))
    assert (status.code, status.opcode, sent is None) == (code, 8, code is not Code.OK)


def test_weights_come_back_from_their_frame() -> None:
    rng = np.random.default_rng(4)
    weights, momenta = rng.normal(size=(2, 3, 8)).astype(np.float32)
    frame = pack_weights(weights, momenta)
    assert frame.beats.reshape(-1)[:16].view("<f4").tolist() == weights[0, :4].tolist()
    assert frame.beats.reshape(-1)[16:32].view("<f4").tolist() == momenta[0, :4].tolist()
    for sent, back in zip((weights, momenta), unpack_weights(frame), strict=True):
        assert back.tolist() == sent.ravel().tolist()
    with pytest.raises(ValueError, match="float32 weights and as many momenta are needed, not float64"):
        pack_weights(weights.astype(np.float64), momenta)
    with pytest.raises(ValueError, match=r"as many momenta.*\(2, 8\)"):
        pack_weights(weights, momenta[:2])
    with pytest.raises(ValueError, match="6 weights are not a multiple of four"):
        pack_weights(weights[0, :6], momenta[0, :6])


class _Answering:
    """A network whose answers a golden core has given before: what a simulated one would send."""

    def __init__(self, statuses: list[Status], sent: list[Frame]) -> None:
        self.out = {"status": [status.encode() for status in statuses], "dout": []}
        self.last: list[bool] = []
        for frame in sent:
            self.out["dout"] += frame.words()
            self.last += [False] * (len(frame.beats) - 1) + [True]
        self.patience = 0

    def reset(self) -> None:
        pass

    def push(self, stream: str, words: object, last: object = None) -> None:
        pass

    def run(self, max_cycles: int, until: dict[str, int]) -> int:
        for stream, count in until.items():
            assert len(self.out[stream]) == count, stream
        self.patience = max_cycles
        return 1

    def pop(self, stream: str) -> tuple[np.ndarray, np.ndarray]:
        limbs = [[word & (1 << 64) - 1, word >> 64] for word in self.out[stream]]
        return np.array(limbs, np.uint64), np.array(self.last if stream == "dout" else [], bool)


def test_a_host_waits_for_the_frames_of_stores_and_updates_but_not_of_measures() -> None:
    spec = small(cols=4)
    core = dirty(spec, 5)
    update = Update(0, 2, 1, 1, 0, pattern(0.1), pattern(0.9), 0)
    weights = pack_weights(np.ones(8, np.float32), np.zeros(8, np.float32))
    commands = [
        Store(0, 2, 1, 1, mode=Store.MEASURE, width=8),
        update,
        Store(0, 2, 1, 1, mode=Store.INTEGERS, width=8, exponent=30),
        Nop(),
        Store(0, 0, 1, 1),
    ]
    answers = [core.execute(command, weights) for command in commands]
    wanted = [frame for _, frame in answers if frame is not None]
    network = _Answering([status for status, _ in answers], wanted)
    engine = NetworkEngine(spec, network)
    assert encode(update) & 0xFF == 8
    statuses, sent = engine.run(commands, [weights])
    assert statuses == [status for status, _ in answers]
    assert [len(frame.beats) for frame in sent] == [run_cycles(spec, update), 1]
    assert all(np.array_equal(a.beats, b.beats) for a, b in zip(sent, wanted, strict=True))
    # Should the frame of an update stop, that takes 2^16 cycles to notice.
    assert network.patience > 2 << 16
