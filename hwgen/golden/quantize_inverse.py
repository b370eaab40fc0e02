"""From shared exponents back to plain numbers: element * 2^exponent, rounded once into any format.

`exact_arrays` is the definition; the fast path is exact where every such product is a float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.formats import BlockFormat, FixedFormat, FloatFormat, Overflow, Rounding
from hwgen.formats.checks import as_codes, as_words, storage_dtype
from hwgen.formats.exact import NAN, Exact
from hwgen.formats.exponent_format import ExponentFormat
from hwgen.golden.carriers import Extent, extent, is_float64
from hwgen.golden.quantize_exact import scale_exponent

__all__ = ["dequantize"]

Number = FloatFormat | FixedFormat

_STEP = 1 << 15


def dequantize(
    elements: npt.ArrayLike,
    scales: npt.ArrayLike,
    *,
    block_fmt: BlockFormat,
    y_fmt: Number,
    rounding: Rounding,
    overflow: str | Overflow | None = None,
    rand: npt.ArrayLike | None = None,
) -> npt.NDArray[Any]:
    """Return the values of elements under their scales, rounded once into `y_fmt`.

    Parameters
    ----------
    elements, scales : array_like of int
        Patterns, broadcast: for blocks of shape S + (n,), give the scales the shape S + (1,).
    block_fmt : BlockFormat
        Their formats.
    y_fmt : FloatFormat or FixedFormat
        Result format. Where it is wide enough the result is exact.
    rounding : Rounding
        Mode, and random bits of `sr`.
    overflow : str or Overflow, optional
        Policy of the result format; its default if None.
    rand : array_like of int, optional
        Random words of `sr`, one per result; broadcast too.

    Returns
    -------
    ndarray of `y_fmt.dtype`
        Patterns. NaN elements and all elements under the scale NaN give the NaN of `y_fmt`, or what stands
        for it; infinite elements are infinite.

    Raises
    ------
    InputError
        If a pattern or word is too wide, or the policy is not the format's.
    """
    policy = Overflow.select(overflow, legal=y_fmt.legal_overflows, format_name=y_fmt.name)
    codes = as_codes(elements, block_fmt.width, block_fmt.dtype)
    scale_codes = as_codes(scales, block_fmt.scale_width, storage_dtype(block_fmt.scale_width))
    words = as_words(rand, rounding)
    given = [codes, scale_codes] + ([] if words is None else [words])
    shape = np.broadcast_shapes(*(array.shape for array in given))
    flat = [np.broadcast_to(array, shape).reshape(-1) for array in given]
    result = np.empty(flat[0].shape, y_fmt.dtype)
    path = _float64_arrays if is_float64(_product_extent(block_fmt)) else exact_arrays
    for start in range(0, result.size, _STEP):
        parts = [array[start : start + _STEP] for array in flat]
        part_words = parts[2] if len(parts) == 3 else None
        result[start : start + _STEP] = path(
            parts[0],
            parts[1],
            part_words,
            block_fmt=block_fmt,
            y_fmt=y_fmt,
            rounding=rounding,
            overflow=policy,
        )
    return result.reshape(shape)


def exact_arrays(
    codes: npt.NDArray[Any],
    scales: npt.NDArray[Any],
    words: npt.NDArray[Any] | None,
    *,
    block_fmt: BlockFormat,
    y_fmt: Number,
    rounding: Rounding,
    overflow: Overflow,
) -> npt.NDArray[Any]:
    """Return the results one at a time, in exact integers."""
    drawn: npt.NDArray[Any] = np.zeros(codes.shape, np.uint64) if words is None else words
    results = [
        y_fmt.pack(_exact_value(code, scale, block_fmt), rounding=rounding, overflow=overflow, word=word)
        for code, scale, word in zip(codes.tolist(), scales.tolist(), drawn.tolist(), strict=True)
    ]
    return np.array(results, dtype=np.uint64)


def _exact_value(code: int, scale: int, block_fmt: BlockFormat) -> Exact:
    exponent, value = scale_exponent(scale, block_fmt), block_fmt.element.unpack(code)
    if exponent is None:
        return NAN
    if value.special:
        return value
    up, down = max(exponent, 0), max(-exponent, 0)
    return Exact(value.negative, value.numerator << up, value.denominator << down)


def _product_extent(fmt: BlockFormat) -> Extent:
    element, (lowest, highest) = extent(fmt.element), fmt.scale_range
    return Extent(element.bits, element.last + lowest, element.top + highest)


def _float64_arrays(
    codes: npt.NDArray[Any],
    scales: npt.NDArray[Any],
    words: npt.NDArray[Any] | None,
    *,
    block_fmt: BlockFormat,
    y_fmt: Number,
    rounding: Rounding,
    overflow: Overflow,
) -> npt.NDArray[Any]:
    values = block_fmt.element.decode(codes)
    if isinstance(block_fmt.scale, ExponentFormat):
        values = values * block_fmt.scale.decode(scales)
    else:
        values = np.ldexp(values, FixedFormat(block_fmt.scale, 0).integers(scales))
    return y_fmt.encode(values, rounding=rounding, overflow=overflow, rand=words)
