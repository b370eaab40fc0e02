"""Whole trainings: what they learn, that they repeat, that they go on where they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import InputError, ToolError
from hwgen.train import (
    Conv2d,
    DataSet,
    EpochRecord,
    Hyperparameters,
    Network,
    Parameters,
    Training,
    load_digits,
    parse_policy,
    split,
    train,
)
from hwgen.train import checkpoint as checkpoint_module
from hwgen.train.checkpoint import load_checkpoint, save_checkpoint
from hwgen.train.policies import MuppetRule
from hwgen.trainer import Device

CORE = {"kind": "trainer", "buffers": {"scratch_kib": 16}}
TRAINING = Training(Network((6, 8, 3)), Hyperparameters(lr=0.1), batch=16, epochs=3, seed=4)
RULE = MuppetRule(levels=(6, 9), resolution=2, violations=1, full_epochs=2, full_step=1)


def clusters(seed: int = 1, count: int = 120) -> DataSet:
    """Return three clusters of points."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(3, size=count)
    centres = rng.normal(size=(3, 6))
    return split(centres[classes] + 0.4 * rng.normal(size=(count, 6)), classes, seed)


def outcome(parameters: Parameters, records: list[EpochRecord]) -> tuple[object, ...]:
    """Return everything but times, bit for bit."""
    bits = [tensor.tobytes() for tensor in (*parameters.weights, *parameters.momenta)]
    return bits, [replace(record, seconds=0) for record in records]


def run(policy: str, checkpoint: Path | None = None, **changes: object) -> tuple[object, ...]:
    training = replace(TRAINING, **changes)
    return outcome(*train(training, clusters(), parse_policy(policy, RULE), Device(CORE), checkpoint))


def test_eight_bits_learn_as_well_as_fp32() -> None:
    _, quantised = run("static:8", epochs=4)
    _, reference = run("static:fp32", epochs=4)
    losses = [record.loss for record in quantised]
    assert losses[-1] < 0.5 * losses[0]
    assert quantised[-1].test_accuracy >= reference[-1].test_accuracy - 0.05
    assert quantised[-1].test_accuracy > 0.8
    assert losses[-1] == pytest.approx(reference[-1].loss, rel=0.2)
    assert all(record.cycles > 0 for record in quantised)
    assert [record.cycles for record in reference] == [0] * 4


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    first = run("static:5", epochs=1)
    assert run("static:5", epochs=1) == first
    assert run("static:5", epochs=1, seed=5)[0] != first[0]


def test_a_convolution_network_learns_in_eight_bits() -> None:
    _, records = run("static:8", network=IMAGES, epochs=4)
    assert records[-1].loss < 0.6 * records[0].loss
    assert records[-1].test_accuracy > 0.75


def test_a_policy_switches_word_lengths_on_one_device() -> None:
    _, records = run("muppet", epochs=40)
    names = [record.precision for record in records]
    assert list(dict.fromkeys(names)) == ["6", "9", "fp32"]
    assert names[-2:] == ["fp32", "fp32"]
    assert len(names) < 40  # the policy ended it
    cycles = {record.precision: record.cycles for record in records}
    assert cycles["6"] < cycles["9"]


IMAGES = Network(((2, 3, 1), Conv2d(16, 2), 3))


@pytest.mark.parametrize(("network", "cut"), [(TRAINING.network, 1), (TRAINING.network, 4), (IMAGES, 2)])
def test_a_training_that_was_killed_goes_on_bit_for_bit(tmp_path: Path, network: Network, cut: int) -> None:
    file = tmp_path / "digits" / "run.npz"

    class KilledError(Exception):
        pass

    def kill(record: EpochRecord) -> None:
        if record.epoch + 1 == cut:
            raise KilledError

    training = replace(TRAINING, network=network, epochs=7)
    with pytest.raises(KilledError):
        train(training, clusters(), parse_policy("muppet", RULE), Device(CORE), file, kill)
    told: list[EpochRecord] = []
    policy = parse_policy("muppet", RULE)
    resumed = train(training, clusters(), policy, Device(CORE), file, told.append)
    assert outcome(*resumed) == run("muppet", network=network, epochs=7)
    assert told == resumed[1]
    assert [path.name for path in file.parent.iterdir()] == ["run.npz"]
    # Nothing is left to do: the same again, at once.
    again = train(training, clusters(), parse_policy("muppet", RULE), Device(CORE), file)
    assert outcome(*again) == outcome(*resumed)
    assert again[1] == resumed[1]


