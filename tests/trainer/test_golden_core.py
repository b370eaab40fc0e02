"""The golden core: every command against its definition, every error against untouched memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from by_the_letter import plane_writes, results
from cores import SPLITS, dirty, memories, random_fill, random_gemm, small, unchanged

from hwgen.trainer import (
    Bias,
    Code,
    Counters,
    Fetch,
    Fill,
    Frame,
    Gemm,
    GoldenCore,
    Load,
    Nop,
    Store,
    Unknown,
    pack,
    run_cycles,
    to_words,
    unpack_results,
)

BUFFERS = {"a_kib": 4, "b_kib": 4, "c_kib": 2, "scratch_kib": 4}


def beats(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 16)).astype(np.uint8)


@pytest.mark.parametrize("container", [0, 1])
def test_a_fetch_widens_elements_into_scratch(container: int) -> None:
    core = GoldenCore(small())
    limit = 1 << 7 + 8 * container
    tensor = np.random.default_rng(1).integers(-limit, limit, (5, 16))
    status, sent = core.execute(Fetch(container, 3, 5), pack(to_words(tensor), container))
    assert (status.code, status.info, sent) == (Code.OK, 5 * (container + 1), None)
    assert np.array_equal(core.scratch[3:8], tensor)
    assert not core.scratch[:3].any()
    assert not core.scratch[8:].any()


@pytest.mark.parametrize("digit", [1, 2, 4, 8, SPLITS])
def test_fills_write_what_the_definition_says(digit: int | str) -> None:
    rng = np.random.default_rng(4)
    accepted = 0
    while accepted < 12:
        rows, cols = int(rng.choice([2, 8, 16])), int(rng.choice([2, 4]))
        spec = small(digit, rows, cols, buffers={**BUFFERS, "a_kib": 16})
        core = dirty(spec, accepted)
        fill = random_fill(rng)
        expected = memories(core)
        status, _ = core.execute(fill)
        if status.code is Code.OK or status.code == Code.OK:
            accepted += 1
            steps = 0
            for word, bank, lane, value in plane_writes(core.spec, fill, core.scratch):
                expected[1 + fill.target][word, bank, lane] = value
                steps += 1
            assert status.info == steps // 16
        assert unchanged(core, expected), fill


@pytest.mark.parametrize("digit", [1, 2, 4, 8, SPLITS])
def test_products_are_the_sums_of_digit_products(digit: int | str) -> None:
    rng = np.random.default_rng(4)
    accepted = 0
    while accepted < 4:
        core = dirty(small(digit, buffers=BUFFERS), accepted)
        gemm = random_gemm(rng)
        expected = memories(core)
        status, _ = core.execute(gemm)
        if status.code == Code.OK:
            accepted += 1
            for (word, col), value in results(core.spec, gemm, core.a, core.b, expected[3]).items():
                expected[3][word, col] = value
        assert unchanged(core, expected), gemm


def test_a_narrow_accumulator_saturates_and_says_so() -> None:
    spec = small(accumulator={"bits": 12})
    gemm = Gemm(tiles_m=1, tiles_n=1, kgs=1, width_a=4, width_b=6, pitch=1)
    core = dirty(spec, 3)
    exact = np.array(list(results(spec, gemm, core.a, core.b, core.c).values()))
    assert (abs(exact) < 2047).any()
    status, _ = core.execute(gemm)
    assert status.code == Code.OK
    core.c[:] = 2000
    status, _ = core.execute(replace(gemm, accumulate=1))
    assert status.code == Code.OVERFLOW
    assert np.array_equal(core.c[: spec.array.rows].ravel(), np.clip(exact + 2000, -2048, 2047))


def test_a_63_bit_accumulator_saturates_at_its_ends() -> None:
    spec = small(accumulator={"bits": 63})
    gemm = Gemm(tiles_m=1, tiles_n=1, kgs=1, width_a=16, width_b=16, accumulate=1, pitch=1)
    core = dirty(spec, 4)
    exact = np.array(list(results(spec, replace(gemm, accumulate=0), core.a, core.b, core.c).values()))
    assert (exact > 0).any()
    assert (exact < 0).any()
    core.c[:] = 2**62 - 2
    status, _ = core.execute(gemm)
    assert status.code == Code.OVERFLOW
    wanted = [min(int(x) + 2**62 - 2, 2**62 - 1) for x in exact]
    assert core.c[: spec.array.rows].ravel().tolist() == wanted


def test_a_store_sends_rows_of_results_sign_extended() -> None:
    core = dirty(small(), 5)
    status, sent = core.execute(Store(c=2, rows=3, words=2, pitch=4))
    assert sent is not None
    assert sent.ended
    assert (status.code, status.info, len(sent.beats)) == (Code.OK, 6, 6)
    rows = [core.c[2 + 4 * r : 4 + 4 * r].ravel() for r in range(3)]
    assert np.array_equal(unpack_results(sent), np.concatenate(rows))


GOOD_FILL = Fill(width=8, kgs=2, n_x=3, s_x=2, n_g=2, limit_x=3)
GOOD_GEMM = Gemm(tiles_m=1, tiles_n=1, kgs=1, width_a=4, width_b=4, pitch=1)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (Unknown(8), Code.OPCODE),
        (Unknown(255 | 1 << 200), Code.OPCODE),
        (replace(GOOD_FILL, width=17, kgs=7, dest=65535), Code.WIDTH),
        (replace(GOOD_FILL, width=0), Code.WIDTH),
        (replace(GOOD_GEMM, width_a=1, kgs=0), Code.WIDTH),
        (replace(GOOD_GEMM, width_b=31, a=65535), Code.WIDTH),
        (Fetch(0, 0, 0), Code.SHAPE),
        (Fetch(2, 0, 0, 8), Code.SHAPE),
        (Fetch(3, 65535, 1), Code.SHAPE),
        *((Fetch(2, 0, 0, width), Code.WIDTH) for width in (0, 1, 17, 31)),
        (Fetch(2, 127, 2, 1, measure=1), Code.WIDTH),
        (Fetch(2, 0, 0, 8, measure=1), Code.SHAPE),
        (Fetch(2, 128, 1, 8, exponent=128), Code.SHAPE),
        (Fetch(2, 0, 1, 8, exponent=-129), Code.SHAPE),
        *((Fetch(1, 0, 1, **{key: 1}), Code.SHAPE) for key in ("width", "exponent", "take", "measure")),
        (Fetch(0, 0, 1, exponent=-1), Code.SHAPE),
        *(
            (replace(GOOD_FILL, **{key: 0}), Code.SHAPE)
            for key in ("n_b", "n_y", "n_x", "n_ky", "n_kx", "n_g")
        ),
        *((replace(GOOD_FILL, **{key: 0}), Code.SHAPE) for key in ("step", "limit_y", "limit_x")),
        (replace(GOOD_FILL, kgs=3), Code.SHAPE),
        (replace(GOOD_FILL, transpose=1), Code.SHAPE),
        (replace(GOOD_FILL, transpose=1, kgs=2, source=65535), Code.SHAPE),
        *((replace(GOOD_GEMM, **{key: 0}), Code.SHAPE) for key in ("tiles_m", "tiles_n", "kgs", "pitch")),
        (replace(GOOD_GEMM, kgs=5), Code.SHAPE),
        (replace(GOOD_GEMM, tiles_n=2), Code.SHAPE),
        (Store(0, 0, 1, 1), Code.SHAPE),
        (Store(0, 1, 0, 1), Code.SHAPE),
        (Store(0, 1, 2, 1), Code.SHAPE),
        *((Store(0, 0, 1, 1, mode=mode, width=width), Code.WIDTH) for mode in (1, 2) for width in (1, 17)),
        (Store(0, 1, 1, 1, mode=3, width=8), Code.SHAPE),
        (Store(0, 0, 1, 1, mode=2, width=8), Code.SHAPE),
        (Store(0, 1, 1, 1, mode=1, width=9), Code.SHAPE),
        (Store(127, 1, 2, 2, mode=1, width=8, exponent=128), Code.SHAPE),
        (Store(0, 1, 1, 1, mode=1, width=8, exponent=-129, size=1), Code.SHAPE),
        *((Store(0, 1, 1, 1, mode, 8, apply_mask=1, save_mask=1), Code.SHAPE) for mode in range(3)),
        (Load(0, 0, 1, 1), Code.SHAPE),
        (Load(0, 1, 0, 1), Code.SHAPE),
        (Load(127, 1, 2, 1), Code.SHAPE),
        (Bias(0, 0, 0), Code.SHAPE),
        (Counters(select=21), Code.SHAPE),
        (Fetch(2, 127, 2, 8), Code.ADDRESS),
        (Store(127, 1, 2, 2, mode=2, width=8), Code.ADDRESS),
        (Store(0, 1, 2, 2, bias=1, bias_at=63), Code.ADDRESS),
        (Store(0, 3, 2, 2, mode=2, width=8, save_mask=1, mask=4091), Code.ADDRESS),
        (Store(0, 3, 2, 2, apply_mask=1, mask=65535), Code.ADDRESS),
        (Load(127, 1, 2, 2), Code.ADDRESS),
        (Load(0, 65535, 1, 4095), Code.ADDRESS),
        (Bias(127, 2, 0), Code.ADDRESS),
        (Bias(0, 2, 63), Code.ADDRESS),
        (Fetch(0, 127, 2), Code.ADDRESS),
        (Fetch(0, 65535, 65535), Code.ADDRESS),
        (replace(GOOD_FILL, source=123), Code.ADDRESS),
        (replace(GOOD_FILL, s_x=-1), Code.ADDRESS),
        (replace(GOOD_FILL, limit_y=2, s_y=-1), Code.ADDRESS),
        (replace(GOOD_FILL, n_b=64, s_b=2, n_x=1), Code.ADDRESS),
        (replace(GOOD_FILL, dest=97), Code.ADDRESS),
        (replace(GOOD_FILL, dest=65, target=1), Code.ADDRESS),
        (replace(GOOD_GEMM, a=127), Code.ADDRESS),
        (replace(GOOD_GEMM, b=127), Code.ADDRESS),
        (replace(GOOD_GEMM, c=125), Code.ADDRESS),
        (replace(GOOD_GEMM, c=0, pitch=43), Code.ADDRESS),
        (Store(127, 1, 2, 2), Code.ADDRESS),
        (Store(0, 65535, 1, 4095), Code.ADDRESS),
    ],
)
def test_a_bad_command_is_refused_with_its_number_and_changes_nothing(command: object, code: Code) -> None:
    core = dirty(small(), 6)
    core.execute(Nop())
    before = memories(core)
    assert not core.takes_frame(command)  # type: ignore[arg-type]
    status, sent = core.execute(command, Frame(beats(4)))  # type: ignore[arg-type]
    assert (status.code, status.number, status.info, status.payload, sent) == (code, 1, 0, 0, None)
    assert code.refused
    assert unchanged(core, before)
    assert core.execute(GOOD_FILL)[0].code == Code.OK


@pytest.mark.parametrize(
    "command",
    [
        Fetch(0, 126, 2),
        replace(GOOD_FILL, source=122),
        replace(GOOD_FILL, source=4, s_x=-2),
        replace(GOOD_FILL, dest=96),
        replace(GOOD_FILL, dest=64, target=1),
        replace(GOOD_GEMM, a=126, b=126, c=124),
        replace(GOOD_GEMM, kgs=4),
        Store(126, 1, 2, 2),
        Fetch(2, 126, 2, 8, exponent=127),
        Fetch(2, 126, 2, 16, exponent=300, take=1),
        Fetch(2, 65535, 2, 8, exponent=300, measure=1),
        Store(126, 1, 2, 2, width=31, exponent=300, size=1, bias_at=64, mask=4096),
        Store(0, 3, 2, 2, mode=2, width=16, exponent=300, bias=1, bias_at=62, apply_mask=1, mask=4090),
        Store(0, 3, 2, 2, mode=1, width=8, exponent=-128, save_mask=1, mask=4090),
        Store(0, 3, 2, 2, mode=1, width=9, exponent=300, take=1, size=1),
        Load(126, 1, 2, 2),
        Bias(126, 2, 62),
        Counters(select=20),
    ],
)
def test_a_command_may_reach_the_last_word(command: object) -> None:
    core = dirty(small(), 7)
    sizes = {Fetch: 2, Load: 2}
    count = 8 if isinstance(command, Fetch) and command.container == 2 else sizes.get(type(command), 0)
    frame = Frame(np.zeros((count, 16), np.uint8)) if count else None
    status, _ = core.execute(command, frame)  # type: ignore[arg-type]
    assert status.code == Code.OK


@pytest.mark.parametrize(
    ("length", "ended", "code", "taken", "written"),
    [
        (8, True, Code.OK, 8, 4),
        (7, True, Code.EARLY_END, 7, 3),
        (6, True, Code.EARLY_END, 6, 2),  # the beat that should not have been the last writes nothing
        (1, True, Code.EARLY_END, 1, 0),
        (9, True, Code.LATE_END, 8, 4),
        (20, True, Code.LATE_END, 8, 4),
        (5, False, Code.STOPPED, 5, 2),
        (0, False, Code.STOPPED, 0, 0),
        (8, False, Code.STOPPED, 8, 4),
        (11, False, Code.STOPPED, 8, 4),
    ],
)
def test_a_frame_of_the_wrong_length_is_an_error_of_its_fetch(
    length: int, ended: bool, code: Code, taken: int, written: int
) -> None:
    core = dirty(small(), 8)
    before = memories(core)
    data = beats(length)
    status, _ = core.execute(Fetch(1, 10, 4), Frame(data, ended))
    assert (status.code, status.info) == (code, taken)
    before[0][10 : 10 + written] = data.reshape(-1).view("<i2")[: 16 * written].reshape(-1, 16)
    assert unchanged(core, before)
    assert core.execute(Fetch(0, 0, 2), Frame(beats(2)))[0].code == Code.OK


def test_numbers_wrap_and_counters_add_up_what_ran() -> None:
    core = dirty(small(), 9)
    core._number = 65534
    ran = [GOOD_FILL, GOOD_GEMM, replace(GOOD_GEMM, kgs=4), Store(0, 2, 3, 3)]
    assert [core.execute(command)[0].number for command in ran] == [65534, 65535, 0, 1]
    core.execute(Fetch(0, 0, 3), Frame(beats(2)))
    core.execute(replace(GOOD_GEMM, kgs=0))

    def counter(stage: int, which: int) -> int:
        return core.execute(Counters(select=1 + 5 * stage + which))[0].payload

    expected = [
        2,
        *(sum(run_cycles(core.spec, c) for c in ran if type(c) is kind) for kind in (Fill, Gemm, Store)),
    ]
    assert [counter(stage, 1) for stage in range(4)] == expected
    assert [counter(stage, 4) for stage in range(4)] == [1, 1, 2, 1]
    assert core.execute(Counters(select=7, clear=1))[0].payload == expected[1]
    assert [counter(stage, 1) for stage in range(4)] == [0, 0, 0, 0]


def test_memory_images_have_the_first_lane_lowest() -> None:
    core = GoldenCore(small())
    core.scratch[1, :2] = (-1, 2)
    core.a[2, 3, :3] = (1, 2, 3)
    core.c[0] = (-1, 5)
    assert core.image("s")[1] == 0xFFFF | 2 << 16
    assert core.image("a", 3)[2] == 1 | 2 << 2 | 3 << 4
    assert core.image("a", 2)[2] == 0
    bits = core.spec.result_bits
    assert core.image("c")[0] == (1 << bits) - 1 | 5 << bits
