"""Quantisation to shared exponents: of blocks, and of streams whose exponent is found in a first pass.

The way back is `hwgen.golden.quantize_inverse`. Rules and special cases are defined by
`hwgen.golden.quantize_exact`, which is also what runs where float64 cannot hold the operands. The fast path
is exact for these reasons: operands are float64; multiplying one by a power of two only changes its exponent,
unless it leaves the normal range downward, where it is far below every decision threshold of an element and
only "not zero" matters, or upward, where it saturates; and exponents come from `frexp`, which is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.formats import BlockFormat, FixedFormat, FloatFormat, Overflow, Rounding, RoundingMode
from hwgen.formats.checks import as_codes, as_words, storage_dtype
from hwgen.formats.exponent_format import ExponentFormat
from hwgen.golden.quantize_exact import (
    exact_block,
    exact_element,
    exact_exponent,
    scale_code,
    scale_exponent,
    with_headroom,
)

__all__ = ["Blocks", "Elements", "Scales", "quantize_block", "quantize_elements", "shared_scale"]

Number = FloatFormat | FixedFormat

_STEP = 1 << 15  # operands per step: bounds the memory of temporaries and keeps them in the cache
_TINY = 2.0**-1000
_LOWEST_THRESHOLD = -990


class Blocks(NamedTuple):
    """Quantised blocks: elements of shape S + (n,), scales and flags of shape S."""

    elements: npt.NDArray[Any]
    scales: npt.NDArray[Any]
    invalid: npt.NDArray[np.bool_]


class Scales(NamedTuple):
    """Scale patterns, and whether a NaN or an infinity was among the operands; one of each per frame."""

    scales: npt.NDArray[Any]
    invalid: npt.NDArray[np.bool_]


class Elements(NamedTuple):
    """Element patterns, and which of them overflowed, in one shape."""

    elements: npt.NDArray[Any]
    overflow: npt.NDArray[np.bool_]


def quantize_block(
    x: npt.ArrayLike,
    *,
    x_fmt: Number,
    block_fmt: BlockFormat,
    rounding: Rounding,
    rand: npt.ArrayLike | None = None,
) -> Blocks:
    """Return blocks with the shared exponent of their own largest magnitude.

    Parameters
    ----------
    x : array_like of int
        Patterns of `x_fmt`, shape S + (n,): the last axis is one block.
    x_fmt : FloatFormat or FixedFormat
        Operand format.
    block_fmt : BlockFormat
        Element and scale format; the size of a block is that of the last axis.
    rounding : Rounding
        How elements are rounded; they then saturate.
    rand : array_like of int, optional
        Random words of `sr`, shape S + (n,): one per element.

    Returns
    -------
    Blocks
        A block that holds a NaN or an infinity is invalid: zero elements, and the NaN scale of E8M0, or
        exponent 0 where the scale has no NaN.

    Raises
    ------
    InputError
        If a pattern or word is too wide, or `x` has no axis.

    Notes
    -----
    Exponents: OCP Microscaling Formats 1.0, section 6.3, or MuPPET's rule; see `BlockFormat`.
    """
    codes = as_codes(x, x_fmt.width, x_fmt.dtype)
    if codes.ndim == 0:
        raise InputError("a block needs an axis of elements: a scalar has none")
    words = _words_like(rand, rounding, codes.shape)
    n = codes.shape[-1]
    flat = codes.reshape(-1, n)
    flat_words = None if words is None else words.reshape(-1, n)
    elements = np.empty(flat.shape, block_fmt.dtype)
    scales = np.empty(len(flat), storage_dtype(block_fmt.scale_width))
    invalid = np.empty(len(flat), np.bool_)
    step = max(_STEP // max(n, 1), 1)
    path = _fast_blocks if _is_fast(x_fmt, block_fmt, rounding) else _plain_blocks
    for start in range(0, len(flat), step):
        part = slice(start, start + step)
        part_words = None if flat_words is None else flat_words[part]
        elements[part], scales[part], invalid[part] = path(
            flat[part], part_words, x_fmt=x_fmt, block_fmt=block_fmt, rounding=rounding
        )
    lead = codes.shape[:-1]
    return Blocks(elements.reshape(codes.shape), scales.reshape(lead), invalid.reshape(lead))


def shared_scale(x: npt.ArrayLike, last: npt.ArrayLike, *, x_fmt: Number, block_fmt: BlockFormat) -> Scales:
    """Return the scale of each frame of a stream: the first pass over a tensor.

    Parameters
    ----------
    x : array_like of int
        Patterns of `x_fmt`, shape (T,) or (T, lanes).
    last : array_like of int
        1 where a frame ends, else 0; shape (T,). What follows the last end is an unfinished frame.
    x_fmt, block_fmt
        As `quantize_block`.

    Returns
    -------
    Scales
        One scale and one flag for each frame; a frame with a NaN or an infinity is invalid, and has the scale
        of an invalid block.
    """
    codes = as_codes(x, x_fmt.width, x_fmt.dtype)
    codes = codes.reshape(len(codes), -1)
    ends = np.flatnonzero(np.asarray(last)) + 1
    scales = np.empty(len(ends), storage_dtype(block_fmt.scale_width))
    invalid = np.empty(len(ends), np.bool_)
    start: Any = 0
    fast = _is_fast(x_fmt, block_fmt, Rounding(RoundingMode.RTZ))
    for frame, end in enumerate(ends):
        operands = codes[start:end].reshape(-1)
        if fast:
            chosen, broken = _fast_scales(x_fmt.decode(operands).reshape(1, -1), block_fmt)[1:]
            scales[frame], invalid[frame] = chosen[0], broken[0]
        else:
            values = [x_fmt.unpack(int(code)) for code in operands]
            broken = any(value.special for value in values)
            exponent = None if broken else exact_exponent(values, block_fmt)
            scales[frame], invalid[frame] = scale_code(exponent, block_fmt), broken
        start = end
    return Scales(scales, invalid)


def quantize_elements(
    x: npt.ArrayLike,
    scales: npt.ArrayLike,
    *,
    x_fmt: Number,
    block_fmt: BlockFormat,
    rounding: Rounding,
    rand: npt.ArrayLike | None = None,
) -> Elements:
    """Return elements under given scales: the second pass over a tensor, or under a predicted exponent.

    Parameters
    ----------
    x, scales : array_like of int
        Patterns of `x_fmt` and of the scale, broadcast.
    x_fmt, block_fmt, rounding
        As `quantize_block`.
    rand : array_like of int, optional
        Random words of `sr`, one per element; broadcast too.

    Returns
    -------
    Elements
        An element overflows, and saturates, if it is beyond the largest one after rounding with unbounded
        exponent. Infinities and NaN count as overflows: they become the largest element, and the element
        format's NaN or what stands for it (0 in fixed point). Under the scale NaN all is 0, and overflow.
    """
    codes = as_codes(x, x_fmt.width, x_fmt.dtype)
    scale_codes = as_codes(scales, block_fmt.scale_width, storage_dtype(block_fmt.scale_width))
    words = as_words(rand, rounding)
    shape = np.broadcast_shapes(codes.shape, scale_codes.shape, () if words is None else words.shape)
    arrays = [np.broadcast_to(array, shape).reshape(-1) for array in (codes, scale_codes)]
    flat_words = None if words is None else np.broadcast_to(words, shape).reshape(-1)
    elements = np.empty(arrays[0].shape, block_fmt.dtype)
    overflow = np.empty(elements.shape, np.bool_)
    path = _fast_elements if _is_fast(x_fmt, block_fmt, rounding) else _plain_elements
    for start in range(0, elements.size, _STEP):
        part = slice(start, start + _STEP)
        part_words = None if flat_words is None else flat_words[part]
        elements[part], overflow[part] = path(
            arrays[0][part], arrays[1][part], part_words, x_fmt=x_fmt, block_fmt=block_fmt, rounding=rounding
        )
    return Elements(elements.reshape(shape), overflow.reshape(shape))


def _words_like(rand: npt.ArrayLike | None, rounding: Rounding, shape: tuple[int, ...]) -> Any:
    words = as_words(rand, rounding)
    return None if words is None else np.broadcast_to(words, shape)


def _is_fast(x_fmt: Number, block_fmt: BlockFormat, rounding: Rounding) -> bool:
    """Whether operands are float64 and every threshold of an element is far above `_TINY`."""
    element = block_fmt.element
    if isinstance(element, FloatFormat):
        lowest = element.emin - 1 - element.mantissa
        in_range = element.emax < 1000
    else:
        lowest, in_range = -element.fraction, True
    return x_fmt.fits_float64 and in_range and lowest - max(rounding.random_bits, 1) > _LOWEST_THRESHOLD


# ---- float64 -----------------------------------------------------------------------------------------


def _fast_blocks(
    codes: npt.NDArray[Any],
    words: npt.NDArray[Any] | None,
    *,
    x_fmt: Number,
    block_fmt: BlockFormat,
    rounding: Rounding,
) -> tuple[Any, Any, Any]:
    blocks, scales, broken = _fast_scales(x_fmt.decode(codes), block_fmt)
    exponents = _exponents(scales, block_fmt)
    scaled = _scaled(blocks, np.where(broken, 0, exponents)[:, None])
    elements = block_fmt.element.encode(scaled, rounding=rounding, overflow=Overflow.SATURATE, rand=words)
    return elements, scales, broken


def _fast_scales(blocks: npt.NDArray[np.float64], fmt: BlockFormat) -> tuple[Any, Any, Any]:
    """Return the blocks with invalid ones zeroed, the scale patterns, and which blocks were invalid."""
    broken: npt.NDArray[np.bool_] = np.asarray(~np.isfinite(blocks).all(axis=-1))
    if broken.any():
        blocks = np.where(broken[:, None], 0.0, blocks)
    lowest, highest = fmt.scale_range
    magnitude, exponent = np.frexp(np.abs(blocks).max(axis=-1, initial=0.0))
    exponents = exponent.astype(np.int64)
    if isinstance(fmt.scale, ExponentFormat) or isinstance(fmt.element, FloatFormat):
        exponents += -1 - fmt.element_emax
    else:
        # max <= limit * 2^e, compared by mantissa and exponent; limits 2^(W-1) -+ 1/2 are exact in float64.
        width, fraction = fmt.element.width, fmt.element.fraction
        sides = []
        for limit, largest in (
            (2.0 ** (width - 1) - 0.5, blocks.max(axis=-1, initial=0.0)),
            (2.0 ** (width - 1) + 0.5, (-blocks).max(axis=-1, initial=0.0)),
        ):
            m, k = np.frexp(largest)
            n, j = np.frexp(limit)
            sides.append(np.where(largest == 0, -5000, k.astype(np.int64) - j + (m > n)))
        exponents = np.maximum(*sides) + fraction
    of_zero = lowest if isinstance(fmt.scale, ExponentFormat) else 0
    exponents = np.where(magnitude == 0, of_zero, np.clip(exponents, lowest, highest))
    if isinstance(fmt.scale, ExponentFormat):
        codes = np.where(broken, fmt.scale.nan_code, exponents + fmt.scale.bias)
    else:
        codes = np.where(broken, 0, exponents) & ((1 << fmt.scale) - 1)
    return blocks, codes.astype(storage_dtype(fmt.scale_width)), broken


def _exponents(codes: npt.NDArray[Any], fmt: BlockFormat) -> npt.NDArray[np.int64]:
    """Return the exponents of scale patterns; NaN as the one above the largest."""
    if isinstance(fmt.scale, ExponentFormat):
        return codes.astype(np.int64) - fmt.scale.bias
    return FixedFormat(fmt.scale, 0).integers(codes)


def _scaled(values: npt.NDArray[np.float64], exponents: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return values * 2^-exponents, with a stand-in of their sign for non-zero values that underflow."""
    with np.errstate(under="ignore", over="ignore"):  # put right in the next line; saturates
        scaled = np.ldexp(values, -exponents)
    lost = (scaled == 0) & (values != 0)
    return np.where(lost, np.copysign(_TINY, values), scaled) if lost.any() else scaled


