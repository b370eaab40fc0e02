"""A spec to start from: every key of a kind, with its default and what it may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwgen.errors import InputError, legal_values
from hwgen.operators.registry import find_kind, kind_names, load
from hwgen.spec import Record

__all__ = ["commented", "starter_spec"]

_COMMENT_COLUMN = 36


def starter_spec(kind: str, *, formats: Mapping[str, str], keys: Mapping[str, Any]) -> str:
    """Return a commented YAML spec of `kind`, which loads as it is.

    Parameters
    ----------
    kind : str
        The operator kind.
    formats : mapping
        Formats that replace those of the kind's example.
    keys : mapping
        Other keys of the spec that are not to have their default.

    Raises
    ------
    InputError
        If the kind is unknown, or a value is not legal.
    """
    if kind not in kind_names():
        raise InputError(legal_values("kind", kind, [*kind_names(), "trainer"]))
    definition = find_kind(kind)
    for key in formats:
        if key not in definition.example:
            raise InputError(legal_values(f"format of {kind}", key, definition.example))
    operator = load({"kind": kind, "formats": {**definition.example, **formats}, **definition.extras, **keys})
    return commented(
        operator.spec,
        f"# {kind}: {definition.summary}.",
        "# `hwgen formats` lists the formats; {float: {...}} and {fixed: {...}} spell out others.",
    )


def commented(record: Record, *heading: str) -> str:
    """Return a record as YAML below a heading, every key with what it may be."""
    about = "# Keys behind a # are unset; the rest are set to what they would be by default, or as you asked."
    return "\n".join([*heading, about, *_lines(record, "")]) + "\n"


def _lines(record: Record, indent: str) -> list[str]:
    lines = []
    plain = record.model_dump(mode="json")
    for key, field in type(record).model_fields.items():
        value = getattr(record, key)
        if isinstance(value, Record):
            lines += [_line(f"{indent}{key}:", field.description), *_lines(value, indent + "  ")]
        elif value is None:
            example = field.examples[0] if field.examples else "..."
            lines.append(_line(f"{indent}# {key}: {example}", field.description))
        else:
            lines.append(_line(f"{indent}{key}: {plain[key]}", field.description))
    return lines


def _line(text: str, remark: str | None) -> str:
    return f"{text:{_COMMENT_COLUMN}} # {remark}" if remark else text
