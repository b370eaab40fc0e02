"""From plain data to a validated record, or to one message with file, line, value and legal values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import ValidationError

from hwgen.spec.record import Record
from hwgen.spec.source import KeyPath, SpecSource, quoted

__all__ = ["validate"]

AnyRecord = TypeVar("AnyRecord", bound=Record)


def validate(model: type[AnyRecord], source: SpecSource) -> AnyRecord:
    """Return `source` as a `model` record.

    Raises
    ------
    InputError
        At the first offending line, if anything in it is not legal.
    """
    try:
        return model.model_validate(source.data)
    except ValidationError as error:
        faults = [_fault(details) for details in error.errors(include_url=False)]
        path, message = min(faults, key=lambda fault: source.line(fault[0]) or 0)
        where = ".".join(str(key) for key in path)
        raise source.error(f"{where}: {message}" if where else message, path) from error


def _fault(details: Any) -> tuple[KeyPath, str]:
    """Return the key path and the message of one of pydantic's error records."""
    # Members of a union are tagged <...> in our models, so that they can be told from keys.
    path: KeyPath = tuple(key for key in details["loc"] if not str(key).startswith("<"))
    value, context = details["input"], details.get("ctx", {})
    if details["type"] == "spec":
        return (*path, *context["path"]), context["message"]
    if details["type"] == "missing":
        return path[:-1], f"the key {path[-1]!r} is missing" + _beside(value)
    return path, f"{quoted(value)} is not legal here: {details['msg'].lower()}"


def _beside(value: object) -> str:
    return f"; given: {', '.join(map(str, value))}" if isinstance(value, Iterable) and value else ""
