"""What an LLVM value is during lowering, and how two of them merge into one.

Integers are XLS nodes, pointers are sets of addresses, structs held in registers are tuples of these.
"""

from __future__ import annotations

from llvmlite.binding import TypeKind

from hwgen.errors import InputError
from hwgen.lower.llvm import Type
from hwgen.lower.memory import Pointer
from hwgen.lower.xls_text import Bit, Body, Node

__all__ = ["LoweredValue", "choose", "is_undefined", "undefined"]

LoweredValue = Node | Pointer | tuple["LoweredValue", ...]


def undefined(body: Body, type_: Type) -> LoweredValue:
    """Return a value of `type_` that C++ leaves open.

    Raises
    ------
    InputError
        For a type that has no hardware form, such as floating point.
    """
    kind = type_.type_kind
    if kind == TypeKind.integer:
        return body.undefined(type_.type_width)
    if kind == TypeKind.pointer:
        return Pointer(())
    if kind == TypeKind.struct:
        return tuple(undefined(body, part) for part in type_.elements)
    if kind == TypeKind.array:
        element = next(iter(type_.elements))
        return tuple(undefined(body, element) for _ in range(type_.element_count))
    raise InputError(f"a value of type {type_} has no hardware form")


def is_undefined(value: LoweredValue) -> bool:
    """Tell whether nothing in `value` is defined."""
    if isinstance(value, Node):
        return value.undefined
    return not value.addresses if isinstance(value, Pointer) else all(is_undefined(part) for part in value)


def choose(
    body: Body, condition: Bit, if_true: LoweredValue, if_false: LoweredValue, hint: str
) -> LoweredValue:
    """Return ``condition ? if_true : if_false`` for values of one type."""
    if if_true == if_false:
        return if_true
    if isinstance(if_true, Node) and isinstance(if_false, Node):
        return body.select(condition, if_true, if_false, hint=hint)
    if isinstance(if_true, Pointer) and isinstance(if_false, Pointer):
        chosen = if_true.given(body, condition) + if_false.given(body, body.invert(condition))
        return Pointer(chosen)
    if isinstance(if_true, tuple) and isinstance(if_false, tuple):
        pairs = zip(if_true, if_false, strict=True)
        return tuple(choose(body, condition, a, b, hint) for a, b in pairs)
    raise InputError("cannot merge values of different kinds")
