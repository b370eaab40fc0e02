"""LUTs and depth of units with selectable formats, against the plain units of each mode.

``python benchmarks/area_select.py`` prints a Markdown table: the unit, the plain unit of each mode, the ratio
to the largest of them alone, and to all of them together (without what would choose among their results).
Combinational RTL, LUTs only, the flow of ``hwgen area``.
"""

from __future__ import annotations

from hwgen.flow.area import measure
from hwgen.operators import load
from hwgen.spec.selection import SelectedSpec, plain_specs

UNITS = (
    {"a": ["e4m3fn", "e5m2"], "b": ["e4m3fn", "e5m2"], "acc": "fp16"},
    {"a": ["e4m3fn", "e5m2", "bf16"], "b": ["e4m3fn", "e5m2", "bf16"], "acc": "fp32"},
    {"a": ["e4m3fn", "bf16"], "b": ["e4m3fn", "bf16"], "acc": "bf16"},
    {"a": ["e4m3fn", "bf16"], "b": ["e4m3fn", "bf16"], "acc": ["fp16", "fp32"]},
)


def main() -> None:
    """Measure every unit and print the table."""
    print("| a and b; acc | LUTs / depth | plain units, LUTs / depth | to the largest | to their sum |")
    print("|---|---:|---|---:|---:|")
    for formats in UNITS:
        spec = load({"kind": "mac", "formats": formats}).spec
        if not isinstance(spec, SelectedSpec):
            raise TypeError(f"{formats} has no list")
        unit = measure(spec.to_yaml())
        plain = [measure(of_mode.to_yaml()) for of_mode in plain_specs(spec)]
        luts = [report.luts for report in plain]
        names = [", ".join(names) if isinstance(names, list) else names for names in formats.values()]
        columns = [
            f"{names[0]}; {names[2]}",
            f"{unit.luts} / {unit.depth}",
            ", ".join(f"{report.luts} / {report.depth}" for report in plain),
            f"{unit.luts / max(luts):.2f}",
            f"{unit.luts / sum(luts):.2f}",
        ]
        print(f"| {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    main()
