"""The golden operators: convert, add, mul, fma and mac on arrays of bit patterns.

Every operator is exact followed by one rounding (`mac` in split form: two). Each call takes the fastest
path that is provably exact for its formats: int64 for fixed point, float64 with rounding to odd, else
Python integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.formats import FixedFormat, Overflow, PositFormat, Rounding, RoundingMode
from hwgen.formats.checks import as_codes, as_words
from hwgen.golden.carriers import add_to_odd, extent, is_float64, product_extent, sum_is_safe
from hwgen.golden.exact import Scalar, exact_arrays
from hwgen.golden.integers import fits, fixed_arrays

__all__ = ["add", "convert", "fma", "mac", "mul"]

_BLOCK = 1 << 15  # elements per step: bounds the memory of temporaries and keeps them in the cache

Operand = tuple[npt.NDArray[Any], Scalar]


def convert(
    x: npt.ArrayLike,
    *,
    x_fmt: Scalar,
    y_fmt: Scalar,
    rounding: Rounding,
    overflow: str | Overflow | None = None,
    rand: npt.ArrayLike | None = None,
) -> npt.NDArray[Any]:
    """Return `x` in another format, rounded once.

    Parameters
    ----------
    x : array_like of int
        Patterns of `x_fmt`, any shape.
    x_fmt, y_fmt : FloatFormat, FixedFormat, PositFormat or ExponentFormat
        Operand and result format.
    rounding : Rounding
        Mode, and random bits of `sr`.
    overflow : str or Overflow, optional
        Policy of the result format; its default if None.
    rand : array_like of int, optional
        Random words of `sr`, one per result; broadcast with the operands.

    Returns
    -------
    ndarray of `y_fmt.dtype`
        Patterns in the broadcast shape of operands and words.

    Raises
    ------
    InputError
        If a pattern or word is too wide, or the policy is not the format's.
    """
    return _operate([(x, x_fmt)], None, y_fmt=y_fmt, rounding=rounding, overflow=overflow, rand=rand)


def add(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    a_fmt: Scalar,
    b_fmt: Scalar,
    y_fmt: Scalar,
    rounding: Rounding,
    overflow: str | Overflow | None = None,
    rand: npt.ArrayLike | None = None,
) -> npt.NDArray[Any]:
    """Return a + b rounded once; parameters as `convert`, with one format per operand."""
    return _operate([(a, a_fmt)], (b, b_fmt), y_fmt=y_fmt, rounding=rounding, overflow=overflow, rand=rand)


def mul(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    a_fmt: Scalar,
    b_fmt: Scalar,
    y_fmt: Scalar,
    rounding: Rounding,
    overflow: str | Overflow | None = None,
    rand: npt.ArrayLike | None = None,
) -> npt.NDArray[Any]:
    """Return a * b rounded once; parameters as `convert`, with one format per operand."""
    return _operate(
        [(a, a_fmt), (b, b_fmt)], None, y_fmt=y_fmt, rounding=rounding, overflow=overflow, rand=rand
    )


def fma(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    c: npt.ArrayLike,
    *,
    a_fmt: Scalar,
    b_fmt: Scalar,
    c_fmt: Scalar,
    y_fmt: Scalar,
    rounding: Rounding,
    overflow: str | Overflow | None = None,
    rand: npt.ArrayLike | None = None,
) -> npt.NDArray[Any]:
    """Return a * b + c rounded once; parameters as `convert`, with one format per operand."""
    return _operate(
        [(a, a_fmt), (b, b_fmt)], (c, c_fmt), y_fmt=y_fmt, rounding=rounding, overflow=overflow, rand=rand
    )


def mac(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    acc: npt.ArrayLike,
    *,
    a_fmt: Scalar,
    b_fmt: Scalar,
    acc_fmt: Scalar,
    rounding: Rounding,
    overflow: str | Overflow | None = None,
    product_fmt: Scalar | None = None,
    product_rounding: Rounding | None = None,
    rand: npt.ArrayLike | None = None,
) -> npt.NDArray[Any]:
    """Return acc + a * b in the accumulator's format.

    Parameters
    ----------
    a, b, acc : array_like of int
        Patterns, broadcast.
    a_fmt, b_fmt, acc_fmt : FloatFormat, FixedFormat, PositFormat or ExponentFormat
        Their formats; the result has `acc_fmt`.
    rounding, overflow, rand
        As `convert`, for the final rounding.
    product_fmt : format, optional
        None is the fused form, one rounding. A format is the split form: the product is rounded to it first,
        with its own default overflow.
    product_rounding : Rounding, optional
        Deterministic rounding of the product in the split form; default `rne` if `rounding` is `sr` or the
        product is a posit, else `rounding`.

    Returns
    -------
    ndarray of `acc_fmt.dtype`
        Patterns in the broadcast shape of operands and words.

    Raises
    ------
    InputError
        As `convert`; also if `product_rounding` is `sr` or given without `product_fmt`.
    """
    if product_fmt is None:
        if product_rounding is not None:
            raise InputError(f"product rounding '{product_rounding}' given without a product format")
        return fma(
            a,
            b,
            acc,
            a_fmt=a_fmt,
            b_fmt=b_fmt,
            c_fmt=acc_fmt,
            y_fmt=acc_fmt,
            rounding=rounding,
            overflow=overflow,
            rand=rand,
        )
    if product_rounding is None:
        nearest = rounding.mode is RoundingMode.SR or isinstance(product_fmt, PositFormat)
        product_rounding = Rounding(RoundingMode.RNE) if nearest else rounding
    elif product_rounding.mode is RoundingMode.SR:
        raise InputError("product rounding 'sr' is impossible: the random word serves the final rounding")
    product = mul(a, b, a_fmt=a_fmt, b_fmt=b_fmt, y_fmt=product_fmt, rounding=product_rounding)
    return add(
        product,
        acc,
        a_fmt=product_fmt,
        b_fmt=acc_fmt,
        y_fmt=acc_fmt,
        rounding=rounding,
        overflow=overflow,
        rand=rand,
    )


def _operate(
    factors: Sequence[tuple[npt.ArrayLike, Scalar]],
    addend: tuple[npt.ArrayLike, Scalar] | None,
    *,
    y_fmt: Scalar,
    rounding: Rounding,
    overflow: str | Overflow | None,
    rand: npt.ArrayLike | None,
) -> npt.NDArray[Any]:
    """Check operands, choose the path, and work through blocks of the flattened broadcast arrays."""
    policy = Overflow.select(overflow, legal=y_fmt.legal_overflows, format_name=y_fmt.name)
    if isinstance(y_fmt, PositFormat):
        y_fmt.check_rounding(rounding)
    operands = [*factors, *([] if addend is None else [addend])]
    formats = [fmt for _, fmt in operands]
    arrays = [as_codes(codes, fmt.width, fmt.dtype) for codes, fmt in operands]
    words = as_words(rand, rounding)
    shape = np.broadcast_shapes(*(array.shape for array in arrays), () if words is None else words.shape)
    result = np.empty(shape, dtype=y_fmt.dtype)
    flat = [np.broadcast_to(array, shape).reshape(-1) for array in arrays]
    flat_words = None if words is None else np.broadcast_to(words, shape).reshape(-1)
    flat_result = result.reshape(-1)
    path = _choose_path(formats, adds=addend is not None, y_fmt=y_fmt, rounding=rounding, overflow=policy)
    for start in range(0, flat_result.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        parts: list[Operand] = [(array[block], fmt) for array, fmt in zip(flat, formats, strict=True)]
        flat_result[block] = path(
            parts[: len(factors)],
            None if addend is None else parts[-1],
            y_fmt=y_fmt,
            rounding=rounding,
            overflow=policy,
            words=None if flat_words is None else flat_words[block],
        )
    return result


def _choose_path(
    formats: Sequence[Scalar], *, adds: bool, y_fmt: Scalar, rounding: Rounding, overflow: Overflow
) -> Any:
    """Return the fastest of `fixed_arrays`, `float64_arrays` and `exact_arrays` that is provably exact."""
    factors = formats[: len(formats) - adds]
    addend = formats[-1] if adds else None
    fixed = [fmt for fmt in formats if isinstance(fmt, FixedFormat)]
    if isinstance(y_fmt, FixedFormat) and len(fixed) == len(formats):
        fixed_addend = fixed[-1] if adds else None
        if fits(fixed[: len(factors)], fixed_addend, y_fmt=y_fmt):
            return fixed_arrays
    if not all(is_float64(extent(fmt)) for fmt in formats):
        return exact_arrays
    bounds = extent(factors[0])
    if len(factors) == 2:
        bounds = product_extent(bounds, extent(factors[1]))
    if addend is None:
        safe = is_float64(bounds)
    else:
        safe = sum_is_safe(bounds, extent(addend), y_fmt=y_fmt, rounding=rounding, overflow=overflow)
    return float64_arrays if safe else exact_arrays


def float64_arrays(
    factors: Sequence[Operand],
    addend: Operand | None,
    *,
    y_fmt: Scalar,
    rounding: Rounding,
    overflow: Overflow,
    words: npt.NDArray[Any] | None,
) -> npt.NDArray[Any]:
    """Return round(product of factors + addend) through float64; as `exact_arrays`."""
    values = factors[0][1].decode(factors[0][0])
    if len(factors) == 2:
        with np.errstate(invalid="ignore"):  # 0 * Inf is NaN, as wanted
            values = values * factors[1][1].decode(factors[1][0])
    if addend is not None:
        values = add_to_odd(values, addend[1].decode(addend[0]), rounding=rounding)
    if isinstance(y_fmt, PositFormat):
        return y_fmt.encode(values, rounding=rounding)
    return y_fmt.encode(values, rounding=rounding, overflow=overflow, rand=words)
