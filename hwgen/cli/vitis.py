"""``hwgen vitis``: AMD's own tools on an emitted project."""

from __future__ import annotations

from pathlib import Path

import click

from hwgen.cli.output import example, print_json, working

__all__ = ["vitis"]


@click.command(short_help="Run AMD's tools on a project.", epilog=example("hwgen vitis build/mac"))
@click.argument("project", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def vitis(project: Path, as_json: bool) -> None:
    """Run AMD Vitis on the project DIR: C simulation, synthesis, co-simulation, export.

    Without Vitis on PATH, says which command to run where it is installed.
    """
    from hwgen.flow.vitis import run

    with working("running AMD Vitis"):
        result = run(project)
    if as_json:
        print_json(result.to_json())
    else:
        for line in result.lines():
            click.echo(line)
