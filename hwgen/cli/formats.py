"""``hwgen formats``: what formats there are, and what one of them means."""

from __future__ import annotations

import click

from hwgen.cli.output import example, print_json, print_table

__all__ = ["formats"]


@click.command(
    short_help="List number formats, or show one.",
    epilog=example("hwgen formats e4m3fn", "hwgen formats q1.7"),
)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def formats(name: str | None, as_json: bool) -> None:
    """List the number formats, or show one: fields, range, precision, special values."""
    from hwgen.formats import format_names, parse_format

    if name is not None:
        description = parse_format(name).describe()
        if as_json:
            print_json(dict(description))
        else:
            print_table(("format", name), [(label, text) for label, text in description if label != "name"])
        return
    if as_json:
        print_json([dict(parse_format(known).describe()) for known in format_names()])
        return
    rows = []
    for known in format_names():
        format_ = parse_format(known)
        rows.append((known, format_.family, format_.width))
    print_table(("name", "family", "bits"), rows)
    families = format_names(families=True)[len(rows) :]
    click.echo(f"\nAlso, for any widths: {'; '.join(families)}; or a mapping, as docs/formats.md says.")
