"""The statuses of a trainer core: one beat of 128 bits for every command."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

from hwgen.trainer.commands import FieldRow, bits, pack_fields, unpack_fields

__all__ = ["STATUS_BITS", "Code", "Status", "rounding_payload", "status_table"]

STATUS_BITS = 128
COUNT_BITS = 24
"""Of saturated elements in the payload of a command that rounds; above is an exponent."""


class Code(IntEnum):
    """What became of a command.

    The first that applies is reported, in the order opcode, width, shape, address; these are known before
    anything runs, and a command refused for one of them changes no memory.
    """

    OK = 0
    OPCODE = 1
    WIDTH = 2
    ADDRESS = 3
    SHAPE = 4
    EARLY_END = 5
    LATE_END = 6
    STOPPED = 7
    NOT_FINITE = 8
    OVERFLOW = 9

    @property
    def meaning(self) -> str:
        """One phrase for people."""
        return _MEANINGS[self]

    @property
    def refused(self) -> bool:
        """Whether the command has not run at all."""
        return self in (Code.OPCODE, Code.WIDTH, Code.SHAPE, Code.ADDRESS)


_MEANINGS = {
    Code.OK: "done",
    Code.OPCODE: "unknown opcode",
    Code.WIDTH: "width out of range",
    Code.ADDRESS: "address beyond a memory",
    Code.SHAPE: "empty or impossible shape",
    Code.EARLY_END: "frame ended early",
    Code.LATE_END: "frame too long",
    Code.STOPPED: "frame stopped",
    Code.NOT_FINITE: "number that is not finite",
    Code.OVERFLOW: "accumulator overflow",
}


@dataclass(frozen=True)
class Status:
    """The answer to a command."""

    number: int = bits(16, "commands before this one since reset, modulo 2^16, refused ones included")
    opcode: int = bits(8, "of the command")
    code: int = bits(8, "what became of it")
    info: int = bits(32, "cycles in which its stage did useful work")
    payload: int = bits(
        64, "counter, exponent (signed), saturated elements or norm: whatever the command finds"
    )

    def encode(self) -> int:
        """Return the beat of the status."""
        return pack_fields(status_table(), vars(self))

    @property
    def exponent(self) -> int:
        """The payload of a command that measures."""
        return self.payload - (self.payload >> 63 << 64)

    @property
    def saturated(self) -> int:
        """The elements that saturated, of a command that rounds."""
        return self.payload & (1 << COUNT_BITS) - 1

    @property
    def asked_for(self) -> int:
        """The exponent that would have fitted the elements that a command has rounded by another one."""
        return self.exponent >> COUNT_BITS

    @classmethod
    def decode(cls, word: int) -> Status:
        """Return the status in a beat."""
        return cls(**unpack_fields(status_table(), word))


def rounding_payload(saturated: int, asked_for: int) -> int:
    """Return the payload of a command that rounds."""
    return (asked_for << COUNT_BITS) | saturated


def status_table() -> tuple[FieldRow, ...]:
    """Return where the fields of a status lie."""
    return _TABLE


def _table() -> tuple[FieldRow, ...]:
    rows, low = [], 0
    for item in fields(Status):
        width = item.metadata["width"]
        rows.append(FieldRow("status", item.name, low, width, False, item.metadata["meaning"]))
        low += width
    return tuple(rows)


_TABLE = _table()
