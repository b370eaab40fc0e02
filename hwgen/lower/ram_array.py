"""Which memory and which row a C++ access to a deep ``static`` array means.

The last dimension of the array is the depth of a memory; the other indices choose one of several memories.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hwgen.errors import InputError
from hwgen.lower.location import Location
from hwgen.lower.rams import MemoryPort, Ram
from hwgen.lower.xls_text import Bit, Body, Node

__all__ = ["Place", "RamArray"]

_POINTER = 64


@dataclass(frozen=True)
class Place:
    """An access: `size` bytes at ``offset + sum(node * scale)``, if `when` holds."""

    offset: int
    terms: Sequence[tuple[Node, int]]
    size: int
    align: int
    when: Bit
    where: Location | None


class RamArray:
    """The memories of one array.

    Parameters
    ----------
    body : Body
        Where the nodes go.
    name : str
        The C++ variable.
    banks, depth : int
        How many memories, and their rows.
    stride : int
        Bytes of an element.
    """

    def __init__(self, body: Body, name: str, *, banks: int, depth: int, stride: int) -> None:
        self._body = body
        self._name = name
        self._stride = stride
        self._bank_bytes = depth * stride
        names = [name if banks == 1 else f"{name}_{bank}" for bank in range(banks)]
        self._rams = [Ram(body, bank, depth, stride) for bank in names]

    def load(self, place: Place) -> Node:
        """Return the bytes at `place`.

        Raises
        ------
        InputError
            For what the memory cannot do in one activation, or an address that cannot become a row.
        """
        row, start = self._row(place)
        word: Node | None = None
        for here, ram in self._banks(place):
            loaded = ram.load(row, self._body.both(place.when, here), place.where)
            word = loaded if word is None else self._body.select(here, loaded, word, hint=self._name)
        if word is None:
            return self._body.undefined(8 * place.size)
        return self._body.slice(word, 8 * start, 8 * place.size)

    def store(self, place: Place, value: Node) -> None:
        """Put bytes at `place`.

        Raises
        ------
        InputError
            As `load`.
        """
        row, start = self._row(place)
        for here, ram in self._banks(place):
            ram.store(row, start, value, self._body.both(place.when, here), place.where)

    def finish(self, token: str) -> list[MemoryPort]:
        """Write requests and responses, and return the ports of the memories that are used."""
        return [port for ram in self._rams if (port := ram.finish(token)) is not None]

    def _banks(self, place: Place) -> Iterator[tuple[Bit, Ram]]:
        """Yield the memories that the place may be in, each with the condition that it is this one."""
        outer = [
            (node, scale // self._bank_bytes) for node, scale in place.terms if scale % self._bank_bytes == 0
        ]
        bank = place.offset // self._bank_bytes
        if len(self._rams) == 1:
            yield True, self._rams[0]
        elif not outer:
            if 0 <= bank < len(self._rams):
                yield True, self._rams[bank]
        else:
            index = self._sum(outer, bank)
            for number, ram in enumerate(self._rams):
                yield self._body.op("eq", 1, index, self._body.literal(number, _POINTER), hint="bank"), ram

    def _row(self, place: Place) -> tuple[Node, int]:
        """Return the row of a place, and at which byte of the element it starts."""
        banks, bits = len(self._rams), self._rams[0].row_bits
        terms = [term for term in place.terms if banks == 1 or term[1] % self._bank_bytes]
        offset = place.offset if banks == 1 else place.offset % self._bank_bytes
        if banks > 1 and terms and offset >= self._stride:
            # With a constant in the sum, the bank would be a guess: a[1][i - 1] and a[0][i + depth - 1].
            raise InputError(
                f"the index of '{self._name}' is a sum with a constant here; keep the index in a variable of "
                "its own, of the width of the index"
            )
        row, start = divmod(offset, self._stride)
        if any(scale % self._stride for _, scale in terms):
            # The compiler wrote the index in bytes, as i << 2; the alignment says that its low bits are zero.
            shift = self._stride.bit_length() - 1
            if self._stride != 1 << shift or place.align < self._stride:
                raise InputError(f"an access to a variable part of an element of memory '{self._name}'")
            total = self._sum(terms, offset)
            index = self._body.op("shrl", _POINTER, total, self._body.literal(shift, 8), hint="row")
            return self._body.slice(index, 0, bits, hint="row"), 0
        if start + place.size > self._stride:
            raise InputError(f"an access to several elements of memory '{self._name}' at once")
        index = self._sum([(node, scale // self._stride) for node, scale in terms], row)
        return self._body.slice(index, 0, bits, hint="row"), start

    def _sum(self, terms: Sequence[tuple[Node, int]], constant: int) -> Node:
        """Return ``sum(node * scale) + constant`` in the width of a C++ pointer."""
        total: Node | None = None
        for node, scale in terms:
            term = self._body.sign_extend(node, _POINTER)
            if scale != 1:
                term = self._body.op("umul", _POINTER, term, self._body.literal(scale, _POINTER), hint="row")
            total = term if total is None else self._body.op("add", _POINTER, total, term, hint="row")
        if total is None:
            return self._body.literal(constant, _POINTER)
        if constant:
            total = self._body.op("add", _POINTER, total, self._body.literal(constant, _POINTER), hint="row")
        return total
