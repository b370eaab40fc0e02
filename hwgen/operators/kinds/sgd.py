"""sgd: the weight update of stochastic gradient descent, with momentum and weight decay or without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from hwgen.formats import FixedFormat, FloatFormat, Overflow, Rounding, RoundingMode
from hwgen.golden.sgd import Update, sgd
from hwgen.operators.kind import Kind
from hwgen.operators.port import Field as PortField
from hwgen.operators.port import Port
from hwgen.operators.vectors import ExactForm, hard_operands, special_codes
from hwgen.spec import ArithmeticFormat, ModeField, OperatorSpec, Record, Whole, quoted, spec_error

__all__ = ["KIND", "SgdFormats", "SgdSpec"]

Number = FloatFormat | FixedFormat


class SgdFormats(Record):
    """Formats of an update unit."""

    w: Annotated[ArithmeticFormat, Field(description="weights")]
    # The validator puts the default's value in the place of None.
    g: Annotated[ArithmeticFormat, Field(description="gradients; default that of w")] = None  # type: ignore[assignment]
    m: Annotated[ArithmeticFormat, Field(description="momentum, t, d; default that of w")] = None  # type: ignore[assignment]
    coefficient: Annotated[ArithmeticFormat, Field(description="lr, mu, wd; default that of w")] = None  # type: ignore[assignment]

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and "w" in data:
            given = {key: value for key, value in data.items() if value is not None}
            return dict.fromkeys(cls.model_fields, data["w"]) | given
        return data

    @model_validator(mode="after")
    def _check(self) -> Self:
        if isinstance(self.coefficient, FixedFormat) and self.coefficient.width > 32:
            raise spec_error(
                f"coefficients of {self.coefficient.width} bits are too wide: legal: 1..32 in fixed point",
                "coefficient",
            )
        return self


def _check_coefficient(value: object) -> object:
    if value == "port":
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise spec_error(f"coefficient {quoted(value)} is not legal: legal: port, or a number")
    return float(value)


Coefficient = Annotated[float | Literal["port"], BeforeValidator(_check_coefficient)]


class SgdSpec(OperatorSpec):
    """Spec of an update unit: t = wd*w + g, m' = mu*m + t, w' = w - lr*m', each rounded once."""

    kind: Literal["sgd"]
    formats: SgdFormats
    rate: Annotated[Coefficient, Field(description="lr: port, or a number that is built in")] = "port"
    momentum: Annotated[Coefficient, Field(description="mu: port, or a number; 0: no such step")] = "port"
    decay: Annotated[Coefficient, Field(description="wd: port, or a number; 0: no such step")] = "port"
    nesterov: Annotated[bool, Field(description="w' = w - lr*d with d = mu*m' + t")] = False
    state_rounding: Annotated[
        ModeField | None,
        Field(description="of t, m' and d, deterministic; default as `rounding`", examples=["rne"]),
    ] = None
    lanes: Annotated[
        int,
        Whole("lanes", 1, 64),
        Field(description="weights of one activation, under one set of coefficients"),
    ] = 1

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.overflow is Overflow.WRAP:
            raise spec_error("overflow policy 'wrap' makes no weights: legal: saturate", "overflow")
        if self.state_rounding is RoundingMode.SR:
            raise spec_error(
                "rounding mode 'sr' of the state comes with the rounding of the weights: "
                "legal: leave the key out, or rne, rna, rtz, rup, rdn, rto",
                "state_rounding",
            )
        if self.nesterov and self.momentum == 0:
            raise spec_error("Nesterov's update needs momentum: legal: false", "nesterov")
        for key in ("rate", "momentum", "decay"):
            self._check_constant(key)
        self.complete(self.formats.w)
        return self

    def _check_constant(self, key: str) -> None:
        value, format_ = getattr(self, key), self.formats.coefficient
        if value == "port" or (value == 0 and key != "rate"):
            return
        rounded = float(format_.decode(self.constant(key))) if value else 0.0
        if not isfinite(rounded) or rounded == 0 or abs(rounded - value) > abs(value) / 2:
            raise spec_error(f"{key} {value:g} cannot be held in {format_.name}: it becomes {rounded:g}", key)

    def constant(self, key: str) -> int:
        """Return the pattern of a built-in coefficient: the nearest there is."""
        return int(self.formats.coefficient.encode(getattr(self, key), rounding="rne"))

    def _name_parts(self) -> list[str]:
        steps = [name for name, used in (("momentum", self.momentum), ("decay", self.decay)) if used != 0]
        nesterov = ["nesterov"] if self.nesterov else []
        return [*super()._name_parts(), *steps, *nesterov, *([f"x{self.lanes}"] if self.lanes > 1 else [])]

    @property
    def update(self) -> Update:
        """The update as the golden model takes it."""
        rounding, formats = self.rounding.rounding(), self.formats
        assert self.overflow is not None  # noqa: S101  (filled in by validation)
        return Update(
            w=formats.w,
            m=formats.m,
            g=formats.g,
            coefficient=formats.coefficient,
            rounding=rounding,
            state_rounding=rounding if self.state_rounding is None else Rounding(self.state_rounding),
            overflow=self.overflow,
            momentum=self.momentum != 0,
            decay=self.decay != 0,
            nesterov=self.nesterov,
        )

    @property
    def keys(self) -> dict[str, str]:
        """The spec's key of each coefficient that is used."""
        keys = {"lr": "rate", "mu": "momentum", "wd": "decay"}
        return {name: keys[name] for name in self.update.coefficients}

    @property
    def ports(self) -> tuple[str, ...]:
        """The coefficients that come by ports."""
        return tuple(name for name, key in self.keys.items() if getattr(self, key) == "port")


