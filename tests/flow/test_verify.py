"""Verification as a whole: it passes what is right, and every engine's comparison catches a planted bug."""

import json
import re
import shutil

import numpy as np
import pytest

from hwgen.emit import emit
from hwgen.errors import InputError
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verify import verify
from hwgen.flow.verify_vectors import choose_vectors
from hwgen.operators import Operator, load

SR_MAC = {
    "kind": "mac",
    "name": "sr_mac",
    "formats": {"a": "e4m3fn", "b": "e5m2", "acc": "e6m5"},
    "rounding": {"mode": "sr", "bits": 8, "rand": "port"},
}
SR_STREAM = SR_MAC | {"name": "sr_stream", "rounding": {"mode": "sr", "bits": 8, "rand": {"lfsr": {}}}}
PIPELINED_FMA = {
    "kind": "fma",
    "name": "pipelined_fma",
    "formats": {"a": "bf16", "b": "bf16", "c": "fp32", "y": "fp32"},
    "target": {"clock_ps": 2500},
}
NEAREST_MUL = {"kind": "mul", "name": "nearest_mul", "formats": {"a": "e4m3fn", "b": "e4m3fn", "y": "e5m2"}}


def engine(report, name):
    return next(result for result in report.engines if result.engine == name)


@pytest.fixture(scope="module")
def nearest_mul(tmp_path_factory):
    """An 8-bit multiplier, emitted and compiled to RTL."""
    folder = emit(load(NEAREST_MUL), tmp_path_factory.mktemp("mul") / "p")
    generate_rtl(folder)
    return folder


@pytest.fixture
def mutable(nearest_mul, tmp_path):
    """A copy of the multiplier to plant bugs in."""
    return shutil.copytree(nearest_mul, tmp_path / "p")


def plant(file, old, new):
    text = file.read_text()
    assert text.count(old) == 1, f"{old!r} is not once in {file.name}"
    file.write_text(text.replace(old, new))


def break_rounding(project):
    """Ties go away from zero instead of to even, in the C++."""
    plant(project / "src/hwgen/rounding.hpp", "return guard & (sticky | odd);", "return guard;")


def break_rtl(project):
    """The lowest result bit sticks at zero, in the RTL only."""
    file = project / "rtl" / "nearest_mul.sv"
    text, count = re.subn(r"assign y = (.*);", r"assign y = 8'hfe & (\1);", file.read_text())
    assert count == 1
    file.write_text(text)


def test_a_stochastic_mac_agrees_everywhere_products_exhausted():
    said = []
    report = verify(SR_MAC, vectors=20_000, progress=said.append)
    assert report.passed, "\n".join(report.lines())
    assert report.vectors == 65_536 + 20_000
    assert "all 65536 combinations of a x b" in report.coverage
    assert [result.vectors for result in report.engines] == [85_536, 85_536, 4096]
    assert said == ["golden", "C++ to RTL", "csim", "rtl", "cocotb"]


def test_a_stream_agrees_with_stalls_that_really_happened():
    report = verify(SR_STREAM, vectors=5000)
    assert report.passed, "\n".join(report.lines())
    for name in ("rtl", "cocotb"):
        paused = re.search(r"inputs paused in (\d+) cycles, the output in (\d+)", engine(report, name).note)
        assert min(map(int, paused.groups())) > 500


def test_a_pipelined_wide_fma_agrees():
    report = verify(PIPELINED_FMA, vectors=20_000)
    assert report.passed, "\n".join(report.lines())
    assert report.coverage == "hard and random"


def test_a_passing_project_gets_its_reports(nearest_mul):
    report = verify(nearest_mul)
    assert report.passed
    assert report.coverage == "all operand combinations"
    assert report.vectors == 65_536
    record = json.loads((nearest_mul / "verify.json").read_text())
    assert record == json.loads(json.dumps(report.to_json()))
    assert record["passed"] is True
    assert (
        (nearest_mul / "verify.txt")
        .read_text()
        .startswith("PASS  nearest_mul (mul): golden = csim = rtl = cocotb")
    )


