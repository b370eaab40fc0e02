"""How many results per second the compiled C++, the golden model and the Verilated RTL give on one core.

``python benchmarks/native_throughput.py`` prints a Markdown table. Throughputs are by processor time, which
other work on the machine disturbs little, and the best of several runs over the same 2^20 hard and random
vectors (2^16 for the RTL). Build times are what one waits.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hwgen.emit import emit
from hwgen.flow.csim import compile_native
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated import load_rtl
from hwgen.operators import load

SR8 = {"mode": "sr", "bits": 8}
SPECS = {
    "mul e4m3fn x e4m3fn -> bf16": {"kind": "mul", "formats": {"a": "e4m3fn", "b": "e4m3fn", "y": "bf16"}},
    "fma e4m3fn x e4m3fn + fp16 -> fp16": {
        "kind": "fma",
        "formats": {"a": "e4m3fn", "b": "e4m3fn", "c": "fp16", "y": "fp16"},
    },
    "fma e5m2 x e5m2 + fp16 -> fp16": {
        "kind": "fma",
        "formats": {"a": "e5m2", "b": "e5m2", "c": "fp16", "y": "fp16"},
    },
    "mac e4m3fn x e5m2 + e6m5, sr 8 from a port": {
        "kind": "mac",
        "formats": {"a": "e4m3fn", "b": "e5m2", "acc": "e6m5"},
        "rounding": {**SR8, "rand": "port"},
    },
    "the same as a stream with its own generator": {
        "kind": "mac",
        "formats": {"a": "e4m3fn", "b": "e5m2", "acc": "e6m5"},
        "rounding": {**SR8, "rand": {"lfsr": {}}},
    },
    "mac q1.7 x q1.7 + q8.14": {"kind": "mac", "formats": {"a": "q1.7", "b": "q1.7", "acc": "q8.14"}},
    "convert fp32 -> e4m3fn, sr 8": {
        "kind": "convert",
        "formats": {"x": "fp32", "y": "e4m3fn"},
        "rounding": SR8,
    },
    "fma fp16": {"kind": "fma", "formats": dict.fromkeys("abcy", "fp16")},
    "mac bf16 x bf16 + fp32": {"kind": "mac", "formats": {"a": "bf16", "b": "bf16", "acc": "fp32"}},
    "fma fp32": {"kind": "fma", "formats": dict.fromkeys("abcy", "fp32")},
}
WARM_UP = {"kind": "mul", "formats": dict.fromkeys("aby", "e2m1")}
ROUNDS = 7
RTL_VECTORS = 1 << 16


def millions_per_second(run: Callable[..., object], operands: tuple[np.ndarray, ...]) -> float:
    """Return the best throughput of `ROUNDS` runs."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        run(*operands)
        best = min(best, time.process_time() - start)
    return len(operands[0]) / best / 1e6


def main() -> None:
    """Measure every spec and print the table."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print("| operator | C++ build, s | C++, M/s | golden, M/s | RTL build, s | RTL, M/s |")
    print("|---|---:|---:|---:|---:|---:|")
    # Cold builds, but with Verilator's runtime and ziglang's own cache warm.
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HWGEN_CACHE_DIR"] = folder
        measure(WARM_UP, Path(folder, "warm_up"))
        for number, (title, spec) in enumerate(SPECS.items()):
            columns = measure(spec, Path(folder, f"project{number}"))
            print(f"| {title} | {' | '.join(columns)} |", flush=True)


def measure(spec: dict[str, object], folder: Path) -> list[str]:
    """Return the table columns of one operator."""
    operator = load(spec)
    project = emit(operator, folder)
    generate_rtl(project)
    operands = operator.vectors(1 << 20, seed=1)
    start = time.perf_counter()
    native = compile_native(project)
    native_built = time.perf_counter()
    rtl = load_rtl(project)
    rtl_built = time.perf_counter()
    few = tuple(column[:RTL_VECTORS] for column in operands)
    return [
        f"{native_built - start:.1f}",
        f"{millions_per_second(native, operands):.0f}",
        f"{millions_per_second(operator.golden, operands):.0f}",
        f"{rtl_built - native_built:.1f}",
        f"{millions_per_second(rtl, few):.1f}",
    ]


if __name__ == "__main__":
    main()
