"""Deep ``static`` arrays: memories beside the kernel, each served by one stream of requests.

A request carries what one activation asks of a memory, a load, a store or both, and the memory answers loads
on a second stream. All requests go through one channel in the order of the activations, and a memory loads
before it stores: so an activation's load brings what earlier activations stored, whatever the schedule and
whoever has to wait. Two channels, one for loads and one for stores, would not give this: either could run
ahead of the other.

A request is the word ``{load, store, load row, store row, data}``, the load bit on top; see `MemoryPort`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hwgen.lower.exclusion import exclude_each_other
from hwgen.lower.location import Location, lowering_error
from hwgen.lower.xls_text import Bit, Body, Node

__all__ = ["MemoryPort", "Ram"]


@dataclass(frozen=True)
class MemoryPort:
    """A memory that a kernel needs: channels ``request`` and ``response`` of the proc, and its shape.

    Attributes
    ----------
    request, response : str
        The channels' names.
    depth, width : int
        Rows, and bits of a row.
    """

    request: str
    response: str
    depth: int
    width: int

    @property
    def row_bits(self) -> int:
        """Bits of a row's number."""
        return max(1, (self.depth - 1).bit_length())

    @property
    def request_width(self) -> int:
        """Bits of a request."""
        return 2 + 2 * self.row_bits + self.width


@dataclass(frozen=True)
class _Access:
    """A load or a store: when, which row, where from, and what is stored: first byte -> bytes."""

    when: Bit
    row: Node
    where: Location | None
    parts: dict[int, Node] = field(default_factory=dict)


class Ram:
    """One memory of a proc: at most one load and one store an activation.

    Parameters
    ----------
    body : Body
        Where the nodes go.
    name : str
        The C++ variable.
    depth : int
        Rows.
    size : int
        Bytes of an element in C++' memory: its width, padded.
    """

    def __init__(self, body: Body, name: str, depth: int, size: int) -> None:
        self._body = body
        self._name = name
        self._size = size
        self._depth = depth
        self.row_bits = max(1, (depth - 1).bit_length())
        self._loads: list[_Access] = []
        self._stores: list[_Access] = []
        self._word: Node | None = None

    def load(self, row: Node, when: Bit, where: Location | None) -> Node:
        """Return the element in `row`; the value matters if `when` holds.

        Raises
        ------
        InputError
            If the same activation may load another row, or has stored before.
        """
        for store in self._stores:
            if not exclude_each_other(self._body, store.when, when):
                raise lowering_error(
                    f"memory '{self._name}' is loaded after it was stored to at {store.where}; "
                    "an activation loads first: move the load up",
                    where,
                )
        self._check_alone([load for load in self._loads if load.row != row], when, where, "loaded")
        self._loads.append(_Access(when, row, where))
        if self._word is None:
            self._word = self._body.pending(8 * self._size, f"{self._name}_loaded")
        return self._word

    def store(self, row: Node, start: int, data: Node, when: Bit, where: Location | None) -> None:
        """Put bytes into the element in `row`, from byte `start` on, if `when` holds.

        The compiler may store an element in parts, which follow each other.

        Raises
        ------
        InputError
            If the same activation may store elsewhere as well.
        """
        last = self._stores[-1] if self._stores else None
        if last is not None and (last.row, last.when) == (row, when) and start not in last.parts:
            last.parts[start] = data
            return
        self._check_alone(self._stores, when, where, "stored to")
        self._stores.append(_Access(when, row, where, {start: data}))

    def _check_alone(self, accesses: Sequence[_Access], when: Bit, where: Location | None, done: str) -> None:
        for earlier in accesses:
            if not exclude_each_other(self._body, earlier.when, when):
                raise lowering_error(
                    f"memory '{self._name}' may be {done} twice in one activation "
                    f"(already at {earlier.where}); make the places branches of one if or switch",
                    where,
                )

    def _when(self, accesses: Sequence[_Access]) -> Bit:
        when: Bit = False
        for access in accesses:
            when = self._body.either(when, access.when)
        return when

    def _row(self, accesses: Sequence[_Access]) -> Node:
        row = self._body.literal(0, self.row_bits)
        for number, access in enumerate(accesses):
            row = access.row if number == 0 else self._body.select(access.when, access.row, row, hint="row")
        return row

    def _data(self) -> Node:
        data = self._body.undefined(8 * self._size)
        for access in self._stores:
            parts = dict(sorted(access.parts.items()))
            if sum(part.width for part in parts.values()) != 8 * self._size:
                raise lowering_error(
                    f"a part of an element of memory '{self._name}' is stored; an activation stores one "
                    "whole element",
                    access.where,
                )
            word = self._body.concat([*parts.values()][::-1])
            data = self._body.select(access.when, word, data, hint=f"{self._name}_data")
        return data

    def finish(self, token: str) -> MemoryPort | None:
        """Write the request and the response, and return the port; None if nothing is ever loaded.

        Raises
        ------
        InputError
            If what is asked for depends on the answer.
        """
        word, body = self._word, self._body
        if word is None:
            return None
        data = self._data()
        request, response = body.unique(f"{self._name}_request"), body.unique(f"{self._name}_response")
        port = MemoryPort(request, response, self._depth, max(1, body.significant_bits(data)))
        load, store = self._when(self._loads), self._when(self._stores)
        parts = [body.bit(load), body.bit(store), self._row(self._loads), self._row(self._stores)]
        asked = body.concat([*parts, body.slice(data, 0, port.width)], hint=f"{self._name}_asked")
        self._check_free(word)
        active = _only(body, body.either(load, store))
        sent = body.effect("token", f"send({token}, {asked.name}{active}, channel={request})", "sent")
        answer = f"receive({sent}{_only(body, load)}, channel={response})"
        received = body.effect(f"(token, bits[{port.width}])", answer, f"{self._name}_answer")
        short = Node(body.emit(f"bits[{port.width}]", f"tuple_index({received}, index=1)", "row"), port.width)
        wide = body.zero_extend(short, word.width)
        body.rewrite(word.name, f"bits[{word.width}]", f"identity({wide.name})")
        return port

    def _check_free(self, word: Node) -> None:
        """Raise an error if what is asked for depends on the answer, and say where."""
        for accesses, what in ((self._loads, "where it is loaded"), (self._stores, "what is stored")):
            for access in accesses:
                needed = [access.row, self._body.bit(access.when), *access.parts.values()]
                if word.name in self._body.cone([node.name for node in needed]):
                    raise lowering_error(
                        f"memory '{self._name}': {what} depends on what the same activation loads from it; "
                        "send the loaded word out, and let it come back by a stream",
                        access.where,
                    )


def _only(body: Body, when: Bit) -> str:
    return "" if when is True else f", predicate={body.bit(when).name}"
