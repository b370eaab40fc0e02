"""Streaming kernels with state, run as RTL against models in Python, with ports that pause at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from lowering_bench import llvm_module

from hwgen.errors import InputError
from hwgen.flow.tools import run_tool, verilator_environment
from hwgen.flow.xls_codegen import Timing, generate_verilog
from hwgen.flow.xls_ir import optimise
from hwgen.lower import lower_proc

Tokens = dict[str, list[int]]


@dataclass(frozen=True)
class Kernel:
    """A kernel with its ports' widths and a model that maps input tokens to output tokens."""

    source: str
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    model: Callable[[Tokens], Tokens]


def _accumulate(tokens: Tokens) -> Tokens:
    total, out = 5, []
    for a in tokens["a"]:
        total = (total + a) % (1 << 20)
        out.append(total)
    return {"y": out}


def _sometimes(tokens: Tokens) -> Tokens:
    """Reads b only after a large a, and writes only when the state is odd."""
    b, state, out = iter(tokens["b"]), 77, []
    for v in tokens["a"]:
        if v > 3:
            extra = next(b, None)
            if extra is None:
                break
            v = (v + extra) % 256
            state = (state * 3 + v) % (1 << 32)
        if state & 1:
            out.append((v + [1, 2, 3, 7, 9][v % 5]) % 256)
    return {"y": out}


def _route(tokens: Tokens) -> Tokens:
    """Counts values by class in a static array; two outputs, one of them written on either of two paths."""
    count, y, z = [0, 0, 0, 300], [], []
    for x in tokens["a"]:
        count[x % 4] = (count[x % 4] + 1) % 1024
        y.append(x * 3 % 256 if x & 1 else x ^ 0x55)
        if x > 100:
            z.append(count[x % 4] + (1000 if x > 200 else 0))
    return {"y": y, "z": z}


def _split(tokens: Tokens) -> Tokens:
    """Writes a pair of outputs in one activation out of every two, from wide and structured state."""
    y, z, previous, wide, phase = [], [], 0, 1, False
    for x in tokens["a"]:
        wide = (wide << 9 ^ x) % (1 << 100)
        if phase:
            y.append((previous + x) % 512)
            z.append(wide >> 84)
        previous, phase = x, not phase
    return {"y": y, "z": z}


KERNELS = {
    "accumulate": Kernel(
        """
        extern "C" void accumulate(hls::stream<ap_uint<8>>& a, hls::stream<ap_uint<20>>& y) {
          static ap_uint<20> total = 5;
          total += a.read();
          y.write(total);
        }
        """,
        {"a": 8},
        {"y": 20},
        _accumulate,
    ),
    "sometimes": Kernel(
        """
        static const int table[5] = {1, 2, 3, 7, 9};
        extern "C" void sometimes(hls::stream<ap_uint<8>>& a, hls::stream<ap_uint<8>>& b,
                                  hls::stream<ap_uint<8>>& y) {
          static unsigned state = 77;
          ap_uint<8> v = a.read();
          if (v > 3) {
            v += b.read();
            state = state * 3 + v.to_uint();
          }
          if (state & 1) y.write(v + table[v.to_uint() % 5]);
        }
        """,
        {"a": 8, "b": 8},
        {"y": 8},
        _sometimes,
    ),
    "route": Kernel(
        """
        __attribute__((noinline)) static void report(hls::stream<ap_uint<11>>& z, ap_uint<10> n, bool far) {
          if (far) z.write(n + 1000); else z.write(n);
        }
        extern "C" void route(hls::stream<ap_uint<8>>& a, hls::stream<ap_uint<8>>& y,
                              hls::stream<ap_uint<11>>& z) {
          static ap_uint<10> count[4] = {0, 0, 0, 300};
          const ap_uint<8> x = a.read();
          count[x.to_uint() % 4] += 1;
          if (x[0]) y.write(x * 3); else y.write(x ^ 0x55);
          if (x > 100) report(z, count[x.to_uint() % 4], x > 200);
        }
        """,
        {"a": 8},
        {"y": 8, "z": 11},
        _route,
    ),
    "split": Kernel(
        """
        extern "C" void split(hls::stream<ap_uint<9>>& a, hls::stream<ap_uint<9>>& y,
                              hls::stream<ap_uint<16>>& z) {
          static struct { unsigned _BitInt(9) previous; bool phase; } state = {0, false};
          static ap_uint<100> wide = 1;
          const ap_uint<9> x = a.read();
          wide = (wide << 9) ^ ap_uint<100>(x);
          if (state.phase) {
            y.write(ap_uint<9>(state.previous) + x);
            z.write(wide.range(99, 84));
          }
          state.previous = x.bits();
          state.phase = !state.phase;
        }
        """,
        {"a": 9},
        {"y": 9, "z": 16},
        _split,
    ),
}

