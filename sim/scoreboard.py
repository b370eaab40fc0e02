"""Compares results with what the vectors expect, and says what differs."""

from __future__ import annotations

from vectors import Vector, VectorFile

__all__ = ["Scoreboard"]

_SHOWN = 10


class Scoreboard:
    """Collects results in the order of the vectors."""

    def __init__(self, file: VectorFile) -> None:
        self.file = file
        self.checked = 0
        self.mismatches: list[str] = []

    def check(self, got: int | str) -> None:
        """Compare the next result; `got` is a word, or the bits as text if some are X or Z."""
        vector = self.file.vectors[self.checked]
        self.checked += 1
        if got != vector.expected:
            self.mismatches.append(self._describe(vector, got))

    def finish(self) -> None:
        """Raise `AssertionError` unless every vector was checked and none differs."""
        total = len(self.file.vectors)
        assert self.checked == total, f"only {self.checked} of {total} results came"
        if self.mismatches:
            more = len(self.mismatches) - _SHOWN
            rest = [f"... and {more} more"] if more > 0 else []
            head = f"{len(self.mismatches)} of {total} vectors differ:"
            raise AssertionError("\n".join([head, *self.mismatches[:_SHOWN], *rest]))

    def _describe(self, vector: Vector, got: int | str) -> str:
        words = zip(self.file.inputs, vector.operands, strict=True)
        operands = " ".join(f"{port.name}={port.hex(word)}" for port, word in words)
        output = self.file.output
        return (
            f"{self.file.path}:{vector.line}: {operands}:"
            f" expected {output.name}={output.hex(vector.expected)}, got {output.hex(got)}"
        )
