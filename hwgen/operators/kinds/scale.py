"""scale: the exponent that each frame of a stream is to share: the first pass of quantising a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from hwgen.formats import ExponentFormat, FloatFormat
from hwgen.golden.quantize import shared_scale
from hwgen.operators.kind import Kind
from hwgen.operators.port import Field as PortField
from hwgen.operators.port import Port
from hwgen.operators.shared_scale import block_operands, exponent_sentence
from hwgen.spec import ArithmeticFormat, OperatorSpec, Record, SharedScaleFormat, Whole, spec_error

__all__ = ["KIND", "ScaleFormats", "ScaleSpec"]


class ScaleFormats(Record):
    """Formats of a scale unit."""

    x: Annotated[ArithmeticFormat, Field(description="operands")]
    y: Annotated[SharedScaleFormat, Field(description="block format that they are to be quantised to")]


class ScaleSpec(OperatorSpec):
    """Spec of a scale unit: y = the exponent of the largest magnitude of a frame."""

    kind: Literal["scale"]
    formats: ScaleFormats
    lanes: Annotated[
        int, Whole("lanes", 1, 64), Field(description="operands of one activation, all of one frame")
    ] = 1

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.rounding.bits is not None:
            raise spec_error("an exponent is not rounded: legal: leave the key out", "rounding")
        self.complete(None, stateful=True)
        return self

    def _name_parts(self) -> list[str]:
        formats = [self.formats.x.name, self.formats.y.name]
        return [self.kind, *formats, *([f"x{self.lanes}"] if self.lanes > 1 else [])]

    @property
    def has_flag(self) -> bool:
        """Whether the scale has no NaN, so that a flag must say that a frame is invalid."""
        return not isinstance(self.formats.y.scale, ExponentFormat)


def _inputs(spec: ScaleSpec) -> tuple[Port, ...]:
    x = spec.formats.x
    port = Port.scalar("x", x) if spec.lanes == 1 else Port.vector("x", x, spec.lanes)
    return port, Port.bits("last", 1, "1 with the last operands of a frame")


def _output(spec: ScaleSpec) -> Port:
    y = spec.formats.y
    scale = y.scale_format
    if not spec.has_flag:
        return Port.scalar("y", scale)
    fields = PortField("scale", y.scale_width, scale), PortField("invalid", 1)
    return Port.struct("y", *fields, holds="scale of the frame, and on top whether the frame is invalid")


def _golden(spec: ScaleSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None) -> NDArray[Any]:
    found = shared_scale(*operands, x_fmt=spec.formats.x, block_fmt=spec.formats.y)
    if not spec.has_flag:
        return found.scales
    return np.stack([part.astype(_output(spec).dtype) for part in found], axis=-1)


def _vectors(spec: ScaleSpec, count: int, rng: np.random.Generator) -> list[NDArray[Any]]:
    """Return frames of 1 to 16 activations, each a piece of a hard block; and some long ones."""
    lengths = np.where(rng.random(count) < 0.02, rng.integers(20, 200, count), rng.integers(1, 17, count))
    ends = np.cumsum(lengths)
    last = np.zeros(int(ends[-1]), np.uint8)
    last[ends - 1] = 1
    longest = int(lengths.max()) * spec.lanes
    blocks = block_operands(spec.formats.x, spec.formats.y, (count, min(longest, 16 * spec.lanes)), 0, rng)
    frame = np.repeat(np.arange(count), lengths)[:count]
    place = (np.arange(len(last)) - np.repeat(ends - lengths, lengths))[:count] % 16
    lanes = place[:, None] * spec.lanes + np.arange(spec.lanes)
    x = blocks[frame[:, None], lanes % blocks.shape[1]]
    return [x[:, 0] if spec.lanes == 1 else x, last[:count]]


def _sentences(spec: ScaleSpec) -> list[str]:
    x, y = spec.formats.x, spec.formats.y
    sentences = ["A result is released with the last operands of a frame.", exponent_sentence(y)]
    if isinstance(x, FloatFormat) and x.has_nan:
        what = "sets the flag, with exponent 0" if spec.has_flag else "gives the scale NaN, 0xff"
        sentences.append(f"A NaN or an infinity in a frame {what}.")
    return sentences


KIND = Kind(
    name="scale",
    summary="y = the shared exponent of a frame of operands",
    spec_model=ScaleSpec,
    inputs=_inputs,
    output=_output,
    golden=_golden,
    vectors=_vectors,
    sentences=_sentences,
    stateful=lambda spec: True,
    results=lambda spec, operands: np.asarray(operands[1]).astype(np.int64),
    example={"x": "fp32", "y": "bfp8"},
)
