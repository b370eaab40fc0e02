"""The value of an instruction's operand: a constant, a global, an argument or an earlier result."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llvmlite.binding import TypeKind, ValueKind

from hwgen.errors import InputError
from hwgen.lower.constants import Scalar, initializer_scalars
from hwgen.lower.globals import Globals
from hwgen.lower.llvm import Global, Module, Type, Value
from hwgen.lower.memory import Address, Pointer
from hwgen.lower.values import LoweredValue, undefined
from hwgen.lower.xls_text import Body

__all__ = ["constant_operand"]

_CONSTANT_GEP = re.compile(r"getelementptr [\w ()\-,]*?\(i8, ptr @\"?([-\w$.]+)\"?, i\d+ (-?\d+)\)$")


def constant_operand(body: Body, module: Module, variables: Globals, operand: Value) -> LoweredValue:
    """Return the value of a constant operand.

    Raises
    ------
    InputError
        If the constant has no hardware form: floating point, a function's address, an address computed at
        link time.
    """
    kind = operand.value_kind
    type_ = operand.type
    if kind == ValueKind.constant_int:
        return body.literal(int(operand.get_constant_value()), type_.type_width)
    if kind in (ValueKind.undef_value, ValueKind.poison_value):
        return undefined(body, type_)
    if kind == ValueKind.constant_pointer_null:
        return Pointer(())
    if kind == ValueKind.global_variable:
        return Pointer((Address(variables.region(operand.name)),))
    if kind == ValueKind.constant_expr and (match := _CONSTANT_GEP.search(str(operand))):
        return Pointer((Address(variables.region(match.group(1)), int(match.group(2))),))
    if (
        kind in (ValueKind.constant_struct, ValueKind.constant_aggregate_zero)
        and type_.type_kind == TypeKind.struct
    ):
        text = str(operand).removeprefix(str(type_)).strip()
        scalars = initializer_scalars(module, Global("a constant", type_, constant=True, initializer=text))
        return _structured(body, type_, iter(scalars))
    if kind == ValueKind.function:
        raise InputError("the address of a function has no hardware form")
    raise InputError(f"the constant '{operand}' has no hardware form")


def _structured(body: Body, type_: Type, scalars: Iterator[Scalar]) -> LoweredValue:
    """Arrange scalars, in address order, as a value of `type_`."""
    if type_.type_kind == TypeKind.integer:
        return body.literal(next(scalars).value, type_.type_width)
    return tuple(_structured(body, part, scalars) for part in type_.elements)
