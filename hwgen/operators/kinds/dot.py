"""dot: sum of n products and an addend, of vectors in any formats, rounded once or step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from hwgen.errors import InputError, legal_values
from hwgen.formats import BlockFormat, ExponentFormat, Format, PositFormat, RoundingMode
from hwgen.golden.dot import dot
from hwgen.golden.dot_unit import (
    MAX_ELEMENTS,
    AlignedSum,
    DotUnit,
    ExactSum,
    Scheme,
    SequentialSum,
    TreeSum,
    is_scalar,
)
from hwgen.operators.dot_vectors import hard_dot_operands
from hwgen.operators.kind import Kind
from hwgen.operators.port import Port
from hwgen.operators.selection import selected_kind
from hwgen.spec import FormatField, OperatorSpec, Record, Whole, one_of, spec_error
from hwgen.spec.selection import Selectable, SelectedSpec, plain_specs

__all__ = ["KIND", "DotFormats", "DotSpec", "SelectedDotFormats", "SelectedDotSpec"]

_MAX_ALIGNED_BITS = 128


class DotFormats(Record):
    """Formats of a dot product."""

    a: Annotated[FormatField, Field(description="first vector; a block format has one scale for it")]
    b: Annotated[FormatField, Field(description="second vector")]
    c: Annotated[
        FormatField | None, Field(description="addend; without it there is none", examples=["fp16"])
    ] = None
    y: Annotated[FormatField, Field(description="result")]

    @model_validator(mode="after")
    def _check(self) -> Self:
        for key in ("a", "b", "c", "y"):
            format_ = getattr(self, key)
            block = isinstance(format_, BlockFormat)
            if format_ is not None and not is_scalar(format_) and not (block and key in "ab"):
                families = "float, fixed, posit" + (", block" if key in "ab" else "")
                raise spec_error(
                    f"{format_.name!r} is of the {format_.family} family: legal here: {families}", key
                )
        return self


def _scalar(value: Format | None) -> Format | None:
    if value is not None and not is_scalar(value):
        raise spec_error(f"{value.name!r} holds no single numbers: legal: float, fixed and posit formats")
    return value


class Aligned(Record):
    """Alignment to the largest exponent."""

    bits: Annotated[
        int, Whole("bits", 1, _MAX_ALIGNED_BITS), Field(description="kept below the largest exponent")
    ]
    shifted_out: Annotated[
        Literal["truncate", "jam"],
        one_of("way to shift out", "truncate", "jam"),
        Field(description="truncate, or jam: a cut term gets an odd last place"),
    ] = "truncate"


class Tree(Record):
    """Rounded products, then rounded sums of pairs."""

    partial: Annotated[
        FormatField | None, Field(description="of every rounding but the last; default the result's")
    ] = None


class Sequential(Record):
    """One product after the other."""

    partial: Annotated[
        FormatField | None, Field(description="of every sum but the last; default the result's")
    ] = None
    product: Annotated[
        FormatField | None, Field(description="that products are rounded to first; default: exact products")
    ] = None


class AlignedScheme(Record):
    """The scheme `aligned`."""

    aligned: Aligned


class TreeScheme(Record):
    """The scheme `tree`."""

    tree: Tree


class SequentialScheme(Record):
    """The scheme `sequential`."""

    sequential: Sequential


_SCHEMES = ("exact", "aligned", "tree", "sequential")
_RECORDS: dict[str, type[Record]] = {
    "aligned": AlignedScheme,
    "tree": TreeScheme,
    "sequential": SequentialScheme,
}


def _expand(value: object) -> object:
    """Return a scheme as a mapping: `tree` is {tree: {}}, {aligned: 25} is {aligned: {bits: 25}}."""
    if isinstance(value, tuple(_RECORDS.values())) or value == "exact":
        return value
    if value in ("tree", "sequential"):
        return {value: {}}
    if value == "aligned":
        raise spec_error("the scheme 'aligned' needs its bits: legal: such as {aligned: 25}")
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, fields),) = value.items()
        if name == "aligned" and not isinstance(fields, Mapping | Aligned):
            return {name: {"bits": fields}}
        if name in _RECORDS:
            return value
        value = name
    raise spec_error(legal_values("scheme", value, _SCHEMES))


def _tag(value: object) -> str:
    if isinstance(value, Mapping):
        return f"<{next(iter(value))}>"
    return next((f"<{name}>" for name, record in _RECORDS.items() if isinstance(value, record)), "<exact>")


SchemeField = Annotated[
    Annotated[Literal["exact"], Tag("<exact>")]
    | Annotated[AlignedScheme, Tag("<aligned>")]
    | Annotated[TreeScheme, Tag("<tree>")]
    | Annotated[SequentialScheme, Tag("<sequential>")],
    Discriminator(_tag),
    BeforeValidator(_expand),
]


def _with_scheme(parts: list[str], n: int | None, scheme: str | Record) -> list[str]:
    """Return the parts of a name, the kind's first, with those of n and scheme."""
    kind, *formats = parts
    name = scheme if isinstance(scheme, str) else next(iter(type(scheme).model_fields))
    bits = [f"w{scheme.aligned.bits}"] if isinstance(scheme, AlignedScheme) else []
    return [f"{kind}{n}", name, *bits, *formats]


