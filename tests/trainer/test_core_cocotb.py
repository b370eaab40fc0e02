"""The cocotb regression of an emitted core: it passes on the RTL, and fails on what it must not let pass."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from test_core_rtl import SMALL

from hwgen.emit import emit_files
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.simulate import simulate
from hwgen.trainer import Code, Status, TrainerSpec, load_spec
from hwgen.trainer.malformed import malformed
from hwgen.trainer.programs import Program
from hwgen.trainer.project import render_core
from hwgen.trainer.regression import program_of, scenarios

CLANG_FORMAT = Path(sys.executable).with_name("clang-format")
STAND_IN = """
module little(
  input wire ap_clk, input wire ap_rst_n,
  input wire [255:0] cmd_TDATA, input wire cmd_TVALID, output wire cmd_TREADY,
  input wire [127:0] din_TDATA, input wire din_TVALID, input wire din_TLAST, output wire din_TREADY,
  output reg [127:0] dout_TDATA, output reg dout_TVALID, output reg dout_TLAST, input wire dout_TREADY,
  output reg [127:0] status_TDATA, output reg status_TVALID, input wire status_TREADY
);
  // Answers commands 0 by their number; 1: twice; 2: never; 3: by another number. Passes beats on, but TLAST
  // not with a beat of 1.
  reg [15:0] number;
  reg again;
  assign cmd_TREADY = ~status_TVALID & ~again;
  assign din_TREADY = ~dout_TVALID;
  always @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      number <= 0; again <= 0; status_TVALID <= 0; dout_TVALID <= 0;
    end else begin
      if (status_TVALID & status_TREADY) begin status_TVALID <= again; again <= 0; end
      if (cmd_TVALID & cmd_TREADY) begin
        number <= number + 1;
        status_TDATA <= number ^ (cmd_TDATA[7:0] == 3 ? 16'h100 : 16'h0);
        status_TVALID <= cmd_TDATA[7:0] != 2;
        again <= cmd_TDATA[7:0] == 1;
      end
      if (dout_TVALID & dout_TREADY) dout_TVALID <= 0;
      if (din_TVALID & din_TREADY) begin
        dout_TDATA <= din_TDATA; dout_TLAST <= din_TLAST & din_TDATA != 1; dout_TVALID <= 1;
      end
    end
  end
