"""hwgen area: counts that are known beforehand, and the reports of real operators."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hwgen.emit import emit
from hwgen.errors import InputError, ToolError
from hwgen.flow.area import measure, synthesise
from hwgen.flow.rtl import generate_rtl
from hwgen.operators import load

SPEC = {"kind": "mul", "name": "mul_tiny", "formats": {"a": "e2m1", "b": "e2m1", "y": "e2m1"}}


@pytest.fixture(autouse=True, scope="module")
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HWGEN_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def test_luts_flip_flops_and_depth_of_a_registered_parity_are_counted_through_the_hierarchy(
    tmp_path: Path,
) -> None:
    verilog = tmp_path / "pair.sv"
    verilog.write_text(
        "module leaf(input wire clk, input wire [5:0] a, output reg y);\n"
        "  always @(posedge clk) y <= ^a;\nendmodule\n"
        "module pair(input wire clk, input wire [11:0] a, output wire [1:0] y);\n"
        "  leaf low(.clk(clk), .a(a[5:0]), .y(y[0]));\n"
        "  leaf high(.clk(clk), .a(a[11:6]), .y(y[1]));\nendmodule\n"
    )
    report = synthesise(verilog, "pair", "xcup")
    assert (report.luts, report.ffs, report.carries, report.dsps, report.depth) == (2, 2, 0, 0, 1)
    assert (report.aig_nodes, report.aig_levels) == (30, 6)  # an exclusive or is three ANDs, two deep
    assert report.clock_ps == 650
    assert report.cells["LUT6"] == 2


def test_an_adder_uses_carry_cells_and_a_multiplier_no_dsp(tmp_path: Path) -> None:
    verilog = tmp_path / "unit.sv"
    verilog.write_text(
        "module unit(input wire [15:0] a, b, output wire [15:0] sum, product);\n"
        "  assign sum = a + b;\n  assign product = a * b;\nendmodule\n"
    )
    report = synthesise(verilog, "unit", "xc7")
    assert report.carries >= 4
    assert report.dsps == 0
    assert report.luts > 16


def test_wires_cost_nothing(tmp_path: Path) -> None:
    verilog = tmp_path / "wires.sv"
    verilog.write_text("module wires(input wire a, output wire y);\n  assign y = a;\nendmodule\n")
    report = synthesise(verilog, "wires", "xcup")
    assert (report.luts, report.depth, report.aig_nodes, report.aig_levels) == (0, 0, 0, 0)


def test_a_spec_and_its_project_measure_the_same(tmp_path: Path) -> None:
    project = emit(load(SPEC), tmp_path / "project")
    from_spec = measure(SPEC)
    assert from_spec == measure(project)
    assert (project / "rtl" / "mul_tiny.sv").is_file()
    assert from_spec.name == "mul_tiny"
    assert from_spec.family == "xcup"
    assert 0 < from_spec.luts < 30
    assert from_spec.ffs == 0
    assert json.loads(json.dumps(from_spec.to_json()))["luts"] == from_spec.luts
    assert f"LUT {from_spec.luts}" in "\n".join(from_spec.lines())


def test_the_rtl_that_a_project_has_is_what_is_measured(tmp_path: Path) -> None:
    project = emit(load(SPEC), tmp_path / "project")
    generate_rtl(project, stages=2)
    report = measure(project)
    assert report.ffs > 0
    assert report.depth < measure(SPEC).depth


def test_a_second_measurement_comes_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    first = measure(SPEC)
    monkeypatch.setattr("hwgen.flow.area.run_yosys", None)
    assert measure(SPEC) == first


def test_what_yosys_refuses_is_one_error_with_its_words(tmp_path: Path) -> None:
    verilog = tmp_path / "broken.sv"
    verilog.write_text("module broken(input wire a, output wire y);\n  assign y = a &;\nendmodule\n")
    with pytest.raises(ToolError, match="syntax error"):
        synthesise(verilog, "broken", "xcup")


def test_an_unknown_family_is_refused_with_the_legal_ones() -> None:
    with pytest.raises(InputError, match="xcup, xcu, xc7"):
        measure(SPEC, "virtex")
