"""LUTs and depth of add, mul and fma, mixed-format fma included, beside the best published open circuits.

Run ``python benchmarks/area_operators.py [--json FILE]``. All operators are correctly rounded (RNE) with
subnormals and every special value; combinational RTL; the same Yosys flow for all (`hwgen.flow.area`). The
and-inverter graph's nodes and levels (ABC) are hwgen's own.

The reference points are constants: FloPoCo's, Berkeley HardFloat's and cvfpu's (PULP) circuits in that same
flow, checked correct on at least 25,000 hard vectors each; those generators cannot be installed with pip. A
ratio below 1 means that hwgen's circuit is smaller or shallower. e4m3 is IEEE-like, as the peers build it;
e4m3fn (OCP) has no published circuit in this flow.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hwgen.flow.area import AreaReport, measure

FORMATS = ("e5m2", "e4m3", "e4m3fn", "bf16", "fp16", "fp32")
PORTS = {"mul": "ab", "add": "ab", "fma": "abc"}


@dataclass(frozen=True)
class Peer:
    """A published circuit: who built it, its LUTs and its depth in the flow above."""

    source: str
    luts: int
    depth: int


PEERS: dict[tuple[str, str], tuple[Peer, ...]] = {
    ("add", "e5m2"): (Peer("FloPoCo", 95, 20),),
    ("add", "e4m3"): (Peer("FloPoCo", 104, 21),),
    ("add", "bf16"): (Peer("FloPoCo", 199, 30),),
    ("add", "fp16"): (Peer("FloPoCo", 204, 30),),
    ("add", "fp32"): (Peer("FloPoCo", 424, 45),),
    ("mul", "e5m2"): (Peer("HardFloat", 97, 20), Peer("cvfpu", 117, 18)),
    ("mul", "e4m3"): (Peer("HardFloat", 122, 19),),
    ("mul", "bf16"): (Peer("HardFloat", 328, 29), Peer("cvfpu", 350, 27)),
    ("mul", "fp16"): (Peer("HardFloat", 460, 29),),
    ("mul", "fp32"): (Peer("HardFloat", 1782, 49), Peer("cvfpu", 1905, 48)),
    ("fma", "e5m2"): (Peer("cvfpu", 239, 32),),
    ("fma", "e4m3"): (Peer("cvfpu", 270, 32),),
    ("fma", "bf16"): (Peer("cvfpu", 597, 47),),
    ("fma", "fp16"): (Peer("cvfpu", 802, 47),),
    ("fma", "fp32"): (Peer("cvfpu", 2571, 71),),
    ("fma", "e5m2 e5m2 e6m5"): (Peer("cvfpu", 348, 39),),
    ("fma", "e5m2 e5m2 fp16"): (Peer("cvfpu", 552, 46),),
    ("fma", "e4m3 e4m3 fp16"): (Peer("cvfpu", 573, 47),),
    ("fma", "e5m2 e5m2 fp32"): (Peer("cvfpu", 1055, 63),),
    ("fma", "fp16 fp16 fp32"): (Peer("cvfpu", 1339, 65),),
    ("fma", "bf16 bf16 fp32"): (Peer("cvfpu", 1230, 69),),
}
MIXED = tuple(formats for _, formats in PEERS if " " in formats)


def measured(kind: str, formats: str, goal: str = "depth") -> AreaReport:
    """Return the report of one operator; of several formats, the last is the result's too."""
    words = formats.split()
    ports = dict(zip(PORTS[kind], words if len(words) > 1 else words * len(PORTS[kind]), strict=True))
    target = {"target": {"optimise": goal}} if goal != "depth" else {}
    return measure({"kind": kind, "formats": {**ports, "y": words[-1]}, **target})


def main() -> None:
    """Measure every operator and print the table."""
    parser = argparse.ArgumentParser(description="LUTs and depth of the operators, beside published circuits")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    parser.add_argument(
        "--formats", nargs="+", default=(*FORMATS, *MIXED), choices=(*FORMATS, *MIXED), metavar="FORMAT"
    )
    arguments = parser.parse_args()
    table = Table(title="Combinational RTL, RNE, subnormals; synth_xilinx -family xcup -nodsp")
    for heading in (
        "unit",
        "format",
        "LUT",
        "depth",
        "AIG nodes",
        "levels",
        "peer",
        "LUT",
        "depth",
        "LUT ratio",
        "depth ratio",
    ):
        table.add_column(heading, justify="left" if heading in ("unit", "format", "peer") else "right")
    rows = []
    for kind, goal in (("mul", "depth"), ("add", "depth"), ("add", "area"), ("fma", "depth")):
        for fmt in arguments.formats:
            if fmt in MIXED and kind != "fma":
                continue
            unit = kind if goal == "depth" else f"{kind}, for {goal}"
            print(f"measuring {unit} {fmt}", file=sys.stderr)
            report = measured(kind, fmt, goal)
            figures = [unit, fmt, report.luts, report.depth, report.aig_nodes, report.aig_levels]
            peers = PEERS.get((kind, fmt), ())
            rows.append(report.to_json() | {"kind": unit, "format": fmt, "peers": [asdict(p) for p in peers]})
            for peer in peers or (None,):
                beside = ["-"] * 5
                if peer is not None:
                    ratios = (report.luts / peer.luts, report.depth / peer.depth)
                    beside = [peer.source, str(peer.luts), str(peer.depth), *(f"{r:.2f}" for r in ratios)]
                table.add_row(*map(str, figures), *beside)
    Console(width=120).print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
