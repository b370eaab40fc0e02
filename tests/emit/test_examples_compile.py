"""Every example's C++ compiles without a warning by clang, and by g++ with AMD's headers.

All designs are one translation unit, each in a namespace of its own, so that headers are read once. What they
compute is for the tests of their kinds.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hwgen.emit import emit
from hwgen.errors import ToolError
from hwgen.flow.tools import require_module, require_program, run_tool
from hwgen.operators import load
from hwgen.resources import templates_dir

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
STRICT = ("-std=c++14", "-Wall", "-Wextra", "-pedantic", "-Werror", "-Wno-unknown-pragmas", "-fsyntax-only")
INCLUDE = templates_dir() / "include"
# A warning that only the instantiation of a template shows.
WARNED = "template <class T> T f(T x) { T idle = x; return x; }\nint g() { return f(1); }\n"


def clang() -> list[str]:
    # clang itself, for zig wants an object file; with GCC's library, for libc++ takes zig's settings.
    wheel = Path(str(require_module("ziglang", "compiling C++").origin)).parent
    own = f"-isystem{wheel / 'lib/include'}"
    return [sys.executable, "-m", "ziglang", "clang", "-xc++", "--target=x86_64-linux-gnu", own]


def check(compiler: list[str], ap_include: Path, unit: Path) -> None:
    includes = [f"-I{unit.parent}", f"-I{INCLUDE}", f"-isystem{ap_include}"]
    run_tool([*compiler, *STRICT, *includes, unit], what="compiling the examples")


@pytest.fixture(scope="module")
def every_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source that includes the design of every example."""
    folder = tmp_path_factory.mktemp("examples")
    headers = sorted((INCLUDE / "hwgen").glob("*.hpp"))
    lines = ["#include <ap_int.h>", "#include <hls_stream.h>"]
    lines += [f'#include "hwgen/{header.name}"' for header in headers]
    for example in EXAMPLES:
        operator = load(example)
        project = emit(operator, folder / "projects" / example.stem)
        for file in (project / "src").glob(f"{operator.name}.?pp"):
            file.rename(folder / file.name)  # away from its copy of the headers
        lines.append(f'namespace of_{example.stem} {{\n#include "{operator.name}.cpp"\n}}')
    unit = folder / "every_example.cpp"
    unit.write_text("\n".join(lines) + "\n")
    return unit


def test_clang_with_the_stand_ins_compiles_every_example_without_a_warning(every_example: Path) -> None:
    check(clang(), INCLUDE / "open", every_example)


def test_gcc_with_amds_headers_compiles_every_example_without_a_warning(
    every_example: Path, amd_include: Path
) -> None:
    check([require_program("g++", "compiling C++")], amd_include, every_example)


@pytest.mark.parametrize("compiler", ["clang", "gcc"])
def test_a_warning_in_an_instantiated_template_is_seen(
    compiler: str, tmp_path: Path, amd_include: Path
) -> None:
    unit = tmp_path / "warned.cpp"
    unit.write_text(WARNED)
    command = clang() if compiler == "clang" else ["g++"]
    with pytest.raises(ToolError, match="unused variable"):
        check(command, INCLUDE / "open", unit)
