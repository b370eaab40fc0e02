"""From names and YAML data to format records; every mistake is an `InputError` with the legal values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from hwgen.errors import InputError, legal_values
from hwgen.formats.block_format import BLOCK_NAMES, BlockFormat, bfp
from hwgen.formats.exponent_format import ExponentFormat
from hwgen.formats.fixed_format import FixedFormat
from hwgen.formats.float_format import STANDARD_FLOATS, FloatFormat
from hwgen.formats.posit_format import PositFormat

__all__ = ["Format", "format_names", "parse_format"]

Format = FloatFormat | FixedFormat | ExponentFormat | BlockFormat | PositFormat
"""Any number format."""

_NAMED: dict[str, Format] = {
    **{name: FloatFormat(*fields) for name, fields in STANDARD_FLOATS.items()},
    "e8m0": ExponentFormat(),
    **BLOCK_NAMES,
    **{f"posit{width}": PositFormat(width) for width in (8, 16, 32)},
}


def _float(match: re.Match[str]) -> FloatFormat:
    fields: dict[str, Any] = {"specials": match["specials"] or "ieee", "subnormals": match["ftz"] is None}
    if match["bias"] is not None:
        fields["bias"] = int(match["bias"])
    return FloatFormat(int(match["e"]), int(match["m"]), **fields)


def _q(match: re.Match[str]) -> FixedFormat:
    width = int(match["i"]) + int(match["f"])
    return FixedFormat(width, int(match["f"]), signed=match["u"] is None)


_PATTERNS: tuple[tuple[str, str, Callable[[re.Match[str]], Format]], ...] = (
    (
        "e<E>m<M>[b<bias>][ieee|fn|fnuz|none][ftz]",
        r"e(?P<e>\d+)m(?P<m>\d+)(b(?P<bias>-?\d+))?(?P<specials>ieee|fnuz|fn|none)?(?P<ftz>ftz)?",
        _float,
    ),
    ("q<I>.<F>, uq<I>.<F>", r"(?P<u>u)?q(?P<i>\d+)\.(?P<f>\d+)", _q),
    (
        "int<W>, uint<W>",
        r"(?P<u>u)?int(?P<w>\d+)",
        lambda match: FixedFormat(int(match["w"]), 0, signed=match["u"] is None),
    ),
    (
        "fixed<W>f<F>, ufixed<W>f<F>",
        r"(?P<u>u)?fixed(?P<w>\d+)f(?P<f>-?\d+)",
        lambda match: FixedFormat(int(match["w"]), int(match["f"]), signed=match["u"] is None),
    ),
    ("bfp<W>", r"bfp(?P<w>\d+)", lambda match: bfp(int(match["w"]))),
    (
        "posit<n>[es<e>]",
        r"posit(?P<n>\d+)(es(?P<es>\d+))?",
        lambda match: PositFormat(int(match["n"]), int(match["es"] or 2)),
    ),
)
"""Families of names: how they are shown, how they are read, and what they mean."""

_MAX_NAME = 40  # a longer text is no typing mistake, and its numbers could be of any size


def format_names(*, families: bool = False) -> list[str]:
    """Return the names of the standard formats, and those of parametrised families if asked for."""
    return list(_NAMED) + ([shown for shown, _, _ in _PATTERNS] if families else [])


def parse_format(value: object) -> Format:
    """Return the format that a name or a YAML mapping stands for.

    Parameters
    ----------
    value : str, mapping or format
        A name such as ``e4m3fn`` or ``q1.7``; a mapping with the single key float, fixed, block or posit; a
        format record is returned as it is.

    Raises
    ------
    InputError
        If the name or a key is unknown, or a field has the wrong type or is out of range. The message
        quotes the value and gives the legal ones.
    """
    if isinstance(value, Format):
        return value
    if isinstance(value, str):
        return _from_name(value)
    if isinstance(value, Mapping):
        return _from_mapping(value)
    raise InputError(
        f"format {value!r} must be a name or a mapping with one key: legal: {', '.join(_FAMILIES)}"
    )


def _from_name(name: str) -> Format:
    if name in _NAMED:
        return _NAMED[name]
    if len(name) <= _MAX_NAME:
        for _, pattern, build in _PATTERNS:
            match = re.fullmatch(pattern, name, flags=re.ASCII)
            if match is None:
                continue
            try:
                return build(match)
            except InputError as error:
                raise InputError(f"format {name!r}: {error.message}") from None
    shown = name if len(name) <= _MAX_NAME else name[:_MAX_NAME] + "..."
    near = get_close_matches(shown.lower(), _NAMED, n=1, cutoff=0.5)
    hint = f" did you mean {near[0]!r}?" if near else ""
    raise InputError(f"unknown format {shown!r}:{hint} legal: {', '.join(format_names(families=True))}")


def _from_mapping(data: Mapping[Any, Any]) -> Format:
    if len(data) != 1:
        raise InputError(f"format {dict(data)!r} must have exactly one key: legal: {', '.join(_FAMILIES)}")
    ((family, fields),) = data.items()
    if family not in _FAMILIES:
        raise InputError(legal_values("format family", family, _FAMILIES))
    if not isinstance(fields, Mapping):
        raise InputError(f"fields {fields!r} of format family {family!r} must be a mapping")
    required, optional, build = _FAMILIES[family]
    for key in fields:
        if key not in required + optional:
            raise InputError(legal_values(f"key of {family!r}", key, required + optional))
    for key in required:
        if key not in fields:
            raise InputError(f"{family!r} lacks the key {key!r}: required: {', '.join(required)}")
    return build(**fields)


def _block(*, element: object, size: Any, scale: object) -> BlockFormat:
    element_fmt = parse_format(element)
    if not isinstance(element_fmt, FloatFormat | FixedFormat):
        raise InputError(f"block element {element!r} must be a float or a fixed format")
    if scale == "e8m0" or isinstance(scale, ExponentFormat):
        return BlockFormat(element_fmt, size, ExponentFormat())
    if isinstance(scale, Mapping) and list(scale) == ["exponent"]:
        return BlockFormat(element_fmt, size, scale["exponent"])
    raise InputError(f"block scale {scale!r} is unknown: legal: e8m0, {{exponent: bits}}")


_FAMILIES: dict[str, tuple[tuple[str, ...], tuple[str, ...], Callable[..., Format]]] = {
    "float": (("exponent", "mantissa"), ("bias", "specials", "subnormals"), FloatFormat),
    "fixed": (("width", "fraction"), ("signed",), FixedFormat),
    "block": (("element", "size", "scale"), (), _block),
    "posit": (("width",), ("es",), PositFormat),
}
"""Required keys, optional keys and builder of each mapping form."""
