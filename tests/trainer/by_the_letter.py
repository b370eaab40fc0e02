"""Fills and products as the definition says them, one number at a time: oracles of the golden model."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from hwgen.trainer import Fill, Gemm, TrainerSpec


def plane_writes(spec: TrainerSpec, fill: Fill, scratch: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """Give (plane word, bank, lane, digit) for everything that a fill writes, in order of the hardware."""
    lanes, digit = 16, spec.array.digit
    rows = list(product(range(fill.n_b), range(fill.n_y), range(fill.n_x)))
    groups = list(product(range(fill.n_ky), range(fill.n_kx), range(fill.n_g)))
    banks = spec.array.cols if fill.target else spec.array.rows
    planes = 32 // digit if fill.floats else -(-fill.width // digit)

    def element(row: int, k: int, column: int, high: int) -> int:
        if row >= len(rows):
            return 0
        (b, y, x), (ky, kx, g) = rows[row], groups[k]
        at_y, at_x = y * fill.step + ky + fill.offset_y, x * fill.step + kx + fill.offset_x
        if not (0 <= at_y < fill.limit_y and 0 <= at_x < fill.limit_x):
            return 0
        along = 2 * g + high if fill.floats else g
        return int(scratch[fill.source + b * fill.s_b + at_y * fill.s_y + at_x * fill.s_x + along, column])

    for chunk, k, plane in product(range(-(-len(rows) // lanes)), range(len(groups)), range(planes)):
        high, place = divmod(digit * plane, 16)
        for line, lane in product(range(lanes), range(lanes)):
            if fill.transpose:
                row, kgroup, value = lanes * k + line, chunk, element(lanes * chunk + lane, k, line, high)
            else:
                row, kgroup, value = lanes * chunk + line, k, element(lanes * chunk + line, k, lane, high)
            word = fill.dest + ((row // banks) * fill.kgs + kgroup) * planes + plane
            cut = value >> place & (1 << digit) - 1
            if spec.array.splits and planes == 2 and not fill.floats:
                # The digits of an element lie side by side, those of eight elements in a word.
                half, element_of_half = divmod(lane, lanes // 2)
                yield word - plane + half, row % banks, 2 * element_of_half + plane, cut
            else:
                yield word, row % banks, lane, cut


def results(spec: TrainerSpec, gemm: Gemm, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> dict:
    """Return the exact results by (result word, column), digit by digit as the array sums them."""
    digit = spec.array.digit
    planes_a, planes_b = -(-gemm.width_a // digit), -(-gemm.width_b // digit)

    def signed(value: int, top: bool) -> int:
        return value - (value >> digit - 1 << digit) if top else value

    def digit_of(memory: np.ndarray, word: int, bank: int, lane: int, plane: int, planes: int) -> int:
        if spec.array.splits and planes == 2:
            half, element = divmod(lane, 8)
            return int(memory[word + half, bank, 2 * element + plane])
        return int(memory[word + plane, bank, lane])

    sums = {}
    for m, n in product(range(gemm.tiles_m), range(gemm.tiles_n)):
        for r, col in product(range(spec.array.rows), range(spec.array.cols)):
            total = 0
            for diagonal in reversed(range(planes_a + planes_b - 1)):
                total <<= digit
                for da in range(planes_a):
                    db = diagonal - da
                    if not 0 <= db < planes_b:
                        continue
                    for kg, lane in product(range(gemm.kgs), range(16)):
                        at_a = gemm.a + (m * gemm.kgs + kg) * planes_a
                        at_b = gemm.b + (n * gemm.kgs + kg) * planes_b
                        x = digit_of(a, at_a, r, lane, da, planes_a)
                        y = digit_of(b, at_b, col, lane, db, planes_b)
                        total += signed(x, da == planes_a - 1) * signed(y, db == planes_b - 1)
            word = gemm.c + (m * spec.array.rows + r) * gemm.pitch + n
            sums[word, col] = total + (int(c[word, col]) if gemm.accumulate else 0)
    return sums
