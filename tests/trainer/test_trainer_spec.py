"""Specs of trainers: defaults, sizes that follow, and messages about what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hwgen.errors import InputError
from hwgen.formats import RoundingMode
from hwgen.trainer import load_spec

PUBLISHED = """\
kind: trainer
name: edge_trainer
array: {rows: 8, cols: 8, lanes: 16, digit: 2, multiplier: digit_serial}
wordlengths: [2, 16]
max_k: 4096
accumulator: {bits: 48, overflow: saturate}
exponent_bits: 8
rounding: {mode: sr, bits: 16, lfsr: {width: 32, seed: 0xACE1}}
buffers: {a_kib: 32, b_kib: 32, c_kib: 64}
float_lanes: 4
master: fp32
"""


def test_the_published_example_is_legal(tmp_path: Path) -> None:
    file = tmp_path / "edge.yaml"
    file.write_text(PUBLISHED)
    spec = load_spec(file)
    assert (spec.name, spec.result_bits, spec.float_lanes) == ("edge_trainer", 48, 4)
    assert spec.rounding.lfsr is not None
    assert spec.rounding.lfsr.seed == 0xACE1


def test_sizes_follow_from_the_defaults() -> None:
    spec = load_spec({"kind": "trainer"})
    assert (spec.scratch_words, spec.a_words, spec.b_words, spec.c_words) == (1024, 1024, 1024, 1024)
    assert (spec.sum_bits, spec.result_bits, spec.most_planes, spec.most_groups) == (44, 44, 8, 256)
    assert (spec.rounding.mode, spec.rounding.bits) == (RoundingMode.SR, 16)


def test_planes_and_sums_follow_digits_and_the_longest_sum() -> None:
    spec = load_spec({"kind": "trainer", "array": {"digit": 4}, "wordlengths": [3, 13], "max_k": 100})
    assert [spec.planes(width) for width in (3, 4, 5, 13)] == [1, 1, 2, 4]
    assert spec.sum_bits == 2 * 13 - 1 + 7 + 1
    assert spec.most_groups == 6


def test_a_decomposable_array_has_digits_of_eight_bits() -> None:
    spec = load_spec({"kind": "trainer", "array": {"multiplier": "decomposable"}})
    assert spec.array.digit == 8
    assert [spec.planes(width) for width in (2, 8, 9, 16)] == [1, 1, 2, 2]
    assert load_spec({"kind": "trainer", "array": {"multiplier": "decomposable", "digit": 8}}) == spec


def test_a_spec_loads_again_from_its_yaml() -> None:
    for extra in ({}, {"rounding": "rne"}, {"accumulator": {"bits": 40}}, {"target": {"clock_ps": 900}}):
        spec = load_spec({"kind": "trainer", **extra})
        assert load_spec(spec.to_yaml()) == spec
    assert load_spec(spec) is spec


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"kind": "train"}, "unknown kind 'train': did you mean 'trainer'? legal: trainer"),
        ({"name": "a b"}, "name: "),
        ({"wordlengts": [2, 8]}, "wordlengts: unknown key 'wordlengts': did you mean 'wordlengths'?"),
        ({"array": {"rows": 3}}, "array.rows: rows 3 is not legal: legal: 2, 4, 8, 16"),
        ({"array": {"lanes": 8}}, "array.lanes: lanes 8 is not legal: legal: 16"),
        ({"array": {"digit": 3}}, "array.digit: digit 3 is not legal: legal: 1, 2, 4, 8"),
        ({"array": {"digit": True}}, "array.digit: digit True is not legal: legal: 1, 2, 4, 8"),
        (
            {"array": {"multiplier": "decomposable", "digit": 4}},
            "array.digit: digit 4 is not legal for a decomposable multiplier: legal: 8",
        ),
        ({"array": {"multiplier": "serial"}}, "array.multiplier: unknown multiplier 'serial': did you mean"),
        (
            {"wordlengths": [1, 8]},
            "wordlengths: word lengths [1, 8] are not legal: legal: [low, high] with",
        ),
        ({"wordlengths": [8, 4]}, "wordlengths: word lengths [8, 4] are not legal"),
        ({"wordlengths": 8}, "wordlengths: word lengths 8 are not legal"),
        ({"max_k": 15}, "max_k: max_k 15 is out of range: legal: 16..65520"),
        (
            {"accumulator": {"bits": 64}},
            "accumulator.bits: accumulator bits 64 is out of range: legal: 8..63",
        ),
        ({"accumulator": {}}, "accumulator: the key 'bits' is missing"),
        (
            {"accumulator": {"bits": 40, "overflow": "wrap"}},
            "accumulator.overflow: unknown overflow",
        ),
        ({"exponent_bits": 3}, "exponent_bits: exponent bits 3 is out of range: legal: 4..16"),
        (
            {"rounding": {"mode": "rne", "bits": 4}},
            "rounding.bits: rounding mode 'rne' takes no 'bits': legal: sr",
        ),
        ({"rounding": {"mode": "sr", "bits": 25}}, "rounding.bits: SR bits 25 is out of range: legal: 1..24"),
        ({"rounding": {"lfsr": {"seed": 0}}}, "rounding.lfsr.seed: LFSR seed 0 is not legal"),
        ({"rounding": {"lfsr": {"width": 20}}}, "rounding.lfsr.width: LFSR width 20 is too narrow for 16"),
        ({"buffers": {"a_kib": 0}}, "buffers.a_kib: KiB 0 is out of range: legal: 1..1024"),
        ({"buffers": {"a_kib": 1}}, "buffers.a_kib: a_kib 1 gives a memory of 32 words: legal: 64..65536"),
        ({"update_lanes": 3}, "update_lanes: update lanes 3 is not legal: legal: 1, 2"),
        ({"float_lanes": -1}, "float_lanes: float lanes -1 is out of range: legal: 0..64"),
        (
            {"float_lanes": 8},
            "float_lanes: float lanes 8 do not suit an array of 8 x 8 with digits of 2: legal: 0, 1, 2, 4",
        ),
        ({"float_lanes": 3}, "legal: 0, 1, 2, 4"),
        ({"float_lanes": 2, "array": {"rows": 2, "cols": 4}}, "legal: 0, 1"),
        ({"float_lanes": 16, "array": {"rows": 16, "digit": 4}}, "legal: 0, 1, 2, 4, 8"),
        (
            {"float_lanes": 1, "accumulator": {"bits": 31}},
            "accumulator.bits: accumulator bits 31 hold no fp32 pattern: legal with float lanes: 32..63",
        ),
        ({"master": "fp16"}, "master: unknown master format 'fp16'"),
    ],
)
def test_a_wrong_spec_says_where_what_and_what_is_legal(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_spec({"kind": "trainer", **keys})
    assert message in caught.value.message


def test_a_wrong_line_of_a_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(PUBLISHED.replace("seed: 0xACE1", "seed: 0"))
    with pytest.raises(InputError, match=r"bad\.yaml:8: rounding\.lfsr\.seed: LFSR seed 0"):
        load_spec(file)
    file.write_text("name: x\n")
    with pytest.raises(InputError, match=r"bad\.yaml:1: the key 'kind' is missing: legal: trainer"):
        load_spec(file)
