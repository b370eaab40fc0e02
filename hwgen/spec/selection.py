"""Specs whose formats are lists, chosen at run time: ``formats: {a: [e4m3fn, e5m2, bf16], ..., acc: fp32}``.

Lists of one length select together: mode k takes entry k of each. A single format holds in every mode. What
is legal in a mode is what is legal in the plain spec of that mode's formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Discriminator, Tag, ValidationError, model_validator

from hwgen.formats import FixedFormat, FloatFormat, Overflow
from hwgen.spec.fields import ArithmeticFormat
from hwgen.spec.model import OperatorSpec
from hwgen.spec.record import spec_error

__all__ = ["MAX_MODES", "Selectable", "SelectedSpec", "lists_formats", "plain_specs"]

MAX_MODES = 16

_Formats = tuple[FloatFormat | FixedFormat, ...]


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


Selectable = Annotated[
    Annotated[ArithmeticFormat, Tag("<one>")]
    | Annotated[
        tuple[ArithmeticFormat, ...],
        BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
        Tag("<list>"),
    ],
    Discriminator(lambda value: "<list>" if _is_list(value) else "<one>"),
]
"""A format, or the list of formats of mode 0, 1, 2, ..."""


def lists_formats(data: Mapping[str, Any]) -> bool:
    """Whether the plain data of a spec has a list among its formats."""
    formats = data.get("formats")
    return isinstance(formats, Mapping) and any(map(_is_list, formats.values()))


class SelectedSpec(OperatorSpec):
    """The keys of a spec with lists of formats; a kind narrows `formats` and names its plain spec."""

    plain_model: ClassVar[type[OperatorSpec]]
    plain_keys: ClassVar[tuple[str, ...]] = ()
    """Further keys, which are the same in the plain spec of every mode."""
    result_keys: ClassVar[tuple[str, ...]]
    """Keys of the addend and the result, whose lists hold floats only."""

    @property
    def lists(self) -> dict[str, _Formats]:
        """The formats of each key by mode; one format for all modes is a list of one, no format no key."""
        given = {key: getattr(self.formats, key) for key in type(self.formats).model_fields}
        lists = {key: value if isinstance(value, tuple) else (value,) for key, value in given.items()}
        return {key: formats for key, formats in lists.items() if formats != (None,)}

    @property
    def modes(self) -> int:
        """Number of modes."""
        return max(map(len, self.lists.values()))

    @property
    def mode_bits(self) -> int:
        """Bits of the port `mode`."""
        return max(1, (self.modes - 1).bit_length())

    @model_validator(mode="after")
    def _complete(self) -> Self:
        lengths = {key: len(formats) for key, formats in self.lists.items()}
        given = {key: length for key, length in lengths.items() if _is_list(getattr(self.formats, key))}
        if len(set(given.values())) > 1:
            what = ", ".join(f"{key} has {length}" for key, length in given.items())
            raise spec_error(
                f"lists of formats select together, so they must be of one length, but {what}", "formats"
            )
        if not 2 <= self.modes <= MAX_MODES:
            raise spec_error(
                f"{self.modes} formats to select from is out of range: legal: 2..{MAX_MODES}", "formats"
            )
        for key in self.result_keys:
            for index, format_ in enumerate(self.lists.get(key, ())):
                if lengths[key] > 1 and isinstance(format_, FixedFormat):
                    raise spec_error(
                        f"the format {format_.name!r} cannot be selected for {key}: legal: float formats, "
                        "or one fixed format for all modes",
                        "formats",
                        key,
                        index,
                    )
        overflows = {spec.overflow for spec in plain_specs(self)}
        if len(overflows) > 1:
            names = ", ".join(sorted(overflow.value for overflow in overflows if overflow))
            raise spec_error(
                f"the formats selected for {self.result_keys[-1]} overflow each in its own way ({names}): "
                "legal: one policy that all of them have, such as overflow: saturate"
            )
        self.complete(self.lists[self.result_keys[-1]][0])
        if self.overflow is Overflow.WRAP:
            raise spec_error(
                "overflow policy 'wrap' takes one format in all modes: legal: saturate", "overflow"
            )
        return self

    def _name_parts(self) -> list[str]:
        # The plain name leaves lists out; here each of their formats counts.
        kind, *parts = super()._name_parts()
        singles = sum(not _is_list(getattr(self.formats, key)) for key in self.lists)
        names = [format_.name for formats in self.lists.values() for format_ in formats]
        return [kind, *names, *parts[singles:]]


@lru_cache(maxsize=256)
def plain_specs(spec: SelectedSpec) -> tuple[OperatorSpec, ...]:
    """Return the plain spec of each mode: a function of one lane, with random words from a port.

    Raises
    ------
    PydanticCustomError
        If it is not legal in some mode.
    """
    rounding: dict[str, Any] = {"mode": spec.rounding.mode.value}
    if spec.rounding.bits is not None:
        rounding["bits"] = spec.rounding.bits
    specs = []
    for mode in range(spec.modes):
        formats = {key: list_[min(mode, len(list_) - 1)] for key, list_ in spec.lists.items()}
        data = {key: getattr(spec, key) for key in ("kind", "overflow", *spec.plain_keys)}
        data |= {"formats": formats, "rounding": rounding}
        try:
            specs.append(spec.plain_model.model_validate(data))
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            context = fault.get("ctx", {})
            message = context.get("message", fault["msg"])
            raise spec_error(f"mode {mode}: {message}", *context.get("path", ())) from error
    return tuple(specs)
