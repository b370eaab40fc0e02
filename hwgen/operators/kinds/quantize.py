"""quantize: numbers to elements that share a power-of-two scale, by blocks or under a given scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from hwgen.formats import ExponentFormat, FloatFormat, Overflow
from hwgen.golden.quantize import quantize_block, quantize_elements
from hwgen.operators.kind import Kind
from hwgen.operators.port import Field as PortField
from hwgen.operators.port import Port
from hwgen.operators.shared_scale import (
    BlockLength,
    ScaleMode,
    SharedScaleSpec,
    block_operands,
    exponent_sentence,
    scaled_operands,
    with_size,
)
from hwgen.spec import ArithmeticFormat, Record, SharedScaleFormat, spec_error

__all__ = ["KIND", "QuantizeFormats", "QuantizeSpec"]


class QuantizeFormats(Record):
    """Formats of a quantize."""

    x: Annotated[ArithmeticFormat, Field(description="operands")]
    y: Annotated[SharedScaleFormat, Field(description="block format of the result: elements and scale")]


class QuantizeSpec(SharedScaleSpec):
    """Spec of a quantize: y = round(x / 2^e), e from the block itself or from a port."""

    kind: Literal["quantize"]
    formats: QuantizeFormats
    mode: Annotated[
        ScaleMode,
        Field(description="block: n operands choose their exponent; tensor: the port e gives it"),
    ] = "block"
    n: Annotated[
        BlockLength,
        Field(description="block: operands of a block; default the size that y names", examples=[32]),
    ] = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.overflow not in (None, Overflow.SATURATE):
            raise spec_error(
                f"overflow policy {self.overflow.value!r} is impossible: elements of a block saturate: "
                "legal: saturate",
                "overflow",
            )
        object.__setattr__(self, "overflow", Overflow.SATURATE)
        object.__setattr__(self, "n", with_size(self.formats.y, self.mode, self.n))
        self.complete(self.formats.y.element)
        return self

    @property
    def has_flag(self) -> bool:
        """Whether results say beside the elements that something was wrong."""
        return self.mode == "tensor" or not isinstance(self.formats.y.scale, ExponentFormat)


def _inputs(spec: QuantizeSpec) -> tuple[Port, ...]:
    if spec.n is not None:
        return (Port.vector("x", spec.formats.x, spec.n),)
    return Port.scalar("x", spec.formats.x), Port.scalar("e", spec.formats.y.scale_format)


def _output(spec: QuantizeSpec) -> Port:
    y = spec.formats.y
    element = PortField("element", y.width, y.element, spec.n or 1)
    if spec.n is None:
        flag = PortField("overflow", 1)
        return Port.struct("y", element, flag, holds=f"element of {y.name}, and on top whether it overflowed")
    if not spec.has_flag:
        return Port.block("y", y, spec.n)
    scale = PortField("scale", y.scale_width, y.scale_format)
    holds = f"{spec.n} elements of {y.name}, above them their scale, and on top whether the block is invalid"
    return Port.struct("y", element, scale, PortField("invalid", 1), holds=holds)


def _golden(spec: QuantizeSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None) -> NDArray[Any]:
    how: dict[str, Any] = {
        "x_fmt": spec.formats.x,
        "block_fmt": spec.formats.y,
        "rounding": spec.rounding.rounding(),
        "rand": rand,
    }
    if spec.n is None:
        parts = [part[..., None] for part in quantize_elements(*operands, **how)]
    else:
        if rand is not None and spec.n == 1:
            how["rand"] = rand[..., None]
        elements, scales, invalid = quantize_block(operands[0], **how)
        parts = [elements, scales[..., None], *([invalid[..., None]] if spec.has_flag else [])]
    dtype = _output(spec).dtype
    return np.concatenate([part.astype(dtype) for part in parts], axis=-1)


def _vectors(spec: QuantizeSpec, count: int, rng: np.random.Generator) -> list[NDArray[Any]]:
    formats, bits = spec.formats, spec.rounding.bits or 0
    if spec.n is not None:
        return [block_operands(formats.x, formats.y, (count, spec.n), bits, rng)]
    return list(scaled_operands(formats.x, formats.y, count, bits, rng))


def _sentences(spec: QuantizeSpec) -> list[str]:
    x, y = spec.formats.x, spec.formats.y
    sentences = [exponent_sentence(y)] if spec.n is not None else []
    if spec.n is None:
        sentences.append(
            "The flag is set if the element, rounded with unbounded exponent, is beyond the largest one."
        )
    if isinstance(x, FloatFormat) and x.has_nan:
        if spec.n is None:
            sentences.append("Infinities and NaN set it too.")
        elif isinstance(y.scale, ExponentFormat):
            sentences.append("A NaN or an infinity in a block gives the scale NaN, 0xff, and zero elements.")
        else:
            sentences.append("A NaN or an infinity in a block makes it invalid: zero elements, exponent 0.")
    if spec.n is None and isinstance(y.scale, ExponentFormat):
        sentences.append("Under the scale NaN elements are zero, with the flag set.")
    return sentences


KIND = Kind(
    name="quantize",
    summary="y = round(x / 2^e), the elements of a block sharing e",
    spec_model=QuantizeSpec,
    inputs=_inputs,
    output=_output,
    golden=_golden,
    vectors=_vectors,
    sentences=_sentences,
    random_words=lambda spec: spec.n or 1,
    example={"x": "fp32", "y": "mxfp8_e4m3"},
)
