"""Rounding and block quantisation through compiled operators, against what one would use without hwgen.

``python benchmarks/native_rounding.py`` prints two Markdown tables. Throughputs are by processor time on one
core, medians of several runs on 10^7 binary32 numbers, the way from NumPy arrays to NumPy arrays included.
Rows marked * do less: ml_dtypes only rounds to nearest, and does not choose exponents.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from hwgen.emit import emit
from hwgen.flow.csim import NativeOperator, compile_native
from hwgen.operators import load

COUNT = 10_000_000
BLOCK = 32
ROUNDS = 7


def main() -> None:
    """Measure and print."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rng = np.random.default_rng(1)
    x = rng.standard_normal(COUNT, dtype=np.float32)
    words = {bits: rng.integers(0, 1 << bits, COUNT).astype(f"u{bits // 8}") for bits in (8, 16)}
    with tempfile.TemporaryDirectory() as folder:
        rounding(x, words, Path(folder))
        quantisation(x.reshape(-1, BLOCK), words[8].reshape(-1, BLOCK), Path(folder))


def rounding(x: np.ndarray, words: dict[int, np.ndarray], folder: Path) -> None:
    """Print the table of binary32 to e5m2."""
    rows: dict[str, Callable[[], Any]] = {}
    bits = x.view(np.uint32)
    for r, drawn in words.items():
        sr = {"mode": "sr", "bits": r}
        run = compiled({"kind": "convert", "formats": {"x": "fp32", "y": "e5m2"}, "rounding": sr}, folder)
        rows[f"compiled convert, sr {r}"] = lambda run=run, drawn=drawn: run(bits, drawn)
    run = compiled({"kind": "convert", "formats": {"x": "fp32", "y": "e5m2"}}, folder)
    rows["compiled convert, rne"] = lambda: run(bits)
    rows["NumPy emulation, sr 8"] = lambda: emulated(bits, words[8])
    rows["ml_dtypes cast, rne *"] = lambda: x.astype(ml_dtypes.float8_e5m2)
    table("fp32 -> e5m2", rows, "NumPy emulation, sr 8")


def quantisation(x: np.ndarray, words: np.ndarray, folder: Path) -> None:
    """Print the table of blocks of 32 binary32 numbers."""
    rows: dict[str, Callable[[], Any]] = {}
    bits = x.view(np.uint32)
    for title, y in (("mxfp8_e4m3", {"y": "mxfp8_e4m3"}), ("bfp8", {"y": "bfp8"})):
        spec = {"kind": "quantize", "formats": {"x": "fp32", **y}, "n": BLOCK}
        nearest = compiled(spec, folder)
        stochastic = compiled({**spec, "rounding": {"mode": "sr", "bits": 8}}, folder)
        rows[f"compiled quantize, {title}, rne"] = lambda run=nearest: run(bits)
        rows[f"compiled quantize, {title}, sr 8"] = lambda run=stochastic: run(bits, words)
    rows["NumPy and ml_dtypes, mxfp8_e4m3, rne"] = lambda: emulated_block(x)
    rows["ml_dtypes cast to e4m3fn alone *"] = lambda: x.astype(ml_dtypes.float8_e4m3fn)
    table(f"blocks of {BLOCK} fp32", rows, "NumPy and ml_dtypes, mxfp8_e4m3, rne")


def compiled(spec: dict[str, Any], folder: Path) -> NativeOperator:
    """Return the native build of a spec."""
    operator = load(spec)
    return compile_native(emit(operator, folder / operator.name))


def emulated(bits: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Round binary32 patterns to e5m2 as frameworks do: add the word below the last place, and cut.

    For normal results only; 21 fraction bits are dropped, of which 8 are compared with the word.
    """
    rounded = bits + (words.astype(np.uint32) << 13)
    return (rounded & np.uint32(0xFFE00000)).view(np.float32).astype(ml_dtypes.float8_e5m2)


def emulated_block(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantise blocks to MXFP8 with array operations: largest magnitude, exponent, scaling, clipped cast."""
    exponents = np.frexp(np.abs(x).max(axis=1))[1] - 9
    scaled = np.ldexp(x, -exponents[:, None])
    elements = np.clip(scaled, -448, 448).astype(ml_dtypes.float8_e4m3fn)
    return elements, (exponents + 127).astype(np.uint8)


def table(heading: str, rows: dict[str, Callable[[], Any]], reference: str) -> None:
    """Print throughputs and their ratios to a reference row."""
    speeds = {title: median_speed(run) for title, run in rows.items()}
    print(f"| {heading} | M elements/s | ratio |")
    print("|---|---:|---:|")
    for title, speed in speeds.items():
        print(f"| {title} | {speed:.0f} | {speed / speeds[reference]:.1f} |", flush=True)
    print()


def median_speed(run: Callable[[], Any]) -> float:
    """Return millions of elements per second of processor time."""
    run()
    seconds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return COUNT / statistics.median(seconds) / 1e6


if __name__ == "__main__":
    main()
