"""mac: product plus accumulator, into the accumulator's format; fused, or with the product rounded first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from hwgen import golden
from hwgen.formats import PositFormat, Rounding, RoundingMode
from hwgen.operators.kind import ProductSum
from hwgen.operators.product_sum import product_sum_kind
from hwgen.spec import ElementwiseSpec, ModeField, NumberFormat, OperatorSpec, Record, one_of, spec_error
from hwgen.spec.selection import Selectable, SelectedSpec

__all__ = ["KIND", "MacFormats", "MacSpec", "SelectedMacFormats", "SelectedMacSpec", "Split"]


class MacFormats(Record):
    """Formats of a mac; the result has the accumulator's."""

    a: Annotated[NumberFormat, Field(description="first factor")]
    b: Annotated[NumberFormat, Field(description="second factor")]
    acc: Annotated[NumberFormat, Field(description="accumulator and result")]


class Split(Record):
    """A product that is rounded to a format of its own before it is added."""

    split: Annotated[NumberFormat, Field(description="format of the rounded product")]
    rounding: Annotated[
        ModeField | None,
        Field(description="of the product, deterministic; default the result's mode, or rne (sr, posits)"),
    ] = None

    @model_validator(mode="after")
    def _deterministic(self) -> Self:
        if self.rounding is RoundingMode.SR:
            legal = ", ".join(mode.value for mode in RoundingMode if mode is not RoundingMode.SR)
            raise spec_error(
                f"the product's rounding 'sr' would need random words of its own: legal: {legal}", "rounding"
            )
        if isinstance(self.split, PositFormat) and self.rounding not in (None, RoundingMode.RNE):
            raise spec_error(
                f"the product is a {self.split.name}, which rounds to nearest only: legal: rne", "rounding"
            )
        return self


Accumulate = Annotated[
    Annotated[Literal["fused"], one_of("way to accumulate", "fused", "{split: FORMAT}"), Tag("<fused>")]
    | Annotated[Split, Tag("<split>")],
    Discriminator(lambda value: "<split>" if isinstance(value, Mapping | Split) else "<fused>"),
]


class MacSpec(ElementwiseSpec):
    """Spec of a mac: y = round(a * b + acc), or round(round(a * b) + acc)."""

    kind: Literal["mac"]
    formats: MacFormats
    accumulate: Annotated[
        Accumulate, Field(description="fused (one rounding), or {split: FORMAT, rounding: MODE}")
    ] = "fused"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        split = self.accumulate.split if isinstance(self.accumulate, Split) else None
        product = (self.formats.a, self.formats.b) if split is None else (split,)
        self.complete(self.formats.acc, summed=(*product, self.formats.acc))
        if isinstance(self.accumulate, Split) and self.accumulate.rounding is None:
            mode = self.rounding.mode
            nearest = mode is RoundingMode.SR or isinstance(self.accumulate.split, PositFormat)
            product_mode = RoundingMode.RNE if nearest else mode
            completed = Split(split=self.accumulate.split, rounding=product_mode)
            object.__setattr__(self, "accumulate", completed)
        return self

    @property
    def product(self) -> tuple[NumberFormat, Rounding] | None:
        """Format and rounding of the product of a split mac; None if fused."""
        if not isinstance(self.accumulate, Split) or self.accumulate.rounding is None:
            return None
        return self.accumulate.split, Rounding(self.accumulate.rounding)


def _product(spec: MacSpec) -> dict[str, Any]:
    product_fmt, product_rounding = spec.product or (None, None)
    return {"product_fmt": product_fmt, "product_rounding": product_rounding}


class SelectedMacFormats(Record):
    """Formats of a mac that are chosen at run time."""

    a: Annotated[Selectable, Field(description="first factor: a format, or a list by mode")]
    b: Annotated[Selectable, Field(description="second factor: a format, or a list by mode")]
    acc: Annotated[Selectable, Field(description="accumulator and result: a format, or a list by mode")]


class SelectedMacSpec(SelectedSpec, ElementwiseSpec):
    """Spec of a mac whose formats a port selects: y = round(a * b + acc)."""

    kind: Literal["mac"]
    formats: SelectedMacFormats

    plain_model: ClassVar[type[OperatorSpec]] = MacSpec
    result_keys: ClassVar[tuple[str, ...]] = ("acc",)


KIND = product_sum_kind(
    name="mac",
    summary="y = round(a * b + acc), in the accumulator's format",
    spec_model=MacSpec,
    form=ProductSum(factors=("a", "b"), addend="acc", result="acc"),
    golden=golden.mac,
    options=_product,
    example={"a": "e4m3fn", "b": "e5m2", "acc": "e6m5"},
    selected=SelectedMacSpec,
)
