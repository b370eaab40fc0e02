"""What a verification found, as data, as JSON and as text for people."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["EngineResult", "Mismatch", "VerifyReport", "Word"]


@dataclass(frozen=True, kw_only=True)
class Word:
    """A bit pattern at a port: `bits` in hex with all digits, `value` decoded (empty for random words)."""

    port: str
    bits: str
    value: str

    def __str__(self) -> str:
        return f"{self.port}={self.bits}" + (f" ({self.value})" if self.value else "")


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """A vector on which the witnesses disagree.

    Attributes
    ----------
    index : int
        Position in the sequence of vectors.
    operands : tuple of Word
        In port order.
    results : dict of str to Word
        What each witness says, golden first.
    """

    index: int
    operands: tuple[Word, ...]
    results: dict[str, Word]

    def lines(self) -> list[str]:
        """Return the operands, and under them each different result with the witnesses that agree on it."""
        found: dict[str, list[str]] = {}
        for witness, word in self.results.items():
            found.setdefault(str(word), []).append(witness)
        head = f"vector {self.index}: {'  '.join(map(str, self.operands))}"
        return [head, *(f"    {' = '.join(witnesses)}: {word}" for word, witnesses in found.items())]


@dataclass(frozen=True, kw_only=True)
class EngineResult:
    """How one engine compared with golden.

    Attributes
    ----------
    engine : str
        ``csim``, ``rtl`` or ``cocotb``.
    vectors : int
        Results compared; none is a failure.
    mismatches : int
        Results that differ from golden's.
    seconds : float
        Wall time, builds included.
    note : str
        What was run, if more than that.
    error : str
        Why the engine stopped (deadlock, protocol violation, ...); empty if it did not.
    """

    engine: str
    vectors: int
    mismatches: int
    seconds: float
    note: str = ""
    error: str = ""

    @property
    def passed(self) -> bool:
        """Whether it looked at something, came to its end, and agrees with golden."""
        return self.vectors > 0 and self.mismatches == 0 and not self.error


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    """The outcome of a verification.

    Attributes
    ----------
    name, kind, spec_sha256 : str
        What was verified.
    vectors : int
        Vectors that golden answered.
    coverage : str
        What the vectors are.
    seed : int
        Seed of the random ones, and of the stalls.
    engines : tuple of EngineResult
        Each engine against golden.
    mismatches : tuple of Mismatch
        The first few.
    seconds : float
        Wall time of everything.
    """

    name: str
    kind: str
    spec_sha256: str
    vectors: int
    coverage: str
    seed: int
    engines: tuple[EngineResult, ...]
    mismatches: tuple[Mismatch, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every engine ran and agrees with golden on every vector."""
        return bool(self.engines) and all(engine.passed for engine in self.engines)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {"passed": self.passed, **asdict(self)}

    def lines(self) -> list[str]:
        """Return the report as text, a line each."""
        verdict, relation = ("PASS", " = ") if self.passed else ("FAIL", ", ")
        witnesses = relation.join(["golden", *(engine.engine for engine in self.engines)])
        text = [
            f"{verdict}  {self.name} ({self.kind}): {witnesses}",
            f"  {self.vectors} vectors: {self.coverage}; seed {self.seed}; {self.seconds:.1f} s",
        ]
        for engine in self.engines:
            result = f"{engine.vectors:>9} compared, {engine.mismatches} mismatches"
            note = f", {engine.note}" if engine.note else ""
            text.append(f"  {engine.engine:<6} {result}, {engine.seconds:.1f} s{note}")
            text += [f"         {line}" for line in engine.error.splitlines()]
        for mismatch in self.mismatches:
            text += [f"  {line}" for line in mismatch.lines()]
        return text

    def write(self, folder: Path) -> None:
        """Write ``verify.json`` and ``verify.txt`` into `folder`."""
        (folder / "verify.json").write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")
        (folder / "verify.txt").write_text("\n".join(self.lines()) + "\n", encoding="utf-8")
