"""Stochastic rounding in C++ and RTL, with every random word: the count of upward results is k, exactly.

What is expected is computed here from the definition: with lo <= |x| < hi the neighbours of the exact result,
k = floor((|x| - lo) / (hi - lo) * 2^r) of the 2^r words give hi, the others lo.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction

import numpy as np
import pytest

from hwgen.emit import emit
from hwgen.flow.csim import compile_native
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated import load_rtl
from hwgen.formats import FloatFormat
from hwgen.operators import Operator, load

UNITS = {
    "convert": ("convert", {"x": "bf16", "y": "e4m3fn"}, 6),
    "add": ("add", {"a": "e5m2", "b": "e4m3fn", "y": "e4m3fn"}, 8),
    "add in one format": ("add", {"a": "e5m2", "b": "e5m2", "y": "e5m2"}, 8),
    "mul": ("mul", {"a": "e5m2", "b": "e5m2", "y": "e4m3fn"}, 4),
    "mac": ("mac", {"a": "e5m2", "b": "e5m2", "acc": "e4m3fn"}, 6),
    "mac in a wide accumulator": ("mac", {"a": "e4m3fn", "b": "e5m2", "acc": "e6m5"}, 8),
    "fma": ("fma", {"a": "e5m2", "b": "e5m2", "c": "e5m2", "y": "e4m3fn"}, 9),
    "eager add": ("add", {"a": "e5m2", "b": "e4m3fn", "y": "e4m3fn"}, 8),
    "eager mac": ("mac", {"a": "e5m2", "b": "e5m2", "acc": "e4m3fn"}, 6),
    "eager mac in a wide accumulator": ("mac", {"a": "e4m3fn", "b": "e5m2", "acc": "e6m5"}, 8),
    "eager fma": ("fma", {"a": "e5m2", "b": "e5m2", "c": "e5m2", "y": "e4m3fn"}, 9),
}
SLOW = ("eager add", "eager mac in a wide accumulator", "eager fma")
EXACT_SUBNORMALS = ("add in one format", "mac in a wide accumulator", "eager mac in a wide accumulator")


def values(format_: FloatFormat, codes: np.ndarray) -> list[Fraction | None]:
    """Return exact values; None for infinities and NaN."""
    decoded = format_.decode(codes)
    return [Fraction(float(value)) if np.isfinite(value) else None for value in decoded]


def exact_results(operator: Operator, columns: list[np.ndarray]) -> list[Fraction | None]:
    fields = [port.format for port in operator.inputs if port.format is not None]
    rows = zip(*(values(field, column) for field, column in zip(fields, columns, strict=True)), strict=True)
    results: list[Fraction | None] = []
    for row in rows:
        if None in row:
            results.append(None)
        elif operator.kind == "convert":
            results.append(row[0])
        elif operator.kind == "add":
            results.append(row[0] + row[1])
        else:
            results.append(row[0] * row[1] + (row[2] if len(row) == 3 else 0))
    return results


@pytest.mark.parametrize(
    "unit", [pytest.param(unit, marks=pytest.mark.slow) if unit in SLOW else unit for unit in UNITS]
)
def test_over_all_random_words_the_upward_results_number_exactly_k(unit: str, tmp_path) -> None:
    kind, formats, bits = UNITS[unit]
    rounding = {"mode": "sr", "bits": bits, "variant": "eager" if unit.startswith("eager") else "lazy"}
    operator = load({"kind": kind, "name": f"{kind}_sr", "formats": formats, "rounding": rounding})
    project = emit(operator, tmp_path / "project")
    generate_rtl(project)

    columns = list(operator.vectors(3_000, seed=5))[:-1]
    y = operator.output.format
    magnitudes = [v for v in values(y, np.arange(1 << y.width - 1)) if v is not None]
    cases = [(i, x) for i, x in enumerate(exact_results(operator, columns)) if x and abs(x) < magnitudes[-1]]
    smallest_normal = magnitudes[1 << y.mantissa]
    inexact = [(i, x) for i, x in cases if abs(x) not in magnitudes]
    inexact.sort(key=lambda case: abs(case[1]) >= smallest_normal)  # subnormal results first
    chosen = inexact[:900:2] + inexact[-450:] + [case for case in cases if abs(case[1]) in magnitudes][:100]
    rows = np.array([i for i, _ in chosen])
    words = np.arange(1 << bits, dtype=operator.inputs[-1].dtype)
    operands = [column[rows][:, None] for column in columns] + [words[None, :]]

    sign = 1 << y.width - 1
    seen = {"negative": 0, "subnormal": 0, "inexact": 0}
    for witness in (compile_native(project), load_rtl(project)):
        results = witness(*operands)
        for (_, x), row in zip(chosen, results, strict=True):
            below = bisect_right(magnitudes, abs(x)) - 1
            lo = magnitudes[below]
            hi = magnitudes[below + 1] if below + 1 < len(magnitudes) else lo
            k = int((abs(x) - lo) / (hi - lo) * 2**bits) if abs(x) != lo else 0
            up, down = (below + 1) | sign * (x < 0), below | sign * (x < 0)
            counts = int(np.sum(row == up)), int(np.sum(row == down))
            assert counts == (k, (1 << bits) - k), f"{witness}: exact result {x}"
            seen["negative"] += x < 0
            seen["subnormal"] += abs(x) < smallest_normal
            seen["inexact"] += k > 0
    if unit in EXACT_SUBNORMALS:
        del seen["subnormal"]
    assert min(seen.values()) > 100, seen
