"""The training loop: epochs at the precision that a policy chooses, with a checkpoint after each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.errors import InputError
from hwgen.train.checkpoint import load_checkpoint, save_checkpoint
from hwgen.train.data import DataSet, Samples
from hwgen.train.device_step import DeviceStep
from hwgen.train.float_step import FloatStep
from hwgen.train.host_step import HostStep
from hwgen.train.network import Network, Parameters
from hwgen.train.policies import FP32, EpochStatistics, Policy, Precision
from hwgen.train.step import Gradient, Hyperparameters, StepResult, Sums
from hwgen.trainer import Device

__all__ = ["EpochRecord", "Training", "train"]

_CHECKPOINT = 2
"""What a checkpoint holds: since the second kind, norms and sums of gradients."""


@dataclass(frozen=True)
class Training:
    """What is trained, and how.

    Attributes
    ----------
    network : Network
        The layers.
    hyperparameters : Hyperparameters
        Of the optimiser.
    batch : int
        Samples of a minibatch.
    epochs : int
        The most; a policy may end earlier.
    seed : int
        Of initial weights and of the order of samples.
    """

    network: Network
    hyperparameters: Hyperparameters = field(default_factory=Hyperparameters)
    batch: int = 32
    epochs: int = 60
    seed: int = 0


@dataclass(frozen=True)
class EpochRecord:
    """What became of one epoch.

    Attributes
    ----------
    epoch : int
        Counted from 0.
    precision : str
        Word length, or ``fp32``.
    loss : float
        Mean over its minibatches.
    training_accuracy, test_accuracy : float
        Part of the samples classified rightly, while training and after.
    cycles : int
        Of the core, for training; 0 in fp32 if the host computes it.
    digest : str
        Of weights and momenta after it: two engines that compute the same give the same.
    seconds : float
        Time it took, tests included.
    """

    epoch: int
    precision: str
    loss: float
    training_accuracy: float
    test_accuracy: float
    cycles: int
    digest: str
    seconds: float


class _Trainer:
    """The engines of a training: the core for quantised epochs, and for fp32 if it has float lanes."""

    def __init__(self, training: Training, device: Device | None) -> None:
        self._training = training
        network, hyperparameters = training.network, training.hyperparameters
        lanes = device if device is not None and device.spec.float_lanes else None
        self._lanes = lanes and FloatStep(lanes, network, hyperparameters)
        self._floats = self._lanes or HostStep(network, hyperparameters)
        self._core = None if device is None else DeviceStep(device, network, hyperparameters, training.batch)

    @property
    def cycles(self) -> int:
        return sum(engine.cycles for engine in (self._core, self._lanes) if engine)

    def start_epoch(self, precision: Precision, epoch: int) -> None:
        if precision.width is not FP32:
            self._quantised(precision).start_epoch(epoch)

    def step(self, parameters: Parameters, batch: Samples, precision: Precision, sums: Sums) -> StepResult:
        if precision.width is FP32:
            return self._floats.train(parameters, batch, precision.rate, sums)
        core = self._quantised(precision)
        return core.train(parameters, batch, precision.width, precision.rate, sums)

    def accuracy(self, parameters: Parameters, samples: Samples, precision: Precision) -> float:
        correct = 0
        for batch in samples.batches(self._training.batch):
            if precision.width is FP32:
                logits = self._floats.logits(parameters, batch.x)
            else:
                logits = self._quantised(precision).logits(parameters, batch.x, precision.width)
            correct += int((logits.argmax(axis=1) == batch.classes).sum())
        return correct / len(samples)

    def _quantised(self, precision: Precision) -> DeviceStep:
        if self._core is None:
            raise InputError(f"precision {precision.name} needs a device: legal without one: fp32")
        return self._core


def train(
    training: Training,
    data: DataSet,
    policy: Policy,
    device: Device | None = None,
    checkpoint: Path | None = None,
    tell: Callable[[EpochRecord], None] = lambda record: None,
    watch: Callable[[int, int], None] = lambda step, steps: None,
) -> tuple[Parameters, list[EpochRecord]]:
    """Train a network.

    Parameters
    ----------
    training : Training
        What, and how.
    data : DataSet
        Samples to train and to test with.
    policy : Policy
        Chooses the precision of each epoch.
    device : Device, optional
        The core that computes quantised epochs.
    checkpoint : Path, optional
        File that is written after every epoch; if it is there, training goes on from it.
    tell : callable
        Gets every record, also those of epochs that a checkpoint holds.
    watch : callable
        Gets after each step how many of its epoch's have been done, and how many there are.

    Returns
    -------
    Parameters, and the records of all epochs

    Raises
    ------
    InputError
        If the checkpoint is of another training, or there are too few samples for a minibatch.
    """
    if len(data.training) < training.batch:
        raise InputError(
            f"minibatches of {training.batch} need as many samples: legal: at most {len(data.training)}"
        )
    parameters = training.network.initial(training.seed)
    records: list[EpochRecord] = []
    described = _description(training, policy, device)
    if checkpoint is not None and checkpoint.exists():
        parameters, state = load_checkpoint(checkpoint)
        _check_same(checkpoint, state["training"], described)
        records = [EpochRecord(**record) for record in state["records"]]
        policy.restore(state["policy"])
        for record in records:
            tell(record)
    engines = _Trainer(training, device)
    while len(records) < training.epochs and policy.precision is not None:
        record, gradients = _epoch(training, data, policy, engines, parameters, len(records), watch)
        records.append(record)
        policy.after_epoch(EpochStatistics(record.epoch, gradients))
        if checkpoint is not None:
            state = {
                "training": described,
                "records": [asdict(record) for record in records],
                "policy": policy.state(),
            }
            save_checkpoint(checkpoint, parameters, state)
        tell(record)
    return parameters, records


def _epoch(
    training: Training,
    data: DataSet,
    policy: Policy,
    engines: _Trainer,
    parameters: Parameters,
    epoch: int,
    watch: Callable[[int, int], None],
) -> tuple[EpochRecord, tuple[Gradient, ...]]:
    """Train one epoch; return its record and what is known of the last gradients."""
    precision = policy.precision
    assert precision is not None  # noqa: S101  (for the type checker)
    sums = policy.sums or tuple(np.zeros_like(weights) for weights in parameters.weights)
    start, before = time.perf_counter(), engines.cycles
    engines.start_epoch(precision, epoch)
    steps = len(data.training) // training.batch
    losses, correct = [], 0
    for place, batch in enumerate(data.training.shuffled_batches(training.batch, training.seed, epoch)):
        result = engines.step(parameters, batch, precision, sums if place + 1 == steps else None)
        losses.append(result.loss)
        correct += result.correct
        watch(place + 1, steps)
    cycles = engines.cycles - before
    record = EpochRecord(
        epoch,
        precision.name,
        float(np.mean(losses)),
        correct / (steps * training.batch),
        engines.accuracy(parameters, data.test, precision),
        cycles,
        parameters.digest,
        time.perf_counter() - start,
    )
    return record, result.gradients


def _description(training: Training, policy: Policy, device: Device | None) -> dict[str, Any]:
    """Return what a checkpoint must agree in; the number of epochs may grow."""
    described = asdict(training)
    del described["epochs"]
    described["policy"] = policy.name
    described["checkpoint"] = _CHECKPOINT
    described["core"] = None if device is None else device.spec.model_dump(mode="json")
    plain: dict[str, Any] = json.loads(json.dumps(described))
    return plain


def _check_same(path: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    for key, value in new.items():
        if old.get(key) != value:
            raise InputError(
                f"this checkpoint is of a training with {key} {old.get(key)}, not {value}: "
                "legal: the same training, or another file",
                file=path,
            )
