"""Emitted projects compile without warnings by clang, and by g++ with AMD's headers, to the same bits."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hwgen.emit import emit
from hwgen.operators import load

EXAMPLES = Path(__file__).parents[2] / "examples"
FAST = (
    "mac_e4m3fn_e5m2_e6m5_sr8",
    "mac_e4m3fn_e5m2_e6m5_sr8_eager",
    "mac_q1_7_q8_14",
    "mac_split_e4m3fn_e6m9_fp16",
    "stream_mac_e5m2_fp16_sr10",
)
SLOW = ("fma_e4m3fn_fp16", "mac_bf16_fp32", "convert_fp32_e4m3fn_sr12", "add_bf16", "mul_e4m3fn_e5m2_bf16")
STRICT = "CXXFLAGS=-Wall -Wextra -pedantic -Werror"


def run_csim(folder: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "csim", f"PYTHON={sys.executable}", STRICT, *settings]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def check(name: str, folder: Path, *settings: str) -> None:
    emit(load(EXAMPLES / f"{name}.yaml"), folder)
    done = run_csim(folder, *settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^2048 vectors, 0 mismatches$", done.stdout, re.MULTILINE)
    assert "warning" not in done.stderr


# Two show that the testbench works with clang; what clang makes of a design is the evidence of engine csim.
@pytest.mark.parametrize(
    "name", [FAST[0], FAST[3], *(pytest.param(name, marks=pytest.mark.slow) for name in (*FAST[1:3], *SLOW))]
)
def test_clang_with_the_stand_ins_gives_the_vectors_without_a_warning(name: str, tmp_path: Path) -> None:
    check(name, tmp_path / "p")


@pytest.mark.parametrize("name", [*FAST, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_gcc_with_amds_headers_gives_the_vectors_without_a_warning(
    name: str, tmp_path: Path, amd_include: Path
) -> None:
    check(name, tmp_path / "p", "CXX=g++", f"AP_INCLUDE={amd_include}")


def test_the_testbench_fails_on_a_wrong_vector_a_bad_file_and_no_vectors(
    tmp_path: Path, amd_include: Path
) -> None:
    folder = tmp_path / "p"
    check("mul_e4m3fn_e5m2_bf16", folder, "CXX=g++", f"AP_INCLUDE={amd_include}")
    vectors = folder / "tb/vectors.txt"
    lines = vectors.read_text().splitlines()
    *operands, y = lines[10].split()
    wrong = " ".join([*operands, f"{int(y, 16) ^ 1:04x}"])

    def run(text: str | None) -> tuple[int, str]:
        path = tmp_path / "other.txt"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        done = subprocess.run([folder / "build/csim", path], capture_output=True, text=True)
        return done.returncode, done.stderr

    code, message = run("\n".join([*lines[:10], wrong, *lines[11:]]) + "\n")
    assert code == 1
    assert f"other.txt:11: got 0x{int(y, 16):x}, expected the last of {wrong}" in message
    assert run(None)[0] == 2
    code, message = run("# a comment only\n\n")
    assert (code, "nothing was checked" in message) == (2, True)
    code, message = run("38 3c\n")
    assert (code, "other.txt:1: not a vector" in message) == (2, True)


def test_a_planted_bug_is_caught_by_the_testbench(tmp_path: Path, amd_include: Path) -> None:
    folder = tmp_path / "p"
    emit(load(EXAMPLES / "mul_e4m3fn_e5m2_bf16.yaml"), folder)
    source = folder / "src/mul_e4m3fn_e5m2_bf16.cpp"
    text = source.read_text()
    assert "float_format<4, 3, 7," in text
    source.write_text(text.replace("float_format<4, 3, 7,", "float_format<4, 3, 8,"))
    done = run_csim(folder, "CXX=g++", f"AP_INCLUDE={amd_include}")
    assert done.returncode != 0
    assert re.search(r"2048 vectors, [1-9]\d* mismatches", done.stdout)
