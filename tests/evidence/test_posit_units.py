"""Posits, and conversion among all families: golden = C++ = RTL on every combination of operands.

The golden model itself is compared with SoftPosit and with Fractions, on as many operands, in tests/golden.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwgen.emit import emit
from hwgen.flow.csim import compile_native
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated import load_many
from hwgen.operators import Operator, load

# Each family to each; a mode that shows, and the policies that are no default.
CONVERSIONS = [
    ("bf16", "e4m3fn", "sr", "nan"),
    ("fp16", "q3.5", "rna", "wrap"),
    ("fp16", "posit8", "rne", None),
    ("bf16", "e8m0", "rup", "nan"),
    ("q5.7", "e5m2ftz", "rto", None),
    ("q4.8", "uq2.3", "sr", None),
    ("q8.8", "posit12es1", "rne", None),
    ("int12", "e8m0", "rne", None),
    ("posit16", "e5m2", "sr", "saturate"),
    ("posit12es1", "q4.6", "rdn", None),
    ("posit16", "posit8", "rne", None),
    ("posit16", "e8m0", "sr", None),
    ("e8m0", "bf16", "rtz", None),
    ("e8m0", "uq4.4", "rup", None),
    ("e8m0", "posit16", "rne", None),
    ("e8m0", "e8m0", "rne", None),
]
MORE = [
    (x, y, mode, None)
    for x in ("e4m3fnuz", "fp32", "q2.14", "uint8", "posit9es0", "posit16", "posit32", "e8m0")
    for y in ("e5m2", "e3m2", "q3.5", "posit8", "posit16", "posit32", "e8m0")
    for mode in (("rne",) if y.startswith("posit") else ("rne", "rup", "sr"))
]


def converter(x: str, y: str, mode: str, overflow: str | None) -> Operator:
    name = f"{x}_{y}_{mode}".replace(".", "_")
    rounding = {"mode": mode, "bits": 5} if mode == "sr" else mode
    spec = {"kind": "convert", "name": name, "formats": {"x": x, "y": y}, "rounding": rounding}
    return load(spec | ({"overflow": overflow} if overflow else {}))


def operands_of(operator: Operator) -> list[np.ndarray]:
    """Return every combination of up to 16 bits of operands, else hard vectors; random words are drawn."""
    ports = [port for port in operator.inputs if port.format is not None]
    if sum(port.width for port in ports) > 16:
        return list(operator.vectors(20_000, seed=3))
    grids = np.meshgrid(*(np.arange(1 << port.width, dtype=port.dtype) for port in ports), indexing="ij")
    columns = [grid.ravel() for grid in grids]
    for port in operator.inputs[len(ports) :]:
        words = np.random.default_rng(7).integers(0, 1 << port.width, len(columns[0]))
        columns.append(words.astype(port.dtype))
    return columns


def check(operators: list[Operator], folder: Path) -> None:
    projects = [emit(operator, folder / operator.name) for operator in operators]
    for project in projects:
        generate_rtl(project)
    for operator, project, rtl in zip(operators, projects, load_many(projects), strict=True):
        operands = operands_of(operator)
        assert len(operands[0]) >= 256
        want = operator.golden(*operands)
        np.testing.assert_array_equal(compile_native(project)(*operands), want, f"{operator.name}: csim")
        np.testing.assert_array_equal(rtl(*operands), want, f"{operator.name}: rtl")


def test_each_family_converts_to_each_the_same_in_golden_cpp_and_rtl(tmp_path: Path) -> None:
    check([converter(*row) for row in CONVERSIONS], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("x", sorted({row[0] for row in MORE}))
def test_many_formats_convert_to_many_the_same_in_golden_cpp_and_rtl(x: str, tmp_path: Path) -> None:
    check([converter(*row) for row in MORE if row[0] == x], tmp_path)


def test_every_pair_of_posit8_gives_the_same_in_golden_cpp_and_rtl(tmp_path: Path) -> None:
    formats = dict.fromkeys("aby", "posit8")
    kinds = ("add", "mul")
    check([load({"kind": kind, "name": f"{kind}_p8", "formats": formats}) for kind in kinds], tmp_path)


@pytest.mark.slow
def test_wider_and_mixed_posits_give_the_same_in_golden_cpp_and_rtl(tmp_path: Path) -> None:
    specs = [
        ("add", {"a": "posit16", "b": "posit16", "y": "posit16"}),
        ("add", {"a": "posit8", "b": "e4m3fn", "y": "bf16"}),
        ("mul", {"a": "posit16", "b": "posit16", "y": "posit16"}),
        ("mul", {"a": "e4m3fn", "b": "e8m0", "y": "bf16"}),
        ("fma", {"a": "posit8", "b": "posit8", "c": "posit8", "y": "posit8"}),
        ("fma", {"a": "posit16", "b": "posit16", "c": "posit32", "y": "posit32"}),
        ("mac", {"a": "posit8", "b": "posit8", "acc": "posit16"}),
    ]
    operators = [
        load({"kind": kind, "name": f"posits{index}", "formats": formats})
        for index, (kind, formats) in enumerate(specs)
    ]
    check(operators, tmp_path)


def test_a_planted_bug_shows_in_the_rtl_too(tmp_path: Path) -> None:
    operator = converter("fp16", "posit8", "rne", None)
    project = emit(operator, tmp_path / "p")
    header = project / "src" / "hwgen" / "posit.hpp"
    text = header.read_text()
    assert "guard & (sticky | odd)" in text
    header.write_text(text.replace("guard & (sticky | odd)", "guard & sticky"))
    generate_rtl(project)
    (rtl,) = load_many([project])
    operands = operands_of(operator)
    want = operator.golden(*operands)
    assert (rtl(*operands) != want).any()
    assert (compile_native(project)(*operands) != want).any()
