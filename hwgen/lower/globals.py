"""Global variables: constant ones are lookup tables, the others are the state of a proc.

A ``static`` variable keeps its value from one activation to the next, so each scalar in it becomes one state
element that resets to its initializer; deep arrays become memories (see `hwgen.lower.memory_rule`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hwgen.errors import InputError
from hwgen.lower.constants import initializer_scalars
from hwgen.lower.llvm import Module
from hwgen.lower.memory import Region
from hwgen.lower.memory_rule import memory_shape
from hwgen.lower.ram_array import RamArray
from hwgen.lower.xls_text import Body

__all__ = ["Globals", "StateElement"]


@dataclass(frozen=True)
class StateElement:
    """A register of the proc: its XLS name, width in bits, reset value, and where its memory lies."""

    name: str
    width: int
    reset: int
    region: Region
    offset: int


class Globals:
    """The regions of global variables, made when first referred to.

    Parameters
    ----------
    body : Body
        Where the nodes go.
    module : Module
        The parsed IR.
    stateful : bool
        Whether variables may keep a value; a function has no place for it.
    """

    def __init__(self, body: Body, module: Module, *, stateful: bool) -> None:
        self._body = body
        self._module = module
        self._stateful = stateful
        self._regions: dict[str, Region] = {}
        self.state: list[StateElement] = []
        self.memories: list[RamArray] = []

    def region(self, name: str) -> Region:
        """Return the memory of global variable `name`.

        Raises
        ------
        InputError
            If it has no constant initializer, or would be state of a function.
        """
        if name not in self._regions:
            self._regions[name] = self._make(name)
        return self._regions[name]

    def _make(self, name: str) -> Region:
        variable = self._module.globals.get(name)
        if variable is None:
            raise InputError(f"'{name}' is not a variable of this file")
        short = _variable_name(name)
        if self._module.has_constructors:
            raise InputError(
                f"global variable '{short}': a constructor runs before main in this file; "
                "declare such variables constexpr"
            )
        region = Region(short, self._module.size(variable.type), constant=variable.constant)
        shape = memory_shape(self._module, variable) if self._stateful and not variable.constant else None
        if shape is not None:
            banks, depth, stride = shape
            region.rams = RamArray(self._body, short, banks=banks, depth=depth, stride=stride)
            self.memories.append(region.rams)
            return region
        scalars = initializer_scalars(self._module, variable)
        if variable.constant:
            for scalar in scalars:
                region.cells[scalar.offset] = self._body.literal(scalar.value, 8 * scalar.size)
            return region
        if not self._stateful:
            raise InputError(
                f"variable '{short}' keeps its value between calls; a function has no state "
                "(use interface: stream)"
            )
        for scalar in scalars:
            element = self._body.unique(short)
            width = 8 * scalar.size
            self.state.append(StateElement(element, width, scalar.value, region, scalar.offset))
            region.cells[scalar.offset] = self._body.op(
                "state_read", width, hint=f"{short}_old", state_element=element
            )
        return region


def _variable_name(mangled: str) -> str:
    """Return the C++ variable's own name: the last part of an Itanium-mangled nested name."""
    # In a function, the function's signature comes first, whose numbers are not all lengths of names; clang
    # appends the number of a member, where it takes a variable apart.
    for match in re.finditer(r"(?=E(\d+)([A-Za-z_]\w*)(?:\.\d+)*$)", mangled):
        length = int(match[1])
        if re.fullmatch(r"(_\d+|__\d+_)?", match[2][length:]) and len(match[2]) >= length:
            return match[2][:length]
    rest, last = mangled, ""
    position = mangled.find("_Z")
    if position < 0:
        return mangled.split(".")[-1] if mangled.startswith("__const") else mangled
    index = position + 2
    while index < len(rest):
        digits = ""
        while index < len(rest) and rest[index].isdigit():
            digits += rest[index]
            index += 1
        if digits and int(digits) <= len(rest) - index:
            last = rest[index : index + int(digits)]
            index += int(digits)
        else:
            index += 1
    return last or mangled
