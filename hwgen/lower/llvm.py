"""Parse LLVM IR into plain records: functions, blocks, instructions, operands.

llvmlite parses and verifies the text and answers for types, operands and constants. What its interface does
not show (a comparison's predicate, a GEP's element type, switch cases, struct indices) is read from the
printed line of the same instruction. Nothing here knows about XLS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from llvmlite import binding as llvm

from hwgen.errors import InputError
from hwgen.lower.location import Location, LocationTable

__all__ = ["Block", "Function", "Global", "Instruction", "Module", "parse_module"]

Type: TypeAlias = llvm.TypeRef
Value: TypeAlias = llvm.ValueRef

_LABEL = re.compile(r"^([-a-zA-Z$._0-9]+):")
_DEFINE = re.compile(r"^define .*?@\"?([-a-zA-Z$._0-9]+)\"?\(")
_GLOBAL = re.compile(r"^@\"?([-a-zA-Z$._0-9]+)\"? = (.*)$", re.M)


@dataclass(frozen=True, eq=False)
class Instruction:
    """One instruction; `text` is its printed form (several lines for a ``switch``)."""

    opcode: str
    ref: Value
    type: Type
    operands: tuple[Value, ...]
    text: str
    locations: LocationTable

    @property
    def location(self) -> Location | None:
        """The C++ line that this instruction came from, if the IR has line tables."""
        return self.locations.find(self.text)

    @property
    def width(self) -> int:
        """Width of the result in bits; 0 where it is no integer."""
        return int(self.type.type_width) if self.type.type_kind == llvm.TypeKind.integer else 0

    @property
    def name(self) -> str:
        """The compiler's name for the result, usually close to the C++ variable."""
        return str(self.ref.name)

    def targets(self) -> tuple[str, ...]:
        """Return the labels of the successor blocks in printed order (true before false, default first)."""
        return tuple(re.findall(r"label %([-a-zA-Z$._0-9]+)", self.text))

    def find(self, pattern: str) -> str:
        """Return group 1 of `pattern` in the text; the pattern must match."""
        match = re.search(pattern, self.text)
        if match is None:
            raise InputError(f"cannot read the LLVM instruction {self.text.strip()!r}")
        return match.group(1)


@dataclass(frozen=True, eq=False)
class Block:
    """A basic block; the last instruction is its terminator."""

    name: str
    instructions: tuple[Instruction, ...]

    @property
    def terminator(self) -> Instruction:
        """The instruction that leaves the block."""
        return self.instructions[-1]

    @property
    def successors(self) -> tuple[str, ...]:
        """Labels of the blocks that control may go to next, repeated as in the switch."""
        return self.terminator.targets() if self.terminator.opcode in ("br", "switch") else ()


class Function:
    """A function with a body.

    Its blocks are read when asked for: of a file with several tops, most functions are other tops'.

    Parameters
    ----------
    ref : Value
        Of llvmlite.
    header : str
        The printed line that defines it.
    lines : dict of str to list of str
        The printed lines of each block.
    locations : LocationTable
        Of the module.

    Attributes
    ----------
    name, title : str
        Its name in LLVM, and in C++.
    arguments : tuple of Value
        Its parameters.
    """

    def __init__(
        self, ref: Value, header: str, lines: dict[str, list[str]], locations: LocationTable
    ) -> None:
        self.name = str(ref.name)
        self.title = locations.subprogram(header) or self.name
        self.arguments = tuple(ref.arguments)
        self._ref = ref
        self._header = header
        self._lines = lines
        self._locations = locations

    @cached_property
    def blocks(self) -> dict[str, Block]:
        """Its blocks by label, entry first."""
        return {
            block.name: _block(block, self._lines[block.name], self._locations) for block in self._ref.blocks
        }

    @cached_property
    def location(self) -> Location | None:
        """Where it is in C++."""
        return self._locations.find(self._header) or next(
            (item.location for block in self.blocks.values() for item in block.instructions if item.location),
            None,
        )

    def mentions(self, pattern: re.Pattern[str]) -> bool:
        """Tell whether `pattern` is found in the printed body."""
        return any(pattern.search(line) for lines in self._lines.values() for line in lines)


@dataclass(frozen=True)
class Global:
    """A global variable: its type, whether it is constant, and its initializer as text (None if external)."""

    name: str
    type: Type
    constant: bool
    initializer: str | None


