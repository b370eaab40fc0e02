"""Run cycles against counted loops, the sequencer's model against its rules, schedules against goals."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from by_the_letter import plane_writes
from cores import dirty, random_fill, random_gemm, small

from hwgen.trainer import (
    Bias,
    Code,
    Counters,
    Fetch,
    Fill,
    Gemm,
    Load,
    Nop,
    Store,
    TrainerSpec,
    Update,
    estimate,
    load_spec,
    run_cycles,
)
from hwgen.trainer.cycles import LATENCIES, STAGES, Timeline
from hwgen.trainer.judge import Half, judge
from hwgen.trainer.products import matrix
from hwgen.trainer.schedule import Schedule, best_schedule

SPEC = load_spec({"kind": "trainer"})


def product_cycles(spec: TrainerSpec, gemm: Gemm) -> int:
    """Count the cycles of a product by walking them."""
    digits_a = range(0, gemm.width_a, spec.array.digit)
    digits_b = range(0, gemm.width_b, spec.array.digit)
    tiles = product(range(gemm.tiles_m), range(gemm.tiles_n))
    return sum(1 for _ in product(tiles, range(gemm.kgs), digits_a, digits_b))


def test_run_cycles_of_products_are_those_counted() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        spec, gemm = small(int(rng.choice([1, 2, 4]))), random_gemm(rng)
        assert run_cycles(spec, gemm) == product_cycles(spec, gemm), gemm


def test_run_cycles_of_fills_are_the_plane_words_written() -> None:
    rng = np.random.default_rng(2)
    counted = 0
    while counted < 12:
        core, fill = dirty(small(int(rng.choice([1, 2, 4]))), counted), random_fill(rng)
        if judge(core.spec, fill).code is Code.OK:
            counted += 1
            words = {(word, bank) for word, bank, _, _ in plane_writes(core.spec, fill, core.scratch)}
            assert run_cycles(core.spec, fill) == len(words), fill


def test_run_cycles_of_frames_are_their_beats() -> None:
    assert run_cycles(SPEC, Fetch(0, 0, 30)) == 30
    assert run_cycles(SPEC, Fetch(1, 0, 30)) == 60
    assert run_cycles(SPEC, Store(0, 5, 3, 4)) == 5 * 3 * 8 // 2
    assert run_cycles(SPEC, Update(0, 5, 3, 4)) == 5 * 3 * 8 // 4 * 2
    assert run_cycles(SPEC, Nop()) == run_cycles(SPEC, Counters()) == 0


@pytest.mark.parametrize(
    ("command", "halves"),
    [
        (Fetch(0, 0, 512), Half.S0),
        (Fetch(0, 512, 1), Half.S1),
        (Fetch(0, 511, 2), Half.S0 | Half.S1),
        (Fill(target=1, width=2, kgs=1, n_g=1, dest=512), Half.S0 | Half.B1),
        (Fill(width=2, kgs=1, n_x=2, s_x=-512, limit_x=2, source=512, n_g=1), Half.S0 | Half.S1 | Half.A0),
        (Gemm(0, 512, 1016, 1, 1, 1, 4, 4, 0, 1), Half.A0 | Half.B1 | Half.C1),
        (Store(511, 2, 1, 1), Half.C0 | Half.C1),
        (Nop(), Half.NONE),
        (Store(511, 0, 1, 1), Half.NONE),
    ],
)
def test_a_command_holds_the_halves_that_it_touches(command: Fetch, halves: Half) -> None:
    assert judge(SPEC, command).holds == halves


def issued(*commands: Fetch | Fill | Gemm | Store) -> list[int]:
    timeline = Timeline(SPEC)
    return [timeline.issue(command, timeline.holds(command)) for command in commands]


FILL = Fill(width=16, kgs=1, n_g=1)
GEMM = Gemm(0, 0, 0, 4, 4, 1, 8, 8, 0, 4)


def test_commands_of_different_halves_overlap_and_others_wait_for_each_other() -> None:
    first, second = issued(Fetch(0, 0, 100), Fetch(0, 512, 100))
    assert second == first + 1
    first, second = issued(Fetch(0, 512, 100), FILL)
    assert second == first + 1
    first, second = issued(Fetch(0, 0, 100), FILL)
    assert second >= first + 100 + LATENCIES[Fetch].end


def test_a_fifth_command_of_a_stage_waits_for_the_first() -> None:
    times = issued(*[Fetch(0, 0, 100)] * 5)
    assert times[3] == times[0] + 3
    assert times[4] > times[0] + 100


def test_a_product_that_adds_waits_for_the_products_before() -> None:
    first, second = issued(GEMM, GEMM)
    assert second == first + 1
    adding = Gemm(*[*vars(GEMM).values()][:8], accumulate=1, pitch=4)
    first, second = issued(GEMM, adding)
    assert second > first + run_cycles(SPEC, GEMM)


def test_refused_commands_take_no_stage() -> None:
    times = estimate(SPEC, [Fetch(3, 0, 500), Nop(), Counters()])
    assert times.cycles < 20
    assert times.utilisation == 0
    assert all(stage.commands == 0 for stage in times.stages.values())


def test_loads_biases_and_updates_take_the_stages_that_run_them() -> None:
    load, bias, update = Load(0, 4, 2, 2), Bias(0, 3, 0), Update(0, 4, 2, 2)
    times = estimate(SPEC, [load, bias, update])
    counted = [(times.stages[kind].commands, times.stages[kind].run) for kind in STAGES]
    assert counted == [(2, 32 + 32), (0, 0), (0, 0), (2, 3 + 32)]
    assert times.cycles > 32 + 3 + 32


def test_a_command_that_holds_no_memory_takes_its_stage_all_the_same() -> None:
    measure = Fetch(2, 0, 100, width=8, measure=1)
    times = estimate(SPEC, [measure])
    assert (times.stages[Fetch].commands, times.stages[Fetch].run) == (1, 400)
    assert times.cycles > 400
    first, *_, fifth = issued(*[measure] * 5)
    assert fifth > first + 400


def test_an_update_waits_for_its_results_and_what_writes_results_waits_for_it() -> None:
    update, other = Update(0, 16, 4, 4), Update(512, 16, 4, 4)
    run = run_cycles(SPEC, update)
    first, second = issued(GEMM, update)
    assert second > first + run_cycles(SPEC, GEMM)
    for command in (GEMM, Load(64, 1, 1, 1)):
        first, second = issued(update, command)
        assert second > first + run
    for commands in ((update, Load(512, 1, 1, 1)), (update, Store(0, 1, 1, 1)), (GEMM, other)):
        first, second = issued(*commands)
        assert second == first + 1
    # Two stages: neither has room for a fifth command.
    for kind in (Fetch(0, 0, 100), Store(512, 100, 1, 1)):
        first, *_, fifth = issued(kind, kind, kind, kind, update)
        assert fifth > first + 100
        *_, last, after = issued(update, update, update, update, kind)
        assert after > last + 1


def test_waiting_is_being_busy_without_running() -> None:
    times = estimate(SPEC, [GEMM] * 3)
    stage = times.stages[Gemm]
    assert (stage.commands, stage.run) == (3, 3 * run_cycles(SPEC, GEMM))
    assert 0 < stage.wait < 100
    assert stage.busy <= times.cycles


def test_tiles_of_few_cycles_wait_for_the_rows_of_those_before() -> None:
    short = Gemm(0, 0, 0, 8, 8, 1, 2, 2, 0, 8)
    assert run_cycles(SPEC, short) == 64
    assert estimate(SPEC, [short]).cycles >= 64 * 8


def square(width: int) -> Schedule:
    return best_schedule(SPEC, matrix(256, 256, False, width), matrix(256, 256, True, width))


def test_squares_of_256_keep_the_array_busy_at_every_word_length() -> None:
    for width in (4, 8, 12, 14, 16):
        times = square(width).times
        peak = 32 * 32 * 16 * (-(-width // 2)) ** 2
        assert times.stages[Gemm].run == peak
        assert peak / times.cycles >= 0.95, width


def test_shorter_words_are_as_much_faster_as_they_have_fewer_digit_pairs() -> None:
    slowest = square(16).times.cycles
    for width, speed_up in ((8, 4.0), (12, 1.78), (14, 1.31)):
        assert abs(slowest / square(width).times.cycles / speed_up - 1) < 0.03


def test_the_estimate_of_a_schedule_is_that_of_its_commands() -> None:
    schedule = square(4)
    assert estimate(SPEC, schedule.commands).cycles == schedule.times.cycles
    assert all(judge(SPEC, command).code is Code.OK for command in schedule.commands)
    assert sum(isinstance(command, Fetch) for command in schedule.commands) == len(schedule.frames)
    assert sum(isinstance(command, Store) for command in schedule.commands) == len(schedule.results)


def test_a_worse_order_of_commands_is_estimated_slower() -> None:
    # Stage after stage, as a careless driver would: nothing overlaps with what waits behind.
    commands = square(8).commands
    careless = sorted(commands, key=lambda command: isinstance(command, Store))
    assert estimate(SPEC, careless).cycles > 1.05 * square(8).times.cycles