def _inputs(spec: SgdSpec) -> tuple[Port, ...]:
    formats = spec.formats
    state = ["w", *(["m"] if spec.update.momentum else []), "g"]
    operands = [_numbers(name, getattr(formats, name), spec.lanes) for name in state]
    return (*operands, *(Port.scalar(name, formats.coefficient) for name in spec.ports))


def _numbers(name: str, format_: Number, lanes: int) -> Port:
    return Port.scalar(name, format_) if lanes == 1 else Port.vector(name, format_, lanes)


def _output(spec: SgdSpec) -> Port:
    w, m, lanes = spec.formats.w, spec.formats.m, spec.lanes
    if not spec.update.momentum:
        return _numbers("y", w, lanes)
    fields = PortField("w", w.width, w, lanes), PortField("m", m.width, m, lanes)
    weights = "the new weight" if lanes == 1 else f"{lanes} new weights"
    return Port.struct("y", *fields, holds=f"{weights} in {w.name}, and above the new momentum in {m.name}")


def _golden(spec: SgdSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None) -> NDArray[Any]:
    update, given = spec.update, list(operands)
    w = given.pop(0)
    m = given.pop(0) if update.momentum else None
    g = given.pop(0)
    axis = spec.lanes > 1
    coefficients: dict[str, Any] = {
        name: spec.constant(key) for name, key in spec.keys.items() if name not in spec.ports
    }
    coefficients |= {
        name: codes[..., None] if axis else codes for name, codes in zip(spec.ports, given, strict=True)
    }
    if rand is not None:
        words = rand[..., None] if update.random_words * spec.lanes == 1 else rand
        lanes = (spec.lanes,) if axis else ()
        rand = words.reshape(*words.shape[:-1], *lanes, update.random_words)
    next_w, next_m = sgd(update, w, m, g, coefficients, rand=rand)
    if next_m is None:
        return next_w
    next_w, next_m = np.broadcast_arrays(next_w, next_m)
    parts = [part.astype(_output(spec).dtype) for part in (next_w, next_m)]
    return np.concatenate(parts, axis=-1) if axis else np.stack(parts, axis=-1)


