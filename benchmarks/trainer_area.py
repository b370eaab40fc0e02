"""LUTs of training cores, kernel by kernel, and for each digit multiplier.

Run ``python benchmarks/trainer_area.py [DIGIT|decomposable...]``: digits of 1, 2, 4 or 8 bits, and the
decomposable array; without arguments all five, of which a large one may take half an hour.
``hwgen trainer area SPEC`` is the same for one core.
"""

from __future__ import annotations

import sys
from functools import partial

from hwgen.trainer import load_spec
from hwgen.trainer.area import measure_core


def main(arrays: list[str]) -> None:
    """Print the table of each core."""
    for named in arrays:
        array = {"digit": int(named)} if named.isdecimal() else {"multiplier": named}
        spec = load_spec({"kind": "trainer", "name": f"core_{named}", "array": array})
        area = measure_core(spec, progress=partial(print, f"{named}:", file=sys.stderr, flush=True))
        print("\n".join(area.lines()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["1", "2", "4", "8", "decomposable"])
