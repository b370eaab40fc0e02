"""Dot products of random formats and schemes, and a library that computes them through the C++ headers."""

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
from hwgen.formats import (
    BlockFormat,
    ExponentFormat,
    FixedFormat,
    FloatFormat,
    PositFormat,
    Rounding,
    parse_format,
)
from hwgen.golden.dot_unit import AlignedSum, DotUnit, ExactSum, SequentialSum, TreeSum

MODES = ("rne", "rna", "rtz", "rup", "rdn", "rto", "sr", "sr")
FLOATS = ("e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz", "e2m1", "e3m2", "e2m3", "bf16", "fp16", "fp32", "e6m5")
POSITS = ("posit8", "posit16", "posit6es1")


def random_unit(rng: random.Random) -> DotUnit:
    """Return a unit that nobody chose."""
    posit = rng.random() < 0.1
    a, b = _operand(rng, posit), _operand(rng, posit)
    scheme = _scheme(rng, posit)
    c = None if rng.random() < 0.35 else _scalar(rng, posit)
    y = _scalar(rng, posit)
    if c is not None and rng.random() < 0.5:
        y = c
    mode = rng.choice(MODES)
    parts = [y] + [getattr(scheme, key, None) for key in ("partial", "product")]
    if any(isinstance(part, PositFormat) for part in parts):
        mode = "rne"
    rounding = Rounding("sr", rng.choice((1, 3, 4, 8, 13))) if mode == "sr" else Rounding(mode)
    overflow = rng.choice(y.legal_overflows)
    fixed = all(isinstance(fmt, FixedFormat) for fmt in (a, b, *([] if c is None else [c])))
    if overflow == "wrap" and not (fixed and isinstance(scheme, ExactSum)):
        overflow = y.default_overflow
    return DotUnit(
        n=rng.choice((1, 2, 2, 3, 4, 5, 7, 8)),
        a=a,
        b=b,
        c=c,
        y=y,
        scheme=scheme,
        rounding=rounding,
        overflow=overflow,
    )


def _scheme(rng: random.Random, posit: bool) -> Any:
    def maybe() -> Any:
        return None if rng.random() < 0.5 else _float(rng)

    kind = rng.choice(("exact", "exact", "aligned", "aligned", "tree", "sequential"))
    if kind == "exact":
        return ExactSum()
    if kind == "aligned":
        return AlignedSum(rng.choice((1, 3, 7, 13, 23, 25, 40)), rng.random() < 0.5)
    return TreeSum(maybe()) if kind == "tree" else SequentialSum(maybe(), maybe())


def _operand(rng: random.Random, posit: bool) -> Any:
    if rng.random() < 0.25:
        element = _float(rng) if rng.random() < 0.6 else FixedFormat(rng.randint(2, 9), rng.randint(0, 7))
        return BlockFormat(element, 32, ExponentFormat() if rng.random() < 0.6 else rng.randint(2, 8))
    return _scalar(rng, posit)


def _scalar(rng: random.Random, posit: bool) -> Any:
    if posit and rng.random() < 0.8:
        return parse_format(rng.choice(POSITS))
    if rng.random() < 0.2:
        return FixedFormat(rng.randint(1, 16), rng.randint(-4, 20), rng.random() < 0.7)
    return _float(rng)


def _float(rng: random.Random) -> FloatFormat:
    if rng.random() < 0.6:
        fmt = parse_format(rng.choice(FLOATS))
        assert isinstance(fmt, FloatFormat)
        return FloatFormat(fmt.exponent, fmt.mantissa, fmt.bias, fmt.specials, rng.random() < 0.8)
    specials = rng.choice(("ieee", "fn", "fnuz", "none"))
    exponent, mantissa = rng.randint(2, 5), rng.randint(1 if specials == "ieee" else 0, 6)
    bias = (1 << exponent - 1) - 1 + rng.choice((-3, 0, 0, 0, 1, 5))
    return FloatFormat(exponent, mantissa, bias, specials, rng.random() < 0.75)


# ---- C++ ----------------------------------------------------------------------------------------------


