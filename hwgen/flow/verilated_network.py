"""The RTL of a network of kernels as a simulation that stays alive: Verilator's model behind a C++ harness.

No Python runs per clock cycle. Words wait in queues of any length at both ends of the network; ports pause
at random if told to, and ``verilated_network.hpp`` holds them to the AXI4-Stream protocol.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hwgen.errors import CheckError, InputError
from hwgen.flow.network import Link, Network
from hwgen.flow.network_sim import Words, last_bits, port_words
from hwgen.flow.verilated_build import build_models
from hwgen.operators.packing import limbs

__all__ = ["NetworkSimulation", "load_network"]

_OPTIMISATION = "-O3"

_WRAPPER = """\
#include "verilated_network.hpp"
namespace {{
struct Dut {{
    VerilatedContext context;
    V0 top{{&context}};
    {declarations}
    std::vector<hwgen::Port*> ports{{{addresses}}};

    void reset() {{
        {quiet}
        top.ap_rst_n = 0;
        for (int i = 0; i < 8; ++i) {{
            top.ap_clk = i & 1;
            top.eval();
        }}
        top.ap_rst_n = 1;
    }}
    void cycle() {{
        top.ap_clk = 0;
        {offers}
        top.eval();
        {steps}
        top.ap_clk = 1;
        top.eval();
    }}
}};
using Simulation = hwgen::Simulation<Dut>;
}}  // namespace

