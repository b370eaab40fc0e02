"""What a dot product is made of: operand formats, the scheme of its sum, its rounding. No arithmetic here."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.errors import InputError
from hwgen.formats import BlockFormat, FixedFormat, FloatFormat, Overflow, PositFormat, Rounding
from hwgen.golden.exact import Scalar

__all__ = [
    "AlignedSum",
    "DotUnit",
    "ExactSum",
    "Scheme",
    "SequentialSum",
    "TreeSum",
    "split_point",
]

MAX_ELEMENTS = 64


@dataclass(frozen=True)
class ExactSum:
    """The exact sum of all products and the addend, rounded once."""


@dataclass(frozen=True)
class AlignedSum:
    """Terms cut `bits` places below the largest term's exponent, summed exactly, rounded once.

    Attributes
    ----------
    bits : int
        Fraction bits w that are kept: the last place has the weight 2^(E - w), E the largest exponent.
    jam : bool
        Whether a cut term gets an odd last place (jamming) instead of being truncated.
    """

    bits: int
    jam: bool = False


@dataclass(frozen=True)
class TreeSum:
    """Rounded products, then rounded sums of pairs; the addend comes last.

    Attributes
    ----------
    partial : format or None
        Format of every rounding but the last; None is the result's, with its overflow rule.
    """

    partial: Scalar | None = None


@dataclass(frozen=True)
class SequentialSum:
    """Products added one by one to the addend.

    Attributes
    ----------
    partial : format or None
        Format of every sum but the last; None is the result's, with its overflow rule.
    product : format or None
        Format each product is rounded to before it is added; None adds it exactly, with one rounding.
    """

    partial: Scalar | None = None
    product: Scalar | None = None


Scheme = ExactSum | AlignedSum | TreeSum | SequentialSum
"""How the terms of a dot product are summed."""


@dataclass(frozen=True, kw_only=True)
class DotUnit:
    """A dot product of `n` elements, with every rule that decides its bits.

    Attributes
    ----------
    n : int
        Elements of a vector, 1..64.
    a, b : format
        Formats of the vectors. In a block format the n elements share one scale.
    c : format or None
        Format of the addend.
    y : format
        Format of the result.
    scheme, rounding, overflow
        How terms are summed and results are rounded.

    Raises
    ------
    InputError
        If `n` is out of range or a block format cannot give n elements one scale.
    """

    n: int
    a: Scalar | BlockFormat
    b: Scalar | BlockFormat
    c: Scalar | None
    y: Scalar
    scheme: Scheme
    rounding: Rounding
    overflow: Overflow

    def __post_init__(self) -> None:
        if not 1 <= self.n <= MAX_ELEMENTS:
            raise InputError(f"dot product of {self.n} elements: legal: 1..{MAX_ELEMENTS}")
        for fmt in (self.a, self.b):
            if isinstance(fmt, BlockFormat) and isinstance(fmt.size, int) and fmt.size < self.n:
                raise InputError(
                    f"{self.n} elements of {fmt.name!r} would have several scales: legal: 1..{fmt.size}"
                )

    @property
    def words(self) -> int:
        """Random words that one result takes: as many as there are roundings."""
        match self.scheme:
            case TreeSum():
                return 2 * self.n - 1 + (self.c is not None)
            case SequentialSum():
                return self.n if self.scheme.product is None else 2 * self.n
            case _:
                return 1

    def target(self, *, last: bool) -> tuple[Scalar, Overflow]:
        """Return format and overflow rule of the last rounding, or of those before it."""
        partial = None if isinstance(self.scheme, ExactSum | AlignedSum) else self.scheme.partial
        if last or partial is None:
            return self.y, self.overflow
        return partial, partial.default_overflow


def element_of(fmt: Scalar | BlockFormat) -> Scalar:
    """Return the format of one element."""
    return fmt.element if isinstance(fmt, BlockFormat) else fmt


def precision_of(fmt: Scalar) -> int:
    """Return the bits of a significand whose first bit has the weight of the value's exponent."""
    return fmt.width if isinstance(fmt, FixedFormat) else fmt.precision


def split_point(low: int, high: int) -> int:
    """Return where a tree over elements low..high-1 is split: after the largest power of two below its size.

    This is the shape that pairing neighbours level by level gives, an odd last element passing up.
    """
    size = high - low
    return low + (1 << (size - 1).bit_length() - 1)


def is_scalar(fmt: object) -> bool:
    """Whether a format holds single numbers that arithmetic takes."""
    return isinstance(fmt, FloatFormat | FixedFormat | PositFormat)