def call_of(unit: DotUnit) -> str:
    """Return the call of the header library, with the words a, b, c, random as far as there are any."""
    rule = rounding_type(unit.rounding, unit.overflow)
    types = [_packed(unit.a, unit.n), _packed(unit.b, unit.n)]
    types += [_type(fmt) for fmt in (unit.c, unit.y) if fmt is not None]
    types.append(rule)
    scheme = unit.scheme
    partial, partial_overflow = unit.target(last=False)
    more = [_type(partial), rounding_type(unit.rounding, partial_overflow)]
    match scheme:
        case AlignedSum():
            name = "aligned"
            types += [str(scheme.bits), "hwgen::shifted_out::" + ("jam" if scheme.jam else "truncate")]
        case TreeSum():
            name, types = "tree", types + more
        case SequentialSum():
            name, types = "sequential", types + more
            if scheme.product is None:
                types.append("hwgen::exact_product")
            else:
                product_rule = rounding_type(unit.rounding, scheme.product.default_overflow)
                types.append(f"hwgen::rounded_product<{_type(scheme.product)}, {product_rule}>")
        case _:
            name = "exact"
    words = ["a", "b", *(["c"] if unit.c is not None else []), *(["random"] if unit.rounding.bits else [])]
    return f"hwgen::dot_{name}<{', '.join(types)}>({', '.join(words)})"


def _type(fmt: Any) -> str:
    return f"hwgen::posit_format<{fmt.width}, {fmt.es}>" if isinstance(fmt, PositFormat) else format_type(fmt)


def _packed(fmt: Any, n: int) -> str:
    if not isinstance(fmt, BlockFormat):
        return f"hwgen::packed<{_type(fmt)}, {n}>"
    scale = "e8m0_scale" if isinstance(fmt.scale, ExponentFormat) else f"exponent_scale<{fmt.scale}>"
    return f"hwgen::packed<{format_type(fmt.element)}, {n}, hwgen::{scale}>"


def layout_of(unit: DotUnit) -> list[tuple[str, list[int]]]:
    """Return the operands with the widths of their elements."""
    rows = []
    for name, fmt in (("a", unit.a), ("b", unit.b)):
        widths = [fmt.width] * unit.n + ([fmt.scale_width] if isinstance(fmt, BlockFormat) else [])
        rows.append((name, widths))
    if unit.c is not None:
        rows.append(("c", [unit.c.width]))
    if unit.rounding.bits:
        rows.append(("random", [unit.rounding.bits] * unit.words))
    return rows


def _function(index: int, unit: DotUnit) -> str:
    lines, at = [], 0
    for name, widths in layout_of(unit):
        offset = 0
        total = sum(widths)
        lines.append(f"    ap_uint<{total}> {name} = 0;")
        for width in widths:
            lines.append(f"    {name} |= ap_uint<{total}>(row[{at}]) << {offset};")
            offset, at = offset + width, at + 1
    body = "\n".join(lines)
    return f"""
extern "C" void u{index}(std::size_t count, const std::uint64_t* rows, std::uint64_t* result) {{
  for (std::size_t i = 0; i < count; ++i) {{
    const std::uint64_t* row = rows + i * {at};
{body}
    result[i] = {call_of(unit)}.to_uint64();
  }}
}}"""


def build(
    units: Sequence[DotUnit], folder: Path, *, headers: Path | None = None, circuit: bool = False
) -> ctypes.CDLL:
    """Compile one function a unit, without warnings.

    `headers` replaces the shipped header library; `circuit` compiles what it has for the open flow alone.
    """
    names = ["dot", *(["posit"] if any("posit_format" in call_of(unit) for unit in units) else [])]
    lines = [*(f'#include "hwgen/{name}.hpp"' for name in names), "#include <cstddef>", "#include <cstdint>"]
    lines += [_function(index, unit) for index, unit in enumerate(units)]
    flags = ["-O1", *(["-DHWGEN_LOWER", "-Wno-bit-int-extension"] if circuit else [])]
    return compile_units(lines, folder, headers=headers, flags=flags)


def run(library: ctypes.CDLL, index: int, operands: Sequence[NDArray[Any]]) -> NDArray[np.uint64]:
    """Return the C++ results for operands in port order: vectors in two axes, scalars in one."""
    columns = [operand if operand.ndim == 2 else operand[:, None] for operand in operands]
    rows = np.ascontiguousarray(np.concatenate([column.astype(np.uint64) for column in columns], axis=1))
    result = np.empty(len(rows), np.uint64)
    entry = getattr(library, f"u{index}")
    entry(ctypes.c_size_t(len(rows)), ctypes.c_void_p(rows.ctypes.data), ctypes.c_void_p(result.ctypes.data))
    return result
