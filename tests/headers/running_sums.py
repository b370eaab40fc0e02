"""Random running sums, and one shared library that computes all of them through the C++ headers."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from header_builds import compile_units
from numpy.typing import NDArray

from hwgen.emit.cpp import format_type, rounding_type
from hwgen.formats import FixedFormat, FloatFormat, Overflow, Rounding, parse_format
from hwgen.golden.accumulator import Terms, accumulate, accumulate_chunked, accumulate_long, squares, values
from hwgen.golden.accumulator_exact import combine_rounding
from hwgen.operators.sum_streams import sum_streams

Format = FloatFormat | FixedFormat

FORMATS = ("e5m2", "e4m3fn", "e5m2fnuz", "e4m3fnuz", "e2m1", "e3m2", "bf16", "fp16", "e6m5", "e6m9")
FORMATS += ("q1.7", "int8", "uint8", "q4.4", "q2.14")
MODES = ("rne", "rna", "rtz", "rup", "rdn", "rto", "sr", "sr")
HEADERS = ("accumulator", "accumulator_long")


@dataclass(frozen=True, kw_only=True)
class Sum:
    """A running sum; `interleave`, `chunk` or `register` (msb, lsb, segment) say which."""

    name: str
    x: Format
    y: Format
    rounding: Rounding
    overflow: Overflow
    squared: bool = False
    interleave: int = 1
    chunk: tuple[int, Format] | None = None
    register: tuple[int, int, int] | None = None

    @property
    def words(self) -> int:
        return 2 if self.chunk else 1

    def operands(self, count: int, seed: int) -> list[NDArray[Any]]:
        rng = np.random.default_rng(seed)
        x, ctrl = sum_streams(self.x, count, rng)
        bits = self.rounding.random_bits
        rand = rng.integers(0, 1 << bits, (count, self.words), dtype=np.uint64)
        return [x.astype(self.x.dtype), ctrl.astype(np.uint8), rand]

    def golden(self, x: NDArray[Any], ctrl: NDArray[Any], rand: NDArray[Any]) -> NDArray[Any]:
        terms: Terms = squares(self.x) if self.squared else values(self.x)
        how: dict[str, Any] = {"y_fmt": self.y, "rounding": self.rounding, "overflow": self.overflow}
        words = None if not self.rounding.random_bits else rand if self.words == 2 else rand[:, 0]
        if self.chunk:
            size, fmt = self.chunk
            return accumulate_chunked(terms, x, ctrl, chunk=size, chunk_fmt=fmt, rand=words, **how)
        if self.register:
            msb, lsb, _ = self.register
            pairs = accumulate_long(terms, x, ctrl, msb=msb, lsb=lsb, rand=words, **how).astype(np.uint64)
            return pairs[:, 0] | pairs[:, 1] << np.uint64(self.y.width)
        return accumulate(terms, x, ctrl, interleave=self.interleave, rand=words, **how)


def random_sums(seed: int, count: int) -> list[Sum]:
    rng = random.Random(seed)
    return [_random_sum(rng, f"s{index}") for index in range(count)]


def _random_sum(rng: random.Random, name: str) -> Sum:
    x, y, chunk = (parse_format(rng.choice(FORMATS)) for _ in range(3))
    assert isinstance(x, Format)
    assert isinstance(y, Format)
    assert isinstance(chunk, Format)
    mode = rng.choice(MODES)
    rounding = Rounding(mode, rng.choice((1, 4, 8, 13)) if mode == "sr" else None)
    scheme = rng.choice(("plain", "interleaved", "chunked", "long", "long"))
    legal = [str(policy) for policy in y.legal_overflows]
    sums_floats = isinstance(x, FloatFormat) or (scheme == "chunked" and isinstance(chunk, FloatFormat))
    if scheme != "long" and sums_floats and "wrap" in legal:
        legal.remove("wrap")
    common: dict[str, Any] = {
        "name": name,
        "x": x,
        "y": y,
        "rounding": rounding,
        "overflow": Overflow(rng.choice(legal)),
        "squared": rng.random() < 0.3,
    }
    if scheme == "interleaved":
        common["interleave"] = rng.randint(2, 7)
    if scheme == "chunked":
        common["chunk"] = rng.choice((2, 3, 4, 8)), chunk
    if scheme == "long":
        largest = [abs(code) for code in _ends(x)]
        low, high = (2 * largest[0], 2 * largest[1]) if common["squared"] else largest
        lsb = -low + rng.choice((0, 0, 0, -3, 2))
        msb = high + rng.choice((8, 8, 3, 0, -1))
        common["register"] = max(msb, lsb), lsb, rng.choice((3, 8, 16, 200))
    return Sum(**common)


def _ends(fmt: Format) -> tuple[int, int]:
    """Exponents of the last place and of what no magnitude reaches."""
    if isinstance(fmt, FixedFormat):
        return -fmt.fraction, fmt.width - fmt.fraction
    return fmt.emin - fmt.mantissa, fmt.emax + 1


def build(sums: Sequence[Sum], folder: Path, *, headers: Path | None = None) -> ctypes.CDLL:
    """Compile one function a sum, without warnings; `headers` replaces the shipped header library."""
    lines = [f'#include "hwgen/{name}.hpp"' for name in HEADERS]
    lines += ["#include <cstddef>", "#include <cstdint>", *map(_function, sums)]
    return compile_units(lines, folder, headers=headers)


def run(library: ctypes.CDLL, unit: Sum, operands: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return what the C++ releases."""
    x, ctrl, rand = (np.ascontiguousarray(operand, np.uint64) for operand in operands)
    result = np.empty(len(x), np.uint64)
    entry = getattr(library, unit.name)
    entry.restype = ctypes.c_size_t
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (x, ctrl, rand, result)]
    return result[: entry(ctypes.c_size_t(len(x)), *pointers)]


