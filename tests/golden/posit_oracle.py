"""Posits and E8M0 scales for the oracle of enumerated Fractions, written from the standards' text alone.

Same interface as `fraction_oracle`: ``value(code) -> Number``, ``round(number, mode, overflow, word, bits)``.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import fraction_oracle
from fraction_oracle import HALF, NAN, Number


@dataclass(frozen=True)
class PositSpec:
    """Standard for Posit Arithmetic (2022), sections 3.3 (value) and 4.1 (rounding), with es free."""

    width: int
    es: int = 2

    @property
    def not_a_real(self) -> int:
        return 1 << (self.width - 1)

    def fields(self, code: int) -> tuple[int, int, int, Fraction]:
        """Return s, r, e, f of the raw pattern: nothing is negated."""
        bits = [code >> i & 1 for i in reversed(range(self.width))]
        body = bits[1:]
        run = next((i for i, bit in enumerate(body) if bit != body[0]), len(body))
        rest = body[run + 1 :]
        exponent = sum(bit << (self.es - 1 - i) for i, bit in enumerate(rest[: self.es]))
        fraction = sum((Fraction(bit, 2 << i) for i, bit in enumerate(rest[self.es :])), Fraction(0))
        return bits[0], run - 1 if body[0] else -run, exponent, fraction

    def value(self, code: int) -> Number:
        if code in (0, self.not_a_real):
            return NAN if code else Number(False, Fraction(0))
        s, r, e, f = self.fields(code)
        x = ((1 - 3 * s) + f) * Fraction(2) ** ((1 - 2 * s) * ((r << self.es) + e + s))
        return Number(x < 0, abs(x))

    def round(self, x: Number, mode: str, overflow: str, word: int = 0, bits: int = 0) -> int:
        assert (mode, overflow) == ("rne", "saturate")
        if isinstance(x.magnitude, str):
            return self.not_a_real
        if x.magnitude == 0:
            return 0
        magnitudes = positive_values(self)
        below = bisect_right(magnitudes, x.magnitude)
        if below == 0:
            body = 1  # minpos: never to zero
        elif below == len(magnitudes):
            body = below  # maxpos: never to NaR
        else:
            # "the (n+1)-bit posit between": the pattern with a one appended
            between = PositSpec(self.width + 1, self.es).value(2 * below + 1).magnitude
            body = below + (x.magnitude > between or (x.magnitude == between and below % 2 == 1))
        return (1 << self.width) - body if x.negative else body


@cache
def positive_values(spec: PositSpec) -> list[Fraction]:
    """Return the values of the patterns 1, 2, ..., which grow with them."""
    return [spec.value(code).magnitude for code in range(1, spec.not_a_real)]


@dataclass(frozen=True)
class ScaleSpec:
    """E8M0 of OCP Microscaling 1.0, 5.4.1: 2^(code - 127), 255 is NaN; no zero, no sign."""

    def value(self, code: int) -> Number:
        return NAN if code == 255 else Number(False, Fraction(2) ** (code - 127))

    def round(self, x: Number, mode: str, overflow: str, word: int = 0, bits: int = 0) -> int:
        if x.magnitude == "nan" or x.negative or x.magnitude == 0:
            return 255
        ceiling = 254 if overflow == "saturate" else 255
        if x.magnitude == "inf":
            return ceiling
        code = bisect_right(SCALES, x.magnitude) - 1
        if code < 0:
            return 0
        fraction = x.magnitude / SCALES[code] - 1
        if code == 254 and fraction >= 1:
            code, fraction = 255, Fraction(0)
            return 254 if mode in ("rtz", "rdn", "rto") else ceiling
        up = {
            # A significand of one bit is odd.
            "rne": fraction >= HALF,
            "rna": fraction >= HALF,
            "rtz": False,
            "rup": fraction > 0,
            "rdn": False,
            "rto": False,
            "sr": int(fraction * 2**bits) + word >= 2**bits,
        }[mode]
        return ceiling if code + up > 254 else code + up


SCALES = [Fraction(2) ** (code - 127) for code in range(255)]


@cache
def spec_of(fmt):
    """Return the oracle's twin of a hwgen format of any family of single numbers."""
    if fmt.family == "posit":
        return PositSpec(fmt.width, fmt.es)
    if fmt.family == "exponent":
        return ScaleSpec()
    return fraction_oracle.spec_of(fmt)
