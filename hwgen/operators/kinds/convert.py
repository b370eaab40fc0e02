"""convert: one value into another format, rounded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from numpy.typing import NDArray
from pydantic import Field, model_validator

from hwgen import golden
from hwgen.operators.kind import Kind
from hwgen.spec import ArithmeticFormat, OperatorSpec, Record

__all__ = ["KIND", "ConvertFormats", "ConvertSpec"]


class ConvertFormats(Record):
    """Formats of a convert."""

    x: Annotated[ArithmeticFormat, Field(description="operand")]
    y: Annotated[ArithmeticFormat, Field(description="result")]


class ConvertSpec(OperatorSpec):
    """Spec of a convert: y = round(x)."""

    kind: Literal["convert"]
    formats: ConvertFormats

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self.complete(self.formats.y)
        return self


def _golden(spec: ConvertSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None) -> NDArray[Any]:
    (x,) = operands
    return golden.convert(
        x,
        x_fmt=spec.formats.x,
        y_fmt=spec.formats.y,
        rounding=spec.rounding.rounding(),
        overflow=spec.overflow,
        rand=rand,
    )


KIND = Kind(
    name="convert",
    summary="y = round(x)",
    spec_model=ConvertSpec,
    factors=("x",),
    addend=None,
    result="y",
    golden=_golden,
    example={"x": "bf16", "y": "e4m3fn"},
)
