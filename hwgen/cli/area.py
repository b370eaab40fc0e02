"""``hwgen area``: what the RTL costs."""

from __future__ import annotations

from pathlib import Path

import click

from hwgen.cli.output import example, print_json, working

__all__ = ["area"]


@click.command(
    short_help="LUTs, flip-flops, depth and clock of the RTL.",
    epilog=example("hwgen area examples/add_bf16.yaml --json"),
)
@click.argument("target", metavar="SPEC|DIR", type=click.Path(path_type=Path))
@click.option("--family", help="Device family: xcup (UltraScale+, the default), xcu or xc7.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def area(target: Path, family: str | None, as_json: bool) -> None:
    """Synthesise the RTL with Yosys: LUTs, flip-flops, carry, DSP, depth, estimated clock."""
    from hwgen.flow.area import measure

    with working("synthesising"):
        report = measure(target, family)
    if as_json:
        print_json(report.to_json())
    else:
        for line in report.lines():
            click.echo(line)
