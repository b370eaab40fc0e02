"""If-converts a function: visits its blocks in order and turns each instruction into XLS nodes.

Calls are expanded in place, so the whole call tree becomes one flat body. Every block has a path condition;
only effects (stores, sends, receives) depend on it. A phi selects between its incoming values by the
conditions that decide between its nearest dominator and itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from llvmlite.binding import ValueKind

from hwgen.errors import InputError
from hwgen.lower.accesses import Accesses, byval_copy
from hwgen.lower.arithmetic import BINARY, CASTS, intrinsic, lower_binary, lower_cast, lower_compare
from hwgen.lower.cfg import ControlFlow, Decisions
from hwgen.lower.channels import Channels, Path
from hwgen.lower.globals import Globals
from hwgen.lower.llvm import Block, Function, Instruction, Module, Value
from hwgen.lower.location import Location, lowering_error
from hwgen.lower.memory import Pointer
from hwgen.lower.operands import constant_operand
from hwgen.lower.stream_calls import StreamCalls, parse_hook
from hwgen.lower.values import LoweredValue, choose, is_undefined, undefined
from hwgen.lower.xls_text import Bit, Body, Node

__all__ = ["Lowering"]

_EFFECTS = frozenset(("call", "load", "store"))
"""Instructions for which it matters whether control reaches them."""

_NO_EFFECT = re.compile(
    r"llvm\.(assume|lifetime\.|dbg\.|donothing|sideeffect|experimental\.noalias\.scope\.decl|prefetch|trap|ubsantrap)"
)
_MEMORY_INTRINSIC = re.compile(r"llvm\.(memcpy|memmove|memset)\.")
_TYPE_SUFFIX = re.compile(r"(\.(i\d+|p\d+))+$")


@dataclass(eq=False)
class _Frame:
    """One activation of a function: its graph, the values so far, and where it was called from."""

    function: Function
    graph: ControlFlow
    path: Path
    values: dict[Value, LoweredValue]
    returned: list[tuple[str, LoweredValue | None]] = field(default_factory=list)
    decisions: dict[str, Decisions[Bit]] = field(default_factory=dict)

    def at(self, block: str) -> Path:
        """Return the path to a place in `block` of this activation."""
        return (*self.path, (self.graph, block))


class Lowering:
    """Lowers one top function and everything that it calls.

    Parameters
    ----------
    module : Module
        The parsed IR.
    body : Body
        Where the nodes go.
    variables : Globals
        Regions of global variables.
    channels : Channels or None
        Streams, if the top is a kernel.
    """

    def __init__(self, module: Module, body: Body, variables: Globals, channels: Channels | None) -> None:
        self._module = module
        self._body = body
        self._variables = variables
        self._streams = StreamCalls(body, channels)
        self._accesses = Accesses(body, module)
        self._open: list[str] = []

    def call(
        self, function: Function, arguments: Sequence[LoweredValue], *, when: Bit = True, path: Path = ()
    ) -> LoweredValue | None:
        """Expand a call and return its result (None for ``void``).

        Raises
        ------
        InputError
            Naming the C++ line of what has no hardware form.
        """
        if function.name in self._open:
            raise InputError(f"'{function.title}' calls itself: recursion has no hardware form")
        self._open.append(function.name)
        values = dict(zip(function.arguments, arguments, strict=True))
        frame = _Frame(function, ControlFlow(function), path, values)
        if frame.graph.is_dead(frame.graph.entry):
            raise lowering_error(f"every path through '{function.title}' is undefined", function.location)
        for name in frame.graph.order:
            if not frame.graph.is_dead(name):
                self._block(frame, function.blocks[name], when)
        self._open.pop()
        return self._result(frame)

    def _block(self, frame: _Frame, block: Block, when: Bit) -> None:
        """Lower a block; `when` says whether the function is called at all."""
        if block.name != frame.graph.entry and any(item.opcode in _EFFECTS for item in block.instructions):
            reached = self._condition(frame, frame.graph.entry, block.name, lambda *_: True, False)
            when = self._body.both(when, reached)
        for instruction in block.instructions:
            try:
                result = self._instruction(frame, block, instruction, when)
            except InputError as error:
                if error.file is not None:
                    raise
                raise lowering_error(error.message, instruction.location) from error
            if result is not None:
                frame.values[instruction.ref] = result

    def _condition(
        self,
        frame: _Frame,
        start: str,
        target: str,
        outcome: Callable[[str, str], bool | None],
        elsewhere: bool | None,
    ) -> Bit:
        return frame.graph.condition(
            start,
            target,
            decisions=lambda name: self._decisions(frame, name),
            outcome=outcome,
            logic=self._body,
            elsewhere=elsewhere,
        )

    def _result(self, frame: _Frame) -> LoweredValue | None:
        if not frame.returned:
            return None
        *others, (_, result) = frame.returned
        for name, value in others:
            if value is not None and result is not None:
                taken = self._condition(frame, frame.graph.entry, name, lambda *_: True, False)
                result = choose(self._body, taken, value, result, "result")
        return result

    def _value(self, frame: _Frame, operand: Value) -> LoweredValue:
        if operand in frame.values:
            return frame.values[operand]
        if operand.value_kind in (ValueKind.instruction, ValueKind.argument):
            # Only a value from a block that control never reaches is missing.
            return undefined(self._body, operand.type)
        return constant_operand(self._body, self._module, self._variables, operand)

    def _node(self, frame: _Frame, operand: Value) -> Node:
        value = self._value(frame, operand)
        if not isinstance(value, Node):
            raise InputError(f"an operation on a value of type {operand.type} has no hardware form")
        return value

    def _pointer(self, frame: _Frame, operand: Value) -> Pointer:
        value = self._value(frame, operand)
        if not isinstance(value, Pointer):
            raise InputError("an address made from an integer has no hardware form")
        return value

    def _decisions(self, frame: _Frame, name: str) -> Decisions[Bit]:
        """Return the tests by which a block chooses its successor, each written once."""
        if name not in frame.decisions:
            frame.decisions[name] = self._make_decisions(frame, frame.function.blocks[name].terminator)
        return frame.decisions[name]

    def _make_decisions(self, frame: _Frame, terminator: Instruction) -> Decisions[Bit]:
        targets = terminator.targets()
        if terminator.opcode == "br":
            if len(targets) == 1:
                return [], targets[0]
            return [(self._node(frame, terminator.operands[0]), targets[0])], targets[1]
        selector = self._node(frame, terminator.operands[0])
        default, *labels = targets
        values = re.findall(r"^\s+i\d+ (-?\d+|true|false), label", terminator.text, re.M)
        tests: dict[str, Bit] = {}
        for text, label in zip(values, labels, strict=True):
            number = {"true": 1, "false": 0}.get(text)
            literal = self._body.literal(int(text) if number is None else number, selector.width)
            equal = self._body.op("eq", 1, selector, literal, hint="case")
            tests[label] = self._body.either(tests.get(label, False), equal)
        return [(test, label) for label, test in tests.items() if label != default], default

    def _phi(self, frame: _Frame, block: Block, instruction: Instruction) -> LoweredValue:
        """Select between incoming values; edges with an undefined one may give any of the others."""
        blocks = [item.name for item in instruction.ref.incoming_blocks]
        sources: dict[str, LoweredValue] = {
            name: self._value(frame, operand)
            for name, operand in zip(blocks, instruction.operands, strict=True)
            if name in frame.graph.predecessors
        }
        groups: list[tuple[LoweredValue, set[str]]] = []
        for name, value in sources.items():
            if is_undefined(value):
                continue
            same = next((names for other, names in groups if other == value), None)
            if same is None:
                groups.append((value, {name}))
            else:
                same.add(name)
        if not groups:
            return undefined(self._body, instruction.type)
        open_: set[str] = {name for name, value in sources.items() if is_undefined(value)}
        chosen: list[tuple[Bit, LoweredValue]] = []
        start = frame.graph.dominator(block.name)
        for value, names in groups[:-1]:
            taken = self._condition(frame, start, block.name, _verdict(names, frozenset(open_)), None)
            chosen.append((taken, value))
            open_ |= names
        result = groups[-1][0]
        for taken, value in reversed(chosen):
            result = choose(self._body, taken, value, result, instruction.name)
        return result

    def _instruction(
        self, frame: _Frame, block: Block, instruction: Instruction, when: Bit
    ) -> LoweredValue | None:
        opcode, operands = instruction.opcode, instruction.operands
        if opcode in BINARY:
            self._integer_only(instruction)
            a, b = (self._node(frame, operand) for operand in operands)
            return lower_binary(self._body, instruction, a, b)
        if opcode in CASTS:
            self._integer_only(instruction)
            return lower_cast(self._body, instruction, self._node(frame, operands[0]))
        match opcode:
            case "icmp":
                a, b = (self._node(frame, operand) for operand in operands)
                return lower_compare(self._body, instruction, a, b)
            case "select":
                condition = self._node(frame, operands[0])
                values = [self._value(frame, operand) for operand in operands[1:]]
                return choose(self._body, condition, values[0], values[1], instruction.name)
            case "phi":
                return self._phi(frame, block, instruction)
            case "freeze":
                return _frozen(self._value(frame, operands[0]))
            case "extractvalue" | "insertvalue":
                return self._aggregate(frame, instruction)
            case "alloca":
                return self._accesses.alloca(instruction)
            case "getelementptr":
                indices = [self._node(frame, operand) for operand in operands[1:]]
                return self._accesses.element_pointer(instruction, self._pointer(frame, operands[0]), indices)
            case "load":
                return self._accesses.load(instruction, self._pointer(frame, operands[0]), when)
            case "store":
                value = self._value(frame, operands[0])
                self._accesses.store(instruction, value, self._pointer(frame, operands[1]), when)
            case "call":
                return self._call(frame, block, instruction, when)
            case "ret":
                frame.returned.append((block.name, self._value(frame, operands[0]) if operands else None))
            case "br" | "switch" | "unreachable":
                pass
            case _:
                raise InputError(f"'{opcode}' on {instruction.type} has no hardware form")
        return None

    def _integer_only(self, instruction: Instruction) -> None:
        if not instruction.width:
            raise InputError(f"'{instruction.opcode}' on {instruction.type} has no hardware form")

    def _aggregate(self, frame: _Frame, instruction: Instruction) -> LoweredValue:
        text = re.sub(r", !\w+ !\d+", "", instruction.text)
        indices = [int(part) for part in _indices(text)]
        aggregate = self._value(frame, instruction.operands[0])
        if instruction.opcode == "extractvalue":
            for index in indices:
                assert isinstance(aggregate, tuple)  # noqa: S101  (LLVM verified the types)
                aggregate = aggregate[index]
            return aggregate
        return _replaced(aggregate, indices, self._value(frame, instruction.operands[1]))

    def _call(self, frame: _Frame, block: Block, instruction: Instruction, when: Bit) -> LoweredValue | None:
        *operands, callee = instruction.operands
        if callee.value_kind != ValueKind.function:
            raise InputError("a call through a function pointer has no hardware form")
        name = str(callee.name)
        if _NO_EFFECT.match(name):
            return None
        if match := _MEMORY_INTRINSIC.match(name):
            self._bulk(frame, match.group(1), operands, when, instruction.location)
            return None
        if name.startswith("llvm."):
            return self._intrinsic(frame, name, instruction, operands)
        if hook := parse_hook(name):
            values = [self._value(frame, operand) for operand in operands]
            return self._streams.lower(hook, instruction, values, when, frame.at(block.name))
        if name not in self._module.functions:
            shown = self._module.declarations.get(name, name)
            raise InputError(f"call to '{shown}', which has no body in this file")
        function = self._module.functions[name]
        arguments = [self._value(frame, operand) for operand in operands]
        for number, parameter in enumerate(function.arguments):
            passed = next(
                (text for text in map(bytes.decode, parameter.attributes) if text.startswith("byval")), None
            )
            if passed is not None:
                size = self._module.size(self._module.type(passed[len("byval(") : -1]))
                source, where = self._pointer(frame, operands[number]), instruction.location
                arguments[number] = byval_copy(self._body, source, size, when, where)
        return self.call(function, arguments, when=when, path=frame.at(block.name))

    def _bulk(
        self, frame: _Frame, kind: str, operands: Sequence[Value], when: Bit, where: Location | None
    ) -> None:
        target, length = self._pointer(frame, operands[0]), self._node(frame, operands[2])
        if kind == "memset":
            self._accesses.fill(target, self._node(frame, operands[1]), length, when, where)
        else:
            self._accesses.copy(target, self._pointer(frame, operands[1]), length, when, where)

    def _intrinsic(
        self, frame: _Frame, name: str, instruction: Instruction, operands: Sequence[Value]
    ) -> LoweredValue:
        short = _TYPE_SUFFIX.sub("", name.removeprefix("llvm."))
        lower = intrinsic(short)
        if lower is None:
            raise InputError(f"the compiler's '{name}' has no hardware form")
        result = lower(self._body, [self._node(frame, operand) for operand in operands])
        if isinstance(result, Node) and result.width != instruction.width:
            raise InputError(f"'{name}' with a result of {instruction.width} bits has no hardware form")
        return result


def _verdict(names: set[str], open_: frozenset[str]) -> Callable[[str, str], bool | None]:
    """Return the outcome of the edges into a phi: taken from `names`, no matter from `open_`."""
    return lambda source, _: None if source in open_ else source in names


def _frozen(value: LoweredValue) -> LoweredValue:
    """Settle an undefined value: from here on each use sees the same bits."""
    if isinstance(value, Node):
        return Node(value.name, value.width, value.constant)
    return value if isinstance(value, Pointer) else tuple(_frozen(part) for part in value)


def _replaced(aggregate: LoweredValue, indices: Sequence[int], value: LoweredValue) -> LoweredValue:
    if not indices:
        return value
    assert isinstance(aggregate, tuple)  # noqa: S101  (LLVM verified the types)
    first, *rest = indices
    return (*aggregate[:first], _replaced(aggregate[first], rest, value), *aggregate[first + 1 :])


def _indices(text: str) -> list[str]:
    """Return the constant indices at the end of ``extractvalue`` or ``insertvalue``."""
    match = re.search(r"((?:, \d+)+)\s*$", text)
    return re.findall(r"\d+", match.group(1)) if match else []
