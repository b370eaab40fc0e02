"""Decides whether two path conditions exclude each other, as far as a stream's use depends on it.

The control-flow graph answers this for the branches of one ``if``. Conditions that are apart in the text,
such as ``if (mode == 0)`` and later ``if (mode == 1)``, need logic: XLS' optimiser is asked whether their
conjunction is constantly false. It decides comparisons and Boolean terms and knows little of arithmetic, so a
"no" may only mean "not seen".
"""

from __future__ import annotations

import re

from hwgen.lower.xls_text import PENDING, Bit, Body

__all__ = ["exclude_each_other"]

# What is neither logic nor cheap stands for any value: that keeps the question small, and the answer sound.
_OPEN_ARITHMETIC = ("encode", "one_hot", "sdiv", "smod", "udiv", "umod", "umul")
_OPEN = frozenset((*_OPEN_ARITHMETIC, "array_index", "state_read", "tuple_index", PENDING))


def exclude_each_other(body: Body, a: Bit, b: Bit) -> bool:
    """Tell whether `a` and `b` are seen never to hold together."""
    both = body.both(a, b)
    if isinstance(both, bool):
        return not both
    parameters, lines = [], []
    for name, line in body.cone([both.name], leaves=_OPEN).items():
        type_, _, expression = line.partition(" = ")
        if expression.partition("(")[0] in _OPEN:
            parameters.append(f"{name}: {type_}")
        else:
            lines.append(f"  {name}: {line}")
    header = f"top fn question({', '.join(parameters)}) -> bits[1] {{"
    answer = f"  ret answer: bits[1] = identity({both.name})"
    return _is_never(["package question", "", header, *lines, answer, "}", ""])


def _is_never(package: list[str]) -> bool:
    """Tell whether XLS' optimiser turns the function ``question`` into the constant zero."""
    import xls

    optimised = str(xls.optimize_ir("\n".join(package), "question"))
    return re.search(r"^  ret \S+: bits\[1\] = literal\(value=0\b", optimised, re.M) is not None
