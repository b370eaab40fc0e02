"""Writing SMT-LIB 2 text: sorts, literals and named definitions.

Text rather than a solver's own term objects, because the theorem is then something a person can
read, keep, and hand to any other solver. No arithmetic meaning is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

__all__ = ["FloatSort", "Script", "bits", "bv", "ite", "power_of_two", "real"]


@dataclass(frozen=True)
class FloatSort:
    """The sort ``(_ FloatingPoint eb sb)``: IEEE binary interchange format with any widths.

    Attributes
    ----------
    eb : int
        Exponent width in bits.
    sb : int
        Precision in bits, hidden bit included (at least 2 in SMT-LIB).
    """

    eb: int
    sb: int

    @property
    def emax(self) -> int:
        """Exponent of the largest finite value."""
        return (1 << (self.eb - 1)) - 1

    @property
    def emin(self) -> int:
        """Exponent of the smallest normal value."""
        return 1 - self.emax

    @property
    def lsb(self) -> int:
        """Exponent of the smallest subnormal value."""
        return self.emin - (self.sb - 1)

    @property
    def indices(self) -> str:
        """The two indices as they follow ``to_fp``."""
        return f"{self.eb} {self.sb}"

    def __str__(self) -> str:
        return f"(_ FloatingPoint {self.indices})"

    def holds(self, *, precision: int, lsb: int, msb: int) -> bool:
        """Say whether the sort has every multiple of 2^lsb below 2^(msb+1) of that precision."""
        return precision <= self.sb and lsb >= self.lsb and msb <= self.emax


@dataclass
class Script:
    """An SMT-LIB script under construction: constants, then named terms, in order of use."""

    lines: list[str] = field(default_factory=list)

    def declare(self, name: str, width: int) -> str:
        """Declare a free bit vector and return its name."""
        self.lines.append(f"(declare-const {name} (_ BitVec {width}))")
        return name

    def define(self, name: str, sort: FloatSort | int | str, term: str) -> str:
        """Name `term` (an `int` sort is a bit-vector width) and return the name."""
        written = f"(_ BitVec {sort})" if isinstance(sort, int) else str(sort)
        self.lines.append(f"(define-fun {name} () {written} {term})")
        return name

    def say(self, comment: str) -> None:
        """Add a comment for whoever reads the theorem."""
        self.lines.append(f"; {comment}")

    def demand(self, term: str) -> None:
        """Assert a Boolean term."""
        self.lines.append(f"(assert {term})")

    def text(self) -> str:
        """Return the whole script."""
        return "\n".join(self.lines) + "\n"


def bv(value: int, width: int) -> str:
    """Return the bit-vector literal `value` (taken modulo 2^width)."""
    return f"#b{value % (1 << width):0{width}b}"


def bits(term: str, high: int, low: int) -> str:
    """Return bits `high` down to `low` of a bit vector."""
    return f"((_ extract {high} {low}) {term})"


def ite(condition: str, then: str, other: str) -> str:
    """Return ``(ite condition then other)``."""
    return f"(ite {condition} {then} {other})"


def real(value: Fraction, sort: FloatSort) -> str:
    """Return the literal of a positive dyadic value that is normal in `sort`.

    Raises
    ------
    ValueError
        If `sort` does not hold the value exactly as a normal number.
    """
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    exponent -= Fraction(2) ** exponent > value
    significand = value / Fraction(2) ** exponent * (1 << (sort.sb - 1))
    if significand.denominator != 1 or not sort.emin <= exponent <= sort.emax:
        raise ValueError(f"{value} is no normal number of {sort}")
    mantissa = int(significand) - (1 << (sort.sb - 1))
    return f"(fp #b0 {bv(exponent + sort.emax, sort.eb)} {bv(mantissa, sort.sb - 1)})"


def power_of_two(exponent: int, sort: FloatSort) -> str:
    """Return the literal 2^exponent in `sort`."""
    return real(Fraction(2) ** exponent, sort)
