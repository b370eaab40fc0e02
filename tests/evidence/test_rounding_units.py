"""Stochastic rounding in blocks and weight updates, C++ and RTL: over all words, exactly k go up.

What is expected is computed here, in Fractions, from the definition: with lo <= |x| < hi the neighbours of an
exact value, k = floor((|x| - lo) / (hi - lo) * 2^r) of the 2^r words give hi, the others lo.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from pathlib import Path

import numpy as np

from hwgen.emit import emit
from hwgen.flow.csim import compile_native
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated import load_rtl
from hwgen.operators import Operator, load

BITS = 4


def unit(kind: str, formats: dict[str, str], **more: object) -> Operator:
    rounding = {"mode": "sr", "bits": BITS}
    return load({"kind": kind, "name": f"{kind}_sr", "formats": formats, "rounding": rounding, **more})


def k_of(exact: Fraction, magnitudes: list[Fraction]) -> tuple[Fraction, Fraction, int]:
    """Return the neighbours of a magnitude and the number of words that take it to the upper one."""
    below = bisect_right(magnitudes, abs(exact)) - 1
    lo, hi = magnitudes[below], magnitudes[min(below + 1, len(magnitudes) - 1)]
    return lo, hi, int((abs(exact) - lo) / (hi - lo) * 2**BITS) if lo != hi else 0


def check(results: np.ndarray, exact: Fraction, magnitudes: list[Fraction]) -> int:
    """Compare decoded results over all words with one exact value; return k."""
    lo, hi, k = k_of(exact, magnitudes)
    seen = [abs(Fraction(float(value))) for value in results]
    assert (seen.count(hi) if k else 0, seen.count(lo)) == (k, 2**BITS - k), exact
    return k


def test_of_all_words_exactly_k_take_an_element_of_a_block_up(tmp_path: Path) -> None:
    operator = unit("quantize", {"x": "bf16", "y": "mxfp4"}, n=3)
    project = emit(operator, tmp_path / "project")
    generate_rtl(project)
    x_fmt, element = operator.spec.formats.x, operator.spec.formats.y.element
    magnitudes = [Fraction(float(v)) for v in element.decode(np.arange(8, dtype=np.uint8))]
    rng = np.random.default_rng(1)
    x = x_fmt.encode(rng.standard_normal((200, 3)) * [1.0, 0.5, 0.1])
    words = np.broadcast_to(np.arange(2**BITS, dtype=np.uint8)[:, None], (2**BITS, 3))
    operands = np.broadcast_to(x[:, None], (200, 2**BITS, 3)), np.broadcast_to(words, (200, 2**BITS, 3))
    moved = 0
    for witness in (compile_native(project), load_rtl(project)):
        results = witness(*operands)
        for block, codes in zip(x_fmt.decode(x), results, strict=True):
            largest = max(abs(Fraction(float(value))) for value in block)
            exponent = 0  # floor(log2(largest)) - 2
            while largest >= Fraction(2) ** (exponent + 3):
                exponent += 1
            while largest < Fraction(2) ** (exponent + 2):
                exponent -= 1
            assert (codes[:, 3] == exponent + 127).all()
            for place, value in enumerate(block):
                scaled = Fraction(float(value)) / Fraction(2) ** exponent
                if abs(scaled) < magnitudes[-1]:
                    moved += check(element.decode(codes[:, place]), scaled, magnitudes) > 0
    assert moved > 500


def test_of_all_words_exactly_k_take_a_weight_up(tmp_path: Path) -> None:
    operator = unit("sgd", {"w": "bf16"}, momentum=0, decay=0)
    project = emit(operator, tmp_path / "project")
    generate_rtl(project)
    fmt = operator.spec.formats.w
    magnitudes = [Fraction(float(v)) for v in fmt.decode(np.arange(fmt.max_finite_code + 1, dtype=np.uint16))]
    rng = np.random.default_rng(2)
    columns = [fmt.encode(rng.standard_normal(300) * scale) for scale in (1.0, 0.3, 0.2)]
    words = np.arange(2**BITS, dtype=np.uint8)
    moved = 0
    for witness in (compile_native(project), load_rtl(project)):
        results = witness(*(column[:, None] for column in columns), words[None])
        rows = zip(*(fmt.decode(column) for column in columns), fmt.decode(results), strict=True)
        for w, g, lr, row in rows:
            exact = Fraction(float(w)) - Fraction(float(lr)) * Fraction(float(g))
            assert len(set(np.sign(row[row != 0]))) <= 1
            moved += check(row, exact, magnitudes) > 0
    assert moved > 300
