"""Building the emitted C++, with generated code around it, into a shared library for this machine.

The library is cached by content. What the generated code does is the caller's: loops over arrays in
`hwgen.flow.csim`, matrix products in `hwgen.flow.gemm`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

from hwgen.errors import ToolError
from hwgen.flow.cache import build
from hwgen.flow.tools import clangxx, require_program, run_tool

__all__ = ["build_library", "including"]

_FLAGS = (
    "-std=c++14",
    "-O3",
    "-g0",
    "-march=native",
    "-fPIC",
    "-fno-slp-vectorize",  # clang 22 gets it wrong for numbers wider than 64 bits; loops still become vectors
    "-fno-exceptions",  # with it, nothing of libc++ is left to link
    "-fno-sanitize=all",
    "-DHWGEN_OPEN_AP_INT_TEXT_H",  # the stand-in's printing, half of the compile time, counts as included
    "-Wno-pass-failed",  # "could not vectorise" is no defect of the design
)

_INCLUDE = """\
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
// Calls that are inlined anyway still leave the calling convention's marks: System V passes 65 to 128 bits
// as two halves through memory that LLVM then cannot remove, and a bf16 fma runs 20 times slower.
#define always_inline always_inline, ms_abi
#endif
{includes}
#undef always_inline
"""


def including(*files: str) -> str:
    """Return C++ that includes `files` so that what they inline can become vector code."""
    return _INCLUDE.format(includes="\n".join(f'#include "{file}"' for file in files))


def build_library(
    what: str,
    code: str,
    folders: Sequence[Path],
    *,
    beside: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
) -> Path:
    """Compile `code` into a shared library, unless it is cached, and return its path.

    Parameters
    ----------
    what : str
        A word that names the library.
    code : str
        C++.
    folders : sequence of Path
        Where quoted includes are found; all their content counts for the cache.
    beside : mapping of str to str, optional
        Further headers: relative path and content.
    flags : sequence of str
        Further arguments of the compiler.

    Raises
    ------
    ToolError
        If a compiler is missing, or the C++ does not compile.
    """
    files = {f"{what}.cpp": code, **(beside or {})}
    arguments = [*_FLAGS, *flags]
    key: list[str | bytes | Path] = [what, *(part for file in files.items() for part in file)]
    key += [*arguments, version("ziglang"), _processor(), *folders]
    includes = [f"-I{folder.resolve()}" for folder in folders]
    library = f"{what}.so"

    def compile_into(folder: Path) -> None:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        unit, binary = folder / f"{what}.cpp", folder / f"{what}.o"
        doing = "compiling the C++ design"
        run_tool([*clangxx(), *arguments, *includes, f"-I{folder}", "-c", unit, "-o", binary], what=doing)
        # Not linked by ziglang: it would first spend a minute on building its own libc++, which is not used.
        linker = require_program("g++", "linking the C++ design")
        command: list[str | Path] = [linker, "-shared", "-Wl,-z,defs", binary, "-o", folder / library]
        run_tool(command, what="linking the C++ design")
        binary.unlink()

    return build(key, compile_into) / library


@cache
def _processor() -> str:
    """Return what -march=native depends on: a cache folder may be shared between machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ToolError(
            f"a native build reads the processor's features from /proc/cpuinfo: {error}"
        ) from error
    return "\n".join(sorted({line for line in lines if line.startswith(("model", "flags", "Features"))}))
