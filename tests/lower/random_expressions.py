"""Random C++ expressions without undefined behaviour.

Each is cast to an exact width, so that every operation is defined: signed arithmetic is done in a wider type,
shift amounts and indices are reduced, divisors are guarded.
"""

from __future__ import annotations

from random_draft import Draft

__all__ = ["condition", "expression"]

_NARROW = 28  # widest operand of multiplication and division, to keep circuits small


def expression(g: Draft, width: int, depth: int) -> str:
    """Return an expression of type ``U<width>``."""
    rng = g.rng
    if depth <= 0:
        if g.variables and rng.random() < 0.8:
            return f"({rng.choice(g.variables).read(width)})"
        return f"({_literal(g, width)})"
    make = rng.choice(_EXPRESSIONS)
    return f"(U<{width}>)({make(g, width, depth - 1)})"


def condition(g: Draft, depth: int) -> str:
    """Return a condition that compares numbers, with or without sign."""
    rng = g.rng
    width = rng.randint(2, 40)
    a, b = expression(g, width, depth - 1), expression(g, width, depth - 1)
    compare = rng.choice(["<", "<=", ">", ">=", "==", "!="])
    kind = rng.randrange(4)
    if kind == 0:
        return f"((S<{width}>){a} {compare} (S<{width}>){b})"
    if kind == 1 and depth > 1:
        return f"({condition(g, depth - 1)} {rng.choice(['&&', '||'])} {condition(g, depth - 1)})"
    return f"({a} {compare} {b})"


def _literal(g: Draft, width: int) -> str:
    rng = g.rng
    value = rng.choice([0, 1, -1, 1 << (width - 1), rng.getrandbits(width), rng.getrandbits(width)])
    value %= 1 << width
    words = [value >> at & (1 << 64) - 1 for at in range(0, width, 64)]
    parts = [
        f"(U<{width}>)((U<{width}>){word}ull << {64 * i})" for i, word in enumerate(words) if word or not i
    ]
    return f"({' | '.join(parts)})"


def _operand(g: Draft, width: int, depth: int) -> tuple[str, int]:
    narrow = min(width, _NARROW)
    return expression(g, narrow, depth), narrow


def _arithmetic(g: Draft, w: int, d: int) -> str:
    return f"{expression(g, w, d)} {g.rng.choice('+-&|^')} {expression(g, w, d)}"


def _multiply(g: Draft, w: int, d: int) -> str:
    a, n = _operand(g, w, d)
    b, m = _operand(g, w, d)
    if g.rng.random() < 0.5 and n > 1 and m > 1:
        return f"(S<{n + m}>)(S<{n}>){a} * (S<{n + m}>)(S<{m}>){b}"
    return f"(U<{w}>){a} * (U<{w}>){b}"


def _divide(g: Draft, w: int, d: int) -> str:
    n = min(w, 16)
    a, b, op = expression(g, n, d), expression(g, n, d), g.rng.choice("/%")
    if g.rng.random() < 0.5 and n > 2:
        return f"{b} == 0 ? {a} : (U<{n}>)((S<{n + 1}>)(S<{n}>){a} {op} (S<{n + 1}>)(S<{n}>){b})"
    return f"{b} == 0 ? {a} : (U<{n}>)({a} {op} {b})"


def _shift(g: Draft, w: int, d: int) -> str:
    amount = g.rng.choice([str(g.rng.randrange(w)), f"({expression(g, 7, d)} % {w})"])
    kind = g.rng.randrange(3)
    if kind == 0 and w > 1:
        return f"(S<{w}>){expression(g, w, d)} >> {amount}"
    return f"{expression(g, w, d)} {'<<' if kind == 1 else '>>'} {amount}"


def _negate(g: Draft, w: int, d: int) -> str:
    return f"{g.rng.choice('~-')}{expression(g, w, d)}"


def _ternary(g: Draft, w: int, d: int) -> str:
    return f"{condition(g, d)} ? {expression(g, w, d)} : {expression(g, w, d)}"


def _table(g: Draft, w: int, d: int) -> str:
    index = expression(g, g.rng.randint(1, 12), d)
    return g.rng.choice(
        [
            f"BYTES[{index} % 16]",
            f"WORDS[{index} & 7]",
            f"WIDE[{index} % 5]",
            f"GRID[{index} % 3][{index} & 3]",
        ]
    )


def _element(g: Draft, w: int, d: int) -> str:
    if not g.array_width:
        return expression(g, w, d)
    return f"arr[{g.rng.choice([str(g.rng.randrange(8)), f'(unsigned)({expression(g, 5, d)} % 8)'])}]"


def _builtin(g: Draft, w: int, d: int) -> str:
    a = f"(unsigned){expression(g, 32, d)}"
    b = f"(unsigned long long){expression(g, 64, d)}"
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


def _minmax(g: Draft, w: int, d: int) -> str:
    a, b = expression(g, w, d), expression(g, w, d)
    cast = f"(S<{w}>)" if w > 1 and g.rng.random() < 0.5 else ""
    return f"{cast}{a} {g.rng.choice('<>')} {cast}{b} ? {a} : {b}"


def _ap(g: Draft, w: int, d: int) -> str:
    n, m = g.rng.randint(2, 24), g.rng.randint(2, 24)
    a = f"ap_{g.rng.choice(['u', ''])}int<{n}>({expression(g, n, d)})"
    b = f"ap_{g.rng.choice(['u', ''])}int<{m}>({expression(g, m, d)})"
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
