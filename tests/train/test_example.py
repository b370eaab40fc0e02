"""The example that trains digits, run as a user runs it."""

from __future__ import annotations

import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.errors import CheckError
from hwgen.train import EpochRecord, Hyperparameters, Training, load_network
from hwgen.train.policies import MuppetRule

EXAMPLE = Path(__file__).parents[2] / "examples" / "train_digits_on_rtl.py"


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLE), "--out", str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_the_example_prints_its_table_draws_its_plot_and_compares_with_golden(tmp_path: Path) -> None:
    first = run(tmp_path, "--engine", "golden", "--policy", "static:8", "--epochs", "1", "--check")
    assert first.returncode == 0, first.stderr
    heading, epoch, *_ = first.stdout.splitlines()
    assert heading.split() == ["epoch", "width", "loss", "training", "test", "core", "cycles", "weights", "s"]
    assert epoch.split()[:2] == ["0", "8"]
    assert int(epoch.split()[5].replace(",", "")) > 100_000
    assert "golden ended all 1 epochs with golden's weights, bit for bit" in first.stdout
    assert "test accuracy after 1 epochs: static:8 " in first.stdout
    name = tmp_path / "mlp_static_8_golden_seed0"
    assert name.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert name.with_suffix(".npz").exists()
    # Other weights than golden's are noticed.
    example = runpy.run_path(str(EXAMPLE))
    spec = load_network(EXAMPLE.parent / "trainer" / "digits_mlp.yaml")
    training = Training(spec.network, Hyperparameters(lr=0.05), spec.batch)
    rule = MuppetRule(full_epochs=6, full_step=2)
    beside = tmp_path / f"{name.name}_golden.npz"
    golden = example["Golden"](training, "static:8", rule, example["CORES"]["mlp"], beside)
    record = EpochRecord(0, "8", 0.0, 0.0, 0.0, 0, epoch.split()[6], 0.0)
    golden.check(record)
    with pytest.raises(CheckError, match="epoch 0 ended with weights 0123 at 8 bits, golden with"):
        golden.check(replace(record, digest="0123"))


def test_the_convolution_network_trains_and_goes_on(tmp_path: Path) -> None:
    options = ("--network", "cnn", "--engine", "golden", "--policy", "static:fp32")
    assert run(tmp_path, *options, "--epochs", "1").returncode == 0
    second = run(tmp_path, *options, "--epochs", "2", "--plot", str(tmp_path / "plot.svg"))
    assert [line.split()[0] for line in second.stdout.splitlines()[1:3]] == ["0", "1"]
    assert "fp32 96." in second.stdout or "fp32 97." in second.stdout
    assert "<svg" in (tmp_path / "plot.svg").read_text()


def test_a_core_with_float_lanes_computes_the_epochs_in_fp32(tmp_path: Path) -> None:
    core = EXAMPLE.parent / "trainer" / "float_trainer.yaml"
    options = ("--core", str(core), "--engine", "golden", "--policy", "static:fp32", "--epochs", "1")
    done = run(tmp_path, *options)
    assert done.returncode == 0, done.stderr
    epoch = done.stdout.splitlines()[1].split()
    assert epoch[:2] == ["0", "fp32"]
    assert int(epoch[5].replace(",", "")) > 1_000_000
    assert (tmp_path / "mlp_static_fp32_float_trainer_golden_seed0.png").exists()


def test_wrong_options_end_with_one_message(tmp_path: Path) -> None:
    for options, message in (
        (("--policy", "muppets"), "unknown policy 'muppets': legal: muppet, static:fp32"),
        (("--engine", "gold"), "unknown engine 'gold': did you mean 'golden'?"),
    ):
        failed = run(tmp_path, *options)
        assert failed.returncode == 2
        assert failed.stderr.startswith(message)
        assert len(failed.stderr.splitlines()) == 1
