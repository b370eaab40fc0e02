"""LLVM's integer instructions and intrinsics as XLS operations.

Flags such as ``nuw``, ``exact`` or ``disjoint`` only say when LLVM's result is poison, so ignoring them is
sound. Shifts by the width or more and divisions by zero are undefined in C++; XLS defines them, which is a
legal choice and keeps speculated operations harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hwgen.errors import InputError
from hwgen.lower.llvm import Instruction
from hwgen.lower.xls_text import Body, Node

__all__ = ["BINARY", "CASTS", "intrinsic", "lower_binary", "lower_cast", "lower_compare"]

BINARY = {
    "add": "add",
    "sub": "sub",
    "mul": "umul",
    "udiv": "udiv",
    "sdiv": "sdiv",
    "urem": "umod",
    "srem": "smod",
    "shl": "shll",
    "lshr": "shrl",
    "ashr": "shra",
    "and": "and",
    "or": "or",
    "xor": "xor",
}
"""LLVM opcode -> XLS operation of the same operand and result width."""

CASTS = ("zext", "sext", "trunc")

_COMPARISONS = {"eq", "ne", "ugt", "uge", "ult", "ule", "sgt", "sge", "slt", "sle"}

_TABLE_INPUTS = 6

_ORDERED = {"smax": "sgt", "smin": "slt", "umax": "ugt", "umin": "ult"}


def lower_binary(body: Body, instruction: Instruction, a: Node, b: Node) -> Node:
    """Lower a two-operand integer instruction."""
    return body.op(BINARY[instruction.opcode], a.width, a, b, hint=instruction.name)


def lower_cast(body: Body, instruction: Instruction, value: Node) -> Node:
    """Lower ``zext``, ``sext`` or ``trunc``."""
    if instruction.opcode == "trunc":
        return body.slice(value, 0, instruction.width, hint=instruction.name)
    extend = body.zero_extend if instruction.opcode == "zext" else body.sign_extend
    return extend(value, instruction.width, hint=instruction.name)


def lower_compare(body: Body, instruction: Instruction, a: Node, b: Node) -> Node:
    """Lower an integer comparison."""
    predicate = instruction.find(r"= icmp (?:samesign )?(\w+) ")
    if predicate not in _COMPARISONS:
        raise InputError(f"unknown comparison '{predicate}'")
    return body.op(predicate, 1, a, b, hint=instruction.name)


def intrinsic(name: str) -> Callable[[Body, Sequence[Node]], Node | tuple[Node, ...]] | None:
    """Return the lowering of the intrinsic ``llvm.<name>.<type>``, or None if it has none here."""
    return _INTRINSICS.get(name)


def _ordered(comparison: str) -> Callable[[Body, Sequence[Node]], Node]:
    def lower(body: Body, operands: Sequence[Node]) -> Node:
        a, b = operands
        return body.select(body.op(comparison, 1, a, b), a, b)

    return lower


def _absolute(body: Body, operands: Sequence[Node]) -> Node:
    value = operands[0]
    negative = body.slice(value, value.width - 1, 1)
    return body.select(negative, body.op("neg", value.width, value), value)


def _first_one(body: Body, value: Node, *, from_msb: bool) -> Node:
    """Count the zeros before the first one; the width if there is none."""
    ordered = body.op("reverse", value.width, value) if from_msb else value
    one_hot = body.op("one_hot", value.width + 1, ordered, lsb_prio=True)
    count = body.op("encode", value.width.bit_length(), one_hot)
    return (
        body.zero_extend(count, value.width)
        if count.width < value.width
        else body.slice(count, 0, value.width)
    )


def _count_ones(body: Body, operands: Sequence[Node]) -> Node:
    """Count six bits at a time by a table, and add in a balanced tree of sums no wider than they need be.

    Six, because that is what a look-up table of an FPGA takes. Sums of single bits are as small, but XLS'
    optimiser looks through them: with few bits behind many, it does not come to an end.
    """
    value = operands[0]
    starts = range(0, value.width, _TABLE_INPUTS)
    sums = [_count_by_table(body, value, at, min(_TABLE_INPUTS, value.width - at)) for at in starts]
    while len(sums) > 1:
        pairs = [sums[i : i + 2] for i in range(0, len(sums), 2)]
        sums = [_widening_sum(body, pair) for pair in pairs]
    total = sums[0]
    if total.width > value.width:
        return body.slice(total, 0, value.width)
    return body.zero_extend(total, value.width)


def _count_by_table(body: Body, value: Node, start: int, width: int) -> Node:
    entries = [body.literal(code.bit_count(), width.bit_length()) for code in range(1 << width)]
    return body.lookup(entries, body.slice(value, start, width), hint="ones")


def _widening_sum(body: Body, pair: Sequence[Node]) -> Node:
    width = max(node.width for node in pair) + 1
    if len(pair) == 1:
        return pair[0]
    return body.op("add", width, *(body.zero_extend(node, width) for node in pair))


def _funnel(body: Body, operands: Sequence[Node], *, left: bool) -> Node:
    """Shift the double word high:low by the amount modulo the width; keep one word (``fshl``, ``fshr``)."""
    high, low, amount = operands
    width = high.width
    double = body.concat([high, low])
    if amount.constant is not None:
        shift = amount.constant % width
        return body.slice(double, width - shift if left else shift, width)
    if width & (width - 1):
        amount = body.op("umod", width, amount, body.literal(width, width))
    else:
        amount = body.slice(amount, 0, width.bit_length() - 1) if width > 1 else body.literal(0, 1)
    shifted = body.op("shll" if left else "shrl", 2 * width, double, amount)
    return body.slice(shifted, width if left else 0, width)


def _byte_swap(body: Body, operands: Sequence[Node]) -> Node:
    value = operands[0]
    return body.concat([body.slice(value, at, 8) for at in range(0, value.width, 8)])


def _overflow(op: str, *, signed: bool) -> Callable[[Body, Sequence[Node]], tuple[Node, Node]]:
    """Return the wrapped result and whether it differs from the exact one."""

    def lower(body: Body, operands: Sequence[Node]) -> tuple[Node, Node]:
        width = operands[0].width
        exact = _exact(body, op, operands, signed=signed)
        result = body.slice(exact, 0, width)
        extend = body.sign_extend if signed else body.zero_extend
        return result, body.op("ne", 1, exact, extend(result, exact.width), hint="overflow")

    return lower


def _exact(body: Body, op: str, operands: Sequence[Node], *, signed: bool) -> Node:
    width = operands[0].width
    wide = 2 * width if op == "umul" else width + 1
    extend = body.sign_extend if signed else body.zero_extend
    return body.op(op, wide, *(extend(node, wide) for node in operands))


def _saturating(op: str, *, signed: bool) -> Callable[[Body, Sequence[Node]], Node]:
    """Return the exact result clamped to the width of the operands."""

    def lower(body: Body, operands: Sequence[Node]) -> Node:
        width = operands[0].width
        exact = _exact(body, op, operands, signed=signed)
        result = body.slice(exact, 0, width)
        extend = body.sign_extend if signed else body.zero_extend
        clipped = body.op("ne", 1, exact, extend(result, exact.width), hint="overflow")
        negative = body.slice(exact, exact.width - 1, 1)
        if signed:
            low, high = body.literal(1 << (width - 1), width), body.literal((1 << (width - 1)) - 1, width)
            limit = body.select(negative, low, high)
        else:
            limit = body.literal(0 if op == "sub" else -1, width)
        return body.select(clipped, limit, result)

    return lower


def _three_way(*, signed: bool) -> Callable[[Body, Sequence[Node]], Node]:
    """Return -1, 0 or 1 in eight bits (``scmp``, ``ucmp``; clang asks for no other width)."""
    less, greater = ("slt", "sgt") if signed else ("ult", "ugt")

    def lower(body: Body, operands: Sequence[Node]) -> Node:
        above = body.zero_extend(body.op(greater, 1, *operands), 8)
        return body.select(body.op(less, 1, *operands), body.literal(-1, 8), above)

    return lower


_INTRINSICS: dict[str, Callable[[Body, Sequence[Node]], Node | tuple[Node, ...]]] = {
    **{name: _ordered(comparison) for name, comparison in _ORDERED.items()},
    "abs": _absolute,
    "bitreverse": lambda body, operands: body.op("reverse", operands[0].width, operands[0]),
    "bswap": _byte_swap,
    "ctlz": lambda body, operands: _first_one(body, operands[0], from_msb=True),
    "cttz": lambda body, operands: _first_one(body, operands[0], from_msb=False),
    "ctpop": _count_ones,
    "fshl": lambda body, operands: _funnel(body, operands, left=True),
    "fshr": lambda body, operands: _funnel(body, operands, left=False),
    "uadd.sat": _saturating("add", signed=False),
    "usub.sat": _saturating("sub", signed=False),
    "sadd.sat": _saturating("add", signed=True),
    "ssub.sat": _saturating("sub", signed=True),
    "uadd.with.overflow": _overflow("add", signed=False),
    "usub.with.overflow": _overflow("sub", signed=False),
    "umul.with.overflow": _overflow("umul", signed=False),
    "sadd.with.overflow": _overflow("add", signed=True),
    "ssub.with.overflow": _overflow("sub", signed=True),
    "smul.with.overflow": _overflow("umul", signed=True),
    "scmp": _three_way(signed=True),
    "ucmp": _three_way(signed=False),
    "expect": lambda _, operands: operands[0],
}
