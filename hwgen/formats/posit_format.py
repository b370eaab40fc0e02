"""Posits as the 2022 posit standard defines them: regime, exponent, fraction; one zero and one NaR."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.formats.checks import as_codes, check_integer, storage_dtype
from hwgen.formats.elementwise import encode_elementwise, unpack_elementwise
from hwgen.formats.exact import NAN, Exact
from hwgen.formats.modes import Overflow, Rounding, RoundingMode

__all__ = ["PositFormat"]

_WIDTHS = (2, 64)
_EXPONENT_SIZES = (0, 4)
_FAST_WIDTH = 32  # int64 holds the bit string that arrays are rounded on


@dataclass(frozen=True)
class PositFormat:
    """A posit format.

    Parameters
    ----------
    width : int
        Width of a pattern in bits, 2..64.
    es : int
        Exponent bits, 0..4; the standard fixes 2.

    Raises
    ------
    InputError
        If a field is out of range.

    Notes
    -----
    Standard for Posit Arithmetic (2022). The only rounding is to nearest *on the bit string*: x between
    neighbours u and w goes to w if it exceeds the (width+1)-bit posit between their patterns, ties to the
    even pattern. Non-zero values never round to zero or NaR, they saturate at minpos and maxpos. NaN and
    infinities become NaR.
    """

    width: int
    es: int = 2

    family: ClassVar[str] = "posit"

    def __post_init__(self) -> None:
        check_integer("posit width", self.width, *_WIDTHS)
        check_integer("posit exponent size es", self.es, *_EXPONENT_SIZES)

    @property
    def name(self) -> str:
        """posit<n>, with es<e> appended where it is not the standard's 2."""
        return f"posit{self.width}" + ("" if self.es == 2 else f"es{self.es}")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Smallest unsigned NumPy dtype of a pattern."""
        return storage_dtype(self.width)

    @property
    def nan_code(self) -> int:
        """Pattern of NaR (not a real)."""
        return 1 << (self.width - 1)

    @property
    def max_finite_code(self) -> int:
        """Pattern of maxpos, the largest value."""
        return self.nan_code - 1

    @property
    def emax(self) -> int:
        """Exponent of maxpos; minpos has its negative."""
        return (self.width - 2) << self.es

    @property
    def precision(self) -> int:
        """Bits of the longest significand, the hidden one included."""
        return max(self.width - 3 - self.es, 0) + 1

    @property
    def has_nan(self) -> bool:
        """True: NaR."""
        return True

    @property
    def has_inf(self) -> bool:
        """False: infinities become NaR."""
        return False

    @property
    def fits_float64(self) -> bool:
        """Whether every value of the format is a float64: up to posit57 with es = 2."""
        return self.precision <= np.finfo(np.float64).nmant + 1

    @property
    def legal_overflows(self) -> tuple[Overflow, ...]:
        """Only saturation, which the standard demands."""
        return (Overflow.SATURATE,)

    @property
    def default_overflow(self) -> Overflow:
        """Overflow policy used where none is given."""
        return Overflow.SATURATE

    # ---- one pattern, exactly -----------------------------------------------------------------

    def unpack(self, code: int) -> Exact:
        """Return the exact value of one pattern."""
        if code == self.nan_code:
            return NAN
        if code == 0:
            return Exact(False, 0)
        negative = code > self.nan_code
        body = (1 << self.width) - code if negative else code
        return _posit_value(body, self.width, self.es)._replace(negative=negative)

    def pack(self, value: Exact, *, rounding: Rounding, overflow: Overflow, word: int = 0) -> int:
        """Round one exact value to a pattern; see `FloatFormat.pack`. Only `rne` and `saturate` exist."""
        if value.special:
            return self.nan_code
        if value.is_zero:
            return 0
        # Positive patterns grow with their values: bisect for the largest one that is not above |x|.
        low, high = 1, self.max_finite_code
        if not _at_most(self.unpack(low), value):
            high = low
        while low < high:
            middle = (low + high + 1) // 2
            if _at_most(self.unpack(middle), value):
                low = middle
            else:
                high = middle - 1
        at_an_end = low == self.max_finite_code or not _at_most(self.unpack(low), value)
        if not at_an_end:
            between = _posit_value(2 * low + 1, self.width + 1, self.es)
            above = not _at_most(value, between)
            tie = _at_most(value, between) and _at_most(between, value)
            low += above or (tie and low % 2 == 1)
        return (1 << self.width) - low if value.negative else low

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
            Same shape; NaR reads as NaN. An object array of `fractions.Fraction` (float for zero and NaR)
            where float64 cannot hold the format (`fits_float64`).

        Raises
        ------
        InputError
            If a pattern is wider than the format.
        """
        codes = as_codes(bits, self.width, self.dtype)
        if self.width <= 16:
            return np.asarray(_decode_table(self)[codes])
        if self.width > _FAST_WIDTH:
            values = unpack_elementwise(self, codes)
            return values.astype(np.float64) if self.fits_float64 else values
        return self._decode_fields(codes.reshape(-1)).reshape(codes.shape)

    def _decode_fields(self, codes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        wide = codes.astype(np.int64)
        negative = wide > self.nan_code
        body = np.where(negative, (1 << self.width) - wide, wide)
        # Align the run of equal regime bits to bit width-2, complemented to a run of zeros.
        top = self.width - 1
        first = (body >> (top - 1)) & 1
        inverted = np.where(first == 1, ~body, body) & (self.max_finite_code)
        _, length = np.frexp(inverted.astype(np.float64))  # bit length of the rest after the run
        run = top - length.astype(np.int64)
        regime = np.where(first == 1, run - 1, -run)
        rest_bits = np.maximum(top - run - 1, 0)  # exponent and fraction bits that are present
        rest = body & ((np.int64(1) << rest_bits) - 1)
        # Bits cut off at the right read as zeros, so append es zeros before splitting.
        rest <<= self.es
        exponent = rest >> rest_bits
        fraction = rest & ((np.int64(1) << rest_bits) - 1)
        significand = (np.int64(1) << rest_bits) + fraction
        power = (regime << self.es) + exponent - rest_bits
        values: npt.NDArray[np.float64] = np.ldexp(significand.astype(np.float64), power)
        values = np.where(negative, -values, values)
        values[wide == 0] = 0.0
        values[wide == self.nan_code] = np.nan
        return values

    def encode(
        self,
        x: npt.ArrayLike,
        *,
        rounding: str | Rounding = "rne",
        overflow: str | Overflow | None = None,
    ) -> npt.NDArray[Any]:
        """Round real numbers to bit patterns.

        Parameters
        ----------
        x : array_like
            Floats of at most 64 bits, integers, or an object array of Fraction, int or float; any shape.
        rounding : str or Rounding
            Only rne, the standard's rounding.
        overflow : str or Overflow, optional
            Only saturate.

        Returns
        -------
        ndarray of `dtype`
            Patterns, in the shape of `x`.

        Raises
        ------
        InputError
            If another rounding or overflow policy is asked for.
        """
        how = rounding if isinstance(rounding, Rounding) else Rounding(RoundingMode.parse(rounding))
        self.check_rounding(how)
        policy = Overflow.select(overflow, legal=self.legal_overflows, format_name=self.name)
        fast = _encode_float64 if self.width <= _FAST_WIDTH else None
        return encode_elementwise(self, x, rounding=how, overflow=policy, rand=None, fast=fast)

    def check_rounding(self, rounding: Rounding) -> None:
        """Raise `InputError` unless `rounding` is the standard's."""
        if rounding.mode is not RoundingMode.RNE:
            raise InputError(
                f"rounding {rounding.mode.value!r} is impossible for format {self.name!r}: legal: rne "
                "(the posit standard has no other)"
            )

    # ---- for people ---------------------------------------------------------------------------

    def to_yaml(self) -> dict[str, Any]:
        """Return the format as the plain data of a spec file."""
        return {"posit": {"width": self.width, "es": self.es}}

    def describe(self) -> list[tuple[str, str]]:
        """Return (property, text) rows that describe the format to a user."""
        digits = -(-self.width // 4)
        return [
            ("name", self.name),
            ("family", "posit"),
            ("width", f"{self.width} bits"),
            ("fields", f"sign 1, regime 2..{self.width - 1}, exponent up to {self.es}, fraction the rest"),
            ("precision", f"1..{self.precision} bits"),
            ("maxpos", f"2^{self.emax} (0x{self.max_finite_code:0{digits}X})"),
            ("minpos", f"2^{-self.emax} (0x{1:0{digits}X})"),
            ("special values", f"one zero, NaR 0x{self.nan_code:0{digits}X}, no infinity"),
            ("rounding", "to nearest on the bit string, ties to even; saturates, never to zero or NaR"),
        ]


def _posit_value(body: int, width: int, es: int) -> Exact:
    """Return the value of a positive pattern, read left to right as the standard's figure does."""
    text = format(body, f"0{width}b")[1:]
    run = len(text) - len(text.lstrip(text[0]))
    regime = run - 1 if text[0] == "1" else -run
    rest = text[run + 1 :]
    exponent = int(rest[:es].ljust(es, "0") or "0", 2)
    fraction = rest[es:]
    significand = int("1" + fraction, 2)
    return Exact.dyadic(False, significand, (regime << es) + exponent - len(fraction))


def _at_most(a: Exact, b: Exact) -> bool:
    """Whether |a| <= |b|."""
    return a.numerator * b.denominator <= b.numerator * a.denominator


@lru_cache(maxsize=16)
def _decode_table(fmt: PositFormat) -> npt.NDArray[np.float64]:
    table = fmt._decode_fields(np.arange(1 << fmt.width, dtype=np.int64))
    table.flags.writeable = False
    return table


def _encode_float64(
    fmt: PositFormat,
    x: npt.NDArray[Any],
    words: None,
    *,
    rounding: Rounding,
    overflow: Overflow,
) -> npt.NDArray[Any]:
    """Round a floating array by writing the endless bit string of x and cutting it after `width` bits.

    Behind the regime come es exponent bits and 52 fraction bits, at most 56 together, held as one integer
    `tail`. The regime takes L bits, so L + es + 52 - (width - 1) bits of the tail are cut off; they stay
    below 57, which an int64 holds.
    """
    top = fmt.width - 1
    values = x.astype(np.float64)
    finite = np.isfinite(values) & (values != 0)
    mantissa, exponent = np.frexp(np.where(finite, np.abs(values), 1.0))
    # Beyond maxpos and below minpos only the fact itself matters; the clip keeps regimes short.
    power = np.clip(exponent.astype(np.int64) - 1, -fmt.emax - 1, fmt.emax)
    regime = power >> fmt.es
    fraction = np.ldexp(mantissa, 53).astype(np.int64) & ((1 << 52) - 1)
    tail = ((power & ((1 << fmt.es) - 1)) << 52) | fraction
    tail_bits = fmt.es + 52

    run = np.where(regime >= 0, regime + 1, -regime)
    regime_bits = np.minimum(run + 1, top)  # the terminating bit is cut off at the very ends
    ones = (np.int64(1) << np.minimum(run, top)) - 1
    prefix = np.where(regime >= 0, ones << (regime_bits - np.minimum(run, top)), 1)
    kept_bits = top - regime_bits
    cut = tail_bits - kept_bits
    codes = (prefix << kept_bits) | (tail >> cut)
    guard = (tail >> (cut - 1)) & 1
    sticky = (tail & ((np.int64(1) << (cut - 1)) - 1)) != 0
    codes += guard & (sticky | (codes & 1 == 1))
    codes = np.clip(codes, 1, fmt.max_finite_code)
    codes = np.where(power >= fmt.emax, fmt.max_finite_code, np.where(power < -fmt.emax, 1, codes))
    codes = np.where(values < 0, (1 << fmt.width) - codes, codes)
    codes = np.where(finite, codes, np.where(values == 0, 0, fmt.nan_code))
    return codes.astype(fmt.dtype)
