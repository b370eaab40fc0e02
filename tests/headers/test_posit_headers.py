"""The headers of posits and E8M0 against the golden model: random formats, wide words, planted bugs."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from header_builds import plant
from random_units import OPERANDS, build, run

from hwgen.emit import emit
from hwgen.operators import Operator, load

OTHERS = (
    "e4m3fn",
    "e5m2",
    "bf16",
    "e6m5",
    "e3m2none",
    "e4m3fnuz",
    "e5m2ftz",
    "fp16",
    "q3.9",
    "uq2.6",
    "int12",
)
MODES = ("rne", "rna", "rtz", "rup", "rdn", "rto", "sr")


def random_units(seed: int, count: int) -> list[Operator]:
    """Return operators with at least one posit or E8M0 port each."""
    rng = random.Random(seed)
    return [random_unit(rng, f"u{index}") for index in range(count)]


def random_unit(rng: random.Random, name: str) -> Operator:
    kind = rng.choice(tuple(OPERANDS))
    keys = [*OPERANDS[kind], *([] if kind == "mac" else ["y"])]
    if rng.random() < 0.25:
        formats = dict.fromkeys(keys, random_posit(rng))
    else:
        formats = {key: random_format(rng) for key in keys}
        formats[rng.choice(keys)] = random_posit(rng) if rng.random() < 0.75 else "e8m0"
    result = formats[keys[-1]]
    mode = "rne" if isinstance(result, dict) else rng.choice(MODES)
    rounding = {"mode": mode, "bits": rng.choice((1, 3, 8, 13))} if mode == "sr" else mode
    spec = {"kind": kind, "name": name, "formats": formats, "rounding": rounding}
    if kind == "mac" and rng.random() < 0.3:
        spec["accumulate"] = {"split": random_posit(rng)}
    return load(spec)


def random_format(rng: random.Random):
    return random_posit(rng) if rng.random() < 0.4 else rng.choice((*OTHERS, "e8m0"))


def random_posit(rng: random.Random):
    width = rng.choice((2, 3, 4, 5, 6, 7, 8, 8, 10, 13, 16, 16, 24, 32))
    return {"posit": {"width": width, "es": rng.choice((0, 1, 2, 2, 2, 3, 4))}}


def mismatches(
    units: Sequence[Operator], folder: Path, vectors: int, headers: Path | None = None
) -> list[str]:
    library = build(units, folder, headers=headers)
    found = []
    for unit in units:
        operands = unit.exhaustive(limit=12) or unit.vectors(vectors, seed=1)
        assert len(operands[0]) > 0
        got, want = run(library, unit, operands), unit.golden(*operands)
        for index in np.flatnonzero(got != want)[:1]:
            words = [hex(int(column[index])) for column in operands]
            found.append(f"{unit.spec!r}: {words} gives {int(got[index]):#x}, golden {int(want[index]):#x}")
    return found


def test_random_formats_agree_with_the_golden_model(tmp_path: Path) -> None:
    assert mismatches(random_units(1, 50), tmp_path, 1_000) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 106))
def test_many_random_formats_agree_with_the_golden_model(tmp_path: Path, seed: int) -> None:
    assert mismatches(random_units(seed, 80), tmp_path, 10_000) == []


def unit(kind: str, formats: str, rounding: object = "rne", **more: object) -> Operator:
    keys = [*OPERANDS[kind], *([] if kind == "mac" else ["y"])]
    given = dict(zip(keys, formats.split(), strict=True))
    name = re.sub(r"\W+", "_", f"{kind}_{formats}")
    return load({"kind": kind, "name": name, "formats": given, "rounding": rounding, **more})


def test_posits_wider_than_a_float64_agree_with_the_golden_model(tmp_path: Path) -> None:
    units = [
        unit("add", "posit64 posit64 posit64"),
        unit("mul", "posit64 posit64 posit64"),
        unit("fma", "posit48 posit64 posit64 posit64"),
        unit("convert", "posit64 posit57"),
        unit("convert", "fp64 posit64"),
        unit("convert", "posit64 fp64"),
    ]
    assert mismatches(units, tmp_path, 60) == []


# Header, what is there, what the bug makes of it, and the unit in which it must show.
BUGS = [
    ("posit", "guard & (sticky | odd)", "guard", unit("mul", "posit8 posit8 posit8")),
    ("posit", "guard & (sticky | odd)", "(guard & sticky)", unit("mul", "posit8 posit8 posit8")),
    ("posit", "<< Y::regime_max", "<< (Y::regime_max + 1)", unit("mul", "posit8 posit8 posit8")),
    ("posit", "(beyond & ~grows)", "ap_uint<1>(0)", unit("mul", "posit8 posit8 posit8")),
    ("posit", "u.is_nan = negative & ~is_number;", "u.is_nan = 0;", unit("add", "posit8 posit8 posit8")),
    ("posit", "x.is_nan | x.is_inf", "x.is_nan", unit("convert", "fp16 posit8")),
    ("posit", ": regime_t(~regime_t(run))", ": regime_t(-regime_t(run))", unit("convert", "posit8 fp16")),
    ("posit", "ap_uint<run_max>(behind_first | 1)", "behind_first", unit("add", "e4m3fn posit8 e4m3fn")),
    ("exponent", "rounds_up<RULE>(0, 1,", "rounds_up<RULE>(0, 0,", unit("convert", "bf16 e8m0")),
    ("exponent", "finite = code < 0", "finite = code < -64", unit("convert", "fp64 e8m0", "rup")),
    ("exponent", "x.is_nan | x.value.negative", "x.is_nan", unit("convert", "bf16 e8m0")),
    ("exponent", "x == F::nan()", "0", unit("mul", "e4m3fn e8m0 bf16")),
]


@pytest.mark.parametrize(("header", "right", "wrong", "victim"), BUGS)
def test_a_planted_bug_in_a_header_is_caught(
    tmp_path: Path, header: str, right: str, wrong: str, victim: Operator
) -> None:
    mutated = plant(tmp_path, header, right, wrong)
    assert mismatches([victim], tmp_path, 4_000, mutated)


@pytest.mark.parametrize(
    "operator",
    [
        unit("mac", "posit8 posit8 posit16"),
        pytest.param(unit("fma", "posit32 e4m3fn posit16es1 posit16"), marks=pytest.mark.slow),
        unit("convert", "posit16 e8m0", {"mode": "sr", "bits": 6}),
    ],
)
def test_amds_headers_give_the_same_bits_without_a_warning(
    operator: Operator, tmp_path: Path, amd_include: Path
) -> None:
    emit(operator, tmp_path / "p")
    flags = "CXXFLAGS=-Wall -Wextra -pedantic -Werror"
    command = ["make", "csim", f"PYTHON={sys.executable}", flags, "CXX=g++", f"AP_INCLUDE={amd_include}"]
    done = subprocess.run(command, cwd=tmp_path / "p", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^2048 vectors, 0 mismatches$", done.stdout, re.MULTILINE)
    assert "warning" not in done.stderr
