"""An oracle written from the text of the numerics page alone: enumerated values, Fractions, nothing of hwgen.

It rounds by looking up the neighbours lo <= |x| < hi in the list of all representable magnitudes, and is only
meant for formats of at most 16 bits, whose lists are short.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Literal, NamedTuple

MODES = ("rne", "rna", "rtz", "rup", "rdn", "rto")
HALF = Fraction(1, 2)
BINADES_AROUND = 4  # enumerated beyond the format: above for overflow, below for flushing formats


class Number(NamedTuple):
    """A sign and a magnitude; the sign of zero counts."""

    negative: bool
    magnitude: Fraction | Literal["inf", "nan"]


NAN = Number(False, "nan")


@dataclass(frozen=True)
class FloatSpec:
    """A floating-point format, read from the table of the numerics page."""

    exponent: int
    mantissa: int
    bias: int
    specials: str = "ieee"
    subnormals: bool = True

    @property
    def sign_bit(self) -> int:
        return 1 << (self.exponent + self.mantissa)

    def value(self, code: int) -> Number:
        negative = code >= self.sign_bit
        body = code % self.sign_bit
        field, rest = divmod(body, 1 << self.mantissa)
        if self.specials == "ieee" and field == (1 << self.exponent) - 1:
            return NAN if rest else Number(negative, "inf")
        if self.specials == "fn" and body == self.sign_bit - 1:
            return NAN
        if self.specials == "fnuz" and code == self.sign_bit:
            return NAN
        if field == 0 and not self.subnormals:
            return Number(negative, Fraction(0))
        return Number(negative, self.magnitude(body))

    def magnitude(self, body: int) -> Fraction:
        field, rest = divmod(body, 1 << self.mantissa)
        fraction = Fraction(rest, 1 << self.mantissa)
        if field <= 0 and self.subnormals:
            return fraction * Fraction(2) ** (1 - self.bias)
        return (1 + fraction) * Fraction(2) ** (field - self.bias)

    @cached_property
    def largest(self) -> int:
        """Body of the largest finite magnitude."""
        downward = range(self.sign_bit - 1, -1, -1)
        return next(body for body in downward if not isinstance(self.value(body).magnitude, str))

    @cached_property
    def canonical_nan(self) -> int:
        top = ((1 << self.exponent) - 1) << self.mantissa
        return {
            "ieee": top | (1 << self.mantissa >> 1),
            "fn": self.sign_bit - 1,
            "fnuz": self.sign_bit,
            "none": self.sign_bit,  # no NaN: the pattern of negative zero
        }[self.specials]

    @cached_property
    def bodies(self) -> list[int]:
        """Bodies in order of magnitude, the exponent unbounded above (and below, if results are flushed)."""
        first = 0 if self.subnormals else (1 - BINADES_AROUND) << self.mantissa
        return list(range(first, self.sign_bit + (BINADES_AROUND << self.mantissa)))

    @cached_property
    def magnitudes(self) -> list[Fraction]:
        return [self.magnitude(body) for body in self.bodies]

    def round(self, x: Number, mode: str, overflow: str, word: int = 0, bits: int = 0) -> int:
        """Return the pattern of `x`: neighbours first, then the mode, then overflow, then flushing."""
        return self.finish(x, self.place(x), mode, overflow, word, bits)

    def place(self, x: Number) -> tuple[int, Fraction]:
        """Return the body of the lower neighbour, and how far |x| is from it toward the upper one."""
        if isinstance(x.magnitude, str):
            return 0, Fraction(0)
        if x.magnitude < self.magnitudes[0]:
            return self.bodies[0], Fraction(0)  # deep below a flushing format's smallest normal
        index = bisect_right(self.magnitudes, x.magnitude) - 1
        if index + 1 == len(self.magnitudes):
            return self.bodies[index], Fraction(0)  # far above the largest
        low, high = self.magnitudes[index], self.magnitudes[index + 1]
        return self.bodies[index], (x.magnitude - low) / (high - low)

    def finish(
        self, x: Number, place: tuple[int, Fraction], mode: str, overflow: str, word: int = 0, bits: int = 0
    ) -> int:
        """Return the pattern of `x` that lies at `place`."""
        if x.magnitude == "nan":
            return self.canonical_nan
        if x.magnitude == "inf":
            return self.too_large(x.negative, overflow, away=True)
        below, fraction = place
        body = below + (fraction != 0 and self.goes_up(below, fraction, x.negative, mode, word, bits))
        if body > self.largest:
            away = mode in ("rne", "rna", "sr") or mode == ("rdn" if x.negative else "rup")
            return self.too_large(x.negative, overflow, away=away)
        if not self.subnormals and body < 1 << self.mantissa:
            body = 0
        return self.with_sign(body, x.negative)

    def goes_up(
        self, below: int, fraction: Fraction, negative: bool, mode: str, word: int, bits: int
    ) -> bool:
        # The last significand bit is the pattern's; but a significand of one bit is odd unless it is zero.
        odd = below % 2 == 1 if self.mantissa else self.magnitude(below) != 0
        match mode:
            case "rne":
                return fraction > HALF or (fraction == HALF and odd)
            case "rna":
                return fraction >= HALF
            case "rtz":
                return False
            case "rup":
                return not negative
            case "rdn":
                return negative
            case "rto":
                return not odd
            case _:
                return int(fraction * 2**bits) + word >= 2**bits

    def too_large(self, negative: bool, overflow: str, *, away: bool) -> int:
        if not away or overflow == "saturate":
            return self.with_sign(self.largest, negative)
        if overflow == "nan":
            return self.canonical_nan
        return self.with_sign(self.largest + 1, negative)

    def with_sign(self, body: int, negative: bool) -> int:
        if body == 0 and self.specials == "fnuz":
            return 0
        return body + self.sign_bit * negative


@dataclass(frozen=True)
class FixedSpec:
    """A fixed-point format: value = integer * 2^-fraction."""

    width: int
    fraction: int
    signed: bool = True

    @property
    def low(self) -> int:
        return -(2 ** (self.width - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        return 2 ** (self.width - 1) - 1 if self.signed else 2**self.width - 1

    def value(self, code: int) -> Number:
        integer = code - 2**self.width if code > self.high else code
        return Number(integer < 0, abs(integer) / Fraction(2) ** self.fraction)

    def round(self, x: Number, mode: str, overflow: str, word: int = 0, bits: int = 0) -> int:
        if x.magnitude == "nan":
            return 0
        if x.magnitude == "inf":
            return (self.low if x.negative else self.high) % 2**self.width
        scaled = x.magnitude * Fraction(2) ** self.fraction
        below = int(scaled)
        fraction = scaled - below
        up = {
            "rne": fraction > HALF or (fraction == HALF and below % 2 == 1),
            "rna": fraction >= HALF,
            "rtz": False,
            "rup": fraction > 0 and not x.negative,
            "rdn": fraction > 0 and x.negative,
            "rto": fraction > 0 and below % 2 == 0,
            "sr": int(fraction * 2**bits) + word >= 2**bits,
        }[mode]
        integer = (below + up) * (-1 if x.negative else 1)
        if overflow == "saturate":
            integer = max(self.low, min(self.high, integer))
        return integer % 2**self.width


@cache
def spec_of(fmt) -> FloatSpec | FixedSpec:
    """Return the oracle's twin of a hwgen format; only the defining fields are read."""
    if fmt.family == "fixed":
        return FixedSpec(fmt.width, fmt.fraction, fmt.signed)
    return FloatSpec(fmt.exponent, fmt.mantissa, fmt.bias, fmt.specials, fmt.subnormals)


def multiply(a: Number, b: Number) -> Number:
    negative = a.negative ^ b.negative
    magnitudes = (a.magnitude, b.magnitude)
    if "nan" in magnitudes or ("inf" in magnitudes and 0 in magnitudes):
        return NAN
    if "inf" in magnitudes:
        return Number(negative, "inf")
    return Number(negative, a.magnitude * b.magnitude)


def add(a: Number, b: Number, mode: str) -> Number:
    magnitudes = (a.magnitude, b.magnitude)
    if "nan" in magnitudes or (magnitudes == ("inf", "inf") and a.negative != b.negative):
        return NAN
    if "inf" in magnitudes:
        return a if a.magnitude == "inf" else b
    total = (-a.magnitude if a.negative else a.magnitude) + (-b.magnitude if b.negative else b.magnitude)
    if total != 0:
        return Number(total < 0, abs(total))
    if a.magnitude == 0 and b.magnitude == 0 and a.negative == b.negative:
        return a
    return Number(mode == "rdn", total)
