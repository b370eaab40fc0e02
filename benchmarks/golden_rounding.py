"""Speed of rounding float64 arrays to short floats, beside ml_dtypes and the plain path.

Run: ``python benchmarks/golden_rounding.py [--elements N]``. Figures are millions of elements per second of
process time on one core, the best of five runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import ml_dtypes
import numpy as np

from hwgen.formats import parse_format

FORMATS = {
    "e5m2": ml_dtypes.float8_e5m2,
    "e4m3fn": ml_dtypes.float8_e4m3fn,
    "e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "e2m1": ml_dtypes.float4_e2m1fn,
    "e6m5": None,
    "bf16": ml_dtypes.bfloat16,
    "fp16": np.float16,
}
PLAIN_ELEMENTS = 20_000
RANDOM_BITS = 8


def rate(function: Callable[[], object], elements: int, runs: int = 5) -> float:
    """Return millions of elements per second of process time, the best of `runs`."""
    best = float("inf")
    for _ in range(runs):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return elements / best / 1e6


def measure(name: str, x: np.ndarray, words: np.ndarray) -> str:
    """Return the printed line of one format."""
    fmt, dtype, count = parse_format(name), FORMATS[name], x.size
    single, few = x.astype(np.float32), x[:PLAIN_ELEMENTS].astype(object)
    rne = rate(lambda: fmt.encode(x), count)
    sr = rate(lambda: fmt.encode(x, rounding="sr", rbits=RANDOM_BITS, rand=words), count)
    narrow = rate(lambda: fmt.encode(single), count)
    plain = rate(lambda: fmt.encode(few), PLAIN_ELEMENTS, runs=2)
    theirs, ratio = "-", "-"
    if dtype is not None:
        with np.errstate(over="ignore"):
            other = rate(lambda: x.astype(dtype), count)
        theirs, ratio = f"{other:.0f}", f"{rne / other:.2f}"
    line = f"{name:10} {rne:7.0f} {sr:7.0f} {narrow:8.0f} {theirs:>10} {ratio:>6}"
    return f"{line} {plain:7.3f} {rne / plain:7.0f}"


def main() -> None:
    """Measure and print one line per format."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--elements", type=int, default=1 << 22)
    count = parser.parse_args().elements
    rng = np.random.default_rng(0)
    x = rng.standard_normal(count)
    words = rng.integers(0, 1 << RANDOM_BITS, count, dtype=np.uint8)
    print(f"{count} elements; M elements/s, and ratios of RNE to ml_dtypes and to the plain path")
    print(f"{'format':10} {'RNE':>7} {'SR r=8':>7} {'RNE f32':>8} {'ml_dtypes':>10} {'ratio':>6}", end=" ")
    print(f"{'plain':>7} {'ratio':>7}")
    for name in FORMATS:
        print(measure(name, x, words))


if __name__ == "__main__":
    main()
