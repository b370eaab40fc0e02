"""The emitted C++ as a native function on NumPy arrays.

The project's own source is compiled, together with a generated loop over arrays, into a shared library
that is cached by content. This is the fast engine: the loop is over the smallest machine types that hold
the ports, so that the compiler can vectorise a function top. It is not the emitted C++ testbench, which
the project's Makefile compiles and runs without hwgen.
"""

from __future__ import annotations

import _ctypes
import ctypes
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hwgen.errors import ToolError
from hwgen.flow.cache import build
from hwgen.flow.project import BitArray, Project, port_arrays
from hwgen.flow.tools import clangxx, require_program, run_tool

__all__ = ["NativeOperator", "compile_native"]

_FLAGS = (
    "-std=c++14",
    "-O3",
    "-g0",
    "-march=native",
    "-fPIC",
    "-fno-exceptions",  # with it, nothing of libc++ is left to link
    "-fno-sanitize=all",
    "-DHWGEN_OPEN_AP_INT_TEXT_H",  # the stand-in's printing, half of the compile time, counts as included
    "-Wno-pass-failed",  # "could not vectorise" is no defect of the design
)

_LIBRARY = "csim.so"

_DESIGN = """\
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
// Calls that are inlined anyway still leave the calling convention's marks: System V passes 65 to 128 bits
// as two halves through memory that LLVM then cannot remove, and a bf16 fma runs 20 times slower.
#define always_inline always_inline, ms_abi
#endif
#include "{name}.cpp"
#undef always_inline
"""

_FUNCTION_WRAPPER = """\
extern "C" void hwgen_batch(std::size_t count, {parameters}) {{
#pragma clang loop vectorize(enable)
    for (std::size_t i = 0; i < count; ++i) {{
        ap_uint<{width}> result;
        [[clang::always_inline]] {name}({reads}, result);
        {output}_[i] = static_cast<std::uint{storage}_t>(result.to_uint64());
    }}
}}
"""

# The streams are empty between activations, so they stay within one block of memory.
_STREAM_WRAPPER = """\
#include <__verbose_abort>
#include <cstdlib>

// libc++'s documented hook for its fatal errors: this library is linked without libc++'s binary part.
void std::__libcpp_verbose_abort(const char*, ...) noexcept {{ std::abort(); }}

extern "C" void hwgen_batch(std::size_t count, {parameters}) {{
    {streams}
    for (std::size_t i = 0; i < count; ++i) {{
        {writes}
        [[clang::always_inline]] {name}({arguments});
        {output}_[i] = static_cast<std::uint{storage}_t>({output}_stream.read().to_uint64());
    }}
}}
"""


class NativeOperator:
    """The emitted C++ of a project, compiled for this machine.

    Calling it maps arrays of bit patterns, one per input port, to the array of results. Operands are
    broadcast; the result has their common shape and the smallest unsigned dtype that holds the output
    port. If the design has state (an on-unit random generator), every call starts from reset and takes
    the operands in C order.
    """

    def __init__(self, project: Project, library: Path) -> None:
        self.project = project
        self.library = library
        self._batch = None if project.stateful else _entry(ctypes.CDLL(str(library)), project)

    def __call__(self, *operands: npt.ArrayLike) -> BitArray:
        """Return the results for `operands`; see `hwgen.flow.project.port_arrays` for what is refused."""
        arrays = port_arrays(self.project, operands)
        result = np.empty(arrays[0].shape, self.project.output.dtype)
        pointers = [array.ctypes.data for array in (*arrays, result)]
        if self._batch is not None:
            self._batch(result.size, *pointers)
        else:
            with _fresh(self.library) as library:
                _entry(library, self.project)(result.size, *pointers)
        return result

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.project.name}>"


def compile_native(project_dir: Path | str) -> NativeOperator:
    """Compile the C++ of the emitted project in `project_dir` for this machine, unless it is cached.

    Raises
    ------
    InputError
        If `project_dir` is no emitted project.
    ToolError
        If a compiler is missing, or the C++ does not compile.
    """
    project = Project.read(project_dir)
    wrapper = _wrapper(project)
    sources = project.path / "src", project.path / "open"
    key: list[str | bytes | Path] = ["csim", wrapper, *_FLAGS, version("ziglang"), _processor(), *sources]
    folder = build(key, lambda part: _compile(part, wrapper, sources))
    return NativeOperator(project, folder / _LIBRARY)


def _compile(folder: Path, wrapper: str, sources: tuple[Path, ...]) -> None:
    unit, code = folder / "csim.cpp", folder / "csim.o"
    unit.write_text(wrapper, encoding="utf-8")
    includes = [f"-I{path.resolve()}" for path in sources]
    run_tool([*clangxx(), *_FLAGS, *includes, "-c", unit, "-o", code], what="compiling the C++ design")
    # Not linked by ziglang: it would first spend a minute on building its own libc++, which is not used.
    linker = require_program("g++", "linking the C++ design")
    run_tool([linker, "-shared", "-Wl,-z,defs", code, "-o", folder / _LIBRARY], what="linking the C++ design")
    code.unlink()


def _wrapper(project: Project) -> str:
    """Return the C++ that includes the design and runs it over arrays."""
    output = project.output
    pointers = [f"const std::uint{p.storage_bits}_t* __restrict__ {p.name}_" for p in project.inputs]
    parts = {
        "name": project.name,
        "output": output.name,
        "width": output.width,
        "storage": output.storage_bits,
        "parameters": ", ".join(
            [*pointers, f"std::uint{output.storage_bits}_t* __restrict__ {output.name}_"]
        ),
    }
    words = {p.name: f"ap_uint<{p.width}>({p.name}_[i])" for p in project.inputs}
    if project.interface == "function":
        return (_DESIGN + _FUNCTION_WRAPPER).format(**parts, reads=", ".join(words.values()))
    ports = (*project.inputs, output)
    return (_DESIGN + _STREAM_WRAPPER).format(
        **parts,
        streams="\n    ".join(f"hls::stream<ap_uint<{p.width}>> {p.name}_stream;" for p in ports),
        writes="\n        ".join(f"{name}_stream.write({word});" for name, word in words.items()),
        arguments=", ".join(f"{p.name}_stream" for p in ports),
    )


def _entry(library: ctypes.CDLL, project: Project) -> ctypes._NamedFuncPointer:
    batch = library.hwgen_batch
    batch.restype = None
    batch.argtypes = [ctypes.c_size_t, *[ctypes.c_void_p] * (len(project.inputs) + 1)]
    return batch


@contextmanager
def _fresh(library: Path) -> Iterator[ctypes.CDLL]:
    """Load a copy of `library` of its own.

    The C++ keeps its state in function-local statics, which no code outside can reach; a library under a
    new name is the one place where they are as after reset, whatever their types and initialisers.
    """
    with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
        copy = Path(shutil.copy(library, folder))
        loaded = ctypes.CDLL(str(copy))
        try:
            yield loaded
        finally:
            _ctypes.dlclose(loaded._handle)


@cache
def _processor() -> str:
    """Return what -march=native depends on: a cache folder may be shared between machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ToolError(f"csim reads the processor's features from /proc/cpuinfo: {error}") from error
    return "\n".join(sorted({line for line in lines if line.startswith(("model", "flags", "Features"))}))
