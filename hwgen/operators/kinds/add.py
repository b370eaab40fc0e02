"""add: sum of two values of any formats, rounded once."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hwgen import golden
from hwgen.operators.kind import ProductSum
from hwgen.operators.product_sum import product_sum_kind
from hwgen.spec import ElementwiseSpec, NumberFormat, Record

__all__ = ["KIND", "AddFormats", "AddSpec"]


class AddFormats(Record):
    """Formats of an add."""

    a: Annotated[NumberFormat, Field(description="first operand")]
    b: Annotated[NumberFormat, Field(description="second operand")]
    y: Annotated[NumberFormat, Field(description="result")]


class AddSpec(ElementwiseSpec):
    """Spec of an add: y = round(a + b)."""

    kind: Literal["add"]
    formats: AddFormats

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self.complete(self.formats.y, summed=(self.formats.a, self.formats.b))
        return self


KIND = product_sum_kind(
    name="add",
    summary="y = round(a + b)",
    spec_model=AddSpec,
    form=ProductSum(factors=("a",), addend="b", result="y"),
    golden=golden.add,
    example={"a": "bf16", "b": "bf16", "y": "bf16"},
)
