"""``hwgen prove``: the RTL's IR against the solver's IEEE arithmetic."""

from __future__ import annotations

from pathlib import Path

import click

from hwgen.cli.output import print_json, working
from hwgen.errors import CheckError

__all__ = ["prove"]


@click.command(short_help="Prove the RTL equal to IEEE 754 by SMT.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def prove(spec: Path, as_json: bool) -> None:
    r"""Prove by SMT that the IR of the RTL equals the IEEE 754 operation, for all inputs.

    \b
    Example: hwgen prove examples/mul_e4m3fn_e5m2_bf16.yaml
    """
    from hwgen.flow.prove import prove as run

    with working("proving"):
        result = run(spec)
    if as_json:
        print_json(result.to_json())
    else:
        for line in result.lines():
            click.echo(line)
    if not result.proved:
        raise CheckError("not proved")