def _function(unit: Sum) -> str:
    rule = rounding_type(unit.rounding, unit.overflow)
    x, y = format_type(unit.x), format_type(unit.y)
    fixed = isinstance(unit.x, FixedFormat) and not unit.register
    fixed &= isinstance(unit.chunk[1] if unit.chunk else unit.y, FixedFormat)
    term = f"hwgen::sum_operand<{x}, {str(fixed).lower()}>"
    kind = "square" if unit.squared else "value"
    registers, call, types, last = _scheme(unit, f"{term}::{kind}_t", y, rule)
    words = [
        f"typename {rule}::random_t({f'rand[{unit.words} * i + {n}]' if unit.rounding.bits else ''})"
        for n in range(unit.words)
    ]
    arguments = ", ".join(["term", "control", *words, *registers, *last])
    state = "\n".join(f"  {declaration} {name} = 0;" for name, declaration in registers.items())
    return f"""
extern "C" std::size_t {unit.name}(std::size_t terms_in, const std::uint64_t* x, const std::uint64_t* ctrl,
                                   const std::uint64_t* rand, std::uint64_t* result) {{
{state}
{"".join(last.values())}
  std::uint64_t* y = result;
  (void)rand;
  for (std::size_t i = 0; i < terms_in; ++i) {{
    const auto term = {term}::{kind}(ap_uint<{unit.x.width}>(x[i]));
    const hwgen::sum_control control = ctrl[i];
    const auto released = hwgen::{call}<{", ".join(types)}>({arguments});
    if (hwgen::ends(control)) *y++ = released.to_uint64();
  }}
  return y - result;
}}"""


def _scheme(unit: Sum, term: str, y: str, rule: str) -> tuple[dict[str, str], str, list[str], dict[str, str]]:
    """Return registers that start at zero, the function, its types, and further registers' declarations."""
    bit, sum_t = "ap_uint<1>", f"ap_uint<{unit.y.width}>"
    if unit.register:
        register = f"hwgen::long_register<decltype({term}::value), {', '.join(map(str, unit.register))}>"
        registers = {
            "digits": f"{register}::digits_t",
            "carries": f"{register}::carries_t",
            "flags": "ap_uint<hwgen::sum_flag_bits>",
            "beyond": bit,
            "open": bit,
        }
        return registers, "accumulate_long", [register, y, rule], {}
    if unit.chunk:
        size, fmt = unit.chunk
        terms_t = f"ap_uint<hwgen::bits_for({size - 1})>"
        registers = {"inner": f"ap_uint<{fmt.width}>", "inner_terms": terms_t, "outer": sum_t, "open": bit}
        chunk_rule = rounding_type(unit.rounding, fmt.default_overflow)
        return registers, "accumulate_chunked", [format_type(fmt), chunk_rule, y, rule, str(size)], {}
    if unit.interleave > 1:
        sums = f"hwgen::interleaved<{y}, {unit.interleave}>"
        combine = rounding_type(combine_rounding(unit.rounding), unit.overflow)
        ring = f"  {sum_t} partial[{unit.interleave}] = {{{', '.join(['0'] * unit.interleave)}}};"
        registers = {"turn": f"{sums}::turn_t", "recent": f"{sums}::recent_t", "count": f"{sums}::count_t"}
        return registers, "accumulate_interleaved", [y, rule, combine], {"partial": ring}
    return {"sum": sum_t, "open": bit}, "accumulate", [y, rule], {}
