"""Train a network on scikit-learn's digits, at word lengths that a policy changes while one core's RTL runs.

Every product, every rounding and every weight update of a quantised epoch is done by a trainer core: by
default its RTL in Verilator, built once for all word lengths. Epochs in fp32 are the host's, or, if --core is
one with float lanes, the core's. To compare, the same network is then trained in fp32, from the same seed and
for as many epochs; the script fails if it ends more than a point of accuracy better.

    python examples/train_digits_on_rtl.py                        # MuPPET: 8, 12, 14, 16 bits, fp32
    python examples/train_digits_on_rtl.py --check                # and golden beside it: the same bits?
    python examples/train_digits_on_rtl.py --core examples/trainer/float_trainer.yaml
    python examples/train_digits_on_rtl.py --network cnn --engine golden
    python examples/train_digits_on_rtl.py --policy static:4 --epochs 20
    python examples/train_digits_on_rtl.py --network cnn --policy schedule:8*3,12,14,16,fp32*3 --check

What has been trained is kept after every epoch: run it again to go on, or with --fresh to start again. The
column `weights` is a digest of weights and momenta: engines that agree in it agree in every bit.

Needs the extras train and flow: pip install 'hwgen[train,flow]'.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from hwgen.errors import CheckError, HwgenError
from hwgen.train import (
    EpochRecord,
    Hyperparameters,
    Training,
    load_digits,
    load_network,
    parse_policy,
    train,
)
from hwgen.train.policies import MuppetRule
from hwgen.trainer import Device

SPECS = Path(__file__).parent / "trainer"
CORES = {"mlp": SPECS / "edge_trainer.yaml", "cnn": SPECS / "image_trainer.yaml"}
LINE = "{:>5}  {:>5}  {:>8}  {:>8}  {:>8}  {:>12}  {:>12}  {:>7}"
HEADING = LINE.format("epoch", "width", "loss", "training", "test", "core cycles", "weights", "s")


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
    """Draw cycles and accuracies of every epoch, and cycles against word length."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplot_mosaic([["cycles", "widths"], ["accuracy", "widths"]], width_ratios=[3, 1])
    epochs = [record.epoch for record in records]
    cycles = [record.cycles / 1e6 or float("nan") for record in records]
    above, below, beside = axes["cycles"], axes["accuracy"], axes["widths"]
    above.sharex(below)
    above.step(epochs, cycles, where="mid")
    above.set_ylabel("million core cycles an epoch")
    above.set_ylim(0, 1.1 * max((record.cycles for record in records), default=0) / 1e6 or 1)
    for old, record in zip([None, *records], records, strict=False):
        if old is None or old.precision != record.precision:
            for time_axes in (above, below):
                time_axes.axvline(record.epoch - 0.5, color="grey", linewidth=0.8)
            name = record.precision if record.precision == "fp32" else f"{record.precision} bits"
            above.text(record.epoch, 0.05 * above.get_ylim()[1], name, rotation=90)
    below.plot(epochs, [100 * record.test_accuracy for record in records], label="this policy")
    below.plot(epochs, [100 * record.test_accuracy for record in reference], label="fp32", linestyle="--")
    below.set_ylabel("test accuracy, %")
    below.set_ylim(bottom=90)
    below.set_xlabel("epoch")
    below.legend(loc="lower right")
    by_width = {record.precision: record.cycles / 1e6 for record in records if record.cycles}
    beside.plot(list(by_width), list(by_width.values()), "o-")
    beside.set_xlabel("word length, bits" if "fp32" not in by_width else "word length")
    beside.set_ylabel("million core cycles an epoch")
    beside.set_ylim(above.get_ylim())
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


class Golden:
    """The same training on the golden model, epoch by epoch beside the other engine."""

    def __init__(self, training: Training, policy: str, rule: MuppetRule, core: Path, file: Path) -> None:
        self._training, self._policy, self._rule = training, policy, rule
        self._data, self._core, self._file = load_digits(training.seed), core, file

    def check(self, record: EpochRecord) -> None:
        """Catch up with an epoch, and compare all bits of weights and momenta after it."""
        _, records = train(
            replace(self._training, epochs=record.epoch + 1),
            self._data,
            parse_policy(self._policy, self._rule),
            Device(self._core),
            self._file,
        )
        golden = records[record.epoch]
        if (golden.precision, golden.digest) != (record.precision, record.digest):
            raise CheckError(
                f"epoch {record.epoch} ended with weights {record.digest} at {record.precision} bits, "
                f"golden with {golden.digest} at {golden.precision} bits"
            )


