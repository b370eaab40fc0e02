"""Calls of ``hls::stream``'s hooks: how their data travels in LLVM IR, and which channel they mean.

Data of 65 to 127 bits travels as two words, the low one first, longer data through memory.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hwgen.errors import InputError
from hwgen.lower.channels import Channels, Path
from hwgen.lower.llvm import Instruction
from hwgen.lower.memory import Pointer, load, store
from hwgen.lower.values import LoweredValue
from hwgen.lower.xls_text import Bit, Body, Node

__all__ = ["StreamCalls", "parse_hook"]

_WORD = 64
"""Bits of a register of x86-64, whose calling convention the IR follows."""

_HOOK = re.compile(r"__hwgen_(receive|send|poll|polled)ILi(\d+)E")


def parse_hook(function: str) -> tuple[str, int] | None:
    """Return what a mangled stream hook does and its width in bits.

    ``receive`` and ``send`` wait; ``poll`` takes a word if there is one and says so, ``polled`` is that word.
    """
    match = _HOOK.search(function)
    return (match.group(1), int(match.group(2))) if match else None


class StreamCalls:
    """Lowers the hooks of one top; `channels` is None if it is no kernel."""

    def __init__(self, body: Body, channels: Channels | None) -> None:
        self._body = body
        self._channels = channels

    def lower(
        self,
        hook: tuple[str, int],
        instruction: Instruction,
        operands: Sequence[LoweredValue],
        when: Bit,
        path: Path,
    ) -> LoweredValue | None:
        """Lower one call with these operands and return its result.

        Raises
        ------
        InputError
            If the stream is no port, or may not be used here.
        """
        kind, width = hook
        where = instruction.location
        if kind == "send":
            sent = self._sent(operands[1:], width, when)
            for name, here in self._ports(operands[0]):
                only = self._body.both(when, here)
                self._of_kernel.send(name, sent, when=only, where=where, path=path)
            return None
        in_memory = kind != "poll" and not instruction.width and not _WORD < width < 2 * _WORD
        data: Node | None = None
        for name, here in self._ports(operands[1 if in_memory else 0]):
            only = self._body.both(when, here)
            if kind == "poll":
                word = self._of_kernel.poll(name, width, when=only, where=where, path=path)
            elif kind == "polled":
                word = self._of_kernel.word(name)
            else:
                word = self._of_kernel.receive(name, width, when=only, where=where, path=path)
            data = word if data is None else self._body.select(here, word, data, hint=name)
        assert data is not None  # noqa: S101  (there is a port)
        if in_memory:
            padded = self._body.zero_extend(data, 8 * ((width + 63) // 64 * 8))
            store(self._body, _pointer(operands[0]), padded, align=1, when=when)
            return None
        if instruction.width:
            # Words of 33 to 63 bits come in a whole register.
            return self._body.zero_extend(data, instruction.width)
        padded = self._body.zero_extend(data, 2 * _WORD)
        return tuple(self._body.slice(padded, start, _WORD) for start in (0, _WORD))

    @property
    def _of_kernel(self) -> Channels:
        assert self._channels is not None  # noqa: S101  (a region has a channel only in a proc)
        return self._channels

    def _sent(self, operands: Sequence[LoweredValue], width: int, when: Bit) -> Node:
        data = operands[0]
        if isinstance(data, Pointer):
            data = load(self._body, data, (width + 7) // 8, align=1, when=when)
        if len(operands) == 2 and isinstance(data, Node) and isinstance(operands[1], Node):
            data = self._body.concat([operands[1], data])
        if not isinstance(data, Node):
            raise InputError("only integers can be written to a stream")
        return self._body.slice(data, 0, width)

    def _ports(self, stream: LoweredValue) -> list[tuple[str, Bit]]:
        """Return the ports that a stream may be, each with the condition that it is this one.

        The compiler makes one call with a chosen stream of two calls in the branches of an ``if``.
        """
        ports: dict[str, Bit] = {}
        for address in _pointer(stream).addresses:
            name = address.region.channel
            if name is None:
                raise InputError("this stream is no port of the kernel")
            ports[name] = self._body.either(ports.get(name, False), address.when)
        if not ports:
            raise InputError("this stream is no port of the kernel")
        return list(ports.items())


def _pointer(value: LoweredValue) -> Pointer:
    assert isinstance(value, Pointer)  # noqa: S101  (the hooks' declarations say so)
    return value
