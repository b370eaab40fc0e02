"""softmax: exp(x) over the sum of exp of its frame, one element a clock, however the frame is long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from hwgen.formats import FixedFormat, Overflow, RoundingMode
from hwgen.golden.activation_softmax import SUM
from hwgen.golden.softmax import DIFFERENCE, EXPONENTIAL, RISE, result_counts, softmax_frames
from hwgen.operators.approximation import Approximation, approximate
from hwgen.operators.approximation.rendering import Rendering
from hwgen.operators.kind import Kind
from hwgen.operators.logits import logit_frames
from hwgen.operators.port import Field as PortField
from hwgen.operators.port import Port
from hwgen.spec import ArithmeticFormat, OperatorSpec, Record, quoted, spec_error

__all__ = ["KIND", "SoftmaxFormats", "SoftmaxSpec"]

_LENGTHS = (2, 4, 8, 16, 32, 64)
"""The elements wait in registers, and a longer array would be a memory in hwgen's compiler to RTL."""

_WAITING = 4


class SoftmaxFormats(Record):
    """Formats of a softmax."""

    x: Annotated[ArithmeticFormat, Field(description="element")]
    y: Annotated[ArithmeticFormat, Field(description="result, between 0 and 1")]


def _check_length(value: object) -> object:
    if type(value) is not int or value not in _LENGTHS:
        legal = ", ".join(map(str, _LENGTHS))
        raise spec_error(f"max_length {quoted(value)} is not legal: legal: {legal}")
    return value


class SoftmaxSpec(OperatorSpec):
    """Spec of a softmax of frames: y = exp(x) / sum of exp over its frame."""

    kind: Literal["softmax"]
    formats: SoftmaxFormats
    max_length: Annotated[
        int,
        BeforeValidator(_check_length),
        Field(description=f"elements that a frame may have: {', '.join(map(str, _LENGTHS))}"),
    ] = 64

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.rounding.mode is RoundingMode.SR:
            deterministic = [mode.value for mode in RoundingMode if mode is not RoundingMode.SR]
            raise spec_error(
                f"the results of softmax are rounded deterministically, not by {quoted('sr')}: "
                f"legal: {', '.join(deterministic)}",
                "rounding",
            )
        if self.overflow is Overflow.WRAP:
            raise spec_error("a softmax cannot wrap: legal: saturate", "overflow")
        self.complete(self.formats.y, stateful=True)
        return self

    @property
    def waiting(self) -> int:
        """Complete frames that may wait for their results."""
        return _WAITING

    @property
    def parts(self) -> tuple[Approximation, Approximation]:
        """The exponential and the reciprocal."""
        # The fewest estimated LUTs, without the search.
        exponential = approximate(
            "exp", DIFFERENCE, EXPONENTIAL, Overflow.SATURATE, method="polynomial", degree=1, segments=256
        )
        return exponential, approximate("reciprocal", SUM, SUM, Overflow.INFINITY, method="bipartite")

    @property
    def renderings(self) -> tuple[Rendering, Rendering]:
        """The parts in the words of C++."""
        exponential, reciprocal = self.parts
        return Rendering(exponential.design), Rendering(reciprocal.design)

    def _name_parts(self) -> list[str]:
        kind, *rest = super()._name_parts()
        return [f"{kind}{self.max_length}", *rest]


def _inputs(spec: SoftmaxSpec) -> tuple[Port, ...]:
    control = Port.bits(
        "ctrl", 2, "bit 0 clear: the frame starts anew with this element; bit 1 last: this element ends it"
    )
    return Port.scalar("x", spec.formats.x), control


def _output(spec: SoftmaxSpec) -> Port:
    y = spec.formats.y
    return Port.struct("y", PortField("value", y.width, y), PortField("last", 1), PortField("too_long", 1))


def _golden(spec: SoftmaxSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None) -> NDArray[Any]:
    assert spec.overflow is not None  # noqa: S101  (filled in by validation)
    x, ctrl = operands
    exponential, reciprocal = spec.parts
    return softmax_frames(
        x,
        ctrl,
        max_length=spec.max_length,
        x_fmt=spec.formats.x,
        y_fmt=spec.formats.y,
        exponential=exponential.design,
        reciprocal=reciprocal.design,
        rounding=spec.rounding.rounding(),
        overflow=spec.overflow,
    )


def _vectors(spec: SoftmaxSpec, count: int, rng: np.random.Generator) -> list[NDArray[Any]]:
    return list(logit_frames(spec.formats.x, spec.max_length, count, rng))


def _sentences(spec: SoftmaxSpec) -> list[str]:
    fixed = isinstance(spec.formats.y, FixedFormat)
    nan = "0" if fixed else "the canonical NaN" if spec.formats.y.has_nan else "the negative-zero pattern"
    return [
        f"While elements come: R is the first; d = x - R, rounded to nearest in {DIFFERENCE.name}. Below "
        f"{RISE} the sum s, which begins with 1, grows by exp(d); otherwise s = s * exp(-d) + 1, the product "
        f"cut at 2^-{EXPONENTIAL.fraction}, and R = x. exp is faithful, in {EXPONENTIAL.name}.",
        f"When the frame has ended: t = s, rounded to nearest in {SUM.name}; r = 1 / t, faithful; for each "
        "element d = x - R as before and y = exp(d) * r, rounded once.",
        f"A NaN or +Inf element, or none above -Inf, makes all results of the frame {nan}.",
        f"A frame of more than {spec.max_length} elements gives {spec.max_length} results, all of them {nan} "
        "and with too_long set.",
        "Results leave once their frame has ended, one in each activation, while the next frame comes. "
        f"Up to {_WAITING} frames wait, and {spec.max_length} elements.",
        "A frame that clear cuts off releases nothing.",
    ]


KIND = Kind(
    name="softmax",
    summary="y = exp(x) / sum of exp(x), over the elements of a frame",
    spec_model=SoftmaxSpec,
    inputs=_inputs,
    output=_output,
    golden=_golden,
    vectors=_vectors,
    sentences=_sentences,
    stateful=lambda _: True,
    results=lambda spec, operands: result_counts(operands[1], spec.max_length),
    example={"x": "bf16", "y": "bf16"},
)
