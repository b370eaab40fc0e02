"""The three ways hwgen stops: wrong input, a missing tool, a failed check.

The command line turns `InputError` and `ToolError` into one message and exit status 2, and
`CheckError` into exit status 1; nothing else is ever shown to a user without a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

__all__ = ["CheckError", "HwgenError", "InputError", "ToolError", "legal_values"]


class HwgenError(Exception):
    """Base of every error that hwgen raises on purpose."""


class InputError(HwgenError):
    """The user's input is wrong (exit status 2).

    Parameters
    ----------
    message : str
        One sentence that quotes the offending value and names the legal ones.
    file : Path or str, optional
        File the value came from.
    line : int, optional
        Line in `file`, counted from 1.
    """

    def __init__(self, message: str, *, file: Path | str | None = None, line: int | None = None) -> None:
        self.message = message
        self.file = None if file is None else str(file)
        self.line = line
        super().__init__(str(self))

    def __str__(self) -> str:
        where = "" if self.file is None else self.file + (f":{self.line}" if self.line else "") + ": "
        return where + self.message

    def at(self, file: Path | str, line: int | None = None) -> InputError:
        """Return the same error placed at `file`:`line`, unless it already has a place."""
        if self.file is not None:
            return self
        return type(self)(self.message, file=file, line=line)


class ToolError(InputError):
    """A tool or package that the command needs is missing or broken (exit status 2)."""


class CheckError(HwgenError):
    """A check failed: a mismatch, a refuted proof (exit status 1)."""


def legal_values(what: str, value: object, legal: Iterable[str]) -> str:
    """Say that `value` is no legal `what`, with the nearest legal value and all of them.

    Returns
    -------
    str
        For example ``unknown rounding mode 'rn': did you mean 'rne'? Legal: rne, rna, ...``.
    """
    names = [str(name) for name in legal]
    near = get_close_matches(str(value), names, n=1)
    hint = f" did you mean {near[0]!r}?" if near else ""
    return f"unknown {what} {value!r}:{hint} legal: {', '.join(names)}"
