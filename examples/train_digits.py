"""Train a 64-48-10 network on scikit-learn's digits, at word lengths that a policy chooses while it runs.

Every product, every rounding and every weight update of a quantised epoch is done by a trainer core; epochs
in fp32 are the host's. To compare, the same network is then trained in fp32, from the same seed and for as
many epochs. What has been trained is kept after every epoch: run it again to go on, or with --fresh to start
again. The column `weights` is a digest of weights and momenta: engines that agree in it agree in every bit.

    python examples/train_digits.py --policy muppet
    python examples/train_digits.py --policy static:4 --epochs 20
    python examples/train_digits.py --engine rtl          # its RTL in Verilator

Needs the extras train and flow (for the plot): pip install 'hwgen[train,flow]'.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from hwgen.errors import HwgenError
from hwgen.train import EpochRecord, Hyperparameters, Network, Training, load_digits, parse_policy, train
from hwgen.train.policies import MuppetRule
from hwgen.trainer import Device

SPEC = {
    "kind": "trainer",
    "name": "trainer_digits",
    "array": {"rows": 8, "cols": 8, "lanes": 16, "digit": 2},
    "wordlengths": [2, 16],
    "rounding": {"mode": "sr", "bits": 16, "lfsr": {"width": 32, "seed": 0xACE1}},
}
LINE = "{:>5}  {:>5}  {:>8}  {:>8}  {:>8}  {:>12}  {:>12}  {:>6}"


def row(record: EpochRecord) -> str:
    """Return an epoch as a line of the table."""
    return LINE.format(
        record.epoch,
        record.precision,
        f"{record.loss:.4f}",
        f"{record.training_accuracy:.2%}",
        f"{record.test_accuracy:.2%}",
        f"{record.cycles:,}" if record.cycles else "host",
        record.digest,
        f"{record.seconds:.1f}",
    )


def plot(records: list[EpochRecord], reference: list[EpochRecord], path: Path) -> None:
    """Draw cycles and accuracies of every epoch, and where the word length changes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(2, 1, sharex=True, figsize=(8, 6), layout="constrained")
    epochs = [record.epoch for record in records]
    above.step(epochs, [record.cycles / 1e6 or float("nan") for record in records], where="mid")
    above.set_ylabel("million core cycles an epoch")
    above.set_ylim(bottom=0)
    for old, record in zip([None, *records], records, strict=False):
        if old is None or old.precision != record.precision:
            for axes in (above, below):
                axes.axvline(record.epoch - 0.5, color="grey", linewidth=0.8)
            name = record.precision if record.precision == "fp32" else f"{record.precision} bits"
            above.text(record.epoch, 0.05 * above.get_ylim()[1], name, rotation=90)
    below.plot(epochs, [100 * record.test_accuracy for record in records], label="this policy")
    below.plot(epochs, [100 * record.test_accuracy for record in reference], label="fp32", linestyle="--")
    below.set_ylabel("test accuracy, %")
    below.set_ylim(bottom=90)
    below.set_xlabel("epoch")
    below.legend(loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


@click.command()
@click.option("--engine", default="golden", show_default=True, help="What is the core: golden, csim or rtl.")
@click.option("--policy", "policy_name", default="muppet", show_default=True, help="muppet or static:WIDTH.")
@click.option("--epochs", default=100, show_default=True, help="The most; MuPPET may end earlier.")
@click.option("--full-epochs", default=6, show_default=True, help="MuPPET's in fp32; 45 in the paper.")
@click.option("--seed", default=0, show_default=True, help="Of the split, the weights and the order.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/train_digits"), show_default=True)
@click.option("--fresh", is_flag=True, help="Start again, whatever has been trained.")
def main(
    engine: str, policy_name: str, epochs: int, full_epochs: int, seed: int, out: Path, fresh: bool
) -> None:
    """Train digits on a trainer core."""
    console = Console()
    rule = MuppetRule(full_epochs=full_epochs, full_step=max(1, full_epochs // 3))
    training = Training(Network((64, 48, 10)), Hyperparameters(lr=0.05), epochs=epochs, seed=seed)
    policy, device = parse_policy(policy_name, rule), Device(SPEC, engine)
    data = load_digits(seed)
    checkpoint = out / f"{policy_name.replace(':', '_')}_{engine}_seed{seed}.npz"
    if fresh:
        checkpoint.unlink(missing_ok=True)
    console.print(
        LINE.format("epoch", "width", "loss", "training", "test", "core cycles", "weights", "s"), style="bold"
    )
    bar = Progress(
        *Progress.get_default_columns()[:2],
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("epochs", total=epochs)

        def tell(record: EpochRecord) -> None:
            bar.console.print(row(record), highlight=False)
            bar.advance(task)

        _, records = train(training, data, policy, device, checkpoint, tell)
        bar.update(task, total=len(records))
    _, reference = train(replace(training, epochs=len(records)), data, parse_policy("static:fp32"))
    picture = checkpoint.with_suffix(".png")
    plot(records, reference, picture)
    last, full = records[-1].test_accuracy, reference[-1].test_accuracy
    console.print(
        f"test accuracy after {len(records)} epochs: {policy_name} {last:.2%}, fp32 {full:.2%}, "
        f"difference {100 * (last - full):+.2f} points; plot: {picture}",
        highlight=False,
        soft_wrap=True,
    )
    if last < full - 0.01:
        sys.exit("more than one point below fp32")


if __name__ == "__main__":
    try:
        main()
    except HwgenError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
