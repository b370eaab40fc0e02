"""Rounding one exact number to one bit pattern, in Python integers: the definition, not the fast way.

Everything here follows the numerics page word for word and is meant to be checked by reading. The
vectorised twins (`hwgen.formats.rounding`, `hwgen.formats.fixed_rounding`) are tested against it.
"""

from __future__ import annotations

from fractions import Fraction
from math import isinf, isnan
from typing import NamedTuple

from hwgen.errors import InputError
from hwgen.formats.modes import Rounding, RoundingMode

__all__ = ["Exact", "exact_of", "floor_log2", "round_magnitude"]


class Exact(NamedTuple):
    """A number without rounding error: (-1)^negative * numerator / denominator, or a special value.

    Zeros keep their sign. For NaN and infinity (`special`) the numerator is meaningless.
    """

    negative: bool
    numerator: int
    denominator: int = 1
    special: str = ""

    @property
    def is_nan(self) -> bool:
        """Whether this is not a number."""
        return self.special == "nan"

    @property
    def is_infinite(self) -> bool:
        """Whether this is an infinity."""
        return self.special == "inf"

    @property
    def is_zero(self) -> bool:
        """Whether this is a zero of either sign."""
        return not self.special and self.numerator == 0

    @classmethod
    def dyadic(cls, negative: bool, significand: int, exponent: int) -> Exact:
        """Return (-1)^negative * significand * 2^exponent."""
        if exponent >= 0:
            return cls(negative, significand << exponent)
        return cls(negative, significand, 1 << -exponent)

    def number(self) -> Fraction | float:
        """Return a non-zero finite value as Fraction; zeros, infinities and NaN as float."""
        sign = -1.0 if self.negative else 1.0
        if self.special:
            return sign * float(self.special)
        return Fraction(-self.numerator if self.negative else self.numerator, self.denominator) or sign * 0.0


NAN = Exact(False, 0, special="nan")


def exact_of(value: object) -> Exact:
    """Return a Python or NumPy real number as `Exact`.

    Raises
    ------
    InputError
        If `value` is not an int, float or Fraction.
    """
    if isinstance(value, Fraction):
        return Exact(value < 0, abs(value.numerator), value.denominator)
    try:
        as_float = float(value)  # type: ignore[arg-type]
        if isnan(as_float):
            return NAN
        if isinf(as_float):
            return Exact(as_float < 0, 0, special="inf")
        numerator, denominator = value.as_integer_ratio()  # type: ignore[attr-defined]
    except OverflowError:  # an int beyond float64
        numerator, denominator = int(value), 1  # type: ignore[call-overload]
    except (AttributeError, TypeError, ValueError):
        raise InputError(f"{value!r} is not a real number: legal: int, float, Fraction") from None
    negative = numerator < 0 or (numerator == 0 and str(as_float).startswith("-"))
    return Exact(negative, abs(int(numerator)), int(denominator))


def floor_log2(numerator: int, denominator: int) -> int:
    """Return floor(log2(numerator / denominator)) of a positive rational."""
    guess = numerator.bit_length() - denominator.bit_length()
    # The quotient lies in (2^(guess-1), 2^(guess+1)).
    below = numerator < denominator << guess if guess >= 0 else numerator << -guess < denominator
    return guess - 1 if below else guess


def round_magnitude(
    numerator: int, denominator: int, *, negative: bool, rounding: Rounding, word: int
) -> int:
    """Round the magnitude numerator / denominator to an integer.

    Parameters
    ----------
    numerator, denominator : int
        The magnitude in units of the target's last place; `denominator` is positive.
    negative : bool
        Sign of the value, which decides the directed modes.
    rounding : Rounding
        Mode and, for `sr`, the number r of random bits.
    word : int
        The random word u, 0 <= u < 2^r; ignored by other modes.
    """
    below, remainder = divmod(numerator, denominator)
    if remainder == 0:
        return below
    match rounding.mode:
        case RoundingMode.RNE:
            up = 2 * remainder > denominator or (2 * remainder == denominator and below % 2 == 1)
        case RoundingMode.RNA:
            up = 2 * remainder >= denominator
        case RoundingMode.RTZ:
            up = False
        case RoundingMode.RUP:
            up = not negative
        case RoundingMode.RDN:
            up = negative
        case RoundingMode.RTO:
            up = below % 2 == 0
        case RoundingMode.SR:
            k = (remainder << rounding.random_bits) // denominator
            up = k + word >= 1 << rounding.random_bits
    return below + 1 if up else below
