"""Softmax units in one shared library: the types of the emitted source, and activations without streams."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from header_builds import compile_units
from numpy.typing import NDArray

from hwgen.emit.render import render_project
from hwgen.operators import Operator, load

__all__ = ["mismatches", "softmax"]

_PARAMETERS = "(std::size_t count, std::size_t room, const std::uint64_t* rows, std::uint64_t* result)"


def softmax(name: str, max_length: int, x: str, y: str, **keys: Any) -> Operator:
    formats = {"x": x, "y": y}
    return load({"kind": "softmax", "name": name, "max_length": max_length, "formats": formats, **keys})


def mismatches(
    units: Sequence[Operator], folder: Path, elements: int, headers: Path | None = None
) -> list[str]:
    """Return the first difference of each unit between C++ and golden."""
    head = ["#include <cstddef>", "#include <cstdint>", '#include "hwgen/softmax.hpp"']
    flags = ("-O1", "-Wno-unknown-pragmas")  # the header has pragmas for Vitis
    library = compile_units([*head, *map(_function, units)], folder, headers=headers, flags=flags)
    found = []
    for unit in units:
        operands = unit.vectors(elements, seed=1)
        got, want = _run(library, unit, operands), np.array(unit.output.words(unit.golden(*operands)))
        assert len(want) > elements // 2
        shorter = min(len(got), len(want))
        different = np.flatnonzero(got[:shorter] != want[:shorter])
        if len(got) != len(want) or len(different):
            found.append(f"{unit.name}: {len(got)} of {len(want)} results, different at {different[:5]}")
    return found


def _run(library: ctypes.CDLL, unit: Operator, operands: Sequence[NDArray[Any]]) -> NDArray[np.uint64]:
    rows = np.ascontiguousarray(np.stack([column.astype(np.uint64) for column in operands], axis=1))
    result = np.zeros(2 * len(rows), np.uint64)
    entry = getattr(library, unit.name)
    entry.restype = ctypes.c_size_t
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (rows, result)]
    released = entry(ctypes.c_size_t(len(rows)), ctypes.c_size_t(len(result)), *pointers)
    return result[:released]


def _function(unit: Operator) -> str:
    """Return the emitted types, and a loop of activations that ends when nothing moves."""
    text = render_project(unit)[f"src/{unit.name}.cpp"].decode()
    types = text[text.index("namespace {") + len("namespace {") : text.index("}  // namespace\n\nvoid")]
    return f"""
namespace {unit.name}_parts {{
namespace {{
{types}
}}
}}
extern "C" std::size_t {unit.name}{_PARAMETERS} {{
  using namespace {unit.name}_parts;
  passes_t passes = {{}};
  ap_uint<x_t::width> elements[max_length] = {{}};
  passes_t::frame_t frames[waiting_frames] = {{}};
  std::size_t taken = 0, released = 0;
  for (bool moves = true; moves && released < room;) {{
    const bool takes = taken < count && passes.takes();
    const bool releases = passes.releases();
    if (releases) result[released++] = passes.release<y_t, rounding_t>(elements, frames).to_uint64();
    if (takes) passes.take(rows[2 * taken], rows[2 * taken + 1], elements, frames);
    taken += takes;
    moves = takes || releases;
  }}
  return released;
}}"""
