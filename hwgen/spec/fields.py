"""Field types that several records share: number formats, rounding modes and overflow policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import core_schema

from hwgen.errors import InputError, legal_values
from hwgen.formats import (
    BlockFormat,
    ExponentFormat,
    FixedFormat,
    FloatFormat,
    Format,
    Overflow,
    PositFormat,
    RoundingMode,
    format_names,
    parse_format,
)
from hwgen.spec.record import spec_error
from hwgen.spec.source import quoted

__all__ = [
    "ArithmeticFormat",
    "FormatField",
    "ModeField",
    "NumberFormat",
    "OverflowField",
    "SharedScaleFormat",
]


class _FormatAnnotation:
    """Lets a field hold a `Format`, written in YAML as a name or as a mapping."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._parse,
            serialization=core_schema.plain_serializer_function_ser_schema(cls._plain),
        )

    @staticmethod
    def _parse(value: object) -> Format:
        if isinstance(value, Format):
            return value
        if not isinstance(value, str | Mapping):
            raise spec_error(f"the format {quoted(value)} is neither a name such as 'e4m3fn' nor a mapping")
        try:
            return parse_format(value if isinstance(value, str) else dict(value))
        except InputError as error:
            raise spec_error(error.message) from error

    @staticmethod
    def _plain(format_: Format) -> Any:
        try:
            parse_format(format_.name)
        except InputError:  # a block format that nobody has named
            return format_.to_yaml()
        return format_.name

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        mapping = {"type": "object", "minProperties": 1, "maxProperties": 1}
        return {"anyOf": [{"type": "string", "examples": list(format_names())}, mapping]}


FormatField = Annotated[Format, _FormatAnnotation]


def _check_arithmetic(format_: Format) -> Format:
    if not isinstance(format_, FloatFormat | FixedFormat):
        raise spec_error(
            f"{format_.name!r} is of the {format_.family} family, and this operator takes "
            "float and fixed formats: legal: such as 'e4m3fn', 'bf16', 'e6m5', 'q1.7', 'int8'"
        )
    return format_


ArithmeticFormat = Annotated[FloatFormat | FixedFormat, _FormatAnnotation, AfterValidator(_check_arithmetic)]


def _check_number(format_: Format) -> Format:
    if isinstance(format_, BlockFormat):
        raise spec_error(
            f"{format_.name!r} is of the {format_.family} family, and this operator takes single numbers: "
            "legal: such as 'e4m3fn', 'bf16', 'e6m5', 'q1.7', 'int8', 'posit8', 'e8m0'"
        )
    return format_


NumberFormat = Annotated[
    FloatFormat | FixedFormat | PositFormat | ExponentFormat, _FormatAnnotation, AfterValidator(_check_number)
]


def _check_block(format_: Format) -> Format:
    if not isinstance(format_, BlockFormat):
        raise spec_error(
            f"{format_.name!r} is of the {format_.family} family, and here elements share a scale: "
            "legal: block formats, such as 'mxfp8_e4m3', 'mxint8', 'bfp8', 'flex16+5'"
        )
    return format_


SharedScaleFormat = Annotated[BlockFormat, _FormatAnnotation, AfterValidator(_check_block)]


def _parse_mode(value: object) -> object:
    if isinstance(value, RoundingMode):
        return value
    legal = [mode.value for mode in RoundingMode]
    if value not in legal:
        raise spec_error(legal_values("rounding mode", value, legal))
    return RoundingMode(str(value))


ModeField = Annotated[RoundingMode, BeforeValidator(_parse_mode)]


def _parse_overflow(value: object) -> object:
    if isinstance(value, Overflow):
        return value
    legal = [policy.value for policy in Overflow]
    if value not in legal:
        raise spec_error(legal_values("overflow policy", value, legal))
    return Overflow(str(value))


OverflowField = Annotated[Overflow, BeforeValidator(_parse_overflow)]
