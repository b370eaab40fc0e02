"""``hwgen trainer``: what a training core takes, cycle by cycle, before there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hwgen.cli.output import example, print_json

__all__ = ["trainer"]


@click.group(short_help="Estimate and check training cores.")
def trainer() -> None:
    """Estimate what a training core does, and check it against golden."""


@trainer.command(
    short_help="Cycles and utilisation of a matrix product, by word length.",
    epilog=example("hwgen trainer estimate examples/trainer/edge_trainer.yaml --shape 256x256x256"),
)
@click.argument("spec", metavar="SPEC", type=click.Path(path_type=Path))
@click.option("--shape", metavar="MxNxK", default="256x256x256", show_default=True, help="Of the product.")
@click.option("--widths", default="4,8,12,14,16", show_default=True, help="Word lengths, of both operands.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def estimate(spec: Path, shape: str, widths: str, as_json: bool) -> None:
    """Print how many cycles a product takes, with all loads and stores, by the cycle model."""
    from hwgen.trainer.shapes import parse_shape, parse_widths, product_times
    from hwgen.trainer.spec import load_spec

    loaded = load_spec(spec)
    loaded.check_supported()
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
