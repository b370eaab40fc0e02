"""Utilisation of a training core on 256 x 256 x 256, on its RTL, by its own counters.

Run ``python benchmarks/trainer_utilisation.py [SPEC]``; without one it is the default core.

For each word length: cycles from the first command to the last status with all loads and stores, the part of
them in which the array multiplies, the speed-up over 16 bits, and what the cycle model said. About 3 million
cycles are simulated.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from hwgen.trainer import Counters, Device

SPEC = Path(__file__).parents[1] / "examples" / "trainer" / "edge_trainer.yaml"
SIZE = 256
WIDTHS = (16, 14, 12, 8, 4)
ARRAY_WORKS = Counters.of(2, Counters.RUN)


def main(core: Path) -> None:
    """Measure every width and print the table."""
    device = Device(core, "rtl")
    rng = np.random.default_rng(1)
    slowest = None
    print(f"{SIZE} x {SIZE} x {SIZE}, loads and stores included")
    print("width    cycles  model  utilisation  over 16 bits (ideal)  simulated cycles/s")
    for width in WIDTHS:
        a, b = (rng.integers(-(1 << width - 1), 1 << width - 1, (SIZE, SIZE)) for _ in range(2))
        device.queue(Counters(0, clear=1))
        device.run()
        cycles, model, start = device.engine.cycles, device.cycles, time.process_time()
        product = device.gemm(a, b, width, width)
        seconds = time.process_time() - start
        assert np.array_equal(product, a @ b)
        cycles, model = device.engine.cycles - cycles, device.cycles - model
        device.queue(ARRAY_WORKS)
        run = device.run()[0][0].payload
        slowest = slowest or cycles
        ideal = (device.spec.planes(WIDTHS[0]) / device.spec.planes(width)) ** 2
        said = "=" if cycles == model else f"{model - cycles:+}"
        print(
            f"{width:5} {cycles:9}  {said:>5}  {100 * run / cycles:9.1f} %"
            f"  {slowest / cycles:12.2f} ({ideal:.2f})  {cycles / seconds:18.0f}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else SPEC)
