"""Random units with selectable formats, compiled from the header, and the plain golden units of each mode."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from header_builds import compile_units
from random_units import MODES, _random_fixed, _random_float

from hwgen import golden
from hwgen.emit.cpp import format_type, rounding_type
from hwgen.formats import FixedFormat, FloatFormat, Overflow, Rounding, RoundingMode, parse_format
from hwgen.golden.select import selected
from hwgen.operators.vectors import ExactForm, hard_operands, random_words

Formats = tuple[FloatFormat | FixedFormat, ...]


@dataclass(frozen=True)
class Selection:
    """A mac (y is c) or an fma with lists of formats; one format is for all modes."""

    name: str
    a: Formats
    b: Formats
    c: Formats
    y: Formats
    rounding: Rounding
    overflow: Overflow

    @property
    def modes(self) -> int:
        return max(map(len, (self.a, self.b, self.c, self.y)))

    def in_mode(self, mode: int) -> tuple[FloatFormat | FixedFormat, ...]:
        return tuple(formats[min(mode, len(formats) - 1)] for formats in (self.a, self.b, self.c, self.y))

    @property
    def widths(self) -> list[int]:
        return [max(fmt.width for fmt in formats) for formats in (self.a, self.b, self.c, self.y)]

    def golden(
        self, operands: Sequence[np.ndarray], mode: np.ndarray, words: np.ndarray | None
    ) -> np.ndarray:
        def unit(number: int):
            a, b, c, y = self.in_mode(number)
            formats = {"a_fmt": a, "b_fmt": b, "c_fmt": c, "y_fmt": y}
            rule = {"rounding": self.rounding, "overflow": self.overflow}
            return lambda x, z, w, rand: golden.fma(x, z, w, **formats, **rule, rand=rand)

        return selected(
            [unit(number) for number in range(self.modes)],
            operands,
            mode,
            vectors=[False] * 3,
            widths=[[fmt.width for fmt in self.in_mode(number)[:3]] for number in range(self.modes)],
            dtype=np.dtype(np.uint64),
            rand=words,
        )

    def vectors(self, count: int, seed: int) -> tuple[list[np.ndarray], np.ndarray, np.ndarray | None]:
        """Hard operands of every mode, anything above the narrow formats, and modes beyond the list."""
        rng = np.random.default_rng(seed)
        operands = [np.empty(count, np.uint64) for _ in range(3)]
        mode = rng.integers(0, 1 << max(1, (self.modes - 1).bit_length()), count).astype(np.uint64)
        for number in np.unique(mode):
            chosen = mode == number
            a, b, c, y = self.in_mode(int(number))
            form = ExactForm((a, b), c, y, self.rounding.random_bits)
            hard = hard_operands(form, int(chosen.sum()), rng)
            for array, codes, fmt, width in zip(operands, hard, (a, b, c), self.widths, strict=False):
                above = rng.integers(0, 1 << width, len(codes), dtype=np.uint64)
                array[chosen] = codes | above >> np.uint64(fmt.width) << np.uint64(fmt.width)
        bits = self.rounding.random_bits
        return operands, mode, random_words(bits, count, rng) if bits else None


def random_selections(seed: int, count: int) -> list[Selection]:
    rng = random.Random(seed)
    return [_random_selection(rng, f"s{index}") for index in range(count)]


def _random_selection(rng: random.Random, name: str) -> Selection:
    modes = rng.choice((2, 2, 3, 4))

    def formats(*, many: bool, fixed: float) -> Formats:
        made = [
            parse_format(_random_fixed(rng) if rng.random() < fixed else _random_float(rng))
            for _ in range(modes if many else 1)
        ]
        return tuple(fmt for fmt in made if isinstance(fmt, FloatFormat | FixedFormat))

    a, b = formats(many=True, fixed=0.1), formats(many=rng.random() < 0.7, fixed=0.1)
    c = formats(many=rng.random() < 0.6, fixed=0)
    y = c if rng.random() < 0.7 else formats(many=rng.random() < 0.6, fixed=0)
    mode = RoundingMode(rng.choice(MODES))
    rounding = Rounding(mode, rng.choice((1, 4, 8, 13)) if mode is RoundingMode.SR else None)
    shared = set.intersection(*(set(fmt.legal_overflows) for fmt in y))
    return Selection(name, a, b, c, y, rounding, rng.choice(sorted(shared)))


def build(units: Sequence[Selection], folder: Path, *, headers: Path | None = None) -> ctypes.CDLL:
    """Compile one function a unit, without warnings; `headers` replaces the shipped header library."""
    head = ['#include "hwgen/select.hpp"', "#include <cstddef>", "#include <cstdint>"]
    return compile_units([*head, *map(_function, units)], folder, headers=headers)


def run(
    library: ctypes.CDLL,
    unit: Selection,
    operands: Sequence[np.ndarray],
    mode: np.ndarray,
    words: np.ndarray | None,
) -> np.ndarray:
    columns = [*operands, mode, np.zeros_like(mode) if words is None else words]
    rows = np.ascontiguousarray(np.stack(columns, axis=1))
    result = np.empty(len(rows), np.uint64)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (rows, result)]
    getattr(library, unit.name)(ctypes.c_size_t(len(rows)), *pointers)
    return result


def _function(unit: Selection) -> str:
    lists = [
        f"hwgen::one_of<{', '.join(map(format_type, formats))}>"
        for formats in (unit.a, unit.b, unit.c, unit.y)
    ]
    rule = rounding_type(unit.rounding, unit.overflow)
    mode_bits = max(1, (unit.modes - 1).bit_length())
    words = [*(f"ap_uint<{width}>(row[{i}])" for i, width in enumerate(unit.widths[:3]))]
    words.append(f"ap_uint<{mode_bits}>(row[3])")
    if unit.rounding.random_bits:
        words.append(f"ap_uint<{unit.rounding.random_bits}>(row[4])")
    call = "mac_selected" if unit.y is unit.c else "fma_selected"
    types = lists[:3] if unit.y is unit.c else lists
    return f"""
extern "C" void {unit.name}(std::size_t count, const std::uint64_t* rows, std::uint64_t* result) {{
  for (std::size_t i = 0; i < count; ++i) {{
    const std::uint64_t* row = rows + i * 5;
    result[i] = hwgen::{call}<{", ".join([*types, rule])}>({", ".join(words)}).to_uint64();
  }}
}}"""
