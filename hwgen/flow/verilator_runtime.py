"""Verilator's own C++ runtime, compiled once for all designs and both ways to simulate them.

Most of the time of a Verilator build goes here, and the result depends on nothing but the tools.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path

from hwgen.flow.cache import build
from hwgen.flow.tools import require_program, run_tool, verilator_environment

__all__ = ["toolchain", "verilator_runtime"]

# Only the part that models call in every evaluation is worth optimising: for the rest it would take three
# times as long to compile.
_MODULES = {"verilated": "-O1", "verilated_threads": "-O0", "verilated_dpi": "-O0", "verilated_vpi": "-O0"}

_FLAGS = ("-std=c++17", "-fPIC")  # position-independent, for shared libraries


def verilator_runtime() -> Path:
    """Return the folder with the object files of the runtime: `verilated.o` and the rest.

    Raises
    ------
    ToolError
        If Verilator or g++ is missing.
    """
    return build([*toolchain(), *_FLAGS, str(_MODULES)], _compile)


def toolchain() -> list[str | bytes | Path]:
    """Return what every build with Verilator depends on, as material for a cache key."""
    compiler = run_tool([require_program("g++", "RTL simulation"), "--version"], what="g++")
    return [version("verilator"), compiler]


def _compile(folder: Path) -> None:
    include = Path(verilator_environment()["VERILATOR_ROOT"], "include")
    with ThreadPoolExecutor(max_workers=2) as workers:
        # list() waits, and passes on what failed.
        list(workers.map(partial(_compile_module, folder, include), _MODULES))


def _compile_module(folder: Path, include: Path, module: str) -> None:
    command = ["g++", *_FLAGS, _MODULES[module], f"-I{include}", f"-I{include / 'vltstd'}"]
    run_tool(
        [*command, "-c", include / f"{module}.cpp", "-o", folder / f"{module}.o"],
        what="compiling Verilator's runtime",
    )
