"""LUTs of a trainer core, kernel by kernel, and for each of its digit multipliers.

Each kernel is synthesised alone for UltraScale+ (Yosys, no DSP, before placement) and kept, by its
text, between runs. Memories and the queues between kernels are left out: they are block and distributed RAM.

A digit multiplier of d x d bits is d * d binary multiply-accumulates, which compares with what BISMO
published (15.4 binary TOPS on an Ultra96): 2.75 LUTs for each, all overhead included.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import CheckError
from hwgen.flow.area import AreaReport, synthesise
from hwgen.trainer.builds import project_with_rtl
from hwgen.trainer.spec import TrainerSpec

__all__ = ["BISMO_LUTS", "CoreArea", "kernel_text", "measure_core"]

BISMO_LUTS = 2.75
"""LUTs of a binary multiply-accumulate."""
_ARRAY = ("count_products", "accumulate")
"""The kernels that are the array itself."""
_MODULE = "kernel"


@dataclass(frozen=True)
class CoreArea:
    """What the kernels of a core cost.

    Attributes
    ----------
    spec : TrainerSpec
        The core.
    kernels : dict of str to AreaReport
        In the order of the core's description.
    """

    spec: TrainerSpec
    kernels: dict[str, AreaReport]

    @property
    def multipliers(self) -> int:
        """Digit multipliers of the array."""
        array = self.spec.array
        return array.rows * array.cols * array.lanes

    @property
    def luts(self) -> int:
        """LUTs of all kernels."""
        return sum(report.luts for report in self.kernels.values())

    @property
    def array_luts(self) -> int:
        """LUTs of the array."""
        return sum(self.kernels[name].luts for name in _ARRAY)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "digit": self.spec.array.digit,
            "multiplier": self.spec.array.multiplier,
            "multipliers": self.multipliers,
            "luts": self.luts,
            "array_luts": self.array_luts,
            "kernels": {
                name: {
                    "luts": report.luts,
                    "ffs": report.ffs,
                    "carries": report.carries,
                    "depth": report.depth,
                }
                for name, report in self.kernels.items()
            },
        }

    def lines(self) -> list[str]:
        """Return a table for people."""
        digit = self.spec.array.digit
        joined = ", four of which make one of 16 x 16" if self.spec.array.splits else ""
        lines = [
            f"{self.spec.name}: {self.multipliers} digit multipliers of {digit} x {digit} bits{joined} "
            "(Yosys for UltraScale+, before placement, without memories and queues)",
            f"  {'kernel':16} {'LUT':>6} {'FF':>6} {'carry':>6} {'depth':>6}",
        ]
        lines += [
            f"  {name:16} {report.luts:6} {report.ffs:6} {report.carries:6} {report.depth:6}"
            for name, report in self.kernels.items()
        ]
        for what, luts in (("the array", self.array_luts), ("all kernels", self.luts)):
            each = luts / self.multipliers
            binary = each / digit**2
            lines.append(
                f"  {what}: {luts} LUTs, {each:.2f} a digit multiplier, {binary:.2f} a binary MAC "
                f"({binary / BISMO_LUTS:.2f} of BISMO's {BISMO_LUTS})"
            )
        return lines


def measure_core(
    target: Path | TrainerSpec, family: str = "xcup", progress: Callable[[str], None] = lambda step: None
) -> CoreArea:
    """Return what a core costs. A core that is new takes minutes, kernels seen before nothing.

    Parameters
    ----------
    target : Path or TrainerSpec
        A spec, or an emitted core, whose RTL is taken as it is.
    family : str
        Device family: one of `hwgen.flow.area.FAMILIES`.
    progress : callable
        Told the kernel that is being synthesised.

    Raises
    ------
    InputError
        If no core does yet what the spec asks for.
    ToolError
        If a tool is missing or fails.
    """
    with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
        spec, project = project_with_rtl(target, Path(folder), progress)
        verilog = (project / "rtl" / f"{spec.name}.sv").read_text(encoding="utf-8")
        manifest = json.loads((project / "manifest.json").read_text(encoding="utf-8"))
        kernels = {}
        for kernel in manifest["network"]["kernels"]:
            name = kernel["name"]
            progress(name)
            file = Path(folder, f"{name}.sv")
            file.write_text(kernel_text(verilog, f"{spec.name}_{name}"), encoding="utf-8")
            kernels[name] = synthesise(file, _MODULE, family)
        return CoreArea(spec, kernels)


def kernel_text(verilog: str, module: str) -> str:
    """Return one kernel's module, which instantiates none, under a name that does not depend on the core's.

    Raises
    ------
    CheckError
        If there is no such module.
    """
    found = re.search(rf"^module {module}\((.*?)^endmodule$", verilog, re.MULTILINE | re.DOTALL)
    if found is None:
        raise CheckError(f"the RTL has no module {module}")
    return f"module {_MODULE}({found[1]}endmodule\n"
