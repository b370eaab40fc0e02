"""Compiling units against the header library, as shipped or with a bug planted in it."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from hwgen.flow.tools import clangxx, require_program, run_tool
from hwgen.resources import templates_dir

__all__ = ["compile_units", "plant"]

# Clang 22's SLP makes wrong vector code of numbers wider than 64 bits; hwgen's builds do without it, too.
_FLAGS = "-std=c++14 -g0 -fPIC -fno-exceptions -fno-sanitize=all -fno-slp-vectorize -Wall -Wextra -pedantic"
_FLAGS += " -Werror"


def compile_units(
    lines: Iterable[str], folder: Path, *, headers: Path | None, flags: Sequence[str] = ("-O1",)
) -> ctypes.CDLL:
    """Compile C++ into a library in `folder`, without warnings.

    Parameters
    ----------
    lines : iterable of str
        The source, which includes what it needs.
    folder : Path
        Where everything is written.
    headers : Path or None
        Folder that replaces the shipped header library.
    flags : sequence of str
        Further arguments of the compiler.
    """
    include = templates_dir() / "include"
    source, code, library = folder / "units.cpp", folder / "units.o", folder / "units.so"
    source.write_text("\n".join(lines), encoding="utf-8")
    includes = [f"-I{headers or include}", f"-I{include / 'open'}"]
    command = [*clangxx(), *_FLAGS.split(), *flags, *includes, "-c", source, "-o", code]
    run_tool(command, what="compiling the units")
    run_tool([require_program("g++", "linking"), "-shared", code, "-o", library], what="linking the units")
    return ctypes.CDLL(str(library))


def plant(folder: Path, header: str, right: str, wrong: str) -> Path:
    """Return a copy, below `folder`, of the header library in which `header` has `wrong` for `right`."""
    mutated = folder / "include"
    shutil.copytree(templates_dir() / "include" / "hwgen", mutated / "hwgen")
    file = mutated / "hwgen" / f"{header}.hpp"
    text = file.read_text(encoding="utf-8")
    assert right in text
    file.write_text(text.replace(right, wrong), encoding="utf-8")
    return mutated
