"""Random C++ programs over ap_int, to be built with AMD's headers and with ours.

A program declares operands of random widths, loads them with hard and random values, and prints every
expression's result with its type, many times over. What is left out is what AMD's headers refuse as
ambiguous, and what ours compute otherwise on purpose (`templates/include/open/ap_int.h` lists it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

from ap_draft import NATIVE, Operand, Program

__all__ = ["add_nested", "add_operators", "add_statements"]

ARITHMETIC = ("+", "-", "*")
DIVISION = ("/", "%")
LOGIC = ("&", "|", "^")
SHIFT = ("<<", ">>")
ORDER = ("<", "<=", ">", ">=")
EQUALITY = ("==", "!=")
OPERATORS = ARITHMETIC + DIVISION + LOGIC + SHIFT + ORDER + EQUALITY


def _amd_divides(operator: str, a: Operand, b: Operand) -> bool:
    """Say whether AMD's C simulation divides these right.

    It takes both operands for unsigned if the wider one is, and any remainder of an unsigned dividend; its
    remainder of numbers of several words is wrong for some (2**444 - 2**15 by 2**443 - 1).
    """
    if operator == "%" and max(a.width, b.width) > 64:
        return False
    if a.signed == b.signed:
        return True
    if operator == "%" and b.signed:
        return False
    return a.width == b.width or (a.signed if a.width > b.width else b.signed)


def _amd_accepts(operator: str, a: Operand, b: Operand) -> bool:
    kinds = (a.kind, b.kind)
    if not {"whole", "range"} & set(kinds) and kinds != ("concat", "concat"):
        return operator in EQUALITY + ORDER and kinds == ("concat", "native")
    if operator in SHIFT:
        return kinds != ("concat", "range") and not (a.kind == "native" and b.kind == "whole")
    if operator in ORDER + EQUALITY:
        return not (b.kind == "bit" and a.kind != "whole")
    if operator in LOGIC:
        return "concat" not in kinds or not (a.const or b.const)
    return True


def _as_divided(x: Operand, other: Operand) -> Operand:
    """Concatenations enter division as 64-bit integers, unless beside another."""
    if x.kind == "concat" and other.kind != "concat":
        return Operand(x.text, "native", 64, False)
    return x


def add_operators(p: Program, count: int) -> None:
    """Add `count` binary operations over every pair of operand kinds."""
    random = p.random

    def numbers(load: str, widths: Callable[[], int], natives: tuple[str, ...]) -> list[Operand]:
        u, s = p.whole(widths(), False, load=load), p.whole(widths(), True, load=load)
        x = p.whole(widths(), random.random() < 0.5, load=load)
        y = p.whole(widths(), True, load=load, const=True)
        full = load == "load_nonzero"
        return [
            *(u, s, x, y),
            *(p.native(kind, load=load) for kind in natives),
            *(p.range(of, full=full) for of in (u, s, x, y)),
            p.concat(u, s),
            p.concat(p.range(s, full=full), p.bit(u)),
            p.concat(p.bit(s), x, u),
        ]

    kinds = tuple(random.sample(list(NATIVE), 5))
    operands = numbers("load", p.width, kinds)
    operands += [p.bit(operands[0]), p.bit(operands[1])]
    nonzero = numbers("load_nonzero", p.width, kinds)
    kinds = ("signed char", "int", "unsigned", "long long")
    amounts = numbers("load_amount", lambda: random.choice((1, 4, 9)), kinds)
    amounts += [p.bit(operands[2])]

    def legal() -> Iterator[tuple[str, Operand, Operand]]:
        for operator in OPERATORS:
            rights = amounts if operator in SHIFT else nonzero if operator in DIVISION else operands
            for a, b in product(operands, rights):
                if not _amd_accepts(operator, a, b):
                    continue
                if operator in DIVISION:
                    x, y = _as_divided(a, b), _as_divided(b, a)
                    # Cut to 64 bits, a wide divisor may be 0.
                    if b.width > y.width or not _amd_divides(operator, x, y):
                        continue
                yield operator, a, b

    every = list(legal())
    for operator, a, b in random.sample(every, min(count, len(every))):
        p.show(f"{a.text} {operator} {b.text}")
    p.close()


def add_statements(p: Program, count: int) -> None:
    """Add `count` assignments, selections written and read, conversions and methods."""
    random = p.random
    wholes = [p.whole(width, random.random() < 0.5) for width in (*p.widths, p.width(), p.width())]
    const = p.whole(p.width(), False, const=True)
    natives = [p.native(kind) for kind in random.sample(list(NATIVE), 6)]
    nonzero = [p.whole(p.width(), signed, load="load_nonzero") for signed in (False, True)]
    nonzero += [p.native(kind, load="load_nonzero") for kind in random.sample(list(NATIVE), 2)]
    amounts = [p.whole(random.choice((1, 4, 9)), signed, load="load_amount") for signed in (False, True)]
    amounts += [p.native(kind, load="load_amount") for kind in ("int", "unsigned", "signed char")]
    amounts += [p.range(amounts[0]), p.concat(amounts[0], p.bit(wholes[0]))]

    def value() -> Operand:
        a, b, c = random.sample(wholes, 3)
        return random.choice(
            (
                a,
                random.choice(natives),
                p.range(a),
                p.bit(a),
                p.bit(const),
                p.concat(a, b),
                p.concat(p.range(a), b, p.bit(c)),
                p.concat(a, random.choice(natives)),
                p.concat(random.choice(natives), a),
                p.concat(p.range(a), random.choice(natives)),
                p.concat(random.choice(natives), p.range(a)),
                p.concat(p.bit(a), random.choice(natives)),
                p.concat(random.choice(natives), p.bit(a)),
                p.concat(p.bit(const), b),
                Operand(f"({a.text}, {b.text}), {random.choice(natives).text}", "value", 0, False),
                Operand(f"{random.choice(natives).text}, ({a.text}, {b.text})", "value", 0, False),
            )
        )

    def copies(*targets: Operand) -> str:
        return " ".join(f"auto t{i} = {target.text};" for i, target in enumerate(targets))

    def compound() -> None:
        target = random.choice(wholes)
        operator = random.choice((*ARITHMETIC, *LOGIC, *SHIFT, *DIVISION))
        if operator in SHIFT:
            right = random.choice(amounts)
        elif operator in DIVISION:
            right = random.choice([b for b in nonzero if _amd_divides(operator, target, b)] or [target])
            if right is target:
                return
        else:
            right = random.choice((random.choice(wholes), random.choice(natives), value()))
        p.run(f"{copies(target)} t0 {operator}= ({right.text});", "t0")

    def convert() -> None:
        kind = f"ap_{random.choice(('', 'u'))}int<{p.width()}>"
        p.show(f"{kind}(({value().text}))")

    def assign() -> None:
        p.run(f"{copies(random.choice(wholes))} t0 = ({value().text});", "t0")

    def write_part() -> None:
        target = random.choice(wholes)
        part = random.choice((p.range, p.bit))(target).text.replace(target.text, "t0", 1)
        p.run(f"{copies(target)} {part} = ({value().text});", "t0")

    def write_concat() -> None:
        a, b, c = random.sample(wholes, 3)
        low = random.choice((p.range, p.bit))(c).text.replace(c.text, "t2", 1)
        high = random.choice((p.range, p.bit))(a).text.replace(a.text, "t0", 1)
        shapes = ("t0, {low}", "{high}, t1", "{high}, t1, {low}", "t0, t1, t2", "{high}, {low}")
        left = "(" + random.choice(shapes).format(low=low, high=high) + ")"
        p.run(f"{copies(a, b, c)} {left} = ({value().text});", "t0", "t1", "t2")

    def step() -> None:
        expression = random.choice(("t0++", "t0--", "++t0", "--t0"))
        p.run(copies(random.choice(wholes)), expression, "t0")

    def unary() -> None:
        p.show(random.choice("-~!+") + random.choice((*wholes, const)).text)

    def method() -> None:
        x = random.choice(wholes)
        index = random.randrange(x.width)
        # AMD's nand_reduce is wrong beyond 64 bits, its xor_reduce on negative numbers.
        reductions = ("and", "or", "nor", *(("nand",) if x.width <= 64 else ()))
        reductions += () if x.signed else ("xor", "xnor")
        conversions = ("int", "uint", "int64", "uint64", "long", "ulong", "char", "uchar", "short", "ushort")
        conversions += ("bool",) if x.width <= 64 else ()
        reads = [f"{name}_reduce()" for name in reductions] + [f"to_{name}()" for name in conversions]
        reads += ["length()", "sign()", "is_zero()", "countLeadingZeros()"]
        reads += [f"test({index})", f"get_bit({index})"]
        p.show(f"{x.text}.{random.choice(reads)}")

    def modify() -> None:
        x = random.choice(wholes)
        index = random.randrange(x.width)
        calls = (f"set({index})", f"clear({index})", f"invert({index})", f"set({index}, false)", "b_not()")
        p.run(f"{copies(x)} t0.{random.choice(calls)};", "t0")

    def read_range() -> None:
        x = p.range(random.choice((*wholes, const))).text
        read = random.choice(("length()", "to_int()", "to_uint()", "to_int64()", "to_uint64()", "to_long()"))
        p.show(f"{x}.{read}")

    def to_native() -> None:
        x = random.choice((random.choice(wholes), p.range(random.choice(wholes)), p.bit(const)))
        kind = random.choice([kind for kind in NATIVE if kind != "bool"])
        p.show(f"static_cast<{kind}>({x.text})")

    def test() -> None:
        narrow = [x for x in (*wholes, const) if x.width <= 64]
        if narrow:
            p.show(f"({random.choice(narrow).text} ? 1 : 2)")

    frequent = (compound, compound, convert, write_part, write_concat, method)
    actions = (*frequent, *frequent, assign, step, unary, modify, read_range, to_native, test)
    end = len(p.statements) + count
    while len(p.statements) < end:
        random.choice(actions)()
    p.close()


def add_nested(p: Program, count: int) -> None:
    """Add `count` expressions of several operators."""
    random, limit = p.random, max(p.widths)
    wholes = [p.whole(p.width(), random.random() < 0.5, const=random.random() < 0.3) for _ in range(8)]
    divisors = {signed: p.whole(p.width(), signed, load="load_nonzero") for signed in (False, True)}
    amounts = [p.whole(random.choice((1, 4, 9)), signed, load="load_amount") for signed in (False, True)]
    amounts += [p.native("int", load="load_amount"), Operand("3", "native", 32, True)]
    natives = [p.native(kind) for kind in random.sample(list(NATIVE), 5)]
    room = 1000

    def leaf() -> tuple[str, int]:
        x = random.choice(wholes)
        made = random.choice((x, x, p.range(x), p.bit(x), random.choice(natives)))
        return made.text, max(made.width, 2)

    def tree(depth: int) -> tuple[str, int]:
        """Return an ap_int expression and a bound on its width."""
        if depth == 0:
            text, width = leaf()
            return f"({random.choice(wholes).text} {random.choice('+-&|^')} {text})", max(width, limit) + 2
        left, a = tree(depth - 1)
        right, b = tree(depth - 1) if random.random() < 0.6 else leaf()
        choice = random.randrange(8)
        if choice == 0 and a + b <= room:
            return f"({left} * {right})", a + b
        if choice == 1:
            return f"({left} {random.choice(SHIFT)} {random.choice(amounts).text})", a
        if choice == 2:
            signed = random.random() < 0.5
            width = p.width()
            cast = f"ap_{'' if signed else 'u'}int<{width}>"
            divide = random.choice(DIVISION) if width <= 64 else "/"
            return f"({cast}({left}) {divide} {cast}({divisors[signed].text} | 1))", limit + 1
        if choice == 3:
            return f"ap_{random.choice(('', 'u'))}int<{p.width()}>({left})", limit
        if choice == 4:
            return f"({random.choice('-~')}{left})", a + 1
        if choice == 5:
            truth = f"({left} {random.choice((*ORDER, *EQUALITY))} {right})"
            return f"({random.choice(wholes).text} {random.choice('+^')} {truth})", limit + 2
        return f"({left} {random.choice((*ARITHMETIC[:2], *LOGIC))} {right})", max(a, b) + 2

    for _ in range(count):
        p.show(tree(random.randint(1, 3))[0])
    p.close()
