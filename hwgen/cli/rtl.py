"""``hwgen rtl``: SystemVerilog from an emitted project."""

from __future__ import annotations

from pathlib import Path

import click

from hwgen.cli.output import example, print_json, working

__all__ = ["rtl"]


@click.command(
    short_help="Compile a project to SystemVerilog.",
    epilog=example("hwgen emit mac.yaml -o build/mac && hwgen rtl build/mac --clock-ps 2000"),
)
@click.argument("project", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--clock-ps", type=click.IntRange(50, 10_000_000), help="Pipeline for this clock period, in picoseconds."
)
@click.option("--stages", type=click.IntRange(0, 64), help="Pipeline in this many stages; 0 = combinational.")
@click.option(
    "--delay-model", type=click.Choice(["unit", "sky130", "asap7"]), help="Gate delays to pipeline by."
)
@click.option("--json", "as_json", is_flag=True, help="Print module, ports and latency as JSON.")
def rtl(
    project: Path, clock_ps: int | None, stages: int | None, delay_model: str | None, as_json: bool
) -> None:
    """Compile the C++ of the project DIR to SystemVerilog, DIR/rtl/<name>.sv.

    Without options the spec's target decides; without a clock there the module is combinational.
    """
    from hwgen.flow.rtl import generate_rtl

    with working("compiling C++ to SystemVerilog"):
        result = generate_rtl(project, clock_ps=clock_ps, stages=stages, delay_model=delay_model)
    if as_json:
        print_json(result.to_json())
    else:
        for line in result.lines():
            click.echo(line)
