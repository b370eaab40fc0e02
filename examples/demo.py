"""From three specs to verified hardware, with every step on screen: what `make demo` runs.

Each spec becomes an HLS C++ project in build/demo/, which is compiled natively, compiled to
SystemVerilog, and verified: golden model = C++ = RTL in Verilator = RTL under the cocotb bench. The last
thing printed is the table.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hwgen.cli.output import print_table
from hwgen.emit import emit
from hwgen.errors import HwgenError
from hwgen.flow.csim import compile_native
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verify import verify
from hwgen.operators import load

EXAMPLES = Path(__file__).resolve().parent
SPECS = ("mac_e4m3fn_e5m2_e6m5_sr8", "mac_bf16_fp32", "mac_q1_7_q8_14")
HEADING = ("unit", "coverage", "csim", "rtl", "cocotb", "verdict")

Result = TypeVar("Result")


def step(what: str, work: Callable[[], Result]) -> Result:
    """Run one step, and print what it was and how long it took."""
    print(f"  {what:<58}", end="", flush=True)
    start = time.perf_counter()
    result = work()
    print(f"{time.perf_counter() - start:7.1f} s", flush=True)
    return result


def build(spec: str, folder: Path) -> list[str]:
    """Take one spec through the whole flow, and return its row of the table."""
    file = EXAMPLES / f"{spec}.yaml"
    print(f"{file.relative_to(EXAMPLES.parent)}")
    operator = load(file)
    project = step(f"HLS C++ project in {folder / spec}", lambda: emit(operator, folder / spec))
    step("native build of the C++", lambda: compile_native(project))
    step(f"SystemVerilog in {folder / spec / 'rtl'}", lambda: generate_rtl(project))
    report = step("golden = C++ = RTL, bit against bit", lambda: verify(project))
    for mismatch in report.mismatches:
        print("\n".join(mismatch.lines()))
    compared = [f"{engine.vectors} ({engine.mismatches} differ)" for engine in report.engines]
    return [operator.name, report.coverage, *compared, "identical" if report.passed else "MISMATCH"]


def main() -> int:
    """Build and verify every spec; the exit status is 0 only if all witnesses agree."""
    folder = Path("build/demo")
    try:
        rows = [build(spec, folder) for spec in SPECS]
    except HwgenError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 2
    print()
    print_table(HEADING, rows)
    return 0 if all(row[-1] == "identical" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
