"""Products of fp32 numbers in the golden core: one fused multiply-add at a time by exact fractions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from by_the_letter import plane_writes
from cores import dirty, memories, random_fill, small, unchanged
from test_weight_updates import fma, hard_numbers, pattern, patterns

from hwgen.errors import InputError
from hwgen.formats import Rounding, RoundingMode, parse_format
from hwgen.golden import fma as golden_fma
from hwgen.trainer import (
    Code,
    Device,
    Fetch,
    Fill,
    Frame,
    Gemm,
    GoldenCore,
    TrainerSpec,
    Update,
    pack_numbers,
    pack_weights,
    run_cycles,
    unpack_weights,
)
from hwgen.trainer.floats import as_results, sums_of_products
from hwgen.trainer.judge import judge
from hwgen.trainer.products import Convolution

ROOM = {"buffers": {"a_kib": 8, "b_kib": 8, "c_kib": 4, "scratch_kib": 8}}


def floating(digit: int = 2, **changes: object) -> TrainerSpec:
    return small(digit, float_lanes=1, **{**ROOM, **changes})


def sums_by_the_letter(a: np.ndarray, b: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """Return sums of products, element of K by element of K."""
    sums = begin.astype(object)
    for row, column in np.ndindex(*begin.shape):
        total = float(begin[row, column])
        for x, y in zip(a[row], b[column], strict=True):
            total = fma(float(x), float(y), total)
        sums[row, column] = total
    return sums.astype(np.float32)


def test_sums_are_fused_multiply_adds_in_the_order_of_k_for_numbers_of_every_kind() -> None:
    rng = np.random.default_rng(1)
    seen = set()
    for wild in (False, True):
        a, b, begin = (
            (hard_numbers(rng, size) if wild else rng.normal(size=size).astype(np.float32)).reshape(shape)
            for size, shape in ((48, (6, 8)), (56, (7, 8)), (42, (6, 7)))
        )
        found = sums_of_products(a, b, begin)
        assert patterns(found) == patterns(sums_by_the_letter(a, b, begin))
        assert set(found[np.isnan(found)].view(np.uint32).tolist()) <= {0x7FC00000}
        seen |= {np.isnan(x) for x in found.ravel()}
    assert seen == {True, False}


def test_sums_of_subnormal_numbers_cancel_and_round_as_those_of_the_library() -> None:
    rng = np.random.default_rng(2)
    fp32 = parse_format("fp32")
    formats = {"a_fmt": fp32, "b_fmt": fp32, "c_fmt": fp32, "y_fmt": fp32}
    # Products near the least normal number, ties among them: few significant bits, sums that nearly vanish.
    a = np.ldexp(rng.integers(-64, 65, (20, 24)).astype(np.float32), -71)
    b = np.ldexp(rng.integers(-64, 65, (30, 24)).astype(np.float32), -65)
    codes = np.zeros((20, 30), np.uint32)
    for k in range(24):
        x, y = a[:, k, None].view(np.uint32), b[None, :, k].view(np.uint32)
        codes = golden_fma(x, y, codes, **formats, rounding=Rounding(RoundingMode.RNE)).astype(np.uint32)
    assert sums_of_products(a, b, np.zeros((20, 30), np.float32)).tobytes() == codes.tobytes()
    assert 0 < (codes & 0x7FFFFFFF < 0x00800000).mean() < 1


@pytest.mark.parametrize("digit", [1, 2, 4])
def test_fills_of_patterns_are_the_definition_plain_transposed_and_of_images(digit: int) -> None:
    rng = np.random.default_rng(digit)
    filled = 0
    while filled < 8:
        core = dirty(floating(digit), filled)
        fill = replace(random_fill(rng), floats=1, width=0)
        if judge(core.spec, fill).code is not Code.OK:
            continue
        filled += 1
        expected = memories(core)
        writes = list(plane_writes(core.spec, fill, core.scratch))
        for word, bank, lane, value in writes:
            expected[2 if fill.target else 1][word, bank, lane] = value
        status, _ = core.execute(fill)
        assert unchanged(core, expected), fill
        assert status.info == run_cycles(core.spec, fill) == len({write[:2] for write in writes})


def product_of(core: GoldenCore, gemm: Gemm, a: np.ndarray, b: np.ndarray, *, turned: bool) -> None:
    """Fetch and fill factors whose rows are operand rows, or, turned, their transposes; then multiply."""
    for target, numbers, at in ((0, a, gemm.a), (1, b, gemm.b)):
        tensor = np.ascontiguousarray(numbers.T) if turned else numbers
        frame = pack_numbers(tensor)
        words = len(frame.beats) // 2
        row = words // len(tensor)
        rows = {"n_y": len(tensor), "s_y": row, "limit_y": len(tensor), "n_g": row // 2, "floats": 1}
        fill = Fill(target, int(turned), 0, 5, at, gemm.kgs, **rows)
        assert core.execute(Fetch(Fetch.PATTERNS, 5, words), frame)[0].code is Code.OK
        assert core.execute(fill)[0].code is Code.OK


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("accumulate", [0, 1])
def test_a_product_of_fetched_and_filled_numbers_is_their_sums(turned: bool, accumulate: int) -> None:
    rng = np.random.default_rng(3)
    core = dirty(floating(), 1)
    a, b = hard_numbers(rng, 7 * 20).reshape(7, 20), hard_numbers(rng, 5 * 20).reshape(5, 20)
    gemm = Gemm(2, 3, 4, 2, 3, 2, accumulate=accumulate, pitch=4, floats=1)
    begin = hard_numbers(rng, 8 * 6).reshape(8, 6)
    at = 4 + 4 * np.arange(8)[:, None] + np.arange(3)
    core.c[at] = as_results(begin).reshape(8, 3, 2)
    product_of(core, gemm, a, b, turned=turned)
    before = memories(core)
    status, sent = core.execute(gemm)
    assert (status.code, status.info, sent) == (Code.OK, 2 * 3 * 2 * 16 * 8, None)
    padded = [np.pad(x, ((0, -len(x) % banks), (0, 12))) for x, banks in ((a, 4), (b, 2))]
    wanted = sums_by_the_letter(*padded, begin if accumulate else np.zeros_like(begin))
    found = core.c[at].reshape(8, 6)
    assert (found[:7, :5] >> 31 == np.where(found[:7, :5] < 0, -1, 0)).all()
    assert patterns(found[:7, :5].astype(np.uint32).view(np.float32)) == patterns(wanted[:7, :5])
    before[3][at] = core.c[at]
    assert unchanged(core, before)


@pytest.mark.parametrize(
    ("beats", "ended", "code", "words"),
    [
        (16, True, Code.OK, 8),
        (15, True, Code.EARLY_END, 6),
        (12, True, Code.EARLY_END, 4),
        (12, False, Code.STOPPED, 6),
        (20, True, Code.LATE_END, 8),
    ],
)
def test_a_kept_frame_writes_both_words_of_16_patterns_or_neither(
    beats: int, ended: bool, code: Code, words: int
) -> None:
    rng = np.random.default_rng(4)
    core = dirty(floating(), 2)
    numbers = rng.integers(0, 1 << 32, 80, np.uint32)
    expected = memories(core)
    taken = numbers[: 8 * words].reshape(-1, 1, 16)
    halves = np.concatenate([taken & 0xFFFF, taken >> 16], axis=1).reshape(-1, 16)
    expected[0][9 : 9 + words] = halves.astype(np.uint16).view(np.int16)
    frame = Frame(pack_numbers(numbers.view(np.float32)).beats[:beats], ended=ended)
    status, _ = core.execute(Fetch(Fetch.PATTERNS, 9, 8), frame)
    assert (status.code, status.payload) == (code, 0)
    assert unchanged(core, expected)


def test_an_update_by_patterns_takes_them_as_they_are() -> None:
    rng = np.random.default_rng(5)
    core = dirty(floating(cols=4), 3)
    gradients, weights, momenta = (hard_numbers(rng, 24) for _ in range(3))
    core.c[3:9] = as_results(gradients).reshape(6, 4)
    command = Update(3, 1, 6, 6, 77, pattern(0.1), pattern(0.9), pattern(1e-4), floats=1)
    status, sent = core.execute(command, pack_weights(weights, momenta))
    assert status.code is Code.OK
    assert sent is not None
    wanted = []
    for w, m, g in zip(weights, momenta, gradients, strict=True):
        lr, mu, wd = (float(np.float32(x)) for x in (0.1, 0.9, 1e-4))
        next_m = fma(mu, float(m), fma(wd, float(w), float(g)))
        wanted.append((fma(-lr, next_m, float(w)), next_m))
    next_w, next_m = unpack_weights(sent)
    assert patterns(next_w) == patterns(np.array([w for w, _ in wanted], np.float32))
    assert patterns(next_m) == patterns(np.array([m for _, m in wanted], np.float32))
    # As integers the same results are other gradients.
    _, sent = core.execute(replace(command, floats=0), pack_weights(weights, momenta))
    assert sent is not None
    assert patterns(unpack_weights(sent)[0]) != patterns(next_w)


def test_fp32_is_refused_by_a_core_without_lanes_and_where_its_words_do_not_fit() -> None:
    commands = [
        Gemm(0, 0, 0, 1, 1, 1, pitch=1, floats=1),
        Fill(kgs=1, n_g=1, floats=1),
        Update(0, 1, 2, 2, floats=1),
        Fetch(Fetch.PATTERNS, 0, 2),
    ]
    with_lanes, without = floating(cols=4), small(cols=4, **ROOM)
    assert [judge(with_lanes, command).code for command in commands] == [Code.OK] * 4
    refused = [judge(without, command).code for command in commands]
    assert refused == [Code.WIDTH, Code.WIDTH, Code.WIDTH, Code.SHAPE]
    last = with_lanes.scratch_words - 2
    for good, bad, code in (
        (Fetch(Fetch.PATTERNS, last, 2), Fetch(Fetch.PATTERNS, last + 1, 2), Code.ADDRESS),
        (Fetch(Fetch.PATTERNS, 0, 4), Fetch(Fetch.PATTERNS, 0, 3), Code.SHAPE),
        (
            Fill(source=last, kgs=1, n_g=1, floats=1),
            Fill(source=last + 1, kgs=1, n_g=1, floats=1),
            Code.ADDRESS,
        ),
        (
            Fill(dest=with_lanes.a_words - 64, kgs=1, n_g=1, floats=1),
            Fill(dest=with_lanes.a_words - 63, kgs=1, n_g=1, floats=1),
            Code.ADDRESS,
        ),
        (
            Gemm(with_lanes.a_words - 16, 0, 0, 1, 1, 1, pitch=1, floats=1),
            Gemm(with_lanes.a_words - 15, 0, 0, 1, 1, 1, pitch=1, floats=1),
            Code.ADDRESS,
        ),
    ):
        assert judge(with_lanes, good).code is Code.OK
        assert judge(with_lanes, bad).code is code


def exact_image_sums(rows: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    return sums_of_products(rows, kernels, np.zeros((len(rows), len(kernels)), np.float32))


def test_a_device_multiplies_matrices_of_fp32_in_the_order_of_k_however_it_cuts_them() -> None:
    rng = np.random.default_rng(6)
    small_device, large = Device(floating(cols=4)), Device({"kind": "trainer", "float_lanes": 4})
    a, b = rng.normal(size=(21, 150)).astype(np.float32), rng.normal(size=(150, 18)).astype(np.float32)
    wanted = exact_image_sums(a, np.ascontiguousarray(b.T))
    for device in (small_device, large):
        found = device.gemm(a, b, 32, 32)
        assert found.dtype == np.float32
        assert found.tobytes() == wanted.tobytes()
        assert device.gemm(a.T, b.T, 32, 32, transpose_a=True, transpose_b=True).tobytes() == wanted.tobytes()


def test_a_convolution_of_fp32_and_its_gradients_are_those_of_float64_but_for_rounding() -> None:
    rng = np.random.default_rng(7)
    device = Device({"kind": "trainer", "float_lanes": 4})
    x, w = rng.normal(size=(2, 5, 6, 3)).astype(np.float32), rng.normal(size=(4, 3, 3, 3)).astype(np.float32)
    shape = Convolution(2, 5, 6, 3, 4, 3, 3, step=1, padding=1)
    e = rng.normal(size=(2, shape.out_height, shape.out_width, 4)).astype(np.float32)
    padded = np.pad(x.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
    y, dx, dw = np.zeros(e.shape), np.zeros(padded.shape), np.zeros(w.shape)
    for i in range(3):
        for j in range(3):
            seen = padded[:, i : i + e.shape[1], j : j + e.shape[2]]
            y += np.einsum("bhwc,fc->bhwf", seen, w[:, i, j])
            dx[:, i : i + e.shape[1], j : j + e.shape[2]] += np.einsum("bhwf,fc->bhwc", e, w[:, i, j])
            dw[:, i, j] += np.einsum("bhwf,bhwc->fc", e, seen)
    found = (
        device.conv2d(x, w, 32, 32, padding=1),
        device.conv2d_input_gradient(e, w, 32, 32, (5, 6), padding=1),
        device.conv2d_kernel_gradient(e, x, 32, 32, (3, 3), padding=1),
    )
    for result, wanted in zip(found, (y, dx[:, 1:-1, 1:-1], dw), strict=True):
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, wanted, rtol=0, atol=2e-5)


@pytest.mark.parametrize(
    ("spec", "a", "widths", "message"),
    [
        ({"kind": "trainer"}, np.zeros((2, 2), np.float32), (32, 32), "has no float lanes: legal: 2..16"),
        ({"kind": "trainer", "float_lanes": 4}, np.zeros((2, 2)), (32, 32), "legal: float32, with 2 axes"),
        (
            {"kind": "trainer", "float_lanes": 4},
            np.zeros((2, 2), np.float32),
            (32, 8),
            "word lengths 32 and 8 do not go together",
        ),
    ],
)
def test_a_device_refuses_what_is_no_product_of_fp32(
    spec: dict, a: np.ndarray, widths: tuple[int, int], message: str
) -> None:
    b = a.astype(np.int64) if widths[1] == 8 else a
    with pytest.raises(InputError, match=message.replace(".", r"\.")):
        Device(spec).gemm(a, b, *widths)
