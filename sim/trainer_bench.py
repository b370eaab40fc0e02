"""The cocotb tests of a trainer core: every scenario of ``tb/regression.json`` is one of them.

``run.py`` starts them and passes the settings in the environment variable ``HWGEN_BENCH`` as JSON: vectors
(the scenarios), stall, seed, result (file for the counts). A scenario starts from reset and is a list of
steps, each an object of one of these forms; beats are hex words, an AXI4-Stream frame is a list of them:

    {"send": stream, "beats": [...]}              queue a frame; with "stop": n the stream pauses n beats on
    {"resume": stream}                            what was stopped goes on
    {"expect": stream, "beats": [...]}            these come next, in any order: statuses carry numbers
    {"expect": stream, "frames": [[...], ...]}    these frames come next, each up to TLAST
    {"cycles": n}                                 wait
    {"reset": n}                                  reset for n cycles; what waits in the streams is dropped
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import cocotb
from cocotb.handle import SimHandleBase
from signals import start_clock_and_reset
from stream_ports import DRAIN, StreamPorts, reset_all

_SETTINGS = json.loads(os.environ["HWGEN_BENCH"])
_SCENARIOS = json.loads(Path(_SETTINGS["vectors"]).read_text(encoding="utf-8"))["scenarios"]
_COUNTS: dict[str, Any] = {"vectors": 0, "checked": 0, "mismatches": 0, "withheld": 0, "refused": 0}


async def _do(dut: SimHandleBase, ports: StreamPorts, step: dict[str, Any]) -> None:
    """Do one step."""
    if "send" in step:
        ports.send(step["send"], [int(beat, 16) for beat in step["beats"]], step.get("stop"))
    elif "resume" in step:
        ports.resume(step["resume"])
    elif "cycles" in step:
        await ports.cycles(step["cycles"])
    elif "reset" in step:
        await reset_all(dut, ports, step["reset"])
    elif "frames" in step:
        for index, frame in enumerate(step["frames"]):
            name = f"frame {index} of {step['expect']}"
            _compare(name, await ports.receive(step["expect"], len(frame)), frame)
    else:
        beats = await ports.receive(step["expect"], len(step["beats"]))
        _compare(step["expect"], sorted(beats, key=_number), sorted(step["beats"], key=_number))


def _number(beat: str) -> int:
    """Return the number of the command that a status answers."""
    return int(beat, 16) & 0xFFFF


def _compare(what: str, got: list[str], expected: list[str]) -> None:
    """Count beats that differ; raise `AssertionError` if one does, or there are too few or many."""
    wrong = [
        place for place, (x, y) in enumerate(zip(got, expected, strict=False)) if int(x, 16) != int(y, 16)
    ]
    _COUNTS["checked"] += len(expected)
    _COUNTS["mismatches"] += len(wrong)
    assert len(got) == len(expected), f"{what}: {len(got)} beats came, {len(expected)} are due"
    if wrong:
        first = wrong[0]
        raise AssertionError(
            f"{what}: {len(wrong)} of {len(expected)} beats differ; beat {first}: "
            f"expected {expected[first]}, got {got[first]}"
        )


def _due(scenario: dict[str, Any]) -> int:
    """Return the beats that a scenario checks."""
    frames = (frame for step in scenario["steps"] for frame in step.get("frames", ()))
    beats = (step["beats"] for step in scenario["steps"] if "expect" in step and "beats" in step)
    return sum(map(len, frames)) + sum(map(len, beats))


def _test_of(index: int, scenario: dict[str, Any]) -> Callable[[SimHandleBase], Awaitable[None]]:
    async def run(dut: SimHandleBase) -> None:
        _COUNTS["vectors"] += _due(scenario)
        try:
            assert _due(scenario), "a scenario that checks nothing has failed"
            await start_clock_and_reset(dut)
            random = Random(f"{_SETTINGS['seed']} {index}")  # noqa: S311 (pauses, no secrets)
            ports = StreamPorts(dut, stall=_SETTINGS["stall"], random=random)
            for step in scenario["steps"]:
                await _do(dut, ports, step)
            await ports.cycles(DRAIN)
            ports.check_empty()
            _COUNTS["withheld"] += ports.withheld
            _COUNTS["refused"] += ports.refused
        except Exception as error:
            _COUNTS.setdefault("error", f"{scenario['name']}: {error}")
            raise
        finally:
            Path(_SETTINGS["result"]).write_text(json.dumps(_COUNTS), encoding="utf-8")

    run.__doc__ = scenario["name"]
    return run


for _index, _scenario in enumerate(_SCENARIOS):
    _name = "_".join(_scenario["name"].split())
    globals()[_name] = cocotb.test(name=_name)(_test_of(_index, _scenario))
