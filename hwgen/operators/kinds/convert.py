"""convert: one value into another format, rounded once."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hwgen import golden
from hwgen.operators.kind import ProductSum
from hwgen.operators.product_sum import product_sum_kind
from hwgen.spec import ElementwiseSpec, NumberFormat, Record

__all__ = ["KIND", "ConvertFormats", "ConvertSpec"]


class ConvertFormats(Record):
    """Formats of a convert."""

    x: Annotated[NumberFormat, Field(description="operand")]
    y: Annotated[NumberFormat, Field(description="result")]


class ConvertSpec(ElementwiseSpec):
    """Spec of a convert: y = round(x)."""

    kind: Literal["convert"]
    formats: ConvertFormats

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self.complete(self.formats.y)
        return self


KIND = product_sum_kind(
    name="convert",
    summary="y = round(x)",
    spec_model=ConvertSpec,
    form=ProductSum(factors=("x",), addend=None, result="y"),
    golden=golden.convert,
    example={"x": "bf16", "y": "e4m3fn"},
)
