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
    from hwgen.emit import emit_files, emit_named

    projects = [_rendered(spec) for spec in specs]
    if len(projects) == 1:
        paths = [emit_files(projects[0][1], output)]
    else:
        paths = emit_named(projects, output)
    for (name, _), path in zip(projects, paths, strict=True):
        click.echo(f"{name}: {path}")


def _rendered(path: Path) -> tuple[str, dict[str, bytes]]:
    """Return the name and the files of the project of a spec."""
    from hwgen.spec import read_spec

    if read_spec(path).data.get("kind") == "trainer":
        from hwgen.trainer.project import render_core
        from hwgen.trainer.spec import load_spec

        spec = load_spec(path)
        return spec.name, render_core(spec)
    from hwgen import operators
    from hwgen.emit import render_project

    operator = operators.load(path)
    return operator.name, render_project(operator)
