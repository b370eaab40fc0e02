"""The circuit's side of the theorem: the bit-vector function of an XLS IR function.

XLS translates its own IR to SMT-LIB (the same translation its own proof tools use), so this side is not our
reading of the IR. It writes the function as a lambda, a notation of z3's; here it becomes a definition.
"""

from __future__ import annotations

import re

from hwgen.errors import ToolError
from hwgen.flow.tools import require_module

__all__ = ["circuit_definition"]


def circuit_definition(xls_ir: str) -> str:
    """Return the SMT-LIB definition of the function ``circuit``, equal to the IR's top function.

    Parameters
    ----------
    xls_ir : str
        An XLS IR package whose top is a function over bit vectors.

    Raises
    ------
    ToolError
        If XLS is missing, or its export is not a function over bit vectors.
    """
    require_module("xls", "a proof")
    from xls import c_api

    package = c_api.Package.parse_ir(xls_ir)
    found = re.search(r"^top fn (\S+?)\(", xls_ir, re.MULTILINE)
    if found is None:
        raise ToolError("the XLS IR has no top function")
    exported = package.get_function(found[1]).to_z3_smtlib()
    widths = r"(?:\([^\s()]+ \(_ BitVec \d+\)\)\s*)+"
    found = re.search(rf"\(lambda \(({widths})\)", exported)
    result = re.search(
        r"\(declare-fun \S+\s+\(\)\s+\(Array [^)]*\).*?\(_ BitVec (\d+)\)\)\)", exported, re.DOTALL
    )
    if found is None or result is None:
        raise ToolError(f"XLS exported no bit-vector function:\n{exported[:400]}")
    body = exported[found.end() : _closing(exported, found.start())]
    return f"(define-fun circuit ({found[1].strip()}) (_ BitVec {result[1]}){body})"


def _closing(text: str, start: int) -> int:
    """Return the index of the parenthesis that closes the one at `start`."""
    depth = 0
    for found in re.compile(r"[()]").finditer(text, start):
        depth += 1 if found[0] == "(" else -1
        if depth == 0:
            return found.start()
    raise ToolError("XLS exported an unbalanced SMT-LIB script")
