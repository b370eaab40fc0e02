"""dequantize: elements under their shared scale back to plain numbers, rounded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from hwgen.formats import ExponentFormat, FixedFormat, FloatFormat
from hwgen.golden.quantize_inverse import dequantize
from hwgen.operators.kind import Kind
from hwgen.operators.port import Port
from hwgen.operators.shared_scale import (
    BlockLength,
    ScaleMode,
    SharedScaleSpec,
    inverse_operands,
    with_size,
)
from hwgen.spec import ArithmeticFormat, Record, SharedScaleFormat

__all__ = ["KIND", "DequantizeFormats", "DequantizeSpec"]


class DequantizeFormats(Record):
    """Formats of a dequantize."""

    x: Annotated[SharedScaleFormat, Field(description="block format of the operand: elements and scale")]
    y: Annotated[ArithmeticFormat, Field(description="results")]


class DequantizeSpec(SharedScaleSpec):
    """Spec of a dequantize: y = round(x * 2^e)."""

    kind: Literal["dequantize"]
    formats: DequantizeFormats
    mode: Annotated[
        ScaleMode,
        Field(description="block: x has its scale; tensor: x is one element, the port e its scale"),
    ] = "block"
    n: Annotated[
        BlockLength,
        Field(description="block: elements of a block; default the size that x names", examples=[32]),
    ] = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        object.__setattr__(self, "n", with_size(self.formats.x, self.mode, self.n))
        self.complete(self.formats.y)
        return self


def _inputs(spec: DequantizeSpec) -> tuple[Port, ...]:
    x = spec.formats.x
    if spec.n is not None:
        return (Port.block("x", x, spec.n),)
    return Port.scalar("x", x.element), Port.scalar("e", x.scale_format)


def _output(spec: DequantizeSpec) -> Port:
    y = spec.formats.y
    return Port.scalar("y", y) if spec.n is None else Port.vector("y", y, spec.n)


def _golden(
    spec: DequantizeSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None
) -> NDArray[Any]:
    how: dict[str, Any] = {
        "block_fmt": spec.formats.x,
        "y_fmt": spec.formats.y,
        "rounding": spec.rounding.rounding(),
        "overflow": spec.overflow,
        "rand": rand[..., None] if rand is not None and spec.n == 1 else rand,
    }
    if spec.n is None:
        return dequantize(*operands, **how)
    (block,) = operands
    return dequantize(block[..., :-1], block[..., -1:], **how)


def _vectors(spec: DequantizeSpec, count: int, rng: np.random.Generator) -> list[NDArray[Any]]:
    x, y = spec.formats.x, spec.formats.y
    elements, scales = inverse_operands(x, y, (count, spec.n or 1), rng)
    if spec.n is None:
        return [elements[:, 0], scales]
    return [np.concatenate([elements, scales[:, None]], axis=1)]


def _sentences(spec: DequantizeSpec) -> list[str]:
    x, y = spec.formats.x, spec.formats.y
    causes = ["The scale NaN"] if isinstance(x.scale, ExponentFormat) else []
    if isinstance(x.element, FloatFormat) and x.element.has_nan:
        causes.append("NaN elements")
    sentences = []
    if causes:
        code = 0 if isinstance(y, FixedFormat) else y.invalid_code
        sentences.append(f"{' and '.join(causes)} give 0x{code:0{-(-y.width // 4)}x}.")
    if isinstance(y, FloatFormat) and not y.has_negative_zero:
        sentences.append("Every zero result is code 0; the format has no -0.")
    return sentences


KIND = Kind(
    name="dequantize",
    summary="y = round(x * 2^e), the elements of a block sharing e",
    spec_model=DequantizeSpec,
    inputs=_inputs,
    output=_output,
    golden=_golden,
    vectors=_vectors,
    sentences=_sentences,
    random_words=lambda spec: spec.n or 1,
    example={"x": "mxfp8_e4m3", "y": "bf16"},
)
