"""What every generated RTL has: ports, and files that are replaced in one step."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from hwgen.errors import InputError

__all__ = ["LINT_OFF", "LINT_ON", "RtlPort", "tool_versions", "write_file"]

LINT_OFF = """\
// XLS names whole words of which a design may use some bits only.
// verilator lint_off UNUSEDSIGNAL
"""
LINT_ON = "// verilator lint_on UNUSEDSIGNAL\n"


def tool_versions() -> str:
    """Return the tools that made an RTL, for its header."""
    return (
        f"clang (ziglang {version('ziglang')}), llvmlite {version('llvmlite')}, "
        f"XLS (xls-python {version('xls-python')})"
    )


@dataclass(frozen=True, kw_only=True)
class RtlPort:
    """A port of the module: `direction` is ``input`` or ``output``, `width` in bits."""

    name: str
    direction: str
    width: int


def write_file(path: Path, text: str) -> None:
    """Replace a file in one step, so that a failure leaves the old one; its folder is made."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(exist_ok=True)
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {path.name}: {error.strerror}", file=path.parent) from error
