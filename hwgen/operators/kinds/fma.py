"""fma: product of two values plus a third, rounded once."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hwgen import golden
from hwgen.operators.kind import ProductSum
from hwgen.operators.product_sum import product_sum_kind
from hwgen.spec import ElementwiseSpec, NumberFormat, OperatorSpec, Record
from hwgen.spec.selection import Selectable, SelectedSpec

__all__ = ["KIND", "FmaFormats", "FmaSpec", "SelectedFmaFormats", "SelectedFmaSpec"]


class FmaFormats(Record):
    """Formats of an fma."""

    a: Annotated[NumberFormat, Field(description="first factor")]
    b: Annotated[NumberFormat, Field(description="second factor")]
    c: Annotated[NumberFormat, Field(description="addend")]
    y: Annotated[NumberFormat, Field(description="result")]


class FmaSpec(ElementwiseSpec):
    """Spec of an fma: y = round(a * b + c)."""

    kind: Literal["fma"]
    formats: FmaFormats

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self.complete(self.formats.y, summed=(self.formats.a, self.formats.b, self.formats.c))
        return self


class SelectedFmaFormats(Record):
    """Formats of an fma that are chosen at run time."""

    a: Annotated[Selectable, Field(description="first factor: a format, or a list by mode")]
    b: Annotated[Selectable, Field(description="second factor: a format, or a list by mode")]
    c: Annotated[Selectable, Field(description="addend: a format, or a list by mode")]
    y: Annotated[Selectable, Field(description="result: a format, or a list by mode")]


class SelectedFmaSpec(SelectedSpec, ElementwiseSpec):
    """Spec of an fma whose formats a port selects: y = round(a * b + c)."""

    kind: Literal["fma"]
    formats: SelectedFmaFormats

    plain_model: ClassVar[type[OperatorSpec]] = FmaSpec
    result_keys: ClassVar[tuple[str, ...]] = ("c", "y")


KIND = product_sum_kind(
    name="fma",
    summary="y = round(a * b + c)",
    spec_model=FmaSpec,
    form=ProductSum(factors=("a", "b"), addend="c", result="y"),
    golden=golden.fma,
    example={"a": "e4m3fn", "b": "e4m3fn", "c": "fp16", "y": "fp16"},
    selected=SelectedFmaSpec,
)
