"""LUTs, flip-flops and depth of the example specs: every kind, posits and activations included.

Run ``python benchmarks/area_examples.py [SPEC...] [--kind KIND...] [--json FILE]``. RTL as `hwgen rtl` makes
it from the spec as it stands; the Yosys flow of ``hwgen area`` for UltraScale+, no DSP, before placement.
Results are cached by the content of the RTL, so a second run prints what it has at once.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from hwgen.flow.area import measure
from hwgen.operators import load

EXAMPLES = Path(__file__).parents[1] / "examples"


def main() -> None:
    """Measure every example and print a Markdown table, row by row."""
    parser = argparse.ArgumentParser(description="LUTs and depth of the example specs")
    parser.add_argument("specs", nargs="*", type=Path, metavar="SPEC", help="default: all of examples/")
    parser.add_argument("--kind", nargs="+", metavar="KIND", help="only these kinds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    arguments = parser.parse_args()
    rows = []
    print("| spec | kind | LUT | FF | carry | depth |")
    print("|---|---|---:|---:|---:|---:|")
    for path in arguments.specs or sorted(EXAMPLES.glob("*.yaml")):
        kind = load(path).kind
        if arguments.kind and kind not in arguments.kind:
            continue
        report = measure(path)
        figures = (report.luts, report.ffs, report.carries, report.depth)
        print(f"| {path.stem} | {kind} | {' | '.join(map(str, figures))} |", flush=True)
        rows.append(report.to_json() | {"spec": path.stem, "kind": kind})
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
