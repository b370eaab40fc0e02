"""``hwgen new`` and ``hwgen schema``: a spec to start from, and its JSON Schema for editors."""

from __future__ import annotations

import click

from hwgen.cli.output import example, print_json
from hwgen.errors import InputError

__all__ = ["new", "schema"]


@click.command(
    short_help="Print a commented spec to start from.",
    epilog=example("hwgen new mac --format a=e4m3fn --format acc=e6m5 --rounding sr --bits 8 > mac.yaml"),
)
@click.argument("kind")
@click.option("--name", help="Name of the project, C++ top and RTL module.")
@click.option(
    "--format", "formats", metavar="KEY=FORMAT", multiple=True, help="Format of an operand or the result."
)
@click.option("--rounding", metavar="MODE", help="rne, rna, rtz, rup, rdn, rto or sr.")
@click.option("--bits", type=int, metavar="R", help="Random bits of sr.")
@click.option("--overflow", metavar="POLICY", help="infinity, saturate, nan or wrap.")
@click.option("--interface", metavar="KIND", help="function or stream.")
def new(
    kind: str,
    name: str | None,
    formats: tuple[str, ...],
    rounding: str | None,
    bits: int | None,
    overflow: str | None,
    interface: str | None,
) -> None:
    """Print a commented spec of KIND with every key, its default and its legal values."""
    chosen = {}
    for item in formats:
        key, equals, value = item.partition("=")
        if not equals:
            raise InputError(f"--format {item!r} is not of the form KEY=FORMAT, such as a=e4m3fn")
        chosen[key] = value
    given = {"name": name, "overflow": overflow, "interface": interface}
    if rounding is not None or bits is not None:
        given["rounding"] = {"mode": rounding or "sr", "bits": bits}  # type: ignore[assignment]
    keys = {key: value for key, value in given.items() if value}
    if kind == "trainer":
        from hwgen.trainer.starter import starter_trainer

        text = starter_trainer({**keys, **({"formats": chosen} if chosen else {})})
    else:
        from hwgen.operators.starter import starter_spec

        text = starter_spec(kind, formats=chosen, keys=keys)
    click.echo(text, nl=False)


@click.command(
    short_help="Print the JSON Schema of specs.",
    epilog=example(
        "hwgen schema > hwgen.schema.json", "and in a spec: # yaml-language-server: $schema=hwgen.schema.json"
    ),
)
def schema() -> None:
    """Print the JSON Schema of spec files, for editors that complete and check YAML."""
    from hwgen.operators import json_schema
    from hwgen.train.network_spec import NetworkSpec
    from hwgen.trainer.spec import TrainerSpec

    print_json(json_schema(TrainerSpec, NetworkSpec))