def test_a_bug_in_the_cpp_is_seen_in_csim_and_after_recompiling_in_rtl_too(mutable):
    break_rounding(mutable)
    report = verify(mutable)
    assert not report.passed
    different = engine(report, "csim").mismatches
    assert different == engine(report, "rtl").mismatches > 0
    assert engine(report, "cocotb").mismatches > 0
    first = report.mismatches[0]
    assert first.results["csim"] == first.results["rtl"] != first.results["golden"]
    assert json.loads((mutable / "verify.json").read_text())["passed"] is False


def test_a_bug_in_the_rtl_is_seen_there_and_the_rtl_is_left_as_it_is(mutable):
    break_rtl(mutable)
    planted = (mutable / "rtl" / "nearest_mul.sv").read_text()
    report = verify(mutable)
    assert engine(report, "csim").passed
    assert engine(report, "rtl").mismatches > 1000
    assert engine(report, "cocotb").mismatches > 100
    first = report.mismatches[0]
    assert first.results["golden"] == first.results["csim"] != first.results["rtl"]
    assert (mutable / "rtl" / "nearest_mul.sv").read_text() == planted


def test_a_bug_in_golden_is_seen_by_every_engine(nearest_mul, monkeypatch):
    right = Operator.golden
    monkeypatch.setattr(
        Operator, "golden", lambda self, *operands: right(self, *operands) ^ (operands[0] == 7)
    )
    report = verify(nearest_mul)
    assert [result.mismatches > 0 for result in report.engines] == [True, True, True]
    assert engine(report, "csim").mismatches == 256


def test_a_mismatch_shows_operands_and_results_in_hex_and_decoded_and_who_agrees(mutable):
    break_rtl(mutable)
    report = verify(mutable, engines=["csim", "rtl"])
    first = report.mismatches[0]
    operator = load(NEAREST_MUL)
    a, b = (int(word.bits, 16) for word in first.operands)
    golden = int(operator.golden(np.uint8(a), np.uint8(b)))
    value = operator.output.format.decode(np.uint8(golden))
    text = "\n".join(first.lines())
    assert f"a={a:#04x} (" in text
    assert f"golden = csim: y={golden:#04x} ({value})" in text
    assert f"rtl: y={golden & 0xFE:#04x} (" in text
    assert text in "\n".join(line.removeprefix("  ") for line in report.lines())


def test_a_design_that_hangs_is_a_failure_not_a_crash(tmp_path):
    folder = emit(load(SR_STREAM), tmp_path / "p")
    generate_rtl(folder)
    file = folder / "rtl" / "sr_stream.sv"
    text, count = re.subn(r"assign y_TVALID = .*;", "assign y_TVALID = 1'b0;", file.read_text())
    assert count == 1
    file.write_text(text)
    report = verify(folder, vectors=100, engines=["rtl"])
    assert not report.passed
    assert "no word moved for 10000 cycles" in "\n".join(report.lines())


def test_verifying_nothing_is_refused(nearest_mul):
    with pytest.raises(InputError, match="0 vectors verify nothing"):
        verify(nearest_mul, vectors=0)
    with pytest.raises(InputError, match=r"unknown engine 'vcs'.*csim, rtl, cocotb"):
        verify(nearest_mul, engines=["vcs"])


def test_all_combinations_are_tried_up_to_the_limit():
    operator = load(
        {"kind": "convert", "formats": {"x": "e4m3fn", "y": "e2m1"}, "rounding": {"mode": "sr", "bits": 4}}
    )
    assert len(choose_vectors(operator, count=10, seed=1, exhaustive_bits=12)) == 1 << 12
    fewer = choose_vectors(operator, count=10, seed=1, exhaustive_bits=11)
    assert len(fewer) == 256 + 10
    assert set(fewer.operands[0][:256].tolist()) == set(range(256))
    assert len(choose_vectors(operator, count=10, seed=1, exhaustive_bits=7)) == 10
