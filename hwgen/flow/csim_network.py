"""The C++ of a network of kernels, compiled for this machine and alive between calls.

What runs is the very top that Vitis HLS synthesises, ``void NAME(streams, in the manifest's order)``: its
tasks take turns as ``hls_task.h`` says. There is no clock; time is counted in calls of the kernel that is
called most often, which no RTL can beat in cycles.
"""

from __future__ import annotations

import _ctypes
import ctypes
import shutil
import tempfile
from pathlib import Path

from hwgen.errors import InputError
from hwgen.flow.native_build import build_library
from hwgen.flow.network import Link, Network
from hwgen.flow.network_sim import RunningNetwork
from hwgen.flow.xls_ir import include_folders
from hwgen.operators.packing import limbs

__all__ = ["NetworkCsim", "load_network_csim"]

_HEADERS = [Path(__file__).with_name(name) for name in ("csim_network.hpp", "engine.hpp")]

_WRAPPER = """\
#include "{name}.cpp"

#include "csim_network.hpp"

namespace {{
{streams}
hwgen::Port* const ports[] = {{{ports}}};
}}  // namespace

extern "C" {{
void* hwgen_open() {{
    ::{name}({arguments});
    return nullptr;
}}
int hwgen_run(void*, std::uint64_t most, const hwgen::Goal* goals, std::size_t count,
              hwgen::Report* report) {{
    hwgen::run(ports, most, goals, count, *report);
    return 0;
}}
std::size_t hwgen_size(void*, std::uint32_t port) {{ return ports[port]->size(); }}
void hwgen_push(void*, std::uint32_t port, const std::uint64_t* words, const std::uint8_t* last,
                std::size_t count) {{
    ports[port]->push(words, last, count);
}}
void hwgen_pop(void*, std::uint32_t port, std::uint64_t* words, std::uint8_t* last, std::size_t count) {{
    ports[port]->pop(words, last, count);
}}
}}
"""


class NetworkCsim(RunningNetwork):
    """The C++ of a network, running natively.

    `run` lets the tasks go on until its goals are reached, no task can go on, or the kernel that is called
    most often was called `max_cycles` times; `cycles` counts these calls.
    """

    engine = "csim"

    def __init__(self, network: Network, library: Path) -> None:
        super().__init__(network)
        self._original = library
        self.reset()

    def reset(self) -> None:
        """Start from the beginning: static variables and memories as the C++ initialises them."""
        self._close()
        # The C++ keeps its state in statics of functions; only a library under a new name has fresh ones.
        with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
            self._open(Path(shutil.copy(self._original, folder)))
        self.cycles = 0

    def _close(self) -> None:
        library: ctypes.CDLL | None = getattr(self, "_library", None)
        if library is not None:
            _ctypes.dlclose(library._handle)

    def __del__(self) -> None:
        self._close()


def load_network_csim(project_dir: Path | str) -> NetworkCsim:
    """Compile the C++ of the network in `project_dir` for this machine, unless it is cached.

    Raises
    ------
    InputError
        If the folder has no network, or no C++.
    ToolError
        If a compiler is missing, or the C++ does not compile.
    """
    network = Network.read(project_dir)
    source = network.path / "src" / f"{network.name}.cpp"
    if not source.is_file():
        raise InputError(f"the project has no {source.relative_to(network.path)}", file=network.path)
    folders = [network.path / folder for folder in include_folders(network.path)[1:]]
    beside = {header.name: header.read_text(encoding="utf-8") for header in _HEADERS}
    return NetworkCsim(network, build_library("csim_network", _wrapper(network), folders, beside=beside))


def _wrapper(network: Network) -> str:
    return _WRAPPER.format(
        name=network.name,
        streams="\n".join(line for link in network.streams for line in _declarations(link)),
        ports=", ".join(f"&{link.name}_port" for link in network.streams),
        arguments=", ".join(f"{link.name}_stream" for link in network.streams),
    )


def _declarations(link: Link) -> list[str]:
    return [
        f'hls::stream<{link.cpp_type}> {link.name}_stream("{link.name}");',
        f"hwgen::EdgePort<{link.cpp_type}, {limbs(link.width)}> {link.name}_port({link.name}_stream);",
    ]