def _vectors(spec: SgdSpec, count: int, rng: np.random.Generator) -> list[NDArray[Any]]:
    """Return operands of which each step in turn is hard, under coefficients that leave the others out."""
    update, shape = spec.update, (count, spec.lanes)
    formats = {"w": update.w, "m": update.m, "g": update.g} | dict.fromkeys(
        update.coefficients, update.coefficient
    )
    columns = {name: _plain(format_, shape, rng) for name, format_ in formats.items()}
    family = rng.integers(0, 8, count)[:, None]
    last = ("lr", "g", "w"), [name for name in ("mu", "wd") if name in formats]
    steps = [last, last]  # under zero mu and wd the direction is g
    if update.momentum:
        steps.append((("mu", "m", "g"), [name for name in ("wd",) if name in formats]))
    if update.decay:
        steps.append((("wd", "w", "g"), []))
    for number, ((factor, operand, addend), zeros) in enumerate(steps):
        hard = _hard(formats, (factor, operand, addend), spec, shape, rng)
        for name, codes in zip((factor, operand, addend), hard, strict=True):
            columns[name] = np.where(family == number, codes, columns[name])
        for name in zeros:
            columns[name] = np.where(family == number, 0, columns[name])
    names = ["w", *(["m"] if update.momentum else []), "g", *spec.ports]
    states = {name: columns[name] if spec.lanes > 1 else columns[name][:, 0] for name in ("w", "m", "g")}
    return [states.get(name, columns[name][:, 0]) for name in names]


def _hard(
    formats: dict[str, Number],
    names: tuple[str, str, str],
    spec: SgdSpec,
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> list[NDArray[Any]]:
    factor, operand, addend = (formats[name] for name in names)
    result = spec.formats.w if addend == spec.formats.w else spec.formats.m
    form = ExactForm(
        factors=(factor, operand), addend=addend, result=result, random_bits=spec.rounding.bits or 0
    )
    return [codes.reshape(shape) for codes in hard_operands(form, shape[0] * shape[1], rng)]


def _plain(format_: Number, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[Any]:
    """Return numbers of a training run's magnitudes, and a few special ones."""
    spread = 2.0 ** rng.integers(-8, 2, shape)
    codes = format_.encode(rng.standard_normal(shape) * spread, overflow="saturate").astype(np.uint64)
    specials = np.array(special_codes(format_), np.uint64)
    return np.where(rng.random(shape) < 0.08, rng.choice(specials, shape), codes)


def _sentences(spec: SgdSpec) -> list[str]:
    update = spec.update
    steps = [
        *(["t = wd * w + g"] if update.decay else []),
        *([f"m' = mu * m + {'t' if update.decay else 'g'}"] if update.momentum else []),
        *([f"d = mu * m' + {'t' if update.decay else 'g'}"] if update.nesterov else []),
    ]
    direction = "d" if update.nesterov else "m'" if update.momentum else "t" if update.decay else "g"
    steps.append(f"w' = w - lr * {direction}")
    sentences = [f"Steps, each exact and then rounded once: {'; '.join(steps)}."]
    if spec.state_rounding is not None and len(steps) > 1:
        sentences.append(f"All but the last are rounded {spec.state_rounding.value}, without a random word.")
    elif update.random_words > 1:
        sentences.append("Each takes a random word, in this order, lane by lane.")
    constants = [
        f"{name} = {spec.constant(key):#x}" for name, key in spec.keys.items() if name not in spec.ports
    ]
    if constants:
        sentences.append(f"Built in, in {spec.formats.coefficient.name}: {', '.join(constants)}.")
    return sentences


KIND = Kind(
    name="sgd",
    summary="w' = w - lr * m', m' = mu * m + (g + wd * w), each step rounded",
    spec_model=SgdSpec,
    inputs=_inputs,
    output=_output,
    golden=_golden,
    vectors=_vectors,
    sentences=_sentences,
    random_words=lambda spec: spec.update.random_words * spec.lanes,
    example={"w": "fp32"},
)
