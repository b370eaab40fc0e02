"""The rounding unit: `convert` for wide operands, with the published variants of stochastic rounding by name.

With lo <= |x| < hi the neighbours in the result format (unbounded exponent above), f = (|x| - lo) / (hi - lo)
exactly, and u the random word of r bits, the magnitude becomes hi if, for the variant

- ``floor``: floor(f * 2^r) + u >= 2^r, the definition of every other operator (`docs/rounding.md`);
- ``compare``: u < floor(f * 2^r), a comparator in place of an adder: the same probability, other words;
- ``centred``: f * 2^r + u + 1/2 >= 2^r, which removes the mean of the truncation (`SRF` of Fitzgibbon and
  Felix, "On Stochastic Rounding with Few Random Bits", ARITH 2025);
- ``nearest``: rne(f * 2^r) + u >= 2^r: the operand is first rounded to nearest, ties to even, r bits below
  the last place (`SRC` of the same authors).

Representable values never move. Overflow and special values are those of `convert` under `sr`.

`exact_round` follows this text. `round_unit` maps each variant to ``floor`` with another word:

- compare: u < k is k + (2^r - 1 - u) >= 2^r.
- centred: both sides doubled, f * 2^(r+1) + (2u + 1) >= 2^(r+1), where all but the first are integers, so
  the first may be floored: ``floor`` with r + 1 bits and the word 2u + 1.
- nearest: with t = 2^r - u, rne(z) >= t means z >= t - 1/2 if t is even, which it is if u is, else
  z > t - 1/2. Let P be the significant bits of x and R = r + P. Where z = f * 2^r >= t - 1/2 >= 1/2, the
  leading one of x is at 2^-(r+1) ulp or above, so its last bit is at 2^-R or above, and f * 2^R is an
  integer. The strict comparison is then one with the next integer: ``floor`` with R bits and the word
  (2u + 1) * 2^(P-1) - (u odd).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.formats import FixedFormat, FloatFormat, Overflow, Rounding, RoundingMode
from hwgen.formats.checks import as_codes, as_words
from hwgen.formats.exact import Exact, floor_log2
from hwgen.formats.modes import MAX_RANDOM_BITS
from hwgen.golden.operators import convert

__all__ = ["Variant", "exact_round", "round_unit"]

Number = FloatFormat | FixedFormat


class Variant(StrEnum):
    """How the random word decides; see the module."""

    FLOOR = "floor"
    COMPARE = "compare"
    CENTRED = "centred"
    NEAREST = "nearest"


def round_unit(
    x: npt.ArrayLike,
    *,
    x_fmt: Number,
    y_fmt: Number,
    rounding: Rounding,
    overflow: str | Overflow | None = None,
    variant: Variant = Variant.FLOOR,
    rand: npt.ArrayLike | None = None,
) -> npt.NDArray[Any]:
    """Return `x` rounded once into another format.

    Parameters
    ----------
    x : array_like of int
        Patterns of `x_fmt`, any shape.
    x_fmt, y_fmt : FloatFormat or FixedFormat
        Operand and result format.
    rounding : Rounding
        Mode, and random bits of `sr`.
    overflow : str or Overflow, optional
        Policy of the result format; its default if None.
    variant : Variant
        What `sr` does with its word. Deterministic modes have only the default.
    rand : array_like of int, optional
        Random words of `sr`, one per result; broadcast with `x`.

    Returns
    -------
    ndarray of `y_fmt.dtype`
        Patterns in the broadcast shape of `x` and the words.

    Raises
    ------
    InputError
        If a pattern or word is too wide, the policy is not the format's, or a deterministic mode has
        a variant.
    """
    how: dict[str, Any] = {"x_fmt": x_fmt, "y_fmt": y_fmt, "overflow": overflow}
    if variant is Variant.FLOOR:
        return convert(x, rounding=rounding, rand=rand, **how)
    if rounding.mode is not RoundingMode.SR:
        raise InputError(
            f"variant {variant.value!r} belongs to rounding 'sr', not to {rounding.mode.value!r}"
        )
    given = as_words(rand, rounding)
    assert given is not None  # noqa: S101  (as_words refuses sr without words)
    r, words = rounding.random_bits, given.astype(np.uint64)
    if variant is Variant.COMPARE:
        return convert(x, rounding=rounding, rand=np.uint64((1 << r) - 1) - words, **how)
    below = 1 if variant is Variant.CENTRED else _significant_bits(x_fmt)
    if r + below > MAX_RANDOM_BITS:
        return _elementwise(x, words, rounding, variant, **how)
    finer = (words * np.uint64(2) + np.uint64(1)) << np.uint64(below - 1)
    if variant is Variant.NEAREST:
        finer -= words & np.uint64(1)
    return convert(x, rounding=Rounding(RoundingMode.SR, r + below), rand=finer, **how)


def exact_round(
    value: Exact, *, y_fmt: Number, rounding: Rounding, overflow: Overflow, variant: Variant, word: int
) -> int:
    """Return the pattern of one exact value under `sr`, from the definition of the variant."""
    to_nearest = Rounding(RoundingMode.RNE)  # overflows as sr does, and is exact on representable values
    if value.special or value.numerator == 0:
        return y_fmt.pack(value, rounding=to_nearest, overflow=overflow)
    last_place = -y_fmt.fraction if isinstance(y_fmt, FixedFormat) else _last_place(value, y_fmt)
    numerator = value.numerator << max(-last_place, 0)
    denominator = value.denominator << max(last_place, 0)
    below, remainder = divmod(numerator, denominator)  # f = remainder / denominator
    up = remainder > 0 and _goes_up(remainder, denominator, rounding.random_bits, variant, word)
    rounded = Exact.dyadic(value.negative, below + up, last_place)
    return y_fmt.pack(rounded, rounding=to_nearest, overflow=overflow)


def _goes_up(remainder: int, denominator: int, r: int, variant: Variant, word: int) -> bool:
    scaled = remainder << r  # f * 2^r = scaled / denominator
    match variant:
        case Variant.FLOOR:
            return scaled // denominator + word >= 1 << r
        case Variant.COMPARE:
            return word < scaled // denominator
        case Variant.CENTRED:
            return 2 * scaled + (2 * word + 1) * denominator >= denominator << (r + 1)
        case Variant.NEAREST:
            k, rest = divmod(scaled, denominator)
            k += 2 * rest > denominator or (2 * rest == denominator and k % 2 == 1)
            return k + word >= 1 << r


def _last_place(value: Exact, fmt: FloatFormat) -> int:
    """Return the exponent of the last place of a result near `value`."""
    exponent = floor_log2(value.numerator, value.denominator)
    return (max(exponent, fmt.emin) if fmt.subnormals else exponent) - fmt.mantissa


def _significant_bits(fmt: Number) -> int:
    return fmt.width if isinstance(fmt, FixedFormat) else fmt.precision


def _elementwise(
    x: npt.ArrayLike,
    words: npt.NDArray[np.uint64],
    rounding: Rounding,
    variant: Variant,
    *,
    x_fmt: Number,
    y_fmt: Number,
    overflow: str | Overflow | None,
) -> npt.NDArray[Any]:
    policy = Overflow.select(overflow, legal=y_fmt.legal_overflows, format_name=y_fmt.name)
    codes, words = np.broadcast_arrays(as_codes(x, x_fmt.width, x_fmt.dtype), words)
    result = np.empty(codes.shape, y_fmt.dtype)
    for index, code in np.ndenumerate(codes):
        value, word = x_fmt.unpack(int(code)), int(words[index])
        result[index] = exact_round(
            value, y_fmt=y_fmt, rounding=rounding, overflow=policy, variant=variant, word=word
        )
    return result
