"""Prints how many partial sums an accumulator needs for a clock: what XLS can schedule at one term a clock.

Run as `python benchmarks/accumulator_recurrence.py [CLOCK_PS ...]`. Delays are those of XLS' sky130 model.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from hwgen.emit import emit
from hwgen.errors import InputError
from hwgen.flow.rtl import generate_rtl
from hwgen.operators import load

FORMATS = (("e4m3fn", "fp16"), ("e5m2", "e6m9"), ("bf16", "bf16"), ("bf16", "fp32"), ("fp32", "fp32"))
CLOCKS = (5000, 3000, 2000, 1500, 1200)


def smallest_interleave(x: str, y: str, clock_ps: int, folder: Path) -> str:
    """Return the smallest interleave and, in brackets, the stages of the pipeline; or why there is none."""
    interleave = 1
    while interleave <= 64:
        spec = {"kind": "accumulator", "name": "sums", "formats": {"x": x, "y": y}, "interleave": interleave}
        project = emit(load(spec), folder / f"{x}_{y}_{interleave}_{clock_ps}")
        try:
            return f"{interleave} ({generate_rtl(project, clock_ps=clock_ps).stages})"
        except InputError as refusal:
            needed = re.search(r"an interleave of at least (\d+)", str(refusal))
            if needed is None:
                return "-"
            interleave = 1 << (max(int(needed.group(1)), interleave + 1) - 1).bit_length()
    return "-"


def main() -> None:
    """Print one row for each pair of formats."""
    clocks = [int(argument) for argument in sys.argv[1:]] or list(CLOCKS)
    print("| x -> y | " + " | ".join(f"{clock} ps" for clock in clocks) + " |")
    print("|---|" + "---|" * len(clocks))
    with tempfile.TemporaryDirectory() as folder:
        for x, y in FORMATS:
            cells = [smallest_interleave(x, y, clock, Path(folder)) for clock in clocks]
            print(f"| {x} -> {y} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
