"""The same training on the core's RTL as on its golden model: word lengths change on one build."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.train import DeviceStep, Hyperparameters, Network, Training, split, train
from hwgen.train.policies import FP32, EpochStatistics, Precision, Static
from hwgen.trainer import Device, NetworkEngine

# The core that the tests of the core's RTL build, too: it is built once.
LITTLE = {"kind": "trainer", "name": "little", "array": {"rows": 4, "cols": 4}}
LITTLE |= {"buffers": {"a_kib": 8, "b_kib": 8, "c_kib": 16, "scratch_kib": 8}, "max_k": 1024}
LITTLE |= {"accumulator": {"bits": 32}}


class EachEpoch(Static):
    """Another word length each epoch."""

    def __init__(self) -> None:
        super().__init__(5)
        self._widths = [5, 8, 11, FP32, 3]

    @property
    def precision(self) -> Precision | None:
        return Precision(self._widths[0]) if self._widths else None

    def after_epoch(self, statistics: EpochStatistics) -> None:
        del self._widths[0]


@pytest.fixture(scope="module")
def rtl() -> Device:
    return Device(LITTLE, "rtl")


def test_weights_of_rtl_and_golden_are_the_same_bits_at_every_epoch_and_word_length(rtl: Device) -> None:
    rng = np.random.default_rng(1)
    classes = rng.integers(3, size=80)
    data = split(rng.normal(size=(3, 6))[classes] + 0.4 * rng.normal(size=(80, 6)), classes, 1)
    training = Training(Network((6, 9, 3)), Hyperparameters(lr=0.1), batch=16)
    runs = [train(training, data, EachEpoch(), device)[1] for device in (rtl, Device(LITTLE))]
    on_rtl, golden = runs
    assert [record.digest for record in on_rtl] == [record.digest for record in golden]
    assert [record.test_accuracy for record in on_rtl] == [record.test_accuracy for record in golden]
    assert [record.precision for record in golden] == ["5", "8", "11", "fp32", "3"]
    for counted, modelled in zip(on_rtl, golden, strict=True):
        assert counted.cycles == pytest.approx(modelled.cycles, rel=0.1)


def test_a_step_counts_the_clocks_of_the_rtl(rtl: Device) -> None:
    network = Network((6, 9, 3))
    step = DeviceStep(rtl, network, Hyperparameters(), 8)
    engine = rtl.engine
    assert isinstance(engine, NetworkEngine)
    before = engine.cycles
    step.logits(network.initial(1), np.ones((8, 6), np.float32), 8)
    assert step.cycles == engine.cycles - before > 0
