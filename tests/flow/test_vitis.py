"""hwgen vitis: with stand-ins for AMD's programs on PATH that note how they were called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hwgen.emit import emit
from hwgen.errors import CheckError, InputError, ToolError
from hwgen.flow.vitis import run
from hwgen.operators import load

SPEC = {"kind": "mul", "name": "mul_small", "formats": {"a": "e2m1", "b": "e2m1", "y": "e4m3"}}

REPORT = """<profile>
  <PerformanceEstimates>
    <SummaryOfTimingAnalysis><EstimatedClockPeriod>2.125</EstimatedClockPeriod></SummaryOfTimingAnalysis>
    <SummaryOfOverallLatency>
      <Worst-caseLatency>undef</Worst-caseLatency><Interval-max>1</Interval-max>
    </SummaryOfOverallLatency>
  </PerformanceEstimates>
  <AreaEstimates><Resources>
    <BRAM_18K>0</BRAM_18K><DSP>0</DSP><FF>12</FF><LUT>34</LUT><URAM>0</URAM>
  </Resources></AreaEstimates>
</profile>
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return emit(load(SPEC), tmp_path / "project")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an otherwise empty folder that is all of PATH but the shell's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def install(folder: Path, name: str, script: str = "") -> None:
    """Put a program into `folder` that notes its folder and arguments, then runs `script`."""
    program = folder / name
    log = folder / "log"
    program.write_text(f'#!/bin/sh\necho "$PWD: {name} $*" >> {log}\n{script}\n')
    program.chmod(0o755)


def calls(folder: Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


def test_the_unified_flow_simulates_synthesises_cosimulates_and_exports(
    project: Path, programs: Path
) -> None:
    report = (
        f"mkdir -p build/vitis/hls/syn/report && cat > build/vitis/hls/syn/report/csynth.xml <<'X'\n{REPORT}X"
    )
    install(programs, "v++", report)
    install(programs, "vitis-run")
    result = run(project)
    tail = "--config vitis/hls_config.cfg --work_dir build/vitis"
    assert calls(programs) == [
        f"{project}: vitis-run --mode hls --csim {tail}",
        f"{project}: v++ -c --mode hls {tail}",
        f"{project}: vitis-run --mode hls --cosim {tail}",
        f"{project}: vitis-run --mode hls --package {tail}",
    ]
    assert (project / "vitis" / "hls_config.cfg").is_file()
    assert result.estimates == {"lut": 34, "ff": 12, "dsp": 0, "bram": 0, "clock_ns": 2.125, "interval": 1}
    assert json.loads(json.dumps(result.to_json()))["commands"] == list(result.commands)
    assert "lut 34" in result.lines()[-1]


def test_an_older_release_runs_the_tcl_script(project: Path, programs: Path) -> None:
    install(programs, "vitis_hls")
    result = run(project)
    assert calls(programs) == [f"{project}: vitis_hls -f vitis/run_hls.tcl"]
    assert (project / "vitis" / "run_hls.tcl").is_file()
    assert result.estimates == {}


def test_without_vitis_the_message_names_the_commands_and_the_folder(project: Path, programs: Path) -> None:
    with pytest.raises(ToolError) as error:
        run(project)
    message = str(error.value)
    assert str(project) in message
    assert "v++ -c --mode hls --config vitis/hls_config.cfg --work_dir build/vitis" in message
    assert "vitis_hls -f vitis/run_hls.tcl" in message


def test_a_failed_simulation_is_a_failed_check(project: Path, programs: Path) -> None:
    install(programs, "v++")
    install(programs, "vitis-run", "echo '3 of 256 vectors differ' >&2; exit 1")
    with pytest.raises(CheckError, match="3 of 256 vectors differ"):
        run(project)
    assert len(calls(programs)) == 1


def test_a_failed_synthesis_is_a_tool_error_with_what_the_tool_said(project: Path, programs: Path) -> None:
    install(programs, "v++", "echo 'no licence for part' >&2; exit 3")
    install(programs, "vitis-run")
    with pytest.raises(ToolError, match="no licence for part"):
        run(project)


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"manifest\.json"):
        run(tmp_path)
