"""Which ``static`` arrays are memories and not registers.

The rule: more than `MOST_REGISTERS` elements in the last dimension, an index that is a variable, elements of
one integer each, and no initial value but zero. What a memory can do in one activation is less than what
registers can, so the rule depends on the array alone and never on how it is used beyond being indexed.
"""

from __future__ import annotations

import re

from llvmlite.binding import TypeKind

from hwgen.lower.llvm import Global, Module, Type

__all__ = ["MOST_REGISTERS", "memory_shape"]

MOST_REGISTERS = 64
"""Elements in the last dimension of an array that stays in registers."""

_BULK = re.compile(r"@llvm\.(memcpy|memmove|memset)\.")


def memory_shape(module: Module, variable: Global) -> tuple[int, int, int] | None:
    """Return banks, depth and bytes of an element if `variable` is a memory, else None."""
    dimensions: list[int] = []
    type_ = variable.type
    while type_.type_kind == TypeKind.array:
        dimensions.append(int(type_.element_count))
        type_ = next(iter(type_.elements))
    if not dimensions or dimensions[-1] <= MOST_REGISTERS:
        return None
    # The compiler writes a variable of zeros like this, whatever its type.
    if not _is_one_integer(type_) or not (variable.initializer or "").startswith("zeroinitializer"):
        return None
    if not _indexed_by_variable(module, variable.name):
        return None
    banks = 1
    for dimension in dimensions[:-1]:
        banks *= dimension
    return banks, dimensions[-1], module.size(type_)


def _is_one_integer(type_: Type) -> bool:
    while type_.type_kind == TypeKind.struct and len(list(type_.elements)) == 1:
        type_ = next(iter(type_.elements))
    # Bytes are a wide integer, of a size that LLVM would round up.
    return bool(type_.type_kind == TypeKind.integer) or str(type_).endswith(" x i8]")


def _indexed_by_variable(module: Module, name: str) -> bool:
    """Tell whether the address of a variable is used for more than constant places in it."""
    mention = re.compile(rf"@\"?{re.escape(name)}\"?(?![-\w$.])")
    for function in module.functions.values():
        if not function.mentions(mention):
            continue
        for block in function.blocks.values():
            for instruction in block.instructions:
                if not mention.search(instruction.text):
                    continue
                if instruction.opcode not in ("load", "store", "getelementptr") and not _BULK.search(
                    instruction.text
                ):
                    return True
                if instruction.opcode == "getelementptr" and re.search(r", i\d+ %", instruction.text):
                    return True
    return False
