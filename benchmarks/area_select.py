"""LUTs and depth of units with selectable formats, against the plain units of each mode.

``python benchmarks/area_select.py`` prints a Markdown table: the unit, the plain unit of each mode, the ratio
to the largest of them alone, and to all of them together (without what would choose among their results).
Combinational RTL, LUTs only, the flow of ``hwgen area``.
"""

from __future__ import annotations

from typing import Any

from hwgen.flow.area import measure
from hwgen.operators import load
from hwgen.spec.selection import SelectedSpec, plain_specs

FP8 = ["e4m3fn", "e5m2"]
FP8_BF16 = [*FP8, "bf16"]
E4M3_BF16 = ["e4m3fn", "bf16"]
ALIGNED = {"aligned": 25}
UNITS: tuple[dict[str, Any], ...] = (
    {"kind": "mac", "formats": {"a": FP8, "b": FP8, "acc": "fp16"}},
    {"kind": "mac", "formats": {"a": FP8_BF16, "b": FP8_BF16, "acc": "fp32"}},
    {"kind": "mac", "formats": {"a": E4M3_BF16, "b": E4M3_BF16, "acc": "bf16"}},
    {"kind": "mac", "formats": {"a": E4M3_BF16, "b": E4M3_BF16, "acc": ["fp16", "fp32"]}},
    {"kind": "dot", "n": 4, "formats": {"a": FP8, "b": FP8, "c": "fp16", "y": "fp16"}},
    {"kind": "dot", "n": 4, "formats": {"a": FP8, "b": FP8, "c": "fp32", "y": "fp32"}, "scheme": ALIGNED},
    {
        "kind": "dot",
        "n": 4,
        "formats": {"a": FP8_BF16, "b": FP8_BF16, "c": "fp32", "y": "fp32"},
        "scheme": ALIGNED,
    },
)


def main() -> None:
    """Measure every unit and print the table."""
    print("| unit | a and b; result | LUTs / depth | plain units, LUTs / depth | to largest | to sum |")
    print("|---|---|---:|---|---:|---:|")
    for keys in UNITS:
        spec = load(keys).spec
        if not isinstance(spec, SelectedSpec):
            raise TypeError(f"{keys} has no list")
        unit = measure(spec.to_yaml())
        plain = [measure(of_mode.to_yaml()) for of_mode in plain_specs(spec)]
        luts = [report.luts for report in plain]
        factors, result = (
            ", ".join(format_.name for format_ in spec.lists[key]) for key in ("a", spec.result_keys[-1])
        )
        scheme = next(iter(keys["scheme"])) if "scheme" in keys else "exact"
        columns = [
            f"{spec.kind} of {keys['n']}, {scheme}" if spec.kind == "dot" else spec.kind,
            f"{factors}; {result}",
            f"{unit.luts} / {unit.depth}",
            ", ".join(f"{report.luts} / {report.depth}" for report in plain),
            f"{unit.luts / max(luts):.2f}",
            f"{unit.luts / sum(luts):.2f}",
        ]
        print(f"| {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    main()
