"""Estimates of training steps against steps: the same cycles, the same beats, the same work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.train import Conv2d, DeviceStep, Hyperparameters, Network, Samples
from hwgen.train import estimate as estimate_module
from hwgen.train.estimate import StepEstimate, estimate_step
from hwgen.train.placement import PlacedNetwork
from hwgen.train.plot_estimate import plot_estimates
from hwgen.trainer import Command, Counters, Device, Frame, GoldenEngine, Status, load_spec

CORE = {"kind": "trainer", "buffers": {"scratch_kib": 64, "a_kib": 16, "b_kib": 16, "c_kib": 64}}
NETWORKS = [((20, 18, 5), 12), (((6, 5, 2), Conv2d(16, 3, padding=1), Conv2d(16, 3, 2), 9, 4), 3)]


class Watched(GoldenEngine):
    """A golden core that counts the bytes that go in and come out."""

    bytes_in = bytes_out = 0

    def run(self, commands: Sequence[Command], frames: Sequence[Frame]) -> tuple[list[Status], list[Frame]]:
        statuses, sent = super().run(commands, frames)
        self.bytes_in += sum(frame.beats.size for frame in frames)
        self.bytes_out += sum(frame.beats.size for frame in sent)
        return statuses, sent


def check_estimate(sizes: tuple[object, ...], batch: int, width: int) -> StepEstimate:
    network, spec = Network(sizes), load_spec(CORE)
    engine = Watched(spec)
    device = Device(spec, engine)
    step = DeviceStep(device, network, Hyperparameters(), batch)
    rng = np.random.default_rng(1)
    features = int(np.prod(network.layers[0].input_shape))
    samples = Samples(rng.normal(size=(batch, features)).astype(np.float32), rng.integers(4, size=batch))
    step.train(network.initial(1), samples, width, 1.0)
    found = estimate_step(spec, network, batch, width)
    total = found.total
    assert total.cycles == step.cycles > 0
    assert (total.bytes_in, total.bytes_out) == (engine.bytes_in, engine.bytes_out)
    device.queue([Counters.of(stage, Counters.RUN) for stage in range(3)])
    fetched, _, multiplied = (status.payload for status in device.run()[0])
    assert total.multiply == multiplied
    assert 16 * fetched == total.bytes_in
    return found


@pytest.mark.parametrize(("sizes", "batch"), NETWORKS)
@pytest.mark.parametrize("width", [3, 8, 13])
def test_an_estimate_is_what_a_step_takes(sizes: tuple[object, ...], batch: int, width: int) -> None:
    found = check_estimate(sizes, batch, width)
    layers = len(sizes) - 1
    assert [part.name for part in found.passes[:layers]] == ["forward"] * layers
    for part in found.passes:
        assert part.cycles > part.roof * 0.9  # a pass may use what the one before has begun
        assert 0 <= part.utilisation <= 1
        assert 0 <= part.useful <= 1
    assert sum(part.macs for part in found.passes) == batch * sum(
        (3 if place else 2) * layer.macs for place, layer in enumerate(Network(sizes).layers)
    )


def test_an_estimate_of_other_commands_is_not_what_a_step_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(PlacedNetwork):
        def error(self, place: int, width: int) -> list[Command]:
            return []

    monkeypatch.setattr(estimate_module, "PlacedNetwork", Forgetful)
    with pytest.raises(AssertionError):
        check_estimate(*NETWORKS[0], 8)


def test_energy_is_that_of_the_table() -> None:
    spec = load_spec({**CORE, "accumulator": {"bits": 40}})
    found = estimate_step(spec, Network((15, 8)), 8, 8)
    forward, gradient, update = found.passes
    # One tile of 8 x 8 results, and one k-group.
    products = 8 * 8 * 16
    each = 0.002995 * 64 + 0.00104 * 8 + 0.003125 * 40
    assert forward.executed == products
    assert forward.compute_pj == pytest.approx(products * each)
    assert gradient.compute_pj == pytest.approx(2 * products * each)  # 16 columns
    assert update.compute_pj == pytest.approx(8 * 16 * 3 * (0.9 + 3.7))
    # Input and weights twice in fp32, results of 64 bits.
    assert (forward.bytes_in, forward.bytes_out) == (2 * (8 * 16 + 8 * 16) * 4, 8 * 8 * 8)
    assert forward.stream_pj == pytest.approx((2 * 256 * 4 + 512) * 8 * 20.3)
    assert forward.macs == 8 * 15 * 8
    assert forward.useful == 15 / 16
    assert (update.bytes_in, update.bytes_out) == (8 * 16 * 8, 8 * 16 * 8)
    assert update.bound == "stream"


def test_memories_are_as_full_as_the_commands_say() -> None:
    found = estimate_step(load_spec(CORE), Network((15, 8)), 8, 8)
    # X and W of 8 words each and E of as many; 8 columns of results for Y, 16 for the weights' gradient.
    used = {memory: used for memory, (used, _) in found.memories.items()}
    assert used == {"scratch": 24, "mask": 0, "a": 8, "b": 8, "c": 16, "bias": 0}
    assert found.memory_line().startswith("scratch 24 of 2048 words (1%), a 8 of 512 words (2%), b 8 of 512")


def test_wide_words_are_bound_by_the_array_and_short_ones_are_not() -> None:
    network = Network(((3, 3, 16), Conv2d(32, 3, padding=1), 4))
    short, wide = (estimate_step(load_spec(CORE), network, 2, width).passes[0] for width in (2, 16))
    assert short.bound != "compute"
    assert wide.bound == "compute"
    assert wide.utilisation > short.utilisation


def test_estimates_are_drawn(tmp_path: Path) -> None:
    steps = [estimate_step(load_spec(CORE), Network((15, 8)), 8, width) for width in (4, 8)]
    plot_estimates(steps, "a title", tmp_path / "plots" / "step.svg")
    assert "</svg>" in (tmp_path / "plots" / "step.svg").read_text()
    with pytest.raises(InputError, match=r"'step\.txt' is no picture: legal endings: \.svg, \.png, \.pdf"):
        plot_estimates(steps, "a title", tmp_path / "step.txt")
