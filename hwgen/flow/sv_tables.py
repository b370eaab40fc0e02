"""Lookup tables in generated SystemVerilog, as case functions instead of arrays of wires.

XLS writes a table as an unpacked array of wires with a variable index. Yosys takes that apart into a
comparator for each entry, and has twice the LUTs of the same table written as a ``case``.
"""

from __future__ import annotations

import re
from collections import Counter

__all__ = ["tables_as_functions"]

_ARRAY = re.compile(
    r"^  wire (?P<range>\[\d+:0\] )?(?P<name>\w+)\[(?P<count>\d+)\];\n"
    r"(?P<between>(?:.*\n)*?)"
    r"^  assign (?P=name) = '\{(?P<entries>[^{}]*)\};\n",
    re.MULTILINE,
)


def tables_as_functions(verilog: str) -> str:
    """Return a module in which every constant array that is only indexed is a function of the index."""
    position = 0
    while match := _ARRAY.search(verilog, position):
        name = match["name"]
        entries = [entry.strip() for entry in match["entries"].split(",")]
        before, after = verilog[: match.start()], match["between"] + verilog[match.end() :]
        called = _indexed_as_called(name, after) if _is_constant(entries) else None
        if called is None:
            position = match.end()
            continue
        function = _function(name, match["range"] or "", entries)
        verilog = before + function + called
        position = len(before) + len(function)
    return verilog


def _is_constant(entries: list[str]) -> bool:
    return all("'" in entry for entry in entries) and len(entries) > 1


def _indexed_as_called(name: str, text: str) -> str | None:
    """Return `text` with every ``name[index]`` as ``name(index)``; None if the array is used otherwise."""
    pieces, start = [], 0
    for use in re.finditer(rf"\b{re.escape(name)}\b", text):
        if use.start() < start:
            return None  # in its own index
        if text[use.end() : use.end() + 1] != "[":
            return None
        end, depth = use.end() + 1, 1
        while depth:
            depth += {"[": 1, "]": -1}.get(text[end], 0)
            end += 1
        pieces += [text[start : use.end()], "(", text[use.end() + 1 : end - 1], ")"]
        start = end
    return "".join([*pieces, text[start:]])


def _function(name: str, range_: str, entries: list[str]) -> str:
    """Return the table as a function; the most frequent entry is the default."""
    bits = max((len(entries) - 1).bit_length(), 1)
    default = Counter(entries).most_common(1)[0][0]
    rows = [
        f"      {bits}'h{index:x}: {name} = {entry};\n"
        for index, entry in enumerate(entries)
        if entry != default
    ]
    return (
        f"  function automatic {range_}{name}(input [{bits - 1}:0] index);\n"
        f"    case (index)\n{''.join(rows)}      default: {name} = {default};\n    endcase\n  endfunction\n"
    )
