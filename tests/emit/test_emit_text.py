"""Emitted text is for people: formatted C++, honest comments, scripts that run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hwgen.emit import emit, render_project
from hwgen.emit.cpp import constant, parameters
from hwgen.operators import load
from hwgen.operators.describe import value_text

CLANG_FORMAT = Path(sys.executable).with_name("clang-format")  # the environment need not be on PATH

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))

LONG = "a_very_long_name_that_fills_all_of_the_sixty_four_characters_xyz"
ODD_SPECS: list[dict[str, Any]] = [
    {"kind": "mac", "name": LONG, "formats": {"a": "fp64", "b": "fp64", "acc": "fp64"}},
    {
        "kind": "mac",
        "name": LONG,
        "formats": {"a": "e4m3fnuzftz", "b": "q1.63", "acc": "uq8.3"},
        "rounding": {"mode": "sr", "bits": 64, "rand": {"lfsr": {}}},
        "accumulate": {"split": "e11m40b2000fn", "rounding": "rup"},
    },
    {
        "kind": "mac",
        "name": LONG,
        "formats": {"a": "fp64", "b": "fp64", "acc": "fp64"},
        "rounding": {"mode": "sr", "bits": 64},
        "accumulate": {"split": "fp32"},
        "interface": "stream",
    },
    {
        "kind": "convert",
        "name": "line",
        "formats": {"x": "int1", "y": "uint1"},
        "overflow": "wrap",
        "interface": "stream",
    },
    {
        "kind": "add",
        "name": "fma",
        "formats": {"a": "e2m0none", "b": "e3m2", "y": "e3m0fn"},
        "overflow": "nan",
    },
    {"kind": "fma", "formats": {"a": "q4.4", "b": "e5m2", "c": "int64", "y": "e4m3fnuz"}, "rounding": "rdn"},
]


@pytest.mark.parametrize("spec", [*EXAMPLES, *ODD_SPECS], ids=lambda spec: getattr(spec, "stem", None))
def test_emitted_cpp_is_clang_format_clean(spec: Path | dict[str, Any], tmp_path: Path) -> None:
    folder = emit(load(spec), tmp_path / "p")
    sources = [str(path) for part in ("src", "tb") for path in sorted((folder / part).rglob("*.?pp"))]
    style = f"--style=file:{ROOT / '.clang-format'}"
    done = subprocess.run(
        [CLANG_FORMAT, style, "--dry-run", "-Werror", *sources], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_header_says_formats_rounding_overflow_specials_and_latency() -> None:
    operator = load(ROOT / "examples/mac_e4m3fn_e5m2_e6m5_sr8.yaml")
    header = re.sub(r"\s*\n//\s*", " ", render_project(operator)[f"src/{operator.name}.hpp"].decode())
    for sentence in (
        "a 8 bits, e4m3fn: 1 sign, 4 exponent (bias 7), 3 fraction bits: normals from 2^-6 to 448",
        "NaN, no infinity",
        "k = floor(f * 2^8); the magnitude is rounded up when k + u >= 2^8",
        "Overflow infinity of the result's sign (IEEE 754).",
        "NaN operands, 0 * Inf and Inf - Inf give the canonical NaN 0x7f0.",
        "A sum that cancels exactly is +0.",
        "One result per clock (II = 1).",
    ):
        assert sentence in re.sub(r" +", " ", header), sentence


def comment_of(**keys: Any) -> str:
    operator = load(
        {"kind": "add", "name": "unit", "formats": {"a": "e4m3fn", "b": "e4m3fn", "y": "e4m3fn"}, **keys}
    )
    return re.sub(r"\s+", " ", render_project(operator)["src/unit.hpp"].decode().replace("//", ""))


def test_the_header_mentions_only_what_the_unit_can_meet() -> None:
    assert "Inf - Inf" not in comment_of()
    assert "A sum that cancels exactly is -0." in comment_of(rounding="rdn")
    fixed = comment_of(formats={"a": "q1.7", "b": "q1.7", "y": "q2.7"})
    assert "NaN" not in fixed
    assert "Specials" not in fixed
    finite = comment_of(formats={"a": "e4m3fn", "b": "e2m1", "y": "e2m3"})
    assert "NaN operands give the negative-zero pattern, for want of a NaN, 0x20." in finite
    flushing = comment_of(formats={"a": "e5m2ftz", "b": "e5m2", "y": "e5m2fnuz"})
    assert "A subnormal operand of a flushing format reads as zero of its sign." in flushing
    assert "Every zero result is code 0" in flushing


def test_values_are_written_for_people() -> None:
    assert [value_text(value) for value in (448, -0.25, 2.0**-14, 0, 65504, 1e300)] == [
        "448",
        "-0.25",
        "2^-14",
        "0",
        "65504",
        "1e+300",
    ]
    assert value_text(3 << 2000) == "about 2^2001"


def test_constants_above_64_bits_are_put_together() -> None:
    assert constant(0xACE1, 32) == "ap_uint<32>(0xace1ULL)"
    assert constant(1 << 79 | 5, 80) == "(ap_uint<80>(0x8000ULL) << 64) | ap_uint<80>(0x5ULL)"


def test_parameters_break_under_the_bracket() -> None:
    text = parameters("void f(", [f"ap_uint<64> operand_{index}" for index in range(8)], ");")
    assert all(len(line) <= 120 for line in text.splitlines())
    assert all(line.startswith("       ap_uint") for line in text.splitlines()[1:])


# ---- Vitis -------------------------------------------------------------------------------------------

TCL_STUBS = """
proc record {args} { puts [join $args "|"] }
foreach command {open_project set_top add_files open_solution set_part create_clock
                 csim_design csynth_design cosim_design export_design} {
    proc $command {args} "record $command {*}\\$args"
}
proc exit {args} { puts "exit" }
"""


@pytest.mark.parametrize("name", ["mac_bf16_fp32", "mac_split_e4m3fn_e6m9_fp16"])
def test_the_tcl_script_runs_all_steps_in_order_from_any_folder(name: str, tmp_path: Path) -> None:
    folder = emit(load(ROOT / f"examples/{name}.yaml"), tmp_path / "a project")
    program = TCL_STUBS + f"\nsource {{{folder / 'vitis/run_hls.tcl'}}}\n"
    # Tcl's own interpreter in the standard library: no tclsh needed.
    runner = "import sys, tkinter; tkinter.Tcl().eval(sys.stdin.read())"
    done = subprocess.run(
        ["python", "-c", runner], input=program, capture_output=True, text=True, cwd="/", check=True
    )
    calls = [line.split("|") for line in done.stdout.splitlines()]
    assert [call[0] for call in calls] == [
        "open_project",
        "set_top",
        "add_files",
        "add_files",
        "add_files",
        "open_solution",
        "set_part",
        "create_clock",
        "csim_design",
        "csynth_design",
        "cosim_design",
        "export_design",
        "exit",
    ]
    assert calls[1] == ["set_top", name]
    added = [
        argument
        for call in calls
        if call[0] == "add_files"
        for argument in call[1:]
        if argument.startswith("/")
    ]
    assert [Path(path).relative_to(folder).as_posix() for path in added] == [
        f"src/{name}.cpp",
        f"tb/tb_{name}.cpp",
        "tb/vectors.txt",
    ]
    assert all(Path(path).is_file() for path in added)
    assert ["set_part", "xczu7ev-ffvc1156-2-e"] in calls
    clock = "5ns" if name == "mac_bf16_fp32" else "3ns"
    assert ["create_clock", "-period", clock, "-name", "default"] in calls


def test_the_config_file_names_files_that_exist(tmp_path: Path) -> None:
    operator = load(ROOT / "examples/mac_split_e4m3fn_e6m9_fp16.yaml")
    folder = emit(operator, tmp_path / "p")
    lines = (folder / "vitis/hls_config.cfg").read_text().splitlines()
    settings = [line.split("=", 1) for line in lines if line and line[0] not in "#["]
    files = [value for key, value in settings if key in ("syn.file", "tb.file")]
    assert len(files) == 3
    assert all((folder / "vitis" / path).is_file() for path in files)
    assert lines.index("part=xczu7ev-ffvc1156-2-e") < lines.index("[hls]")
    assert ["clock", "3ns"] in settings
    assert ["syn.top", operator.name] in settings
