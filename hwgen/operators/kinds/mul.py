"""mul: product of two values of any formats, rounded once."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hwgen import golden
from hwgen.operators.kind import ProductSum
from hwgen.operators.product_sum import product_sum_kind
from hwgen.spec import ElementwiseSpec, NumberFormat, Record

__all__ = ["KIND", "MulFormats", "MulSpec"]


class MulFormats(Record):
    """Formats of a mul."""

    a: Annotated[NumberFormat, Field(description="first operand")]
    b: Annotated[NumberFormat, Field(description="second operand")]
    y: Annotated[NumberFormat, Field(description="result")]


class MulSpec(ElementwiseSpec):
    """Spec of a mul: y = round(a * b)."""

    kind: Literal["mul"]
    formats: MulFormats

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self.complete(self.formats.y)
        return self


KIND = product_sum_kind(
    name="mul",
    summary="y = round(a * b)",
    spec_model=MulSpec,
    form=ProductSum(factors=("a", "b"), addend=None, result="y"),
    golden=golden.mul,
    example={"a": "e4m3fn", "b": "e5m2", "y": "bf16"},
)
