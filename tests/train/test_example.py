"""The example that trains digits, run as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "train_digits_on_rtl.py"


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLE), "--out", str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_the_example_prints_its_table_and_draws_its_plot(tmp_path: Path) -> None:
    first = run(tmp_path, "--policy", "static:8", "--epochs", "1")
    assert first.returncode == 0, first.stderr
    heading, epoch, *_ = first.stdout.splitlines()
    assert heading.split() == ["epoch", "width", "loss", "training", "test", "core", "cycles", "weights", "s"]
    assert epoch.split()[:2] == ["0", "8"]
    assert int(epoch.split()[5].replace(",", "")) > 100_000
    assert "test accuracy after 1 epochs: static:8 " in first.stdout
    picture = tmp_path / "static_8_golden_seed0.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "static_8_golden_seed0.npz").exists()


def test_wrong_options_end_with_one_message(tmp_path: Path) -> None:
    for options, message in (
        (("--policy", "muppets"), "unknown policy 'muppets': legal: muppet, static:fp32"),
        (("--engine", "gold"), "unknown engine 'gold': did you mean 'golden'?"),
    ):
        failed = run(tmp_path, *options)
        assert failed.returncode == 2
        assert failed.stderr.startswith(message)
        assert len(failed.stderr.splitlines()) == 1
