"""LUTs of cores: how kernels are cut out, added up and compared."""

from __future__ import annotations

import pytest

from hwgen.errors import CheckError
from hwgen.flow.area import AreaReport
from hwgen.trainer import area as area_module
from hwgen.trainer import load_spec
from hwgen.trainer.area import CoreArea, kernel_text, measure_core

SMALL = {"kind": "trainer", "name": "little", "array": {"rows": 4, "cols": 4}, "max_k": 1024}
SMALL |= {"buffers": {"a_kib": 8, "b_kib": 8, "c_kib": 16, "scratch_kib": 8}, "accumulator": {"bits": 32}}
VERILOG = """\
// Header
module core_a(
  input wire x
);
endmodule

module core_add(
  input wire y
);
  wire z = y;
endmodule
"""


def report(luts: int) -> AreaReport:
    keys = ("ffs", "carries", "muxes", "dsps", "depth", "aig_nodes", "aig_levels", "clock_ps")
    return AreaReport(name="kernel", family="xcup", luts=luts, cells={}, **dict.fromkeys(keys, 7))


def test_a_kernel_is_cut_out_under_a_name_of_its_own() -> None:
    assert kernel_text(VERILOG, "core_a") == "module kernel(\n  input wire x\n);\nendmodule\n"
    assert "wire z = y;" in kernel_text(VERILOG, "core_add")
    with pytest.raises(CheckError, match="the RTL has no module core_b"):
        kernel_text(VERILOG, "core_b")


def test_the_array_is_compared_with_binary_multipliers() -> None:
    core = CoreArea(
        load_spec(SMALL),
        {"decode": report(1000), "count_products": report(2048), "accumulate": report(1024)},
    )
    assert (core.multipliers, core.array_luts, core.luts) == (256, 3072, 4072)
    assert core.lines()[-2] == (
        "  the array: 3072 LUTs, 12.00 a digit multiplier, 3.00 a binary MAC (1.09 of BISMO's 2.75)"
    )
    assert core.to_json()["kernels"]["decode"]["luts"] == 1000


@pytest.mark.slow
def test_every_kernel_of_a_core_is_synthesised_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = []

    def synthesised(file: object, module: str, family: str) -> AreaReport:
        assert (module, family) == ("kernel", "xcup")
        texts.append(file.read_text())  # type: ignore[attr-defined]
        return report(len(texts))

    monkeypatch.setattr(area_module, "synthesise", synthesised)
    told: list[str] = []
    core = measure_core(load_spec(SMALL), progress=told.append)
    assert told == ["C++ to RTL", *core.kernels]
    assert {"decode", "post", "accumulate"} < set(core.kernels)
    for text in texts:
        assert text.count("endmodule") == 1
        assert text.startswith("module kernel(")
    assert len(set(texts)) == len(texts)


@pytest.mark.slow
def test_a_small_core_has_luts_in_every_kernel() -> None:
    core = measure_core(load_spec(SMALL))
    assert all(kernel.luts > 10 for kernel in core.kernels.values())
    assert core.array_luts < core.luts