def _fast_elements(
    codes: npt.NDArray[Any],
    scales: npt.NDArray[Any],
    words: npt.NDArray[Any] | None,
    *,
    x_fmt: Number,
    block_fmt: BlockFormat,
    rounding: Rounding,
) -> tuple[Any, Any]:
    element, wide = block_fmt.element, with_headroom(block_fmt.element)
    scaled = _scaled(x_fmt.decode(codes), _exponents(scales, block_fmt))
    how: dict[str, Any] = {"rounding": rounding, "overflow": Overflow.SATURATE, "rand": words}
    elements = element.encode(scaled, **how)
    with np.errstate(invalid="ignore"):
        beyond = wide.decode(wide.encode(scaled, **how)) != element.decode(elements)
    overflow = beyond | ~np.isfinite(scaled)
    if isinstance(block_fmt.scale, ExponentFormat):
        broken = scales == block_fmt.scale.nan_code
        elements, overflow = np.where(broken, 0, elements), overflow | broken
    return elements, overflow


# ---- one at a time -----------------------------------------------------------------------------------


def _plain_blocks(
    codes: npt.NDArray[Any],
    words: npt.NDArray[Any] | None,
    *,
    x_fmt: Number,
    block_fmt: BlockFormat,
    rounding: Rounding,
) -> tuple[Any, Any, Any]:
    results = []
    for row, block in enumerate(codes.tolist()):
        drawn: Sequence[int] = [0] * len(block) if words is None else words[row].tolist()
        values = [x_fmt.unpack(code) for code in block]
        results.append(exact_block(values, block_fmt, rounding=rounding, words=drawn))
    elements, scales, invalid = zip(*results, strict=True) if results else ((), (), ())
    return np.array(elements, np.uint64).reshape(codes.shape), np.array(scales), np.array(invalid)


def _plain_elements(
    codes: npt.NDArray[Any],
    scales: npt.NDArray[Any],
    words: npt.NDArray[Any] | None,
    *,
    x_fmt: Number,
    block_fmt: BlockFormat,
    rounding: Rounding,
) -> tuple[Any, Any]:
    drawn: npt.NDArray[Any] = np.zeros(codes.shape, np.uint64) if words is None else words
    pairs = [
        exact_element(
            x_fmt.unpack(code), scale_exponent(scale, block_fmt), block_fmt, rounding=rounding, word=word
        )
        for code, scale, word in zip(codes.tolist(), scales.tolist(), drawn.tolist(), strict=True)
    ]
    elements, overflow = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(elements, np.uint64), np.array(overflow, np.bool_)
