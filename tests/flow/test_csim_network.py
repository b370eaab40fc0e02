"""The C++ of networks, run natively: the same words as the RTL gives, and the same face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from memory_network import NAME, frames, write_network

from hwgen.errors import CheckError, InputError, ToolError
from hwgen.flow.csim_network import NetworkCsim, load_network_csim


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> NetworkCsim:
    return load_network_csim(write_network(tmp_path_factory.mktemp("csim") / NAME))


def test_frames_come_out_as_they_went_in(simulation: NetworkCsim) -> None:
    simulation.reset()
    commands, words, last, expected = frames(np.random.default_rng(1), 60)
    simulation.push("cmd", commands)
    simulation.push("din", words, last)
    calls = simulation.run(100_000, until={"status": len(commands), "dout": len(words)})
    data, ends = simulation.pop("dout")
    assert np.array_equal(data[:, 0], expected)
    assert np.array_equal(ends, last)
    assert (simulation.pop("status")[0][:, 0] & 0xFFF).tolist() == list(range(len(commands)))
    assert calls == simulation.cycles >= len(words)


def test_a_reset_starts_from_the_beginning_memories_included(simulation: NetworkCsim) -> None:
    for wanted in ([5, 6], [0, 0]):
        if wanted[0]:
            simulation.push("cmd", [1 | 2 << 16])
            simulation.push("din", wanted)
        simulation.push("cmd", [2 | 2 << 16])
        simulation.run(1000, until={"dout": 2})
        assert simulation.pop("dout")[0][:, 0].tolist() == wanted
        simulation.reset()
        assert [simulation.waiting(name) for name in ("cmd", "din", "dout", "status")] == [0] * 4


def test_a_network_that_waits_comes_back_and_says_what_is_in_its_queues(simulation: NetworkCsim) -> None:
    simulation.reset()
    simulation.push("cmd", [1 | 2 << 16] * 3)
    assert simulation.run(1_000_000_000) < 1000
    assert simulation.waiting("cmd") == 2
    with pytest.raises(CheckError, match=r"csim of memo: not done .*cmd 2, din 0, dout 0, status 0"):
        simulation.run(1_000_000_000, until={"status": 1})


def test_a_project_without_its_cpp_or_with_wrong_cpp_is_refused(tmp_path: Path) -> None:
    folder = write_network(tmp_path / "broken", source="void memo(unheard_of x) {}\n")
    with pytest.raises(ToolError, match="unheard_of"):
        load_network_csim(folder)
    (folder / "src" / "memo.cpp").unlink()
    with pytest.raises(InputError, match=r"the project has no src.memo\.cpp"):
        load_network_csim(folder)
