"""Compares results with what the vectors expect, and says what differs."""

from __future__ import annotations

from vectors import Result, VectorFile

__all__ = ["Scoreboard"]

_SHOWN = 10


class Scoreboard:
    """Collects results in the order of the vectors.

    Attributes
    ----------
    checked : int
        Results compared so far.
    mismatches : int
        How many of them differ.
    differences : list of (int, int or str)
        The first of those: position in the results, and what the design gave.
    """

    def __init__(self, file: VectorFile) -> None:
        self.file = file
        self.checked = 0
        self.mismatches = 0
        self.differences: list[tuple[int, int | str]] = []

    def check(self, got: int | str) -> None:
        """Compare the next result; `got` is a word, or the bits as text if some are X or Z."""
        if got != self.file.results[self.checked].expected:
            self.mismatches += 1
            if len(self.differences) < _SHOWN:
                self.differences.append((self.checked, got))
        self.checked += 1

    def finish(self) -> None:
        """Raise `AssertionError` unless every vector was checked and none differs."""
        total = len(self.file.results)
        assert self.checked == total, f"only {self.checked} of {total} results came"
        if self.mismatches:
            more = self.mismatches - len(self.differences)
            lines = [self._describe(self.file.results[index], got) for index, got in self.differences]
            lines += [f"... and {more} more"] if more else []
            raise AssertionError("\n".join([f"{self.mismatches} of {total} results differ:", *lines]))

    def _describe(self, result: Result, got: int | str) -> str:
        vector = result.vector
        words = zip(self.file.inputs, vector.operands, strict=True)
        operands = " ".join(f"{port.name}={port.hex(word)}" for port, word in words)
        output = self.file.output
        return (
            f"{self.file.path}:{vector.line}: {operands}:"
            f" expected {output.name}={output.hex(result.expected)}, got {output.hex(got)}"
        )
