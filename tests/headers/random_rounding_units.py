"""Random specs of round, quantize, dequantize and sgd units, and one library with the C++ of all.

The C++ is the emitted top of each unit, in a namespace of its own.
"""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from header_builds import compile_units
from numpy.typing import NDArray
from random_units import MODES, OVERFLOWS, _random_fixed, _random_float

from hwgen.emit import environment
from hwgen.emit.context import render_context
from hwgen.operators import Operator, Port, load

KINDS = ("round", "quantize", "quantize", "dequantize", "sgd")


def random_rounding_units(seed: int, count: int) -> list[Operator]:
    """Return `count` operators of random kinds, formats, sizes and rounding."""
    rng = random.Random(seed)
    return [_random_unit(rng, f"u{index}") for index in range(count)]


def _random_unit(rng: random.Random, name: str) -> Operator:
    kind, mode = rng.choice(KINDS), rng.choice(MODES)
    rounding: Any = {"mode": mode, "bits": rng.choice((1, 2, 4, 8, 13, 20))} if mode == "sr" else mode
    spec = {"kind": kind, "name": name, "rounding": rounding, "interface": "function"}
    spec["lanes"] = rng.choice((1, 1, 2, 3))
    if kind == "round":
        spec["formats"] = {"x": _number(rng), "y": _number(rng)}
        spec["overflow"] = _overflow(rng, spec["formats"]["y"])
        if mode == "sr":
            spec["variant"] = rng.choice(("floor", "compare", "centred", "nearest"))
        if "fixed" in spec["formats"]["x"] and rng.random() < 0.5:
            spec["formats"]["x"]["fixed"]["width"] = rng.randint(40, 64)
    elif kind == "sgd":
        spec |= _sgd_keys(rng, mode)
    else:
        number, block = _number(rng), _block(rng)
        spec["formats"] = {"x": number, "y": block} if kind == "quantize" else {"x": block, "y": number}
        if kind == "dequantize":
            spec["overflow"] = _overflow(rng, number)
        spec |= {"mode": "tensor"} if rng.random() < 0.4 else {"n": rng.randint(1, 7)}
    return load(spec)


def _sgd_keys(rng: random.Random, mode: str) -> dict[str, Any]:
    formats = {key: _number(rng) for key in ("w", "m", "g", "coefficient")}
    if rng.random() < 0.3:
        formats = dict.fromkeys(formats, _random_float(rng))
    keys: dict[str, Any] = {"formats": formats, "momentum": rng.choice(("port", "port", 0))}
    keys["decay"] = rng.choice(("port", 0))
    keys["nesterov"] = keys["momentum"] == "port" and rng.random() < 0.4
    if mode == "sr" and rng.random() < 0.4:
        keys["state_rounding"] = rng.choice(("rne", "rtz", "rup"))
    keys["overflow"] = _overflow(rng, formats["w"])
    if keys["overflow"] == "wrap":
        keys["overflow"] = "saturate"
    return keys


def _number(rng: random.Random) -> dict[str, Any]:
    return _random_fixed(rng) if rng.random() < 0.25 else _random_float(rng)


def _block(rng: random.Random) -> dict[str, Any]:
    element = _random_float(rng)
    if rng.random() < 0.5:
        element = {"fixed": {"width": rng.randint(2, 16), "fraction": rng.randint(-3, 9), "signed": True}}
    scale = "e8m0" if rng.random() < 0.5 else {"exponent": rng.choice((2, 4, 5, 8, 10))}
    return {"block": {"element": element, "size": "tensor", "scale": scale}}


def _overflow(rng: random.Random, result: dict[str, Any]) -> str:
    if "fixed" in result:
        return rng.choice(("saturate", "wrap"))
    return rng.choice(OVERFLOWS[result["float"]["specials"]])


def build(
    units: Sequence[Operator],
    folder: Path,
    *,
    headers: Path | None = None,
    change: Callable[[str], str] = lambda top: top,
) -> ctypes.CDLL:
    """Compile the tops of the units, without warnings.

    `headers` replaces the shipped header library, `change` edits the text of the tops.
    """
    names = {header for unit in units for header in _write_top(unit, folder, change)}
    lines = [f'#include "hwgen/{name}.hpp"' for name in sorted(names)] + [_WORDS, *map(_entry, units)]
    return compile_units(lines, folder, headers=headers, flags=["-O0", "-Wno-unknown-pragmas"])


def _write_top(unit: Operator, folder: Path, change: Callable[[str], str]) -> list[str]:
    """Write the top and its header, and return the headers that it includes."""
    context = render_context(unit)
    for suffix in ("hpp", "cpp"):
        text = change(environment().get_template(f"project/top.{suffix}.j2").render(context))
        (folder / f"{unit.name}.{suffix}").write_text(text, encoding="utf-8")
    return [line.split("/")[1][:-5] for line in text.splitlines() if line.startswith('#include "hwgen/')]


_WORDS = """
#include <cstddef>
#include <cstdint>

template <int W>
ap_uint<W> load(const std::uint64_t* limbs) {
  ap_uint<W> word = 0;
  for (int i = 0; i < (W + 63) / 64; ++i) word |= ap_uint<W>(limbs[i]) << (64 * i);
  return word;
}
template <int W>
void store(std::uint64_t* limbs, const ap_uint<W>& word) {
  for (int i = 0; i < (W + 63) / 64; ++i) limbs[i] = ap_uint<64>(word >> (64 * i)).to_uint64();
}
"""


def _limbs(port: Port) -> int:
    return -(-port.width // 64)


def _entry(unit: Operator) -> str:
    pointers = [f"const std::uint64_t* {port.name}" for port in unit.inputs]
    loads = [f"load<{port.width}>({port.name} + i * {_limbs(port)})" for port in unit.inputs]
    return f"""
namespace unit_{unit.name} {{
#include "{unit.name}.cpp"
}}
extern "C" void {unit.name}(std::size_t count, {", ".join(pointers)}, std::uint64_t* y) {{
  for (std::size_t i = 0; i < count; ++i) {{
    ap_uint<{unit.output.width}> result;
    unit_{unit.name}::{unit.name}({", ".join(loads)}, result);
    store<{unit.output.width}>(y + i * {_limbs(unit.output)}, result);
  }}
}}"""


def run(library: ctypes.CDLL, unit: Operator, operands: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the C++ results for operand arrays in port order."""
    arrays = [_words(port, operand) for port, operand in zip(unit.inputs, operands, strict=True)]
    count = len(operands[0])
    result = np.zeros((count, _limbs(unit.output)), np.uint64)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (*arrays, result)]
    getattr(library, unit.name)(ctypes.c_size_t(count), *pointers)
    return unit.output.array([int.from_bytes(row.tobytes(), "little") for row in result])


def _words(port: Port, operand: NDArray[Any]) -> NDArray[np.uint64]:
    size = 8 * _limbs(port)
    data = b"".join(word.to_bytes(size, "little") for word in port.words(operand))
    return np.frombuffer(data, np.uint64)
