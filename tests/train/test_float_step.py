"""Steps in fp32 on a core with float lanes, against the host's and against sums by the letter."""

from __future__ import annotations

import numpy as np
import pytest
from test_device_step import IMAGES, problem

from hwgen.errors import CheckError
from hwgen.golden.sgd import sgd
from hwgen.train import HostStep, Hyperparameters, Network, Training, split, train
from hwgen.train.float_step import FloatStep
from hwgen.train.policies import Static
from hwgen.trainer import Device, Status
from hwgen.trainer.floats import sums_of_products
from hwgen.trainer.update import STEPS

# Result memory so small that updates take several rows at a time, and products several blocks.
CORE = {
    **{"kind": "trainer", "array": {"rows": 4, "cols": 4}, "float_lanes": 1},
    "buffers": {"a_kib": 16, "b_kib": 16, "c_kib": 8, "scratch_kib": 16},
}
RATES = Hyperparameters(lr=0.25, momentum=0.5, decay=0.125)


@pytest.mark.parametrize(
    ("seed", "sizes", "batch"),
    [
        (1, (5, 9, 3), 4),
        (2, (33, 20, 4), 6),
        *((seed, sizes, batch) for seed, sizes, batch, _, _ in IMAGES[:2]),
    ],
)
def test_a_step_on_the_lanes_is_the_hosts_but_for_rounding(
    seed: int, sizes: tuple[object, ...], batch: int
) -> None:
    network, parameters, samples = problem(seed, sizes, batch)
    _, same, _ = problem(seed, sizes, batch)
    core = FloatStep(Device(CORE), network, RATES)
    nothing = [np.zeros_like(weights) for weights in parameters.weights]
    found = core.train(parameters, samples, 0.5, nothing)
    wanted = HostStep(network, RATES).train(same, samples, 0.5, nothing)
    assert found.correct == wanted.correct
    assert abs(found.loss - wanted.loss) < 1e-5
    gradients = ([gradient.sums for gradient in result.gradients] for result in (found, wanted))
    pairs = zip((*next(gradients), *parameters.weights), (*next(gradients), *same.weights), strict=True)
    for one, other in pairs:
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(other).max())
    assert core.cycles > 0


def test_every_product_and_update_of_a_step_is_the_cores_to_the_bit() -> None:
    network, parameters, samples = problem(3, (33, 20, 4), 6)
    _, before, _ = problem(3, (33, 20, 4), 6)
    core = FloatStep(Device(CORE), network, RATES)
    nothing = [np.zeros_like(weights) for weights in parameters.weights]
    result = core.train(parameters, samples, 0.5, nothing)
    x = np.ascontiguousarray(network.layers[0].unroll(samples.x))
    hidden = sums_of_products(x, before.weights[0], np.zeros((6, 20), np.float32))
    rows = network.layers[1].unroll(np.maximum(hidden, 0))
    logits = sums_of_products(rows, before.weights[1], np.zeros((6, 4), np.float32))
    _, old, _ = problem(3, (33, 20, 4), 6)
    assert core.logits(old, samples.x).tobytes() == logits.tobytes()
    lr, mu, wd = (np.uint32(number.view(np.uint32)) for number in RATES.as_float32(0.5))
    for place, gradient in enumerate(result.gradients):
        patterns = (before.weights[place], before.momenta[place], gradient.sums)
        w, m = sgd(STEPS, *(x.view(np.uint32) for x in patterns), {"lr": lr, "mu": mu, "wd": wd})
        assert m is not None
        assert parameters.weights[place].tobytes() == w.astype(np.uint32).tobytes()
        assert parameters.momenta[place].tobytes() == m.astype(np.uint32).tobytes()


def test_epochs_in_fp32_are_the_cores_if_it_has_lanes_and_the_hosts_if_not() -> None:
    rng = np.random.default_rng(1)
    classes = rng.integers(3, size=60)
    data = split(rng.normal(size=(3, 6))[classes] + 0.4 * rng.normal(size=(60, 6)), classes, 1)
    training = Training(Network((6, 9, 3)), Hyperparameters(lr=0.1), batch=16, epochs=2)
    without = {**CORE, "float_lanes": 0}
    runs = [
        train(training, data, Static(None), device)[1] for device in (None, Device(without), Device(CORE))
    ]
    host, bare, lanes = runs
    assert [record.digest for record in bare] == [record.digest for record in host]
    assert all(record.cycles == 0 for record in bare)
    assert all(record.cycles > 1000 for record in lanes)
    assert [record.digest for record in lanes] != [record.digest for record in host]
    assert [record.test_accuracy for record in lanes] == [record.test_accuracy for record in host]


def test_a_core_that_fails_an_update_stops_training() -> None:
    class Failing(Device):
        def run(self) -> tuple:
            statuses, sent = super().run()
            return [Status(**{**vars(status), "code": 6}) for status in statuses], sent

    network, parameters, _ = problem(4, (5, 3), 4)
    core = FloatStep(Failing(CORE), network, RATES)
    gradients = [np.zeros_like(weights) for weights in parameters.weights]
    with pytest.raises(CheckError, match="a core stopped training: command number 0: frame too long"):
        core._update(parameters, gradients, 1.0)
