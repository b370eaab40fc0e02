"""activation: relu and its relatives exactly; sigmoid, tanh, exp and others faithfully, by proven tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.golden.activation_design import evaluate
from hwgen.golden.activation_relu import positive, relu, relu_gradient
from hwgen.golden.activation_softmax import softmax
from hwgen.operators.activation_sentences import activation_sentences
from hwgen.operators.activation_spec import SOFTMAX, ActivationSpec
from hwgen.operators.kind import Kind
from hwgen.operators.logits import hard_logits
from hwgen.operators.port import Field, Port
from hwgen.operators.vectors import ExactForm, hard_operands

__all__ = ["KIND"]


def _inputs(spec: ActivationSpec) -> tuple[Port, ...]:
    if spec.n is not None:
        return (Port.vector("x", spec.formats.x, spec.n),)
    x = Port.scalar("x", spec.formats.x)
    return (x, Port.bits("mask", 1, "1 where the forward operand was positive")) if spec.takes_mask else (x,)


def _output(spec: ActivationSpec) -> Port:
    y = spec.formats.y
    if spec.n is not None:
        return Port.vector("y", y, spec.n)
    if spec.mask:
        return Port.struct("y", Field("value", y.width, y), Field("mask", 1))
    return Port.scalar("y", y)


def _golden(
    spec: ActivationSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None
) -> NDArray[Any]:
    if spec.approximated:
        return evaluate(spec.approximation.design, operands[0])
    assert spec.overflow is not None  # noqa: S101  (filled in by validation)
    if spec.function == SOFTMAX:
        exponential, reciprocal = spec.softmax_parts
        return softmax(
            operands[0],
            x_fmt=spec.formats.x,
            y_fmt=spec.formats.y,
            exponential=exponential.design,
            reciprocal=reciprocal.design,
            rounding=spec.rounding.rounding(),
            overflow=spec.overflow,
        )
    how: dict[str, Any] = {
        "x_fmt": spec.formats.x,
        "y_fmt": spec.formats.y,
        "rounding": spec.rounding.rounding(),
        "overflow": spec.overflow,
        "slope": spec.slope,
        "rand": rand,
    }
    if spec.takes_mask:
        return relu_gradient(operands[0], operands[1], **how)
    value = relu(operands[0], **how)
    if not spec.mask:
        return value
    mask = np.broadcast_to(positive(operands[0], spec.formats.x), value.shape)
    return np.stack([value, mask.astype(value.dtype)], axis=-1)


def _vectors(spec: ActivationSpec, count: int, rng: np.random.Generator) -> list[NDArray[Any]]:
    if spec.n is not None:
        return [hard_logits(spec.formats.x, (count, spec.n), rng)]
    form = ExactForm((spec.formats.x,), None, spec.formats.y, spec.rounding.bits or 0)
    columns: list[NDArray[Any]] = list(hard_operands(form, count, rng))
    if spec.takes_mask:
        columns.append(rng.integers(0, 2, count))
    return columns


KIND = Kind(
    name="activation",
    summary="y = f(x) for an activation function f, its derivative, or its gradient gate",
    spec_model=ActivationSpec,
    inputs=_inputs,
    output=_output,
    golden=_golden,
    vectors=_vectors,
    example={"x": "bf16", "y": "bf16"},
    extras={"function": "sigmoid"},
    sentences=activation_sentences,
)
