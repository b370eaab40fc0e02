"""``hwgen verify``: golden model, compiled C++ and simulated RTL, bit against bit."""

from __future__ import annotations

from pathlib import Path

import click

from hwgen.cli.output import example, print_json, working
from hwgen.errors import CheckError

__all__ = ["verify"]


@click.command(
    short_help="Check golden = C++ = RTL.",
    epilog=example("hwgen verify examples/mac_e4m3fn_e5m2_e6m5_sr8.yaml"),
)
@click.argument("target", metavar="SPEC|DIR", type=click.Path(path_type=Path))
@click.option(
    "--vectors", type=click.IntRange(1), help="How many, where the inputs are too many to try them all."
)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the vectors and the stalls."
)
@click.option(
    "--engine",
    "engines",
    type=click.Choice(["csim", "rtl", "cocotb"]),
    multiple=True,
    help="Only this one against golden; may be repeated. Default: all.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also draw the error of an approximated function, in ulps, into this .svg, .png or .pdf file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def verify(
    target: Path, vectors: int | None, seed: int, engines: tuple[str, ...], plot: Path | None, as_json: bool
) -> None:
    """Check that golden = csim = rtl.

    All inputs are tried where the input space allows, else hard and random vectors.
    """
    from hwgen.flow.verify import verify as run

    if plot is not None:
        from hwgen.flow.plot_error import plot_error
        from hwgen.operators import load, load_project

        plot_error(load_project(target) if target.is_dir() else load(target), plot)
    with working("verifying") as say:
        report = run(target, vectors=vectors, seed=seed, engines=engines or None, progress=say)
    if as_json:
        print_json(report.to_json())
    else:
        for line in report.lines():
            click.echo(line)
    if not report.passed:
        raise CheckError(f"{report.name}: golden, C++ and RTL do not agree")
