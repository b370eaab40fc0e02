"""Building Verilated designs, and C++ that drives them, into a shared library that is cached by content."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from hwgen.flow.cache import build
from hwgen.flow.tools import run_tool, verilator_environment
from hwgen.flow.verilator_runtime import toolchain, verilator_runtime

__all__ = ["build_models"]

_FOLDER = Path(__file__).parent
_HARNESSES = (_FOLDER / "engine.hpp", *sorted(_FOLDER.glob("verilated_*.hpp")))
_LIBRARY = "rtl.so"

_VERILATOR_FLAGS = ("--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", "-Wno-lint", "-Wno-style")
_CXX_FLAGS = ("-std=c++17", "-fPIC")
_LARGE = 500_000
"""Bytes of C++ from which on the files of a model are compiled one by one, several at once."""

# Takes the place of the runtime's function, which would end Python.
_FATAL = """\
#include "verilated_harness.hpp"
void vl_fatal(const char* file, int line, const char*, const char* message) {
    throw hwgen::Failure(std::string(file) + ":" + std::to_string(line) + ": " + message);
}
"""


def build_models(designs: Sequence[tuple[Path, str]], wrappers: Sequence[str], optimisation: str) -> Path:
    """Return the library with the models of several designs and their wrappers, built unless it is cached.

    Parameters
    ----------
    designs : sequence of (Path, str)
        Each a SystemVerilog file and the top in it; the model of the n-th is the class ``V<n>``.
    wrappers : sequence of str
        C++ that drives each, with ``verilated_harness.hpp`` included before.
    optimisation : str
        The C++ compiler's option.

    Raises
    ------
    ToolError
        If Verilator or the C++ compiler is missing, or rejects the RTL.
    """
    flags = (*_CXX_FLAGS, optimisation)
    key: list[str | bytes | Path] = ["verilated", *toolchain(), *_HARNESSES, *flags, *_VERILATOR_FLAGS]
    key += [*wrappers, *(source for source, _ in designs)]
    return build(key, partial(_compile, designs, wrappers, flags)) / _LIBRARY


def _compile(
    designs: Sequence[tuple[Path, str]], wrappers: Sequence[str], flags: Sequence[str], folder: Path
) -> None:
    environment = verilator_environment()
    includes = [f"-I{path}" for path in (folder, _FOLDER, Path(environment["VERILATOR_ROOT"], "include"))]
    unit, alone = [_FATAL], list[Path]()
    for index, ((source, top), wrapper) in enumerate(zip(designs, wrappers, strict=True)):
        prefix = f"V{index}"
        command = ["verilator", *_VERILATOR_FLAGS, "--prefix", prefix, "--top-module", top]
        path = source.resolve()
        run_tool([*command, "--Mdir", folder, path], what=f"Verilator on {source.name}", env=environment)
        # One translation unit, because most of the time goes into Verilator's headers, unless the model is
        # large. Each design defines this macro to forbid a second precompiled header, of which there is none.
        unit.append("#undef VL_PCH_INCLUDED")
        parts = sorted(folder.glob(f"{prefix}_*.cpp"))
        if sum(part.stat().st_size for part in parts) < _LARGE:
            unit += [f'#include "{part.name}"' for part in parts]
        else:
            alone += parts
        unit += [f'#include "{prefix}.cpp"', wrapper]
    main = folder / "rtl.cpp"
    main.write_text("\n".join(unit), encoding="utf-8")
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:
        codes = list(workers.map(partial(_compile_unit, flags, includes), [main, *alone]))
    runtime = verilator_runtime()
    objects = [*codes, runtime / "verilated.o", runtime / "verilated_threads.o"]
    # Of two definitions, of vl_fatal, the first counts: ours.
    options = ["-shared", "-pthread", "-Wl,-z,defs,--allow-multiple-definition"]
    run_tool(
        ["g++", *options, *objects, "-o", folder / _LIBRARY],
        what="linking the RTL's model",
    )
    for leftover in folder.iterdir():
        if leftover.name != _LIBRARY:
            leftover.unlink()


def _compile_unit(flags: Sequence[str], includes: Sequence[str], unit: Path) -> Path:
    # What runs once, at the start, is not worth optimising.
    options = [*flags, "-O0"] if unit.stem.endswith("__Slow") else flags
    code = unit.with_suffix(".o")
    run_tool(["g++", *options, *includes, "-c", unit, "-o", code], what="compiling the RTL's model")
    return code
