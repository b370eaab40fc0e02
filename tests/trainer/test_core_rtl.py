"""The core's RTL against golden: random programs, refusals, frames that are wrong, and planted bugs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.emit import emit_files
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated_network import NetworkSimulation, load_network
from hwgen.train import Conv2d, DeviceStep, Hyperparameters, Network, Samples, Training, split, train
from hwgen.train.estimate import estimate_step
from hwgen.train.policies import FP32, EpochStatistics, Precision, Static
from hwgen.trainer import (
    Code,
    Command,
    Counters,
    Device,
    Fetch,
    Frame,
    Gemm,
    NetworkEngine,
    Nop,
    Norm,
    Status,
    Store,
    TrainerSpec,
    Update,
    estimate,
    load_spec,
    pack,
    pack_sums,
    pack_weights,
)
from hwgen.trainer.float_programs import random_float_product
from hwgen.trainer.malformed import malformed
from hwgen.trainer.programs import Program, random_product, random_rounding, random_update
from hwgen.trainer.project import render_core

SMALL = {"kind": "trainer", "name": "little", "array": {"rows": 4, "cols": 4}}
SMALL |= {"buffers": {"a_kib": 8, "b_kib": 8, "c_kib": 16, "scratch_kib": 8}, "max_k": 1024}
SMALL |= {"accumulator": {"bits": 32}}  # narrow enough to overflow
SMALL |= {"float_lanes": 1}


@pytest.fixture(scope="module")
def spec() -> TrainerSpec:
    return load_spec(SMALL)


@pytest.fixture(scope="module")
def core(spec: TrainerSpec, tmp_path_factory: pytest.TempPathFactory) -> NetworkSimulation:
    return built(spec, tmp_path_factory.mktemp("core"))


def built(spec: TrainerSpec, folder: Path) -> NetworkSimulation:
    project = emit_files(render_core(spec), folder / spec.name)
    generate_rtl(project)
    return load_network(project)


def answers(
    core: NetworkSimulation, program: Program, *, pause: float = 0.0
) -> tuple[list[Status], list[int]]:
    """Run a program from reset and return statuses in the order of commands, and all beats sent."""
    core.reset()
    core.pause(pause, seed=len(program.commands))
    core.push("cmd", program.beats)
    for frame in program.frames:
        last = np.zeros(len(frame.beats), np.uint8)
        last[-1] = frame.ended
        core.push("din", frame.words(), last=last)
    beats = sum(len(frame.beats) for frame in program.sent)
    core.run(max_cycles=400_000, until={"status": len(program.commands), "dout": beats})
    core.run(max_cycles=50)  # in which a beat too many would show
    words, _ = core.pop("status")
    found = [Status.decode(int(low) | int(high) << 64) for low, high in words]
    sent, _ = core.pop("dout")
    return sorted(found, key=lambda s: s.number), [int(low) | int(high) << 64 for low, high in sent]


def assert_same(core: NetworkSimulation, program: Program, *, pause: float = 0.0) -> None:
    statuses, beats = answers(core, program, pause=pause)
    assert statuses == program.statuses
    assert beats == [word for frame in program.sent for word in frame.words()]


def test_products_of_random_shapes_widths_and_layouts_are_golden(
    core: NetworkSimulation, spec: TrainerSpec
) -> None:
    rng = np.random.default_rng(1)
    for _ in range(40):
        assert_same(core, random_product(spec, rng))


def test_rounding_on_the_way_in_and_out_is_golden(core: NetworkSimulation, spec: TrainerSpec) -> None:
    rng = np.random.default_rng(7)
    programs = [random_rounding(spec, rng) for _ in range(25)]
    codes = {status.code for program in programs for status in program.statuses}
    assert codes >= {Code.OK, Code.NOT_FINITE}
    for program in programs:
        assert_same(core, program, pause=float(rng.choice([0.0, 0.3])))


def test_weight_updates_are_golden_whole_frames_or_broken_ones(
    core: NetworkSimulation, spec: TrainerSpec
) -> None:
    rng = np.random.default_rng(8)
    programs = [random_update(spec, rng) for _ in range(25)]
    codes = {status.code for program in programs for status in program.statuses}
    assert codes >= {Code.OK, Code.EARLY_END, Code.LATE_END}
    for program in programs:
        assert_same(core, program, pause=float(rng.choice([0.0, 0.3])))


def in_updates(*commands: Update | Norm | Fetch) -> tuple[list[Command], list[Frame]]:
    """Return commands and frames of zeros for them, for cores of four columns."""
    frames = []
    for command in commands:
        if isinstance(command, Fetch):
            frames.append(pack(np.zeros((command.words, 1, 16), np.int16), command.container))
            continue
        zeros = np.zeros(command.rows * command.words * 4, np.float32)
        if isinstance(command, Update):
            frames.append(pack_weights(zeros, zeros))
        elif command.sums:
            frames.append(pack_sums(zeros))
    return list(commands), frames


def test_updates_and_norms_take_the_clocks_of_the_model(core: NetworkSimulation, spec: TrainerSpec) -> None:
    fetch, short, long = Fetch(1, 0, 9), (0, 1, 1, 1), (0, 7, 3, 3)
    for commands in (
        *([kind(*size)] for kind in (Update, Norm) for size in (short, long)),
        [Norm(*long, sums=1)],
        [Update(*long), Update(*short), Update(*long), Update(*short), Update(*short), Update(*long)],
        [Norm(*long), Norm(*short, sums=1), Norm(*long, sums=1), Norm(*short), Norm(*long)],
        [fetch, Update(*long), fetch, Update(*short), fetch],
        [fetch, Norm(*long, sums=1), fetch, Norm(*short, sums=1), Norm(*long), Update(*long)],
    ):
        engine = NetworkEngine(spec, core)
        statuses, _ = engine.run(*in_updates(*commands))
        assert {status.code for status in statuses} == {Code.OK}
        assert engine.cycles == estimate(spec, commands).cycles, commands


def test_products_of_fp32_numbers_are_golden_among_those_of_integers(
    core: NetworkSimulation, spec: TrainerSpec
) -> None:
    rng = np.random.default_rng(10)
    for _ in range(15):
        assert_same(core, random_float_product(spec, rng), pause=float(rng.choice([0.0, 0.3, 0.8])))


def test_a_convolution_of_fp32_numbers_and_its_gradients_are_golden(
    core: NetworkSimulation, spec: TrainerSpec
) -> None:
    core.pause(0.0)
    rng = np.random.default_rng(12)
    x, w, e = (
        rng.standard_normal(shape).astype(np.float32) for shape in ((1, 5, 4, 3), (2, 3, 3, 3), (1, 3, 2, 2))
    )
    results = [
        (
            device.conv2d(x, w, 32, 32, step=2, padding=1),
            device.conv2d_input_gradient(e, w, 32, 32, (5, 4), step=2, padding=1),
            device.conv2d_kernel_gradient(e, x, 32, 32, (3, 3), step=2, padding=1),
        )
        for device in (Device(spec, NetworkEngine(spec, core)), Device(spec))
    ]
    assert all(found.tobytes() == wanted.tobytes() for found, wanted in zip(*results, strict=True))
    assert all(wanted.any() for wanted in results[1])


def test_cycles_of_products_of_fp32_numbers_and_integers_are_the_models(
    core: NetworkSimulation, spec: TrainerSpec
) -> None:
    core.pause(0.0)
    device = Device(spec, NetworkEngine(spec, core))
    rng = np.random.default_rng(11)
    for width in (32, 32, 9, 32, 32, 32):
        m, n, k = (int(size) for size in rng.integers(1, 40, 3))
        turn_a, turn_b = (bool(turn) for turn in rng.integers(0, 2, 2))
        kind = np.float32 if width == 32 else np.int64
        a, b = ((8 * rng.standard_normal(shape)).astype(kind) for shape in ((m, k), (k, n)))
        before, modelled = device.engine.cycles, device.cycles
        device.gemm(a.T if turn_a else a, b.T if turn_b else b, width, width, turn_a, turn_b)
        assert device.engine.cycles - before == device.cycles - modelled


def times(
    core: NetworkSimulation, spec: TrainerSpec, program: tuple[list[Command], list[Frame]], *paused: str
) -> tuple[int, list[list[int]]]:
    """Run a program while streams pause; return all cycles, and the counters of each stage."""
    engine = NetworkEngine(spec, core)
    core.pause(0.0)
    core.pause(0.7, seed=3, ports=paused)
    engine.run(*program)
    core.pause(0.0)
    reads = [Counters(0), *(Counters.of(s, which) for s in range(4) for which in range(Counters.PER_STAGE))]
    cycles, *counted = (status.payload for status in engine.run(reads, [])[0])
    return cycles, np.reshape(counted, (4, Counters.PER_STAGE)).tolist()


def test_stages_tell_what_they_wait_for(core: NetworkSimulation, spec: TrainerSpec) -> None:
    fetches = in_updates(*[Fetch(1, 0, 30)] * 3)
    stores: tuple[list[Command], list[Frame]] = ([Store(0, 4, 6, 6), Store(0, 2, 6, 6)], [])
    updates = in_updates(Update(0, 7, 3, 3), Norm(0, 7, 3, 3, sums=1))
    _, (fetch, *_) = times(core, spec, fetches)
    assert fetch[Counters.WAIT_OUTPUT] == 0
    _, (starved, *_) = times(core, spec, fetches, "din")
    assert starved[Counters.RUN] == fetch[Counters.RUN] == 180
    assert starved[Counters.WAIT_INPUT] > fetch[Counters.WAIT_INPUT] + 180
    assert starved[Counters.WAIT_OUTPUT] == 0
    _, (*_, store) = times(core, spec, stores)
    assert store[Counters.WAIT_OUTPUT] == 0
    _, (*_, held) = times(core, spec, stores, "dout")
    assert held[Counters.RUN] == store[Counters.RUN] == 72
    assert held[Counters.WAIT_INPUT] <= store[Counters.WAIT_INPUT]
    assert held[Counters.WAIT_OUTPUT] > 72
    # What an update cannot send it does not take either; what it does not get it cannot send.
    _, (fetch, *_, store) = times(core, spec, updates)
    _, (behind, *_, held) = times(core, spec, updates, "dout")
    assert held[Counters.WAIT_OUTPUT] > store[Counters.WAIT_OUTPUT] + 50
    assert behind[Counters.WAIT_OUTPUT] > fetch[Counters.WAIT_OUTPUT] + 50
    assert behind[Counters.WAIT_INPUT] <= fetch[Counters.WAIT_INPUT]
    _, (starved, *_, store) = times(core, spec, updates, "din")
    assert starved[Counters.WAIT_INPUT] > fetch[Counters.WAIT_INPUT] + 50
    assert store[Counters.WAIT_OUTPUT] == 0
    assert store[Counters.WAIT_INPUT] > held[Counters.WAIT_INPUT] + 50


def test_every_clock_of_a_stage_is_counted_once_whatever_pauses(
    core: NetworkSimulation, spec: TrainerSpec
) -> None:
    rng = np.random.default_rng(10)
    for kind in (random_product, random_rounding, random_update):
        program = kind(spec, rng)
        for paused in ((), ("din",), ("dout",), ("cmd", "din", "dout", "status")):
            cycles, stages = times(core, spec, (program.commands, program.frames), *paused)
            for busy, run, wait_input, wait_output, commands in stages:
                assert busy == run + wait_input + wait_output
                assert run <= busy <= cycles
                assert (commands > 0) == (busy > 0)


def test_pauses_on_every_stream_change_nothing(core: NetworkSimulation, spec: TrainerSpec) -> None:
    rng = np.random.default_rng(2)
    for _ in range(15):
        assert_same(core, random_product(spec, rng), pause=float(rng.choice([0.1, 0.5, 0.9])))


def test_a_malformed_command_is_refused_with_its_number_and_the_next_ones_work(
    core: NetworkSimulation, spec: TrainerSpec
) -> None:
    good = random_product(spec, np.random.default_rng(3))
    commands: list[Command] = malformed(spec)
    for index, command in enumerate(good.commands):
        commands.insert(3 * index, command)
    program = Program.of(spec, commands, good.frames)
    refused = [status for status in program.statuses if Code(status.code).refused]
    assert len(refused) == len(malformed(spec))
    assert_same(core, program)


def test_frames_that_end_early_or_run_on_are_errors_of_their_fetch_alone(
    core: NetworkSimulation, spec: TrainerSpec
) -> None:
    good = random_product(spec, np.random.default_rng(4))
    elements = np.arange(6 * 16).reshape(6, 16)
    frames = [pack(to_words_of(elements[:rows]), 1) for rows in (2, 6, 4)]
    commands: list[Command] = [Fetch(1, 9, 4), Fetch(1, 20, 4), Fetch(1, 40, 4)]
    program = Program.of(spec, [*commands, Nop(), *good.commands], [*frames, *good.frames])
    assert [status.code for status in program.statuses[:3]] == [Code.EARLY_END, Code.LATE_END, Code.OK]
    assert_same(core, program)


def to_words_of(elements: np.ndarray) -> np.ndarray:
    return elements.astype(np.int16).reshape(len(elements), -1, 16)


def test_a_frame_that_stops_is_given_up_and_what_comes_after_works(
    core: NetworkSimulation, spec: TrainerSpec
) -> None:
    elements = to_words_of(np.arange(6 * 16).reshape(6, 16))
    stopped = pack(elements[:2], 1)
    program = Program.of(
        spec, [Fetch(1, 9, 6), Fetch(1, 20, 6)], [Frame(stopped.beats, ended=False), pack(elements, 1)]
    )
    assert [status.code for status in program.statuses] == [Code.STOPPED, Code.OK]
    core.reset()
    core.pause(0.0)
    core.push("cmd", program.beats)
    core.push("din", stopped.words(), last=[0] * len(stopped.beats))
    core.run(max_cycles=80_000, until={"status": 1})
    whole = program.frames[1]
    core.push("din", whole.words(), last=[0] * (len(whole.beats) - 1) + [1])
    core.run(max_cycles=1000, until={"status": 2})
    words, _ = core.pop("status")
    assert [Status.decode(int(low) | int(high) << 64) for low, high in words] == program.statuses


def test_a_reset_in_the_middle_of_a_product_leaves_a_core_that_works(
    core: NetworkSimulation, spec: TrainerSpec
) -> None:
    core.reset()
    core.push("cmd", Program.of(spec, [Gemm(0, 0, 0, 2, 2, 4, 8, 8, 0, 2), Store(0, 8, 2, 2)], []).beats)
    core.run(max_cycles=60)
    assert_same(core, random_product(spec, np.random.default_rng(5)))


def test_a_sum_beyond_a_narrow_accumulator_saturates_and_says_so(
    core: NetworkSimulation, spec: TrainerSpec
) -> None:
    rng = np.random.default_rng(6)
    programs = [random_product(spec, rng) for _ in range(40)]
    overflowing = [p for p in programs if any(s.code == Code.OVERFLOW for s in p.statuses)]
    assert overflowing
    for program in overflowing:
        assert_same(core, program)


class _EachEpoch(Static):
    """Another word length each epoch."""

    def __init__(self) -> None:
        super().__init__(5)
        self._widths = [5, 8, 11, FP32, 3]

    @property
    def precision(self) -> Precision | None:
        return Precision(self._widths[0]) if self._widths else None

    def after_epoch(self, statistics: EpochStatistics) -> None:
        del self._widths[0]


@pytest.mark.parametrize(
    ("sizes", "batch", "count"),
    [((6, 9, 3), 16, 80), (((2, 3, 1), Conv2d(16, 2, padding=1), Conv2d(16, 2, 2), 3), 2, 10)],
)
def test_training_gives_the_bits_of_golden_at_every_epoch_whatever_the_word_length(
    core: NetworkSimulation, spec: TrainerSpec, sizes: tuple[Any, ...], batch: int, count: int
) -> None:
    rng = np.random.default_rng(1)
    classes = rng.integers(3, size=count)
    data = split(rng.normal(size=(3, 6))[classes] + 0.4 * rng.normal(size=(count, 6)), classes, 1)
    training = Training(Network(sizes), Hyperparameters(lr=0.1), batch=batch)
    devices = (Device(spec, NetworkEngine(spec, core)), Device(spec))
    on_rtl, golden = [train(training, data, _EachEpoch(), device)[1] for device in devices]
    assert [record.precision for record in golden] == ["5", "8", "11", "fp32", "3"]
    assert [record.digest for record in on_rtl] == [record.digest for record in golden]
    assert [record.test_accuracy for record in on_rtl] == [record.test_accuracy for record in golden]
    for counted, modelled in zip(on_rtl, golden, strict=True):
        # The model knows nothing of the host's turns between a step's products.
        assert modelled.cycles <= counted.cycles <= 1.2 * modelled.cycles


@pytest.mark.parametrize("width", [5, 12])
def test_the_estimate_of_a_step_is_what_the_cores_counters_say(
    core: NetworkSimulation, spec: TrainerSpec, width: int
) -> None:
    network = Network(((3, 3, 1), Conv2d(16, 2), Conv2d(16, 2, padding=1), 3))
    device = Device(spec, NetworkEngine(spec, core))
    step = DeviceStep(device, network, Hyperparameters(), 2)
    rng = np.random.default_rng(1)
    samples = Samples(rng.normal(size=(2, 9)).astype(np.float32), rng.integers(3, size=2))
    step.train(network.initial(1), samples, width, 1.0)
    total = estimate_step(spec, network, 2, width).total
    device.queue([Counters(1 + 5 * stage + 1) for stage in (0, 2)])
    fetched, multiplied = (status.payload for status in device.run()[0])
    assert (16 * fetched, multiplied) == (total.bytes_in, total.multiply)
    # The model knows nothing of the host's turns between a step's products.
    assert total.cycles <= step.cycles <= 1.1 * total.cycles


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {
            "array": {"rows": 2, "cols": 4, "digit": 1},
            "rounding": {"mode": "rne"},
            "update_lanes": 1,
            "float_lanes": 0,
        },
        {"array": {"rows": 16, "cols": 4, "digit": 4}, "exponent_bits": 6, "float_lanes": 4},
        {"array": {"rows": 4, "cols": 8, "multiplier": "decomposable"}, "float_lanes": 8},
        {"array": {"rows": 4, "cols": 4, "digit": 8}, "wordlengths": [4, 13], "float_lanes": 0},
        {"array": {"rows": 8, "cols": 8}, "wordlengths": [3, 11], "rounding": {"mode": "sr", "bits": 5}},
    ],
    ids=["digit1", "digit4", "decomposable", "digit8", "eight"],
)
def test_cores_of_other_sizes_digits_and_roundings_are_golden(changes: dict, tmp_path: Path) -> None:
    sizes = {"a_kib": 16, "b_kib": 16, "c_kib": 16, "scratch_kib": 8}
    spec = load_spec({**SMALL, "buffers": sizes, **changes, "name": "other"})
    core = built(spec, tmp_path)
    rng = np.random.default_rng(9)
    for _ in range(40):
        for kind in (random_product, random_rounding, random_update, random_float_product):
            if kind is not random_float_product or spec.float_lanes:
                assert_same(core, kind(spec, rng), pause=float(rng.choice([0.0, 0.3])))
