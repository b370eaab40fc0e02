"""Test vectors of an emitted project: the ports in ``manifest.json``, the words in ``tb/vectors.txt``.

Each line of the vector file is one vector: the input words in port order, then the expected result, all in
hex; ``#`` starts a comment. Where the manifest says that the rate varies, any number of results may follow
the operands, or none. No simulator is needed here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

__all__ = ["Port", "Result", "Vector", "VectorFile", "read_vectors"]


@dataclass(frozen=True)
class Port:
    """A port of the design: name and width in bits."""

    name: str
    width: int

    def hex(self, word: int | str) -> str:
        """Write `word` with all digits of the port; what is no number (X or Z bits) as it is."""
        return word if isinstance(word, str) else f"{word:#0{2 + -(-self.width // 4)}x}"


@dataclass(frozen=True)
class Vector:
    """Operands in port order and the results they must release; `line` is where they were read."""

    line: int
    operands: tuple[int, ...]
    expected: tuple[int, ...]


@dataclass(frozen=True)
class Result:
    """A word that must come, in the order of the vectors, and the vector that releases it."""

    vector: Vector
    expected: int


@dataclass(frozen=True)
class VectorFile:
    """A design's name, interface (``function`` or ``stream``), ports, vectors, and their results in order."""

    path: Path
    name: str
    interface: str
    inputs: tuple[Port, ...]
    output: Port
    vectors: tuple[Vector, ...]

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """All results in order."""
        return tuple(Result(vector, word) for vector in self.vectors for word in vector.expected)


def read_vectors(project: Path, path: Path) -> VectorFile:
    """Read the vector file `path` of the project in folder `project`.

    Raises
    ------
    ValueError
        If there is no vector or no result, or a line is not one hex word for each port.
    """
    manifest = json.loads((project / "manifest.json").read_text(encoding="utf-8"))
    inputs = tuple(Port(port["name"], port["width"]) for port in manifest["inputs"])
    output = Port(manifest["output"]["name"], manifest["output"]["width"])
    varies = manifest.get("variable_rate", False)
    vectors = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = text.partition("#")[0].split()
        if not words:
            continue
        try:
            values = [int(word, 16) for word in words]
        except ValueError:
            raise ValueError(f"{path}:{number}: not hex words: {text!r}") from None
        results = len(values) - len(inputs)
        ports = (*inputs, *[output] * results)
        legal = results >= 0 if varies else results == 1
        if not legal or any(v >> p.width for v, p in zip(values, ports, strict=True)):
            ports = (*inputs, output)
            widths = ", ".join(f"{port.name}: {port.width} bits" for port in ports)
            raise ValueError(f"{path}:{number}: needs one word for each port ({widths}), got {text!r}")
        vectors.append(Vector(number, tuple(values[: len(inputs)]), tuple(values[len(inputs) :])))
    if not any(vector.expected for vector in vectors):
        raise ValueError(f"{path}: no vectors; a check that looks at nothing is a failed check")
    return VectorFile(path, manifest["name"], manifest["interface"], inputs, output, tuple(vectors))
