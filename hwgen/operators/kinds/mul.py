"""mul: product of two values of any formats, rounded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from numpy.typing import NDArray
from pydantic import Field, model_validator

from hwgen import golden
from hwgen.operators.kind import Kind
from hwgen.spec import ArithmeticFormat, OperatorSpec, Record

__all__ = ["KIND", "MulFormats", "MulSpec"]


class MulFormats(Record):
    """Formats of a mul."""

    a: Annotated[ArithmeticFormat, Field(description="first operand")]
    b: Annotated[ArithmeticFormat, Field(description="second operand")]
    y: Annotated[ArithmeticFormat, Field(description="result")]


class MulSpec(OperatorSpec):
    """Spec of a mul: y = round(a * b)."""

    kind: Literal["mul"]
    formats: MulFormats

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self.complete(self.formats.y)
        return self


def _golden(spec: MulSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None) -> NDArray[Any]:
    a, b = operands
    return golden.mul(
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
    name="mul",
    summary="y = round(a * b)",
    spec_model=MulSpec,
    factors=("a", "b"),
    addend=None,
    result="y",
    golden=_golden,
    example={"a": "e4m3fn", "b": "e5m2", "y": "bf16"},
)
