"""``hwgen prove``: the RTL's IR against the solver's IEEE arithmetic."""

from __future__ import annotations

from pathlib import Path

import click

from hwgen.cli.output import example, print_json, working
from hwgen.errors import CheckError

__all__ = ["prove"]


@click.command(
    short_help="Prove the RTL equal to IEEE 754 by SMT.",
    epilog=example("hwgen prove examples/mul_e4m3fn_e5m2_bf16.yaml"),
)
@click.argument("target", metavar="SPEC|DIR", type=click.Path(path_type=Path))
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Give up after S seconds."
)
@click.option(
    "--solver",
    type=click.Choice(["bitwuzla", "z3"]),
    default="bitwuzla",
    show_default=True,
    help="Who searches.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def prove(target: Path, timeout: float | None, solver: str, as_json: bool) -> None:
    """Prove that the circuit is the IEEE 754 operation, for all operands and random words.

    The circuit is the IR that the RTL is made from; a project DIR is proved with the C++ that it holds. A
    refuted theorem comes with a counterexample.
    """
    from hwgen.flow.prove import prove as run

    with working("proving"):
        result = run(target, timeout_s=timeout, solver=solver)
    if as_json:
        print_json(result.to_json())
    else:
        for line in result.lines():
            click.echo(line)
    if not result.proved:
        raise CheckError(f"{result.name}: not proved")
