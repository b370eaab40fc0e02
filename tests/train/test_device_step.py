"""One step on a core against the same step in exact integers, tensor by tensor."""

from __future__ import annotations

import inspect
import sys
from math import prod
from types import ModuleType

import by_connections
import numpy as np
import pytest

from hwgen.errors import CheckError, InputError
from hwgen.train import (
    Conv2d,
    DeviceStep,
    HostStep,
    Hyperparameters,
    Network,
    Parameters,
    Samples,
    device_convolution,
    placement,
)
from hwgen.train import device_step as device_step_module
from hwgen.train.layers import Layer
from hwgen.trainer import Device, GoldenEngine, NetworkEngine, TrainerSpec, load_spec

CORE = {"kind": "trainer", "rounding": "rne", "buffers": {"scratch_kib": 16, "c_kib": 16}}
LARGER = {**CORE, "buffers": {"scratch_kib": 64, "a_kib": 16, "b_kib": 16, "c_kib": 64}}
RATES = Hyperparameters(lr=0.25, momentum=0.5, decay=0.125)
IMAGES = (
    # Strides that divide the image and that do not, padding, channels that fill no word and two words.
    (6, ((5, 4, 3), Conv2d(16, 3, padding=1), Conv2d(32, 3, stride=2, padding=1), 3), 3, 8, 1),
    (7, ((6, 7, 1), Conv2d(16, 2), Conv2d(16, 4, stride=3, padding=2), Conv2d(16, 2), 4), 5, 5, 0.01),
    (8, ((4, 3, 20), Conv2d(32, 1), 3), 2, 12, 1),
    (9, ((7, 7, 2), Conv2d(16, 3, stride=2), 9, 3), 9, 6, 200),
)


def used(layer: Layer) -> np.ndarray:
    """Say of each weight whether it is one, or fills up a word."""
    wire = by_connections.connections(layer)
    mask = np.zeros((layer.outputs, layer.columns), bool)
    mask[wire.row, wire.column] = True
    return mask


def problem(
    seed: int, sizes: tuple[object, ...], batch: int, scale: float = 1
) -> tuple[Network, Parameters, Samples]:
    rng = np.random.default_rng(seed)
    network = Network(sizes)
    parameters = network.initial(seed)
    for layer, weights, momenta in zip(network.layers, parameters.weights, parameters.momenta, strict=True):
        mask = used(layer)
        weights[mask] += rng.normal(size=mask.sum()).astype(np.float32) / 8
        momenta[mask] = rng.normal(size=mask.sum()).astype(np.float32) / 8
    x = (scale * rng.normal(size=(batch, prod(network.layers[0].input_shape)))).astype(np.float32)
    return network, parameters, Samples(x, rng.integers(sizes[-1], size=batch))


def check_steps(step_class: type[DeviceStep]) -> None:
    # Sizes that fill no word, some words, and exactly the words with the constant behind.
    # Inputs so large that 1 is no element, and so small that it is none, either.
    for seed, sizes, batch, width, scale in (
        (1, (5, 9, 3), 4, 8, 1),
        (2, (15, 16, 17, 2), 20, 5, 1),
        (3, (20, 7, 3), 9, 16, 0.01),
        (4, (3, 31, 3), 8, 2, 1),
        (5, (3, 5, 3), 8, 4, 200),
        *IMAGES,
    ):
        network, parameters, samples = problem(seed, sizes, batch, scale)
        wanted, gradients = by_connections.step(network, parameters, samples, width, RATES)
        core = CORE if isinstance(sizes[0], int) else LARGER
        step = step_class(Device(core), network, RATES, batch)
        step.start_epoch(0)
        rng = np.random.default_rng(seed)
        before = [rng.normal(size=w.shape).astype(np.float32) * (seed % 2) for w in parameters.weights]
        result = step.train(parameters, samples, width, 1.0, before)
        for place in range(len(network.layers)):
            told, g = result.gradients[place], gradients[place].astype(np.float32)
            assert np.array_equal(told.sums, before[place] + g), (seed, place)
            assert told.norm == pytest.approx(np.square(g, dtype=np.float64).sum(), rel=1e-5)
            assert told.norm_of_sums == pytest.approx(np.square(told.sums, dtype=np.float64).sum(), rel=1e-5)
            assert np.array_equal(parameters.weights[place], wanted.weights[place]), (seed, place)
            assert np.array_equal(parameters.momenta[place], wanted.momenta[place]), (seed, place)
            assert gradients[place].any()
            assert not parameters.weights[place][~used(network.layers[place])].any()


def test_a_step_on_a_core_is_the_step_in_exact_integers() -> None:
    check_steps(DeviceStep)


