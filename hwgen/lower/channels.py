"""Streams: ``hls::stream`` reads and writes as XLS receives and sends.

One activation may read each stream once and write each stream once: that is what initiation interval one
means. Reads at places that exclude each other become a single receive, such writes a single send. A read
that does not wait (``read_nb``) is the same receive with a third result, whether there was a word; what
follows may depend on it, other reads included.

Reads and writes of different streams are not ordered: an activation takes all that it reads, then gives all
that it writes. A C++ kernel that writes before it reads therefore waits for its input first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hwgen.lower.cfg import ControlFlow
from hwgen.lower.exclusion import exclude_each_other
from hwgen.lower.location import Location, lowering_error
from hwgen.lower.xls_text import Bit, Body, Node

__all__ = ["Channel", "Channels", "Path"]


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
class _Use:
    """What an activation does with a port so far.

    That is its node, data, condition, the places that share it, and, of a read that does not wait, the bit
    that says whether there was a word.
    """

    node: str
    data: Node
    when: Bit
    places: tuple[tuple[Path, Location | None], ...]
    valid: Node | None = None


class Channels:
    """The receives and sends of one proc.

    Parameters
    ----------
    body : Body
        Where the nodes go.
    channels : sequence of Channel
        The ports.

    Attributes
    ----------
    token : str
        What every receive and send follows.
    """

    def __init__(self, body: Body, channels: Sequence[Channel]) -> None:
        self._body = body
        self._ports = {channel.name: channel for channel in channels}
        self._uses: dict[str, _Use] = {}
        self.token = body.emit("token", "after_all()", "token")

    def receive(self, name: str, width: int, *, when: Bit, where: Location | None, path: Path) -> Node:
        """Read a stream under a path condition; what is not read is zero.

        Raises
        ------
        InputError
            If one activation may read this stream twice, or the port does not fit.
        """
        return self._read(name, width, when=when, where=where, path=path, waits=True).data

    def poll(self, name: str, width: int, *, when: Bit, where: Location | None, path: Path) -> Node:
        """Read a stream under a path condition if it has a word, and return whether it had.

        Raises
        ------
        InputError
            As `receive`, and if the stream is also read by a read that waits.
        """
        use = self._read(name, width, when=when, where=where, path=path, waits=False)
        assert use.valid is not None  # noqa: S101  (made by this very kind of read)
        return use.valid

    def word(self, name: str) -> Node:
        """Return the word that the last `poll` took."""
        return self._uses[name].data

    @property
    def polls(self) -> bool:
        """Whether any stream is read without waiting."""
        return any(use.valid is not None for use in self._uses.values())

    def _read(
        self, name: str, width: int, *, when: Bit, where: Location | None, path: Path, waits: bool
    ) -> _Use:
        self._check(name, width, where, output=False)
        type_ = f"(token, bits[{width}])" if waits else f"(token, bits[{width}], bits[1])"
        earlier = self._uses.get(name)
        if earlier is None:
            node = self._body.effect(type_, self._receive(name, when, waits), f"{name}_read")
            text = self._body.emit(f"bits[{width}]", f"tuple_index({node}, index=1)", f"{name}_data")
            valid = None
            if not waits:
                valid = Node(self._body.emit("bits[1]", f"tuple_index({node}, index=2)", f"{name}_valid"), 1)
            use = self._uses[name] = _Use(node, Node(text, width), when, ((path, where),), valid)
            return use
        first = earlier.places[0][1]
        if waits != (earlier.valid is None):
            raise lowering_error(
                f"stream '{name}' is read by read() and by read_nb() (the other is at {first}); "
                "use one of the two",
                where,
            )
        either = self._joined(earlier, name, "read", when, where, path)
        if isinstance(either, Node) and earlier.node in self._body.cone([either.name]):
            raise lowering_error(
                f"whether stream '{name}' is read here depends on what the read at {first} brought", where
            )
        self._body.rewrite(earlier.node, type_, self._receive(name, either, waits))
        use = self._uses[name] = replace(earlier, when=either, places=(*earlier.places, (path, where)))
        return use

    def _receive(self, name: str, when: Bit, waits: bool) -> str:
        return self._operation("receive", name, when, options="" if waits else ", blocking=false")

    def send(self, name: str, data: Node, *, when: Bit, where: Location | None, path: Path) -> None:
        """Write a stream under a path condition.

        Raises
        ------
        InputError
            If one activation may write this stream twice, or the port does not fit.
        """
        self._check(name, data.width, where, output=True)
        places: tuple[tuple[Path, Location | None], ...] = ((path, where),)
        if (earlier := self._uses.get(name)) is not None:
            either = self._joined(earlier, name, "written", when, where, path)
            data = self._body.select(when, data, earlier.data, hint=f"{name}_data")
            when, places = either, (*earlier.places, *places)
            self._body.drop_effect(earlier.node)
        node = self._body.effect("token", self._operation("send", name, when, data), f"{name}_sent")
        self._uses[name] = _Use(node, data, when, places)

    def _joined(
        self, earlier: _Use, name: str, done: str, when: Bit, where: Location | None, path: Path
    ) -> Bit:
        """Return when the port is used at this place or an earlier one; the two must exclude each other."""
        apart = all(_exclusive(place, path) for place, _ in earlier.places)
        if not apart and not exclude_each_other(self._body, earlier.when, when):
            places = ", ".join(str(place) for _, place in earlier.places)
            raise lowering_error(
                f"stream '{name}' may be {done} twice in one activation (already at {places}); "
                "make the places branches of one if or switch",
                where,
            )
        return self._body.either(earlier.when, when)

    def unused(self) -> list[str]:
        """Return the ports that the kernel neither reads nor writes."""
        return [name for name in self._ports if name not in self._uses]

    def _operation(self, kind: str, name: str, when: Bit, *data: Node, options: str = "") -> str:
        operands = [self.token, *(node.name for node in data)]
        if when is not True:
            operands.append(f"predicate={self._body.bit(when).name}")
        return f"{kind}({', '.join(operands)}{options}, channel={name})"

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
