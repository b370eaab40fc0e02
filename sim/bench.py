"""The cocotb test: every vector of the project must give its result.

``run.py`` starts it and passes the settings in the environment variable ``HWGEN_BENCH`` as JSON: project,
vectors, latency (null: find it out), stall, seed, result (file for the counts).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import Random
from typing import Any

import cocotb
from axi_stream import Sink, Source
from cocotb.handle import SimHandleBase
from cocotb.triggers import FallingEdge, ReadOnly
from function_driver import align, run_function
from scoreboard import Scoreboard
from signals import start_clock_and_reset
from vectors import VectorFile, read_vectors

_PATIENCE = 10_000
"""Cycles without any transfer that count as a deadlock."""

_DRAIN = 100
"""Cycles after the last result in which a result too many would show."""


@cocotb.test()
async def every_vector_gives_its_result(dut: SimHandleBase) -> None:
    """Run all vectors, write the counts, and fail on any difference."""
    settings = json.loads(os.environ["HWGEN_BENCH"])
    counts: dict[str, Any] = {"vectors": 0, "checked": 0, "mismatches": 0}
    try:
        file = read_vectors(Path(settings["project"]), Path(settings["vectors"]))
        counts["vectors"] = len(file.results)
        scoreboard = Scoreboard(file)
        run = check_stream if file.interface == "stream" else check_function
        try:
            counts |= await run(dut, file, scoreboard, settings)
            scoreboard.finish()
        finally:
            counts |= {key: getattr(scoreboard, key) for key in ("checked", "mismatches", "differences")}
    except Exception as error:
        counts["error"] = str(error)
        raise
    finally:
        Path(settings["result"]).write_text(json.dumps(counts), encoding="utf-8")
    dut._log.info("%d vectors, no mismatch", scoreboard.checked)


async def check_function(
    dut: SimHandleBase, file: VectorFile, scoreboard: Scoreboard, settings: dict[str, Any]
) -> dict[str, int]:
    """Check a design that takes a vector in every clock cycle."""
    clocked = await start_clock_and_reset(dut)
    samples = await run_function(dut, file, clocked=clocked, latency=settings["latency"])
    latency = settings["latency"] if clocked else 0
    if latency is None:
        latency = align(file, samples)
    for got in samples[latency : latency + len(file.vectors)]:
        scoreboard.check(got)
    return {"latency": latency, "cycles": len(samples)}


async def check_stream(
    dut: SimHandleBase, file: VectorFile, scoreboard: Scoreboard, settings: dict[str, Any]
) -> dict[str, int]:
    """Check a design with AXI4-Stream ports, each of which pauses at random."""
    stall, random = settings["stall"], Random(settings["seed"])  # noqa: S311 (pauses, no secrets)
    sources = [
        Source(dut, port, [vector.operands[index] for vector in file.vectors], stall=stall, random=random)
        for index, port in enumerate(file.inputs)
    ]
    sink = Sink(dut, file.output, stall=stall, random=random)
    await start_clock_and_reset(dut)
    due = len(file.results)
    cycles = idle = drained = 0
    while drained < _DRAIN:
        for endpoint in (*sources, sink):
            endpoint.drive()
        await ReadOnly()
        taken = [source for source in sources if source.sample()]
        word = sink.sample()
        await FallingEdge(dut.ap_clk)
        for source in taken:
            source.advance()
        if word is not None:
            assert scoreboard.checked < due, f"more results than the {due} that are due"
            scoreboard.check(word)
        cycles += 1
        idle = 0 if taken or word is not None else idle + 1
        unread = [
            port.name
            for port, source in zip(file.inputs, sources, strict=True)
            if source.sent < len(file.vectors)
        ]
        drained += scoreboard.checked == due and not unread
        assert idle < _PATIENCE, (
            f"no word moved for {_PATIENCE} cycles after {scoreboard.checked} results"
            f"{', with words unread at ' + ', '.join(unread) if unread else ''}"
        )
    return {
        "cycles": cycles,
        "withheld": sum(source.paused for source in sources),
        "refused": sink.paused,
    }
