"""The greatest and the least of a result word: what a measurement begins with."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest
from test_core_planted import with_bug

from hwgen.emit import emit_files
from hwgen.flow.native_build import build_library
from hwgen.trainer import load_spec
from hwgen.trainer.project import render_core

BITS = 45
COLUMNS = (4, 8)
SPEC = load_spec({"kind": "trainer"})


def extremes(project: Path, columns: int, words: np.ndarray) -> np.ndarray:
    """Return what the C++ finds in each word."""
    code = f"""
#include "hwgen/trainer/requantise.hpp"
#include <cstddef>
#include <cstdint>
extern "C" void find(std::size_t count, const std::int64_t* x, std::int64_t* found) {{
  for (std::size_t i = 0; i < count; ++i) {{
    ap_int<{BITS}> v[{columns}];
    for (int j = 0; j < {columns}; ++j) v[j] = x[{columns} * i + j];
    const auto e = hwgen::trainer::extremes<{BITS}>::among(v);
    found[2 * i] = e.greatest.to_int64();
    found[2 * i + 1] = e.least.to_int64();
  }}
}}"""
    folders = [project / "src", project / "open"]
    library = ctypes.CDLL(str(build_library("extremes", code, folders, flags=["-O1"])))
    found = np.zeros((len(words), 2), np.int64)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (words, found)]
    library.find(ctypes.c_size_t(len(words)), *pointers)
    return found


def some_words(columns: int) -> np.ndarray:
    """Return words whose extremes are in every column, numbers of every length and the ends of the range."""
    rng = np.random.default_rng(3)
    words = rng.integers(-(1 << BITS - 1), 1 << BITS - 1, (4000, columns)) >> rng.integers(0, BITS, (4000, 1))
    words[rng.random(words.shape) < 0.1] = 1 - (1 << BITS - 1)
    return np.ascontiguousarray(words)


@pytest.mark.parametrize("columns", COLUMNS)
def test_the_extremes_of_a_word_are_found_in_any_column(columns: int, tmp_path: Path) -> None:
    words = some_words(columns)
    expected = np.stack([words.max(axis=1), words.min(axis=1)], axis=1)
    project = emit_files(render_core(SPEC), tmp_path / "core")
    assert np.array_equal(extremes(project, columns, words), expected)


def test_a_column_that_is_left_out_is_seen(tmp_path: Path) -> None:
    words = some_words(8)
    expected = np.stack([words.max(axis=1), words.min(axis=1)], axis=1)
    project = with_bug(SPEC, "requantise", "pair[i + n].greatest", "pair[n].greatest", tmp_path)
    assert not np.array_equal(extremes(project, 8, words), expected)