class DotSpec(OperatorSpec):
    """Spec of a dot product: y = round(a[0] * b[0] + ... + a[n-1] * b[n-1] + c)."""

    kind: Literal["dot"]
    n: Annotated[
        int | None,
        Whole("n", 1, MAX_ELEMENTS),
        Field(description="elements of a vector; default the size of a block format", examples=[8]),
    ] = None
    formats: DotFormats
    scheme: Annotated[
        SchemeField,
        Field(
            description="exact, {aligned: {bits: w, shifted_out: truncate}}, {tree: {partial: FORMAT}} "
            "or {sequential: {partial: FORMAT, product: FORMAT}}"
        ),
    ] = "exact"

    @model_validator(mode="before")
    @classmethod
    def _default_n(cls, data: Any) -> Any:
        # An absent n is not a null one: it has a default only where a block format gives it.
        return {key: value for key, value in data.items() if key != "n" or value is not None}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.n is None:
            object.__setattr__(self, "n", self._block_size())
        options = self._options()
        inner = [_scalar(options.get(key)) for key in ("partial", "product")]
        given = (self.formats.a, self.formats.b, self.formats.c, *inner)
        self.complete(self.formats.y, summed=[format_ for format_ in given if format_ is not None])
        rounded = [format_ for format_ in (self.formats.y, *inner) if isinstance(format_, PositFormat)]
        if rounded and self.rounding.mode is not RoundingMode.RNE:
            raise spec_error(
                f"rounding {self.rounding.mode.value!r} is impossible for {rounded[0].name}: legal: rne",
                "rounding",
            )
        try:
            _ = self.unit
        except InputError as error:
            raise spec_error(error.message, "n") from error
        return self

    def _block_size(self) -> int:
        sizes = {
            format_.size
            for format_ in (self.formats.a, self.formats.b)
            if isinstance(format_, BlockFormat)
            and isinstance(format_.size, int)
            and format_.size <= MAX_ELEMENTS
        }
        if len(sizes) != 1:
            raise spec_error(
                f"the key 'n', the number of elements, is missing: legal: 1..{MAX_ELEMENTS}; "
                "only formats with one block size have a default"
            )
        return int(sizes.pop())

    def _options(self) -> dict[str, Any]:
        match self.scheme:
            case TreeScheme(tree=record):
                return dict(record)
            case SequentialScheme(sequential=sequence):
                return dict(sequence)
            case _:
                return {}

    def _scheme(self) -> Scheme:
        match self.scheme:
            case AlignedScheme(aligned=aligned):
                return AlignedSum(aligned.bits, aligned.shifted_out == "jam")
            case TreeScheme():
                return TreeSum(**self._options())
            case SequentialScheme():
                return SequentialSum(**self._options())
            case _:
                return ExactSum()

    @property
    def unit(self) -> DotUnit:
        """The definition of the results."""
        assert self.n is not None  # noqa: S101  (filled in by validation)
        assert self.overflow is not None  # noqa: S101
        formats: Any = self.formats
        return DotUnit(
            n=self.n,
            a=formats.a,
            b=formats.b,
            c=formats.c,
            y=formats.y,
            scheme=self._scheme(),
            rounding=self.rounding.rounding(),
            overflow=self.overflow,
        )

    def _name_parts(self) -> list[str]:
        return _with_scheme(super()._name_parts(), self.n, self.scheme)


def _inputs(spec: DotSpec) -> tuple[Port, ...]:
    unit = spec.unit
    ports = []
    for key, format_ in (("a", unit.a), ("b", unit.b)):
        if isinstance(format_, BlockFormat):
            ports.append(Port.block(key, format_, unit.n))
        else:
            ports.append(Port.vector(key, format_, unit.n))
    return (*ports, *([] if unit.c is None else [Port.scalar("c", unit.c)]))


def _golden(spec: DotSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None) -> NDArray[Any]:
    a, b, *c = operands
    return dot(spec.unit, a, b, *c, rand=rand)


def _vectors(spec: DotSpec, count: int, rng: np.random.Generator) -> list[NDArray[np.uint64]]:
    return hard_dot_operands(spec.unit, count, rng)


