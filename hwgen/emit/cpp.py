"""How formats, rounding rules and constants are spelt in C++, and lines filled as clang-format fills them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from hwgen.formats import ExponentFormat, FixedFormat, FloatFormat, Overflow, PositFormat, Rounding

__all__ = [
    "aliases",
    "assignment",
    "comment",
    "constant",
    "format_headers",
    "format_type",
    "parameters",
    "rounding_type",
]

_COLUMNS = 120  # as in .clang-format
_PROSE_COLUMNS = 110


def format_type(format_: FloatFormat | FixedFormat | PositFormat | ExponentFormat) -> str:
    """Return the header library's type of a format."""
    if isinstance(format_, ExponentFormat):
        return "hwgen::exponent_format"
    if isinstance(format_, PositFormat):
        return f"hwgen::posit_format<{format_.width}, {format_.es}>"
    if isinstance(format_, FixedFormat):
        return f"hwgen::fixed_format<{format_.width}, {format_.fraction}, {_boolean(format_.signed)}>"
    fields = f"{format_.exponent}, {format_.mantissa}, {format_.bias}"
    return (
        f"hwgen::float_format<{fields}, hwgen::specials::{format_.specials}, {_boolean(format_.subnormals)}>"
    )


def format_headers(formats: Iterable[object]) -> set[str]:
    """Return the headers that the types of `formats` need besides those that every operator includes."""
    families = {PositFormat: "posit", ExponentFormat: "exponent"}
    return {families[type(format_)] for format_ in formats if type(format_) in families}


def rounding_type(rounding: Rounding, overflow: Overflow, *, eager: bool = False) -> str:
    """Return the header library's type of a rounding rule."""
    policy = f"hwgen::overflow::{overflow.value}"
    if eager:
        return f"hwgen::eager_sr<{policy}, {rounding.bits}>"
    random_bits = f", {rounding.bits}" if rounding.bits else ""
    return f"hwgen::rounding<hwgen::mode::{rounding.mode.value}, {policy}{random_bits}>"


def constant(value: int, width: int) -> str:
    """Return an `ap_uint` constant; C++ literals end at 64 bits, so wider ones are put together."""
    if width <= 64:
        return f"ap_uint<{width}>(0x{value:x}ULL)"
    high, low = value >> 64, value & (1 << 64) - 1
    return f"(ap_uint<{width}>(0x{high:x}ULL) << 64) | ap_uint<{width}>(0x{low:x}ULL)"


def aliases(rows: Sequence[tuple[str, str, str]]) -> str:
    """Return ``using name = type;  // remark`` lines with the remarks in one column."""
    lines = [f"using {name} = {type_};" for name, type_, _ in rows]
    column = max(map(len, lines)) + 2
    return "\n".join(f"{line:{column}}// {remark}" for line, (_, _, remark) in zip(lines, rows, strict=True))


def parameters(opening: str, items: Sequence[str], closing: str) -> str:
    """Return ``opening(item, item, ...)closing``, broken at the column limit under the bracket."""
    return _fill(opening, items, closing, " " * len(opening))


def assignment(left: str, right: str) -> str:
    """Return ``left = right;``, on two lines where one is too short."""
    line = f"{left} = {right};"
    indent = " " * (len(left) - len(left.lstrip()) + 4)
    return line if len(line) <= _COLUMNS else f"{left} =\n{indent}{right};"


def comment(text: str, *, label: str = "", width: int = 0) -> str:
    """Return `text` as ``//`` lines, after a `label` in a column of `width`."""
    first = f"// {label:{width}}"
    return textwrap.fill(
        text,
        _PROSE_COLUMNS,
        initial_indent=first,
        subsequent_indent="//" + " " * (len(first) - 2),
        break_on_hyphens=False,
    )


def _fill(opening: str, items: Sequence[str], closing: str, indent: str) -> str:
    lines, line = [], opening
    for index, item in enumerate(items):
        last = index == len(items) - 1
        piece = item + (closing if last else ",")
        blank = "" if line in (opening, indent) else " "
        if len(line + blank + piece) > _COLUMNS and line not in (opening, indent):
            lines.append(line)
            line, blank = indent, ""
        line += blank + piece
    return "\n".join([*lines, line])


def _boolean(value: bool) -> str:
    return "true" if value else "false"
