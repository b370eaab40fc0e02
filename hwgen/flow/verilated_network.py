"""The RTL of a network of kernels as a simulation that stays alive: Verilator's model behind a C++ harness.

No Python runs per clock cycle. Words wait in queues of any length at both ends of the network; ports pause
at random if told to, and ``verilated_network.hpp`` holds them to the AXI4-Stream protocol.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
from pathlib import Path

from hwgen.errors import InputError
from hwgen.flow.engine import Report, Stalls
from hwgen.flow.network import Link, Network
from hwgen.flow.network_sim import RunningNetwork
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
    std::vector<hwgen::PausingPort*> ports{{{addresses}}};

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


class NetworkSimulation(RunningNetwork):
    """The RTL of a network in simulation; it starts after reset."""

    engine = "RTL simulation"

    def __init__(self, network: Network, library: Path) -> None:
        super().__init__(network)
        self._open(library)
        self.reset()

    def __del__(self) -> None:
        if self._handle:
            self._library.hwgen_close(self._handle)

    def reset(self) -> None:
        """Reset the network, forget the words at its ports, count cycles from zero; memories keep theirs."""
        report = Report()
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
            stalls = Stalls((seed * 64 + number) & 0xFFFF_FFFF_FFFF_FFFF, round(probability * 65536))
            self._library.hwgen_pause(self._handle, ctypes.c_uint32(number), stalls)


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
