"""LLVM's memory instructions on regions: alloca, getelementptr, load, store, memcpy, memset."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llvmlite.binding import TypeKind

from hwgen.errors import InputError
from hwgen.lower.llvm import Instruction, Module, Type
from hwgen.lower.location import Location
from hwgen.lower.memory import Address, Pointer, Region, load, store
from hwgen.lower.values import LoweredValue
from hwgen.lower.xls_text import Bit, Body, Node

__all__ = ["Accesses", "byval_copy"]

_GEP_TYPE = r"getelementptr (?:inbounds |nuw |nusw |inrange\([^)]*\) )*(.+?), ptr "


class Accesses:
    """Lowers memory instructions of one module into `body`."""

    def __init__(self, body: Body, module: Module) -> None:
        self._body = body
        self._module = module

    def alloca(self, instruction: Instruction) -> Pointer:
        """Make the region of a local variable; its contents are undefined at first."""
        match = re.search(r"= alloca (.+?)(?:, (i\d+) (\S+?))?, align", instruction.text)
        if match is None:
            raise InputError(f"cannot read {instruction.text.strip()!r}")
        count = match.group(3) or "1"
        if not count.isdigit():
            raise InputError("an array of variable length has no hardware form")
        size = int(count) * self._module.size(self._module.type(match.group(1)))
        return Pointer((Address(Region(instruction.name or "local", size)),))

    def element_pointer(self, instruction: Instruction, base: Pointer, indices: Sequence[Node]) -> Pointer:
        """Add ``getelementptr``'s distances: constants to the offset, variables as scaled terms."""
        first, *rest = indices
        type_ = self._module.type(instruction.find(_GEP_TYPE))
        steps: list[tuple[Node, int]] = [(first, self._module.size(type_))]
        offset = 0
        for index in rest:
            if type_.type_kind == TypeKind.struct:
                field = index.constant or 0
                offset += self._module.offset(type_, field)
                type_ = list(type_.elements)[field]
            else:
                type_ = next(iter(type_.elements))
                steps.append((index, self._module.size(type_)))
        terms = []
        for node, scale in steps:
            if node.constant is None:
                terms.append((node, scale))
            else:
                offset += scale * _signed(node.constant, node.width)
        return base.moved(offset, terms)

    def load(self, instruction: Instruction, pointer: Pointer, when: Bit) -> Node:
        """Read an integer; memory keeps it padded to whole bytes."""
        self._refuse_special(instruction)
        size = self._bytes(instruction.type)
        where = instruction.location
        word = load(self._body, pointer, size, align=self._align(instruction), when=when, where=where)
        return self._body.slice(word, 0, instruction.width, hint=instruction.name)

    def store(self, instruction: Instruction, value: LoweredValue, pointer: Pointer, when: Bit) -> None:
        """Write an integer, padded to whole bytes, under the path condition."""
        self._refuse_special(instruction)
        if not isinstance(value, Node):
            raise InputError("a pointer or a struct stored in memory has no hardware form here")
        size = self._bytes(instruction.operands[0].type)
        padded = self._body.zero_extend(value, 8 * size)
        where = instruction.location
        store(self._body, pointer, padded, align=self._align(instruction), when=when, where=where)

    def copy(self, target: Pointer, source: Pointer, length: Node, when: Bit, where: Location | None) -> None:
        """Copy a constant number of bytes (``memcpy``, ``memmove``)."""
        if size := self._length(length):
            word = load(self._body, source, size, align=1, when=when, where=where)
            store(self._body, target, word, align=1, when=when, where=where)

    def fill(self, target: Pointer, byte: Node, length: Node, when: Bit, where: Location | None) -> None:
        """Set a constant number of bytes to one value (``memset``)."""
        if size := self._length(length):
            value = self._body.concat([byte] * size)
            store(self._body, target, value, align=1, when=when, where=where)

    def _length(self, length: Node) -> int:
        if length.constant is None:
            raise InputError("a memory copy of variable length has no hardware form")
        return length.constant

    def _bytes(self, type_: Type) -> int:
        if type_.type_kind != TypeKind.integer:
            raise InputError(f"memory access of type {type_} has no hardware form")
        return int((type_.type_width + 7) // 8)

    def _align(self, instruction: Instruction) -> int:
        match = re.search(r", align (\d+)", instruction.text)
        return int(match.group(1)) if match else 1

    def _refuse_special(self, instruction: Instruction) -> None:
        for word in ("volatile", "atomic"):
            if re.search(rf"\b{instruction.opcode} {word}\b", instruction.text):
                raise InputError(f"{word} memory access has no hardware form")


def byval_copy(body: Body, pointer: Pointer, size: int, when: Bit, where: Location | None = None) -> Pointer:
    """Return a fresh copy of an argument that is passed in memory by value."""
    region = Region("argument", size)
    region.write(body, 0, load(body, pointer, size, align=1, when=when, where=where))
    return Pointer((Address(region),))


def _signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) else value
