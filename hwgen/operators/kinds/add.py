"""add: sum of two values of any formats, rounded once."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hwgen import golden
from hwgen.formats import FloatFormat
from hwgen.operators.kind import ProductSum
from hwgen.operators.product_sum import product_sum_kind
from hwgen.spec import ElementwiseSpec, NumberFormat, Record, Target, one_of, spec_error

__all__ = ["KIND", "AddFormats", "AddSpec", "AddTarget"]


class AddFormats(Record):
    """Formats of an add."""

    a: Annotated[NumberFormat, Field(description="first operand")]
    b: Annotated[NumberFormat, Field(description="second operand")]
    y: Annotated[NumberFormat, Field(description="result")]


class AddTarget(Target):
    """What an add is built for."""

    optimise: Annotated[
        Literal["depth", "area"],
        one_of("goal", "depth", "area"),
        Field(description="depth, or area: fewer LUTs, more levels of logic; operands of one float format"),
    ] = "depth"


class AddSpec(ElementwiseSpec):
    """Spec of an add: y = round(a + b)."""

    kind: Literal["add"]
    formats: AddFormats
    target: Annotated[AddTarget, Field(description="what the design is built for")] = AddTarget()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        a, b = self.formats.a, self.formats.b
        if self.target.optimise == "area" and not (a == b and isinstance(a, FloatFormat)):
            raise spec_error(
                f"goal 'area' needs operands of one floating-point format, and these are {a.name} and "
                f"{b.name}: legal: depth",
                "target",
                "optimise",
            )
        if self.target.optimise == "area" and self.rounding.eager:
            raise spec_error(
                "variant 'eager' spends LUTs for depth, and goal 'area' the other way round: legal: depth",
                "target",
                "optimise",
            )
        self.complete(self.formats.y, summed=(self.formats.a, self.formats.b))
        return self

    def _name_parts(self) -> list[str]:
        return [*super()._name_parts(), *(["area"] if self.target.optimise == "area" else [])]


KIND = product_sum_kind(
    name="add",
    summary="y = round(a + b)",
    spec_model=AddSpec,
    form=ProductSum(factors=("a",), addend="b", result="y"),
    golden=golden.add,
    example={"a": "bf16", "b": "bf16", "y": "bf16"},
)
