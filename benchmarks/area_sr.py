"""What stochastic rounding costs: LUTs and depth of fp8 x fp8 -> e6m5 multiply-add over the same unit in RNE.

Run ``python benchmarks/area_sr.py [--json FILE]``. The random word is a port: the generator is not counted;
r = 4, 8 and 13 random bits, subnormals on (in every format) and off; combinational RTL, the same Yosys flow
for all (`hwgen.flow.area`). The random word is added after normalisation ("lazy") or beside it ("eager").
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import product
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hwgen import formats
from hwgen.flow.area import AreaReport, measure

PRODUCTS = (("e5m2", "e5m2"), ("e4m3fn", "e4m3fn"))
ACCUMULATOR = "e6m5"
BITS = (4, 8, 13)


def spelled(name: str, *, subnormals: bool) -> Any:
    """Return format `name` as a spec has it, with or without subnormals."""
    if subnormals:
        return name
    plain = formats.parse_format(name)
    assert isinstance(plain, formats.FloatFormat)
    fields = {key: getattr(plain, key) for key in ("exponent", "mantissa", "bias")}
    return {"float": {**fields, "specials": str(plain.specials), "subnormals": False}}


def measured(factors: tuple[str, str], *, subnormals: bool, rounding: Any) -> AreaReport:
    """Return the report of one multiply-accumulate unit."""
    names = dict(zip(("a", "b", "acc"), (*factors, ACCUMULATOR), strict=True))
    ports = {port: spelled(name, subnormals=subnormals) for port, name in names.items()}
    return measure({"kind": "mac", "name": "mac_under_test", "formats": ports, "rounding": rounding})


def main() -> None:
    """Measure every unit and print the table."""
    parser = argparse.ArgumentParser(description="cost of stochastic rounding over round-to-nearest-even")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    arguments = parser.parse_args()
    table = Table(title="fp8 x fp8 + e6m5, combinational; SR over RNE")
    for heading in ("factors", "subnormals", "rounding", "LUT", "depth", "LUTs more", "levels more"):
        table.add_column(heading, justify="left" if heading in ("factors", "rounding") else "right")
    rows = []
    for factors in PRODUCTS:
        for subnormals in (True, False):
            nearest = measured(factors, subnormals=subnormals, rounding="rne")
            for bits, variant in ((None, None), *product(BITS, ("lazy", "eager"))):
                rounding = "rne" if bits is None else {"mode": "sr", "bits": bits, "variant": variant}
                print(f"measuring {' x '.join(factors)} {rounding}", file=sys.stderr)
                report = measured(factors, subnormals=subnormals, rounding=rounding)
                more = report.luts - nearest.luts, report.depth - nearest.depth
                word = "rne" if bits is None else f"sr, r = {bits}, {variant}"
                table.add_row(
                    " x ".join(factors),
                    "on" if subnormals else "off",
                    word,
                    *map(str, (report.luts, report.depth, *more)),
                )
                rows.append(
                    report.to_json()
                    | {"factors": factors, "subnormals": subnormals, "random_bits": bits, "variant": variant}
                )
    Console(width=100).print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
