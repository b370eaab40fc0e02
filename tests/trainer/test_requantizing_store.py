"""Stores with bias, mask, limit and requantisation, loads and biases: by their definitions."""

from __future__ import annotations

import inspect
from dataclasses import replace
from fractions import Fraction
from itertools import product
from types import ModuleType

import numpy as np
import pytest
from cores import dirty, memories, small, unchanged
from requantizing_by_the_letter import element, exponent, random_words

from hwgen.trainer import (
    Bias,
    Code,
    Counters,
    Frame,
    GoldenCore,
    Load,
    Store,
    TrainerSpec,
    run_cycles,
    unpack_integers,
    unpack_results,
)
from hwgen.trainer import golden as golden_module
from hwgen.trainer import quantizer as quantizer_module
from hwgen.trainer.layout import pack_results

MODES = ["rne", "rna", "rtz", "rup", "rdn", "rto", "sr"]
SR = {"mode": "sr", "bits": 5, "lfsr": {"width": 17, "seed": 0x1234}}
LONG_SR = {"mode": "sr", "bits": 24, "lfsr": {"width": 32}}


def store_words(spec: TrainerSpec) -> object:
    """Return the random words of the store stage."""
    return random_words(spec, skipped=1 << 16)


def hard_results(rng: np.random.Generator, bits: int, width: int, exponent: int) -> np.ndarray:
    """Return 64 results: ties and limits with their neighbours, specks, ends, and some of all magnitudes."""
    integers = []
    for _ in range(10):
        tie = Fraction(2 * int(rng.integers(-(1 << width - 1), 1 << width - 1)) + 1, 2)
        integers += [round(tie * Fraction(2) ** exponent) + near for near in (-1, 0, 1)]
    for limit in (1 << width - 1, -(1 << width - 1)):
        integers += [round(limit * Fraction(2) ** exponent) + near for near in (-1, 0, 1)]
    integers += [0, 1, -1, (1 << bits - 1) - 1, -(1 << bits - 1)]
    while len(integers) < 64:
        size = int(rng.integers(1, bits))
        integers.append(int(rng.integers(-(1 << size), 1 << size)))
    return np.clip(integers, -(1 << bits - 1), (1 << bits - 1) - 1).astype(np.int64)


@pytest.mark.parametrize("bits", [40, 63])
@pytest.mark.parametrize("mode", MODES)
def test_results_are_rounded_to_every_width_as_the_definition_says(mode: str, bits: int) -> None:
    how: object = {**SR, "bits": 4} if mode == "sr" else mode
    spec = small(rounding=how, accumulator={"bits": bits}, buffers={"c_kib": 4})
    rng = np.random.default_rng(bits)
    core = GoldenCore(spec)
    words = store_words(spec) if mode == "sr" else iter(lambda: 0, 1)
    moved = 0
    for width in range(2, 17):
        e = int(rng.integers(-3, bits - width + 2))
        results = hard_results(rng, bits, width, e)
        core.c[5:37] = results.reshape(32, 2)
        size = int(width > 8 or rng.integers(2))
        store = Store(5, 8, 4, 4, mode=Store.INTEGERS, width=width, exponent=e, size=size)
        expected = memories(core)
        status, sent = core.execute(store)
        pairs = [
            element(Fraction(int(v)), e, width, mode, 4, next(words) if mode == "sr" else 0) for v in results
        ]
        assert sent is not None
        assert unpack_integers(sent, size, 64).tolist() == [q for q, _ in pairs], (width, e)
        assert (status.code, status.info, len(sent.beats)) == (Code.OK, 4 << size, 4 << size)
        assert status.saturated == sum(beyond for _, beyond in pairs)
        assert status.asked_for == exponent([Fraction(int(v)) for v in results], width, 8)
        assert unchanged(core, expected)
        moved += sum(int(v) * Fraction(2) ** -e != q for v, (q, _) in zip(results, pairs, strict=True))
    assert moved > 200


