"""What an operator's RTL costs: LUTs, flip-flops, carry cells, depth, and an estimate of its clock.

Yosys maps the RTL to AMD cells (`synth_xilinx`, no DSPs, no I/O buffers) and ABC gives the technology-free
size, and-inverter nodes and levels. Neither places nor routes: the figures compare circuits with each other,
and the clock is a model (see `AreaReport.clock_ps`).
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hwgen.emit import emit
from hwgen.errors import InputError, legal_values
from hwgen.flow import cache
from hwgen.flow.fresh_rtl import fresh_rtl
from hwgen.flow.tools import require_module
from hwgen.flow.yosys import run_yosys
from hwgen.operators import load

__all__ = ["FAMILIES", "AreaReport", "measure", "synthesise"]

FAMILIES = ("xcup", "xcu", "xc7")
"""UltraScale+, UltraScale and 7 series, under Yosys' names."""

# The clock model: a level is a LUT or carry cell with the net behind it, routing taken as two thirds of that,
# as in UltraScale+ designs without congestion; the rest is clock-to-output and set-up of the registers.
_LEVEL_PS = 350
_REGISTER_PS = 300

# ABC's classic balance/rewrite/refactor script, written out because aliases are not defined in Yosys' ABC.
_RESYN2 = (
    "balance; rewrite; refactor; balance; rewrite; rewrite -z; balance; refactor -z; rewrite -z; balance"
)


@dataclass(frozen=True, kw_only=True)
class AreaReport:
    """Size and depth of one module.

    Attributes
    ----------
    name : str
        The RTL module.
    family : str
        Device family of the mapping, one of `FAMILIES`.
    luts : int
        LUT1 to LUT6 cells, each counted as one. Inverters that Yosys leaves as INV are not counted: they
        merge into a neighbouring LUT; nor are the carry cells and wide multiplexers below, which a slice
        has besides its LUTs.
    ffs : int
        Flip-flops and latches.
    carries : int
        Carry cells, of four bits (CARRY4) or eight (CARRY8).
    muxes : int
        MUXF7, MUXF8 and MUXF9 cells.
    dsps : int
        DSP48 cells. The mapping uses none, so that designs compare in one currency.
    depth : int
        Cells on the longest path between registers or ports, carry cells and multiplexers included (`ltp`).
    aig_nodes, aig_levels : int
        Two-input ANDs, and the most on a path, after ABC's resyn2 script; inverters are free.
    clock_ps : int
        Estimated shortest clock period in picoseconds: 350 ps a level of `depth` plus 300 ps for the
        registers around it. A model without placement, good to compare, not to sign off.
    cells : dict of str to int
        Every mapped cell type and its count.
    """

    name: str
    family: str
    luts: int
    ffs: int
    carries: int
    muxes: int
    dsps: int
    depth: int
    aig_nodes: int
    aig_levels: int
    clock_ps: int
    cells: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return a short summary for people."""
        return [
            f"{self.name} on {self.family} (Yosys, before placement)",
            f"  LUT {self.luts}, FF {self.ffs}, carry {self.carries}, MUXF {self.muxes}, DSP {self.dsps}",
            f"  depth {self.depth} cells, about {self.clock_ps} ps ({1e6 / self.clock_ps:.0f} MHz; a model)",
            f"  and-inverter graph {self.aig_nodes} nodes, {self.aig_levels} levels",
        ]


def measure(project_or_spec: Mapping[str, Any] | Path | str, family: str | None = None) -> AreaReport:
    """Measure an operator's RTL.

    Parameters
    ----------
    project_or_spec : mapping or path
        The folder of an emitted project: its RTL, generated first if there is none or if the C++ has
        changed since. Or a spec, as data or
        file: the RTL that ``hwgen rtl`` makes by default (combinational for a function without a clock).
    family : str, optional
        One of `FAMILIES`; default ``xcup``.

    Raises
    ------
    InputError
        If the family is unknown, or there is no such project or spec.
    ToolError
        If Yosys is missing or fails.
    """
    chosen = family or FAMILIES[0]
    if chosen not in FAMILIES:
        raise InputError(legal_values("device family", chosen, FAMILIES))
    with ExitStack() as stack:
        if isinstance(project_or_spec, Path | str) and Path(project_or_spec).is_dir():
            folder = Path(project_or_spec)
        else:
            operator = load(project_or_spec)
            temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="hwgen-"))
            folder = emit(operator, Path(temporary) / operator.name)
        verilog = fresh_rtl(folder)
        return synthesise(verilog, verilog.stem, chosen)


def synthesise(verilog: Path, module: str, family: str) -> AreaReport:
    """Map one SystemVerilog file and report; a file that was seen before comes from the cache.

    Raises
    ------
    ToolError
        If Yosys is missing or fails.
    """
    require_module("pyosys", "measuring area")
    passes = _passes(module, family)

    def build(folder: Path) -> None:
        shutil.copyfile(verilog, folder / "design.sv")
        run_yosys(passes, cwd=folder, what="measuring area with Yosys")

    result = cache.build(["area", version("pyosys"), "\n".join(passes), verilog], build)
    statistics = json.loads((result / "stat.json").read_text(encoding="utf-8"))
    cells: dict[str, int] = statistics["design"].get("num_cells_by_type", {})
    path = re.search(r"\(length=(\d+)\)", (result / "ltp.txt").read_text(encoding="utf-8"))
    graph = re.findall(r"and =\s*(\d+).*?lev =\s*(\d+)", (result / "abc.txt").read_text(encoding="utf-8"))
    nodes, levels = (int(figure) for figure in graph[-1]) if graph else (0, 0)
    depth = int(path[1]) if path else 0

    def count(pattern: str) -> int:
        return sum(number for cell, number in cells.items() if re.fullmatch(pattern, cell))

    return AreaReport(
        name=module,
        family=family,
        luts=count(r"LUT[1-6]"),
        ffs=count(r"(FD|LD)[A-Z]+(_1)?"),
        carries=count(r"CARRY[48]"),
        muxes=count(r"MUXF[789]"),
        dsps=count(r"DSP48.*"),
        depth=depth,
        aig_nodes=nodes,
        aig_levels=levels,
        clock_ps=depth * _LEVEL_PS + _REGISTER_PS,
        cells=dict(sorted(cells.items())),
    )


def _passes(module: str, family: str) -> list[str]:
    return [
        "scratchpad -set abc9.verify false",  # ABC's proof of its own mapping, which is slow for products
        "read_verilog -sv design.sv",
        f"hierarchy -check -top {module}",
        "flatten",
        "design -save read",
        f"synth_xilinx -family {family} -nodsp -noiopad -noclkbuf -top {module}",
        "tee -q -o stat.json stat -json",
        "delete t:FD* t:LD*",  # ltp would walk through mapped flip-flops: its -noff knows unmapped ones only
        "tee -q -o ltp.txt ltp -noff",
        "design -load read",
        f"synth -flatten -noabc -top {module}",
        f'tee -q -o abc.txt abc -script "+strash; {_RESYN2}; print_stats"',
    ]
