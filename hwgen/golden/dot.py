"""The golden dot product on arrays of bit patterns: checks, and the choice of the fastest exact path.

`hwgen.golden.dot_exact` defines every bit. Exact and aligned sums go through integers
(`hwgen.golden.dot_integers`), trees and sequences through float64 with rounding to odd (`_chained`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.formats import BlockFormat, PositFormat
from hwgen.formats.checks import as_codes, as_words
from hwgen.golden.carriers import Extent, add_to_odd, extent, is_float64, product_extent, sum_is_safe
from hwgen.golden.dot_exact import exact_dot
from hwgen.golden.dot_integers import encoded, integer_dot, is_fast, scale_exponents, scale_range
from hwgen.golden.dot_unit import (
    AlignedSum,
    DotUnit,
    ExactSum,
    SequentialSum,
    TreeSum,
    element_of,
    split_point,
)
from hwgen.golden.exact import Scalar

__all__ = ["dot", "plain_dot"]

_BLOCK = 1 << 17  # terms per step: bounds the memory of temporaries

Array = npt.NDArray[Any]


def dot(
    unit: DotUnit,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    c: npt.ArrayLike | None = None,
    *,
    rand: npt.ArrayLike | None = None,
) -> Array:
    """Return the dot products of vectors of patterns.

    Parameters
    ----------
    unit : DotUnit
        Formats, scheme and rounding.
    a, b : array_like of int, shape S + (n,)
        Patterns of the elements; shape S + (n + 1,) in a block format, the scale's pattern last.
    c : array_like of int, shape S, optional
        Patterns of the addend, if the unit has one.
    rand : array_like of int, optional
        Random words of `sr`: shape S, or S + (unit.words,) in schemes that round more than once.

    Returns
    -------
    ndarray of `unit.y.dtype`
        Patterns, in the broadcast shape S.

    Raises
    ------
    InputError
        If a pattern or word is too wide, or an operand is missing or one too many.
    """
    return _blocks(unit, a, b, c, rand, _path(unit))


def plain_dot(
    unit: DotUnit,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    c: npt.ArrayLike | None = None,
    *,
    rand: npt.ArrayLike | None = None,
) -> Array:
    """Return what `dot` does, by its definition and slowly: for tests."""
    return _blocks(unit, a, b, c, rand, _plain)


Path = Callable[[DotUnit, Array, Array, Array | None, Array | None], Array]


def _path(unit: DotUnit) -> Path:
    if isinstance(unit.scheme, ExactSum | AlignedSum):
        return _integers if is_fast(unit) else _plain
    return _chained if _chain_is_safe(unit) else _plain


def _blocks(
    unit: DotUnit,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    c: npt.ArrayLike | None,
    rand: npt.ArrayLike | None,
    path: Path,
) -> Array:
    """Check operands and work through blocks of the flattened broadcast arrays."""
    if (c is None) != (unit.c is None):
        raise InputError(
            "this dot product takes an addend" if c is None else "this dot product has no addend"
        )
    if isinstance(unit.y, PositFormat):
        unit.y.check_rounding(unit.rounding)
    vectors = [_vectors(unit, fmt, codes) for fmt, codes in ((unit.a, a), (unit.b, b))]
    addend = None if unit.c is None or c is None else as_codes(c, unit.c.width, unit.c.dtype)
    words = as_words(rand, unit.rounding)
    if words is not None:
        words = words[..., None] if unit.words == 1 else words
        if words.ndim == 0 or words.shape[-1] != unit.words:
            raise InputError(f"random words of shape {words.shape}: legal: a last axis of {unit.words} words")
    leading = [array.shape[:-1] for array in vectors]
    shape = np.broadcast_shapes(
        *leading,
        () if addend is None else addend.shape,
        () if words is None else words.shape[:-1],
    )
    flat = [np.broadcast_to(array, (*shape, array.shape[-1])) for array in vectors]
    flat = [array.reshape(-1, array.shape[-1]) for array in flat]
    flat_c = None if addend is None else np.broadcast_to(addend, shape).reshape(-1)
    flat_words = None
    if words is not None:
        flat_words = np.broadcast_to(words, (*shape, unit.words)).reshape(-1, unit.words)
    result = np.empty(len(flat[0]), unit.y.dtype)
    step = max(_BLOCK // unit.n, 1)
    for start in range(0, len(result), step):
        rows = slice(start, start + step)
        result[rows] = path(
            unit,
            flat[0][rows],
            flat[1][rows],
            None if flat_c is None else flat_c[rows],
            None if flat_words is None else flat_words[rows],
        )
    return result.reshape(shape)


def _vectors(unit: DotUnit, fmt: Scalar | BlockFormat, codes: npt.ArrayLike) -> Array:
    """Check the patterns of one vector operand."""
    element = element_of(fmt)
    if not isinstance(fmt, BlockFormat):
        array = as_codes(codes, element.width, element.dtype)
        length = unit.n
    else:
        array = np.asarray(codes)
        length = unit.n + 1
        if array.ndim and array.shape[-1] == length:
            as_codes(array[..., :-1], element.width, element.dtype)
            as_codes(array[..., -1], fmt.scale_width, np.dtype(np.uint64))
    if array.ndim == 0 or array.shape[-1] != length:
        raise InputError(f"vectors of shape {array.shape}: legal: a last axis of {length} patterns")
    return array


def _plain(unit: DotUnit, a: Array, b: Array, c: Array | None, words: Array | None) -> Array:
    rows = len(a)
    c_rows = [None] * rows if c is None else c.tolist()
    word_rows = np.zeros((rows, unit.words), np.uint64) if words is None else words
    columns = zip(a.tolist(), b.tolist(), c_rows, word_rows.tolist(), strict=True)
    return np.array([exact_dot(unit, *row) for row in columns], dtype=unit.y.dtype)


def _integers(unit: DotUnit, a: Array, b: Array, c: Array | None, words: Array | None) -> Array:
    return integer_dot(unit, a, b, c, None if words is None else words[:, 0])


# ---- trees and sequences ------------------------------------------------------------------------------


def _product_bounds(unit: DotUnit) -> Extent:
    bounds = product_extent(extent(element_of(unit.a)), extent(element_of(unit.b)))
    low, high = scale_range(unit)
    return Extent(bounds.bits, bounds.last + low, bounds.top + high)


def _chain_is_safe(unit: DotUnit) -> bool:
    """Whether every rounding of a tree or sequence may go through float64 (see `hwgen.golden.carriers`)."""
    products = _product_bounds(unit)
    formats = [element_of(unit.a), element_of(unit.b), *([] if unit.c is None else [unit.c])]
    if not (is_float64(products) and all(fmt.fits_float64 for fmt in formats)):
        return False
    partial, partial_overflow = unit.target(last=False)
    targets = [(partial, partial_overflow), (unit.y, unit.overflow)]
    product_fmt = unit.scheme.product if isinstance(unit.scheme, SequentialSum) else partial
    summands = [extent(partial), *([] if unit.c is None else [extent(unit.c)])]
    added = products if product_fmt is None else extent(product_fmt)
    return all(fmt.fits_float64 for fmt in (partial, unit.y, product_fmt) if fmt is not None) and all(
        sum_is_safe(left, right, y_fmt=fmt, rounding=unit.rounding, overflow=overflow)
        for left in (added, *summands)
        for right in summands
        for fmt, overflow in targets
    )


def _chained(unit: DotUnit, a: Array, b: Array, c: Array | None, words: Array | None) -> Array:
    scale, nan_scale = scale_exponents(unit, a, b)
    with np.errstate(invalid="ignore"):  # 0 * Inf is NaN, as wanted
        products = element_of(unit.a).decode(a[:, : unit.n]) * element_of(unit.b).decode(b[:, : unit.n])
    products = np.ldexp(products, scale[:, None])
    products[nan_scale] = np.nan
    addend = None if unit.c is None or c is None else unit.c.decode(c)
    if isinstance(unit.scheme, TreeSum):
        return _tree(unit, products, addend, words)
    return _sequence(unit, products, addend, words)


def _word(words: Array | None, index: int) -> Array | None:
    return None if words is None else words[:, index]


def _tree(unit: DotUnit, products: Array, addend: Array | None, words: Array | None) -> Array:
    partial, _ = unit.target(last=False)

    def node(low: int, high: int) -> Array:
        last = addend is None and high - low == unit.n
        fmt, overflow = unit.target(last=last)
        if high - low == 1:
            return encoded(unit, fmt, overflow, products[:, low], _word(words, low))
        middle = split_point(low, high)
        left, right = partial.decode(node(low, middle)), partial.decode(node(middle, high))
        total = add_to_odd(left, right, rounding=unit.rounding)
        return encoded(unit, fmt, overflow, total, _word(words, unit.n - 1 + middle))

    root = node(0, unit.n)
    if addend is None:
        return root
    total = add_to_odd(partial.decode(root), addend, rounding=unit.rounding)
    return encoded(unit, unit.y, unit.overflow, total, _word(words, 2 * unit.n - 1))


def _sequence(unit: DotUnit, products: Array, addend: Array | None, words: Array | None) -> Array:
    assert isinstance(unit.scheme, SequentialSum)  # noqa: S101  (the caller has looked)
    product_fmt = unit.scheme.product
    partial, _ = unit.target(last=False)
    total = addend
    codes = np.empty(0, unit.y.dtype)
    for index in range(unit.n):
        product, word = products[:, index], _word(words, index)
        if product_fmt is not None:
            policy = product_fmt.default_overflow
            rounded = encoded(unit, product_fmt, policy, product, _word(words, 2 * index))
            product, word = product_fmt.decode(rounded), _word(words, 2 * index + 1)
        if total is not None:
            product = add_to_odd(total, product, rounding=unit.rounding)
        fmt, overflow = unit.target(last=index == unit.n - 1)
        codes = encoded(unit, fmt, overflow, product, word)
        total = partial.decode(codes) if index < unit.n - 1 else None
    return codes
