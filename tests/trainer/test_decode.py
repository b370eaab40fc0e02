"""The check of commands in C++ against golden's, on commands near the edges of what a core accepts."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from cores import small
from edge_commands import edge_commands
from test_core_planted import with_bug

from hwgen.emit import emit_files
from hwgen.flow.native_build import build_library
from hwgen.trainer import (
    Bias,
    Code,
    Counters,
    Fetch,
    Fill,
    Gemm,
    Load,
    Norm,
    Store,
    TrainerSpec,
    Unknown,
    Update,
    encode,
    load_spec,
)
from hwgen.trainer.commands import Command
from hwgen.trainer.judge import LAST_COUNTER, Half, Verdict, judge
from hwgen.trainer.project import render_core
from hwgen.trainer.sizes import CoreSizes

CORES = {
    "usual": load_spec({"kind": "trainer"}),
    "little": small(
        digit=4,
        cols=4,
        wordlengths=[3, 9],
        exponent_bits=4,
        buffers={"a_kib": 2, "b_kib": 4, "c_kib": 2, "scratch_kib": 2},
    ),
    "lanes": small(
        digit=8,
        rows=8,
        cols=8,
        float_lanes=2,
        exponent_bits=16,
        buffers={"a_kib": 1024, "b_kib": 16, "c_kib": 4, "scratch_kib": 32},
    ),
    "lopsided": small(
        digit=1, rows=16, cols=4, buffers={"a_kib": 4, "b_kib": 9, "c_kib": 64, "scratch_kib": 2}
    ),
    "large": small(
        digit=4,
        rows=2,
        cols=8,
        max_k=65520,
        buffers={"a_kib": 1024, "b_kib": 512, "c_kib": 512, "scratch_kib": 64},
        accumulator={"bits": 8},
    ),
}
"""Memories of 64 to 65536 words; either operand's, the results' or the scratch memory may be the largest."""


def library(project: Path, cores: Mapping[str, TrainerSpec]) -> ctypes.CDLL:
    """Compile a function for each core, which judges words of 256 bits."""
    lines = ['#include "hwgen/trainer/decode.hpp"', "#include <cstddef>", "#include <cstdint>"]
    lines += ['#include "trainer_commands.hpp"']
    for name, spec in cores.items():
        sizes = CoreSizes.of(spec)
        numbers = {key: getattr(sizes, key) for key in dir(sizes) if isinstance(getattr(sizes, key), int)}
        numbers["last_counter"] = LAST_COUNTER
        members = "\n".join(f"  static constexpr int {key} = {int(value)};" for key, value in numbers.items())
        lines.append(f"""
struct {name}_core {{
{members}
}};
extern "C" void {name}(std::size_t count, const std::uint64_t* words, std::uint16_t* verdicts) {{
  for (std::size_t i = 0; i < count; ++i) {{
    ap_uint<256> word = 0;
    for (int j = 3; j >= 0; --j) word = (word << 64) | ap_uint<256>(words[4 * i + j]);
    const auto c = hwgen::trainer::check<{name}_core, commands>(word);
    verdicts[i] = c.command == word ? int(c.code) << 8 | int(c.holds) : 0xFFFF;
  }}
}}""")
    folders = [project / "src", project / "open"]
    return ctypes.CDLL(str(build_library("decode", "\n".join(lines), folders, flags=["-O1"])))


def judged(units: ctypes.CDLL, core: str, commands: list[Command]) -> list[Verdict]:
    """Return what the C++ says of commands."""
    words = np.frombuffer(b"".join(encode(c).to_bytes(32, "little") for c in commands), np.uint64)
    verdicts = np.zeros(len(commands), np.uint16)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (words, verdicts)]
    getattr(units, core)(ctypes.c_size_t(len(commands)), *pointers)
    return [Verdict(Code(int(v) >> 8), Half(int(v) & 0xFF)) for v in verdicts]


def disagreements(
    units: ctypes.CDLL, core: str, commands: list[Command]
) -> list[tuple[Command, Verdict, Verdict]]:
    """Return commands with what golden and the C++ say of them, where that differs."""
    verdicts = [judge(CORES[core], command) for command in commands]
    both = zip(commands, verdicts, judged(units, core, commands), strict=True)
    return [(command, golden, ours) for command, golden, ours in both if golden != ours]


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    project = emit_files(render_core(CORES["usual"]), tmp_path_factory.mktemp("decode") / "core")
    return library(project, CORES)


@pytest.mark.parametrize("core", CORES)
def test_commands_near_every_edge_are_judged_as_golden_does(core: str, units: ctypes.CDLL) -> None:
    assert disagreements(units, core, edge_commands(CORES[core], 8000, seed=1)) == []


@pytest.mark.parametrize("core", CORES)
def test_every_kind_of_command_is_refused_for_every_reason(core: str) -> None:
    spec = CORES[core]
    found = {(type(command), judge(spec, command).code) for command in edge_commands(spec, 8000, seed=1)}
    for kind in (Fetch, Fill, Gemm, Store, Load, Bias, Update, Norm):
        assert {(kind, Code.OK), (kind, Code.SHAPE), (kind, Code.ADDRESS)} <= found
    assert {(kind, Code.WIDTH) for kind in (Fetch, Fill, Gemm, Store)} <= found
    assert {(Counters, Code.SHAPE), (Unknown, Code.OPCODE)} <= found


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
def test_many_more_commands_are_judged_as_golden_does(core: str, units: ctypes.CDLL) -> None:
    assert disagreements(units, core, edge_commands(CORES[core], 200_000, seed=2)) == []


@pytest.mark.parametrize(
    ("header", "old", "new"),
    [
        ("bounds", "plainly_beyond<BITS>(a, b) || (low >> BITS) != 0", "plainly_beyond<BITS>(a, b)"),
        ("decode", "ap_uint<12>(r.pitch) >= r.words", "ap_uint<12>(r.pitch) > r.words"),
    ],
)
def test_a_bug_planted_in_the_check_is_seen(header: str, old: str, new: str, tmp_path: Path) -> None:
    usual = {"usual": CORES["usual"]}
    project = with_bug(usual["usual"], header, old, new, tmp_path)
    commands = edge_commands(usual["usual"], 8000, seed=1)
    assert disagreements(library(project, usual), "usual", commands)
