"""Builds the text of one XLS function or proc, one node a line.

Equal nodes are written once, and the few simplifications that if-conversion relies on (constant conditions,
whole slices) are made here; everything else is left to XLS' optimiser.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

__all__ = ["PENDING", "Bit", "Body", "Node"]

PENDING = "pending"
"""Stands for the operation of a node that is not known yet."""


@dataclass(frozen=True)
class Node:
    """A value of `width` bits.

    Attributes
    ----------
    name : str
        Its name in the XLS text.
    width : int
        Bits.
    constant : int or None
        The value, if it is a literal.
    undefined : bool
        Whether C++ leaves the value open; it is then written as zero, and a choice between it and another
        value may take the other.
    """

    name: str
    width: int
    constant: int | None = None
    undefined: bool = False


Bit = Node | bool
"""A condition: one bit of hardware, or known now."""

_OPERAND = re.compile(r"\b\w+\b(?!=)")
_INLINED = re.compile(r"(\.i)+\d*(?=$|\.)")


class Body:
    """The nodes of one XLS function or proc, in order."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._lines: dict[str, str] = {}
        self._names: set[str] = set(reserved)
        self._taken: dict[str, int] = {}
        self._known: dict[str, str] = {}
        self._effects: set[str] = set()

    def unique(self, hint: str) -> str:
        """Return a fresh identifier like `hint` (the compiler's inlining suffixes dropped)."""
        stem = re.sub(r"\W", "_", _INLINED.sub("", hint)).strip("_") or "v"
        if stem[0].isdigit():
            stem = f"v{stem}"
        number = self._taken.get(stem, 0) + 1
        while (name := stem if number == 1 else f"{stem}_{number}") in self._names:
            number += 1
        self._taken[stem] = number
        self._names.add(name)
        return name

    def emit(self, type_: str, expression: str, hint: str = "v") -> str:
        """Write a node of any XLS type and return its name; an equal pure node is reused."""
        key = f"{type_} = {expression}"
        if key not in self._known:
            name = self._known[key] = self.unique(hint)
            self._lines[name] = key
        return self._known[key]

    def effect(self, type_: str, expression: str, hint: str) -> str:
        """Write a node that must not be merged with an equal one: a send or a receive."""
        name = self.unique(hint)
        self._effects.add(name)
        self._lines[name] = f"{type_} = {expression}"
        return name

    def pending(self, width: int, hint: str) -> Node:
        """Return a node whose operation `rewrite` will give; until then it may be anything."""
        name = self.unique(hint)
        self._lines[name] = f"bits[{width}] = {PENDING}()"
        return Node(name, width)

    def rewrite(self, name: str, type_: str, expression: str) -> None:
        """Replace an effect or a pending node.

        It may use nodes that were written after it, unless they depend on it.
        """
        self._lines[name] = f"{type_} = {expression}"

    def drop_effect(self, name: str) -> None:
        """Take an effect back."""
        self._effects.discard(name)

    def live_lines(self, roots: Iterable[str] = ()) -> list[str]:
        """Return the lines that the named nodes or an effect depend on, in an order fit for XLS."""
        live = set(self.cone(self._effects.union(roots)))
        in_order = self.cone([name for name in self._lines if name in live])
        return [f"  {name}: {line}" for name, line in in_order.items()]

    def cone(self, roots: Iterable[str], leaves: Container[str] = ()) -> dict[str, str]:
        """Return the nodes that `roots` depend on and the roots, each after those that it uses.

        Parameters
        ----------
        roots : iterable of str
            Names of nodes; parameters depend on nothing and are left out.
        leaves : container of str
            Operations that are not looked behind.

        Returns
        -------
        dict of str to str
            Name -> type and expression.
        """
        done: dict[str, str] = {}
        work = [root for root in roots if root in self._lines][::-1]
        while work:
            name = work[-1]
            line = self._lines[name]
            waiting = [other for other in self._operands(line, leaves) if other not in done]
            if waiting and name not in done:
                work += waiting[::-1]
            else:
                done[work.pop()] = line
        return done

    def _operands(self, line: str, leaves: Container[str]) -> list[str]:
        operation, _, arguments = line.partition(" = ")[2].partition("(")
        if operation in leaves:
            return []
        return [name for name in _OPERAND.findall(arguments) if name in self._lines]

    def significant_bits(self, node: Node) -> int:
        """Return how many low bits of `node` can be other than zero, as far as its text shows."""
        return min(node.width, self._significant(node.name, 64))

    def _significant(self, name: str, depth: int) -> int:
        type_, _, expression = self._lines.get(name, "").partition(" = ")
        width = re.fullmatch(r"bits\[(\d+)\]", type_)
        if width is None:
            return sys.maxsize  # a parameter, or no integer
        bits = int(width[1])
        operation, _, arguments = expression.partition("(")
        if operation == "literal":
            return int(arguments.removeprefix("value=").rstrip(")")).bit_length()
        names = self._operands(f" = {expression}", ())
        if operation not in ("and", "concat", "identity", "sel", "zero_ext") or depth == 0 or not names:
            return bits
        operands = [self._significant(name, depth - 1) for name in names]
        match operation:
            case "concat":
                return bits - self._width(names[0]) + operands[0]
            case "sel":
                return min(bits, max(operands[1:]))
            case _:
                return min(bits, *operands)

    def _width(self, name: str) -> int:
        return int(self._lines[name].removeprefix("bits[").partition("]")[0])

    def op(self, op: str, width: int, /, *operands: Node, hint: str = "v", **attributes: object) -> Node:
        """Write one operation on bits, for example ``op("add", 8, a, b)``."""
        arguments = [node.name for node in operands]
        arguments += [f"{key}={_attribute(value)}" for key, value in attributes.items()]
        return Node(self.emit(f"bits[{width}]", f"{op}({', '.join(arguments)})", hint), width)

    def parameter(self, name: str, width: int) -> Node:
        """Return a parameter of the function as a node."""
        return Node(name, width)

    def literal(self, value: int, width: int, *, undefined: bool = False) -> Node:
        """Return the constant `value` modulo ``2**width``."""
        value %= 1 << width
        return Node(self.emit(f"bits[{width}]", f"literal(value={value})", "k"), width, value, undefined)

    def undefined(self, width: int) -> Node:
        """Return a value that C++ leaves open."""
        return self.literal(0, width, undefined=True)

    def bit(self, condition: Bit) -> Node:
        """Return a condition as a node."""
        return condition if isinstance(condition, Node) else self.literal(int(condition), 1)

    def invert(self, condition: Bit) -> Bit:
        """Return the opposite condition."""
        if isinstance(condition, bool):
            return not condition
        if condition.constant is not None:
            return not condition.constant
        return self.op("not", 1, condition, hint="not")

    def both(self, a: Bit, b: Bit) -> Bit:
        """Return the conjunction of two conditions."""
        return self.choose(a, b, False)

    def either(self, a: Bit, b: Bit) -> Bit:
        """Return the disjunction of two conditions."""
        return self.choose(a, True, b)

    def choose(self, condition: Bit, if_true: Bit, if_false: Bit) -> Bit:
        """Return the one-bit ``condition ? if_true : if_false``."""
        condition, if_true, if_false = _known(condition), _known(if_true), _known(if_false)
        if isinstance(condition, bool):
            return if_true if condition else if_false
        if if_true == if_false:
            return if_true
        if if_false is False:
            return (
                condition if if_true is True else self.op("and", 1, condition, self.bit(if_true), hint="and")
            )
        if if_true is True:
            return self.op("or", 1, condition, self.bit(if_false), hint="or")
        if if_true is False:
            return self.both(self.invert(condition), if_false)
        if if_false is True:
            return self.either(self.invert(condition), if_true)
        return self.select(condition, self.bit(if_true), self.bit(if_false))

    def select(self, condition: Bit, if_true: Node, if_false: Node, hint: str = "sel") -> Node:
        """Return ``condition ? if_true : if_false`` for values of any width."""
        condition = _known(condition)
        if isinstance(condition, bool):
            return if_true if condition else if_false
        if if_true.name == if_false.name or if_false.undefined:
            return if_true
        if if_true.undefined:
            return if_false
        cases = f"sel({condition.name}, cases=[{if_false.name}, {if_true.name}])"
        return Node(self.emit(f"bits[{if_true.width}]", cases, hint), if_true.width)

    def slice(self, value: Node, start: int, width: int, hint: str = "bits") -> Node:
        """Return bits ``start .. start + width - 1``."""
        if start == 0 and width == value.width:
            return value
        if value.constant is not None:
            return self.literal(value.constant >> start, width, undefined=value.undefined)
        return self.op("bit_slice", width, value, hint=hint, start=start, width=width)

    def zero_extend(self, value: Node, width: int, hint: str = "wide") -> Node:
        """Widen with zeros; the same width gives the value itself."""
        if width == value.width:
            return value
        if value.constant is not None:
            return self.literal(value.constant, width, undefined=value.undefined)
        return self.op("zero_ext", width, value, hint=hint, new_bit_count=width)

    def sign_extend(self, value: Node, width: int, hint: str = "wide") -> Node:
        """Widen with copies of the top bit; the same width gives the value itself."""
        if width == value.width:
            return value
        return self.op("sign_ext", width, value, hint=hint, new_bit_count=width)

    def concat(self, parts: Sequence[Node], hint: str = "cat") -> Node:
        """Join values, the first becoming the most significant bits."""
        if len(parts) == 1:
            return parts[0]
        width = sum(part.width for part in parts)
        if all(part.constant is not None for part in parts):
            value = 0
            for part in parts:
                value = value << part.width | (part.constant or 0)
            return self.literal(value, width, undefined=all(part.undefined for part in parts))
        return self.op("concat", width, *parts, hint=hint)

    def lookup(self, entries: Sequence[Node], index: Node, hint: str = "entry") -> Node:
        """Return ``entries[index]`` of equally wide values; an index beyond the last gives the last."""
        width = entries[0].width
        type_ = f"bits[{width}][{len(entries)}]"
        if all(entry.constant is not None for entry in entries):
            values = ", ".join(str(entry.constant) for entry in entries)
            table = self.emit(type_, f"literal(value=[{values}])", "table")
        else:
            table = self.emit(type_, f"array({', '.join(entry.name for entry in entries)})", "array")
        return Node(self.emit(f"bits[{width}]", f"array_index({table}, indices=[{index.name}])", hint), width)


def _known(condition: Bit) -> Bit:
    """Return a literal condition as a `bool`."""
    if isinstance(condition, Node) and condition.constant is not None:
        return bool(condition.constant)
    return condition


def _attribute(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
