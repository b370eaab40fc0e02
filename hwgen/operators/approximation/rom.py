"""A table of integers as C++ has it: an array of the smallest native type, or an expression without one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hwgen.operators.approximation.cost import signed_bits, unsigned_bits

__all__ = ["Table"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Table:
    """An array of integers, or one integer if all entries are equal.

    Attributes
    ----------
    name : str
        C++ name of the array.
    values : ndarray of int64
    holds : str
        What the entries are.
    """

    name: str
    values: Integers
    holds: str

    @property
    def constant(self) -> bool:
        """Whether all entries are equal, so that no array is needed."""
        return bool(np.all(self.values == self.values[0]))

    @property
    def line(self) -> int | None:
        """The k for which every entry is its index times 2^k, so that no array is needed; else None."""
        if len(self.values) < 2 or (step := int(self.values[1])) <= 0 or step & (step - 1):
            return None
        k = step.bit_length() - 1
        return k if np.array_equal(self.values, np.arange(len(self.values)) << k) else None

    @property
    def signed(self) -> bool:
        """Whether there are negative entries."""
        return bool(np.any(self.values < 0))

    @property
    def bits(self) -> int:
        """Bits of an entry, at least 1."""
        return max(signed_bits(self.values) if self.signed else unsigned_bits(self.values), 1)

    @property
    def word(self) -> str:
        """The `ap_int` or `ap_uint` of an entry."""
        return f"ap_{'' if self.signed else 'u'}int<{self.bits}>"

    @property
    def storage(self) -> str:
        """Smallest native type of an entry."""
        size = next(size for size in (8, 16, 32) if self.bits <= size)
        native = {8: "char", 16: "short", 32: "int"}[size]
        return f"{'signed' if self.signed else 'unsigned'} {native}"

    def read(self, index: str) -> str:
        """Return the C++ expression of an entry."""
        if self.line is not None:
            return f"(ap_uint<{self.bits}>({index}) << {self.line})" if self.line else f"{self.word}({index})"
        return f"{self.word}({self.values[0] if self.constant else f'{self.name}[{index}]'})"

    def lines(self, columns: int = 116) -> list[str]:
        """Return the entries as lines of at most `columns` characters."""
        words = [f"{value}," for value in self.values.tolist()]
        width = max(map(len, words)) + 1
        per_line = max(columns // width, 1)
        return [
            "".join(f"{word:>{width}}" for word in words[start : start + per_line]).lstrip()
            for start in range(0, len(words), per_line)
        ]
