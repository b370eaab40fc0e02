"""The commands of a core in words: the table that documentation shows, made from the fields themselves."""

from __future__ import annotations

from itertools import groupby

from hwgen.trainer.commands import COMMANDS, field_table
from hwgen.trainer.status import Code

__all__ = ["code_table", "command_table"]


def command_table() -> str:
    """Return every command with its fields as Markdown."""
    rows = {name: list(fields) for name, fields in groupby(field_table(), key=lambda row: row.command)}
    lines = []
    for kind in COMMANDS:
        name = kind.__name__.lower()
        summary = (kind.__doc__ or "").strip().splitlines()[0]
        lines += [f"**{kind.OPCODE} `{name.upper()}`** {summary}", ""]
        if name in rows:
            lines += ["| bits | field | |", "|---|---|---|"]
            for row in rows[name]:
                sign = "signed; " if row.signed else ""
                meaning = f"{sign}{row.meaning}".replace("|", "\\|")
                lines.append(f"| {row.low + row.width - 1}..{row.low} | `{row.field}` | {meaning} |")
            lines.append("")
    return "\n".join(lines)


def code_table() -> str:
    """Return the status codes as Markdown."""
    rows = [f"| {code.value} | {code.meaning} |" for code in Code]
    return "\n".join(["| code | |", "|---|---|", *rows, ""])
