"""FP8 add, mul and convert in every mode: golden = C++ = RTL on every combination of operands.

The golden model itself is compared with independent oracles, on the same combinations, in tests/golden.
Random words of the stochastic mode are drawn; all of them are enumerated in test_stochastic_units.py.
"""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.emit import emit
from hwgen.flow.csim import compile_native
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated import load_many
from hwgen.operators import Operator, load

MODES = ("rne", "rna", "rtz", "rup", "rdn", "rto", "sr")


def units(kind: str, formats: dict[str, str], modes: tuple[str, ...]) -> list[Operator]:
    specs = []
    for mode in modes:
        rounding = {"mode": "sr", "bits": 7} if mode == "sr" else mode
        specs.append({"kind": kind, "name": f"{kind}_{mode}", "formats": formats, "rounding": rounding})
    return [load(spec) for spec in specs]


def check(operators: list[Operator], folder) -> None:
    projects = [emit(operator, folder / operator.name) for operator in operators]
    for project in projects:
        generate_rtl(project)
    for operator, project, rtl in zip(operators, projects, load_many(projects), strict=True):
        fields = [port for port in operator.inputs if port.format is not None]
        grids = np.meshgrid(*(np.arange(1 << port.width, dtype=port.dtype) for port in fields), indexing="ij")
        operands = [grid.ravel() for grid in grids]
        assert len(operands[0]) == 1 << sum(port.width for port in fields)
        if operator.inputs[-1].format is None:
            words = np.random.default_rng(7).integers(0, 1 << operator.inputs[-1].width, len(operands[0]))
            operands.append(words.astype(operator.inputs[-1].dtype))
        want = operator.golden(*operands)
        np.testing.assert_array_equal(compile_native(project)(*operands), want, f"{operator.name}: csim")
        np.testing.assert_array_equal(rtl(*operands), want, f"{operator.name}: rtl")


@pytest.mark.parametrize("format_", ["e4m3fn", "e5m2"])
@pytest.mark.parametrize("kind", ["add", "mul"])
def test_every_pair_in_every_mode_is_the_same_in_golden_cpp_and_rtl(
    kind: str, format_: str, tmp_path
) -> None:
    check(units(kind, dict.fromkeys("aby", format_), MODES), tmp_path)


@pytest.mark.parametrize(("x", "y"), [("e4m3fn", "e5m2"), ("e5m2", "e4m3fn"), ("fp16", "e5m2")])
def test_every_word_converts_to_the_same_in_golden_cpp_and_rtl(x: str, y: str, tmp_path) -> None:
    check(units("convert", {"x": x, "y": y}, MODES), tmp_path)
