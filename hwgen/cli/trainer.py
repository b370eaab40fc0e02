"""``hwgen trainer``: what a training core takes before there is one, what it costs, whether it is right."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from hwgen.cli.output import example, print_json, print_table, working
from hwgen.errors import CheckError, InputError

__all__ = ["trainer"]


@click.group(short_help="Estimate and check training cores.")
def trainer() -> None:
    """Estimate what a training core does and costs, and check it against golden."""


@trainer.command(
    short_help="Cycles, use and energy of a network's training step, or of a matrix product.",
    epilog=example(
        "hwgen trainer estimate examples/trainer/edge_trainer.yaml --shape 256x256x256",
        "hwgen trainer estimate examples/trainer/image_trainer.yaml "
        "--network examples/trainer/digits_cnn.yaml",
    ),
)
@click.argument("spec", metavar="SPEC", type=click.Path(path_type=Path))
@click.option("--network", type=click.Path(path_type=Path), help="A training step of this network, by layer.")
@click.option("--shape", metavar="MxNxK", help="A matrix product of this shape. Default: 256x256x256.")
@click.option("--widths", default="4,8,12,14,16", show_default=True, help="Word lengths, of all operands.")
@click.option("--area", is_flag=True, help="With --network: LUTs, too. A new core takes minutes.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="With --network: a picture.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def estimate(
    spec: Path,
    network: Path | None,
    shape: str | None,
    widths: str,
    area: bool,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Print what a core takes, with all loads and stores, by the cycle model."""
    if network is None:
        for option, given in (("--area", area), ("--plot", plot is not None)):
            if given:
                raise InputError(f"{option} needs a network: legal: with --network FILE")
        _estimate_product(spec, shape or "256x256x256", widths, as_json)
    elif shape is not None:
        raise InputError("--shape and --network are both given: legal: one of them")
    else:
        _estimate_network(spec, network, widths, area, plot, as_json)


def _estimate_product(spec: Path, shape: str, widths: str, as_json: bool) -> None:
    from hwgen.trainer.shapes import parse_shape, parse_widths, product_times
    from hwgen.trainer.spec import load_spec

    loaded = load_spec(spec)
    m, n, k = parse_shape(shape)
    rows: list[dict[str, Any]] = []
    for width in parse_widths(widths, loaded):
        times = product_times(loaded, (m, n, k), width)
        rows.append({"width": width, "cycles": times.cycles, "utilisation": times.utilisation})
    if as_json:
        print_json({"spec": loaded.name, "shape": [m, n, k], "widths": rows})
        return
    slowest = max(row["cycles"] for row in rows)
    click.echo(f"{loaded.name}: {m} x {n} x {k}, loads and stores included")
    click.echo("  width     cycles  utilisation  speed-up")
    for row in rows:
        speedup = f"{slowest / row['cycles']:.2f}"
        click.echo(f"  {row['width']:5}  {row['cycles']:9}  {100 * row['utilisation']:9.1f} %  {speedup:>8}")


def _estimate_network(
    spec: Path, network: Path, widths: str, area: bool, plot: Path | None, as_json: bool
) -> None:
    from hwgen.train.estimate import estimate_step
    from hwgen.train.network_spec import load_network
    from hwgen.train.plot_estimate import plot_estimates
    from hwgen.trainer.area import measure_core
    from hwgen.trainer.shapes import parse_widths
    from hwgen.trainer.spec import load_spec

    loaded, chain = load_spec(spec), load_network(network)
    steps = [
        estimate_step(loaded, chain.network, chain.batch, width) for width in parse_widths(widths, loaded)
    ]
    title = f"{chain.name} on {loaded.name}, minibatches of {chain.batch}"
    if plot is not None:
        plot_estimates(steps, title, plot)
    measured = None
    if area:
        with working("synthesising") as say:
            measured = measure_core(loaded, progress=say)
    if as_json:
        record: dict[str, Any] = {"spec": loaded.name, "network": chain.name, "batch": chain.batch}
        record["widths"] = [step.to_json() for step in steps]
        print_json(record if measured is None else {**record, "area": measured.to_json()})
        return
    for step in steps:
        click.echo(f"{title}, {step.width} bits")
        print_table(step.heading(), step.rows())
        click.echo(f"memory: {step.memory_line()}\n")
    slowest = max(step.total.cycles for step in steps)
    print_table(
        ("width", "cycles", "speed-up", "array busy", "uJ"),
        [
            (
                step.width,
                step.total.cycles,
                f"{slowest / step.total.cycles:.2f}",
                f"{step.total.utilisation:.1%}",
                f"{(step.total.compute_pj + step.total.stream_pj) / 1e6:.2f}",
            )
            for step in steps
        ],
    )
    for line in [] if measured is None else ["", *measured.lines()]:
        click.echo(line)


@trainer.command(
    short_help="LUTs of a core, kernel by kernel.",
    epilog=example("hwgen trainer area examples/trainer/edge_trainer.yaml"),
)
@click.argument("target", metavar="SPEC|DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def area(target: Path, as_json: bool) -> None:
    """Synthesise each kernel of a core with Yosys. A new core takes minutes."""
    from hwgen.trainer.area import measure_core

    with working("synthesising") as say:
        measured = measure_core(target, progress=say)
    if as_json:
        print_json(measured.to_json())
        return
    for line in measured.lines():
        click.echo(line)


@trainer.command(
    short_help="Check golden = RTL, under cocotb.",
    epilog=example("hwgen trainer verify examples/trainer/edge_trainer.yaml"),
)
@click.argument("target", metavar="SPEC|DIR", type=click.Path(path_type=Path))
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the streams' pauses.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def verify(target: Path, seed: int, as_json: bool) -> None:
    """Run a core's regression on its RTL: programs of every command, faults and resets."""
    from hwgen.trainer.verify import verify_core

    with working("verifying") as say:
        name, found = verify_core(target, seed=seed, progress=say)
    if as_json:
        print_json({"name": name, "passed": found.passed, **asdict(found)})
    else:
        click.echo(f"{'PASS' if found.passed else 'FAIL'}  {name} (trainer): golden = cocotb")
        click.echo(
            f"  {found.checked} of {found.vectors} beats compared, {found.mismatches} mismatches, "
            f"{found.cycles} cycles"
        )
    if not found.passed:
        raise CheckError(f"{name}: golden and RTL do not agree{': ' * bool(found.error)}{found.error}")
