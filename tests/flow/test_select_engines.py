"""Units with selectable formats: compiled C++ and RTL against golden, and matrix products in each mode."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.emit import emit
from hwgen.flow.verify import verify
from hwgen.operators import load

TINY = {
    "kind": "mac",
    "formats": {"a": ["e2m1", "q2.2"], "b": ["e2m1", "q2.2"], "acc": ["e3m2", "e2m3"]},
    "overflow": "saturate",
}
TINY_DOT = {
    "kind": "dot",
    "n": 2,
    "formats": {"a": ["e2m1", "int3"], "b": ["int2", "e2m0none"], "y": ["e3m2", "e2m3"]},
    "overflow": "saturate",
}
FP8_BF16 = {
    "kind": "mac",
    "formats": {"a": ["e4m3fn", "e5m2", "bf16"], "b": ["e4m3fn", "e5m2", "bf16"], "acc": "fp32"},
}


def test_a_tiny_unit_is_right_in_golden_cpp_and_rtl_for_every_word_and_mode(tmp_path: Path) -> None:
    project = emit(load(TINY), tmp_path / "tiny")
    report = verify(project, engines=("csim", "rtl"))
    assert report.passed
    assert report.vectors == 1 << 4 + 4 + 6 + 1


@pytest.mark.parametrize(
    "scheme", ["exact", {"aligned": {"bits": 2, "shifted_out": "jam"}}], ids=["exact", "aligned"]
)
def test_a_tiny_dot_is_right_in_golden_cpp_and_rtl_for_every_word_and_mode(
    scheme: object, tmp_path: Path
) -> None:
    report = verify(emit(load({**TINY_DOT, "scheme": scheme}), tmp_path / "tiny"), engines=("csim", "rtl"))
    assert report.passed
    assert report.vectors == 1 << 2 * (4 + 3) + 1


@pytest.mark.parametrize("rounding", ["rup", {"mode": "sr", "bits": 8, "rand": {"lfsr": {}}}])
def test_csim_agrees_with_golden_in_every_mode(rounding: object) -> None:
    unit = hwgen.operator({**FP8_BF16, "rounding": rounding})
    vectors = unit.definition.vectors(30_000, seed=3)
    assert np.array_equal(unit.compile()(*vectors), unit.golden(*vectors))


def test_a_matrix_product_is_made_in_the_mode_that_is_given() -> None:
    unit = hwgen.operator(FP8_BF16)
    run = unit.compile()
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 1 << 16, (2, 20, 20)).astype(np.uint16)
    plain = hwgen.operator({"kind": "mac", "formats": {"a": "e5m2", "b": "e5m2", "acc": "fp32"}})
    product = run.gemm(a, b, mode=1)
    assert np.array_equal(product, plain.golden_gemm(a & 0xFF, b & 0xFF))
    assert np.array_equal(run.gemm(a, b, mode=3), unit.golden_gemm(a, b, mode=2))
    with pytest.raises(hwgen.errors.InputError, match="mode None must be an integer"):
        run.gemm(a, b)