def _sentences(spec: DotSpec) -> list[str]:
    unit = spec.unit
    terms = "products and c" if unit.c is not None else "products"
    match unit.scheme:
        case AlignedSum(bits, jam):
            cut = "jammed: a last place that lost anything is odd" if jam else "truncated"
            how = (
                f"Terms are {cut}, {bits} bits below the largest exponent of a term that is not zero, "
                "then summed exactly and rounded once."
            )
        case TreeSum():
            partial = unit.target(last=False)[0].name
            how = (
                f"Products are rounded to {partial}, then summed in pairs, level by level, an odd last one "
                "passing up; every sum is rounded"
                + (f", all but the last to {partial}." if partial != unit.y.name else ".")
                + (" c is added last." if unit.c is not None else "")
            )
        case SequentialSum(product=product):
            first = "c" if unit.c is not None else "the first product"
            each = (
                "each step rounds once" if product is None else f"each product rounds to {product.name} first"
            )
            how = f"Products are added from left to right, beginning with {first}; {each}."
        case _:
            how = f"The exact sum of all {terms} is rounded once."
    sentences = [how]
    if unit.rounding.bits and unit.words > 1:
        if isinstance(unit.scheme, TreeSum):
            order = (
                "product i takes word i, the sum whose right part begins with element i takes word "
                f"{unit.n - 1} + i"
                + (f", the sum with c takes word {unit.words - 1}" if unit.c is not None else "")
            )
        elif unit.words == unit.n:
            order = "step i takes word i"
        else:
            order = "product i takes word 2 i, its sum word 2 i + 1"
        sentences.append(f"Random words: {order}.")
    scales = [fmt for fmt in (unit.a, unit.b) if isinstance(fmt, BlockFormat)]
    if any(isinstance(fmt.scale, ExponentFormat) for fmt in scales):
        sentences.append("A NaN scale makes the result NaN.")
    sentences.append("NaN, 0 * Inf and Inf - Inf give NaN, which a fixed-point result shows as 0.")
    sentences.append("A sum of zeros has IEEE's sign, left to right; a sum that cancels is +0 (rdn: -0).")
    return sentences


class SelectedDotFormats(Record):
    """Formats of a dot product that are chosen at run time."""

    a: Annotated[Selectable, Field(description="first vector: a format, or a list by mode")]
    b: Annotated[Selectable, Field(description="second vector: a format, or a list by mode")]
    c: Annotated[
        Selectable | None,
        Field(description="addend: a format, or a list by mode; without it there is none", examples=["fp16"]),
    ] = None
    y: Annotated[Selectable, Field(description="result: a format, or a list by mode")]


class SelectedDotSpec(SelectedSpec):
    """Spec of a dot product whose formats a port selects, summed at once."""

    kind: Literal["dot"]
    n: Annotated[int, Whole("n", 1, MAX_ELEMENTS), Field(description="elements of a vector")]
    formats: SelectedDotFormats
    scheme: Annotated[
        SchemeField, Field(description="exact, or {aligned: {bits: w, shifted_out: truncate}}")
    ] = "exact"

    plain_model: ClassVar[type[OperatorSpec]] = DotSpec
    plain_keys: ClassVar[tuple[str, ...]] = ("n", "scheme")
    result_keys: ClassVar[tuple[str, ...]] = ("c", "y")

    @model_validator(mode="after")
    def _one_rounding(self) -> Self:
        if isinstance(self.scheme, TreeScheme | SequentialScheme):
            name = next(iter(type(self.scheme).model_fields))
            raise spec_error(
                f"the scheme {name!r} rounds in formats of its own, which cannot be selected: "
                "legal: exact, {aligned: {bits: w}}",
                "scheme",
            )
        return self

    @property
    def unit(self) -> DotUnit:
        """The definition of the results in mode 0; all modes have its n, scheme and number of operands."""
        first = plain_specs(self)[0]
        assert isinstance(first, DotSpec)  # noqa: S101  (the plain model)
        return first.unit

    def _name_parts(self) -> list[str]:
        return _with_scheme(super()._name_parts(), self.n, self.scheme)


_PLAIN = Kind(
    name="dot",
    summary="y = a[0] * b[0] + ... + a[n-1] * b[n-1] + c, exact or in a given order",
    spec_model=DotSpec,
    inputs=_inputs,
    output=lambda spec: Port.scalar("y", spec.formats.y),
    golden=_golden,
    vectors=_vectors,
    example={"a": "e4m3fn", "b": "e4m3fn", "c": "fp16", "y": "fp16"},
    extras={"n": 8},
    sentences=_sentences,
    random_words=lambda spec: spec.unit.words,
)

KIND = replace(_PLAIN, selected=selected_kind(_PLAIN, spec_model=SelectedDotSpec, result="y"))