def test_the_longest_results_with_a_bias_round_by_the_longest_random_words() -> None:
    spec = small(rounding=LONG_SR, accumulator={"bits": 63}, buffers={"c_kib": 4})
    core = GoldenCore(spec)
    # The word 2^24 - 1 moves up whatever is a step of 2^-24 or more above an integer, and nothing else.
    core.store_quantizer._words.take = lambda count: np.full(count, (1 << 24) - 1, np.uint64)
    step = 1 << 48 - 24
    results = [(10001 << 48) + step * k + near for k in (-1, 0, 1) for near in (-1, 0, 1)]
    results += [-v for v in results]
    core.bias[0] = (1 << 60, -(1 << 60))
    core.c[: len(results), 0] = [v - (1 << 60) for v in results]
    core.c[: len(results), 1] = [v + (1 << 60) for v in results]
    store = Store(0, len(results), 1, 1, mode=Store.INTEGERS, width=16, exponent=48, size=1, bias=1)
    _, sent = core.execute(store)
    wanted = [element(Fraction(v), 48, 16, "sr", 24, (1 << 24) - 1)[0] for v in results for _ in range(2)]
    assert unpack_integers(sent, 1, 2 * len(results)).tolist() == wanted
    assert len({abs(q) for q in wanted}) == 2
    # Sums of 64 bits at both ends.
    core.c[0], core.bias[0] = (-(1 << 62), (1 << 62) - 1), (-(1 << 62), (1 << 62) - 1)
    _, sent = core.execute(Store(0, 1, 1, 1, bias=1))
    assert unpack_results(sent).tolist() == [-(1 << 63), (1 << 63) - 2]
    status, _ = core.execute(Store(0, 1, 1, 1, mode=Store.MEASURE, width=16, bias=1))
    assert status.exponent == exponent([Fraction(-(1 << 63)), Fraction((1 << 63) - 2)], 16, 8)


def test_measured_exponents_of_all_small_pairs_are_the_least_that_fit() -> None:
    core = GoldenCore(small(rounding="rne"))
    checked = 0
    for width in (2, 3, 4):
        for pair in product(range(-12, 13), repeat=2):
            core.c[9] = pair
            status, sent = core.execute(Store(9, 1, 1, 1, mode=Store.MEASURE, width=width))
            assert (status.code, status.info, sent) == (Code.OK, 1, None)
            assert status.exponent == exponent(map(Fraction, pair), width, 8)
            assert core.store_quantizer.kept == status.exponent
            checked += 1
    assert checked == 3 * 25**2


