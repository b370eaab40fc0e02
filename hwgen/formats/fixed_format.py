"""Fixed-point and integer formats: two's complement or unsigned, value = integer * 2^-fraction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.formats.checks import as_codes, check_integer, storage_dtype
from hwgen.formats.elementwise import encode_elementwise, unpack_elementwise
from hwgen.formats.exact import Exact, round_magnitude
from hwgen.formats.modes import Overflow, Rounding, RoundingMode
from hwgen.formats.rounding import round_to_integers

__all__ = ["FixedFormat"]

_WIDTHS = (1, 64)
_FRACTIONS = (-64, 64)


@dataclass(frozen=True)
class FixedFormat:
    """A fixed-point format.

    Parameters
    ----------
    width : int
        Width of a pattern in bits, 1..64.
    fraction : int
        Fraction bits, -64..64; the value is the integer pattern times 2^-fraction.
    signed : bool
        Two's complement if true, else unsigned.

    Raises
    ------
    InputError
        If a field is out of range.

    Notes
    -----
    All rounding modes act on magnitudes, as for floats: `rtz` truncates toward zero, not toward minus
    infinity as dropping two's complement bits would. Zero has no sign.
    """

    width: int
    fraction: int
    signed: bool = True

    family: ClassVar[str] = "fixed"

    def __post_init__(self) -> None:
        check_integer("fixed width", self.width, *_WIDTHS)
        check_integer("fixed fraction", self.fraction, *_FRACTIONS)
        if not isinstance(self.signed, bool):
            raise InputError(f"fixed signed {self.signed!r} must be a boolean: legal: true, false")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Smallest unsigned NumPy dtype of a pattern."""
        return storage_dtype(self.width)

    @property
    def min_integer(self) -> int:
        """Smallest integer pattern value."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def max_integer(self) -> int:
        """Largest integer pattern value."""
        return (1 << (self.width - self.signed)) - 1

    @property
    def legal_overflows(self) -> tuple[Overflow, ...]:
        """Overflow policies of the format, the default first."""
        return (Overflow.SATURATE, Overflow.WRAP)

    @property
    def default_overflow(self) -> Overflow:
        """Overflow policy used where none is given."""
        return Overflow.SATURATE

    @property
    def has_nan(self) -> bool:
        """False: NaN and invalid results become zero."""
        return False

    @property
    def has_inf(self) -> bool:
        """False: infinities saturate, whatever the overflow policy."""
        return False

    @property
    def fits_float64(self) -> bool:
        """Whether every value of the format is a float64."""
        return self.width - self.signed <= 53

    @property
    def name(self) -> str:
        """int<W>, uint<W>, q<I>.<F> or uq<I>.<F>, with the sign bit counted in I; else fixed<W>f<F>.

        `parse_format` reads every such name.
        """
        prefix = "" if self.signed else "u"
        if self.fraction == 0:
            return f"{prefix}int{self.width}"
        if 0 < self.fraction <= self.width:
            return f"{prefix}q{self.width - self.fraction}.{self.fraction}"
        return f"{prefix}fixed{self.width}f{self.fraction}"

    # ---- one pattern, exactly -----------------------------------------------------------------

    def unpack(self, code: int) -> Exact:
        """Return the exact value of one pattern."""
        integer = code - (1 << self.width) if code > self.max_integer else code
        return Exact.dyadic(integer < 0, abs(integer), -self.fraction)

    def pack(self, value: Exact, *, rounding: Rounding, overflow: Overflow, word: int = 0) -> int:
        """Round one exact value to a pattern; see `FloatFormat.pack`."""
        if value.is_nan:
            return 0
        if value.is_infinite:
            return (self.min_integer if value.negative else self.max_integer) & ((1 << self.width) - 1)
        magnitude = round_magnitude(
            value.numerator << max(self.fraction, 0),
            value.denominator << max(-self.fraction, 0),
            negative=value.negative,
            rounding=rounding,
            word=word,
        )
        integer = -magnitude if value.negative else magnitude
        if overflow is Overflow.SATURATE:
            integer = min(max(integer, self.min_integer), self.max_integer)
        return integer & ((1 << self.width) - 1)

    # ---- arrays -------------------------------------------------------------------------------

    def decode(self, bits: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the exact values of bit patterns.

        Parameters
        ----------
        bits : array_like of int
            Patterns, any shape.

        Returns
        -------
        ndarray of float64
            Same shape; an object array of `fractions.Fraction` (float for zeros) where float64 cannot hold
            the format (`fits_float64`).

        Raises
        ------
        InputError
            If a pattern is wider than the format.
        """
        codes = as_codes(bits, self.width, self.dtype)
        if not self.fits_float64:
            return unpack_elementwise(self, codes)
        return np.ldexp(self.integers(codes).astype(np.float64), -self.fraction)

    def integers(self, codes: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return patterns as signed integers; for formats whose integers fit int64."""
        spare = 64 - self.width
        if not self.signed:
            return codes.astype(np.int64)
        # Shifting the sign bit to the top and back extends it.
        return (codes.astype(np.uint64) << np.uint64(spare)).view(np.int64) >> spare

    def encode(
        self,
        x: npt.ArrayLike,
        *,
        rounding: str | Rounding = "rne",
        overflow: str | Overflow | None = None,
        rand: npt.ArrayLike | None = None,
        rbits: int | None = None,
    ) -> npt.NDArray[Any]:
        """Round real numbers to bit patterns; parameters and errors as `FloatFormat.encode`."""
        how = rounding if isinstance(rounding, Rounding) else Rounding(RoundingMode.parse(rounding), rbits)
        policy = Overflow.select(overflow, legal=self.legal_overflows, format_name=self.name)
        return encode_elementwise(self, x, rounding=how, overflow=policy, rand=rand, fast=_encode_float64)

    # ---- for people ---------------------------------------------------------------------------

    def to_yaml(self) -> dict[str, Any]:
        """Return the format as the plain data of a spec file."""
        return {"fixed": {"width": self.width, "fraction": self.fraction, "signed": self.signed}}

    def describe(self) -> list[tuple[str, str]]:
        """Return (property, text) rows that describe the format to a user."""
        lsb = 2.0**-self.fraction
        digits = -(-self.width // 4)
        mask = (1 << self.width) - 1
        return [
            ("name", self.name),
            ("family", "fixed"),
            ("width", f"{self.width} bits"),
            ("coding", "two's complement" if self.signed else "unsigned"),
            ("value", f"integer * 2^{-self.fraction}"),
            ("step", f"{lsb:.9g}"),
            ("smallest", f"{self.min_integer * lsb:.9g} (0x{self.min_integer & mask:0{digits}X})"),
            ("largest", f"{self.max_integer * lsb:.9g} (0x{self.max_integer:0{digits}X})"),
            ("special values", "none: NaN becomes 0, infinities saturate"),
            ("overflow", ", ".join(self.legal_overflows) + " (the first is the default)"),
        ]


def _encode_float64(
    fmt: FixedFormat,
    x: npt.NDArray[Any],
    words: npt.NDArray[Any] | None,
    *,
    rounding: Rounding,
    overflow: Overflow,
) -> npt.NDArray[Any]:
    """Round a floating array to patterns of `fmt`; exact, since |x| * 2^F is."""
    values = x.astype(np.float64)
    # Beyond 2^900 everything saturates, or wraps to 0; below 2^-900 everything is just "not zero". Between,
    # the scaling cannot leave float64's normal range.
    magnitude = np.abs(np.nan_to_num(values, nan=0.0, posinf=np.inf, neginf=-np.inf))
    magnitude[magnitude > 2.0**900] = 2.0**900
    magnitude[(magnitude > 0) & (magnitude < 2.0**-900)] = 2.0**-900
    scaled = np.ldexp(magnitude, fmt.fraction)
    negative = values < 0
    rounded = round_to_integers(scaled, negative=negative, rounding=rounding, words=words)
    if overflow is Overflow.WRAP:
        beyond = np.isinf(values)
        rounded = np.fmod(rounded, 2.0**fmt.width)
    else:
        # Both limits are powers of two (or 0), unlike the largest integer, so the comparison is exact.
        beyond = np.where(negative, rounded > -float(fmt.min_integer), rounded >= float(fmt.max_integer + 1))
    integers = np.where(beyond, 0.0, rounded).astype(np.uint64)
    integers = np.where(negative, np.uint64(0) - integers, integers)
    mask = (1 << fmt.width) - 1
    integers[beyond] = np.uint64(fmt.max_integer)
    integers[beyond & negative] = np.uint64(fmt.min_integer & mask)
    return (integers & np.uint64(mask)).astype(fmt.dtype)
