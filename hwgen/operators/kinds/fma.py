"""fma: product of two values plus a third, rounded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from numpy.typing import NDArray
from pydantic import Field, model_validator

from hwgen import golden
from hwgen.operators.kind import Kind
from hwgen.spec import ArithmeticFormat, OperatorSpec, Record

__all__ = ["KIND", "FmaFormats", "FmaSpec"]


class FmaFormats(Record):
    """Formats of an fma."""

    a: Annotated[ArithmeticFormat, Field(description="first factor")]
    b: Annotated[ArithmeticFormat, Field(description="second factor")]
    c: Annotated[ArithmeticFormat, Field(description="addend")]
    y: Annotated[ArithmeticFormat, Field(description="result")]


class FmaSpec(OperatorSpec):
    """Spec of an fma: y = round(a * b + c)."""

    kind: Literal["fma"]
    formats: FmaFormats

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self.complete(self.formats.y, summed=(self.formats.a, self.formats.b, self.formats.c))
        return self


def _golden(spec: FmaSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None) -> NDArray[Any]:
    a, b, c = operands
    return golden.fma(
        a,
        b,
        c,
        a_fmt=spec.formats.a,
        b_fmt=spec.formats.b,
        c_fmt=spec.formats.c,
        y_fmt=spec.formats.y,
        rounding=spec.rounding.rounding(),
        overflow=spec.overflow,
        rand=rand,
    )


KIND = Kind(
    name="fma",
    summary="y = round(a * b + c)",
    spec_model=FmaSpec,
    factors=("a", "b"),
    addend="c",
    result="y",
    golden=_golden,
    example={"a": "e4m3fn", "b": "e4m3fn", "c": "fp16", "y": "fp16"},
)
