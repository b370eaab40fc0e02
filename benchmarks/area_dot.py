"""LUTs and depth of dot products, beside the published circuit for two terms and an addend.

Run ``python benchmarks/area_dot.py [--json FILE]``. Sums are exact and rounded once; subnormals and every
special value; combinational RTL; the same Yosys flow for all (`hwgen.flow.area`). The reference points are
constants: PULP's ExSdotp (RNE, and SR with r random bits) in that same flow, checked correct on at least
25,000 hard vectors; its generator cannot be installed with pip. A ratio below 1 means that hwgen's circuit is
smaller or shallower.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hwgen.flow.area import measure

PEERS: dict[tuple[str, str, int], tuple[int, int]] = {
    # format of the factors, of addend and result, random bits (0: RNE) -> LUTs, depth
    ("e5m2", "fp16", 0): (772, 62),
    ("e5m2", "fp16", 4): (779, 62),
    ("e5m2", "fp16", 12): (800, 65),
    ("e4m3", "fp16", 0): (733, 61),
    ("e4m3", "fp16", 12): (713, 66),
    ("fp16", "fp32", 0): (1811, 86),
}
ALONE = (("e4m3fn", "fp32", "exact"), ("e4m3fn", "fp32", {"aligned": 25}), ("fp16", "fp32", {"aligned": 25}))


def spec_of(n: int, factor: str, result: str, scheme: Any, bits: int) -> dict[str, Any]:
    """Return the spec of a dot product with an addend."""
    formats = {"a": factor, "b": factor, "c": result, "y": result}
    rounding = {"mode": "sr", "bits": bits} if bits else "rne"
    return {"kind": "dot", "n": n, "formats": formats, "scheme": scheme, "rounding": rounding}


def main() -> None:
    """Measure every unit and print the table."""
    parser = argparse.ArgumentParser(description="LUTs and depth of dot products")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    arguments = parser.parse_args()
    table = Table(title="Dot products with an addend, combinational; synth_xilinx -family xcup -nodsp")
    for heading in (
        "n",
        "factors",
        "result",
        "scheme",
        "rounding",
        "LUT",
        "depth",
        "ExSdotp",
        "LUT ratio",
        "depth ratio",
    ):
        table.add_column(heading, justify="left" if heading in ("factors", "result", "scheme") else "right")
    units: list[tuple[int, str, str, Any, int]] = [(2, a, y, "exact", bits) for a, y, bits in PEERS]
    units += [(n, a, y, scheme, 0) for a, y, scheme in ALONE for n in (4, 8)]
    rows = []
    for n, factor, result, scheme, bits in units:
        name = scheme if isinstance(scheme, str) else "aligned 25"
        print(f"measuring dot of {n} {factor}, {result}, {name}, r = {bits}", file=sys.stderr)
        report = measure(spec_of(n, factor, result, scheme, bits))
        peer = PEERS.get((factor, result, bits)) if n == 2 else None
        beside = ["-"] * 3
        if peer is not None:
            luts, depth = peer
            beside = [f"{luts} / {depth}", f"{report.luts / luts:.2f}", f"{report.depth / depth:.2f}"]
        rounding = f"sr {bits}" if bits else "rne"
        table.add_row(str(n), factor, result, name, rounding, str(report.luts), str(report.depth), *beside)
        keys = {"n": n, "factors": factor, "result": result, "scheme": name, "rounding": rounding}
        rows.append(report.to_json() | keys | {"peer": peer})
    Console(width=120).print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
