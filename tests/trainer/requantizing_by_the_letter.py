"""Shared exponents, rounding and random words as their definitions say them, one number at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import floor

from hwgen.trainer import TrainerSpec


def rounded(x: Fraction, mode: str, random_bits: int = 0, word: int = 0) -> int:
    """Round by sign and magnitude."""
    magnitude = abs(x)
    low = floor(magnitude)
    f = magnitude - low
    half = Fraction(1, 2)
    up = {
        "rne": f > half or (f == half and low % 2 == 1),
        "rna": f >= half,
        "rtz": False,
        "rup": f > 0 and x > 0,
        "rdn": f > 0 and x < 0,
        "rto": f > 0 and low % 2 == 0,
        "sr": floor(f * 2**random_bits) + word >= 2**random_bits,
    }[mode]
    return (low + up) * (-1 if x < 0 else 1)


def element(
    x: Fraction, exponent: int, width: int, mode: str, bits: int = 0, word: int = 0
) -> tuple[int, bool]:
    """Return an element, and whether it saturated."""
    q = rounded(x / Fraction(2) ** exponent, mode, bits, word)
    low, high = -(2 ** (width - 1)), 2 ** (width - 1) - 1
    return min(max(q, low), high), not low <= q <= high


def exponent(values: Iterable[Fraction], width: int, exponent_bits: int) -> int:
    """Return the least exponent under which all values are inside the limits, clamped."""
    values = list(values)
    highest, lowest = max(values), min(values)
    if highest == lowest == 0:
        return 0

    def fits(e: int) -> bool:
        return (
            highest <= (2 ** (width - 1) - Fraction(1, 2)) * Fraction(2) ** e
            and -lowest <= (2 ** (width - 1) + Fraction(1, 2)) * Fraction(2) ** e
        )

    # Downward from an exponent that is certainly enough.
    e = max(int(highest), int(-lowest)).bit_length() + 1
    while fits(e - 1):
        e -= 1
    return min(max(e, -(2 ** (exponent_bits - 1))), 2 ** (exponent_bits - 1) - 1)


def random_words(spec: TrainerSpec, skipped: int = 0) -> Iterator[int]:
    """Give the words of the spec's register bit by bit, from the one after `skipped`."""
    lfsr, bits = spec.rounding.lfsr, spec.rounding.bits
    state, taps = lfsr.seed, [tap % lfsr.width for tap in lfsr.taps]
    while True:
        if skipped:
            skipped -= 1
        else:
            yield state % 2**bits
        for _ in range(bits):
            new = sum(state >> tap for tap in taps) & 1
            state = state >> 1 | new << lfsr.width - 1
