"""Rounding modes and overflow policies: names and legality only, no arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from hwgen.errors import InputError, legal_values

__all__ = ["MAX_RANDOM_BITS", "Overflow", "Rounding", "RoundingMode"]

MAX_RANDOM_BITS = 64
"""Longest random word of stochastic rounding; words travel in uint64 arrays."""

_Choice = TypeVar("_Choice", bound=StrEnum)


def _choose(kind: type[_Choice], what: str, value: object) -> _Choice:
    try:
        return kind(str(value))
    except ValueError:
        raise InputError(legal_values(what, value, [member.value for member in kind])) from None


class RoundingMode(StrEnum):
    """The seven rounding modes; all but `RUP` and `RDN` act on magnitudes."""

    RNE = "rne"
    """To nearest, ties to even; ties to the larger magnitude where neither neighbour is even."""
    RNA = "rna"
    """To nearest, ties away from zero."""
    RTZ = "rtz"
    """Toward zero."""
    RUP = "rup"
    """Toward plus infinity."""
    RDN = "rdn"
    """Toward minus infinity."""
    RTO = "rto"
    """To odd: inexact results take the neighbour whose last significand bit is 1."""
    SR = "sr"
    """Stochastic: up with probability floor(f * 2^r) / 2^r, f the discarded fraction of an ulp."""

    @classmethod
    def parse(cls, value: object) -> RoundingMode:
        """Return the mode called `value`, or raise `InputError` naming all modes."""
        return _choose(cls, "rounding mode", value)


class Overflow(StrEnum):
    """What becomes of a result beyond the largest finite value, judged after rounding."""

    INFINITY = "infinity"
    """IEEE 754: infinity or the largest finite value, by rounding mode and sign."""
    SATURATE = "saturate"
    """The largest finite value, also for infinite exact results."""
    NAN = "nan"
    """As `INFINITY`, with the canonical NaN in the place of infinity."""
    WRAP = "wrap"
    """Fixed point only: modulo 2^width."""

    @classmethod
    def parse(cls, value: object) -> Overflow:
        """Return the policy called `value`, or raise `InputError` naming all policies."""
        return _choose(cls, "overflow policy", value)

    @classmethod
    def select(cls, value: object, *, legal: tuple[Overflow, ...], format_name: str) -> Overflow:
        """Return policy `value` (None: the first legal one), or say which ones the format has."""
        if value is None:
            return legal[0]
        policy = cls.parse(value)
        if policy not in legal:
            raise InputError(
                f"overflow policy {policy.value!r} is impossible for format {format_name!r}: "
                f"legal: {', '.join(legal)}"
            )
        return policy


@dataclass(frozen=True)
class Rounding:
    """A rounding mode with the number of random bits that `sr` needs.

    Parameters
    ----------
    mode : RoundingMode or str
        One of the seven modes.
    bits : int, optional
        Random bits r of `sr`, 1..64; None for every other mode.

    Raises
    ------
    InputError
        If the mode is unknown, `sr` lacks `bits` or another mode has it, or `bits` is out of range.
    """

    mode: RoundingMode
    bits: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", RoundingMode.parse(self.mode))
        if self.mode is not RoundingMode.SR:
            if self.bits is not None:
                raise InputError(
                    f"random bits {self.bits!r} given with rounding {self.mode.value!r}: only 'sr' uses them"
                )
            return
        if isinstance(self.bits, bool) or not isinstance(self.bits, int):
            raise InputError(
                f"random bits {self.bits!r} of rounding 'sr' must be an integer: legal: 1..{MAX_RANDOM_BITS}"
            )
        if not 1 <= self.bits <= MAX_RANDOM_BITS:
            raise InputError(
                f"random bits {self.bits} of rounding 'sr' out of range: legal: 1..{MAX_RANDOM_BITS}"
            )

    @property
    def random_bits(self) -> int:
        """Length of the random word in bits; 0 for deterministic modes."""
        return self.bits or 0

    def __str__(self) -> str:
        return f"sr{self.bits}" if self.bits else self.mode.value