def planted(module: ModuleType, old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return a module with one piece of its source replaced."""
    source = inspect.getsource(module)
    assert source.count(old) == 1
    changed = ModuleType("planted")
    monkeypatch.setitem(sys.modules, "planted", changed)
    exec(compile(source.replace(old, new), "planted", "exec"), changed.__dict__)
    return changed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("exponent + weights + measured.pop(0)", "exponent + measured.pop(0)"),
        ("min(max(-tensor.exponent, 0), width - 2)", "min(max(-tensor.exponent, 1), width - 2)"),
        ("min(max(-tensor.exponent, 0), width - 2)", "max(-tensor.exponent - 1, 0)"),
        ("scale = exponent + inputs[place]", "scale = exponent"),
    ],
)
def test_planted_bugs_in_steps_are_found(old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = planted(device_step_module, old, new, monkeypatch)
    with pytest.raises((AssertionError, CheckError)):
        check_steps(changed.DeviceStep)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("post = Post(apply_mask=1, mask=", "post = Post(mask="),
        ("Post(bias=layer.bias, relu=1, save_mask=1", "Post(bias=layer.bias, save_mask=1"),
        ("Post(bias=layer.bias, relu", "Post(relu"),
        ("Order(height, width, _next_stride(network, place))", "Order(height, width)"),
        ("e = Region(behind, ", "e = Region(behind - 8, "),
        ("results.rows * results", "results"),
    ],
)
def test_planted_bugs_in_the_placement_are_found(old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = planted(placement, old, new, monkeypatch)
    monkeypatch.setattr(device_step_module, "PlacedNetwork", changed.PlacedNetwork)
    with pytest.raises((AssertionError, CheckError)):
        check_steps(DeviceStep)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("self.order.stride * stride,", "stride,"),
        ("(y * stride - margin, x * stride - margin)", "(y * stride - margin, -margin)"),
        ("biases = Fill(1, 0, width, self.w.base + groups,", "biases = Fill(1, 0, width, self.w.base,"),
        ("add=int(number > 0)", "add=0"),
        ("last_y = phase.kernel_y.start + stride", "last_y = stride"),
        ("s_b=-stride * line,", "s_b=-line,"),
        ("s_y=-stride * groups,", "s_y=stride * groups,"),
        ("source=base + images.start * height", "source=base + height"),
        ("row += len(images) * rows", "row += len(images) * rows + 1"),
        ("return self.x.base + self.x.words - 1", "return self.x.base"),
        ("last[0, 0] = constant", "last[0, 0] = 1"),
        (
            "self.result_words(self.layer.unrolled) * groups",
            "self.result_words(self.layer.unrolled - 16) * groups",
        ),
        ("done += places", "done += 0"),
    ],
)
def test_planted_bugs_in_convolutions_are_found(old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = planted(device_convolution, old, new, monkeypatch)
    monkeypatch.setattr(placement, "PlacedConvolution", changed.PlacedConvolution)
    monkeypatch.setattr(placement, "Order", changed.Order)
    with pytest.raises((AssertionError, CheckError, InputError, ValueError)):
        check_steps(DeviceStep)


@pytest.mark.parametrize(
    ("sizes", "batch"),
    [((20, 12, 4), 16), (((6, 5, 2), Conv2d(16, 3, padding=1), Conv2d(16, 3, stride=2), 4), 4)],
)
def test_sixteen_bits_are_close_to_fp32(sizes: tuple[object, ...], batch: int) -> None:
    network, parameters, samples = problem(5, sizes, batch)
    host = Parameters(list(parameters.weights), list(parameters.momenta))
    step = DeviceStep(Device(LARGER), network, RATES, batch)
    step.start_epoch(3)
    zeros = [np.zeros_like(weights) for weights in parameters.weights]
    on_core = step.train(parameters, samples, 16, 1.0, zeros)
    on_host = HostStep(network, RATES).train(host, samples, 1.0, zeros)
    assert on_core.loss == pytest.approx(on_host.loss, rel=1e-3)
    for place in range(len(network.layers)):
        wanted = on_host.gradients[place]
        largest = np.abs(wanted.sums).max()
        assert np.abs(on_core.gradients[place].sums - wanted.sums).max() < 1e-2 * largest
        assert on_core.gradients[place].norm == pytest.approx(wanted.norm, rel=2e-2)
        assert np.abs(parameters.weights[place] - host.weights[place]).max() < 1e-2 * largest


@pytest.mark.parametrize(
    "sizes", [(7, 5, 3), ((5, 6, 2), Conv2d(16, 3, padding=1), Conv2d(16, 3, stride=2, padding=2), 3)]
)
def test_the_gradient_of_the_host_is_that_of_its_loss(sizes: tuple[object, ...]) -> None:
    network, parameters, samples = problem(6, sizes, 6)
    plain = Hyperparameters(lr=0, momentum=0, decay=0)
    step = HostStep(network, plain)
    zeros = [np.zeros_like(weights) for weights in parameters.weights]
    gradients = step.train(parameters, samples, 1.0, zeros).gradients
    rng = np.random.default_rng(6)
    for place, layer in enumerate(network.layers):
        row, column = rng.choice(np.argwhere(used(layer)))
        losses = []
        for change in (-1e-3, 1e-3):
            moved = Parameters([tensor.copy() for tensor in parameters.weights], list(parameters.momenta))
            moved.weights[place][row, column] += np.float32(change)
            losses.append(step.train(moved, samples, 1.0).loss)
        slope = (losses[1] - losses[0]) / 2e-3
        assert gradients[place].sums[row, column] == pytest.approx(slope, rel=0.02, abs=2e-4)


def test_shorter_words_take_fewer_cycles_and_a_cycle_count_is_per_step() -> None:
    network, parameters, samples = problem(7, (40, 24, 4), 16)
    counts = []
    for width in (16, 8, 8):
        step = DeviceStep(Device(CORE), network, RATES, 16)
        step.train(parameters, samples, width, 1.0)
        counts.append(step.cycles)
    assert counts[0] > 1.5 * counts[1]
    assert counts[1] == counts[2] > 0


class _Counting(NetworkEngine):
    """A golden core whose runs all take 1000 cycles."""

    def __init__(self, spec: TrainerSpec, clocked: bool) -> None:
        self.clocked, self.cycles = clocked, 0
        self._golden = GoldenEngine(spec)

    def run(self, commands: object, frames: object) -> object:
        self.cycles += 1000
        return self._golden.run(commands, frames)


def test_cycles_are_those_of_the_core_where_it_counts_clocks_and_else_the_models() -> None:
    network, parameters, samples = problem(7, (12, 8, 4), 16)
    spec = load_spec(CORE)
    counts = []
    for engine in ("golden", _Counting(spec, False), _Counting(spec, True)):
        step = DeviceStep(Device(spec, engine), network, RATES, 16)
        step.logits(parameters, samples.x, 8)
        counts.append(step.cycles)
    assert counts[0] == counts[1] != 2000
    assert counts[2] == 2000  # a run for each layer


def test_fewer_samples_than_a_minibatch_can_be_tested() -> None:
    network, parameters, samples = problem(8, (6, 8, 3), 8)
    step = DeviceStep(Device(CORE), network, RATES, 8)
    part = step.logits(parameters, samples.x[:5], 12)
    assert part.shape == (5, 3)
    assert np.abs(part - HostStep(network, RATES).logits(parameters, samples.x[:5])).max() < 0.05


def test_epochs_start_their_random_words_at_different_places() -> None:
    network, parameters, samples = problem(9, (6, 8, 3), 8)
    step = DeviceStep(Device({**CORE, "rounding": "sr"}), network, RATES, 8)
    seen = []
    for epoch in (0, 1, 0):
        step.start_epoch(epoch)
        seen.append(step.logits(parameters, samples.x, 4).tolist())
    assert seen[0] == seen[2] != seen[1]


@pytest.mark.parametrize(
    ("sizes", "batch", "memory", "buffers"),
    [
        ((64, 128, 10), 64, "scratch_kib", {}),
        ((64, 10), 256, "a_kib", {"scratch_kib": 64}),
        ((16, 600), 16, "b_kib", {"scratch_kib": 64}),
        ((90, 96), 16, "c_kib", {}),
        ((15, 300, 4), 128, "mask memory", {"scratch_kib": 512, "b_kib": 512, "a_kib": 512, "c_kib": 512}),
    ],
)
def test_what_does_not_fit_the_core_is_refused(
    sizes: tuple[int, ...], batch: int, memory: str, buffers: dict[str, int]
) -> None:
    what = rf"minibatches of {batch} need \d+ words of {memory}: legal: at most \d+;"
    with pytest.raises(InputError, match=what):
        DeviceStep(Device({"kind": "trainer", "buffers": buffers}), Network(sizes), RATES, batch)


def test_a_refused_command_stops_training() -> None:
    network, parameters, samples = problem(10, (6, 8, 3), 8)
    step = DeviceStep(Device({**CORE, "wordlengths": [2, 8]}), network, RATES, 8)
    with pytest.raises(CheckError, match="a core stopped training: fetch number 0: width out of range"):
        step.train(parameters, samples, 9, 1.0)
    step = DeviceStep(Device(CORE), network, RATES, 8)
    samples.x[0, 0] = np.nan
    with pytest.raises(CheckError, match="number that is not finite"):
        step.train(parameters, samples, 8, 1.0)
