"""accumulator: sum of the terms of a frame, rounded at each step, in chunks, or kept exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from hwgen.formats import Rounding
from hwgen.golden.accumulator import accumulate, accumulate_chunked, accumulate_long, values
from hwgen.golden.accumulator_exact import combine_rounding
from hwgen.operators.kind import Kind
from hwgen.operators.port import Port
from hwgen.operators.sum_scheme import (
    ONE_CLOCK,
    Chunked,
    ChunkedScheme,
    Interleave,
    LongScheme,
    SumOrChunksScheme,
    check_rounded,
    control_port,
    frame_sentences,
    interleave_sentence,
    long_sentences,
    register_of,
    released,
    result_port,
)
from hwgen.operators.sum_streams import sum_streams
from hwgen.spec import ArithmeticFormat, OperatorSpec, Record, spec_error

__all__ = ["KIND", "AccumulatorFormats", "AccumulatorSpec"]


class AccumulatorFormats(Record):
    """Formats of an accumulator."""

    x: Annotated[ArithmeticFormat, Field(description="term")]
    y: Annotated[
        ArithmeticFormat, Field(description="result; the running sum too, unless the scheme is long")
    ]


class AccumulatorSpec(OperatorSpec):
    """Spec of an accumulator: y = sum of the terms from a frame's first to its last."""

    kind: Literal["accumulator"]
    formats: AccumulatorFormats
    scheme: Annotated[
        SumOrChunksScheme | None,
        Field(
            description="float or fixed (rounded after each term), long or {long: {terms, msb, lsb, "
            "segment}} (exact), {chunked: {terms: n, format: FORMAT}}"
        ),
    ] = None
    interleave: Interleave = 1

    @model_validator(mode="after")
    def _complete(self) -> Self:
        x, y, scheme = self.formats.x, self.formats.y, self.scheme
        if isinstance(scheme, LongScheme):
            summed: tuple[ArithmeticFormat, ...] = ()  # one rounding of an exact sum, no addition that rounds
            register_of(scheme.long, x, squared=False)
        elif isinstance(scheme, ChunkedScheme):
            summed = (scheme.chunked.format, y)
        else:
            summed = (x, y)
            object.__setattr__(self, "scheme", check_rounded(scheme, y))
        if self.interleave > 1 and isinstance(scheme, LongScheme | ChunkedScheme):
            hint = "a long sum is cut into segments" if isinstance(scheme, LongScheme) else "chunks"
            raise spec_error(
                f"interleave {self.interleave} is for sums that are rounded after each term, not here "
                f"({hint}): legal: 1",
                "interleave",
            )
        self.complete(y, summed=summed, stateful=True)
        return self

    @property
    def register(self) -> tuple[int, int, int] | None:
        """Sign's place, last place and segment length of a long sum's register; None for others."""
        if not isinstance(self.scheme, LongScheme):
            return None
        msb, lsb = register_of(self.scheme.long, self.formats.x, squared=False)
        return msb, lsb, self.scheme.long.segment or msb - lsb + 64

    @property
    def chunked(self) -> Chunked | None:
        """Terms and format of a chunk; None for other schemes."""
        return self.scheme.chunked if isinstance(self.scheme, ChunkedScheme) else None

    @property
    def combining(self) -> Rounding:
        """How the sums of partial sums are rounded."""
        return combine_rounding(self.rounding.rounding())


def _golden(
    spec: AccumulatorSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None
) -> NDArray[Any]:
    x, ctrl = operands
    terms = values(spec.formats.x)
    how: dict[str, Any] = {
        "y_fmt": spec.formats.y,
        "rounding": spec.rounding.rounding(),
        "overflow": spec.overflow,
        "rand": rand,
    }
    if spec.register is not None:
        msb, lsb, _ = spec.register
        return accumulate_long(terms, x, ctrl, msb=msb, lsb=lsb, **how)
    if spec.chunked is not None:
        chunk = spec.chunked
        return accumulate_chunked(terms, x, ctrl, chunk=chunk.terms, chunk_fmt=chunk.format, **how)
    return accumulate(terms, x, ctrl, interleave=spec.interleave, **how)


def _sentences(spec: AccumulatorSpec) -> list[str]:
    sentences = frame_sentences(spec.formats.x, spec.formats.y, spec.rounding.mode)
    if spec.register is not None:
        return [*long_sentences(*spec.register), *sentences]
    if spec.chunked is not None:
        chunk = spec.chunked
        words = (
            " The first random word of a term is for its own step, the second for a chunk that ends with it."
            if spec.rounding.bits
            else ""
        )
        return [
            f"Each {chunk.terms} terms of a frame, and what is left at its end, are summed in "
            f"{chunk.format.name} ({chunk.format.default_overflow.value} on overflow), rounded after each; "
            f"their sums are summed in {spec.formats.y.name}, rounded after each.{words} {ONE_CLOCK}",
            *sentences,
        ]
    if spec.interleave > 1:
        return [interleave_sentence(spec.interleave, spec.combining), *sentences]
    step = "The first term is rounded; each further one is added to the sum, which is rounded. "
    return [step + ONE_CLOCK, *sentences]


def _inputs(spec: AccumulatorSpec) -> tuple[Port, ...]:
    return Port.scalar("x", spec.formats.x), control_port()


def _vectors(spec: AccumulatorSpec, count: int, rng: np.random.Generator) -> list[NDArray[Any]]:
    return list(sum_streams(spec.formats.x, count, rng))


KIND = Kind(
    name="accumulator",
    summary="y = sum of the terms of a frame",
    spec_model=AccumulatorSpec,
    inputs=_inputs,
    output=lambda spec: result_port(spec.formats.y, ("value",), flag=spec.register is not None),
    golden=_golden,
    vectors=_vectors,
    sentences=_sentences,
    random_words=lambda spec: 2 if spec.chunked is not None else 1,
    stateful=lambda _: True,
    results=lambda _, operands: released(operands[1]),
    example={"x": "e4m3fn", "y": "fp16"},
)
