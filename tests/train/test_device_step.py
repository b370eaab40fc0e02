"""One step on a core against the same step in exact integers, tensor by tensor."""

from __future__ import annotations

import inspect
from fractions import Fraction
from types import ModuleType

import numpy as np
import pytest

from hwgen.errors import CheckError, InputError
from hwgen.train import DeviceStep, HostStep, Hyperparameters, Network, Parameters, Samples
from hwgen.train import device_step as device_step_module
from hwgen.trainer import Device, GoldenEngine, NetworkEngine, TrainerSpec, load_spec

CORE = {"kind": "trainer", "rounding": "rne", "buffers": {"scratch_kib": 16, "c_kib": 16}}
RATES = Hyperparameters(lr=0.25, momentum=0.5, decay=0.125)
Block = tuple[np.ndarray, int]


def quantized(x: np.ndarray, width: int) -> Block:
    """Quantise by the definition: the least exponent that fits, ties to even, saturation."""
    values = np.vectorize(Fraction, otypes=[object])(x)
    top = Fraction(2) ** (width - 1)

    def fits(e: int) -> bool:
        scale = Fraction(2) ** e
        low, high = -(top + Fraction(1, 2)) * scale, (top - Fraction(1, 2)) * scale
        return all(low <= v <= high for v in values.ravel())

    e = 0
    if any(values.ravel()):
        e = 60
        while fits(e - 1):
            e -= 1
    elements = [min(max(round(v / Fraction(2) ** e), -int(top)), int(top) - 1) for v in values.ravel()]
    return np.array(elements, object).reshape(x.shape), e


def with_constant(block: Block, width: int) -> Block:
    integers, e = block
    one = min(max(2**-e if e <= 0 else 1, 1), 2 ** (width - 2))
    return np.hstack([integers, np.full((len(integers), 1), int(one), object)]), e


def real(block: Block) -> np.ndarray:
    return block[0] * Fraction(2) ** block[1]


def reference(
    network: Network, parameters: Parameters, batch: Samples, width: int
) -> tuple[Parameters, list[np.ndarray]]:
    """Return the parameters after a step, and the gradients."""
    tensor = quantized(np.hstack([batch.x, np.ones((len(batch), 1))]), width)
    inputs, weights, masks = [], [], []
    for layer, master in zip(network.layers, parameters.weights, strict=True):
        inputs.append(tensor)
        weights.append(quantized(master[:, : layer.inputs + 1], width))
        y = real(tensor) @ real(weights[-1]).T
        masks.append(y > 0)
        tensor = with_constant(quantized(np.where(y > 0, y, 0), width), width)
    logits = y.astype(float)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    error = powers / powers.sum(axis=1, keepdims=True)
    error[np.arange(len(batch)), batch.classes] -= 1
    now = quantized((error / len(batch)).astype(np.float32), width)
    after = Parameters(list(parameters.weights), list(parameters.momenta))
    gradients: list[np.ndarray] = []
    for place in reversed(range(len(network.layers))):
        layer = network.layers[place]
        exact = real(now).T @ real(inputs[place])
        g = np.zeros((layer.outputs, layer.columns))
        g[:, : layer.inputs + 1] = exact.astype(float)
        gradients.insert(0, g)
        if place:
            passed = (real(now) @ real(weights[place]))[:, : layer.inputs]
            now = quantized(np.where(masks[place - 1], passed, 0), width)
        # Powers of two as coefficients: float64 is exact enough to be rounded once to fp32.
        w, m = parameters.weights[place].astype(float), parameters.momenta[place].astype(float)
        t = (RATES.decay * w + g.astype(np.float32)).astype(np.float32)
        after.momenta[place] = (RATES.momentum * m + t).astype(np.float32)
        after.weights[place] = (w - RATES.lr * after.momenta[place]).astype(np.float32)
    return after, gradients


