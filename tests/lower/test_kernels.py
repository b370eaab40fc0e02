"""Streaming kernels with state, run as RTL against models in Python, with ports that pause at random."""

from __future__ import annotations

from pathlib import Path

import pytest
from kernel_bench import INCLUDES, Kernel, Tokens, kernel_mismatches
from lowering_bench import llvm_module

from hwgen.errors import InputError
from hwgen.flow.xls_codegen import Timing, generate_verilog
from hwgen.flow.xls_ir import optimise
from hwgen.lower import lower_proc


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


def test_kernels_compute_what_their_models_say_whatever_pauses(tmp_path: Path) -> None:
    assert kernel_mismatches(tmp_path, KERNELS) == []


def test_state_that_misses_the_clock_says_which_period_can_be_met(tmp_path: Path) -> None:
    source = """
        extern "C" void slow(hls::stream<ap_uint<32>>& a, hls::stream<ap_uint<32>>& y) {
          static ap_uint<32> state = 1;
          state = ap_uint<32>(state * state) % ap_uint<32>(a.read() | 1);
          y.write(state);
        }
        """
    lowered = lower_proc(
        llvm_module(tmp_path, INCLUDES + source), top="slow", inputs={"a": 32}, outputs={"y": 32}
    )
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
