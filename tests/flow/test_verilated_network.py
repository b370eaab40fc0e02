"""Networks of kernels as RTL: what comes out, whoever pauses, and who is caught breaking the rules."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from memory_network import frames, write_network

from hwgen.errors import CheckError, InputError
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated_network import NetworkSimulation, load_network


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_network(tmp_path_factory.mktemp("network") / "memo")
    generate_rtl(folder)
    return folder


@pytest.fixture
def simulation(project: Path) -> NetworkSimulation:
    return load_network(project)


def _differences(simulation: NetworkSimulation, *, seed: int = 1, count: int = 60) -> list[str]:
    """Run frames through the memory and say what is wrong with what came out."""
    commands, words, last, expected = frames(np.random.default_rng(seed), count)
    simulation.push("cmd", commands)
    simulation.push("din", words, last)
    simulation.run(200_000, until={"status": len(commands), "dout": len(words)})
    (data, ends), (statuses, _) = simulation.pop("dout"), simulation.pop("status")
    wrong = []
    if not np.array_equal(data[:, 0], expected):
        wrong.append("words")
    if not np.array_equal(ends, last):
        wrong.append("TLAST")
    if not np.array_equal(statuses[:, 0] & 0xFFF, np.arange(len(commands))):
        wrong.append("statuses")
    return wrong


@pytest.mark.parametrize("pause", [0.0, 0.3, 0.7])
def test_frames_come_out_as_they_went_in_whoever_pauses(simulation: NetworkSimulation, pause: float) -> None:
    simulation.pause(pause, seed=5)
    assert _differences(simulation) == []


def test_a_reset_forgets_words_and_cycles_but_not_what_memories_hold(simulation: NetworkSimulation) -> None:
    simulation.push("cmd", [1 | 7 << 8 | 2 << 16])
    simulation.push("din", [3, 1 << 63])
    simulation.run(100, until={"status": 1})
    simulation.push("cmd", [2 | 7 << 8 | 9 << 16])
    simulation.run(10)
    simulation.reset()
    assert simulation.cycles == 0
    assert [simulation.waiting(name) for name in ("cmd", "din", "dout", "status")] == [0, 0, 0, 0]
    simulation.push("cmd", [2 | 6 << 8 | 4 << 16])
    ran = simulation.run(100, until={"status": 1})
    assert simulation.cycles == ran
    assert simulation.pop("dout")[0][:, 0].tolist() == [0, 3, 1 << 63, 0]


def test_pauses_depend_on_their_seed_and_the_ports_that_pause(simulation: NetworkSimulation) -> None:
    cycles = []
    for seed, ports in ((1, None), (1, None), (2, None), (1, ["dout"])):
        simulation.reset()
        simulation.pause(0.0)
        simulation.pause(0.5, seed=seed, ports=ports)
        assert _differences(simulation, count=10) == []
        cycles.append(simulation.cycles)
    assert cycles[0] == cycles[1]
    assert len(set(cycles)) == 3


def test_a_run_that_does_not_get_there_says_what_is_in_the_queues(simulation: NetworkSimulation) -> None:
    simulation.push("cmd", [1 | 5 << 16])
    simulation.push("din", [1, 2], last=False)
    with pytest.raises(CheckError, match=r"not done after 50 cycles .*cmd 0, din 0, dout 0, status 0"):
        simulation.run(50, until={"status": 1})


def test_wrong_words_and_ports_are_refused(simulation: NetworkSimulation) -> None:
    with pytest.raises(InputError, match=r"legal: 0 to 2\^32 - 1"):
        simulation.push("cmd", [1 << 32])
    with pytest.raises(InputError, match="does not fit 32 bits"):
        simulation.push("cmd", np.array([1 << 32]))
    with pytest.raises(InputError, match="'cmd' has no TLAST"):
        simulation.push("cmd", [1], last=[True])
    with pytest.raises(InputError, match="is an output"):
        simulation.push("dout", [1])
    with pytest.raises(InputError, match="legal: cmd, din, dout, status"):
        simulation.waiting("dat")
    with pytest.raises(ValueError, match="probability"):
        simulation.pause(1.0)


def test_the_record_has_the_ports_and_the_stages_of_every_kernel(project: Path) -> None:
    record = json.loads((project / "rtl" / "memo.json").read_text())
    assert {kernel["name"]: kernel["stages"] for kernel in record["kernels"]} == {
        "decode": 2,
        "fetch": 1,
        "memory": 4,
        "drain": 1,
    }
    assert record["kernels"][2]["memories"] == [{"name": "bank", "depth": 256, "width": 64}]
    assert {"name": "dout_TLAST", "direction": "output", "width": 1} in record["ports"]


def test_a_queue_that_takes_more_than_it_holds_is_found(project: Path, tmp_path: Path) -> None:
    folder = write_network(tmp_path / "memo")
    (folder / "rtl").mkdir()
    right, wrong = "FULL = COUNT'(DEPTH)", "FULL = COUNT'(DEPTH + 1)"
    verilog = (project / "rtl" / "memo.sv").read_text()
    assert right in verilog
    (folder / "rtl" / "memo.sv").write_text(verilog.replace(right, wrong))
    simulation = load_network(folder)
    simulation.pause(0.5, seed=1)
    try:
        found = _differences(simulation) != []
    except CheckError:
        found = True
    assert found
