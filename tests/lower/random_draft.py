"""A random C++ function while it is being written: its variables, its lines, and where in it we are."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

__all__ = ["NATIVE", "Draft", "Variable"]

NATIVE = {
    **{"unsigned char": 8, "unsigned short": 16, "unsigned": 32, "unsigned long long": 64},
    **{"signed char": 8, "short": 16, "int": 32, "long long": 64},
}


@dataclass
class Variable:
    name: str
    kind: str  # U, S, native, ap_uint, ap_int
    width: int
    type: str
    constant: bool = False

    def read(self, width: int) -> str:
        """Return the variable as ``U<width>``."""
        if self.kind == "ap_uint":
            return f"(U<{width}>){self.name}.bits()"
        if self.kind == "ap_int":
            return f"(U<{width}>)(S<{self.width}>){self.name}.bits()"
        return f"(U<{width}>){self.name}"

    def assign(self, expression: str) -> str:
        """Return the statement that stores an expression of type ``U<self.width>``."""
        if self.kind in ("ap_uint", "ap_int"):
            return f"{self.name} = {self.type}({expression});"
        return f"{self.name} = ({self.type})({expression});"


@dataclass
class Draft:
    """What the makers of statements and expressions share; `trips` counts how often this place is run."""

    rng: random.Random
    name: str
    widest_port: int
    variables: list[Variable] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    depth: int = 1
    counter: int = 0
    trips: int = 1
    output: int = 0
    array_width: int = 0
    helper: str = ""

    def line(self, text: str) -> None:
        self.lines.append("  " * self.depth + text)

    def fresh(self, stem: str) -> str:
        self.counter += 1
        return f"{stem}{self.counter}"

    def target(self) -> Variable:
        return self.rng.choice([variable for variable in self.variables if not variable.constant])
