"""Streams: ``hls::stream`` reads and writes as XLS receives and sends.

One activation may read each stream at one place and write each stream once: that is what initiation interval
one means. Writes on paths that exclude each other become a single send.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.lower.cfg import ControlFlow
from hwgen.lower.location import Location, lowering_error
from hwgen.lower.xls_text import Bit, Body, Node

__all__ = ["Channel", "Channels", "Path", "parse_hook"]

_HOOK = re.compile(r"__hwgen_(receive|send)ILi(\d+)E")


def parse_hook(function: str) -> tuple[str, int] | None:
    """Return what a mangled stream hook does (``receive`` or ``send``) and its width in bits."""
    match = _HOOK.search(function)
    return (match.group(1), int(match.group(2))) if match else None


@dataclass(frozen=True)
class Channel:
    """A streaming port of a proc: `width` bits, an input unless `output`."""

    name: str
    width: int
    output: bool

    def declaration(self, number: int) -> str:
        """Return the XLS channel declaration."""
        ops = "send_only" if self.output else "receive_only"
        return (
            f"chan {self.name}(bits[{self.width}], id={number}, kind=streaming, ops={ops}, "
            "flow_control=ready_valid, strictness=proven_mutually_exclusive)"
        )


Path = tuple[tuple[ControlFlow, str], ...]
"""Where a call happens: the graph and block of each function on the way from the top."""


@dataclass(frozen=True)
class _Send:
    """A send already written: its line in the body, token before and after it, and what it sends when."""

    line: int
    before: str
    after: str
    data: Node
    when: Bit
    where: Location | None
    path: Path


class Channels:
    """The receives and sends of one proc, chained by a token in program order.

    Parameters
    ----------
    body : Body
        Where the nodes go.
    channels : sequence of Channel
        The ports.
    """

    def __init__(self, body: Body, channels: Sequence[Channel]) -> None:
        self._body = body
        self._ports = {channel.name: channel for channel in channels}
        self._received: dict[str, Location | None] = {}
        self._sent: dict[str, _Send] = {}
        self._token = body.emit("token", "after_all()", "token")

    def receive(self, name: str, width: int, *, when: Bit, where: Location | None) -> Node:
        """Read a stream under a path condition; what is not read is zero.

        Raises
        ------
        InputError
            If the activation reads this stream at another place already, or the port does not fit.
        """
        self._check(name, width, where, output=False)
        if name in self._received:
            raise lowering_error(
                f"stream '{name}' is read at a second place in one activation "
                f"(first at {self._received[name]}): read it once, before the branches that use it",
                where,
            )
        self._received[name] = where
        expression = f"receive({self._token}{self._predicate(when)}, channel={name})"
        read = self._body.effect(f"(token, bits[{width}])", expression, f"{name}_read")
        self._token = self._body.emit("token", f"tuple_index({read}, index=0)", "token")
        return Node(self._body.emit(f"bits[{width}]", f"tuple_index({read}, index=1)", f"{name}_data"), width)

    def send(self, name: str, data: Node, *, when: Bit, where: Location | None, path: Path) -> None:
        """Write a stream under a path condition.

        Raises
        ------
        InputError
            If one activation may write this stream twice, or the port does not fit.
        """
        self._check(name, data.width, where, output=True)
        if (earlier := self._sent.get(name)) is not None:
            if not _exclusive(earlier.path, path):
                raise lowering_error(
                    f"stream '{name}' may be written twice in one activation (first at {earlier.where})",
                    where,
                )
            # The one send takes over: here, where the data of both are known.
            self._body.lines[earlier.line] = f"  {earlier.after}: token = after_all({earlier.before})"
            data = self._body.select(when, data, earlier.data, hint=f"{name}_data")
            when = self._body.either(when, earlier.when)
        before = self._token
        expression = f"send({before}, {data.name}{self._predicate(when)}, channel={name})"
        self._token = self._body.effect("token", expression, f"{name}_sent")
        self._sent[name] = _Send(len(self._body.lines) - 1, before, self._token, data, when, where, path)

    def unused(self) -> list[str]:
        """Return the ports that the kernel neither reads nor writes."""
        return [name for name in self._ports if name not in self._received and name not in self._sent]

    def _predicate(self, when: Bit) -> str:
        return "" if when is True else f", predicate={self._body.bit(when).name}"

    def _check(self, name: str, width: int, where: Location | None, *, output: bool) -> None:
        port = self._ports[name]
        if port.output != output:
            wrong, right = ("written", "input") if output else ("read", "output")
            raise lowering_error(f"stream '{name}' is {wrong} but is an {right} of the kernel", where)
        if port.width != width:
            raise lowering_error(
                f"stream '{name}' carries {port.width} bits, but {width} are used here", where
            )


def _exclusive(a: Path, b: Path) -> bool:
    """Tell whether two places can never both be reached in one activation."""
    for (graph, block), (other_graph, other_block) in zip(a, b, strict=False):
        if graph is not other_graph:
            return False
        if block != other_block:
            return not graph.reaches(block, other_block) and not graph.reaches(other_block, block)
    return False
