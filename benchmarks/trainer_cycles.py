"""The cycle model against the RTL of the default training core: products of random shapes and widths."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from hwgen.trainer import Device

SPEC = Path(__file__).parents[1] / "examples" / "trainer" / "edge_trainer.yaml"


def main(count: int) -> None:
    """Run so many products and print what differs."""
    device = Device(SPEC, "rtl")
    rng = np.random.default_rng(2)
    exact, worst = 0, 0.0
    for _ in range(count):
        m, n, k = (int(size) for size in rng.integers(1, 129, 3))
        left, right = (int(width) for width in rng.integers(2, 17, 2))
        turn_a, turn_b = (bool(turn) for turn in rng.integers(0, 2, 2))
        a = rng.integers(-(1 << left - 1), 1 << left - 1, (k, m) if turn_a else (m, k))
        b = rng.integers(-(1 << right - 1), 1 << right - 1, (n, k) if turn_b else (k, n))
        cycles, model = device.engine.cycles, device.cycles
        product = device.gemm(a, b, left, right, turn_a, turn_b)
        assert np.array_equal(product, (a.T if turn_a else a) @ (b.T if turn_b else b))
        cycles, model = device.engine.cycles - cycles, device.cycles - model
        exact += cycles == model
        worst = max(worst, abs(model / cycles - 1))
        if cycles != model:
            print(f"{m} x {n} x {k}, {left} and {right} bits: {cycles} cycles, model {model}")
    print(
        f"{count} random products bit-exact; cycles are the model's in {exact}, "
        f"off by {100 * worst:.2f} % at most"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
