"""Reads that do not wait, as RTL: nothing is lost, repeated, or sent for an answer that is withdrawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from memory_network import write_network

from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated_network import NetworkSimulation, load_network
from hwgen.flow.xls_codegen import Timing, generate_verilog
from hwgen.flow.xls_ir import compile_to_llvm_ir, include_folders, optimise
from hwgen.lower import lower_kernel

# Whether the second stream is read depends on the first; an odd word goes to both outputs.
SOURCE = """\
#include <ap_int.h>
#include <hls_stream.h>
extern "C" void route(hls::stream<ap_uint<70>>& a, hls::stream<ap_uint<70>>& b, hls::stream<ap_uint<70>>& y,
                      hls::stream<ap_uint<70>>& z) {
  ap_uint<70> x;
  bool first = false, second = false;
  if (a.read_nb(x)) first = true;
  if (!first && b.read_nb(x)) second = true;
  if (first || (second && x[0])) y.write(x);
  if (second || (first && x[0])) z.write(x);
}
"""

_B = 1 << 69


def _network() -> dict:
    streams = [{"name": port, "width": 70, "direction": "input"} for port in "ab"]
    streams += [{"name": port, "width": 70, "direction": "output"} for port in "yz"]
    kernel = {
        "name": "kernel",
        "function": "route",
        "inputs": [{"port": port, "from": port} for port in "ab"],
        "outputs": [{"port": port, "to": port} for port in "yz"],
    }
    return {"streams": streams, "kernels": [kernel]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_network(tmp_path / "route", network=_network(), source=SOURCE, name="route")


def _mistakes(simulation: NetworkSimulation) -> list[str]:
    """Send words with a mark of their stream through, and say where they came out wrong."""
    rng = np.random.default_rng(3)
    sent = {
        port: [mark | int(word) for word in rng.integers(1, 1 << 62, 400)]
        for port, mark in (("a", 0), ("b", _B))
    }
    for port, words in sent.items():
        simulation.push(port, words)
    simulation.run(20_000, until={"a": 0, "b": 0})
    simulation.run(200)
    wrong = []
    for port, whole in (("y", "a"), ("z", "b")):
        words = [int(low) | int(high) << 64 for low, high in simulation.pop(port)[0]]
        for source in "ab":
            found = [word for word in words if (word >= _B) == (source == "b")]
            expected = [word for word in sent[source] if source == whole or word & 1]
            if found != expected:
                wrong.append(f"{source} in {port}")
    return wrong


@pytest.mark.parametrize("pause", [0.0, 0.4, 0.8])
def test_each_word_comes_out_once_and_in_order_whoever_pauses(project: Path, pause: float) -> None:
    generate_rtl(project)
    simulation = load_network(project)
    simulation.pause(pause, seed=2)
    assert _mistakes(simulation) == []


def test_sends_in_the_stage_of_such_reads_are_found(project: Path) -> None:
    llvm_ir = compile_to_llvm_ir(project / "src" / "route.cpp", include=include_folders(project))
    ports = {"inputs": {"a": 70, "b": 70}, "outputs": {"y": 70, "z": 70}}
    xls_ir = optimise(lower_kernel(llvm_ir, top="route", **ports).xls_ir, top="route")
    timing = Timing(stages=1, clock_ps=None, delay_model="unit")
    names = {"name": "route", "inputs": ["a", "b"], "output": "y"}
    verilog = generate_verilog(xls_ir, **names, streaming=True, timing=timing)[1]
    (project / "rtl").mkdir()
    (project / "rtl" / "route.sv").write_text(verilog)
    simulation = load_network(project)
    simulation.pause(0.4, seed=2)
    assert _mistakes(simulation) != []
