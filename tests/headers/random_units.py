"""Random operator specs, and one shared library that computes all of them through the C++ headers."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from header_builds import compile_units
from numpy.typing import NDArray

from hwgen.emit.cpp import format_type, rounding_type
from hwgen.operators import Operator, load

OPERANDS = {
    "convert": ("x",),
    "add": ("a", "b"),
    "mul": ("a", "b"),
    "fma": ("a", "b", "c"),
    "mac": ("a", "b", "acc"),
}
MODES = ("rne", "rna", "rtz", "rup", "rdn", "rto", "sr", "sr")
STANDARD = (
    "e4m3fn",
    "e5m2",
    "e4m3fnuz",
    "e5m2fnuz",
    "e2m1",
    "e3m2",
    "e2m3",
    "bf16",
    "fp16",
    "fp32",
    "e6m5",
    "e6m9",
)
OVERFLOWS = {
    "ieee": ("infinity", "infinity", "saturate"),
    "fn": ("saturate", "nan"),
    "fnuz": ("saturate", "nan"),
    "none": ("saturate",),
}


def random_units(seed: int, count: int) -> list[Operator]:
    """Return `count` operators of random kinds, formats, rounding and overflow rules."""
    rng = random.Random(seed)
    return [_random_unit(rng, f"u{index}") for index in range(count)]


def _random_unit(rng: random.Random, name: str) -> Operator:
    kind = rng.choice(tuple(OPERANDS))
    keys = [*OPERANDS[kind], *([] if kind == "mac" else ["y"])]
    if rng.random() < 0.3:  # one format throughout takes the datapaths of twins
        formats = dict.fromkeys(keys, _random_float(rng))
    elif rng.random() < 0.2:
        formats = {key: _random_fixed(rng) for key in keys}
    else:
        formats = {key: _random_fixed(rng) if rng.random() < 0.15 else _random_float(rng) for key in keys}
    mode = rng.choice(MODES)
    rounding: Any = {"mode": mode, "bits": rng.choice((1, 2, 4, 8, 13, 20))} if mode == "sr" else mode
    spec = {"kind": kind, "name": name, "formats": formats, "rounding": rounding, "interface": "function"}
    result = formats[keys[-1]]
    if "fixed" in result:
        single_term = kind in ("convert", "mul") or all("fixed" in formats[key] for key in keys)
        spec["overflow"] = rng.choice(("saturate", "wrap")) if single_term else "saturate"
    else:
        spec["overflow"] = rng.choice(OVERFLOWS[result["float"]["specials"]])
    if kind == "mac" and spec["overflow"] != "wrap" and rng.random() < 0.4:
        spec["accumulate"] = {"split": _random_float(rng)}
    if kind == "add" and formats["a"] == formats["b"] and "float" in formats["a"] and rng.random() < 0.5:
        spec["target"] = {"optimise": "area"}
    return load(spec)


def random_float_sums(seed: int, count: int, *, eager: bool) -> list[Operator]:
    """Return `count` sums of floats of random formats: eager `sr`, or any rule and short factors."""
    rng = random.Random(seed)
    return [_random_float_sum(rng, f"u{index}", eager=eager) for index in range(count)]


def _random_float_sum(rng: random.Random, name: str, *, eager: bool) -> Operator:
    kind = rng.choice(("add", "fma", "mac") if eager else ("fma", "mac"))
    keys = [*OPERANDS[kind], *([] if kind == "mac" else ["y"])]
    common = _random_float(rng) if rng.random() < 0.3 else None
    formats = {key: common or _random_float(rng) for key in keys}
    if not eager:
        for factor in ("a", "b"):
            formats[factor] = {"float": {**formats[factor]["float"], "mantissa": rng.randint(1, 3)}}
    mode = "sr" if eager else rng.choice(MODES)
    rounding: Any = mode
    if mode == "sr":
        variant = "eager" if eager else "lazy"
        rounding = {"mode": mode, "bits": rng.choice((1, 2, 4, 8, 13, 20)), "variant": variant}
    spec = {"kind": kind, "name": name, "formats": formats, "rounding": rounding}
    spec["overflow"] = rng.choice(OVERFLOWS[formats[keys[-1]]["float"]["specials"]])
    if kind == "mac" and eager and rng.random() < 0.4:
        spec["accumulate"] = {"split": _random_float(rng)}
    return load(spec)


def _random_float(rng: random.Random) -> dict[str, Any]:
    from hwgen import formats

    if rng.random() < 0.5:
        float_format = formats.parse_format(rng.choice(STANDARD))
        assert isinstance(float_format, formats.FloatFormat)
        fields = {key: getattr(float_format, key) for key in ("exponent", "mantissa", "bias")}
        fields["specials"] = str(float_format.specials)
    else:
        specials = rng.choice(("ieee", "ieee", "fn", "fnuz", "none"))
        exponent, mantissa = rng.randint(2, 6), rng.randint(1 if specials == "ieee" else 0, 8)
        bias = (1 << exponent - 1) - 1 + rng.choice((-3, 0, 0, 0, 1, 5))
        fields = {"exponent": exponent, "mantissa": mantissa, "bias": bias, "specials": specials}
    return {"float": {**fields, "subnormals": rng.random() < 0.75}}


def _random_fixed(rng: random.Random) -> dict[str, Any]:
    fields = {"width": rng.randint(1, 20), "fraction": rng.randint(-4, 24), "signed": rng.random() < 0.7}
    return {"fixed": fields}


def build(
    units: Sequence[Operator], folder: Path, *, headers: Path | None = None, circuit: bool = False
) -> ctypes.CDLL:
    """Compile one function a unit, without warnings; `headers` replaces the shipped header library.

    With `circuit`, the headers write out what they leave to other tools' `*` and the like, as for the RTL.
    """
    flags = ["-O1", *(["-DHWGEN_LOWER", "-Wno-bit-int-extension"] if circuit else [])]
    return compile_units([*_INCLUDES, *map(_function, units)], folder, headers=headers, flags=flags)


def run(library: ctypes.CDLL, unit: Operator, operands: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the C++ results for operand arrays in port order."""
    words = np.stack([np.asarray(operand, np.uint64) for operand in operands], axis=1)
    words = np.ascontiguousarray(words)
    result = np.empty(len(words), np.uint64)
    entry = getattr(library, unit.name)
    entry(
        ctypes.c_size_t(len(words)), ctypes.c_void_p(words.ctypes.data), ctypes.c_void_p(result.ctypes.data)
    )
    return result.astype(unit.output.dtype)


