"""LUTs and depth of hwgen's add, mul and fma beside XLS' own `apfloat.x`, out of the same xls-python wheel.

Run ``python benchmarks/area_xls_apfloat.py [--formats e5m2 fp16] [--json FILE]``. apfloat rounds to nearest
even and flushes subnormals, so hwgen's units are those with ``subnormals: false``. Both go through the same
XLS optimiser and code generator (combinational) and the same Yosys flow (`hwgen.flow.area`).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import xls
from rich.console import Console
from rich.table import Table

from hwgen import formats
from hwgen.flow.area import AreaReport, measure, synthesise
from hwgen.flow.xls_codegen import Timing, generate_verilog

FORMATS = ("e5m2", "e4m3", "bf16", "fp16", "fp32")
PORTS = {"add": "ab", "mul": "ab", "fma": "abc"}

_DSLX = """\
import apfloat;
type F = apfloat::APFloat<{exponent}, {mantissa}>;
fn unflatten(x: bits[{width}]) -> F {{ apfloat::unflatten<u32:{exponent}, u32:{mantissa}>(x) }}
pub fn unit({parameters}) -> bits[{width}] {{
  apfloat::flatten(apfloat::{kind}({arguments}))
}}
"""


def float_format(name: str) -> formats.FloatFormat:
    """Return a floating-point format by name."""
    parsed = formats.parse_format(name)
    assert isinstance(parsed, formats.FloatFormat)
    return parsed


def apfloat(kind: str, name: str) -> AreaReport:
    """Return the report of XLS' own unit."""
    fmt = float_format(name)
    source = _DSLX.format(
        exponent=fmt.exponent,
        mantissa=fmt.mantissa,
        width=fmt.width,
        kind=kind,
        parameters=", ".join(f"{port}: bits[{fmt.width}]" for port in PORTS[kind]),
        arguments=", ".join(f"unflatten({port})" for port in PORTS[kind]),
    )
    ir = xls.convert_dslx_to_ir(source, "unit.x", "unit")
    optimised = xls.optimize_ir(ir, xls.mangle_dslx_name("unit", "unit"))
    _, verilog = generate_verilog(
        optimised,
        name="apfloat_unit",
        inputs=list(PORTS[kind]),
        output="y",
        streaming=False,
        timing=Timing(stages=0, clock_ps=None, delay_model="unit"),
    )
    with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
        file = Path(folder, "apfloat_unit.sv")
        file.write_text("\n".join(_without_assertions(verilog)), encoding="utf-8")
        return synthesise(file, "apfloat_unit", "xcup")


def _without_assertions(verilog: str) -> Iterator[str]:
    """Yield the lines but those of XLS' assertions, which its fma has and Yosys cannot read."""
    yield from (line for line in verilog.splitlines() if ": assert final (" not in line)


def flushing(kind: str, name: str) -> AreaReport:
    """Return the report of hwgen's unit without subnormals."""
    fmt = float_format(name)
    fields = {key: getattr(fmt, key) for key in ("exponent", "mantissa", "bias")}
    spelled = {"float": {**fields, "specials": str(fmt.specials), "subnormals": False}}
    ports = dict.fromkeys([*PORTS[kind], "y"], spelled)
    return measure({"kind": kind, "name": "unit_under_test", "formats": ports})


def main() -> None:
    """Measure every pair and print the table."""
    parser = argparse.ArgumentParser(description="hwgen's operators beside XLS' apfloat units, both flushing")
    parser.add_argument("--formats", nargs="+", default=FORMATS, choices=FORMATS, metavar="FORMAT")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    arguments = parser.parse_args()
    table = Table(title="Combinational RTL, RNE, subnormals flushed; synth_xilinx -family xcup -nodsp")
    for heading in ("unit", "format", "hwgen", "apfloat", "LUT ratio", "depth ratio"):
        table.add_column(heading, justify="left" if heading in ("unit", "format") else "right")
    rows = []
    for kind in PORTS:
        for name in arguments.formats:
            print(f"measuring {kind} {name}", file=sys.stderr)
            ours, theirs = flushing(kind, name), apfloat(kind, name)
            pair = [f"{report.luts} / {report.depth}" for report in (ours, theirs)]
            ratios = [f"{ours.luts / theirs.luts:.2f}", f"{ours.depth / theirs.depth:.2f}"]
            table.add_row(kind, name, *pair, *ratios)
            rows.append({"kind": kind, "format": name, "hwgen": ours.to_json(), "apfloat": theirs.to_json()})
    Console(width=100).print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
