"""Ports: words of bits, and the elements they are made of.

Every port of a unit is one word, however many numbers it holds; hardware, vector files and engines see only
words. `Field` says what is inside. Arrays of a port's patterns have one integer for a port of one number, and
a last axis of elements for a packed one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.formats import BlockFormat, ExponentFormat, FixedFormat, FloatFormat, PositFormat
from hwgen.formats.checks import storage_dtype
from hwgen.operators.packing import integers_of_words, pack, unpack, words_of_integers

__all__ = ["ElementFormat", "Field", "Port"]

ElementFormat = FloatFormat | FixedFormat | PositFormat | ExponentFormat
"""The formats that one element of a word can have."""

Bits = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class Field:
    """`count` equal elements of a word, each of `width` bits that hold `format`, or plain bits if None."""

    name: str
    width: int
    format: ElementFormat | None = None
    count: int = 1


@dataclass(frozen=True)
class Port:
    """One port of a unit.

    Attributes
    ----------
    name : str
        A C identifier.
    fields : tuple of Field
        From the lowest bits up.
    packed : bool
        Whether arrays of this port have a last axis of elements.
    holds : str
        What is in it, for people; empty where the fields' formats say it.
    """

    name: str
    fields: tuple[Field, ...]
    packed: bool = False
    holds: str = ""

    @classmethod
    def scalar(cls, name: str, format_: ElementFormat) -> Port:
        """Return a port that holds one number."""
        return cls(name, (Field("value", format_.width, format_),))

    @classmethod
    def bits(cls, name: str, width: int, holds: str, *, count: int = 1) -> Port:
        """Return a port of plain bits, such as a control signal; packed if it has more than one element."""
        return cls(name, (Field("value", width, None, count),), packed=count > 1, holds=holds)

    @classmethod
    def vector(cls, name: str, format_: ElementFormat, count: int) -> Port:
        """Return a packed port of `count` numbers, element 0 lowest."""
        return cls(name, (Field("element", format_.width, format_, count),), packed=True)

    @classmethod
    def block(cls, name: str, format_: BlockFormat, count: int) -> Port:
        """Return a packed port of `count` elements of a block and, above them, their scale."""
        element = Field("element", format_.element.width, format_.element, count)
        return cls(
            name,
            (element, Field("scale", format_.scale_width, format_.scale_format)),
            packed=True,
            holds=f"{count} elements of {format_.name} and, on top, their scale",
        )

    @classmethod
    def struct(cls, name: str, *fields: Field, holds: str = "") -> Port:
        """Return a packed port of several fields, the first lowest."""
        return cls(name, fields, packed=True, holds=holds)

    def repeated(self, count: int) -> Port:
        """Return the port of `count` lanes, each with all fields of this one, lane 0 lowest."""
        if len(self.fields) == 1:
            (field,) = self.fields
            fields: tuple[Field, ...] = (Field(field.name, field.width, field.format, field.count * count),)
        else:
            fields = tuple(
                Field(f"{field.name}{lane}", field.width, field.format, field.count)
                for lane in range(count)
                for field in self.fields
            )
        holds = f"{count} lanes, lane 0 lowest, each {self.holds}" if self.holds else ""
        return Port(self.name, fields, packed=True, holds=holds)

    @cached_property
    def layout(self) -> tuple[int, ...]:
        """Width of each element of the word, the lowest first."""
        return tuple(field.width for field in self.fields for _ in range(field.count))

    @cached_property
    def width(self) -> int:
        """Bits of the word."""
        return sum(self.layout)

    @property
    def elements(self) -> int:
        """Number of elements of the word."""
        return len(self.layout)

    @property
    def format(self) -> ElementFormat | None:
        """The format of a port that holds one number, else None."""
        return None if self.packed else self.fields[0].format

    @property
    def element_formats(self) -> tuple[ElementFormat | None, ...]:
        """Format of each element of the word, the lowest first."""
        return tuple(field.format for field in self.fields for _ in range(field.count))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Smallest unsigned NumPy type that holds every element."""
        return storage_dtype(max(self.layout))

    def shape(self, leading: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of an array of this port over words of the shape `leading`."""
        return (*leading, self.elements) if self.packed else tuple(leading)

    def leading(self, array: NDArray[Any]) -> tuple[int, ...]:
        """Return the shape of the words of an array of this port.

        Raises
        ------
        ValueError
            If the port is packed and the last axis is not that of its elements.
        """
        if not self.packed:
            return array.shape
        if array.ndim == 0 or array.shape[-1] != self.elements:
            raise ValueError(
                f"an array of port {self.name!r} needs a last axis of {self.elements} elements, "
                f"not the shape {array.shape}"
            )
        return array.shape[:-1]

    def words(self, array: NDArray[Any]) -> list[int]:
        """Return the words of an array with one leading axis, as Python integers."""
        packed = pack(array, self.layout) if self.packed else array
        return integers_of_words(packed, self.width)

    def array(self, words: Sequence[int]) -> Bits:
        """Return the array of a list of words: the inverse of `words`."""
        if not self.packed:
            return np.array(words, dtype=self.dtype)
        return unpack(words_of_integers(words, self.width), self.layout)
