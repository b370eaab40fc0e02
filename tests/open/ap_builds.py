"""Build and run C++ test programs, with our headers by clang or with AMD's by g++."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from hwgen.flow.tools import clangxx, require_module, require_program, run_tool
from hwgen.resources import templates_dir

__all__ = [
    "HERE",
    "LOWERING_FLAGS",
    "OPEN",
    "WARNINGS",
    "amd_include",
    "compile_with_ours",
    "run_with_amd",
    "run_with_ours",
]

OPEN = templates_dir() / "include" / "open"
HERE = Path(__file__).parent
WARNINGS = ("-Wall", "-Wextra", "-pedantic", "-Werror")
LOWERING_FLAGS = (
    *("-std=c++14", "-O1", "-g0", "-S", "-emit-llvm", "-fno-sanitize=all", "-fno-vectorize"),
    *("-fno-slp-vectorize", "-fno-jump-tables", "-fno-threadsafe-statics"),
)


def amd_include() -> Path:
    """Return the folder of AMD's ap_types, which the da4ml wheel ships."""
    require_module("da4ml", "comparing with AMD's ap_types")
    spec = importlib.util.find_spec("da4ml")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "codegen/hls/source/ap_types/include"


def compile_with_ours(source: str, folder: Path, *flags: str, include: Path = OPEN) -> Path:
    """Compile `source` by clang with our headers; return what it made."""
    (folder / "ours.cpp").write_text(source)
    made = folder / "ours.out"
    command = [*clangxx(), f"-I{include}", f"-I{HERE}", *flags, folder / "ours.cpp", "-o", made]
    run_tool(command, what="compiling with the open headers")
    return made


def run_with_ours(
    source: str, folder: Path, *, include: Path = OPEN, flags: tuple[str, ...] = ()
) -> list[str]:
    """Return the lines that `source` prints with our headers.

    Zig traps undefined behaviour unless told otherwise, so these runs also show that the headers have none.
    """
    program = compile_with_ours(source, folder, "-std=c++14", *flags, include=include)
    return run_tool([program], what="the program with the open headers").splitlines()


def run_with_amd(source: str, folder: Path) -> list[str]:
    """Return the lines that `source` prints with AMD's headers."""
    (folder / "amd.cpp").write_text(source)
    program = folder / "amd.out"
    gxx = require_program("g++", "comparing with AMD's ap_types")
    flags = ("-std=c++14", "-w", "-isystem", str(amd_include()), f"-I{HERE}")
    run_tool([gxx, *flags, folder / "amd.cpp", "-o", program], what="compiling with AMD's headers")
    return run_tool([program], what="the program with AMD's headers").splitlines()
