"""What a network's manifest may say, and what a change of its C++ costs."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from memory_network import NETWORK, SOURCE, write_network

from hwgen.errors import InputError
from hwgen.flow import kernel_rtl
from hwgen.flow.network import Network
from hwgen.flow.project import Project
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.tools import run_tool, verilator_environment
from hwgen.flow.verilated_network import load_network

Change = Callable[[dict[str, Any]], object]

# What is changed in the network, and what the message must say.
REFUSALS: dict[str, tuple[Change, str]] = {
    "no kernels": (lambda n: n["kernels"].clear(), "at least one kernel"),
    "no streams": (lambda n: n.pop("streams"), "it lacks 'streams'"),
    "an unknown link": (
        lambda n: n["kernels"][3]["inputs"][0].update({"from": "dat"}),
        "unknown stream or channel of kernel 'drain' 'dat': did you mean 'data'",
    ),
    "two writers": (
        lambda n: n["kernels"][0]["outputs"][1].update({"to": "load"}),
        "channel 'load' is written by 'decode' and 'decode'; it needs one kernel",
    ),
    "no reader": (
        lambda n: n["channels"].append({"name": "spare", "width": 4, "depth": 2}),
        "channel 'spare' is written by no kernel",
    ),
    "an input that is written": (
        lambda n: n["kernels"][3]["outputs"][0].update({"to": "cmd"}),
        "input stream 'cmd' is written by kernel 'drain'",
    ),
    "an output that is read": (
        lambda n: n["kernels"][3]["inputs"][0].update({"from": "status"}),
        "output stream 'status' is read by kernel 'drain'",
    ),
    "a width that does not fit": (
        lambda n: n["kernels"][3]["inputs"][0].update({"width": 64}),
        "port 'data' of kernel 'drain' carries 64 bits, but 'data' carries 65",
    ),
    "a width of nothing": (lambda n: n["streams"][0].update(width=0), "'cmd' is 0 bits wide; legal: 1 to"),
    "a queue of nothing": (
        lambda n: n["channels"][3].update(depth=0),
        "channel 'data' has depth 0; legal: 1 to",
    ),
    "a direction": (
        lambda n: n["streams"][0].update(direction="inout"),
        "unknown direction of stream 'cmd' 'inout'.*legal: input, output",
    ),
    "a name twice": (
        lambda n: n["channels"][3].update(name="cmd"),
        "'cmd' names more than one stream or channel",
    ),
    "no identifier": (
        lambda n: n["channels"][3].update(name="a__b"),
        "'a__b' cannot name a stream or channel",
    ),
    "a module's name": (lambda n: n["kernels"][3].update(name="ram"), "'ram' cannot name a kernel"),
    "no stages": (
        lambda n: n["kernels"][3].update(stages=0),
        "kernel 'drain' has 0 stages; legal: at least 1",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_network_that_cannot_be_is_refused(case: str, tmp_path: Path) -> None:
    change, message = REFUSALS[case]
    network = copy.deepcopy(NETWORK)
    change(network)
    with pytest.raises(InputError, match=message) as caught:
        Network.read(write_network(tmp_path / "memo", network=network))
    assert str(caught.value).startswith(str(tmp_path / "memo" / "manifest.json"))


def test_a_kernel_that_polls_needs_two_stages_and_one_with_a_memory_two_more(tmp_path: Path) -> None:
    network = copy.deepcopy(NETWORK)
    network["kernels"][2]["stages"] = 3
    with pytest.raises(InputError, match="kernel 'memory' needs at least 4 stages, not 3"):
        generate_rtl(write_network(tmp_path / "memo", network=network))


def test_the_command_names_the_line_that_has_no_hardware_form(tmp_path: Path) -> None:
    endless = "for (int n = left; n != 1; ++at) n = n & 1 ? 3 * n + 1 : n >> 1;"
    source = SOURCE.replace("    ++at;\n    --left;", f"    {endless}\n    --left;")
    folder = write_network(tmp_path / "memo", source=source)
    line = next(n for n, text in enumerate(source.splitlines(), 1) if endless in text)
    command = [sys.executable, "-m", "hwgen.cli", "rtl", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"src/memo.cpp:{line}: the loop in 'fetch' does not unroll" in done.stderr


def test_a_change_in_one_kernel_schedules_that_kernel_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduled: list[str] = []

    def run(command: list[Any], *, what: str) -> str:
        scheduled.append(what.removeprefix("scheduling memo_"))
        return run_tool(command, what=what)

    monkeypatch.setattr(kernel_rtl, "run_tool", run)
    monkeypatch.setenv("HWGEN_CACHE_DIR", str(tmp_path / "cache"))
    folder = write_network(tmp_path / "memo")
    first = generate_rtl(folder).path.read_bytes()
    assert sorted(scheduled) == ["decode", "drain", "fetch", "memory"]
    scheduled.clear()
    assert generate_rtl(folder).path.read_bytes() == first
    assert scheduled == []
    (folder / "src" / "memo.cpp").write_text(
        "// Moves every line.\n" + SOURCE.replace("s = 0;", "s = 1 << 15;")
    )
    assert generate_rtl(folder).path.read_bytes() != first
    assert scheduled == ["decode"]


def test_verilators_lint_and_yosys_accept_the_network_and_its_memory_is_block_ram(tmp_path: Path) -> None:
    folder = write_network(tmp_path / "memo")
    verilog = generate_rtl(folder).path
    lint = ["--lint-only", "-Wall", "-Wno-UNUSEDSIGNAL", "-Wno-DECLFILENAME", "--top-module", "memo", verilog]
    run_tool(["verilator", *lint], what="lint", env=verilator_environment())
    passes = [
        f"read_verilog -sv {verilog}",
        "hierarchy -check -top memo",
        "design -reset",
        f"read_verilog -sv {verilog}",
        "chparam -set WIDTH 352 -set DEPTH 1000 memo_ram",
        "synth_xilinx -noiopad -top memo_ram -run begin:map_ffram",
        f"tee -o {tmp_path}/stat stat -json",
    ]
    code = f"import pyosys.libyosys as y; d = y.Design(); [y.run_pass(c, d) for c in {passes!r}]"
    run_tool([sys.executable, "-c", code], what="Yosys")
    cells = json.loads((tmp_path / "stat").read_text())["design"]["num_cells_by_type"]
    # 1000 rows of 352 bits are 2 by 5 block RAMs of 512 rows of 72; the register is the valid bit.
    assert cells.pop("RAMB36E1") == 10
    assert {cell: count for cell, count in cells.items() if "ff" in cell or "mem" in cell} == {"$sdffe": 1}


def test_a_network_without_rtl_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run hwgen rtl first"):
        load_network(write_network(tmp_path / "memo"))


def test_commands_for_units_say_that_a_network_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a network of kernels, which only hwgen rtl takes"):
        Project.read(write_network(tmp_path / "memo"))
