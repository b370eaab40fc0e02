"""LUTs of the training core, kernel by kernel, and for each digit multiplier, at digits of 1, 2 and 4 bits.

Run ``python benchmarks/trainer_area.py [DIGIT...]``; ``hwgen trainer area SPEC`` is the same for one core.
"""

from __future__ import annotations

import sys
from functools import partial

from hwgen.trainer import load_spec
from hwgen.trainer.area import measure_core


def main(digits: list[int]) -> None:
    """Print the table of each core."""
    for digit in digits:
        spec = load_spec({"kind": "trainer", "name": f"core_digit{digit}", "array": {"digit": digit}})
        area = measure_core(spec, progress=partial(print, f"digit {digit}:", file=sys.stderr, flush=True))
        print("\n".join(area.lines()), flush=True)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [1, 2, 4])
