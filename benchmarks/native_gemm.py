"""Matrix products through a unit's own C++, against hand-written C++ and NumPy emulation in the same run.

``python benchmarks/native_gemm.py [SIZE]`` prints a Markdown table for square matrices of SIZE (256) of
numbers about one: millions of multiply-accumulates a second, by processor time on one core, the median of
several runs.

* *unit*: ``operator.compile().gemm``, every sum in order and bit-identical to the golden model, all special
  values included. The benchmark compares one result with it.
* *C++*: a plain loop as one writes it by hand: operands widened to float32 beforehand, the sum made in
  float32 and cut to the accumulator's significand by adding half an ulp to its pattern. It has the normal
  numbers only, and rounds twice; the column after it says how many results differ from the unit's.
* *NumPy*: what frameworks do: float32 outer products, and after each the sum rounded to the accumulator's
  format, by ml_dtypes' or NumPy's own types where they exist, else on the patterns of float32.

The last two columns are the speed-up of two threads over one, by wall time, and what two independent products
gain, each on a thread of its own: what the machine lets this code gain, nothing being shared. Two processors
that are the two threads of one core give less than 2. Both are medians of pairs.
"""

from __future__ import annotations

import ctypes
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import ml_dtypes
import numpy as np

import hwgen
from hwgen.flow.tools import clangxx

ROUNDS = 7
SLOW_ROUNDS = 3
SR8 = {"mode": "sr", "bits": 8}
LFSR8 = {**SR8, "rand": {"lfsr": {}}}

PLAIN = r"""
#include <cstddef>
#include <cstdint>
#include <cstring>

extern "C" void plain(std::size_t rows, std::size_t columns, std::size_t inner, int dropped, int stochastic,
                      const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c) {
  const std::uint32_t low = (1u << dropped) - 1;
  std::uint32_t state[64];
  for (std::size_t j = 0; j < 64; ++j) state[j] = 2463534242u + 1000003u * j;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j0 = 0; j0 < columns; j0 += 64) {
      float sums[64] = {};
      for (std::size_t k = 0; k < inner; ++k) {
        const float left = a[i * inner + k];
        for (std::size_t j = 0; j < 64; ++j) {
          const float sum = sums[j] + left * b[k * columns + j0 + j];
          std::uint32_t bits;
          std::memcpy(&bits, &sum, 4);
          if (stochastic) {
            std::uint32_t x = state[j];  // xorshift32
            x ^= x << 13, x ^= x >> 17, x ^= x << 5;
            state[j] = x;
            bits += (x & 255) << (dropped - 8);
          } else {
            bits += (low >> 1) + ((bits >> dropped) & 1);
          }
          bits &= ~low;
          std::memcpy(&sums[j], &bits, 4);
        }
      }
      for (std::size_t j = 0; j < 64; ++j) c[i * columns + j0 + j] = sums[j];
    }
  }
}
"""


