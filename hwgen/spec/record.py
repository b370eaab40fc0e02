"""The base of every spec record, and the small validators its fields are made of.

A record is frozen, strict about types, and says which keys or values are legal when it refuses one. What is
wrong is raised as pydantic's error; `hwgen.spec.load` turns it into one message with file and line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic_core import PydanticCustomError, core_schema

from hwgen.errors import legal_values
from hwgen.spec.source import quoted

__all__ = ["Record", "Whole", "one_of", "spec_error"]


def spec_error(message: str, *path: str | int) -> PydanticCustomError:
    """Return a validation error for the key `path` below the record that raises it."""
    return PydanticCustomError("spec", "{message}", {"message": message, "path": path})


def one_of(what: str, *legal: str) -> BeforeValidator:
    """Return a validator that refuses, with the nearest legal word, anything that is not in `legal`."""

    def check(value: object) -> object:
        if value not in legal:
            raise spec_error(legal_values(what, value, legal))
        return value

    return BeforeValidator(check)


@dataclass(frozen=True)
class Whole:
    """Annotation: a whole number from `low` to `high`; `what` names it in the message."""

    what: str
    low: int
    high: int

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        bounded = core_schema.int_schema(ge=self.low, le=self.high, strict=True)
        return core_schema.no_info_before_validator_function(self._check, bounded)

    def _check(self, value: object) -> object:
        if not isinstance(value, int) or isinstance(value, bool):
            raise spec_error(
                f"{self.what} {quoted(value)} is not a whole number: legal: {self.low}..{self.high}"
            )
        if not self.low <= value <= self.high:
            raise spec_error(f"{self.what} {quoted(value)} is out of range: legal: {self.low}..{self.high}")
        return value


class Record(BaseModel):
    """Base of every spec record: frozen, strict about types, and helpful about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, cls):
            return data
        legal = list(cls.model_fields)
        if not isinstance(data, Mapping):
            raise spec_error(f"{quoted(data)} is not a mapping: legal keys: {', '.join(legal)}")
        for key in data:
            if key not in legal:
                raise spec_error(legal_values("key", key, legal), key)
        return dict(data)

    def to_yaml(self) -> dict[str, Any]:
        """Return the record as plain data that loads again to an equal record; unset keys are left out."""
        return self.model_dump(mode="json", exclude_none=True)