_MAIN = """\
#include "Vbench.h"
#include "verilated.h"
#include <cstdint>
#include <cstdio>
#include <vector>
using Tokens = std::vector<std::uint32_t>;
static std::uint32_t state = 1;
static std::uint32_t random32() { state ^= state << 13; state ^= state >> 17; return state ^= state << 5; }
int main() {
  Vbench dut;
  dut.ap_rst_n = 0;
  for (int i = 0; i < 8; ++i) { dut.ap_clk = i & 1; dut.eval(); }
  dut.ap_rst_n = 1;
%(tokens)s
  for (int cycle = 0; cycle < 6000; ++cycle) {
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


def _bench(kernels: Mapping[str, Kernel], tokens: Mapping[str, Tokens]) -> tuple[str, str]:
    """Return a SystemVerilog top around all kernels, and the C++ program that drives it."""
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
                values = ", ".join(map(str, tokens[module][port]))
                lists.append(
                    f"  Tokens {name}{{{values}}}; std::size_t {name}_at = 0; bool {name}_on = false;"
                )
                # Data is garbage while it is not valid; once valid it stays so until it is taken.
                drive.append(
                    f"    {name}_on = {name}_at < {name}.size() && ({name}_on || random32() % 3);\n"
                    f"    dut.{name}_TVALID = {name}_on;\n"
                    f"    dut.{name}_TDATA = {(1 << width) - 1}u &"
                    f" ({name}_on ? {name}[{name}_at] : random32());"
                )
                observe.append(
                    f"    if ({name}_on && dut.{name}_TREADY) {{ ++{name}_at; {name}_on = false; }}"
                )
            else:
                drive.append(f"    dut.{name}_TREADY = random32() % 3 != 0;")
                observe.append(
                    f"    if (dut.{name}_TVALID && dut.{name}_TREADY) "
                    f'std::printf("{module} {port} %u\\n", (unsigned)dut.{name}_TDATA);'
                )
        instances.append(f"  {module} {module}_unit({', '.join(joined)});")
    top = f"module bench({', '.join(declarations)});\n" + "\n".join(instances) + "\nendmodule\n"
    return top, _MAIN % {"tokens": "\n".join(lists), "drive": "\n".join(drive), "observe": "\n".join(observe)}


def _simulate(
    folder: Path, kernels: Mapping[str, Kernel], verilog: Sequence[str], tokens: Mapping[str, Tokens]
) -> dict[str, Tokens]:
    top, main = _bench(kernels, tokens)
    (folder / "bench.sv").write_text("\n".join([*verilog, top]))
    (folder / "main.cpp").write_text(main)
    flags = ["--cc", "--exe", "--build", "-Wno-lint", "-Wno-style", "--top-module", "bench", "-CFLAGS", "-O0"]
    environment = verilator_environment()
    run_tool(["verilator", *flags, "bench.sv", "main.cpp"], what="Verilator", cwd=folder, env=environment)
    printed = run_tool([folder / "obj_dir" / "Vbench"], what="simulation")
    results: dict[str, Tokens] = {m: {port: [] for port in kernel.outputs} for m, kernel in kernels.items()}
    for line in printed.splitlines():
        module, port, value = line.split()
        results[module][port].append(int(value))
    return results


def test_kernels_compute_what_their_models_say_whatever_pauses(tmp_path: Path) -> None:
    includes = "#include <ap_int.h>\n#include <hls_stream.h>\n"
    module = llvm_module(tmp_path, includes + "".join(kernel.source for kernel in KERNELS.values()))
    verilog, units = [], {}
    for name, kernel in KERNELS.items():
        xls_ir = optimise(
            lower_proc(module, top=name, inputs=kernel.inputs, outputs=kernel.outputs), top=name
        )
        for stages in (1, 3):
            timing = Timing(stages=stages, clock_ps=None, delay_model="unit")
            ports = {"inputs": list(kernel.inputs), "output": "y", "streaming": True, "timing": timing}
            verilog.append(generate_verilog(xls_ir, name=f"{name}_{stages}", **ports)[1])
            units[f"{name}_{stages}"] = kernel
    rng = random.Random(1)
    tokens = {
        name: {port: [rng.getrandbits(width) for _ in range(400)] for port, width in kernel.inputs.items()}
        for name, kernel in units.items()
    }
    results = _simulate(tmp_path, units, verilog, tokens)
    for name, kernel in units.items():
        expected = kernel.model(tokens[name])
        assert all(expected.values()), name
        assert results[name] == expected, name


def test_a_stream_wider_than_two_machine_words_passes_through(tmp_path: Path) -> None:
    source = """
        #include <ap_int.h>
        #include <hls_stream.h>
        extern "C" void wide(hls::stream<ap_uint<200>>& a, hls::stream<ap_uint<200>>& y) {
          y.write(a.read() + 1);
        }
        """
    ir = optimise(
        lower_proc(llvm_module(tmp_path, source), top="wide", inputs={"a": 200}, outputs={"y": 200}),
        top="wide",
    )
    assert "chan a(bits[200]" in ir
    assert "bits[200] = add(" in ir


def test_state_that_misses_the_clock_says_which_period_can_be_met(tmp_path: Path) -> None:
    source = """
        #include <ap_int.h>
        #include <hls_stream.h>
        extern "C" void slow(hls::stream<ap_uint<32>>& a, hls::stream<ap_uint<32>>& y) {
          static ap_uint<32> state = 1;
          state = ap_uint<32>(state * state) % ap_uint<32>(a.read() | 1);
          y.write(state);
        }
        """
    lowered = lower_proc(llvm_module(tmp_path, source), top="slow", inputs={"a": 32}, outputs={"y": 32})
    timing = Timing(stages=None, clock_ps=900, delay_model="sky130")
    with pytest.raises(InputError, match=r"slow cannot run at 900 ps.*shortest period .* is \d+ ps"):
        generate_verilog(
            optimise(lowered, top="slow"),
            name="slow",
            inputs=["a"],
            output="y",
            streaming=True,
            timing=timing,
        )
