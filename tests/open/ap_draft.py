"""A C++ program over ap_int under construction: operands of random widths, numbered statements.

What is printed of them, and how often, is in `observe.h` and `Program.source`; which expressions are worth
trying is `ap_programs`' business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random

__all__ = ["NATIVE", "Operand", "Program"]

NATIVE = {
    "bool": (1, False),
    "char": (8, True),
    "signed char": (8, True),
    "unsigned char": (8, False),
    "short": (16, True),
    "unsigned short": (16, False),
    "int": (32, True),
    "unsigned": (32, False),
    "long": (64, True),
    "unsigned long": (64, False),
    "long long": (64, True),
    "unsigned long long": (64, False),
}


@dataclass(frozen=True)
class Operand:
    """An expression, as an operator sees it: its kind, and the width and sign that division looks at."""

    text: str
    kind: str
    width: int
    signed: bool
    const: bool = False


@dataclass
class Program:
    """C++ source under construction: declarations of operands, then numbered statements.

    All operands have one of a few widths: a new one costs the compilers more than ten new expressions do.
    """

    random: Random
    widths: list[int]
    trials: int = 12
    declarations: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    placed: int = 0

    @classmethod
    def seeded(cls, seed: int, *, limit: int) -> Program:
        """Return an empty program with four random widths up to `limit`."""
        random = Random(seed)
        return cls(random, [_width(random, limit) for _ in range(4)])

    def width(self) -> int:
        """Return one of the program's widths."""
        return self.random.choice(self.widths)

    def whole(self, width: int, signed: bool, *, load: str = "load", const: bool = False) -> Operand:
        """Declare an ap_(u)int."""
        name = f"v{len(self.declarations)}"
        kind = f"ap_{'' if signed else 'u'}int<{width}>"
        self.declarations.append(f"{kind} {name}; {load}({name});")
        if const:
            self.declarations.append(f"const {kind}& c{name} = {name};")
            name = "c" + name
        return Operand(name, "whole", width, signed, const)

    def native(self, kind: str, *, load: str = "load") -> Operand:
        """Declare a native integer."""
        name = f"n{len(self.declarations)}"
        self.declarations.append(f"{kind} {name}; {load}({name});")
        return Operand(name, "native", *NATIVE[kind])

    def range(self, of: Operand, *, full: bool = False) -> Operand:
        """Select a range, sometimes with indices that the compiler does not know."""
        low = 0 if full else self.random.randrange(of.width)
        high = of.width - 1 if full else self.random.randrange(low, of.width)
        if self.random.random() < 0.3:
            text = f"{of.text}(zero + {high}, zero + {low})"
        else:
            text = self.random.choice((f"{of.text}({high}, {low})", f"{of.text}.range({high}, {low})"))
        return Operand(text, "range", of.width, False)

    def bit(self, of: Operand) -> Operand:
        """Select a bit."""
        index = self.random.randrange(of.width)
        return Operand(f"{of.text}[{self.random.choice(('', 'zero + '))}{index}]", "bit", 1, False)

    def concat(self, *parts: Operand) -> Operand:
        """Concatenate two parts or more."""
        text = "(" + ", ".join(part.text for part in parts) + ")"
        return Operand(text, "concat", sum(part.width for part in parts), False)

    def show(self, expression: str) -> None:
        """Print an expression's value and type."""
        self.statements.append(f"show({len(self.statements)}, {expression});")

    def run(self, before: str, *results: str) -> None:
        """Run statements on their own copies, then print results."""
        shows = " ".join(f"show({len(self.statements)}, {result});" for result in results)
        self.statements.append("{ " + before + " " + shows + " }")

    def close(self) -> None:
        """Put the statements since the last call, and their operands, into functions of bounded size."""
        size = 50
        while self.placed < len(self.statements):
            lines = "\n  ".join([*self.declarations, *self.statements[self.placed : self.placed + size]])
            name = f"part{self.placed}"
            self.functions.append(
                f"static void {name}() {{\n  const int zero = unknown_zero;\n  {lines}\n}}\n"
            )
            self.placed += size
        self.placed = len(self.statements)
        self.declarations.clear()

    def source(self) -> str:
        """Return the program, which runs every statement `trials` times on new operands."""
        self.close()
        functions = "".join(self.functions)
        calls = re.sub(r"\(\)", "(); ", "".join(re.findall(r"part\d+\(\)", functions)))
        seed = 2 * self.widths[0] + 1
        return f"""
#include "observe.h"
static volatile int unknown_zero = 0;
{functions}
int main() {{
  for (int trial = 1; trial <= {self.trials}; ++trial) {{
    random_state = 0x9e3779b97f4a7c15ull * (1000 * trial + {seed});
    {calls}
  }}
}}
"""


def _width(random: Random, limit: int) -> int:
    """Prefer small widths, the powers of two, and their neighbours."""
    near = (1, 2, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, limit)
    width = random.choice((random.choice(near), random.randint(1, 24), random.randint(1, limit)))
    return min(width, limit)
