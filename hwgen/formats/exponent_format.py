"""E8M0, the power-of-two scale of OCP Microscaling blocks: an exponent without sign, zero or significand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from hwgen.formats.checks import as_codes
from hwgen.formats.elementwise import encode_elementwise
from hwgen.formats.exact import NAN, Exact, floor_log2, round_magnitude
from hwgen.formats.modes import Overflow, Rounding, RoundingMode
from hwgen.formats.rounding import round_to_integers

__all__ = ["ExponentFormat"]

_TOWARD_ZERO = (RoundingMode.RTZ, RoundingMode.RTO, RoundingMode.RDN)
"""Modes that never leave the range of a format without sign."""


@dataclass(frozen=True)
class ExponentFormat:
    """The E8M0 scale format: value 2^(code - 127), code 255 is NaN.

    There is no zero and no sign, so zeros and negative numbers encode as NaN (as ml_dtypes does), and
    positive numbers below 2^-127 as 2^-127. Between two powers of two every rounding mode applies; a tie is
    1.5 * 2^e and goes to the larger magnitude under `rne`, which is IEEE 754-2019's rule for one-digit
    precision. OCP Microscaling Formats (MX) 1.0, section 5.4.1.
    """

    family: ClassVar[str] = "exponent"
    width: ClassVar[int] = 8
    bias: ClassVar[int] = 127
    precision: ClassVar[int] = 1
    emin: ClassVar[int] = -127
    emax: ClassVar[int] = 127
    nan_code: ClassVar[int] = 0xFF
    max_finite_code: ClassVar[int] = 0xFE
    name: ClassVar[str] = "e8m0"
    has_nan: ClassVar[bool] = True
    has_inf: ClassVar[bool] = False
    fits_float64: ClassVar[bool] = True
    default_overflow: ClassVar[Overflow] = Overflow.SATURATE
    legal_overflows: ClassVar[tuple[Overflow, ...]] = (Overflow.SATURATE, Overflow.NAN)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Unsigned NumPy dtype of a pattern."""
        return np.dtype(np.uint8)

    def unpack(self, code: int) -> Exact:
        """Return the exact value of one pattern."""
        return NAN if code == self.nan_code else Exact.dyadic(False, 1, code - self.bias)

    def pack(self, value: Exact, *, rounding: Rounding, overflow: Overflow, word: int = 0) -> int:
        """Round one exact value to a pattern; see `FloatFormat.pack`."""
        if value.is_nan or value.negative or value.is_zero:
            return self.nan_code
        beyond = self.max_finite_code if overflow is Overflow.SATURATE else self.nan_code
        if value.is_infinite:
            return beyond
        exponent = floor_log2(value.numerator, value.denominator)
        if exponent < self.emin:
            return 0
        one_or_two = round_magnitude(
            value.numerator << max(-exponent, 0),
            value.denominator << max(exponent, 0),
            negative=False,
            rounding=rounding,
            word=word,
        )
        code = exponent + one_or_two - 1 + self.bias
        if code <= self.max_finite_code:
            return code
        return self.max_finite_code if rounding.mode in _TOWARD_ZERO else beyond

    def decode(self, bits: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the values of bit patterns as float64, any shape."""
        codes = as_codes(bits, self.width, self.dtype).astype(np.int64)
        values: npt.NDArray[np.float64] = np.ldexp(1.0, codes - self.bias)
        return np.where(codes == self.nan_code, np.nan, values)

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

    def to_yaml(self) -> str:
        """Return the format as the plain data of a spec file."""
        return self.name

    def describe(self) -> list[tuple[str, str]]:
        """Return (property, text) rows that describe the format to a user."""
        return [
            ("name", self.name),
            ("family", "exponent"),
            ("width", "8 bits"),
            ("fields", "exponent 8"),
            ("bias", str(self.bias)),
            ("largest finite", f"2^{self.emax} (0xFE)"),
            ("smallest", f"2^{self.emin} (0x00)"),
            ("special values", "0xFF is NaN; no zero, no sign, no infinity (OCP MX scale)"),
            ("overflow", ", ".join(self.legal_overflows) + " (the first is the default)"),
        ]


def _encode_float64(
    fmt: ExponentFormat,
    x: npt.NDArray[Any],
    words: npt.NDArray[Any] | None,
    *,
    rounding: Rounding,
    overflow: Overflow,
) -> npt.NDArray[Any]:
    """Round a floating array to patterns: the significand in [1, 2) goes to 1 or 2; exact, for frexp is."""
    values = x.astype(np.float64)
    positive = values > 0  # neither zero nor NaN
    finite = np.isfinite(values)
    half, exponent = np.frexp(np.where(positive & finite, values, 1.0))
    one_or_two = round_to_integers(
        2 * half, negative=np.zeros(values.shape, bool), rounding=rounding, words=words
    )
    codes: npt.NDArray[np.int64] = exponent.astype(np.int64) - 1 + (one_or_two == 2) + fmt.bias
    codes[exponent - 1 < fmt.emin] = 0
    beyond = fmt.max_finite_code if overflow is Overflow.SATURATE else fmt.nan_code
    codes[codes > fmt.max_finite_code] = fmt.max_finite_code if rounding.mode in _TOWARD_ZERO else beyond
    codes[~finite] = beyond
    codes[~positive] = fmt.nan_code
    return codes.astype(np.uint8)
