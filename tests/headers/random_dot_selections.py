"""Random dot products with selectable formats, and a library of their emitted tops."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from header_builds import compile_units
from numpy.typing import NDArray

from hwgen.emit.render import render_project
from hwgen.operators import Operator, load

__all__ = ["build", "dot", "mismatches", "random_dots"]

MODES = ("rne", "rna", "rtz", "rup", "rdn", "rto", "sr", "sr")
FLOATS = ("e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz", "e2m1", "e3m2", "e2m3", "bf16", "fp16", "e6m5", "e4m9")
FIXED = ("int4", "uint8", "q1.7", "q4.4", "uq0.6")
_FLUSHED = {"exponent": 4, "mantissa": 3, "subnormals": False}


def random_dots(seed: int, count: int) -> list[Operator]:
    """Return units that nobody chose."""
    rng = random.Random(seed)
    return [load({"name": f"s{index}", **_random_spec(rng)}) for index in range(count)]


def dot(name: str = "planted", **keys: Any) -> Operator:
    return load({"kind": "dot", "name": name, **keys})


def _random_spec(rng: random.Random) -> dict[str, Any]:
    modes = rng.choice((2, 2, 3, 4))

    def formats(many: bool, fixed: float) -> Any:
        made = [
            rng.choice(FIXED) if rng.random() < fixed else rng.choice((*FLOATS, {"float": _FLUSHED}))
            for _ in range(modes if many else 1)
        ]
        return made if many else made[0]

    keys: dict[str, Any] = {"a": formats(True, 0.2), "b": formats(rng.random() < 0.7, 0.2)}
    keys["y"] = formats(rng.random() < 0.5, 0)
    if rng.random() < 0.7:
        keys["c"] = keys["y"] if rng.random() < 0.6 else formats(rng.random() < 0.5, 0)
    mode = rng.choice(MODES)
    aligned = {"bits": rng.choice((1, 4, 9, 24, 40)), "shifted_out": rng.choice(("truncate", "jam"))}
    return {
        "kind": "dot",
        "n": rng.choice((1, 2, 3, 5)),
        "formats": keys,
        "scheme": rng.choice(("exact", {"aligned": aligned})),
        "rounding": {"mode": "sr", "bits": rng.choice((1, 4, 9))} if mode == "sr" else mode,
        "overflow": "saturate",
    }


def mismatches(units: Sequence[Operator], folder: Path, count: int, headers: Path | None = None) -> list[str]:
    """Return the first difference of each unit between C++ and golden."""
    library = build(units, folder, headers=headers)
    found = []
    for unit in units:
        operands = unit.vectors(count, seed=1)
        got, want = _run(library, unit, operands), unit.golden(*operands)
        assert len(want) == count
        for index in np.flatnonzero(got != want)[:1]:
            given = [operand[index].tolist() for operand in operands]
            found.append(f"{unit.spec}: {given} gives {got[index]:#x}, golden {int(want[index]):#x}")
    return found


def build(units: Sequence[Operator], folder: Path, *, headers: Path | None = None) -> ctypes.CDLL:
    """Compile the emitted tops of all units, without warnings; `headers` replaces the header library."""
    head = ['#include "hwgen/dot_select.hpp"', "#include <cstddef>", "#include <cstdint>"]
    flags = ("-O1", "-Wno-unknown-pragmas")  # tops have pragmas for Vitis
    return compile_units([*head, *map(_function, units)], folder, headers=headers, flags=flags)


def _run(library: ctypes.CDLL, unit: Operator, operands: Sequence[NDArray[Any]]) -> NDArray[np.uint64]:
    columns = [array.reshape(len(array), -1).astype(np.uint64) for array in operands]
    rows = np.ascontiguousarray(np.concatenate(columns, axis=1))
    result = np.empty(len(rows), np.uint64)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (rows, result)]
    getattr(library, f"run_{unit.name}")(ctypes.c_size_t(len(rows)), *pointers)
    return result


def _function(unit: Operator) -> str:
    text = render_project(unit)[f"src/{unit.name}.cpp"].decode()
    top = "\n".join(line for line in text.splitlines() if not line.startswith("#include"))
    words, at = [], 0
    for port in unit.inputs:
        words.append(f"    ap_uint<{port.width}> {port.name}_word = 0;")
        for index, width in enumerate(port.layout):
            element = f"ap_uint<{port.width}>(row[{at}]) << {index * width}"
            words.append(f"    {port.name}_word |= {element};")
            at += 1
    names = ", ".join(f"{port.name}_word" for port in unit.inputs)
    body = "\n".join(words)
    return f"""
namespace of_{unit.name} {{
{top}
}}
extern "C" void run_{unit.name}(std::size_t count, const std::uint64_t* rows, std::uint64_t* result) {{
  for (std::size_t i = 0; i < count; ++i) {{
    const std::uint64_t* row = rows + i * {at};
{body}
    ap_uint<{unit.output.width}> y = 0;
    of_{unit.name}::{unit.name}({names}, y);
    result[i] = y.to_uint64();
  }}
}}"""
