"""Booth products: every pair of numbers of the array's widths, and a bug in a row is seen."""

from __future__ import annotations

import ctypes
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from header_builds import compile_units, plant

WIDTHS = (2, 3, 5, 8, 9)


def wrong_products(folder: Path, headers: Path | None = None) -> list[tuple[int, int, int, int]]:
    """Return the pairs of widths and of numbers whose product differs from Python's."""
    lines = ['#include "hwgen/trainer/booth.hpp"']
    for a, b in product(WIDTHS, WIDTHS):
        lines.append(
            f"""extern "C" void booth_{a}_{b}(const int* x, const int* y, int n, int* z) {{
  for (int i = 0; i < n; ++i)
    z[i] = hwgen::booth_product<{a}, {b}>(ap_int<{a}>(x[i]), ap_int<{b}>(y[i])).to_int();
}}"""
        )
    library = compile_units(lines, folder, headers=headers, flags=("-O1", "-Wno-unknown-pragmas"))
    found = []
    for a, b in product(WIDTHS, WIDTHS):
        x, y = (
            grid.reshape(-1).astype(np.int32)
            for grid in np.meshgrid(*(np.arange(-(1 << w - 1), 1 << w - 1) for w in (a, b)))
        )
        z = np.empty_like(x)
        getattr(library, f"booth_{a}_{b}")(
            *(ctypes.c_void_p(array.ctypes.data) for array in (x, y)),
            len(x),
            ctypes.c_void_p(z.ctypes.data),
        )
        found += [(a, b, int(x[i]), int(y[i])) for i in np.flatnonzero(z != x * y)[:3]]
    return found


def test_products_of_all_numbers_of_every_pair_of_widths_are_exact(tmp_path: Path) -> None:
    assert wrong_products(tmp_path) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("low == below && high != low", "low == below && high"),
        ("const bool once = low != below;", "const bool once = low;"),
        ("return sum + y + high;", "return sum + y;"),
        ("ap_int<A + 2> with =", "ap_int<A + 1> with ="),
    ],
)
def test_a_bug_in_a_row_is_seen(right: str, wrong: str, tmp_path: Path) -> None:
    assert wrong_products(tmp_path, plant(tmp_path, "trainer/booth", right, wrong))
