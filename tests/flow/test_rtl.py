"""``hwgen rtl`` on small projects written by hand: ports, timing, errors, what other tools say."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import InputError, ToolError
from hwgen.flow import tools
from hwgen.flow.rtl import RtlPort, compile_cpp_to_xls_ir, generate_rtl
from hwgen.flow.tools import run_tool, verilator_environment
from hwgen.flow.verilated import load_rtl

FUNCTION = """\
#include <ap_int.h>
static const short table[5] = {-3, 100, 7, -32768, 12};
void unit(ap_uint<8> a, ap_uint<5> rand, ap_uint<16>& y) {
  ap_int<20> sum = table[a.to_uint() % 5] * ap_int<6>(rand);
  for (int i = 0; i < 4; ++i) {
    if (a[i]) sum += rand << i;
  }
  y = sum >> 2;
}
"""

STREAM = """\
#include <ap_int.h>
#include <hls_stream.h>
void unit(hls::stream<ap_uint<8>>& a, hls::stream<ap_uint<5>>& rand, hls::stream<ap_uint<16>>& y) {
  static ap_uint<16> total = 9;
  total += a.read() * rand.read();
  y.write(total);
}
"""


def make_project(folder: Path, source: str, *, interface: str = "function", target: object = None) -> Path:
    project = folder / "unit"
    (project / "src").mkdir(parents=True)
    (project / "src" / "unit.cpp").write_text(source)
    manifest = {
        "kind": "mac",
        "name": "unit",
        "interface": interface,
        "spec_sha256": "0123abcd",
        "inputs": [{"name": "a", "width": 8}, {"name": "rand", "width": 5}],
        "output": {"name": "y", "width": 16},
        "lfsr": None,
        "target": target,
    }
    (project / "manifest.json").write_text(json.dumps(manifest))
    return project


def model(a: int, rand: int) -> int:
    total = (-3, 100, 7, -32768, 12)[a % 5] * (rand - 32 if rand > 31 else rand)
    total = (total + (1 << 19)) % (1 << 20) - (1 << 19)
    for i in range(4):
        if a >> i & 1:
            total = (total + (rand << i) % 32 + (1 << 19)) % (1 << 20) - (1 << 19)
    return total >> 2 & 0xFFFF


@pytest.fixture
def function_project(tmp_path: Path) -> Path:
    return make_project(tmp_path, FUNCTION)


@pytest.fixture
def stream_project(tmp_path: Path) -> Path:
    return make_project(tmp_path, STREAM, interface="stream")


def test_a_function_is_combinational_unless_asked_and_keeps_its_port_names(function_project: Path) -> None:
    result = generate_rtl(function_project)
    assert (result.stages, result.latency, result.clock_ps, result.delay_model) == (0, 0, None, None)
    assert result.ports == (
        RtlPort(name="a", direction="input", width=8),
        RtlPort(name="rand", direction="input", width=5),
        RtlPort(name="y", direction="output", width=16),
    )
    assert result.path == function_project / "rtl" / "unit.sv"
    assert "clk" not in result.path.read_text()


def test_a_pipeline_has_a_clock_and_as_many_cycles_of_latency_as_stages(function_project: Path) -> None:
    result = generate_rtl(function_project, stages=3)
    assert (result.stages, result.latency, result.reset) == (3, 3, None)
    assert [port.name for port in result.ports] == ["ap_clk", "a", "rand", "y"]


def test_a_stream_has_the_ports_that_vitis_gives_it(stream_project: Path) -> None:
    result = generate_rtl(stream_project)
    assert (result.stages, result.reset) == (1, "ap_rst_n")
    assert {(port.name, port.direction, port.width) for port in result.ports} == {
        ("ap_clk", "input", 1),
        ("ap_rst_n", "input", 1),
        *((f"{p}_TDATA", "input", w) for p, w in (("a", 8), ("rand", 5))),
        *((f"{p}_TVALID", "input", 1) for p in ("a", "rand")),
        *((f"{p}_TREADY", "output", 1) for p in ("a", "rand")),
        ("y_TDATA", "output", 16),
        ("y_TVALID", "output", 1),
        ("y_TREADY", "input", 1),
    }


def test_the_rtl_computes_the_function_with_the_latency_that_the_record_states(
    function_project: Path,
) -> None:
    a, rand = (column.ravel() for column in np.meshgrid(np.arange(256), np.arange(32)))
    expected = [model(int(x), int(r)) for x, r in zip(a, rand, strict=True)]
    for stages in (0, 3):
        generate_rtl(function_project, stages=stages)
        assert load_rtl(function_project)(a, rand).tolist() == expected, stages


def test_a_stream_takes_new_operands_in_every_cycle(stream_project: Path) -> None:
    rng = np.random.default_rng(1)
    a, rand = rng.integers(0, 256, 3000), rng.integers(0, 32, 3000)
    expected = ((9 + np.cumsum(a * rand)) % 65536).tolist()
    for stages in (1, 4):
        generate_rtl(stream_project, stages=stages)
        operator = load_rtl(stream_project)
        flowing = operator.run(a, rand)
        assert flowing.result.tolist() == expected
        assert flowing.cycles == 3000 + stages
        assert operator.run(a, rand, stall=0.4, seed=5).result.tolist() == expected


def test_a_clock_period_gives_the_fewest_stages_that_meet_it(function_project: Path) -> None:
    slow = generate_rtl(function_project, clock_ps=20000, delay_model="sky130")
    fast = generate_rtl(function_project, clock_ps=2500, delay_model="sky130")
    assert (slow.stages, slow.delay_model) == (1, "sky130")
    assert fast.stages > 1
    with pytest.raises(InputError, match=f"cannot run at 2500 ps with {fast.stages - 1} stages"):
        generate_rtl(function_project, clock_ps=2500, stages=fast.stages - 1, delay_model="sky130")


def test_the_clock_of_the_spec_counts_unless_the_caller_asks_for_something_else(tmp_path: Path) -> None:
    project = make_project(
        tmp_path, FUNCTION, target={"clock_ps": 1000, "delay_model": "asap7", "part": None}
    )
    result = generate_rtl(project)
    assert (result.clock_ps, result.delay_model) == (1000, "asap7")
    assert result.stages >= 1
    assert generate_rtl(project, stages=0).clock_ps is None
    assert generate_rtl(project, clock_ps=90000, delay_model="sky130").delay_model == "sky130"


def test_a_clock_that_cannot_be_met_is_refused_with_one_that_can(
    function_project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(
        InputError, match=r"unit cannot run at 1 ps by the sky130 delay model: .*shortest"
    ) as caught:
        generate_rtl(function_project, clock_ps=1)
    assert capfd.readouterr().err == ""  # XLS logs, but the user sees one message
    shortest = int(caught.value.message.split()[-2])
    assert generate_rtl(function_project, clock_ps=shortest).clock_ps == shortest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clock_ps": 0}, "0 ps is not possible"),
        ({"stages": -1}, "-1 pipeline stages are not possible; legal: 0 to 1000"),
        ({"stages": 0, "clock_ps": 1000}, "combinational logic"),
        ({"delay_model": "sky"}, "did you mean 'sky130'"),
    ],
)
def test_illegal_options_are_refused(function_project: Path, options: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        generate_rtl(function_project, **options)
    assert not (function_project / "rtl").exists()


def test_a_stream_cannot_be_combinational(stream_project: Path) -> None:
    with pytest.raises(InputError, match="at least 1 stage"):
        generate_rtl(stream_project, stages=0)


def test_the_same_project_gives_the_same_bytes_wherever_it_lies(tmp_path: Path) -> None:
    folders = [make_project(tmp_path / name, FUNCTION) for name in ("here", "a much longer name")]
    files = []
    for folder in folders:
        generate_rtl(folder, stages=2)
        files.append({path.name: path.read_bytes() for path in (folder / "rtl").iterdir()})
    assert files[0] == files[1]
    assert sorted(files[0]) == ["unit.ir", "unit.json", "unit.sv"]


def test_the_header_states_origin_timing_and_tools(function_project: Path) -> None:
    head = generate_rtl(function_project, stages=2).path.read_text().split("module")[0]
    for part in (
        "src/unit.cpp",
        "sha256 0123abcd",
        "2 stages",
        "latency 2 cycles",
        "ziglang 0.17",
        "xls-python 0.1",
    ):
        assert part in head, part


def test_the_record_says_what_a_bench_must_know(stream_project: Path) -> None:
    result = generate_rtl(stream_project, stages=2)
    record = json.loads((stream_project / "rtl" / "unit.json").read_text())
    assert record == json.loads(json.dumps(result.to_json()))
    assert {"module", "stages", "latency", "clock_ps", "delay_model", "ports", "reset"} <= set(record)
    assert result.lines() == [f"{result.path}: module unit, 2 stages, latency 2"]


def test_the_ir_is_the_one_that_proofs_are_about(function_project: Path) -> None:
    generate_rtl(function_project)
    assert compile_cpp_to_xls_ir(function_project) == (function_project / "rtl" / "unit.ir").read_text()


def test_an_error_in_the_design_names_its_file_in_the_project_and_keeps_the_old_rtl(tmp_path: Path) -> None:
    project = make_project(tmp_path, FUNCTION)
    before = generate_rtl(project).path.read_bytes()
    endless = FUNCTION.replace("for (int i = 0; i < 4; ++i) {", "for (int i = 0; sum % 9 != 4;) {")
    (project / "src" / "unit.cpp").write_text(endless)
    with pytest.raises(InputError, match=r"^src/unit.cpp:5: the loop in 'unit' does not unroll"):
        generate_rtl(project)
    assert (project / "rtl" / "unit.sv").read_bytes() == before


def test_cpp_that_does_not_compile_shows_what_the_compiler_said(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"unit.cpp:1:.*error"):
        generate_rtl(make_project(tmp_path, "void unit(nonsense);\n"))


def test_a_project_without_its_source_is_refused(function_project: Path) -> None:
    (function_project / "src" / "unit.cpp").unlink()
    with pytest.raises(InputError, match=r"no src/unit\.cpp"):
        generate_rtl(function_project)


def test_a_missing_package_is_one_sentence(function_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = tools.importlib.util.find_spec
    for name in ("llvmlite", "xls", "ziglang"):
        monkeypatch.setattr(
            tools.importlib.util, "find_spec", lambda n, name=name: None if n == name else find(n)
        )
        with pytest.raises(
            ToolError, match=f"needs the Python package '{name}'; install it with: pip install"
        ):
            generate_rtl(function_project)


def test_generation_takes_less_than_five_seconds_of_processor_time(function_project: Path) -> None:
    start = time.process_time()
    generate_rtl(function_project, clock_ps=2500)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("stages", [0, 3])
def test_verilator_has_nothing_to_warn_of(function_project: Path, stages: int) -> None:
    generate_rtl(function_project, stages=stages)
    lint = ["verilator", "--lint-only", "-Wall", function_project / "rtl" / "unit.sv"]
    run_tool(lint, what="lint", env=verilator_environment())


def test_verilator_has_nothing_to_warn_of_in_a_stream(stream_project: Path) -> None:
    generate_rtl(stream_project, stages=2)
    lint = ["verilator", "--lint-only", "-Wall", stream_project / "rtl" / "unit.sv"]
    run_tool(lint, what="lint", env=verilator_environment())


_YOSYS = """
import sys
from pyosys import libyosys as ys
design = ys.Design()
ys.run_pass("read_verilog -sv " + sys.argv[1], design)
ys.run_pass("hierarchy -check -top unit; proc; flatten; opt; memory; opt -full; check -assert", design)
if sys.argv[2] == "evaluate":
    ys.run_pass("cd unit", design)
    for pair in sys.argv[3:]:
        a, rand = pair.split(",")
        ys.run_pass(f"eval -set a {a} -set \\\\rand {rand} -show y", design)
"""


def yosys(path: Path, *arguments: str) -> str:
    command = [sys.executable, "-c", _YOSYS, str(path), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_yosys_reads_the_rtl_and_computes_the_same(function_project: Path) -> None:
    path = generate_rtl(function_project).path
    pairs = [(0, 0), (1, 3), (3, 31), (255, 17), (128, 30), (77, 9)]
    printed = yosys(path, "evaluate", *(f"{a},{rand}" for a, rand in pairs))
    results = [
        line.split("'")[1].rstrip(".") for line in printed.splitlines() if line.startswith("Eval result")
    ]
    assert [int(bits, 2) for bits in results] == [model(a, rand) for a, rand in pairs]


def test_yosys_reads_pipelines_and_streams(function_project: Path, tmp_path: Path) -> None:
    yosys(generate_rtl(function_project, stages=2).path, "read")
    stream = make_project(tmp_path / "stream", STREAM, interface="stream")
    yosys(generate_rtl(stream, stages=2).path, "read")


def test_read_only_folders_are_refused_without_a_traceback(function_project: Path) -> None:
    (function_project / "rtl").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"cannot write unit\.sv"):
        generate_rtl(function_project)
