"""Memory as the lowering sees it: small named regions whose contents are wires.

A region is a local array that the compiler kept in memory, a ``static`` variable, a constant table or a wide
argument. Its contents are *cells*, runs of bytes each driven by one node, so that a load of what was stored
gives back that very node. A store on a conditional path becomes a select between the new and the old
contents; blocks are visited in topological order, so one linear history serves all paths. Pointers are a
region and a byte offset that may be a sum of scaled variables.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from hwgen.errors import InputError
from hwgen.lower.location import Location
from hwgen.lower.ram_array import Place, RamArray
from hwgen.lower.xls_text import Bit, Body, Node

__all__ = ["Address", "Pointer", "Region", "load", "store"]

# Beyond this, a variable index into registers costs more multiplexers than any design means to have.
_MAX_INDEXED_ENTRIES = 1024


@dataclass(eq=False)
class Region:
    """A run of `size` bytes.

    Attributes
    ----------
    name : str
        The C++ variable, for messages.
    size : int
        Bytes.
    constant : bool
        Whether stores are refused.
    channel : str or None
        The stream that a pointer to this region denotes; such a region has no contents.
    rams : RamArray or None
        The memories that hold it instead of cells.
    cells : dict
        Byte offset -> node of a multiple of eight bits. Bytes in no cell are undefined.
    """

    name: str
    size: int
    constant: bool = False
    channel: str | None = None
    rams: RamArray | None = None
    cells: dict[int, Node] = field(default_factory=dict)

    def read(self, body: Body, offset: int, size: int) -> Node:
        """Return `size` bytes from `offset` on, the lowest address in the least significant bits."""
        if (exact := self.cells.get(offset)) is not None and exact.width == 8 * size:
            return exact
        parts: list[Node] = []
        at, end = offset, offset + size
        for start in sorted(self.cells):
            node = self.cells[start]
            stop = start + node.width // 8
            if stop <= at or start >= end:
                continue
            if start > at:
                parts.append(body.undefined(8 * (start - at)))
                at = start
            taken = min(stop, end) - at
            parts.append(body.slice(node, 8 * (at - start), 8 * taken))
            at += taken
        if at < end:
            parts.append(body.undefined(8 * (end - at)))
        return body.concat(parts[::-1], hint=self.name)

    def write(self, body: Body, offset: int, node: Node) -> None:
        """Replace the bytes that `node` covers, cutting cells that it covers in part."""
        if (exact := self.cells.get(offset)) is not None and exact.width == node.width:
            self.cells[offset] = node
            return
        end = offset + node.width // 8
        for start in sorted(self.cells):
            old = self.cells[start]
            stop = start + old.width // 8
            if stop <= offset or start >= end:
                continue
            del self.cells[start]
            if start < offset:
                self.cells[start] = body.slice(old, 0, 8 * (offset - start))
            if stop > end:
                self.cells[end] = body.slice(old, 8 * (end - start), 8 * (stop - end))
        self.cells[offset] = node


@dataclass(frozen=True)
class Address:
    """One place that a pointer may denote: ``offset + sum(node * scale)`` bytes into `region`.

    `when` is the condition under which it is this one; the conditions of one pointer's addresses exclude each
    other.
    """

    region: Region
    offset: int = 0
    terms: tuple[tuple[Node, int], ...] = ()
    when: Bit = True

    def moved(self, offset: int, terms: Sequence[tuple[Node, int]] = ()) -> Address:
        """Return the address a further constant and variable distance away."""
        return Address(self.region, self.offset + offset, (*self.terms, *terms), self.when)


@dataclass(frozen=True)
class Pointer:
    """The addresses that a C++ pointer may hold; the null or undefined pointer has none."""

    addresses: tuple[Address, ...]

    def moved(self, offset: int, terms: Sequence[tuple[Node, int]] = ()) -> Pointer:
        """Return the pointer advanced by ``offset + sum(node * scale)`` bytes."""
        return Pointer(tuple(address.moved(offset, terms) for address in self.addresses))

    def given(self, body: Body, condition: Bit) -> tuple[Address, ...]:
        """Return the addresses, each under `condition` as well."""
        return tuple(
            Address(item.region, item.offset, item.terms, body.both(condition, item.when))
            for item in self.addresses
        )


@dataclass(frozen=True)
class _Slots:
    """The places that a variable address can reach: offsets, and the node that counts through them."""

    offsets: range
    index: Node


def _slots(body: Body, address: Address, size: int, align: int) -> _Slots:
    """Turn ``offset + sum(node * scale)`` into an index into equally spaced places."""
    region = address.region
    stride = math.gcd(*(scale for _, scale in address.terms))
    index = _sum(body, address, stride)
    finer, remainder = divmod(size, stride)
    if (
        finer > 1
        and remainder == 0
        and finer & (finer - 1) == 0
        and align >= size
        and address.offset % stride == 0
    ):
        # The compiler wrote the index in bytes, as i << 1; the alignment says that its low bits are zero.
        index = body.op("add", 64, index, body.literal(address.offset // stride, 64), hint="index")
        index = body.op("shrl", 64, index, body.literal(finer.bit_length() - 1, 8), hint="index")
        offsets = range(0, region.size - size + 1, size)
    else:
        first = address.offset % stride
        if skipped := (address.offset - first) // stride:
            index = body.op("add", 64, index, body.literal(skipped, 64), hint="index")
        offsets = range(first, region.size - size + 1, stride)
    if not offsets:
        raise InputError(f"no element of '{region.name}' can be accessed here")
    if len(offsets) > _MAX_INDEXED_ENTRIES and not region.constant:
        raise InputError(
            f"'{region.name}' has {len(offsets)} elements and is indexed by a variable: "
            f"more than {_MAX_INDEXED_ENTRIES} do not fit registers"
        )
    bits = max(1, (len(offsets) - 1).bit_length())
    return _Slots(offsets, body.slice(index, 0, bits, hint="index"))


def _sum(body: Body, address: Address, stride: int) -> Node:
    """Return ``sum(node * scale) / stride`` in 64 bits, the width of a C++ pointer."""
    total: Node | None = None
    for node, scale in address.terms:
        term = body.sign_extend(node, 64)
        if scale != stride:
            term = body.op("umul", 64, term, body.literal(scale // stride, 64), hint="index")
        total = term if total is None else body.op("add", 64, total, term, hint="index")
    assert total is not None  # noqa: S101  (called with terms only)
    return total


def _load_one(body: Body, address: Address, size: int, align: int, when: Bit, where: Location | None) -> Node:
    region = address.region
    if region.rams is not None:
        condition = body.both(when, address.when)
        return region.rams.load(Place(address.offset, address.terms, size, align, condition, where))
    if region.channel is not None:
        raise InputError(
            f"stream '{region.channel}' is used as data; only read() and write() have a hardware form"
        )
    if not address.terms:
        if not _inside(address, size, when):
            return body.undefined(8 * size)
        return region.read(body, address.offset, size)
    slots = _slots(body, address, size, align)
    entries = [region.read(body, offset, size) for offset in slots.offsets]
    # Every index that C++ allows is in range, so filling up to a power of two needs no bounds check in
    # hardware.
    entries += [entries[-1]] * ((1 << slots.index.width) - len(entries))
    return body.lookup(entries, slots.index, hint=region.name)


def load(
    body: Body, pointer: Pointer, size: int, *, align: int, when: Bit, where: Location | None = None
) -> Node:
    """Return the `size` bytes that `pointer` denotes; the value matters if the path condition `when` holds.

    `where` is the C++ line of the access.

    Raises
    ------
    InputError
        For an access that cannot become wires; the message names the variable.
    """
    if not pointer.addresses:
        return body.undefined(8 * size)
    *others, last = pointer.addresses
    value = _load_one(body, last, size, align, when, where)
    for address in others:
        value = body.select(address.when, _load_one(body, address, size, align, when, where), value)
    return value


def store(
    body: Body, pointer: Pointer, value: Node, *, align: int, when: Bit, where: Location | None = None
) -> None:
    """Write `value` (whole bytes) where `pointer` points if the path condition `when` holds.

    `where` is the C++ line of the access.

    Raises
    ------
    InputError
        For a store to a constant, outside a variable, or with an index that cannot become wires.
    """
    size = value.width // 8
    for address in pointer.addresses:
        region = address.region
        if region.constant or region.channel is not None:
            raise InputError(f"'{region.name}' cannot be written here")
        alone = len(pointer.addresses) == 1
        condition = when if alone else body.both(when, address.when)
        if region.rams is not None:
            place = Place(address.offset, address.terms, size, align, condition, where)
            region.rams.store(place, value)
            continue
        if not address.terms:
            if not _inside(address, size, condition):
                continue
            old = region.read(body, address.offset, size)
            region.write(body, address.offset, body.select(condition, value, old, hint=region.name))
            continue
        slots = _slots(body, address, size, align)
        for number, offset in enumerate(slots.offsets):
            here = body.op("eq", 1, slots.index, body.literal(number, slots.index.width), hint="here")
            old = region.read(body, offset, size)
            # Undefined old contents must not swallow the test: other elements keep theirs.
            new = body.select(body.both(condition, here), value, old, hint=region.name)
            region.write(body, offset, new)


def _inside(address: Address, size: int, when: Bit) -> bool:
    """Tell whether an access is inside its region; outside is an error unless it may never happen."""
    if 0 <= address.offset <= address.region.size - size:
        return True
    if when is True:
        raise InputError(
            f"access to bytes {address.offset}..{address.offset + size - 1} of '{address.region.name}', "
            f"which has {address.region.size}"
        )
    return False
