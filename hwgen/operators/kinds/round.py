"""round: the rounding unit, by default with its own generator, and the published variants of `sr`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from hwgen.errors import legal_values
from hwgen.formats import FixedFormat, FloatFormat, RoundingMode
from hwgen.golden.round_unit import Variant, round_unit
from hwgen.operators.kind import Kind
from hwgen.operators.port import Port
from hwgen.operators.vectors import ExactForm, hard_operands
from hwgen.spec import (
    ArithmeticFormat,
    ElementwiseSpec,
    Lfsr,
    LfsrSource,
    Record,
    RoundingSpec,
    spec_error,
)
from hwgen.spec.rounding import RoundingField

__all__ = ["KIND", "RoundFormats", "RoundSpec"]

_DEFAULT_BITS = 8


class RoundFormats(Record):
    """Formats of a rounding unit."""

    x: Annotated[ArithmeticFormat, Field(description="operand, such as a wide accumulator")]
    y: Annotated[ArithmeticFormat, Field(description="result")]


def _parse_variant(value: object) -> object:
    if value not in list(Variant):
        raise spec_error(legal_values("variant", value, [variant.value for variant in Variant]))
    return Variant(str(value))


_GENERATOR = RoundingSpec(mode=RoundingMode.SR, bits=_DEFAULT_BITS, rand=LfsrSource(lfsr=Lfsr()))


class RoundSpec(ElementwiseSpec):
    """Spec of a rounding unit: y = round(x)."""

    kind: Literal["round"]
    formats: RoundFormats
    rounding: Annotated[RoundingField, Field(description="default: sr with a generator on the unit")] = (
        _GENERATOR
    )
    variant: Annotated[
        Variant,
        BeforeValidator(_parse_variant),
        Field(description="of sr: floor (as everywhere), compare, centred or nearest"),
    ] = Variant.FLOOR

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.variant is not Variant.FLOOR and self.rounding.mode is not RoundingMode.SR:
            raise spec_error(
                f"variant {self.variant.value!r} belongs to rounding mode 'sr'; here the mode is "
                f"{self.rounding.mode.value!r}",
                "variant",
            )
        self.complete(self.formats.y)
        return self

    def _name_parts(self) -> list[str]:
        named = [] if self.variant is Variant.FLOOR else [self.variant.value]
        return [*super()._name_parts(), *named]

    @property
    def decision(self) -> str:
        """When the magnitude is rounded up under `sr`; f, k and u are those of every stochastic rounding."""
        r = self.rounding.bits
        return {
            Variant.FLOOR: f"k + u >= 2^{r}",
            Variant.COMPARE: "u < k (variant compare)",
            Variant.CENTRED: f"f * 2^{r} + u + 1/2 >= 2^{r} (variant centred)",
            Variant.NEAREST: f"rne(f * 2^{r}) + u >= 2^{r} (variant nearest)",
        }[self.variant]


def _golden(spec: RoundSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None) -> NDArray[Any]:
    return round_unit(
        operands[0],
        x_fmt=spec.formats.x,
        y_fmt=spec.formats.y,
        rounding=spec.rounding.rounding(),
        overflow=spec.overflow,
        variant=spec.variant,
        rand=rand,
    )


def _vectors(spec: RoundSpec, count: int, rng: np.random.Generator) -> list[NDArray[Any]]:
    formats = spec.formats
    bits = (spec.rounding.bits or 0) + 1  # the variants look at one more
    form = ExactForm(factors=(formats.x,), addend=None, result=formats.y, random_bits=bits)
    return list(hard_operands(form, count, rng))


def _sentences(spec: RoundSpec) -> list[str]:
    x, y = spec.formats.x, spec.formats.y
    sentences = []
    if isinstance(x, FloatFormat) and x.has_nan:
        code = 0 if isinstance(y, FixedFormat) else y.invalid_code
        sentences.append(f"NaN gives 0x{code:0{-(-y.width // 4)}x}.")
    if isinstance(x, FloatFormat) and not x.subnormals:
        sentences.append("A subnormal operand reads as zero of its sign.")
    if isinstance(y, FloatFormat) and not y.has_negative_zero:
        sentences.append("Every zero result is code 0; the format has no -0.")
    if isinstance(y, FloatFormat) and not y.subnormals:
        sentences.append("A result below the smallest normal is zero of its sign.")
    return sentences


KIND = Kind(
    name="round",
    summary="y = round(x)",
    spec_model=RoundSpec,
    inputs=lambda spec: (Port.scalar("x", spec.formats.x),),
    output=lambda spec: Port.scalar("y", spec.formats.y),
    golden=_golden,
    vectors=_vectors,
    sentences=_sentences,
    example={"x": "q16.32", "y": "e4m3fn"},
)
