"""The keys that every operator spec has: name, rounding, overflow, interface, target.

What is particular to one kind (its operands, `accumulate` of a mac) is in that kind's module under
`hwgen.operators.kinds`. The records hold only what is legal: every check is made on construction.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from hwgen.errors import InputError, legal_values
from hwgen.formats import BlockFormat, FixedFormat, FloatFormat, Format, Overflow, PositFormat, RoundingMode
from hwgen.spec.fields import OverflowField
from hwgen.spec.name import MAX_NAME, Name
from hwgen.spec.record import Record, Whole, one_of, spec_error
from hwgen.spec.rounding import RoundingField, RoundingSpec
from hwgen.spec.source import quoted

__all__ = ["ElementwiseSpec", "OperatorSpec", "Target"]

_PART = re.compile(r"[a-z0-9][a-z0-9-]{2,63}", re.IGNORECASE)


def _check_part(part: object) -> object:
    if not isinstance(part, str) or not _PART.fullmatch(part):
        raise spec_error(
            f"illegal part {quoted(part)}: legal: letters, digits and dashes, such as 'xczu7ev-ffvc1156-2-e'"
        )
    return part


class Target(Record):
    """What the design is built for."""

    clock_ps: Annotated[
        int | None,
        Whole("clock period", 50, 10_000_000),
        Field(description="clock period; unset: RTL is combinational, Vitis gets 5 ns", examples=[3000]),
    ] = None
    delay_model: Annotated[
        Literal["unit", "sky130", "asap7"],
        one_of("delay model", "unit", "sky130", "asap7"),
        Field(description="gate delays to pipeline by: unit, sky130 or asap7"),
    ] = "sky130"
    part: Annotated[str, BeforeValidator(_check_part), Field(description="AMD part for Vitis")] = (
        "xczu7ev-ffvc1156-2-e"
    )


def _check_interface(value: object) -> object:
    legal = ("function", "stream")
    if value is not None and value not in legal:
        raise spec_error(legal_values("interface", value, legal))
    return value


_EAGER_KINDS = ("add", "fma", "mac")


class OperatorSpec(Record):
    """The keys of every operator spec; a kind narrows `kind` and `formats` and adds its own."""

    kind: Annotated[str, Field(description="what the unit computes")]
    name: Annotated[
        Name | None,
        Field(description="of the project, the C++ top and the RTL module"),
    ] = None
    formats: Annotated[Record, Field(description="of the operands and the result")]
    rounding: Annotated[RoundingField, Field(description="or just a mode, such as rounding: rne")] = (
        RoundingSpec(mode=RoundingMode.RNE)
    )
    overflow: Annotated[
        OverflowField | None,
        Field(
            description="infinity, saturate or nan, as the result format has them; fixed: saturate or wrap"
        ),
    ] = None
    interface: Annotated[
        Literal["function", "stream"] | None,
        BeforeValidator(_check_interface),
        Field(description="function, or stream (AXI4-Stream kernel)"),
    ] = None
    target: Annotated[Target, Field(description="what the design is built for")] = Target()

    def complete(
        self, result: Format | None, *, summed: Sequence[Format] = (), stateful: bool = False
    ) -> None:
        """Fill in the defaults that depend on the `result` format, and check what depends on it.

        For the validators of the kinds, which run before anyone else sees the record.

        Parameters
        ----------
        result : Format or None
            What results are rounded to; None if nothing is rounded, so that there is no overflow.
        summed : sequence of Format
            Formats of the operands that meet in an addition.
        stateful : bool
            Whether the unit keeps state besides an LFSR, which takes a stream interface.
        """
        if self.rounding.eager:
            self._check_eager([*summed, result])
        overflow = self._overflow_for(result)
        floats = [format_.name for format_ in summed if not isinstance(format_, FixedFormat)]
        if overflow is Overflow.WRAP and floats:
            # The low bits of a sum of floats far apart would need an adder as wide as the exponent range.
            raise spec_error(
                f"overflow policy 'wrap' of a sum needs fixed-point operands, and {floats[0]} is none: "
                "legal: saturate",
                "overflow",
            )
        given = {"overflow": overflow, "interface": self._interface(stateful=stateful), "name": self._name()}
        for key, value in given.items():
            object.__setattr__(self, key, value)

    def _check_eager(self, formats: Sequence[Format | None]) -> None:
        """Refuse eager rounding but for one sum of floats, whose last place is then one of a few."""
        if self.kind not in _EAGER_KINDS or len(formats) < 2:
            what = f"of kind {self.kind!r}" if self.kind not in _EAGER_KINDS else "with selectable formats"
            raise spec_error(
                f"variant 'eager' adds random words beside the addition of a sum, which a unit {what} does "
                f"not offer: legal: lazy; or one of the kinds {', '.join(_EAGER_KINDS)}, each format given",
                "rounding",
                "variant",
            )
        for format_ in formats:
            if format_ is not None and not isinstance(format_, FloatFormat):
                raise spec_error(
                    f"variant 'eager' is for sums of floats, and {format_.name} is none: legal: lazy",
                    "rounding",
                    "variant",
                )

    def _overflow_for(self, result: Format | None) -> Overflow | None:
        if result is None:
            if self.overflow is not None:
                raise spec_error(
                    "nothing is rounded here, so nothing overflows: legal: leave the key out", "overflow"
                )
            return None
        if isinstance(result, BlockFormat):
            raise TypeError(f"{result!r} has no overflow policy")
        if isinstance(result, PositFormat):
            try:
                result.check_rounding(self.rounding.rounding())
            except InputError as error:
                raise spec_error(error.message, "rounding") from error
        legal = result.legal_overflows
        if self.overflow is None:
            return result.default_overflow
        if self.overflow not in legal:
            raise spec_error(
                f"overflow policy {self.overflow.value!r} is not one of {result.name}: "
                f"legal: {', '.join(policy.value for policy in legal)}",
                "overflow",
            )
        return self.overflow

    def _interface(self, *, stateful: bool) -> Literal["function", "stream"]:
        if stateful and self.interface == "function":
            raise spec_error(
                f"interface 'function' keeps no state, as this {self.kind} must: legal: stream", "interface"
            )
        if stateful:
            return "stream"
        if self.rounding.lfsr is None:
            return self.interface or "function"
        if self.interface == "function":
            raise spec_error(
                "interface 'function' keeps no state, so it cannot hold an LFSR: "
                "legal: stream; or take the random words from a port (rand: port)",
                "interface",
            )
        return "stream"

    def _name(self) -> str:
        if self.name is not None:
            return self.name
        words = re.sub(r"[^A-Za-z0-9]+", "_", "_".join(self._name_parts()))
        return words[:MAX_NAME].strip("_")

    def _name_parts(self) -> list[str]:
        """Return what the default name is made of."""
        given = [getattr(self.formats, key) for key in type(self.formats).model_fields]
        formats = [format_.name for format_ in given if isinstance(format_, Format)]
        rounding = self.rounding.mode.value + (str(self.rounding.bits) if self.rounding.bits else "")
        return [self.kind, *formats, rounding, *(["eager"] if self.rounding.eager else [])]


class ElementwiseSpec(OperatorSpec):
    """The keys of a unit that works on each element alone, so that several can stand side by side."""

    lanes: Annotated[
        int,
        Whole("lanes", 1, 64),
        Field(description="units side by side: every port then holds as many words, lane 0 lowest"),
    ] = 1

    def _name_parts(self) -> list[str]:
        return [*super()._name_parts(), *([f"x{self.lanes}"] if self.lanes > 1 else [])]