@dataclass(eq=False)
class Module:
    """A parsed module. `layout` sizes types, `locations` finds C++ lines."""

    ref: llvm.ModuleRef
    functions: dict[str, Function]
    globals: dict[str, Global]
    declarations: dict[str, str]
    locations: LocationTable
    layout: llvm.TargetData
    has_constructors: bool
    _types: dict[str, Type] = field(default_factory=dict)
    _keep: list[llvm.ModuleRef] = field(default_factory=list)
    _structs: str = ""

    def type(self, text: str) -> Type:
        """Return the type printed as `text`, for example ``[8 x i16]`` or ``%struct.pair``."""
        if text not in self._types:
            snippet = llvm.parse_assembly(f"{self._structs}\n@t = external global {text}\n")
            self._keep.append(snippet)  # a TypeRef lives only as long as its module
            self._types[text] = snippet.get_global_variable("t").global_value_type
        return self._types[text]

    def size(self, type_: Type) -> int:
        """Bytes that one element of this type takes in an array (padding included)."""
        return int(self.layout.get_abi_size(type_))

    def offset(self, struct: Type, index: int) -> int:
        """Byte offset of field `index` of `struct`."""
        return int(self.layout.get_element_offset(struct, index))


def _label_everything(ref: llvm.ModuleRef) -> None:
    """Give each block a plain label, so that printed branches can be matched with blocks."""
    for function in ref.functions:
        for number, block in enumerate(function.blocks):
            block.name = f"bb{number}"


def _instruction_texts(lines: list[str]) -> Iterator[str]:
    """Group the lines of one block's body into one string an instruction (a switch spans several lines)."""
    pending = ""
    for line in lines:
        if not line.strip() or line.lstrip().startswith((";", "#dbg")):
            continue
        pending += line
        if pending.count("[") - pending.count("]") > 0 and "switch " in pending:
            pending += "\n"
            continue
        yield pending
        pending = ""


def _bodies(text: str) -> dict[str, tuple[str, dict[str, list[str]]]]:
    """Split a printed module into function headers and the lines of each block."""
    bodies: dict[str, tuple[str, dict[str, list[str]]]] = {}
    block: list[str] | None = None
    blocks: dict[str, list[str]] = {}
    for line in text.splitlines():
        if header := _DEFINE.match(line):
            blocks = {}
            bodies[header.group(1)] = (line, blocks)
        elif line == "}":
            block = None
        elif label := _LABEL.match(line):
            block = blocks.setdefault(label.group(1), [])
        elif block is not None:
            block.append(line)
    return bodies


def _block(ref: Value, lines: list[str], locations: LocationTable) -> Block:
    texts = list(_instruction_texts(lines))
    refs = list(ref.instructions)
    if len(texts) != len(refs):
        raise InputError(f"cannot follow the printed form of LLVM block {ref.name}")
    instructions = tuple(
        Instruction(item.opcode, item, item.type, tuple(item.operands), text, locations)
        for item, text in zip(refs, texts, strict=True)
    )
    return Block(ref.name, instructions)


def parse_module(text: str) -> Module:
    """Parse LLVM IR as clang prints it.

    Raises
    ------
    InputError
        If LLVM does not accept the text.
    """
    try:
        ref = llvm.parse_assembly(text)
        ref.verify()
    except RuntimeError as error:
        raise InputError(f"LLVM does not accept the IR: {error}") from error
    _label_everything(ref)
    printed = str(ref)
    locations = LocationTable(printed)
    bodies = _bodies(printed)
    functions, declarations = {}, {}
    for item in ref.functions:
        if item.is_declaration:
            header = re.search(rf"^declare .*@\"?{re.escape(item.name)}\"?\(.*$", printed, re.M)
            declarations[item.name] = locations.subprogram(header.group(0) if header else "") or item.name
            continue
        functions[item.name] = Function(item, *bodies[item.name], locations)
    initializers = dict(_GLOBAL.findall(printed))
    variables = [_parse_global(item, initializers[item.name]) for item in ref.global_variables]
    return Module(
        ref=ref,
        functions=functions,
        globals={variable.name: variable for variable in variables if variable is not None},
        declarations=declarations,
        locations=locations,
        layout=llvm.create_target_data(ref.data_layout),
        has_constructors="@llvm.global_ctors" in printed,
        _structs="\n".join(re.findall(r"^%.* = type .*$", printed, re.M)),
    )


def _parse_global(ref: Value, rest: str) -> Global | None:
    match = re.search(r"\b(constant|global) ", rest)
    if match is None or ref.name.startswith("llvm."):
        return None
    type_ = ref.global_value_type
    named_struct = type_.type_kind == llvm.TypeKind.struct and type_.name
    printed_type = f"%{type_.name}" if named_struct else str(type_)
    external = re.match(r"(external|extern_weak)\b", rest)
    body = rest[match.end() :].removeprefix(printed_type).strip()
    return Global(ref.name, type_, match.group(1) == "constant", None if external else body)