_INCLUDES = [f'#include "hwgen/{name}.hpp"' for name in (*OPERANDS, "eager", "posit", "exponent")]
_INCLUDES += ["#include <cstddef>", "#include <cstdint>"]


def _function(unit: Operator) -> str:
    ports = unit.inputs
    types = [format_type(port.format) for port in ports if port.format is not None]
    rounding = unit.spec.rounding
    rule = rounding_type(rounding.rounding(), unit.spec.overflow, eager=rounding.eager)
    call = unit.kind
    product = getattr(unit.spec, "product", None)
    if product is not None:
        call = "mac_split"
        types[2:2] = [format_type(product[0])]
        types.append(rounding_type(product[1], product[0].default_overflow))
    if unit.kind != "mac":
        types.append(format_type(unit.output.format))
    goal = getattr(unit.spec.target, "optimise", "depth")
    more = [] if goal == "depth" else [f"hwgen::goal::{goal}"]
    arguments = ", ".join(f"ap_uint<{port.width}>(row[{index}])" for index, port in enumerate(ports))
    return f"""
extern "C" void {unit.name}(std::size_t count, const std::uint64_t* rows, std::uint64_t* result) {{
  for (std::size_t i = 0; i < count; ++i) {{
    const std::uint64_t* row = rows + i * {len(ports)};
    result[i] = hwgen::{call}<{", ".join([*types, rule, *more])}>({arguments}).to_uint64();
  }}
}}"""
