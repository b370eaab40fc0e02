"""LUTs of the training core, kernel by kernel, and for each digit multiplier, at digits of 1, 2 and 4 bits.

Run ``python benchmarks/trainer_area.py [DIGIT...]``. Each kernel is synthesised alone for UltraScale+ (Yosys,
no DSP, before placement); memories are left out, as they are block RAM. A digit multiplier of d x d bits is
d * d binary multiply-accumulates, which compares with the 2.75 LUTs that follow, all overhead included, from
what BISMO published (15.4 binary TOPS on an Ultra96).
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from hwgen.emit import emit_files
from hwgen.flow.area import synthesise
from hwgen.flow.rtl import generate_rtl
from hwgen.trainer import load_spec
from hwgen.trainer.project import render_core

ARRAY = ("count_products", "accumulate")
BISMO = 2.75


def measured(digit: int) -> None:
    """Print the table of one core."""
    spec = load_spec({"kind": "trainer", "name": f"core_digit{digit}", "array": {"digit": digit}})
    array = spec.array
    multipliers = array.rows * array.cols * array.lanes
    with tempfile.TemporaryDirectory() as folder:
        project = emit_files(render_core(spec), Path(folder, spec.name))
        generate_rtl(project)
        verilog = project / "rtl" / f"{spec.name}.sv"
        manifest = json.loads((project / "manifest.json").read_text(encoding="utf-8"))
        print(f"digit {digit}: {multipliers} digit multipliers of {digit} x {digit} bits")
        print("  kernel              LUT     FF  carry  depth")
        total = of_array = 0
        for kernel in manifest["network"]["kernels"]:
            report = synthesise(verilog, f"{spec.name}_{kernel['name']}", "xcup")
            print(
                f"  {kernel['name']:16} {report.luts:6} {report.ffs:6} {report.carries:6} {report.depth:6}",
                flush=True,
            )
            total += report.luts
            of_array += report.luts if kernel["name"] in ARRAY else 0
    for what, luts in (("the array", of_array), ("all kernels", total)):
        each = luts / multipliers
        binary = each / digit**2
        print(
            f"  {what}: {luts} LUTs, {each:.2f} a digit multiplier, {binary:.2f} a binary MAC "
            f"({binary / BISMO:.2f} of BISMO's {BISMO})"
        )


if __name__ == "__main__":
    for chosen in [int(text) for text in sys.argv[1:]] or [1, 2, 4]:
        measured(chosen)
