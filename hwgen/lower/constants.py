"""The bytes of a global variable's initializer, and its scalar fields.

LLVM prints initializers as nested constants. Lookup tables are read as bytes; a ``static`` variable's scalars
become the elements of hardware state.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from llvmlite.binding import TypeKind

from hwgen.errors import InputError
from hwgen.lower.llvm import Global, Module, Type

__all__ = ["Scalar", "initializer_scalars"]

_TOKEN = re.compile(r'c"(?:[^"])*"|zeroinitializer|undef|poison|null|true|false|-?\d+')


@dataclass(frozen=True)
class Scalar:
    """One integer of an initializer: `size` bytes at `offset`, holding `value` (unsigned)."""

    offset: int
    size: int
    value: int


def initializer_scalars(module: Module, variable: Global) -> list[Scalar]:
    """List the scalars of `variable`'s initializer in address order; padding is left out.

    Raises
    ------
    InputError
        For a variable without initializer, or one that holds pointers or floating point.
    """
    if variable.initializer is None:
        raise InputError(f"global variable '{variable.name}' has no value in this file")
    reader = _Reader(module, variable)
    reader.read(variable.type, 0)
    return reader.scalars


class _Reader:
    """Recursive descent over the printed constant, guided by the type."""

    def __init__(self, module: Module, variable: Global) -> None:
        self._module = module
        self._name = variable.name
        self._text = variable.initializer or ""
        self._at = 0
        self.scalars: list[Scalar] = []

    def _skip(self, expected: str) -> bool:
        while self._text[self._at : self._at + 1] == " ":
            self._at += 1
        if self._text.startswith(expected, self._at):
            self._at += len(expected)
            return True
        return False

    def _token(self) -> str:
        self._skip("")
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise InputError(
                f"global variable '{self._name}' holds something other than integers: "
                f"{self._text[self._at : self._at + 40]!r}"
            )
        self._at = match.end()
        return match.group(0)

    def read(self, type_: Type, offset: int) -> None:
        """Read one constant of `type_`, at byte `offset` of the variable."""
        kind = type_.type_kind
        if kind == TypeKind.integer:
            self._integer(type_, offset, self._token())
        elif kind in (TypeKind.array, TypeKind.struct):
            parts = self._parts(type_, offset)
            opening = next((mark for mark in ("<{", "{", "[") if self._skip(mark)), None)
            if opening is None:
                self._shorthand(type_, parts, offset)
                return
            for index, (part, at) in enumerate(parts):
                if index:
                    self._skip(",")
                self._skip(_printed(part))
                self.read(part, at)
            self._skip({"<{": "}>", "{": "}", "[": "]"}[opening])
        else:
            raise InputError(f"global variable '{self._name}' holds a {type_}, which has no hardware form")

    def _parts(self, type_: Type, offset: int) -> list[tuple[Type, int]]:
        if type_.type_kind == TypeKind.struct:
            fields = list(type_.elements)
            return [(part, offset + self._module.offset(type_, i)) for i, part in enumerate(fields)]
        element = next(iter(type_.elements))
        size = self._module.size(element)
        return [(element, offset + i * size) for i in range(type_.element_count)]

    def _shorthand(self, type_: Type, parts: list[tuple[Type, int]], offset: int) -> None:
        token = self._token()
        if token.startswith('c"'):
            for index, byte in enumerate(_string_bytes(token[2:-1])):
                self.scalars.append(Scalar(offset + index, 1, byte))
            return
        for part, at in parts:
            self._fill(part, at)

    def _fill(self, type_: Type, offset: int) -> None:
        """Zero (or undefined, read as zero) contents of any type."""
        if type_.type_kind == TypeKind.integer:
            self._integer(type_, offset, "0")
        elif type_.type_kind in (TypeKind.array, TypeKind.struct):
            for part, at in self._parts(type_, offset):
                self._fill(part, at)
        else:
            raise InputError(f"global variable '{self._name}' holds a {type_}, which has no hardware form")

    def _integer(self, type_: Type, offset: int, token: str) -> None:
        words = {"true": 1, "false": 0, "zeroinitializer": 0, "undef": 0, "poison": 0}
        value = words[token] if token in words else int(token)
        size = (type_.type_width + 7) // 8
        self.scalars.append(Scalar(offset, size, value % (1 << type_.type_width)))


def _printed(type_: Type) -> str:
    """Return the type as it is printed in front of a value."""
    named = type_.type_kind == TypeKind.struct and type_.name
    return f"%{type_.name}" if named else str(type_)


def _string_bytes(text: str) -> list[int]:
    parts = re.findall(r"\\([0-9A-Fa-f]{2})|\\(\\)|(.)", text, re.S)
    return [int(code, 16) if code else ord(slash or char) for code, slash, char in parts]