def test_measured_exponents_at_the_limits_of_long_results_are_the_least_that_fit() -> None:
    core = GoldenCore(small(rounding="rne", accumulator={"bits": 63}, buffers={"c_kib": 4}))
    for width, e in product(range(2, 17), (-14, 1, 20, 35, 37, 40, 61 - 16)):
        for limit in (
            Fraction(2 ** (width - 1)) - Fraction(1, 2),
            -Fraction(2 ** (width - 1)) - Fraction(1, 2),
        ):
            at = int(limit * Fraction(2) ** e)
            for v in (at - 1, at, at + 1):
                core.c[0] = (v, -v // 4)
                status, _ = core.execute(Store(0, 1, 1, 1, mode=Store.MEASURE, width=width))
                assert status.exponent == exponent([Fraction(v), Fraction(-v // 4)], width, 8)


def test_zeros_measure_0_and_far_exponents_are_clamped_to_the_field() -> None:
    core = GoldenCore(small(rounding="rne", exponent_bits=4))
    for pair, wanted in (((0, 0), 0), ((1, 0), -8), ((1 << 29, 0), 7), ((0, -(1 << 22)), 7), ((127, 0), 0)):
        core.c[0] = pair
        status, _ = core.execute(Store(0, 1, 1, 1, mode=Store.MEASURE, width=8 if wanted == 0 else 16))
        assert (status.exponent, core.store_quantizer.kept) == (wanted, wanted)


def check_post_processing(make_core: type[GoldenCore]) -> None:
    """Compare every legal combination of what a store does with results on their way, and what it leaves."""
    spec = small(rounding="rne", cols=4, buffers={"c_kib": 4})
    rng = np.random.default_rng(6)
    combinations = [flags for flags in product(range(2), repeat=4) if not (flags[1] and flags[3])]
    for mode, (bias, apply_mask, relu, save_mask) in product(range(3), combinations):
        core = dirty(spec, 6, make_core)
        core.c[:] = rng.integers(-40, 40, core.c.shape)
        core.bias[:] = rng.integers(-40, 40, core.bias.shape)
        core.c[10], core.bias[3] = 7, -7  # sums of exactly zero
        store = Store(10, 3, 2, 5, mode, 6, 1, 0, bias, 3, apply_mask, relu, save_mask, mask=17, size=0)
        expected = memories(core)
        values = []
        for row, word, lane in product(range(3), range(2), range(4)):
            v = int(core.c[10 + 5 * row + word, lane])
            at = 17 + 2 * row + word
            if bias:
                v += int(core.bias[3 + word, lane])
            if apply_mask:
                v = v if core.mask[at, lane] else 0
            if save_mask:
                expected[5][at, lane] = v > 0
            values.append(max(v, 0) if relu else v)
        if mode == Store.MEASURE:
            expected[-1][1] = exponent(map(Fraction, values), 6, 8)
        status, sent = core.execute(store)
        assert status.code == Code.OK
        assert status.info == run_cycles(spec, store)
        assert unchanged(core, expected), store
        if mode == Store.RAW:
            assert (unpack_results(sent).tolist(), status.payload, status.info) == (values, 0, 12)
        elif mode == Store.INTEGERS:
            pairs = [element(Fraction(v), 1, 6, "rne") for v in values]
            assert unpack_integers(sent, 0, 24).tolist() == [q for q, _ in pairs]
            assert (status.saturated, status.info) == (sum(beyond for _, beyond in pairs), 2)
            assert status.asked_for == exponent(map(Fraction, values), 6, 8)
            assert not sent.beats[1, 8:].any()
        else:
            assert (sent, status.exponent, status.info) == (None, expected[-1][1], 6)


def test_bias_mask_saving_and_limit_go_in_this_order_in_every_mode() -> None:
    check_post_processing(GoldenCore)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(values > 0).reshape", "(values >= 0).reshape"),
        ("masks.reshape(values.shape), values, 0)", "masks.reshape(values.shape), 0, values)"),
        ("self.mask[store.mask :]", "self.mask[store.mask + 1 :]"),
        ("self.bias[store.bias_at :]", "self.bias[store.bias_at + 1 :]"),
        ("if store.relu:", "if store.relu and not store.save_mask:"),
        ("np.maximum(values, 0)", "np.abs(values)"),
        ("unit.kept if store.take else store.exponent", "unit.kept"),
    ],
)
def test_planted_bugs_in_stores_are_found(old: str, new: str) -> None:
    source = inspect.getsource(golden_module)
    assert source.count(old) == 1
    planted = ModuleType("planted")
    planted.__dict__["__name__"] = golden_module.__name__
    exec(compile(source.replace(old, new), "planted", "exec"), planted.__dict__)
    with pytest.raises(AssertionError):
        check_post_processing(planted.GoldenCore)


def test_a_planted_bug_in_long_integers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # Rounded to float64 first: rounded twice.
    monkeypatch.setattr(golden_module, "as_float64", lambda values: values.astype(np.float64))
    with pytest.raises(AssertionError):
        test_the_longest_results_with_a_bias_round_by_the_longest_random_words()


def test_long_integers_keep_their_order_to_every_multiple_that_decides() -> None:
    rng = np.random.default_rng(7)
    for size in (20, 52, 53, 54, 58, 63):
        multiple = int(rng.integers(1 << size - 1, 1 << size)) & -(1 << 12)
        values = np.array([multiple - 1, multiple, min(multiple + 1, 2**63 - 1)], np.int64)
        for sign in (1, -1):
            floats = quantizer_module.as_float64(sign * values).tolist()
            assert [Fraction(x) > sign * multiple for x in floats] == [
                v * sign > multiple * sign for v in values.tolist()
            ]
            assert [Fraction(x) == sign * multiple for x in floats] == [False, True, False]


@pytest.mark.parametrize(("v", "e"), [(1, 2), (-203, 6), (203, 6), (3 << 30 | 1, 31), (-5, 0), (7, 30)])
def test_of_all_random_words_as_many_round_up_as_the_definition_says(v: int, e: int) -> None:
    core = GoldenCore(small(rounding=SR))
    core.store_quantizer._words.take = lambda count: np.arange(count, dtype=np.uint64) % 32
    core.c[:16] = v
    status, sent = core.execute(Store(0, 4, 4, 4, mode=Store.INTEGERS, width=8, exponent=e))
    exact = abs(Fraction(v)) / 2**e
    ups = np.abs(unpack_integers(sent, 0, 32)) - int(exact)
    assert set(ups.tolist()) <= {0, 1}
    assert (int(ups.sum()), status.saturated) == (int((exact - int(exact)) * 32), 0)


def test_random_words_are_drawn_by_integers_only_in_the_order_of_results() -> None:
    spec = small(rounding=SR, cols=4)
    core = dirty(spec, 8)
    for mode in (Store.RAW, Store.MEASURE):
        core.execute(Store(0, 2, 2, 2, mode=mode, width=8))
    core.execute(Store(0, 1, 1, 1, mode=Store.INTEGERS, width=9))  # refused
    words = store_words(spec)
    for rows, count in ((3, 1), (1, 5), (2, 3)):
        store = Store(1, rows, count, 7, mode=Store.INTEGERS, width=8, exponent=14)
        _, sent = core.execute(store)
        wanted = [
            element(Fraction(int(core.c[1 + 7 * r + i, lane])), 14, 8, "sr", 5, next(words))[0]
            for r, i, lane in product(range(rows), range(count), range(4))
        ]
        assert unpack_integers(sent, 0, len(wanted)).tolist() == wanted


@pytest.mark.parametrize("cols", [2, 4, 8, 16])
@pytest.mark.parametrize("size", [0, 1])
def test_elements_are_packed_densely_and_the_last_beat_is_filled_with_zeros(cols: int, size: int) -> None:
    core = dirty(small(rounding="rne", cols=cols, buffers={"b_kib": 4, "c_kib": 16}), 9)
    core.c[:] = np.where(core.c == 0, 1, core.c)
    store = Store(3, 3, 3, 4, mode=Store.INTEGERS, width=8, exponent=-1, size=size)
    status, sent = core.execute(store)
    used = 9 * cols << size
    assert sent is not None
    assert sent.ended
    assert len(sent.beats) == status.info == run_cycles(core.spec, store) == -(-used // 16)
    data = sent.beats.reshape(-1)
    results = np.concatenate([core.c[3 + 4 * row : 6 + 4 * row].ravel() for row in range(3)])
    assert data[:used].view("<i2" if size else "i1").tolist() == np.clip(2 * results, -128, 127).tolist()
    assert not data[used:].any()


def test_a_store_takes_the_exponent_measured_last() -> None:
    core = dirty(small(rounding="rtz"), 10)
    core.c[0], core.c[1] = (1 << 20, 5), (-300, 77)
    measured, _ = core.execute(Store(0, 1, 1, 1, mode=Store.MEASURE, width=8))
    store = Store(0, 2, 1, 1, mode=Store.INTEGERS, width=8, exponent=3, take=1)
    assert measured.exponent == 14
    assert core.fetch_quantizer.kept == -3
    _, sent = core.execute(store)
    assert unpack_integers(sent, 0, 4).tolist() == [64, 0, 0, 0]
    _, sent = core.execute(replace(store, take=0))
    assert unpack_integers(sent, 0, 4).tolist() == [127, 0, -37, 9]


def test_a_bias_copies_result_words() -> None:
    core = dirty(small(), 11)
    expected = memories(core)
    expected[4][60:63] = core.c[20:23]
    status, sent = core.execute(Bias(20, 3, 60))
    assert (status.code, status.info, status.payload, sent) == (Code.OK, 3, 0, None)
    assert unchanged(core, expected)


@pytest.mark.parametrize(
    ("length", "ended", "code", "taken", "written"),
    [
        (12, True, Code.OK, 12, 6),
        (11, True, Code.EARLY_END, 11, 5),
        (10, True, Code.EARLY_END, 10, 4),
        (13, True, Code.LATE_END, 12, 6),
        (7, False, Code.STOPPED, 7, 3),
        (0, False, Code.STOPPED, 0, 0),
    ],
)
@pytest.mark.parametrize("beyond", [False, True])
def test_a_load_fills_result_words_and_saturates(
    length: int, ended: bool, code: Code, taken: int, written: int, beyond: bool
) -> None:
    spec = small(accumulator={"bits": 20}, cols=4)
    core = dirty(spec, 12)
    expected = memories(core)
    values = np.random.default_rng(12).integers(-(1 << 19), 1 << 19, (max(length, 1), 2))
    values[0] = (1 << 19) - 1, -(1 << 19)
    if beyond:
        values[0] = 1 << 19, -(1 << 63)
    load = Load(3, 3, 2, 5)
    assert core.takes_frame(load)
    status, sent = core.execute(load, Frame(pack_results(values).beats[:length], ended))
    wanted = Code.OVERFLOW if beyond and code is Code.OK else code
    assert (status.code, status.info, status.payload, sent) == (wanted, taken, 0, None)
    addresses = [3, 4, 8, 9, 13, 14][:written]
    held = np.clip(values, -(1 << 19), (1 << 19) - 1).reshape(-1)[: 4 * written]
    expected[3][addresses] = held.reshape(-1, 4)
    assert unchanged(core, expected)


def test_loads_count_for_the_fetch_stage_and_biases_for_the_store_stage() -> None:
    core = dirty(small(cols=4), 13)
    ran = [Load(0, 2, 1, 1), Bias(0, 5, 0), Store(0, 2, 1, 1, mode=Store.MEASURE, width=8)]
    for command in ran:
        core.execute(command, pack_results(np.zeros((2, 4), np.int64)))
    counters = [
        core.execute(Counters(select=1 + 5 * stage + which))[0] for stage in (0, 3) for which in (1, 4)
    ]
    assert [status.payload for status in counters] == [4, 1, 7, 2]


def test_images_of_bias_and_mask_have_the_first_column_lowest() -> None:
    core = GoldenCore(small())
    core.bias[1] = (-1, 5)
    core.mask[2] = (False, True)
    bits = core.spec.result_bits
    assert core.image("bias")[1] == (1 << bits) - 1 | 5 << bits
    assert core.image("mask")[1:4] == [0, 2, 0]
