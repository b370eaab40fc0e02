"""Random integer C++ functions without undefined behaviour, to compare what compilers make of them.

Values live in exact-width, native, `ap_uint` and `ap_int` variables; each expression is cast to an exact
width, so that every operation is defined: signed arithmetic is done in a wider type, shift amounts and
indices are reduced, divisors are guarded.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

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

_NATIVE = {
    **{"unsigned char": 8, "unsigned short": 16, "unsigned": 32, "unsigned long long": 64},
    **{"signed char": 8, "short": 16, "int": 32, "long long": 64},
}
_NARROW = 28  # widest operand of multiplication and division, to keep circuits small


@dataclass(frozen=True)
class Program:
    """A C++ function ``void name(const U<w>&..., U<w>& y)``; widths are of its ports."""

    name: str
    inputs: dict[str, int]
    output: int
    source: str


@dataclass
class _Variable:
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
class _Generator:
    rng: random.Random
    name: str
    widest_port: int
    variables: list[_Variable] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    depth: int = 1
    counter: int = 0
    trips: int = 1
    output: int = 0
    array_width: int = 0
    helper: str = ""

    def program(self) -> Program:
        rng = self.rng
        inputs = {f"in{i}": rng.randint(1, self.widest_port) for i in range(rng.randint(1, 4))}
        output = rng.randint(1, self.widest_port)
        self.variables = [_Variable(n, "U", w, f"U<{w}>", constant=True) for n, w in inputs.items()]
        self.output = output
        if rng.random() < 0.5:
            self._make_helper()
        for _ in range(rng.randint(2, 4)):
            self._declare()
        self._array()
        self._block(rng.randint(3, 7))
        self._line(f"U<{output}> mix = {self.expression(output, 3)};")
        self._mix()
        self._line("y = mix;")
        ports = ", ".join(f"const U<{w}>& {n}" for n, w in inputs.items())
        body = "\n".join(self.lines)
        source = f'{self.helper}extern "C" void {self.name}({ports}, U<{output}>& y) {{\n{body}\n}}\n'
        return Program(self.name, inputs, output, source)

    def _mix(self) -> None:
        """Make every variable count in the result, its high half as well as its low one."""
        w = self.output
        for variable in [v for v in self.variables if not v.constant]:
            high = f"({variable.read(variable.width)} >> {variable.width // 2})"
            self._line(f"mix = (U<{w}>)(mix + mix + mix) ^ {variable.read(w)} ^ (U<{w}>){high};")
        for index in range(8):
            self._line(f"mix = (U<{w}>)(mix << {min(1, w - 1)} | mix >> {w - 1}) ^ (U<{w}>)arr[{index}];")

    def _line(self, text: str) -> None:
        self.lines.append("  " * self.depth + text)

    def _fresh(self, stem: str) -> str:
        self.counter += 1
        return f"{stem}{self.counter}"

    def _make_helper(self) -> None:
        self.helper = (
            f"__attribute__((noinline)) static U<24> {self.name}_help(const Pair& p, U<24>& out, U<9> k) {{\n"
            "  out = (U<24>)(p.first * (U<24>)(k | 1));\n"
            f"  if (k > {self.rng.randrange(512)}) return (U<24>)(p.first >> (k & 15));\n"
            "  return (U<24>)((U<24>)p.second ^ out);\n}\n"
        )

    def _declare(self) -> None:
        rng = self.rng
        kind = rng.choice(["U", "S", "native", "ap_uint", "ap_int"])
        width = rng.choice([rng.randint(2, 20), rng.randint(2, 64), rng.randint(2, 100)])
        if kind == "native":
            type_, width = rng.choice(list(_NATIVE.items()))
        else:
            type_ = f"{kind}<{width}>"
        variable = _Variable(self._fresh("v"), kind, width, type_)
        initial = self.expression(width, 2)
        wrapped = f"{type_}({initial})" if kind.startswith("ap") else f"({type_})({initial})"
        self._line(f"{type_} {variable.name} = {wrapped};")
        self.variables.append(variable)

    def _array(self) -> None:
        self.array_width = self.rng.choice([5, 8, 12, 16, 33])
        self._line(f"U<{self.array_width}> arr[8] = {{}};")

    def target(self) -> _Variable:
        return self.rng.choice([variable for variable in self.variables if not variable.constant])

    def literal(self, width: int) -> str:
        rng = self.rng
        value = rng.choice([0, 1, -1, 1 << (width - 1), rng.getrandbits(width), rng.getrandbits(width)])
        value %= 1 << width
        words = [value >> at & (1 << 64) - 1 for at in range(0, width, 64)]
        parts = [
            f"(U<{width}>)((U<{width}>){word}ull << {64 * i})"
            for i, word in enumerate(words)
            if word or not i
        ]
        return f"({' | '.join(parts)})"

    def condition(self, depth: int) -> str:
        rng = self.rng
        width = rng.randint(2, 40)
        a, b = self.expression(width, depth - 1), self.expression(width, depth - 1)
        compare = rng.choice(["<", "<=", ">", ">=", "==", "!="])
        kind = rng.randrange(4)
        if kind == 0:
            return f"((S<{width}>){a} {compare} (S<{width}>){b})"
        if kind == 1 and depth > 1:
            return f"({self.condition(depth - 1)} {rng.choice(['&&', '||'])} {self.condition(depth - 1)})"
        return f"({a} {compare} {b})"

    def expression(self, width: int, depth: int) -> str:
        """Return an expression of type ``U<width>``."""
        rng = self.rng
        if depth <= 0:
            if self.variables and rng.random() < 0.8:
                return f"({rng.choice(self.variables).read(width)})"
            return f"({self.literal(width)})"
        make = rng.choice(_EXPRESSIONS)
        return f"(U<{width}>)({make(self, width, depth - 1)})"

    def _operand(self, width: int, depth: int) -> tuple[str, int]:
        narrow = min(width, _NARROW)
        return self.expression(narrow, depth), narrow

    def _block(self, statements: int) -> None:
        for _ in range(statements):
            self.rng.choice(_STATEMENTS)(self)

    def _nested(self, header: str, statements: int, footer: str = "}") -> None:
        self._line(header)
        self.depth += 1
        visible = len(self.variables)
        self._block(statements)
        del self.variables[visible:]
        self.depth -= 1
        self._line(footer)


def _arithmetic(g: _Generator, w: int, d: int) -> str:
    return f"{g.expression(w, d)} {g.rng.choice('+-&|^')} {g.expression(w, d)}"


def _multiply(g: _Generator, w: int, d: int) -> str:
    a, n = g._operand(w, d)
    b, m = g._operand(w, d)
    if g.rng.random() < 0.5 and n > 1 and m > 1:
        return f"(S<{n + m}>)(S<{n}>){a} * (S<{n + m}>)(S<{m}>){b}"
    return f"(U<{w}>){a} * (U<{w}>){b}"


def _divide(g: _Generator, w: int, d: int) -> str:
    n = min(w, 16)
    a, b, op = g.expression(n, d), g.expression(n, d), g.rng.choice("/%")
    if g.rng.random() < 0.5 and n > 2:
        return f"{b} == 0 ? {a} : (U<{n}>)((S<{n + 1}>)(S<{n}>){a} {op} (S<{n + 1}>)(S<{n}>){b})"
    return f"{b} == 0 ? {a} : (U<{n}>)({a} {op} {b})"


def _shift(g: _Generator, w: int, d: int) -> str:
    amount = g.rng.choice([str(g.rng.randrange(w)), f"({g.expression(7, d)} % {w})"])
    kind = g.rng.randrange(3)
    if kind == 0 and w > 1:
        return f"(S<{w}>){g.expression(w, d)} >> {amount}"
    return f"{g.expression(w, d)} {'<<' if kind == 1 else '>>'} {amount}"


def _negate(g: _Generator, w: int, d: int) -> str:
    return f"{g.rng.choice('~-')}{g.expression(w, d)}"


def _ternary(g: _Generator, w: int, d: int) -> str:
    return f"{g.condition(d)} ? {g.expression(w, d)} : {g.expression(w, d)}"


def _table(g: _Generator, w: int, d: int) -> str:
    index = g.expression(g.rng.randint(1, 12), d)
    return g.rng.choice(
        [
            f"BYTES[{index} % 16]",
            f"WORDS[{index} & 7]",
            f"WIDE[{index} % 5]",
            f"GRID[{index} % 3][{index} & 3]",
        ]
    )


def _element(g: _Generator, w: int, d: int) -> str:
    if not g.array_width:
        return g.expression(w, d)
    return f"arr[{g.rng.choice([str(g.rng.randrange(8)), f'(unsigned)({g.expression(5, d)} % 8)'])}]"


def _builtin(g: _Generator, w: int, d: int) -> str:
    a = f"(unsigned){g.expression(32, d)}"
    b = f"(unsigned long long){g.expression(64, d)}"
    r = g.rng.randrange(1, 32)
    return g.rng.choice(
        [
            f"__builtin_popcount({a})",
            f"__builtin_popcountll({b})",
            f"__builtin_clz(({a}) | 1u)",
            f"__builtin_ctzll(({b}) | (1ull << 40))",
            f"__builtin_bswap32({a})",
            f"__builtin_bitreverse32({a})",
            f"(({a}) << {r} | ({a}) >> {32 - r})",
            f"__builtin_rotateleft32({a}, {b})",
            f"__builtin_parity({a})",
        ]
    )


def _minmax(g: _Generator, w: int, d: int) -> str:
    a, b = g.expression(w, d), g.expression(w, d)
    cast = f"(S<{w}>)" if w > 1 and g.rng.random() < 0.5 else ""
    return f"{cast}{a} {g.rng.choice('<>')} {cast}{b} ? {a} : {b}"


def _ap(g: _Generator, w: int, d: int) -> str:
    n, m = g.rng.randint(2, 24), g.rng.randint(2, 24)
    a = f"ap_{g.rng.choice(['u', ''])}int<{n}>({g.expression(n, d)})"
    b = f"ap_{g.rng.choice(['u', ''])}int<{m}>({g.expression(m, d)})"
    high = g.rng.randrange(n)
    low = g.rng.randrange(high + 1)
    made = g.rng.choice(
        [
            f"({a} + {b})",
            f"({a} - {b})",
            f"({a} * {b})",
            f"({a} & {b})",
            f"({a} >> {g.rng.randrange(n)})",
            f"({a}.range({high}, {low}))",
            f"ap_uint<{n + m}>(({a}, {b}))",
            f"ap_uint<1>({a}[{high}])",
        ]
    )
    return f"ap_uint<{w}>({made}).bits()"


_EXPRESSIONS = [_arithmetic] * 4 + [_shift, _ternary] * 2
_EXPRESSIONS += [_multiply, _divide, _negate, _table, _element, _builtin, _minmax, _ap]


def _assign(g: _Generator) -> None:
    target = g.target()
    g._line(target.assign(g.expression(target.width, 3)))


def _if(g: _Generator) -> None:
    if g.depth > 3:
        return _assign(g)
    if g.rng.random() < 0.5:
        g._nested(f"if ({g.condition(2)}) {{", 2)
    else:
        g._nested(f"if ({g.condition(2)}) {{", 2, "} else {")
        g.lines.pop()
        g._nested("} else {", 1)
    return None


def _switch(g: _Generator) -> None:
    if g.depth > 3:
        return _assign(g)
    width = g.rng.randint(2, 4)
    g._line(f"switch ((unsigned){g.expression(width, 1)}) {{")
    g.depth += 1
    for value in g.rng.sample(range(1 << width), g.rng.randint(2, 4)):
        g._line(f"case {value}:")
        g.depth += 1
        g._line("{")
        _assign(g)
        g._line("}")
        if g.rng.random() < 0.7:
            g._line("break;")
        g.depth -= 1
    g._line("default: {")
    _assign(g)
    g._line("}")
    g.depth -= 1
    g._line("}")
    return None


def _loop(g: _Generator) -> None:
    count = g.rng.randint(2, 6)
    if g.depth > 3 or g.trips * count > 16:
        return _assign(g)
    name = g._fresh("i")
    g.trips *= count
    g.variables.append(_Variable(name, "native", 32, "int", constant=True))
    start = len(g.lines)
    g._nested(f"for (int {name} = 0; {name} < {count}; ++{name}) {{", 2)
    g.variables = [v for v in g.variables if v.name != name]
    if g.rng.random() < 0.4:
        g.lines.insert(
            start + 1, "  " * (g.depth + 1) + f"if ({g.condition(1)}) {g.rng.choice(['break', 'continue'])};"
        )
    g.trips //= count
    return None


def _store(g: _Generator) -> None:
    index = g.rng.choice([str(g.rng.randrange(8)), f"(unsigned)({g.expression(5, 1)} % 8)"])
    g._line(f"arr[{index}] = {g.expression(g.array_width, 2)};")


def _early_return(g: _Generator) -> None:
    g._line(f"if ({g.condition(2)}) {{ y = {g.expression(g.output, 2)}; return; }}")


def _call(g: _Generator) -> None:
    # LLVM does not unroll a loop around the only call of a local function: it waits for that to be inlined.
    if not g.helper or g.trips > 1:
        return _assign(g)
    pair, out = g._fresh("pair"), g._fresh("out")
    g._line(f"Pair {pair} = {{{g.expression(24, 1)}, (short){g.expression(16, 1)}}};")
    g._line(f"U<24> {out} = 5;")
    target = g.target()
    g._line(target.assign(f"(U<{target.width}>)({g.name}_help({pair}, {out}, {g.expression(9, 1)}) ^ {out})"))
    return None


def _overflow(g: _Generator) -> None:
    result, op = g._fresh("r"), g.rng.choice(["add", "sub", "mul"])
    type_ = g.rng.choice(["int", "unsigned", "short", "unsigned char"])
    a, b = g.expression(32, 1), g.expression(32, 1)
    target = g.target()
    g._line(f"{type_} {result};")
    g._line(f"if (__builtin_{op}_overflow(({type_}){a}, ({type_}){b}, &{result})) {result} ^= 1;")
    g._line(target.assign(f"(U<{target.width}>){result}"))


_STATEMENTS = [_assign] * 4 + [_if] * 3 + [_loop, _store] * 2 + [_switch, _early_return, _call, _overflow]


def generate(seed: int, count: int, *, widest_port: int = 64) -> list[Program]:
    """Return `count` programs, the same for the same `seed`."""
    rng = random.Random(seed)
    return [
        _Generator(random.Random(rng.getrandbits(64)), f"p{i}", widest_port).program() for i in range(count)
    ]