def main() -> None:
    """Measure and print the table."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    rng = np.random.default_rng(1)
    plain = plain_loop()
    print(f"{size}^3, millions of multiply-accumulates a second\n")
    print("| unit | unit | C++ | differing | unit / C++ | NumPy | unit / NumPy | 2 threads | two at once |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for acc in ("bf16", "e6m5", "fp16", "fp32"):
        factor = "bf16" if acc == "fp32" else "e4m3fn"
        for title, rounding in (("rne", "rne"), ("sr 8", SR8), ("sr 8, own LFSR", LFSR8)):
            formats = {"a": factor, "b": factor, "acc": acc}
            operator = hwgen.operator({"kind": "mac", "formats": formats, "rounding": rounding})
            row = measure(operator, size, plain, rng)
            print(f"| {factor} x {factor} + {acc}, {title} | {' | '.join(row)} |", flush=True)


def measure(
    operator: hwgen.api.OperatorUnit, size: int, plain: Callable[..., None], rng: np.random.Generator
) -> list[str]:
    """Return the columns of one operator."""
    fmt, acc = operator.inputs[0].format, operator.output.format
    values = rng.standard_normal((2, size, size)).astype(np.float32)
    a, b = fmt.encode(values[0]), fmt.encode(values[1])
    left, right = (np.ascontiguousarray(fmt.decode(x), dtype=np.float32) for x in (a, b))
    stochastic = operator.definition.spec.rounding.bits is not None
    run = operator.compile()
    result = run.gemm(a, b, threads=1)
    few = slice(0, 8)
    if not np.array_equal(run.gemm(a[few], b, threads=1), operator.golden_gemm(a[few], b)):
        raise SystemExit(f"{operator.name}: not the golden result")
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cpus)})
    unit_time = seconds(lambda: run.gemm(a, b, threads=1), ROUNDS, time.process_time)
    sums = np.empty((size, size), np.float32)
    dropped = 23 - acc.mantissa
    columns: list[str] = [rate(size, unit_time)]
    if dropped:
        arguments = (size, size, size, dropped, int(stochastic))
        pointers = tuple(array.ctypes.data for array in (left, right, sums))
        plain_time = seconds(lambda: plain(*arguments, *pointers), ROUNDS, time.process_time)
        differing = "random" if stochastic else f"{np.mean(acc.encode(sums) != result):.1%}"
        numpy_time = seconds(
            lambda: emulate(left, right, acc.name, dropped, stochastic), SLOW_ROUNDS, time.process_time
        )
        columns += [rate(size, plain_time), differing, f"{plain_time / unit_time:.2f}"]
        columns += [rate(size, numpy_time), f"{numpy_time / unit_time:.1f}"]
    else:
        columns += ["", "", "", "", ""]
    os.sched_setaffinity(0, cpus)
    one = partial(run.gemm, a, b, threads=1)

    def two_at_once() -> None:
        with ThreadPoolExecutor(2) as pool:  # the native code lets go of the GIL
            for result in [pool.submit(one) for _ in range(2)]:
                result.result()

    threads = speedup(one, partial(run.gemm, a, b, threads=2))
    independent = 2 * speedup(one, two_at_once)
    return [*columns, f"{threads:.2f}", f"{independent:.2f}"]


def speedup(run: Callable[[], object], other: Callable[[], object]) -> float:
    """Return how many times as fast the other one is, by wall time."""
    pairs = [
        seconds(run, 1, time.perf_counter) / seconds(other, 1, time.perf_counter) for _ in range(3 * ROUNDS)
    ]
    return statistics.median(pairs)


def emulate(a: np.ndarray, b: np.ndarray, acc: str, dropped: int, stochastic: bool) -> np.ndarray:
    """Return the product of float32 matrices, each sum rounded to the accumulator's significand."""
    rng = np.random.default_rng(1)
    total = np.zeros((len(a), b.shape[1]), np.float32)
    own = {"bf16": ml_dtypes.bfloat16, "fp16": np.float16}.get(acc)
    for index in range(a.shape[1]):
        total += np.outer(a[:, index], b[index])
        if own is not None and not stochastic:
            total = total.astype(own).astype(np.float32)
            continue
        bits = total.view(np.uint32)
        if stochastic:
            bits += rng.integers(0, 256, bits.shape, np.uint32) << np.uint32(dropped - 8)
        else:
            bits += np.uint32((1 << dropped - 1) - 1) + (bits >> np.uint32(dropped) & np.uint32(1))
        bits &= np.uint32(0xFFFFFFFF << dropped & 0xFFFFFFFF)
    return total


def plain_loop() -> Callable[..., None]:
    """Compile the hand-written loop with the flags of the unit's."""
    with tempfile.TemporaryDirectory() as folder:
        source, code, library = (Path(folder) / name for name in ("plain.cpp", "plain.o", "plain.so"))
        source.write_text(PLAIN, encoding="utf-8")
        flags = [
            "-std=c++14",
            "-O3",
            "-march=native",
            "-mprefer-vector-width=512",
            "-fPIC",
            "-fno-exceptions",
        ]
        subprocess.run([*clangxx(), *flags, "-c", source, "-o", code], check=True)
        subprocess.run(["g++", "-shared", code, "-o", library], check=True)
        plain = ctypes.CDLL(str(library)).plain
    plain.restype = None
    plain.argtypes = [*[ctypes.c_size_t] * 3, ctypes.c_int, ctypes.c_int, *[ctypes.c_void_p] * 3]
    return plain


def seconds(run: Callable[[], object], rounds: int, clock: Callable[[], float]) -> float:
    """Return the median time of `rounds` runs."""
    times = []
    for _ in range(rounds):
        start = clock()
        run()
        times.append(clock() - start)
    return statistics.median(times)


def rate(size: int, duration: float) -> str:
    """Return millions of multiply-accumulates a second."""
    return f"{size**3 / duration / 1e6:.0f}"


if __name__ == "__main__":
    main()