endmodule
"""


@pytest.fixture(scope="module")
def spec() -> TrainerSpec:
    return load_spec(SMALL)


@pytest.fixture(scope="module")
def project(spec: TrainerSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = emit_files(render_core(spec), tmp_path_factory.mktemp("core") / "little")
    generate_rtl(folder)
    return folder


@pytest.fixture(scope="module")
def stand_in(spec: TrainerSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = emit_files(render_core(spec), tmp_path_factory.mktemp("stand_in") / "little")
    (folder / "rtl/little.sv").write_text(STAND_IN)
    return folder


def written(path: Path, *found: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"scenarios": found}))
    return path


def scenario(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"name": "made by hand", "steps": steps}


def test_every_scenario_passes_on_the_rtl_while_all_streams_pause(project: Path) -> None:
    run = simulate(project, stall=0.25, seed=3)
    assert run.passed, run.error
    data = json.loads((project / "tb/regression.json").read_text())
    steps = [step for found in data["scenarios"] for step in found["steps"]]
    due = [beat for step in steps for frame in step.get("frames", ()) for beat in frame]
    due += [beat for step in steps if step.get("expect") == "status" for beat in step["beats"]]
    assert run.vectors == run.checked == len(due)
    assert run.withheld > 1000
    assert run.refused > 1000


def test_a_wrong_expectation_fails_with_the_name_of_its_scenario(project: Path, tmp_path: Path) -> None:
    data = json.loads((project / "tb/regression.json").read_text())
    found = next(item for item in data["scenarios"] if item["name"] == "random update 1")
    frame = found["steps"][-1]["frames"][1]
    frame[0] = f"{int(frame[0], 16) ^ 1 << 77:032x}"
    run = simulate(project, vectors=written(tmp_path / "wrong.json", found))
    assert not run.passed
    assert run.mismatches == 1
    assert run.error.startswith("random update 1: frame 1 of dout: 1 of ")


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ([], "made by hand: a scenario that checks nothing has failed"),
        ([("send", "cmd", "0"), ("send", "cmd", "3"), ("expect", "status", "0", "1")], "1 of 2 beats differ"),
        ([("send", "cmd", "1"), ("expect", "status", "0")], "status: more came than is due"),
        (
            [("send", "cmd", "0", "2"), ("expect", "status", "0", "1")],
            "status: 1 of 2 beats came, and no more",
        ),
        ([("send", "din", "2", "1"), ("expect", "status")], "a frame has not ended"),
        ([("send", "din", "2", "3"), ("frames", "dout", "2")], "dout: 2 beats came, 1 are due"),
    ],
    ids=["nothing", "number", "twice", "never", "no end", "too long"],
)
def test_a_core_that_answers_wrongly_fails(
    stand_in: Path, tmp_path: Path, steps: list[tuple[str, ...]], error: str
) -> None:
    made = [
        {"expect": name, "frames": [beats]} if what == "frames" else {what: name, "beats": beats}
        for what, name, *beats in steps
    ]
    good = [{"send": "cmd", "beats": ["0"]}, {"expect": "status", "beats": ["0"]}]
    made = [*good, {"reset": 2}, *made] if made else []
    run = simulate(stand_in, vectors=written(tmp_path / "made.json", scenario(*made)), stall=0)
    assert not run.passed
    assert error in run.error


def test_a_stream_stops_after_exactly_the_beats_that_it_should(stand_in: Path, tmp_path: Path) -> None:
    steps = [
        {"send": "din", "beats": ["5"]},
        {"send": "din", "beats": ["6", "7", "8"], "stop": 3},
        {"expect": "dout", "frames": [["5"]]},
        {"cycles": 50},
        # Two beats of the second frame have moved: a reset drops these and the last, and its sender too.
        {"reset": 2},
        {"resume": "din"},
        {"send": "din", "beats": ["9"]},
        {"expect": "dout", "frames": [["9"]]},
    ]
    run = simulate(stand_in, vectors=written(tmp_path / "made.json", scenario(*steps)))
    assert run.passed, run.error


def test_the_scenarios_meet_every_status_code_and_the_program_all_that_need_no_clock(
    spec: TrainerSpec,
) -> None:
    steps = [step for _, steps in scenarios(spec) for step in steps]
    beats = [beat for step in steps if step.get("expect") == "status" for beat in step["beats"]]
    assert {Status.decode(int(beat, 16)).code for beat in beats} == set(Code)
    assert {Code(status.code) for status in program_of(spec).statuses} >= set(Code) - {
        Code.STOPPED,
        Code.NOT_FINITE,
    }


@pytest.mark.parametrize(
    "changes", [{}, {"array": {"rows": 16, "cols": 8, "digit": 4}}, {"wordlengths": [2, 4]}]
)
def test_cores_of_all_sizes_refuse_every_malformed_command_and_only_those(changes: dict[str, Any]) -> None:
    spec = load_spec({**SMALL, "accumulator": None, **changes})
    bad = malformed(spec)
    assert all(Code(status.code).refused for status in Program.of(spec, bad, []).statuses)
    refused = sum(Code(status.code).refused for status in program_of(spec).statuses)
    assert refused % len(bad) == 0
    assert refused


def test_the_cpp_testbench_passes_without_a_warning_and_fails_on_a_wrong_beat(project: Path) -> None:
    command = [
        "make",
        "--no-print-directory",  # make test sets the flag for all that it calls
        "csim",
        f"PYTHON={sys.executable}",
        "CXXFLAGS=-Wall -Wextra -pedantic -Werror -fno-sanitize=all",
    ]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(" 0 mismatches\n")
    program = project / "tb/program.txt"
    lines = program.read_text().splitlines()
    place = next(index for index, line in enumerate(lines) if line.startswith("dout"))
    wrong = [*lines[:place], f"{lines[place][:-1]}{int(lines[place][-1], 16) ^ 1:x}", *lines[place + 1 :]]

    def run(lines: list[str]) -> tuple[int, str]:
        path = project / "build/other.txt"
        path.write_text("\n".join(lines) + "\n")
        done = subprocess.run([project / "build/csim", path], capture_output=True, text=True)
        return done.returncode, done.stderr

    assert run(wrong)[0] == 1
    assert run(wrong)[1].startswith("beat 0 of dout: got ")
    assert run(["# nothing"]) == (2, f"{project}/build/other.txt: no statuses, so nothing was checked\n")
    assert run(["din 2 5"]) == (2, f"{project}/build/other.txt:1: not a beat: din 2 5\n")


def test_emitted_cpp_is_formatted_and_the_same_every_time(project: Path, spec: TrainerSpec) -> None:
    files = render_core(spec)
    assert files == render_core(spec)
    style = Path(__file__).parents[2] / ".clang-format"
    for path in files:
        if path.startswith(("src/little", "src/trainer", "tb/")) and path.endswith("pp"):
            command = [CLANG_FORMAT, f"--style=file:{style}", "--dry-run", "-Werror", project / path]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
