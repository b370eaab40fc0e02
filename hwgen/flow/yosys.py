"""Running Yosys: a list of passes in a process of its own, because a failing pass ends the process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from hwgen.flow.tools import require_module, run_tool

__all__ = ["run_yosys"]

_CHILD = """\
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[1:]:
    libyosys.run_pass(command, design)
"""


def run_yosys(passes: Sequence[str], *, cwd: Path, what: str) -> None:
    """Run Yosys passes in order on an empty design, in folder `cwd`.

    Raises
    ------
    ToolError
        If pyosys is missing or a pass fails; the message ends with what Yosys said.
    """
    require_module("pyosys", what)
    run_tool([sys.executable, "-c", _CHILD, *passes], what=what, cwd=cwd)
