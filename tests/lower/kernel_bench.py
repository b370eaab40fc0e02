"""Runs streaming kernels as RTL: lowers C++, drives all ports in one Verilator build, compares with models.

Inputs pause at random and carry garbage while they are not valid; outputs are refused at random. A word may
be up to 1024 bits wide.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lowering_bench import llvm_module

from hwgen.flow.tools import run_tool, verilator_environment
from hwgen.flow.verilator_runtime import verilator_runtime
from hwgen.flow.xls_codegen import Timing, generate_verilog
from hwgen.flow.xls_ir import optimise
from hwgen.lower import lower_proc

Tokens = dict[str, list[int]]

INCLUDES = "#include <ap_int.h>\n#include <hls_stream.h>\n"
STAGES = (1, 3)
_TOKENS = 400


@dataclass(frozen=True)
class Kernel:
    """A kernel with its ports' widths and a model that maps input tokens to output tokens."""

    source: str
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    model: Callable[[Tokens], Tokens]


def kernel_mismatches(folder: Path, kernels: Mapping[str, Kernel], *, cycles: int = 6000) -> list[str]:
    """Run each kernel in RTL of one stage and of three on random tokens; say which differ from their model.

    The model must take as many tokens as there are; it stops where one of its inputs is used up.
    """
    module = llvm_module(folder, INCLUDES + "".join(kernel.source for kernel in kernels.values()))
    verilog, units = [], {}
    for name, kernel in kernels.items():
        lowered = lower_proc(module, top=name, inputs=kernel.inputs, outputs=kernel.outputs)
        xls_ir = optimise(lowered, top=name)
        for stages in STAGES:
            timing = Timing(stages=stages, clock_ps=None, delay_model="unit")
            ports = {"inputs": list(kernel.inputs), "output": "y", "streaming": True, "timing": timing}
            verilog.append(generate_verilog(xls_ir, name=f"{name}_{stages}", **ports)[1])
            units[f"{name}_{stages}"] = kernel
    rng = random.Random(1)
    tokens = {
        name: {
            port: [rng.getrandbits(width) for _ in range(_TOKENS)] for port, width in kernel.inputs.items()
        }
        for name, kernel in units.items()
    }
    results = _simulate(folder, units, verilog, tokens, cycles)
    wrong = []
    for name, kernel in units.items():
        expected = kernel.model(tokens[name])
        if not all(expected.values()):
            wrong.append(f"{name}: its model gives nothing, so nothing is compared")
        if results[name] != expected:
            wrong.append(f"{name}: {_first_difference(results[name], expected)}")
    return wrong


def _first_difference(found: Tokens, expected: Tokens) -> str:
    for port, right in expected.items():
        for index, (a, b) in enumerate(zip(found[port], right, strict=False)):
            if a != b:
                return f"{port}[{index}] is {a:#x} instead of {b:#x}"
        if len(found[port]) != len(right):
            return f"{port} has {len(found[port])} tokens instead of {len(right)}"
    return "no difference"


_MAIN = """\
#include "Vbench.h"
#include "verilated.h"
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <vector>
using Word = std::array<std::uint32_t, 32>;  // lowest bits first
using Tokens = std::vector<Word>;
static std::uint32_t state = 1;
static std::uint32_t random32() { state ^= state << 13; state ^= state >> 17; return state ^= state << 5; }
static Word garbage(int width) {
  Word word{};
  for (int i = 0; i < width; ++i) word[i / 32] |= (random32() & 1) << i %% 32;
  return word;
}
static Tokens tokens(const char* name, int words) {
  Tokens all;
  std::ifstream file(name);
  for (std::uint32_t part; file >> std::hex >> part;) {
    all.emplace_back();
    all.back()[0] = part;
    for (int i = 1; i < words; ++i) file >> all.back()[i];
  }
  return all;
}
template <class Port> void put(Port& port, const Word& word) {
  port = static_cast<Port>(word[0] | static_cast<std::uint64_t>(word[1]) << 32);
}
template <std::size_t N> void put(VlWide<N>& port, const Word& word) {
  for (std::size_t i = 0; i < N; ++i) port[i] = word[i];
}
template <class Port> void show(const char* name, const Port& port) {
  std::printf("%%s %%llx\\n", name, static_cast<unsigned long long>(port));
}
template <std::size_t N> void show(const char* name, const VlWide<N>& port) {
  std::printf("%%s ", name);
  for (std::size_t i = N; i-- > 0;) std::printf("%%08x", port[i]);
  std::printf("\\n");
}
int main() {
  Vbench dut;
  dut.ap_rst_n = 0;
  for (int i = 0; i < 8; ++i) { dut.ap_clk = i & 1; dut.eval(); }
  dut.ap_rst_n = 1;
%(tokens)s
  for (int cycle = 0; cycle < %(cycles)d; ++cycle) {
    dut.ap_clk = 0;
%(drive)s
    dut.eval();
%(observe)s
    dut.ap_clk = 1;
    dut.eval();
  }
  return 0;
}
"""


