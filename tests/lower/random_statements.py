"""Random C++ statements: assignments, branches, loops, calls, stores to an array."""

from __future__ import annotations

from random_draft import Draft, Variable
from random_expressions import condition, expression

__all__ = ["block"]


def block(g: Draft, statements: int) -> None:
    """Write statements at the place where `g` is."""
    for _ in range(statements):
        g.rng.choice(_STATEMENTS)(g)


def _nested(g: Draft, header: str, statements: int, footer: str = "}") -> None:
    g.line(header)
    g.depth += 1
    visible = len(g.variables)
    block(g, statements)
    del g.variables[visible:]
    g.depth -= 1
    g.line(footer)


def _assign(g: Draft) -> None:
    target = g.target()
    g.line(target.assign(expression(g, target.width, 3)))


def _if(g: Draft) -> None:
    if g.depth > 3:
        return _assign(g)
    if g.rng.random() < 0.5:
        _nested(g, f"if ({condition(g, 2)}) {{", 2)
    else:
        _nested(g, f"if ({condition(g, 2)}) {{", 2, "} else {")
        g.lines.pop()
        _nested(g, "} else {", 1)
    return None


def _switch(g: Draft) -> None:
    if g.depth > 3:
        return _assign(g)
    width = g.rng.randint(2, 4)
    g.line(f"switch ((unsigned){expression(g, width, 1)}) {{")
    g.depth += 1
    for value in g.rng.sample(range(1 << width), g.rng.randint(2, 4)):
        g.line(f"case {value}:")
        g.depth += 1
        g.line("{")
        _assign(g)
        g.line("}")
        if g.rng.random() < 0.7:
            g.line("break;")
        g.depth -= 1
    g.line("default: {")
    _assign(g)
    g.line("}")
    g.depth -= 1
    g.line("}")
    return None


def _loop(g: Draft) -> None:
    count = g.rng.randint(2, 6)
    if g.depth > 3 or g.trips * count > 16:
        return _assign(g)
    name = g.fresh("i")
    g.trips *= count
    g.variables.append(Variable(name, "native", 32, "int", constant=True))
    start = len(g.lines)
    _nested(g, f"for (int {name} = 0; {name} < {count}; ++{name}) {{", 2)
    g.variables = [v for v in g.variables if v.name != name]
    if g.rng.random() < 0.4:
        g.lines.insert(
            start + 1, "  " * (g.depth + 1) + f"if ({condition(g, 1)}) {g.rng.choice(['break', 'continue'])};"
        )
    g.trips //= count
    return None


def _store(g: Draft) -> None:
    index = g.rng.choice([str(g.rng.randrange(8)), f"(unsigned)({expression(g, 5, 1)} % 8)"])
    g.line(f"arr[{index}] = {expression(g, g.array_width, 2)};")


def _early_return(g: Draft) -> None:
    g.line(f"if ({condition(g, 2)}) {{ y = {expression(g, g.output, 2)}; return; }}")


def _call(g: Draft) -> None:
    # LLVM does not unroll a loop around the only call of a local function: it waits for that to be inlined.
    if not g.helper or g.trips > 1:
        return _assign(g)
    pair, out = g.fresh("pair"), g.fresh("out")
    g.line(f"Pair {pair} = {{{expression(g, 24, 1)}, (short){expression(g, 16, 1)}}};")
    g.line(f"U<24> {out} = 5;")
    target = g.target()
    g.line(target.assign(f"(U<{target.width}>)({g.name}_help({pair}, {out}, {expression(g, 9, 1)}) ^ {out})"))
    return None


def _overflow(g: Draft) -> None:
    result, op = g.fresh("r"), g.rng.choice(["add", "sub", "mul"])
    type_ = g.rng.choice(["int", "unsigned", "short", "unsigned char"])
    a, b = expression(g, 32, 1), expression(g, 32, 1)
    target = g.target()
    g.line(f"{type_} {result};")
    g.line(f"if (__builtin_{op}_overflow(({type_}){a}, ({type_}){b}, &{result})) {result} ^= 1;")
    g.line(target.assign(f"(U<{target.width}>){result}"))


_STATEMENTS = [_assign] * 4 + [_if] * 3 + [_loop, _store] * 2 + [_switch, _early_return, _call, _overflow]
