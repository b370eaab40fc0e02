"""Random integer C++ functions without undefined behaviour, to compare what compilers make of them.

Values live in exact-width, native, `ap_uint` and `ap_int` variables. What a function is made of:
`random_statements` and `random_expressions`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from random_draft import NATIVE, Draft, Variable
from random_expressions import expression
from random_statements import block

__all__ = ["PRELUDE", "Program", "generate"]

PRELUDE = """\
#include <ap_int.h>
template <int W> using U = unsigned _BitInt(W);
template <int W> using S = _BitInt(W);
static const unsigned char BYTES[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 35, 89, 79, 32, 38, 46, 255};
static const int WORDS[8] = {-7, 65536, 0, -1, 2147483647, 12, -2147483647, 99};
static const unsigned long long WIDE[5] = {0xfedcba9876543210ull, 1, 0x8000000000000000ull, 77, 0x1234567ull};
static const unsigned short GRID[3][4] = {{1, 20, 300, 4000}, {50000, 6, 70, 800}, {9000, 10, 11, 12}};
struct Pair { U<24> first; short second; };
"""


@dataclass(frozen=True)
class Program:
    """A C++ function ``void name(const U<w>&..., U<w>& y)``; widths are of its ports."""

    name: str
    inputs: dict[str, int]
    output: int
    source: str


def _program(g: Draft) -> Program:
    rng = g.rng
    inputs = {f"in{i}": rng.randint(1, g.widest_port) for i in range(rng.randint(1, 4))}
    output = rng.randint(1, g.widest_port)
    g.variables = [Variable(n, "U", w, f"U<{w}>", constant=True) for n, w in inputs.items()]
    g.output = output
    if rng.random() < 0.5:
        _make_helper(g)
    for _ in range(rng.randint(2, 4)):
        _declare(g)
    _array(g)
    block(g, rng.randint(3, 7))
    g.line(f"U<{output}> mix = {expression(g, output, 3)};")
    _mix(g)
    g.line("y = mix;")
    ports = ", ".join(f"const U<{w}>& {n}" for n, w in inputs.items())
    body = "\n".join(g.lines)
    source = f'{g.helper}extern "C" void {g.name}({ports}, U<{output}>& y) {{\n{body}\n}}\n'
    return Program(g.name, inputs, output, source)


def _mix(g: Draft) -> None:
    """Make every variable count in the result, its high half as well as its low one.

    The result is turned between them: a chain of sums would take XLS' optimiser minutes.
    """
    w = g.output
    turned = f"(U<{w}>)(mix << {min(1, w - 1)} | mix >> {w - 1})"
    for variable in [v for v in g.variables if not v.constant]:
        high = f"({variable.read(variable.width)} >> {variable.width // 2})"
        g.line(f"mix = {turned} ^ {variable.read(w)} ^ (U<{w}>){high};")
    for index in range(8):
        g.line(f"mix = {turned} ^ (U<{w}>)arr[{index}];")


def _make_helper(g: Draft) -> None:
    g.helper = (
        f"__attribute__((noinline)) static U<24> {g.name}_help(const Pair& p, U<24>& out, U<9> k) {{\n"
        "  out = (U<24>)(p.first * (U<24>)(k | 1));\n"
        f"  if (k > {g.rng.randrange(512)}) return (U<24>)(p.first >> (k & 15));\n"
        "  return (U<24>)((U<24>)p.second ^ out);\n}\n"
    )


def _declare(g: Draft) -> None:
    rng = g.rng
    kind = rng.choice(["U", "S", "native", "ap_uint", "ap_int"])
    width = rng.choice([rng.randint(2, 20), rng.randint(2, 64), rng.randint(2, 100)])
    if kind == "native":
        type_, width = rng.choice(list(NATIVE.items()))
    else:
        type_ = f"{kind}<{width}>"
    variable = Variable(g.fresh("v"), kind, width, type_)
    initial = expression(g, width, 2)
    wrapped = f"{type_}({initial})" if kind.startswith("ap") else f"({type_})({initial})"
    g.line(f"{type_} {variable.name} = {wrapped};")
    g.variables.append(variable)


def _array(g: Draft) -> None:
    g.array_width = g.rng.choice([5, 8, 12, 16, 33])
    g.line(f"U<{g.array_width}> arr[8] = {{}};")


def generate(seed: int, count: int, *, widest_port: int = 64) -> list[Program]:
    """Return `count` programs, the same for the same `seed`."""
    rng = random.Random(seed)
    return [_program(Draft(random.Random(rng.getrandbits(64)), f"p{i}", widest_port)) for i in range(count)]