def _write_tokens(file: Path, tokens: Sequence[int], width: int) -> int:
    """Write a line of 32-bit parts a token, lowest first, and return the number of parts."""
    places = range(0, width, 32)
    lines = (" ".join(f"{token >> at & 0xFFFFFFFF:x}" for at in places) for token in tokens)
    file.write_text("\n".join(lines) + "\n")
    return len(places)


def _bench(
    folder: Path, kernels: Mapping[str, Kernel], tokens: Mapping[str, Tokens], cycles: int
) -> tuple[str, str]:
    """Return a SystemVerilog top around all kernels and the C++ program that drives it; write its tokens."""
    declarations, instances = ["input wire ap_clk", "input wire ap_rst_n"], []
    lists, drive, observe = [], [], []
    for module, kernel in kernels.items():
        joined = [".ap_clk(ap_clk)", ".ap_rst_n(ap_rst_n)"]
        for port, width in (kernel.inputs | kernel.outputs).items():
            name = f"{module}_{port}"
            forward, backward = ("input", "output") if port in kernel.inputs else ("output", "input")
            declarations += [
                f"{forward} wire [{width - 1}:0] {name}_TDATA",
                f"{forward} wire {name}_TVALID",
                f"{backward} wire {name}_TREADY",
            ]
            joined += [f".{port}_{signal}({name}_{signal})" for signal in ("TDATA", "TVALID", "TREADY")]
            if port in kernel.inputs:
                parts = _write_tokens(folder / name, tokens[module][port], width)
                lists.append(
                    f'  const Tokens {name} = tokens("{name}", {parts});'
                    f" std::size_t {name}_at = 0; bool {name}_on = false;"
                )
                # Data is garbage while it is not valid; once valid it stays so until it is taken.
                drive.append(
                    f"    {name}_on = {name}_at < {name}.size() && ({name}_on || random32() % 3);\n"
                    f"    dut.{name}_TVALID = {name}_on;\n"
                    f"    put(dut.{name}_TDATA, {name}_on ? {name}[{name}_at] : garbage({width}));"
                )
                observe.append(
                    f"    if ({name}_on && dut.{name}_TREADY) {{ ++{name}_at; {name}_on = false; }}"
                )
            else:
                drive.append(f"    dut.{name}_TREADY = random32() % 3 != 0;")
                observe.append(
                    f"    if (dut.{name}_TVALID && dut.{name}_TREADY)"
                    f' show("{module} {port}", dut.{name}_TDATA);'
                )
        instances.append(f"  {module} {module}_unit({', '.join(joined)});")
    top = f"module bench({', '.join(declarations)});\n" + "\n".join(instances) + "\nendmodule\n"
    sections = {"tokens": lists, "drive": drive, "observe": observe}
    main = {key: "\n".join(lines) for key, lines in sections.items()}
    return top, _MAIN % {**main, "cycles": cycles}


def _simulate(
    folder: Path,
    kernels: Mapping[str, Kernel],
    verilog: Sequence[str],
    tokens: Mapping[str, Tokens],
    cycles: int,
) -> dict[str, Tokens]:
    top, main = _bench(folder, kernels, tokens, cycles)
    (folder / "bench.sv").write_text("\n".join([*verilog, top]))
    environment = verilator_environment()
    flags = ["--cc", "-Wno-lint", "-Wno-style", "--top-module", "bench", "--prefix", "Vbench", "--Mdir", "."]
    run_tool(["verilator", *flags, "bench.sv"], what="Verilator", cwd=folder, env=environment)
    # One translation unit and a runtime that is there already: the headers are what takes the time.
    unit = [f'#include "{file.name}"' for file in sorted(folder.glob("Vbench*.cpp"))]
    (folder / "main.cpp").write_text("\n".join([*unit, main]))
    runtime = verilator_runtime()
    objects = [runtime / "verilated.o", runtime / "verilated_threads.o"]
    include = ["-I.", f"-I{Path(environment['VERILATOR_ROOT'], 'include')}"]
    command = ["g++", "-std=c++17", *include, "main.cpp", *objects, "-pthread", "-o", "bench"]
    run_tool(command, what="compiling the bench", cwd=folder)
    printed = run_tool([folder / "bench"], what="simulation", cwd=folder)
    results: dict[str, Tokens] = {m: {port: [] for port in kernel.outputs} for m, kernel in kernels.items()}
    for line in printed.splitlines():
        module, port, value = line.split()
        results[module][port].append(int(value, 16))
    return results
