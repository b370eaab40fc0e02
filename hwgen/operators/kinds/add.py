"""add: sum of two values of any formats, rounded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from numpy.typing import NDArray
from pydantic import Field, model_validator

from hwgen import golden
from hwgen.operators.kind import Kind
from hwgen.spec import ArithmeticFormat, OperatorSpec, Record

__all__ = ["KIND", "AddFormats", "AddSpec"]


class AddFormats(Record):
    """Formats of an add."""

    a: Annotated[ArithmeticFormat, Field(description="first operand")]
    b: Annotated[ArithmeticFormat, Field(description="second operand")]
    y: Annotated[ArithmeticFormat, Field(description="result")]


class AddSpec(OperatorSpec):
    """Spec of an add: y = round(a + b)."""

    kind: Literal["add"]
    formats: AddFormats

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self.complete(self.formats.y, summed=(self.formats.a, self.formats.b))
        return self


def _golden(spec: AddSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None) -> NDArray[Any]:
    a, b = operands
    return golden.add(
        a,
        b,
        a_fmt=spec.formats.a,
        b_fmt=spec.formats.b,
        y_fmt=spec.formats.y,
        rounding=spec.rounding.rounding(),
        overflow=spec.overflow,
        rand=rand,
    )


KIND = Kind(
    name="add",
    summary="y = round(a + b)",
    spec_model=AddSpec,
    factors=("a",),
    addend="b",
    result="y",
    golden=_golden,
    example={"a": "bf16", "b": "bf16", "y": "bf16"},
)
