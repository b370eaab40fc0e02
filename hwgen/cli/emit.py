"""``hwgen emit``: HLS projects from specs."""

from __future__ import annotations

from pathlib import Path

import click

from hwgen.cli.output import example

__all__ = ["emit"]


@click.command(
    short_help="Write HLS projects from specs.",
    epilog=example("hwgen emit examples/mac_bf16_fp32.yaml -o build/mac && make -C build/mac csim"),
)
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Where to write."
)
def emit(specs: tuple[Path, ...], output: Path) -> None:
    """Write the HLS project of a spec: C++, testbench, vectors, scripts.

    One spec becomes the project DIR; several become DIR/<name> each. A project in DIR is replaced, but for
    files that you added; any other folder is left alone.
    """
    from hwgen import operators
    from hwgen.emit import emit as emit_one
    from hwgen.emit import emit_all

    loaded = [operators.load(spec) for spec in specs]
    paths = [emit_one(loaded[0], output)] if len(loaded) == 1 else emit_all(loaded, output)
    for operator, path in zip(loaded, paths, strict=True):
        click.echo(f"{operator.name}: {path}")
