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
from pathlib import Path

import numpy.typing as npt

from hwgen.errors import CheckError
from hwgen.flow.native_build import build_library, including
from hwgen.flow.project import Batch, BitArray, Project

__all__ = ["NativeOperator", "compile_native"]

# Words above 64 bits lie in memory as the integer does, lowest byte first.
_WORDS = """\
#include <cstring>

namespace {{
template <int W, typename T>
inline __attribute__((always_inline)) ap_uint<W> hwgen_load(const T* words, std::size_t index) {{
    if (W <= 64) return ap_uint<W>(words[index]);
    unsigned _BitInt((W + 63) / 64 * 64) value = 0;
    std::memcpy(&value, words + index * ((W + 63) / 64), (W + 63) / 64 * 8);
    return ap_uint<W>(static_cast<unsigned _BitInt(W)>(value));
}}
template <int W, typename T>
inline __attribute__((always_inline)) void hwgen_store(T* words, std::size_t index, const ap_uint<W>& word) {{
    if (W <= 64) {{
        words[index] = static_cast<T>(word.to_uint64());
        return;
    }}
    const unsigned _BitInt((W + 63) / 64 * 64) value = word.bits();
    std::memcpy(words + index * ((W + 63) / 64), &value, (W + 63) / 64 * 8);
}}
}}  // namespace
"""

_FUNCTION_WRAPPER = """\
extern "C" std::size_t hwgen_batch(std::size_t count, std::size_t, {parameters}) {{
#pragma clang loop vectorize(enable)
    for (std::size_t i = 0; i < count; ++i) {{
        ap_uint<{width}> result;
        [[clang::always_inline]] ::{name}({reads}, result);
        hwgen_store({output}_, i, result);
    }}
    return count;
}}
"""

# What every wrapper of a stream top needs before the design. A read from an empty stream would abort, and
# this process with it: here it is noted, the activation goes on with a zero, and it is the last one.
_STREAM_HEAD = """\
static const void* hwgen_starved = nullptr;
#define HWGEN_ON_EMPTY_READ(stream) hwgen_starved = hwgen_starved ? hwgen_starved : (stream)

extern "C" int hwgen_starved_port;  // counted from 1; -1 is a stream inside the design
int hwgen_starved_port = 0;

#include <__verbose_abort>
#include <cstdlib>

// libc++'s documented hook for its fatal errors: this library is linked without libc++'s binary part.
void std::__libcpp_verbose_abort(const char*, ...) noexcept {{ std::abort(); }}
"""

_STARVED_PORT = "hwgen_starved_port"

# The streams are empty between activations, so they stay within one block of memory.
_STREAM_WRAPPER = """\
extern "C" std::size_t hwgen_batch(std::size_t count, std::size_t, {parameters}) {{
    {streams}
    hwgen_starved = nullptr;
    hwgen_starved_port = 0;
    for (std::size_t i = 0; i < count; ++i) {{
        {writes}
        [[clang::always_inline]] ::{name}({arguments});
        if (hwgen_starved || {output}_stream.empty()) {{
            hwgen_starved_port = {starved};
            return i;
        }}
        hwgen_store({output}_, i, {output}_stream.read());
    }}
    return count;
}}
"""

# Activations that read nothing may come between those that do, and after them; each releases a result.
_FRAME_WRAPPER = """\
extern "C" std::size_t hwgen_batch(std::size_t count, std::size_t wanted, {parameters}) {{
    {streams}
    hwgen_starved = nullptr;
    hwgen_starved_port = 0;
    std::size_t released = 0;
    const auto activate = [&] {{
        ::{name}({arguments});
        hwgen_starved_port = {starved};
        for (; !{output}_stream.empty(); ++released) {{
            const ap_uint<{width}> result = {output}_stream.read();
            if (released < wanted) hwgen_store({output}_, released, result);
        }}
    }};
    for (std::size_t i = 0; i < count; ++i) {{
        {writes}
        while (!{first}_stream.empty() && !hwgen_starved) activate();
    }}
    for (std::size_t before = released + 1; released < wanted && before != released && !hwgen_starved;) {{
        before = released;
        activate();
    }}
    return released;
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
        self._stateless = None if project.stateful else ctypes.CDLL(str(library))

    def __call__(self, *operands: npt.ArrayLike, results: int | None = None) -> BitArray:
        """Return the results for `operands`; see `hwgen.flow.project.port_arrays` for what is refused.

        Parameters
        ----------
        *operands : array_like of unsigned integers
            Bit patterns in port order.
        results : int, optional
            How many results the operands release, where that varies; default one for each activation.

        Raises
        ------
        CheckError
            If there are fewer or more results, or the design reads more words than there are.
        """
        batch = Batch.of(self.project, operands, results)
        if self._stateless is not None:
            released = self._run(self._stateless, batch)
        else:
            with _fresh(self.library) as library:
                released = self._run(library, batch)
        if released != batch.wanted:
            raise CheckError(f"csim of {self.project.name}: {released} results, but {batch.wanted} are due")
        return batch.result

    def _run(self, library: ctypes.CDLL, batch: Batch) -> int:
        """Return how many results were released; raise `CheckError` if a stream was read while empty."""
        released = int(_entry(library, self.project)(*batch.arguments))
        if self.project.interface == "stream":
            number = ctypes.c_int.in_dll(library, _STARVED_PORT).value
            if number:
                ports = (*self.project.inputs, self.project.output)
                stream = f"stream {ports[number - 1].name}" if number > 0 else "a stream inside the design"
                raise CheckError(
                    f"csim of {self.project.name}: {stream} is read while empty, after {released} results: "
                    "one activation reads more words than it is given"
                )
        return released

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
    folders = [project.path / "src", project.path / "open"]
    return NativeOperator(project, build_library("csim", _wrapper(project), folders))


def _wrapper(project: Project) -> str:
    """Return the C++ that includes the design and runs it over arrays."""
    output = project.output
    pointers = [f"const std::uint{p.storage_bits}_t* __restrict__ {p.name}_" for p in project.inputs]
    parts = {
        "name": project.name,
        "output": output.name,
        "width": output.width,
        "parameters": ", ".join(
            [*pointers, f"std::uint{output.storage_bits}_t* __restrict__ {output.name}_"]
        ),
    }
    words = {p.name: f"hwgen_load<{p.width}>({p.name}_, i)" for p in project.inputs}
    head = including(f"{project.name}.cpp") + _WORDS
    if project.interface == "function":
        return (head + _FUNCTION_WRAPPER).format(**parts, reads=", ".join(words.values()))
    ports = (*project.inputs, output)
    wrapper = _FRAME_WRAPPER if project.variable_rate else _STREAM_WRAPPER
    starved = "".join(f"hwgen_starved == &{p.name}_stream ? {number} : " for number, p in enumerate(ports, 1))
    return (_STREAM_HEAD + head + wrapper).format(
        **parts,
        starved=f"!hwgen_starved ? 0 : {starved}-1",
        first=project.inputs[0].name,
        streams="\n    ".join(f"hls::stream<ap_uint<{p.width}>> {p.name}_stream;" for p in ports),
        writes="\n        ".join(f"{name}_stream.write({word});" for name, word in words.items()),
        arguments=", ".join(f"{p.name}_stream" for p in ports),
    )


def _entry(library: ctypes.CDLL, project: Project) -> ctypes._NamedFuncPointer:
    batch = library.hwgen_batch
    batch.restype = ctypes.c_size_t
    batch.argtypes = [ctypes.c_size_t, ctypes.c_size_t, *[ctypes.c_void_p] * (len(project.inputs) + 1)]
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
