"""The cycle model against the RTL of a training core: products of random shapes and widths.

Run ``python benchmarks/trainer_cycles.py [COUNT [LANES [SPEC]]]``. Without SPEC it is the default core.
With float lanes every third product is of integers, the others of fp32 numbers.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from hwgen.trainer import Device, load_spec
from hwgen.trainer.floats import sums_of_products

SPEC = Path(__file__).parents[1] / "examples" / "trainer" / "edge_trainer.yaml"


def main(count: int, lanes: int, core: Path) -> None:
    """Run so many products and print what differs."""
    spec = load_spec({**load_spec(core).to_yaml(), "float_lanes": lanes})
    device = Device(spec, "rtl")
    rng = np.random.default_rng(2)
    exact, worst, start = 0, 0.0, time.process_time()
    for index in range(count):
        m, n, k = (int(size) for size in rng.integers(1, 129, 3))
        widths = tuple(int(width) for width in rng.integers(2, 17, 2))
        turn_a, turn_b = (bool(turn) for turn in rng.integers(0, 2, 2))
        shapes = ((m, k), (k, n))
        if lanes and index % 3:
            widths = (32, 32)
            a, b = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
            exact_product = sums_of_products(a, np.ascontiguousarray(b.T), np.zeros((m, n), np.float32))
        else:
            a, b = (
                rng.integers(-(1 << width - 1), 1 << width - 1, shape)
                for width, shape in zip(widths, shapes, strict=True)
            )
            exact_product = a @ b
        cycles, model = device.engine.cycles, device.cycles
        product = device.gemm(a.T if turn_a else a, b.T if turn_b else b, *widths, turn_a, turn_b)
        assert product.tobytes() == exact_product.tobytes()
        cycles, model = device.engine.cycles - cycles, device.cycles - model
        exact += cycles == model
        worst = max(worst, abs(model / cycles - 1))
        if cycles != model:
            print(f"{m} x {n} x {k}, {widths} bits: {cycles} cycles, model {model}")
    seconds = time.process_time() - start
    print(
        f"{count} random products bit-exact; cycles are the model's in {exact}, "
        f"off by {100 * worst:.2f} % at most; {device.engine.cycles / seconds:.0f} cycles/s"
    )


if __name__ == "__main__":
    given = sys.argv[1:]
    count, lanes, core = (*given, *("200", "0", str(SPEC))[len(given) :])
    main(int(count), int(lanes), Path(core))