extern "C" {{
Simulation* hwgen_open() {{ return new Simulation; }}
void hwgen_close(Simulation* simulation) {{ delete simulation; }}
int hwgen_reset(Simulation* simulation, hwgen::Report* report) {{
    return hwgen::guarded(*report, [&] {{ simulation->reset(); }});
}}
int hwgen_run(Simulation* simulation, std::uint64_t most, const hwgen::Goal* goals, std::size_t count,
              hwgen::Report* report) {{
    const std::uint64_t before = simulation->cycles;
    const int failed = hwgen::guarded(*report, [&] {{ simulation->run(most, goals, count); }});
    report->cycles = simulation->cycles - before;
    return failed;
}}
std::size_t hwgen_size(Simulation* simulation, std::uint32_t port) {{
    return simulation->dut.ports[port]->size();
}}
void hwgen_push(Simulation* simulation, std::uint32_t port, const std::uint64_t* words,
                const std::uint8_t* last, std::size_t count) {{
    simulation->dut.ports[port]->push(words, last, count);
}}
void hwgen_pop(Simulation* simulation, std::uint32_t port, std::uint64_t* words, std::uint8_t* last,
               std::size_t count) {{
    simulation->dut.ports[port]->pop(words, last, count);
}}
void hwgen_pause(Simulation* simulation, std::uint32_t port, hwgen::Stalls stalls) {{
    simulation->dut.ports[port]->pause(stalls);
}}
}}
"""


class _Stalls(ctypes.Structure):
    _fields_ = (("seed", ctypes.c_uint64), ("per_65536", ctypes.c_uint32))


class _Report(ctypes.Structure):
    _fields_ = (
        ("cycles", ctypes.c_uint64),
        ("withheld", ctypes.c_uint64),
        ("refused", ctypes.c_uint64),
        ("message", ctypes.c_char * 256),
    )


class _Goal(ctypes.Structure):
    _fields_ = (("port", ctypes.c_uint32), ("output", ctypes.c_uint32), ("words", ctypes.c_uint64))


class NetworkSimulation:
    """A network of kernels in simulation; it starts after reset, and time passes in `run` only.

    Attributes
    ----------
    network : Network
        What is simulated.
    cycles : int
        Clock cycles since the last reset.
    """

    def __init__(self, network: Network, library: Path) -> None:
        self.network = network
        self.cycles = 0
        self._library = ctypes.CDLL(str(library))
        self._library.hwgen_open.restype = ctypes.c_void_p
        self._library.hwgen_size.restype = ctypes.c_size_t
        self._ports = {stream.name: number for number, stream in enumerate(network.streams)}
        self._handle = ctypes.c_void_p(self._library.hwgen_open())
        self.reset()

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._library.hwgen_close(self._handle)

    def reset(self) -> None:
        """Reset the network, forget the words at its ports, count cycles from zero; memories keep theirs."""
        report = _Report()
        self._check(self._library.hwgen_reset(self._handle, ctypes.byref(report)), report)
        self.cycles = 0

    def pause(self, probability: float, *, seed: int = 0, ports: Iterable[str] | None = None) -> None:
        """Let ports pause at random from now on: inputs withhold words, outputs refuse them.

        Parameters
        ----------
        probability : float
            Of a pause in a cycle, 0 <= probability < 1.
        seed : int
            Of the pauses.
        ports : iterable of str, optional
            Which streams; all if not given.
        """
        if not 0.0 <= probability < 1.0:
            raise ValueError(f"the probability of a pause must be in [0, 1), not {probability}")
        for name in self._ports if ports is None else ports:
            number = self._ports[self.network.stream(name).name]
            stalls = _Stalls((seed * 64 + number) & 0xFFFF_FFFF_FFFF_FFFF, round(probability * 65536))
            self._library.hwgen_pause(self._handle, ctypes.c_uint32(number), stalls)

    def push(self, stream: str, words: npt.ArrayLike, last: npt.ArrayLike | None = None) -> None:
        """Append words to the queue in front of an input.

        Parameters
        ----------
        stream : str
            The input.
        words : array_like of unsigned integers
            See `hwgen.flow.network_sim.port_words`.
        last : array_like of bool, optional
            TLAST of each word, for streams that have it; default with the last word only.
        """
        link = self._stream(stream, "input")
        rows = port_words(link, words)
        bits = last_bits(link, last, len(rows))
        number = ctypes.c_uint32(self._ports[stream])
        arguments = (_address(rows), _address(bits), ctypes.c_size_t(len(rows)))
        self._library.hwgen_push(self._handle, number, *arguments)

    def waiting(self, stream: str) -> int:
        """Return the words in the queue at a port: not yet taken by the network, or not yet popped."""
        number = self._ports[self.network.stream(stream).name]
        return int(self._library.hwgen_size(self._handle, ctypes.c_uint32(number)))

    def run(self, max_cycles: int, until: Mapping[str, int] | None = None) -> int:
        """Let time pass, and return how many cycles.

        Parameters
        ----------
        max_cycles : int
            The most.
        until : mapping of str to int, optional
            Stop when each of these outputs holds at least so many words, and each of these inputs at most.

        Raises
        ------
        CheckError
            If the network breaks the protocol or stops the simulation, or `until` is not reached; the message
            says what is in the queues.
        """
        goals = (_Goal * len(until or ()))()
        for goal, (name, words) in zip(goals, (until or {}).items(), strict=True):
            link = self.network.stream(name)
            goal.port, goal.output, goal.words = self._ports[name], link.direction == "output", words
        report = _Report()
        count = ctypes.c_size_t(len(goals))
        failed = self._library.hwgen_run(
            self._handle, ctypes.c_uint64(max_cycles), goals, count, ctypes.byref(report)
        )
        self.cycles += report.cycles
        self._check(failed, report)
        if until and not all(self._reached(name, words) for name, words in until.items()):
            queues = ", ".join(f"{name} {self.waiting(name)}" for name in self._ports)
            raise CheckError(
                f"RTL simulation of {self.network.name}: not done after {report.cycles} cycles (words in the "
                f"queues: {queues})"
            )
        return int(report.cycles)

    def pop(self, stream: str, count: int | None = None) -> tuple[Words, npt.NDArray[np.bool_]]:
        """Take words from the queue behind an output: all of them, or the first `count`.

        Returns
        -------
        words : ndarray of uint64
            Rows of 64-bit limbs, the lowest first.
        last : ndarray of bool
            TLAST of each word; false where the stream has none.
        """
        link = self._stream(stream, "output")
        there = self.waiting(stream)
        if count is not None and count > there:
            raise InputError(f"stream {stream!r} has {there} words, not {count}")
        count = there if count is None else count
        rows, bits = np.zeros((count, limbs(link.width)), np.uint64), np.zeros(count, np.uint8)
        number = ctypes.c_uint32(self._ports[stream])
        self._library.hwgen_pop(self._handle, number, _address(rows), _address(bits), ctypes.c_size_t(count))
        return rows, bits.astype(bool)

    def _reached(self, name: str, words: int) -> bool:
        there = self.waiting(name)
        return there >= words if self.network.stream(name).direction == "output" else there <= words

    def _stream(self, name: str, direction: str) -> Link:
        link = self.network.stream(name)
        if link.direction != direction:
            raise InputError(
                f"stream {name!r} is an {link.direction} of {self.network.name}, not an {direction}"
            )
        return link

    def _check(self, failed: int, report: _Report) -> None:
        if failed:
            message = report.message.decode(errors="replace")
            raise CheckError(f"RTL simulation of {self.network.name}: {message}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.network.name}>"


def load_network(project_dir: Path | str) -> NetworkSimulation:
    """Build the simulation of the RTL of the network in `project_dir`, unless it is cached.

    Raises
    ------
    InputError
        If the folder has no network, or no RTL.
    ToolError
        If Verilator or the C++ compiler is missing, or rejects the RTL.
    """
    network = Network.read(project_dir)
    source = network.path / "rtl" / f"{network.name}.sv"
    if not source.is_file():
        raise InputError(f"{str(network.path)!r} has no RTL yet (run hwgen rtl first)")
    return NetworkSimulation(
        network, build_models([(source, network.name)], [_wrapper(network)], _OPTIMISATION)
    )


def _address(array: npt.NDArray[np.generic]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _wrapper(network: Network) -> str:
    """Return the C++ that joins the queues to the ports of the Verilated class ``V0``."""
    quiet = [f"top.{link.name}_TVALID = 0;" for link in network.inputs]
    quiet += [f"top.{link.name}_TREADY = 0;" for link in network.outputs]
    return _WRAPPER.format(
        declarations="\n    ".join(_declaration(link) for link in network.streams),
        addresses=", ".join(f"&{link.name}" for link in network.streams),
        quiet="\n        ".join(quiet),
        offers="\n        ".join(line for link in network.streams for line in _offer(link)),
        steps="\n        ".join(line for link in network.streams for line in _step(link)),
    )


def _declaration(link: Link) -> str:
    if link.direction == "input":
        return f"hwgen::InputPort<{limbs(link.width)}> {link.name};"
    return f'hwgen::OutputPort<{limbs(link.width)}> {link.name}{{"{link.name}"}};'


def _offer(link: Link) -> Iterator[str]:
    name = link.name
    if link.direction == "output":
        yield f"top.{name}_TREADY = {name}.ready();"
        return
    yield f"top.{name}_TVALID = {name}.offer();"
    yield f"hwgen::drive(top.{name}_TDATA, {name}.word().data());"
    if link.last:
        yield f"top.{name}_TLAST = {name}.last();"


def _step(link: Link) -> Iterator[str]:
    name = link.name
    if link.direction == "input":
        yield f"{name}.step(top.{name}_TREADY);"
        return
    last = f"top.{name}_TLAST" if link.last else "false"
    yield f"if ({name}.looks(top.{name}_TVALID)) {{"
    yield f"    hwgen::Word<{limbs(link.width)}> word;"
    yield f"    hwgen::load<{link.width}>(top.{name}_TDATA, word.data());"
    yield f"    {name}.step(top.{name}_TVALID, word, {last});"
    yield "}"