def problem(
    seed: int, sizes: tuple[int, ...], batch: int, scale: float = 1
) -> tuple[Network, Parameters, Samples]:
    rng = np.random.default_rng(seed)
    network = Network(sizes)
    parameters = network.initial(seed)
    for layer, weights, momenta in zip(network.layers, parameters.weights, parameters.momenta, strict=True):
        used = (slice(None), slice(layer.inputs + 1))
        weights[used] += rng.normal(size=weights[used].shape).astype(np.float32) / 8
        momenta[used] = rng.normal(size=momenta[used].shape).astype(np.float32) / 8
    x = (scale * rng.normal(size=(batch, sizes[0]))).astype(np.float32)
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
    ):
        network, parameters, samples = problem(seed, sizes, batch, scale)
        wanted, gradients = reference(network, parameters, samples, width)
        step = step_class(Device(CORE), network, RATES, batch)
        step.start_epoch(0)
        result = step.train(parameters, samples, width, 1.0, gradients=True)
        for place in range(len(network.layers)):
            assert np.array_equal(result.gradients[place], gradients[place]), (seed, place)
            assert np.array_equal(parameters.weights[place], wanted.weights[place]), (seed, place)
            assert np.array_equal(parameters.momenta[place], wanted.momenta[place]), (seed, place)
            assert gradients[place].any()
            assert not parameters.weights[place][:, network.layers[place].inputs + 1 :].any()


def test_a_step_on_a_core_is_the_step_in_exact_integers() -> None:
    check_steps(DeviceStep)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("post = Post(apply_mask=1, mask=", "post = Post(mask="),
        ("exponent + weights + measured.pop(0)", "exponent + measured.pop(0)"),
        ("min(max(-block.exponent, 0), width - 2)", "min(max(-block.exponent, 1), width - 2)"),
        ("min(max(-block.exponent, 0), width - 2)", "max(-block.exponent - 1, 0)"),
        ("Post(relu=1, save_mask=1, mask=layer.mask)", "Post(save_mask=1, mask=layer.mask)"),
        ("scale = exponent + inputs[place]", "scale = exponent"),
    ],
)
def test_planted_bugs_in_steps_are_found(old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = inspect.getsource(device_step_module)
    assert source.count(old) == 1
    planted = ModuleType("planted")
    monkeypatch.setitem(__import__("sys").modules, "planted", planted)
    planted.__dict__["__name__"] = "planted"
    exec(compile(source.replace(old, new), "planted", "exec"), planted.__dict__)
    with pytest.raises((AssertionError, CheckError)):
        check_steps(planted.DeviceStep)


def test_sixteen_bits_are_close_to_fp32() -> None:
    network, parameters, samples = problem(5, (20, 12, 4), 16)
    host = Parameters(list(parameters.weights), list(parameters.momenta))
    step = DeviceStep(Device(CORE), network, RATES, 16)
    step.start_epoch(3)
    on_core = step.train(parameters, samples, 16, 1.0, gradients=True)
    on_host = HostStep(network, RATES).train(host, samples, 1.0)
    assert on_core.loss == pytest.approx(on_host.loss, rel=1e-3)
    for place in range(2):
        largest = np.abs(on_host.gradients[place]).max()
        assert np.abs(on_core.gradients[place] - on_host.gradients[place]).max() < 1e-2 * largest
        assert np.abs(parameters.weights[place] - host.weights[place]).max() < 1e-2 * largest


def test_the_gradient_of_the_host_is_that_of_its_loss() -> None:
    network, parameters, samples = problem(6, (7, 5, 3), 6)
    plain = Hyperparameters(lr=0, momentum=0, decay=0)
    step = HostStep(network, plain)
    gradients = step.train(parameters, samples, 1.0).gradients
    rng = np.random.default_rng(6)
    for place, layer in enumerate(network.layers):
        row, column = int(rng.integers(layer.outputs)), int(rng.integers(layer.inputs + 1))
        losses = []
        for change in (-1e-2, 1e-2):
            moved = Parameters([tensor.copy() for tensor in parameters.weights], list(parameters.momenta))
            moved.weights[place][row, column] += np.float32(change)
            losses.append(step.train(moved, samples, 1.0).loss)
        slope = (losses[1] - losses[0]) / 2e-2
        assert gradients[place][row, column] == pytest.approx(slope, rel=0.02, abs=2e-4)


def test_shorter_words_take_fewer_cycles_and_a_cycle_count_is_per_step() -> None:
    network, parameters, samples = problem(7, (40, 24, 4), 16)
    counts = []
    for width in (16, 8, 8):
        step = DeviceStep(Device(CORE), network, RATES, 16)
        step.train(parameters, samples, width, 1.0, gradients=False)
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
        ((15, 64, 256), 128, "mask memory", {"scratch_kib": 512, "b_kib": 512, "a_kib": 512, "c_kib": 512}),
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
        step.train(parameters, samples, 9, 1.0, gradients=False)
    step = DeviceStep(Device(CORE), network, RATES, 8)
    samples.x[0, 0] = np.nan
    with pytest.raises(CheckError, match="number that is not finite"):
        step.train(parameters, samples, 8, 1.0, gradients=False)