@click.command()
@click.option("--network", "name", type=click.Choice(sorted(CORES)), default="mlp", show_default=True)
@click.option(
    "--core",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Its spec; with float lanes it computes fp32 epochs, too. Default: one for the network, without.",
)
@click.option("--engine", default="rtl", show_default=True, help="What is the core: rtl, csim or golden.")
@click.option(
    "--policy",
    "policy",
    default="muppet",
    show_default=True,
    help="muppet, static:WIDTH, or a schedule of word lengths and epochs, as schedule:8*5,16,fp32*2.",
)
@click.option("--epochs", default=100, show_default=True, help="The most; MuPPET may end earlier.")
@click.option("--full-epochs", default=6, show_default=True, help="MuPPET's in fp32; 45 in the paper.")
@click.option("--seed", default=0, show_default=True, help="Of the split, the weights and the order.")
@click.option("--check", is_flag=True, help="Run golden beside it, and compare all bits after every epoch.")
@click.option("--plot", "picture", type=click.Path(path_type=Path), help="Picture; default: in --out, .png.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/train_digits"), show_default=True)
@click.option("--fresh", is_flag=True, help="Start again, whatever has been trained.")
def main(
    name: str,
    core: Path | None,
    engine: str,
    policy: str,
    epochs: int,
    full_epochs: int,
    seed: int,
    check: bool,
    picture: Path | None,
    out: Path,
    fresh: bool,
) -> None:
    """Train digits on a trainer core."""
    console = Console()
    rule = MuppetRule(full_epochs=full_epochs, full_step=max(1, full_epochs // 3))
    spec = load_network(SPECS / f"digits_{name}.yaml")
    training = Training(spec.network, Hyperparameters(lr=0.05), spec.batch, epochs, seed)
    on = f"_{core.stem}" if core else ""
    core = core or CORES[name]
    chosen, device, data = parse_policy(policy, rule), Device(core, engine), load_digits(seed)
    words = re.sub("[^a-z0-9]+", "_", policy)
    run = f"{name}_{words}{on}_{engine}_seed{seed}"
    checkpoint, beside = out / f"{run}.npz", out / f"{run}_golden.npz"
    if fresh:
        for file in (checkpoint, beside):
            file.unlink(missing_ok=True)
    golden = Golden(training, policy, rule, core, beside) if check else None
    console.print(HEADING, style="bold", highlight=False, soft_wrap=True)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        whole, part = bar.add_task("epochs", total=epochs), bar.add_task("steps", total=None)

        def tell(record: EpochRecord) -> None:
            bar.console.print(row(record), highlight=False, soft_wrap=True)
            bar.update(whole, completed=record.epoch + 1)
            if golden is not None:
                golden.check(record)

        def watch(step: int, steps: int) -> None:
            bar.update(part, completed=step, total=steps)

        _, records = train(training, data, chosen, device, checkpoint, tell, watch)
        bar.update(whole, total=len(records))
    _, reference = train(replace(training, epochs=len(records)), data, parse_policy("static:fp32"))
    picture = picture or checkpoint.with_suffix(".png")
    plot(records, reference, picture)
    if golden is not None:
        console.print(f"{engine} ended all {len(records)} epochs with golden's weights, bit for bit")
    last, full = records[-1].test_accuracy, reference[-1].test_accuracy
    console.print(
        f"test accuracy after {len(records)} epochs: {policy} {last:.2%}, fp32 {full:.2%}, "
        f"difference {100 * (last - full):+.2f} points; plot: {picture}",
        highlight=False,
        soft_wrap=True,
    )
    if last < full - 0.01:
        raise CheckError("more than one point below fp32")


if __name__ == "__main__":
    try:
        main()
    except HwgenError as error:
        print(error, file=sys.stderr)
        sys.exit(1 if isinstance(error, CheckError) else 2)
