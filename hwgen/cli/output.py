"""How commands print: tables for people, JSON for programs, progress only on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

__all__ = ["example", "print_json", "print_table", "working"]


def example(*lines: str) -> str:
    """Return the end of a help text: example commands, which click is not to wrap."""
    return "\n".join(["\b", "Example:", *(f"  {line}" for line in lines)])


def print_json(record: Any) -> None:
    """Print `record` as indented JSON."""
    click.echo(json.dumps(record, indent=2))


def print_table(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: framed on a terminal, plain columns in a pipe."""
    cells = [[str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table(*heading)
        for row in cells:
            table.add_row(*row)
        Console().print(table)
        return
    widths = [max(map(len, column)) for column in zip(heading, *cells, strict=True)]
    for row in [list(heading), *cells]:
        click.echo("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner while the block runs, and nothing in a pipe; what is yielded says what is being done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status(what) as status:
        yield lambda step: status.update(f"{what}: {step}")
