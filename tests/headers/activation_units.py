"""Many emitted activation units in one shared library, so that exhaustive checks cost one compilation."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from header_builds import compile_units
from numpy.typing import NDArray

from hwgen.emit.render import render_project
from hwgen.operators import Operator


def build(units: Sequence[Operator], folder: Path, *, headers: Path | None = None) -> ctypes.CDLL:
    """Compile one function a unit, without warnings; `headers` replaces the shipped header library."""
    heading = ["#include <cstddef>", "#include <cstdint>"]
    heading += ['#include "hwgen/activation.hpp"', '#include "hwgen/activation_relu.hpp"']
    return compile_units([*heading, *map(_function, units)], folder, headers=headers)


def run(library: ctypes.CDLL, unit: Operator, operands: Sequence[NDArray[np.unsignedinteger]]) -> NDArray:
    """Return the C++ results for operand arrays in port order; mask bits stay on top of the value."""
    rows = np.ascontiguousarray(np.stack([np.asarray(column, np.uint64) for column in operands], axis=1))
    result = np.empty(len(rows), np.uint64)
    entry = getattr(library, unit.name)
    pointers = (ctypes.c_void_p(rows.ctypes.data), ctypes.c_void_p(result.ctypes.data))
    entry(ctypes.c_size_t(len(rows)), *pointers)
    return result


def golden(unit: Operator, operands: Sequence[NDArray[np.unsignedinteger]]) -> NDArray:
    """Return the golden results as whole words."""
    result = unit.golden(*operands).astype(np.uint64)
    if not unit.output.packed:
        return result
    return result[:, 0] | (result[:, 1] << np.uint64(unit.output.fields[0].width))


def every_operand(unit: Operator) -> tuple[NDArray[np.unsignedinteger], ...]:
    """Return all combinations of operands, and for each a random word if there is such a port."""
    ports = [port for port in unit.inputs if port.name != "rand"]
    grids = np.meshgrid(*(np.arange(1 << port.width, dtype=np.uint64) for port in ports), indexing="ij")
    columns = [grid.ravel() for grid in grids]
    for port in unit.inputs[len(ports) :]:
        columns.append(
            np.random.default_rng(3).integers(0, 1 << port.width, len(columns[0])).astype(np.uint64)
        )
    return tuple(columns)


def mismatches(units: Sequence[Operator], folder: Path, *, headers: Path | None = None) -> list[str]:
    """Return the first operand of each unit for which C++ and golden differ; every operand is tried."""
    library = build(units, folder, headers=headers)
    found = []
    for unit in units:
        operands = every_operand(unit)
        assert len(operands[0]) >= 1 << unit.inputs[0].width
        got, want = run(library, unit, operands), golden(unit, operands)
        for index in np.flatnonzero(got != want)[:1]:
            words = [hex(int(column[index])) for column in operands]
            found.append(f"{unit.name}: {words} gives {int(got[index]):#x}, golden {int(want[index]):#x}")
    return found


def _function(unit: Operator) -> str:
    """Return the part of the emitted source that computes, and a loop around it."""
    text = render_project(unit)[f"src/{unit.name}.cpp"].decode()
    body = text[text.index("namespace {") + len("namespace {") : text.index("}  // namespace\n")]
    arguments = ", ".join(f"ap_uint<{port.width}>(row[{index}])" for index, port in enumerate(unit.inputs))
    return f"""
namespace {unit.name}_parts {{
namespace {{
{body}
}}
}}
extern "C" void {unit.name}(std::size_t count, const std::uint64_t* rows, std::uint64_t* result) {{
  for (std::size_t i = 0; i < count; ++i) {{
    const std::uint64_t* row = rows + i * {len(unit.inputs)};
    result[i] = {unit.name}_parts::evaluate({arguments}).to_uint64();
  }}
}}"""
