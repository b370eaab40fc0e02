"""norm: sum of the squares of a frame's terms, and the sum of the terms beside it if wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from hwgen.formats import Rounding
from hwgen.golden.accumulator_exact import combine_rounding
from hwgen.golden.norm import Register, norm
from hwgen.operators.kind import Kind
from hwgen.operators.port import Port
from hwgen.operators.sum_scheme import (
    ONE_CLOCK,
    Interleave,
    LongScheme,
    SumScheme,
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

__all__ = ["KIND", "NormFormats", "NormSpec"]


class NormFormats(Record):
    """Formats of a norm."""

    x: Annotated[ArithmeticFormat, Field(description="term")]
    y: Annotated[ArithmeticFormat, Field(description="results; running sums too, unless the scheme is long")]


class NormSpec(OperatorSpec):
    """Spec of a norm: y = sum of x^2 from a frame's first term to its last."""

    kind: Literal["norm"]
    formats: NormFormats
    scheme: Annotated[
        SumScheme | None,
        Field(
            description="float or fixed (rounded after each term), long or "
            "{long: {terms, msb, lsb, segment}} (exact)"
        ),
    ] = None
    interleave: Interleave = 1
    sum: Annotated[bool, Field(description="whether y also has the sum of x, above that of x^2")] = False

    @model_validator(mode="after")
    def _complete(self) -> Self:
        x, y, scheme = self.formats.x, self.formats.y, self.scheme
        if isinstance(scheme, LongScheme):
            summed: tuple[ArithmeticFormat, ...] = ()  # one rounding of an exact sum
            if self.sum:
                register_of(scheme.long, x, squared=False)
            register_of(scheme.long, x, squared=True)
            if self.interleave > 1:
                raise spec_error(
                    f"interleave {self.interleave} is for sums that are rounded after each term; a long sum "
                    "is cut into segments: legal: 1",
                    "interleave",
                )
        else:
            summed = (x, y)
            object.__setattr__(self, "scheme", check_rounded(scheme, y))
        self.complete(y, summed=summed, stateful=True)
        return self

    @property
    def registers(self) -> tuple[tuple[int, int, int], ...]:
        """Sign's place, last place and segment of the registers of long sums: of x^2, then of x if wanted."""
        if not isinstance(self.scheme, LongScheme):
            return ()
        long = self.scheme.long
        kinds = (True, False) if self.sum else (True,)
        places = [register_of(long, self.formats.x, squared=squared) for squared in kinds]
        return tuple((msb, lsb, long.segment or msb - lsb + 64) for msb, lsb in places)

    @property
    def combining(self) -> Rounding:
        """How the sums of partial sums are rounded."""
        return combine_rounding(self.rounding.rounding())

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the sums in `y`, lowest first."""
        return ("squares", "sum") if self.sum else ("squares",)


def _golden(spec: NormSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None) -> NDArray[Any]:
    x, ctrl = operands
    result = norm(
        x,
        ctrl,
        x_fmt=spec.formats.x,
        y_fmt=spec.formats.y,
        rounding=spec.rounding.rounding(),
        overflow=spec.overflow,
        registers=tuple(Register(msb, lsb) for msb, lsb, _ in spec.registers) or None,
        interleave=spec.interleave,
        with_sum=spec.sum,
        rand=rand,
    )
    return result if _output(spec).packed else result[:, 0]


def _output(spec: NormSpec) -> Port:
    if not spec.sum and not spec.registers:
        return Port.scalar("y", spec.formats.y)
    return result_port(spec.formats.y, spec.parts, flag=bool(spec.registers))


def _sentences(spec: NormSpec) -> list[str]:
    sentences = frame_sentences(spec.formats.x, spec.formats.y, spec.rounding.mode)
    if spec.registers:
        both = " This is the register of the squares; that of the sum is as long as its terms need."
        first, *rest = long_sentences(*spec.registers[0])
        return [first + (both if spec.sum else ""), *rest, *sentences]
    words = ""
    if spec.sum and spec.rounding.bits:
        words = " The first random word of a term is for the sum of squares, the second for the sum."
    steps = f"Squares are exact; each is added to the sum, which is then rounded.{words}"
    if spec.interleave > 1:
        return [steps, interleave_sentence(spec.interleave, spec.combining), *sentences]
    return [f"{steps} {ONE_CLOCK}", *sentences]


def _vectors(spec: NormSpec, count: int, rng: np.random.Generator) -> list[NDArray[Any]]:
    return list(sum_streams(spec.formats.x, count, rng))


KIND = Kind(
    name="norm",
    summary="y = sum of the squares of the terms of a frame",
    spec_model=NormSpec,
    inputs=lambda spec: (Port.scalar("x", spec.formats.x), control_port()),
    output=_output,
    golden=_golden,
    vectors=_vectors,
    sentences=_sentences,
    random_words=lambda spec: len(spec.parts),
    stateful=lambda _: True,
    results=lambda _, operands: released(operands[1]),
    example={"x": "bf16", "y": "fp32"},
)
