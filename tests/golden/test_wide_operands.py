"""Formats of up to 16 bits, mixed freely, against the Fraction oracle in all seven modes."""

from __future__ import annotations

import numpy as np
import pytest
from fraction_oracle import MODES, add, multiply, spec_of
from golden_vectors import edge_codes, hard_pairs, hard_triples, random_codes

from hwgen import golden
from hwgen.formats import Rounding, parse_format

R = 5
TRIPLES = [
    ("bf16", "bf16", "bf16", "bf16"),
    ("e4m3fn", "e5m2", "fp16", "e6m5"),
    ("fp16", "e4m3fnuz", "bf16", "fp16"),
    ("e6m9", "e2m3", "e5m2ftz", "e4m3ftz"),
    ("q1.7", "e4m3fn", "q4.4", "bf16"),
    ("q1.7", "q2.6", "fp16", "q3.9"),
]


def operands_of(rng, formats, count):
    if all(fmt.family == "float" for fmt in formats):
        make = hard_pairs if len(formats) == 2 else hard_triples
        return make(rng, *formats, count)
    codes = [random_codes(rng, fmt, count) for fmt in formats]
    edges = [rng.choice(edge_codes(fmt), count) for fmt in formats]
    return tuple(np.where(rng.random(count) < 0.2, e, c) for c, e in zip(codes, edges, strict=True))


def check_fma(names, mode, count):
    formats = [parse_format(name) for name in names]
    a, b, c, y = formats
    rng = np.random.default_rng(count)
    codes = operands_of(rng, formats[:3], count)
    words = rng.integers(0, 1 << R, count)
    stochastic = mode == "sr"
    got = golden.fma(
        *codes,
        a_fmt=a,
        b_fmt=b,
        c_fmt=c,
        y_fmt=y,
        rounding=Rounding(mode, R if stochastic else None),
        rand=words if stochastic else None,
    )
    specs = [spec_of(fmt) for fmt in formats]
    for *operands, word, result in zip(*(array.tolist() for array in (*codes, words, got)), strict=True):
        x, z, w = (spec.value(code) for spec, code in zip(specs, operands, strict=False))
        exact = add(multiply(x, z), w, mode)
        assert result == specs[3].round(exact, mode, y.default_overflow, word, R), [
            hex(code) for code in operands
        ]


@pytest.mark.parametrize("mode", [*MODES, "sr"])
@pytest.mark.parametrize("names", TRIPLES)
def test_fma_of_mixed_formats_equals_the_oracle(names, mode):
    check_fma(names, mode, 700)


@pytest.mark.slow
@pytest.mark.parametrize("mode", [*MODES, "sr"])
def test_bf16_fma_equals_the_oracle_on_a_million_vectors(mode):
    check_fma(("bf16", "bf16", "bf16", "bf16"), mode, 150_000)  # times seven modes
