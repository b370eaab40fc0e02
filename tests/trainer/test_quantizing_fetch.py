"""Fetches of fp32 numbers: exponents, elements and random words by their definitions, and broken frames."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from cores import dirty, memories, small, unchanged
from requantizing_by_the_letter import element, exponent, random_words

from hwgen.trainer import Code, Counters, Fetch, Frame, GoldenCore, TrainerSpec, pack_numbers
from hwgen.trainer import quantizer as quantizer_module

MODES = ["rne", "rna", "rtz", "rup", "rdn", "rto", "sr"]
SR = {"mode": "sr", "bits": 5, "lfsr": {"width": 17, "seed": 0x1234}}
LARGEST = float(np.finfo(np.float32).max)
SMALLEST = 2.0**-149


def rounding_spec(mode: str, **changes: object) -> TrainerSpec:
    return small(rounding=SR if mode == "sr" else mode, **changes)


def hard_numbers(rng: np.random.Generator, width: int, exponent: int) -> np.ndarray:
    """Return 64 numbers: ties and their neighbours, limits, specks, and some of all magnitudes."""
    unit = 2.0**exponent
    ties = (rng.integers(-(1 << width - 1), 1 << width - 1, 8) + 0.5) * unit
    limits = np.array([2.0 ** (width - 1) - 1, 2.0 ** (width - 1), 2.0 ** (width - 1) - 0.5]) * unit
    limits = np.concatenate([limits, -limits, [(-(2.0 ** (width - 1)) - 1) * unit]])
    exact = np.concatenate([ties, limits, [0.0, -0.0, unit, -unit]]).astype(np.float32)
    near = np.nextafter(exact[:15], rng.choice([-np.inf, np.inf], 15).astype(np.float32))
    extremes = np.array([SMALLEST, -SMALLEST, LARGEST, -LARGEST, 2.0**-126, 1.5 * 2.0**-128], np.float32)
    some = rng.standard_normal(64 - len(exact) - len(near) - len(extremes))
    scale = 2.0 ** rng.integers(-6, width + 2, len(some))
    return np.concatenate([exact, near, extremes, (some * scale * unit).astype(np.float32)])


@pytest.mark.parametrize("mode", MODES)
def test_elements_of_every_width_are_rounded_as_the_definition_says(mode: str) -> None:
    spec = rounding_spec(mode)
    rng = np.random.default_rng(1)
    core = dirty(spec, 1)
    words = random_words(spec) if mode == "sr" else iter(lambda: 0, 1)
    moved = 0
    for width in range(2, 17):
        e = int(rng.choice([-128, -120, -9, 0, 3, 100]))
        numbers = hard_numbers(rng, width, e)
        expected = memories(core)
        pairs = [
            element(Fraction(float(x)), e, width, mode, 5, next(words) if mode == "sr" else 0)
            for x in numbers
        ]
        expected[0][7:11] = np.reshape([q for q, _ in pairs], (4, 16))
        status, sent = core.execute(Fetch(2, 7, 4, width, exponent=e), pack_numbers(numbers))
        assert (status.code, status.info, sent) == (Code.OK, 16, None)
        assert status.saturated == sum(saturated for _, saturated in pairs)
        assert status.asked_for == exponent([Fraction(float(x)) for x in numbers], width, 8)
        assert unchanged(core, expected), (width, e)
        moved += sum(
            Fraction(float(x)) / Fraction(2) ** e != q for x, (q, _) in zip(numbers, pairs, strict=True)
        )
    assert moved > 300


@pytest.mark.parametrize("given", [-(1 << 15), -600, -513, 512, 600, (1 << 15) - 1])
@pytest.mark.parametrize("mode", ["rne", "rup"])
def test_exponents_beyond_every_number_saturate_all_or_round_specks(mode: str, given: int) -> None:
    core = GoldenCore(rounding_spec(mode, exponent_bits=16))
    numbers = np.array([0.0, -0.0, SMALLEST, -SMALLEST, LARGEST, -LARGEST, 1, -1] * 2, np.float32)
    core.execute(Fetch(2, 0, 1, 9, exponent=given), pack_numbers(numbers))
    wanted = [element(Fraction(float(x)), given, 9, mode)[0] for x in numbers]
    assert core.scratch[0].tolist() == wanted


def test_a_measured_exponent_is_the_least_that_fits_at_every_limit() -> None:
    core = GoldenCore(small(rounding="rne", exponent_bits=9))
    checked = 0
    for width in range(2, 17):
        for e in (-140, -127, -1, 0, 5, 126 - width):
            for limit in (2.0 ** (width - 1) - 0.5, -(2.0 ** (width - 1)) - 0.5):
                at = np.float32(limit * 2.0**e)
                for x in (at, np.nextafter(at, np.float32(0)), np.nextafter(at, np.float32(limit * np.inf))):
                    numbers = np.zeros(16, np.float32)
                    numbers[5], numbers[11] = x, -x / 4
                    status, _ = core.execute(Fetch(2, 0, 1, width, measure=1), pack_numbers(numbers))
                    assert status.code == Code.OK
                    assert status.exponent == exponent([Fraction(float(n)) for n in numbers], width, 9)
                    checked += 1
    assert checked == 15 * 6 * 2 * 3
    assert not core.scratch.any()


def test_zeros_measure_0_and_far_exponents_are_clamped_to_the_field() -> None:
    core = GoldenCore(small(rounding="rne", exponent_bits=4))
    for numbers, wanted in (
        ([0.0, -0.0], 0),
        ([1e-30], -8),
        ([1e30, -1e-30], 7),
        ([-(2.0**14) - 2.0**7], 7),
        ([2.0**14 - 2.0**6], 7),
        ([2.0**13 - 2.0**5], 6),
    ):
        frame = pack_numbers(np.array(numbers, np.float32))
        status, _ = core.execute(Fetch(2, 0, 1, 8, measure=1), frame)
        assert (status.exponent, core.fetch_quantizer.kept) == (wanted, wanted)


def test_a_fetch_takes_the_exponent_measured_last_even_longer_than_scratch() -> None:
    core = GoldenCore(small(rounding="rne"))
    assert core.fetch_quantizer.kept == 0
    numbers = np.random.default_rng(2).standard_normal((200, 16)).astype(np.float32)
    status, _ = core.execute(Fetch(2, 0xFFFF, 200, 8, measure=1), pack_numbers(numbers))
    assert (status.code, status.info) == (Code.OK, 800)
    part = numbers[40:140]
    core.execute(Fetch(2, 3, 100, 8, exponent=77, take=1), pack_numbers(part))
    assert np.array_equal(core.scratch[3:103], np.rint(np.ldexp(part, -status.exponent)))
    core.execute(Fetch(2, 3, 100, 8, exponent=-3), pack_numbers(part))
    assert np.array_equal(core.scratch[3:103], np.rint(part * 8))


@pytest.mark.parametrize(
    ("length", "ended", "bad", "code", "taken", "written"),
    [
        (12, True, None, Code.OK, 12, 3),
        (11, True, None, Code.EARLY_END, 11, 2),
        (8, True, None, Code.EARLY_END, 8, 1),
        (15, True, None, Code.LATE_END, 12, 3),
        (9, False, None, Code.STOPPED, 9, 2),
        (12, True, 0, Code.NOT_FINITE, 0, 0),
        (12, True, 6, Code.NOT_FINITE, 6, 1),
        (12, True, 11, Code.NOT_FINITE, 11, 2),
        (9, True, 8, Code.NOT_FINITE, 8, 2),  # in the beat that ends it too early
        (9, True, 7, Code.NOT_FINITE, 7, 1),
        (14, True, 11, Code.NOT_FINITE, 11, 2),
        (14, True, 12, Code.LATE_END, 12, 3),  # not of this frame any more
        (9, False, 5, Code.NOT_FINITE, 5, 1),
        (0, False, None, Code.STOPPED, 0, 0),
    ],
)
@pytest.mark.parametrize("special", [np.inf, -np.inf, np.nan])
def test_a_broken_frame_leaves_whole_words_before_the_first_error(
    length: int, ended: bool, bad: int | None, code: Code, taken: int, written: int, special: float
) -> None:
    spec = rounding_spec("sr")
    numbers = np.random.default_rng(3).standard_normal((length + 4, 4)).astype(np.float32)
    if bad is not None:
        numbers[bad, 2] = special
    frame = Frame(numbers[:length].view(np.uint8).reshape(-1, 16), ended)

    core = dirty(spec, 3)
    expected = memories(core)
    measured, _ = core.execute(Fetch(2, 0, 3, 8, measure=1), frame)
    assert (measured.code, measured.info) == (code, taken)
    if code is Code.OK:
        expected[-1][0] = measured.exponent
    else:
        assert measured.payload == 0
    assert unchanged(core, expected)

    status, _ = core.execute(Fetch(2, 20, 3, 8, exponent=-5), frame)
    assert (status.code, status.info) == (code, taken)
    words = random_words(spec)
    values = [Fraction(float(x)) for x in numbers.reshape(-1)[: 16 * written]]
    pairs = [element(x, -5, 8, "sr", 5, next(words)) for x in values]
    expected[0][20 : 20 + written] = np.reshape([q for q, _ in pairs], (-1, 16))
    assert unchanged(core, expected)
    wanted = (sum(beyond for _, beyond in pairs), exponent(values, 8, 8)) if code is Code.OK else (0, 0)
    assert (status.saturated, status.asked_for) == wanted

    # Every beat that was taken has drawn its four words; the measurement has drawn none.
    after = random_words(spec, skipped=4 * min(length, 12))
    core.execute(Fetch(2, 0, 1, 8), pack_numbers(np.full(16, 0.5, np.float32)))
    wanted = [element(Fraction(1, 2), 0, 8, "sr", 5, word)[0] for word in islice(after, 16)]
    assert core.scratch[0].tolist() == wanted


@pytest.mark.parametrize("x", [0.25, 3 + 11 / 64, -3 - 11 / 64, -7.96875, 2.0**-40, -5.0, 126.75])
def test_of_all_random_words_as_many_round_up_as_the_definition_says(x: float) -> None:
    core = GoldenCore(rounding_spec("sr"))
    core.fetch_quantizer._words.take = lambda count: np.arange(count, dtype=np.uint64) % 32
    status, _ = core.execute(Fetch(2, 0, 2, 8), pack_numbers(np.full((2, 16), x, np.float32)))
    low = int(abs(x))
    k = int((abs(x) - low) * 32)
    ups = np.abs(core.scratch[:2]) - low
    assert set(ups.ravel().tolist()) <= {0, 1}
    assert (int(ups.sum()), status.saturated) == (k, 0)


def test_both_generators_start_where_the_definition_says() -> None:
    lfsr = {"width": 13, "seed": 0x1ABC}
    spec = small(rounding={"mode": "sr", "bits": 3, "lfsr": lfsr})
    assert spec.generators is not None
    assert (spec.generators.width, spec.generators.bits, spec.generators.fetch_seed) == (13, 3, 0x1ABC)
    assert spec.generators.taps == 1 | 1 << 1 | 1 << 3 | 1 << 4  # x^13 + x^4 + x^3 + x + 1
    first = random_words(spec, skipped=1 << 16)
    second = small(rounding={"mode": "sr", "bits": 3, "lfsr": {**lfsr, "seed": spec.generators.store_seed}})
    assert list(islice(first, 100)) == list(islice(random_words(second), 100))
    assert small(rounding="rne").generators is None


def test_words_come_in_order_across_the_blocks_that_they_are_made_in() -> None:
    spec = rounding_spec("sr")
    unit = GoldenCore(spec).fetch_quantizer
    drawn = np.concatenate([unit.draw(count) for count in (3, 0, 16380, 1, 40000, 7)])
    assert drawn.tolist() == list(islice(random_words(spec), len(drawn)))


def test_refused_commands_and_counters_leave_generators_alone() -> None:
    core = GoldenCore(rounding_spec("sr"))
    frame = pack_numbers(np.full(16, 0.5, np.float32))
    core.execute(Fetch(2, 0, 1, 17), frame)
    core.execute(Counters(select=2, clear=1))
    core.execute(Fetch(0, 0, 4), Frame(np.zeros((4, 16), np.uint8)))
    core.execute(Fetch(2, 0, 1, 8), frame)
    words = islice(random_words(core.spec), 16)
    assert core.scratch[0].tolist() == [element(Fraction(1, 2), 0, 8, "sr", 5, word)[0] for word in words]


def test_numbers_are_packed_in_rows_of_whole_words() -> None:
    frame = pack_numbers(np.arange(40, dtype=np.float32).reshape(2, 20))
    values = frame.beats.view("<f4").reshape(2, 32)
    assert np.array_equal(values[:, :20].ravel(), np.arange(40))
    assert not values[:, 20:].any()
    with pytest.raises(ValueError, match="a tensor of float32 is needed, not float64"):
        pack_numbers(np.zeros(16))


def test_a_planted_bug_in_the_limits_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # The limits of a word one bit longer: off by one exponent almost everywhere.
    honest = quantizer_module._block
    monkeypatch.setattr(quantizer_module, "_block", lambda width: honest(width + 1))
    with pytest.raises(AssertionError):
        test_a_measured_exponent_is_the_least_that_fits_at_every_limit()


def test_a_planted_bug_in_the_order_of_random_words_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = quantizer_module.Quantizer.draw

    def swapped(self: quantizer_module.Quantizer, count: int) -> np.ndarray:
        return honest(self, count).reshape(-1, 4)[:, ::-1].ravel()

    monkeypatch.setattr(quantizer_module.Quantizer, "draw", swapped)
    with pytest.raises(AssertionError):
        test_elements_of_every_width_are_rounded_as_the_definition_says("sr")
