"""Rings of state in an XLS proc: registers that are used in turn, so that each may take several clocks.

A proc that starts once a clock must write each of its state elements in the stage where it reads it, or the
next activation would come too early. But of n registers that a counter selects, each is used by every n-th
activation only. XLS schedules that if the reads and writes are predicated: an activation then waits for the
registers it uses, and for no others. C++ has no way to say so; here it is proven of the optimised IR.

`array_index` through memory is none of this module's business: rings are registers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Ring", "predicate_rings", "waiting_elements"]

_NODE = re.compile(r"^  (?P<name>[\w.]+): (?P<type>\S+) = (?P<op>\w+)\((?P<arguments>.*)\)$")
_FULL = re.compile(r"\breg __(\w+)_full;")
_MOST_VALUES = 64


@dataclass(frozen=True)
class Ring:
    """State elements of which each activation uses one, in the order of the counter that selects it."""

    elements: tuple[str, ...]


@dataclass(frozen=True)
class _Node:
    line: int
    op: str
    operands: tuple[str, ...]
    options: dict[str, str]
    width: int


def predicate_rings(xls_ir: str) -> tuple[str, tuple[Ring, ...]]:
    """Return an optimised package whose rings are read and written under predicates, and the rings.

    A ring is found where one ``sel`` chooses among 2^w states by a w-bit counter, and state k is otherwise
    used only to keep its value unless the counter is k, which is checked for every value of the counter.
    The package comes back as it was if it has none.
    """
    lines = xls_ir.split("\n")
    nodes = {
        match["name"]: _parse(number, match)
        for number, line in enumerate(lines)
        if (match := _NODE.match(line))
    }
    users = _users(lines, nodes)
    rings = []
    fresh = 1 + max((int(found) for found in re.findall(r"\bid=(\d+)", xls_ir)), default=0)
    inserted: dict[int, list[str]] = {}
    for name, node in nodes.items():
        updates = _ring_updates(name, node, nodes, users)
        if updates is None:
            continue
        selector, *states = node.operands
        width = nodes[selector].width
        before = inserted.setdefault(node.line, [])
        for k, (state, (next_name, new)) in enumerate(zip(states, updates, strict=True)):
            read, update = nodes[state], nodes[next_name]
            turn = f"ring_turn_{fresh}"
            before.append(f"  {turn}_k: bits[{width}] = literal(value={k}, id={fresh})")
            before.append(f"  {turn}: bits[1] = eq({selector}, {turn}_k, id={fresh + 1})")
            fresh += 2
            element = read.options["state_element"]
            before.append(lines[read.line].replace(f"={element},", f"={element}, predicate={turn},"))
            lines[read.line] = ""
            lines[update.line] = re.sub(r"value=[\w.]+", f"value={new}, predicate={turn}", lines[update.line])
        rings.append(Ring(tuple(nodes[state].options["state_element"] for state in states)))
    if not rings:
        return xls_ir, ()
    text = [part for number, line in enumerate(lines) for part in (*inserted.get(number, ()), line)]
    return "\n".join(text), tuple(rings)


def waiting_elements(verilog: str) -> set[str]:
    """Return the state elements for which an activation may have to wait: those that are marked as full."""
    return set(_FULL.findall(verilog))


def _parse(number: int, match: re.Match[str]) -> _Node:
    operands: list[str] = []
    options: dict[str, str] = {}
    flat = match["arguments"].replace("cases=[", "").replace("]", "")
    for argument in filter(None, flat.split(", ")):
        key, equals, value = argument.partition("=")
        if equals:
            options[key] = value
        else:
            operands.append(argument)
    bits = re.fullmatch(r"bits\[(\d+)\]", match["type"])
    return _Node(number, match["op"], tuple(operands), options, int(bits[1]) if bits else 0)


def _users(lines: Sequence[str], nodes: dict[str, _Node]) -> dict[str, set[str]]:
    """Return which nodes mention each node."""
    users: dict[str, set[str]] = {name: set() for name in nodes}
    for name, node in nodes.items():
        for word in (*node.operands, *node.options.values()):
            if word in users and node.op != "state_read" and word != name:
                users[word].add(name)
    return users


def _ring_updates(
    name: str, node: _Node, nodes: dict[str, _Node], users: dict[str, set[str]]
) -> list[tuple[str, str]] | None:
    """Return each state's ``next_value`` and new value, or None if `name` chooses no ring."""
    if node.op != "sel" or "default" in node.options:
        return None
    selector, *states = node.operands
    width = nodes[selector].width
    if len(states) != 1 << width or len(set(states)) != len(states) or len(states) > _MOST_VALUES:
        return None
    updates = []
    for k, state in enumerate(states):
        read = nodes.get(state)
        if read is None or read.op != "state_read" or "predicate" in read.options:
            return None
        update = _update(name, state, nodes, users)
        if update is None:
            return None
        condition, taken, next_name, new = update
        written = [_evaluate(condition, selector, value, nodes) for value in range(1 << width)]
        if None in written or any((bit == taken) != (value == k) for value, bit in enumerate(written)):
            return None
        updates.append((next_name, new))
    return updates


def _update(
    name: str, state: str, nodes: dict[str, _Node], users: dict[str, set[str]]
) -> tuple[str, int, str, str] | None:
    """Return how a state is kept or renewed.

    That is a condition, what it is when the state gets its new value, the ``next_value`` node, that value.
    """
    element = nodes[state].options["state_element"]
    writes = [
        other
        for other, node in nodes.items()
        if node.op == "next_value"
        and element in (node.options.get("param"), node.options.get("state_element"))
    ]
    if len(writes) != 1 or "predicate" in nodes[writes[0]].options:
        return None
    keeper = nodes[writes[0]].options["value"]
    kept = nodes.get(keeper)
    if kept is None or kept.op != "sel" or len(kept.operands) != 3:
        return None
    condition, *cases = kept.operands
    others = users[state] - {name, keeper, writes[0]}
    if others or users[keeper] != {writes[0]} or cases.count(state) != 1:
        return None
    taken = 1 - cases.index(state)
    return condition, taken, writes[0], cases[taken]


def _evaluate(name: str, selector: str, value: int, nodes: dict[str, _Node]) -> int | None:
    """Return what `name` is when `selector` is `value`; None if that is not all it depends on."""
    if name == selector:
        return value
    node = nodes.get(name)
    if node is None:
        return None  # a receive, whose type is a tuple
    if node.op == "literal":
        return int(node.options["value"].replace("_", ""), 0)
    arguments = [_evaluate(operand, selector, value, nodes) for operand in node.operands]
    numbers = [number for number in arguments if number is not None]
    if not numbers or len(numbers) != len(arguments):
        return None
    mask = (1 << node.width) - 1
    match node.op:
        case "eq":
            return int(numbers[0] == numbers[1])
        case "ne":
            return int(numbers[0] != numbers[1])
        case "bit_slice":
            return numbers[0] >> int(node.options["start"]) & mask
        case "not":
            return ~numbers[0] & mask
        case "and" | "nand":
            result = mask
            for number in numbers:
                result &= number
            return result if node.op == "and" else ~result & mask
        case "or" | "nor":
            result = 0
            for number in numbers:
                result |= number
            return result if node.op == "or" else ~result & mask
        case _:
            return None
