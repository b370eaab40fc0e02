"""Binary floating-point formats: IEEE 754, OCP FP8/FP6/FP4 and the `fnuz` variants as one frozen record.

A bit pattern is sign, exponent, significand, highest bit first. Everything but the five fields of
`FloatFormat` is derived. Vectorised rounding is in `hwgen.formats.rounding`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError, legal_values
from hwgen.formats.checks import as_codes, check_integer, storage_dtype
from hwgen.formats.decoding import decode_fields, decode_table
from hwgen.formats.describe import describe_float
from hwgen.formats.elementwise import encode_elementwise, unpack_elementwise
from hwgen.formats.exact import NAN, Exact, floor_log2, round_magnitude
from hwgen.formats.modes import Overflow, Rounding, RoundingMode
from hwgen.formats.rounding import encode_float64

__all__ = ["STANDARD_FLOATS", "FloatFormat"]

SPECIALS = ("ieee", "fn", "fnuz", "none")
_EXPONENT_WIDTHS = (2, 11)
_MANTISSA_WIDTHS = (0, 52)
_BIASES = (-1023, 2047)
_DECODE_TABLE_WIDTH = 16  # 2^16 float64 are 512 KiB: still in the second-level cache

_LEGAL_OVERFLOWS = {
    "ieee": (Overflow.INFINITY, Overflow.SATURATE),
    "fn": (Overflow.SATURATE, Overflow.NAN),
    "fnuz": (Overflow.SATURATE, Overflow.NAN),
    "none": (Overflow.SATURATE,),
}


@dataclass(frozen=True)
class FloatFormat:
    """A binary floating-point format.

    Parameters
    ----------
    exponent : int
        Width of the exponent field in bits, 2..11.
    mantissa : int
        Width of the stored significand in bits, 0..52 (at least 1 with `ieee`, which needs room for a NaN).
    bias : int, optional
        Exponent bias; default 2^(exponent-1) - 1, one more for `fnuz`.
    specials : {"ieee", "fn", "fnuz", "none"}
        ``ieee``: the top exponent is infinity and NaN. ``fn``: only all ones is NaN, no infinity.
        ``fnuz``: the negative-zero pattern is the only NaN, no infinity. ``none``: every pattern is finite.
    subnormals : bool
        False flushes: a subnormal pattern reads as zero of its sign, and a result that is below the smallest
        normal after rounding with unbounded exponent becomes zero of its sign.

    Raises
    ------
    InputError
        If a field is out of range.

    Notes
    -----
    IEEE 754-2019; OCP 8-bit Floating Point Specification (OFP8) 1.0; OCP Microscaling Formats (MX) 1.0.
    """

    exponent: int
    mantissa: int
    bias: int = None  # type: ignore[assignment]  # __post_init__ puts the default's value here
    specials: str = "ieee"
    subnormals: bool = True

    family: ClassVar[str] = "float"

    def __post_init__(self) -> None:
        check_integer("float exponent width", self.exponent, *_EXPONENT_WIDTHS)
        check_integer("float mantissa width", self.mantissa, *_MANTISSA_WIDTHS)
        if self.specials not in SPECIALS:
            raise InputError(legal_values("float specials", self.specials, SPECIALS))
        if not isinstance(self.subnormals, bool):
            raise InputError(f"float subnormals {self.subnormals!r} must be a boolean: legal: true, false")
        if self.specials == "ieee" and self.mantissa == 0:
            raise InputError(
                "float mantissa width 0 leaves no room for a NaN with specials 'ieee': "
                "legal: mantissa 1..52, or specials fn, fnuz, none"
            )
        if self.bias is None:
            default = (1 << (self.exponent - 1)) - (self.specials != "fnuz")
            object.__setattr__(self, "bias", default)
        check_integer("float exponent bias", self.bias, *_BIASES)

    # ---- derived properties -------------------------------------------------------------------

    @property
    def width(self) -> int:
        """Width of a pattern in bits."""
        return 1 + self.exponent + self.mantissa

    @property
    def dtype(self) -> np.dtype[Any]:
        """Smallest unsigned NumPy dtype of a pattern."""
        return storage_dtype(self.width)

    @property
    def precision(self) -> int:
        """Bits of the significand, the hidden one included."""
        return self.mantissa + 1

    @property
    def emin(self) -> int:
        """Exponent of the smallest normal value."""
        return 1 - self.bias

    @property
    def emax(self) -> int:
        """Exponent of the largest finite value."""
        return (self.max_finite_code >> self.mantissa) - self.bias

    @property
    def has_inf(self) -> bool:
        """Whether the format has infinities."""
        return self.specials == "ieee"

    @property
    def has_nan(self) -> bool:
        """Whether the format has a NaN."""
        return self.specials != "none"

    @property
    def has_negative_zero(self) -> bool:
        """Whether zero has a sign."""
        return self.specials != "fnuz"

    @property
    def sign_mask(self) -> int:
        """Pattern of the sign bit alone."""
        return 1 << (self.width - 1)

    @property
    def min_normal_code(self) -> int:
        """Pattern of the smallest positive normal value."""
        return 1 << self.mantissa

    @property
    def min_code(self) -> int:
        """Pattern of the smallest positive value: subnormal if the format has subnormals."""
        return 1 if self.subnormals else self.min_normal_code

    @property
    def max_finite_code(self) -> int:
        """Pattern of the largest finite value."""
        all_ones = self.sign_mask - 1
        if self.specials == "ieee":
            return all_ones - (1 << self.mantissa)
        return all_ones - 1 if self.specials == "fn" else all_ones

    @property
    def inf_code(self) -> int | None:
        """Pattern of plus infinity, or None."""
        return self.max_finite_code + 1 if self.has_inf else None

    @property
    def nan_code(self) -> int | None:
        """Pattern of the canonical quiet NaN, or None."""
        match self.specials:
            case "ieee":
                return self.max_finite_code + 1 + (1 << (self.mantissa - 1))
            case "fn":
                return self.sign_mask - 1
            case "fnuz":
                return self.sign_mask
            case _:
                return None

    @property
    def invalid_code(self) -> int:
        """Pattern of an invalid result: the canonical NaN, or the negative zero of a format without NaN."""
        return self.sign_mask if self.nan_code is None else self.nan_code

    @property
    def legal_overflows(self) -> tuple[Overflow, ...]:
        """Overflow policies of the format, the default first."""
        return _LEGAL_OVERFLOWS[self.specials]

    @property
    def default_overflow(self) -> Overflow:
        """Overflow policy used where none is given."""
        return self.legal_overflows[0]

    @property
    def fits_float64(self) -> bool:
        """Whether every value of the format is a float64."""
        return self.emax <= 1023 and self.emin - self.mantissa >= -1074

    @property
    def name(self) -> str:
        """Standard name if there is one, else e<E>m<M> with what differs from IEEE's choices.

        `parse_format` reads every such name.
        """
        for name, fields in STANDARD_FLOATS.items():
            if FloatFormat(*fields) == self:
                return name
        default = FloatFormat(self.exponent, self.mantissa, specials=self.specials)
        name = f"e{self.exponent}m{self.mantissa}"
        if self.bias != default.bias:
            name += f"b{self.bias}"
        taken = STANDARD_FLOATS.get(name)  # by FP6 and FP4, whose plain names mean `none`
        if self.specials != "ieee" or (taken is not None and FloatFormat(*taken).specials != "ieee"):
            name += self.specials
        return name if self.subnormals else name + "ftz"

    # ---- one pattern, exactly -----------------------------------------------------------------

    def unpack(self, code: int) -> Exact:
        """Return the exact value of one pattern."""
        negative = bool(code & self.sign_mask)
        magnitude = code & (self.sign_mask - 1)
        if self.specials == "fnuz" and code == self.sign_mask:
            return NAN
        if magnitude > self.max_finite_code:
            return Exact(negative, 0, special="inf") if magnitude == self.inf_code else NAN
        field = magnitude >> self.mantissa
        significand = magnitude & (self.min_normal_code - 1)
        if field == 0:
            if not self.subnormals:
                significand = 0
            return Exact.dyadic(negative, significand, self.emin - self.mantissa)
        return Exact.dyadic(negative, significand + self.min_normal_code, field - self.bias - self.mantissa)

    def pack(self, value: Exact, *, rounding: Rounding, overflow: Overflow, word: int = 0) -> int:
        """Round one exact value to a pattern.

        Parameters
        ----------
        value : Exact
            Any number.
        rounding : Rounding
            Mode, and random bits of `sr`.
        overflow : Overflow
            One of `legal_overflows`.
        word : int
            Random word of `sr`, below 2^bits.
        """
        if value.is_nan:
            return self.invalid_code
        if value.is_infinite:
            return self._overflowed(value.negative, overflow, finite=False)
        magnitude = 0
        if value.numerator:
            exponent = floor_log2(value.numerator, value.denominator)
            if self.subnormals:
                exponent = max(exponent, self.emin)
            up = max(self.mantissa - exponent, 0)
            down = max(exponent - self.mantissa, 0)
            significand = round_magnitude(
                value.numerator << up,
                value.denominator << down,
                negative=value.negative,
                rounding=rounding,
                word=word,
            )
            # A significand of 2^(M+1) carries into the exponent field by itself; so does the hidden bit.
            magnitude = ((exponent - self.emin) << self.mantissa) + significand
            if not self.subnormals and magnitude < self.min_normal_code:
                magnitude = 0
            if magnitude > self.max_finite_code:
                toward_zero = {
                    RoundingMode.RTZ: True,
                    RoundingMode.RTO: True,
                    RoundingMode.RUP: value.negative,
                    RoundingMode.RDN: not value.negative,
                }.get(rounding.mode, False)
                return self._overflowed(value.negative, overflow, finite=toward_zero)
        return self._signed(magnitude, value.negative)

    def _signed(self, magnitude: int, negative: bool) -> int:
        if not negative or (magnitude == 0 and not self.has_negative_zero):
            return magnitude
        return magnitude | self.sign_mask

    def _overflowed(self, negative: bool, overflow: Overflow, *, finite: bool) -> int:
        if finite or overflow is Overflow.SATURATE:
            return self._signed(self.max_finite_code, negative)
        if overflow is Overflow.NAN:
            return self.invalid_code
        return self._signed(self.max_finite_code + 1, negative)

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
            Same shape. Where float64 cannot hold the format (`fits_float64`), an object array of
            `fractions.Fraction`, with Python floats for zeros, infinities and NaN.

        Raises
        ------
        InputError
            If a pattern is wider than the format.
        """
        codes = as_codes(bits, self.width, self.dtype)
        if not self.fits_float64:
            return unpack_elementwise(self, codes)
        if self.width <= _DECODE_TABLE_WIDTH:
            return np.asarray(decode_table(self)[codes])
        return decode_fields(self, codes.reshape(-1)).reshape(codes.shape)

    def encode(
        self,
        x: npt.ArrayLike,
        *,
        rounding: str | Rounding = "rne",
        overflow: str | Overflow | None = None,
        rand: npt.ArrayLike | None = None,
        rbits: int | None = None,
    ) -> npt.NDArray[Any]:
        """Round real numbers to bit patterns.

        Parameters
        ----------
        x : array_like
            Floats of at most 64 bits, integers, or an object array of Fraction, int or float; any shape.
        rounding : str or Rounding
            Mode: rne, rna, rtz, rup, rdn, rto, sr.
        overflow : str or Overflow, optional
            One of `legal_overflows`; the first of them by default.
        rand : array_like of int, optional
            Random words of `sr`, each below 2^rbits; broadcast against `x`.
        rbits : int, optional
            Random bits of `sr` when `rounding` is a string.

        Returns
        -------
        ndarray of `dtype`
            Patterns, in the broadcast shape of `x` and `rand`.

        Raises
        ------
        InputError
            If an argument is illegal; the message quotes it.
        """
        how = rounding if isinstance(rounding, Rounding) else Rounding(RoundingMode.parse(rounding), rbits)
        policy = Overflow.select(overflow, legal=self.legal_overflows, format_name=self.name)
        return encode_elementwise(self, x, rounding=how, overflow=policy, rand=rand, fast=encode_float64)

    # ---- for people ---------------------------------------------------------------------------

    def to_yaml(self) -> dict[str, Any]:
        """Return the format as the plain data of a spec file, every field written out."""
        return {
            "float": {
                "exponent": self.exponent,
                "mantissa": self.mantissa,
                "bias": self.bias,
                "specials": self.specials,
                "subnormals": self.subnormals,
            }
        }

    def describe(self) -> list[tuple[str, str]]:
        """Return (property, text) rows that describe the format to a user."""
        return describe_float(self)


STANDARD_FLOATS: dict[str, tuple[Any, ...]] = {
    "fp64": (11, 52),
    "fp32": (8, 23),
    "tf32": (8, 10),
    "fp16": (5, 10),
    "bf16": (8, 7),
    "e5m2": (5, 2),
    "e4m3fn": (4, 3, None, "fn"),
    "e5m2fnuz": (5, 2, None, "fnuz"),
    "e4m3fnuz": (4, 3, None, "fnuz"),
    "e3m2": (3, 2, None, "none"),
    "e2m3": (2, 3, None, "none"),
    "e2m1": (2, 1, None, "none"),
}
"""Fields of the named formats: exponent, mantissa, bias (None: the default), specials."""
