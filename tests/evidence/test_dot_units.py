"""Dot products in C++ and RTL: every operand of a small one, and every random word of stochastic ones.

What is expected of the words is computed here from the definition: with lo <= |x| < hi the neighbours of the
exact sum, k = floor((|x| - lo) / (hi - lo) * 2^r) of the 2^r words give hi, the others lo.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction

import numpy as np
import pytest

from hwgen.emit import emit
from hwgen.flow.csim import compile_native
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated import load_many
from hwgen.operators import load

R = 5
SMALL = {
    "exact": {"formats": {"a": "e2m1", "b": "e2m1", "y": "e3m2"}},
    "aligned": {
        "formats": {"a": "e2m1", "b": "e2m1", "y": "e3m2"},
        "scheme": {"aligned": 1},
        "rounding": "rdn",
    },
    "tree": {"formats": {"a": "e2m1", "b": "e2m1", "y": "e2m3"}, "scheme": "tree", "rounding": "rup"},
    "sequential": {"formats": {"a": "e2m1", "b": "e2m1", "y": "e3m2"}, "scheme": "sequential"},
}
STOCHASTIC = {
    "exact_sr": "exact",
    "aligned_sr": {"aligned": {"bits": 40, "shifted_out": "jam"}},  # wide enough to be exact here
}


def witnesses(specs: list[dict], folder) -> list[tuple]:
    operators = [load({"kind": "dot", **spec}) for spec in specs]
    projects = [emit(operator, folder / operator.name) for operator in operators]
    for project in projects:
        generate_rtl(project)
    rtl = load_many(projects)
    return [
        (operator, (compile_native(project), simulated))
        for operator, project, simulated in zip(operators, projects, rtl, strict=True)
    ]


def test_every_operand_of_small_dot_products_gives_the_golden_result(tmp_path) -> None:
    specs = [{"name": f"small_{name}", "n": 2, **spec} for name, spec in SMALL.items()]
    for operator, engines in witnesses(specs, tmp_path):
        operands = operator.exhaustive()
        assert operands is not None
        assert len(operands[0]) == 1 << 16
        want = operator.golden(*operands)
        for engine in engines:
            np.testing.assert_array_equal(engine(*operands), want, f"{operator.name}: {engine}")


def test_over_all_random_words_the_upward_results_number_exactly_k(tmp_path) -> None:
    formats = {"a": "e4m3fn", "b": "e2m3", "c": "e4m3fn", "y": "e4m3fn"}
    rounding = {"mode": "sr", "bits": R}
    specs = [
        {"name": name, "n": 3, "formats": formats, "scheme": scheme, "rounding": rounding}
        for name, scheme in STOCHASTIC.items()
    ]
    for operator, engines in witnesses(specs, tmp_path):
        a, b, c, _ = operator.vectors(1_500, seed=6)
        fields = operator.spec.formats
        with np.errstate(invalid="ignore"):
            factors = fields.a.decode(a), fields.b.decode(b), fields.c.decode(c)
        magnitudes = [Fraction(float(v)) for v in fields.y.decode(np.arange(0x7F))]
        finite = np.isfinite(factors[0]).all(axis=1) & np.isfinite(factors[2])
        words = np.arange(1 << R, dtype=operator.inputs[-1].dtype)
        results = [engine(a[:, None, :], b[:, None, :], c[:, None], words[None, :]) for engine in engines]
        seen = {"negative": 0, "subnormal": 0, "inexact": 0}
        for index in np.flatnonzero(finite):
            pairs = zip(factors[0][index], factors[1][index], strict=True)
            exact = Fraction(float(factors[2][index]))
            exact += sum(Fraction(float(p)) * Fraction(float(q)) for p, q in pairs)
            if exact == 0 or abs(exact) >= magnitudes[-1]:
                continue
            low = bisect_right(magnitudes, abs(exact)) - 1
            step = magnitudes[low + 1] - magnitudes[low]
            k = int((abs(exact) - magnitudes[low]) / step * 2**R)
            up = np.arange(1 << R) + k >= 1 << R
            want = np.where(up, low + 1, low) | (0x80 if exact < 0 else 0)
            for engine, rows in zip(engines, results, strict=True):
                assert rows[index].tolist() == want.tolist(), f"{operator.name} {engine}: {exact}"
            seen["negative"] += exact < 0
            seen["subnormal"] += low < 8
            seen["inexact"] += k > 0
        assert min(seen.values()) > 50, seen


@pytest.mark.slow
def test_sixty_four_elements_compile_to_rtl_that_agrees(tmp_path) -> None:
    formats = {"a": "e4m3fn", "b": "e4m3fn", "c": "fp32", "y": "fp32"}
    ((operator, engines),) = witnesses([{"name": "widest", "n": 64, "formats": formats}], tmp_path)
    operands = operator.vectors(20_000, seed=3)
    want = operator.golden(*operands)
    for engine in engines:
        np.testing.assert_array_equal(engine(*operands), want)