def test_a_checkpoint_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "run.npz"
    parameters = TRAINING.network.initial(1)
    state = {"a": [1, (np.arange(3), "x")], "b": {"c": 0.1}}
    save_checkpoint(file, parameters, state)

    def break_off(target: object, **arrays: object) -> None:
        target.write(b"half")  # type: ignore[attr-defined]
        raise OSError("no space left")

    monkeypatch.setattr(checkpoint_module.np, "savez", break_off)
    with pytest.raises(OSError, match="no space left"):
        save_checkpoint(file, TRAINING.network.initial(2), {})
    loaded, back = load_checkpoint(file)
    for ours, theirs in zip(parameters.weights, loaded.weights, strict=True):
        assert ours.tobytes() == theirs.tobytes()
    assert back["b"] == {"c": 0.1}
    assert back["a"][0] == 1
    assert back["a"][1][0].tolist() == [0, 1, 2]
    assert back["a"][1][1] == "x"


@pytest.mark.parametrize("content", [b"", b"something else", b"PK\x03\x04 half a file"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "run.npz"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"run\.npz: this is not a checkpoint: legal: a file that training"):
        train(TRAINING, clusters(), parse_policy("static:fp32"), None, file)


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.npz"
    run("static:8", file, epochs=1)
    for changes, message in (
        ({"seed": 7}, "seed 4, not 7"),
        ({"batch": 8}, "batch 16, not 8"),
        ({"network": Network((6, 9, 3))}, r"network .*8.*, not .*9"),
    ):
        with pytest.raises(InputError, match=rf"run\.npz: this checkpoint is of a training with {message}"):
            run("static:8", file, **changes)
    with pytest.raises(InputError, match="policy static:8, not static:9: legal: the same training, or"):
        run("static:9", file)
    run("static:8", file, epochs=2)  # more epochs are the same training
    assert len(load_checkpoint(file)[1]["records"]) == 2


def test_what_cannot_be_trained_is_refused() -> None:
    with pytest.raises(InputError, match="precision 8 needs a device: legal without one: fp32"):
        train(TRAINING, clusters(), parse_policy("static:8"))
    with pytest.raises(InputError, match="minibatches of 16 need as many samples: legal: at most 8"):
        train(TRAINING, clusters(count=10), parse_policy("static:fp32"))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Network((5,)), r"layer sizes \(5,\) are not legal: legal: two or more"),
        (lambda: Network(((4, 0, 1), 3)), r"layer sizes .* are not legal: legal: .* all at least 1"),
        (
            lambda: Network((5, Conv2d(16, 3), 3)),
            r"Conv2d\(.*\) follows 5 units: legal: after an image",
        ),
        (lambda: Network(((4, 4, 1), Conv2d(16, 3))), r"the last layer is Conv2d\(.*\): legal: a linear one"),
        (lambda: Network(((4, 4, 1), Conv2d(16, 5), 3)), r"kernel height 5 is out of range: legal: 1\.\.4"),
        (
            lambda: Network(((4, 4, 1), Conv2d(16, 2, padding=2), 3)),
            "padding 2 is out of range: legal: 0..1",
        ),
        (lambda: Conv2d(12, 3), "12 filters are not legal: legal: multiples of 16"),
        (lambda: Conv2d(16, 3, stride=4), r"stride 4 is not legal: legal: 1\.\.3, the kernel's size"),
    ],
)
def test_networks_that_cannot_be_are_refused(build: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build()


def test_every_epoch_takes_each_sample_once_in_an_order_of_its_own() -> None:
    samples = clusters().training
    orders = []
    for epoch in (0, 1, 0):
        batches = list(samples.shuffled_batches(16, 3, epoch))
        assert [len(batch) for batch in batches] == [16] * (len(samples) // 16)
        rows = np.concatenate([batch.x for batch in batches])
        assert len(np.unique(rows, axis=0)) == len(rows)
        orders.append(rows.tolist())
    assert orders[0] == orders[2] != orders[1]
    assert sum(len(batch) for batch in samples.batches(16)) == len(samples)


def test_digits_are_split_by_a_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = load_digits(3)
    assert (len(data.training), len(data.test)) == (1438, 359)
    assert data.training.x.dtype == np.float32
    assert (data.training.x.min(), data.training.x.max()) == (0, 1)
    assert set(data.test.classes.tolist()) == set(range(10))
    assert not np.array_equal(load_digits(4).test.x, data.test.x)
    monkeypatch.setattr("hwgen.train.data.find_spec", lambda name: None)
    with pytest.raises(ToolError, match=r"the digits come with scikit-learn: pip install 'hwgen\[train\]'"):
        load_digits()


@pytest.mark.slow
def test_digits_are_those_that_scikit_learn_gives() -> None:
    from sklearn.datasets import load_digits as load

    theirs = load()
    data = load_digits()
    ours = np.vstack([data.training.x, data.test.x])
    classes = np.concatenate([data.training.classes, data.test.classes])
    order = np.random.default_rng(0).permutation(len(ours))
    assert np.array_equal(ours, theirs.data[order] / 16)
    assert np.array_equal(classes, theirs.target[order])


def test_records_are_plain_data() -> None:
    _, records = run("static:fp32", epochs=1)
    assert EpochRecord(**asdict(records[0])) == records[0]
