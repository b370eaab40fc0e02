"""A bug in any header of the core is seen by the programs that the core is tested with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from test_core_rtl import SMALL as WITH_LANES

from hwgen.emit import emit_files
from hwgen.errors import CheckError
from hwgen.flow.csim_network import load_network_csim
from hwgen.trainer import TrainerSpec, load_spec
from hwgen.trainer.engines import NetworkEngine
from hwgen.trainer.float_programs import random_float_product
from hwgen.trainer.programs import Program, random_product, random_rounding, random_update
from hwgen.trainer.project import render_core

SMALL = {**WITH_LANES, "float_lanes": 0}
BUGS = [
    ("array", "const ap_int<bits> moved = shift ?", "const ap_int<bits> moved = !shift ?"),
    ("drain", "const ap_int<wide> exact = ap_int<wide>(sum) + before;", "const ap_int<wide> exact = sum;"),
    ("fetch", "take ? kept", "take ? e"),
    ("fill", "sideways = s.turns ? ap_uint<1>(!sideways)", "sideways = s.turns ? ap_uint<1>(0)"),
    ("memory", "words.write(r.inside ? stored : word_t(0));", "words.write(stored);"),
    ("messages", "writes).put(ends)", "ends).put(writes)"),
    ("multiply", "ap_uint<1>(digit_b + 1 == planes_b)", "ap_uint<1>(digit_b == planes_b)"),
    ("post", "positive[col] = sum > 0;", "positive[col] = sum >= 0;"),
    ("requantise", "r.value = q < least ? least", "r.value = q < least ? q"),
    ("post", "s.first ? value_t(0) : lowest", "lowest"),
    ("sequence", "mine.number = number;", "mine.number = number_t(number + 1);"),
    ("slices", "carry[i] = (a & b) | ((a ^ b) & c);", "carry[i] = (a & b) | (a & c);"),
    ("store", "++s.mask;", "s.mask += row_wraps;"),
    ("update", "four.m = ms | (four.m >> some);", "four.m = ms | four.m;"),
    ("update", "joins ? ap_uint<32>(0) : moved;", "moved;"),
    ("update", "norms ? sum[i] : w", "sum[i]"),
]
"""Header, what it says, and what it says with a bug. Two of them are planted in the fast suite.

The check of commands has bugs of its own: `test_decode.py`.
"""
FAST = ("slices", "post")
ONE_LANE = {**SMALL, "update_lanes": 1}  # the tests on RTL have two
SPLITS = {**SMALL, "array": {"rows": 4, "cols": 4, "multiplier": "decomposable"}}
SPLITS |= {"buffers": {**SMALL["buffers"], "a_kib": 16, "b_kib": 16}}
SPLIT_BUGS = [
    ("booth", "return sum + y + high;", "return sum + y + (high && !below);"),
    ("digit_products", "top & ap_uint<1>(digit >> (DIGIT - 1))", "ap_uint<1>(digit >> (DIGIT - 1))"),
    ("fill", "s.digit == 0 ? word : word >> line", "s.digit == 0 ? word : word >> digit"),
    (
        "fill",
        "const bool twice = pairs && c.transpose;",
        "const bool twice = pairs && c.transpose && !c.target;",
    ),
    ("multiply", "(pairs_b && (low || !pairs_a))", "(pairs_b && low)"),
    ("split_products", "mark.pairs_b() ? at(word, turned) : at(word, lane)", "at(word, lane)"),
    ("split_products", "const int of_half = lane / 2;", "const int of_half = lane / 2 % 4;"),
]
"""The same of headers that a decomposable array needs. One is planted in the fast suite."""
FLOAT_BUGS = [
    (
        "float_gather",
        "(ap_uint<32>(d) << (32 - digit)) | (before >> digit)",
        "(ap_uint<32>(d) << (32 - digit)) | before",
    ),
    ("float_lanes", "if (part_wraps) o.a >>= 32;", "if (part_wraps && row != 2) o.a >>= 32;"),
    ("fp32", "2 * i + high", "2 * i + 1 - high"),
]
"""The same of headers that float lanes need. The middle one is planted in the fast suite."""


KINDS = (random_product, random_rounding, random_update)


def disagreements(spec: TrainerSpec, project: Path, kinds: tuple[Callable, ...] = KINDS) -> int:
    """Return how many of some random programs the compiled core answers otherwise than golden."""
    network = load_network_csim(project)
    rng = np.random.default_rng(11)
    found = 0
    for _ in range(12):
        for kind in kinds:
            program: Program = kind(spec, rng)
            engine = NetworkEngine(spec, network)
            try:
                statuses, frames = engine.run(program.commands, program.frames)
            except CheckError:
                found += 1
                continue
            same = [frame.words() for frame in frames] == [frame.words() for frame in program.sent]
            found += not (same and statuses == program.statuses)
    return found


@pytest.mark.parametrize(
    ("header", "old", "new"),
    [pytest.param(*bug, id=bug[0], marks=[] if bug[0] in FAST else [pytest.mark.slow]) for bug in BUGS],
)
def test_a_bug_planted_in_a_header_is_seen(header: str, old: str, new: str, tmp_path: Path) -> None:
    spec = load_spec(ONE_LANE)
    assert disagreements(spec, with_bug(spec, header, old, new, tmp_path))


def with_bug(spec: TrainerSpec, header: str, old: str, new: str, folder: Path) -> Path:
    """Return the project of a core in which a header says something else."""
    project = emit_files(render_core(spec), folder / spec.name)
    file = project / "src" / "hwgen" / "trainer" / f"{header}.hpp"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return project


@pytest.mark.parametrize(
    ("header", "old", "new"),
    [
        pytest.param(*bug, id=bug[0], marks=[] if bug[0] == "float_lanes" else [pytest.mark.slow])
        for bug in FLOAT_BUGS
    ],
)
def test_a_bug_planted_in_a_header_of_the_float_lanes_is_seen(
    header: str, old: str, new: str, tmp_path: Path
) -> None:
    spec = load_spec(WITH_LANES)
    assert disagreements(spec, with_bug(spec, header, old, new, tmp_path), (random_float_product,))


@pytest.mark.parametrize(
    ("header", "old", "new"),
    [
        pytest.param(*bug, id=bug[0], marks=[] if bug[0] == "multiply" else [pytest.mark.slow])
        for bug in SPLIT_BUGS
    ],
)
def test_a_bug_planted_in_a_header_of_a_decomposable_array_is_seen(
    header: str, old: str, new: str, tmp_path: Path
) -> None:
    spec = load_spec(SPLITS)
    assert disagreements(spec, with_bug(spec, header, old, new, tmp_path), (random_product,))


@pytest.mark.parametrize(
    ("keys", "kinds"),
    [
        pytest.param(SPLITS, (random_product,), id="decomposable"),
        pytest.param(ONE_LANE, KINDS, id="digits", marks=pytest.mark.slow),
        pytest.param(WITH_LANES, (*KINDS, random_float_product), id="lanes"),
    ],
)
def test_without_a_bug_the_compiled_core_is_golden(
    keys: dict, kinds: tuple[Callable, ...], tmp_path: Path
) -> None:
    spec = load_spec(keys)
    assert not disagreements(spec, emit_files(render_core(spec), tmp_path / spec.name), kinds)
