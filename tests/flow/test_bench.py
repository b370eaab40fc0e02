"""The cocotb bench of sim/: what it accepts, and what it must not let pass."""

import importlib.util
import json
import shutil
import subprocess
import sys

import pytest
from hand_made_project import ADDER_PORTS, adder_function, adder_stream, write_adder_vectors, write_project

from hwgen.errors import InputError, ToolError
from hwgen.flow.simulate import simulate
from hwgen.resources import sim_dir

# As Vitis HLS exports it: active-high reset, a port renamed because it is a word of Verilog, no record of the
# latency, a file for a submodule.
VITIS_FUNCTION = """
module adder(input ap_clk, input ap_rst, input [7:0] a, input [7:0] rand_r, output reg [8:0] y);
  wire [8:0] sum;
  adder_core core(.a(a), .b(rand_r), .y(sum));
  reg [8:0] first;
  always @(posedge ap_clk) if (ap_rst) y <= 0; else begin first <= sum; y <= first; end
endmodule
"""
VITIS_CORE = "module adder_core(input [7:0] a, input [7:0] b, output [8:0] y); assign y = a + b; endmodule\n"


def make(folder, *, interface, verilog, stages=1, inputs=ADDER_PORTS):
    project = write_project(
        folder,
        name="adder",
        interface=interface,
        inputs=inputs,
        output=9,
        verilog=verilog,
        stages=stages,
        latency=stages,
    )
    write_adder_vectors(project)
    return project


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    return make(tmp_path_factory.mktemp("stream") / "p", interface="stream", verilog=adder_stream())


@pytest.fixture(scope="module")
def function(tmp_path_factory):
    folder = tmp_path_factory.mktemp("function") / "p"
    return make(folder, interface="function", verilog=adder_function(2), stages=2)


def test_a_stream_passes_and_its_stalls_happen_at_both_ends(stream):
    run = simulate(stream, stall=0.4, seed=2)
    assert run.passed
    assert run.vectors == run.checked == 500
    assert run.withheld > 100
    assert run.refused > 100


def test_a_stream_without_stalls_takes_a_vector_in_every_cycle(stream):
    run = simulate(stream, stall=0.0)
    assert run.passed
    assert run.withheld == run.refused == 0
    assert run.cycles < 500 + 110


def test_a_pipelined_function_passes_at_its_recorded_latency(function):
    assert simulate(function).passed


def test_a_combinational_function_needs_no_clock(tmp_path):
    assert simulate(make(tmp_path / "p", interface="function", verilog=adder_function(0), stages=0)).passed


def test_a_wrong_latency_is_a_failure(function, tmp_path):
    folder = shutil.copytree(function, tmp_path / "p")
    (folder / "rtl" / "adder.json").write_text('{"stages": 2, "latency": 3}')
    assert simulate(folder).mismatches > 100


def test_an_emptied_vector_file_is_a_failure(stream, tmp_path):
    empty = tmp_path / "vectors.txt"
    empty.write_text("# a b -> y\n\n")
    run = simulate(stream, vectors=empty)
    assert not run.passed
    assert "no vectors" in run.error


@pytest.mark.parametrize("line", ["12 34", "12 34 46 00", "12 xx 46", "123 34 157"])
def test_a_malformed_vector_is_named_with_its_line(stream, tmp_path, line):
    broken = tmp_path / "vectors.txt"
    broken.write_text(f"# a b -> y\n01 02 003\n{line}\n")
    run = simulate(stream, vectors=broken)
    assert not run.passed
    assert "vectors.txt:3: " in run.error


def test_a_wrong_result_is_reported_with_line_operands_and_both_results_in_hex(stream, tmp_path):
    wrong = tmp_path / "vectors.txt"
    wrong.write_text("# a b -> y\n01 02 003\nff 10 1ff\n")
    run = simulate(stream, vectors=wrong)
    assert run.mismatches == 1
    assert run.differences == ((1, 0x10F),)
    assert "vectors.txt:3: a=0xff b=0x10: expected y=0x1ff, got 0x10f" in run.error


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ({"valid": "full & cycle[0]"}, "y_TVALID fell before y_TREADY came"),
        ({"extra": "if (full & !y_TREADY) sum <= sum + 1;"}, "y_TDATA changed before y_TREADY came"),
        ({"go": "1'b0"}, "no word moved for 10000 cycles after 0 results"),
        ({"extra": "if (!full & !go) full <= 1;"}, "more results than the"),
    ],
)
def test_a_broken_handshake_is_a_failure(tmp_path, fault, complaint):
    run = simulate(make(tmp_path / "p", interface="stream", verilog=adder_stream(**fault)), stall=0.4)
    assert not run.passed
    assert complaint in run.error


def test_the_bench_runs_alone_on_rtl_as_vitis_exports_it(tmp_path):
    """By its own command line, from a copy inside the project, without hwgen on the path."""
    project = make(tmp_path / "p", interface="function", verilog="", inputs=[("a", 8), ("rand", 8)])
    shutil.copytree(sim_dir(), project / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    exported = tmp_path / "verilog"
    exported.mkdir()
    (exported / "adder.v").write_text(VITIS_FUNCTION)
    (exported / "adder_core.v").write_text(VITIS_CORE)
    command = [sys.executable, project / "sim" / "run.py", "--rtl", exported]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((project / "build" / "sim" / "result.json").read_text())["latency"] == 2
    (project / "tb" / "vectors.txt").write_text("")
    done = subprocess.run([*command, "--step", "test"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1


def test_the_bench_imports_nothing_of_hwgen():
    for file in sim_dir().glob("*.py"):
        assert "import hwgen" not in file.read_text()
        assert "from hwgen" not in file.read_text()
    assert importlib.util.find_spec("cocotb") is not None


def test_missing_and_broken_rtl_are_clear_errors(tmp_path):
    project = make(tmp_path / "p", interface="function", verilog="module adder(;\n")
    with pytest.raises(ToolError, match="syntax error"):
        simulate(project)
    (project / "rtl" / "adder.sv").unlink()
    with pytest.raises(InputError, match="run hwgen rtl first"):
        simulate(project)
