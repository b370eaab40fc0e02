"""Where in the C++ an LLVM instruction came from, so that every refusal can name a line.

Reads the line tables that ``-gline-tables-only`` leaves in the IR as metadata text. Nothing else of the debug
information is used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from hwgen.errors import InputError

__all__ = ["Location", "LocationTable", "lowering_error"]

_NODE = re.compile(
    r"^!(\d+) = (?:distinct )?!(DILocation|DISubprogram|DILexicalBlock\w*|DIFile)\((.*)\)$", re.M
)
_FIELD = re.compile(r'(\w+): (?:!(\d+)|"([^"]*)"|(\d+))')


@dataclass(frozen=True)
class Location:
    """One C++ source position.

    Attributes
    ----------
    file : str
        As the compiler was given it, without a leading ``./``.
    line : int
        Counted from 1.
    function : str
        C++ name of the function that the line is in.
    caller : Location or None
        Where the function that holds this line was inlined from.
    """

    file: str
    line: int
    function: str
    caller: Location | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def trail(self) -> str:
        """The chain of inlined calls that leads here, for the end of a message.

        Files in angle brackets are generated: their lines would tell the reader nothing.
        """
        calls, at = [], self.caller
        while at is not None:
            if not at.file.startswith("<"):
                calls.append(str(at))
            at = at.caller
        return f" (called from {', from '.join(calls)})" if calls else ""


def lowering_error(message: str, location: Location | None) -> InputError:
    """Build the error that says which C++ line cannot become hardware, and how it was reached."""
    if location is None or location.file.startswith("<"):
        return InputError(message)
    return InputError(message + location.trail, file=location.file, line=location.line)


class LocationTable:
    """The debug metadata of one module, decoded when first asked for.

    Parameters
    ----------
    module_text : str
        The whole printed module; metadata numbers are those of this text.
    """

    def __init__(self, module_text: str) -> None:
        self._text = module_text

    @cached_property
    def _nodes(self) -> dict[int, dict[str, str]]:
        nodes = {}
        for number, kind, body in _NODE.findall(self._text):
            fields = {key: node or text or digits for key, node, text, digits in _FIELD.findall(body)}
            nodes[int(number)] = {"kind": kind, **fields}
        return nodes

    def _file(self, scope: str | None) -> str:
        node = self._nodes.get(int(scope)) if scope else None
        while node is not None and node["kind"] != "DIFile":
            scope = node.get("file") or node.get("scope")
            node = self._nodes.get(int(scope)) if scope else None
        return node.get("filename", "").removeprefix("./") if node else ""

    def _function(self, scope: str | None) -> dict[str, str]:
        """Return the fields of the function that a scope lies in."""
        node = self._nodes.get(int(scope)) if scope else None
        while node is not None and node["kind"] != "DISubprogram":
            node = self._nodes.get(int(node["scope"])) if "scope" in node else None
        return node or {}

    def find(self, line_of_ir: str) -> Location | None:
        """Return the source position attached to one printed instruction or function header."""
        match = re.search(r"!dbg !(\d+)", line_of_ir)
        return self._decode(match.group(1)) if match else None

    def subprogram(self, header: str) -> str | None:
        """Return the C++ name of the function with this printed header, where the metadata has it."""
        match = re.search(r"!dbg !(\d+)", header)
        node = self._nodes.get(int(match.group(1))) if match else None
        return node.get("name") if node else None

    def _decode(self, number: str) -> Location | None:
        node = self._nodes.get(int(number))
        if node is None or "line" not in node:
            return None
        caller = self._decode(node["inlinedAt"]) if "inlinedAt" in node else None
        file = self._file(node.get("file") or node.get("scope"))
        function = self._function(node.get("scope"))
        name = node.get("name") or function.get("name", "")
        line = int(node["line"])
        # Line 0 marks code that the compiler made up, or made of several lines; the nearest true line is the
        # call site, or else where the function begins.
        if line == 0 and (caller is not None or "line" not in function):
            return caller
        return Location(file, line or int(function["line"]), name, caller)
