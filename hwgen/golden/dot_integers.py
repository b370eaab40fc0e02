"""The fast golden path of exact and aligned dot products: terms as integers, summed in int64 where they fit.

Why the result is exact
-----------------------
A term is s * 2^p with an integer s. Per vector, all terms are brought to one last place 2^q (the smallest p;
in aligned sums the place at which terms are cut) and added as integers: in int64 where the shifted terms of
that vector, and the carries of their sum, fit 62 bits, else as Python integers. Both are exact.

The sum N * 2^q becomes a float64 that is rounded to odd at 52 bits: N is cut to its 52 leading bits, the last
of which is set if anything was cut off. By the argument of `hwgen.golden.carriers`, rounding that number
gives what rounding the sum would, as long as every decision threshold of the result format has fewer than 52
significant bits; `is_fast` checks it, and that no exponent leaves float64's normal range.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hwgen.formats import BlockFormat, ExponentFormat, FixedFormat, FloatFormat, Overflow, RoundingMode
from hwgen.golden.carriers import extent, product_extent
from hwgen.golden.dot_unit import AlignedSum, DotUnit, element_of, precision_of
from hwgen.golden.exact import Scalar

__all__ = ["integer_dot", "is_fast", "scale_exponents", "scale_range"]

_INT64 = 62  # magnitude bits
_ODD = 52  # bits that rounding to odd keeps
_NORMAL = (-1022, 1023)

Array = npt.NDArray[Any]


class _Terms(NamedTuple):
    """Finite numbers (-1)^negative * significand * 2^place, with what a number cannot say beside them."""

    significand: Array
    """Magnitudes, int64 or Python integers."""
    place: npt.NDArray[np.int64]
    """Weight of the last significand bit."""
    exponent: npt.NDArray[np.int64]
    """Weight of the first significand bit of a factor, the sum of the two in a product."""
    negative: npt.NDArray[np.bool_]
    infinite: npt.NDArray[np.bool_]
    nan: npt.NDArray[np.bool_]


def is_fast(unit: DotUnit) -> bool:
    """Whether `integer_dot` is exact for a unit, by the argument in the module's docstring."""
    formats = [element_of(unit.a), element_of(unit.b), *([] if unit.c is None else [unit.c])]
    if not all(fmt.fits_float64 for fmt in formats) or unit.overflow is Overflow.WRAP:
        return False
    product = product_extent(extent(formats[0]), extent(formats[1]))
    low, high = scale_range(unit)
    lasts, tops = [product.last + low], [product.top + high]
    if unit.c is not None:
        lasts.append(extent(unit.c).last)
        tops.append(extent(unit.c).top)
    # Cut terms lie on multiples of 2^(E - w), and E is no less than the smallest exponent.
    last = min(lasts) - (unit.scheme.bits if isinstance(unit.scheme, AlignedSum) else 0)
    if last < _NORMAL[0] or max(tops) + unit.n.bit_length() + 1 > _NORMAL[1]:
        return False
    split = max(1, unit.rounding.random_bits)
    y = unit.y
    if isinstance(y, FloatFormat):
        precision, y_last = y.precision, y.emin - y.mantissa - (not y.subnormals)
    elif isinstance(y, FixedFormat):
        precision, y_last = y.width, -y.fraction
    elif isinstance(y, ExponentFormat):
        precision, y_last = y.precision, y.emin
    else:
        precision, y_last = y.width, -(y.emax + (1 << y.es))
    return precision + split < _ODD and y_last - split > _NORMAL[0]


def scale_range(unit: DotUnit) -> tuple[int, int]:
    """Return the smallest and the largest exponent that the scales multiply products by."""
    ranges = [fmt.scale_range for fmt in (unit.a, unit.b) if isinstance(fmt, BlockFormat)]
    return sum(low for low, _ in ranges), sum(high for _, high in ranges)


def scale_exponents(unit: DotUnit, a: Array, b: Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return for each vector the exponent that its products are scaled by, and whether a scale is NaN."""
    exponent, nan = np.zeros(len(a), np.int64), np.zeros(len(a), np.bool_)
    for fmt, codes in ((unit.a, a), (unit.b, b)):
        if not isinstance(fmt, BlockFormat):
            continue
        scale = codes[:, -1].astype(np.int64)
        if isinstance(fmt.scale, ExponentFormat):
            nan |= scale == fmt.scale.nan_code
            exponent += scale - fmt.scale.bias
        else:
            exponent += np.where(scale >> (fmt.scale - 1) != 0, scale - (1 << fmt.scale), scale)
    return exponent, nan


def integer_dot(unit: DotUnit, a: Array, b: Array, c: Array | None, words: Array | None) -> Array:
    """Return the results of exact or aligned dot products of many vectors.

    Parameters
    ----------
    unit : DotUnit
        A unit that `is_fast`.
    a, b : ndarray, shape (vectors, elements)
        Patterns, the scale's last in a block format.
    c : ndarray, shape (vectors,), or None
        Addends.
    words : ndarray, shape (vectors,), or None
        Random words of `sr`.
    """
    terms = _products(unit, a, b)
    if c is not None and unit.c is not None:
        terms = _append(terms, _decoded(unit.c, c[:, None]))
    if isinstance(unit.scheme, AlignedSum):
        terms = _cut(unit.scheme, terms)
    if unit.rounding.mode is RoundingMode.RDN:
        zero_sign = terms.negative.any(axis=1)
    else:
        zero_sign = terms.negative.all(axis=1)
    values = np.where(zero_sign, -0.0, 0.0)
    _add_sums(terms, values)
    plus = (terms.infinite & ~terms.negative).any(axis=1)
    minus = (terms.infinite & terms.negative).any(axis=1)
    values[plus] = np.inf
    values[minus] = -np.inf
    values[terms.nan.any(axis=1) | (plus & minus)] = np.nan
    return encoded(unit, unit.y, unit.overflow, values, words)


def encoded(unit: DotUnit, fmt: Scalar, overflow: Overflow, values: Array, words: Array | None) -> Array:
    """Return float64 values as patterns of `fmt`."""
    if isinstance(fmt, FloatFormat | FixedFormat):
        return fmt.encode(values, rounding=unit.rounding, overflow=overflow, rand=words)
    return fmt.encode(values, rounding=unit.rounding)


def _decoded(fmt: Scalar, codes: Array) -> _Terms:
    values = fmt.decode(codes)
    finite = np.isfinite(values)
    magnitude = np.where(finite, np.abs(values), 0.0)
    precision = precision_of(fmt)
    if isinstance(fmt, FixedFormat):
        exponent = np.full(codes.shape, fmt.width - 1 - fmt.fraction, np.int64)
    elif isinstance(fmt, FloatFormat):
        field = (codes.astype(np.int64) & (fmt.sign_mask - 1)) >> fmt.mantissa
        exponent = np.maximum(field, 1) - fmt.bias
    else:
        exponent = np.frexp(magnitude)[1].astype(np.int64) - 1
    place = exponent - (precision - 1)
    significand = np.ldexp(magnitude, -place).astype(np.int64)
    return _Terms(significand, place, exponent, np.signbit(values), np.isinf(values), np.isnan(values))


def _products(unit: DotUnit, a: Array, b: Array) -> _Terms:
    x = _decoded(element_of(unit.a), a[:, : unit.n])
    y = _decoded(element_of(unit.b), b[:, : unit.n])
    scale, nan_scale = scale_exponents(unit, a, b)
    left, right = x.significand, y.significand
    if precision_of(element_of(unit.a)) + precision_of(element_of(unit.b)) > _INT64:
        left, right = left.astype(object), right.astype(object)
    x_zero = (x.significand == 0) & ~x.infinite
    y_zero = (y.significand == 0) & ~y.infinite
    return _Terms(
        significand=left * right,
        place=x.place + y.place + scale[:, None],
        exponent=x.exponent + y.exponent + scale[:, None],
        negative=x.negative ^ y.negative,
        infinite=x.infinite | y.infinite,
        nan=x.nan | y.nan | nan_scale[:, None] | (x.infinite & y_zero) | (y.infinite & x_zero),
    )


def _append(products: _Terms, addend: _Terms) -> _Terms:
    columns = [np.concatenate(pair, axis=1) for pair in zip(products, addend, strict=True)]
    return _Terms(*columns)


def _cut(scheme: AlignedSum, terms: _Terms) -> _Terms:
    """Return the terms cut at 2^(E - w); none of them has a place below that any more."""
    lowest = np.iinfo(np.int64).min // 2
    is_zero = (terms.significand == 0).astype(np.bool_)
    last = np.where(is_zero, lowest, terms.exponent).max(axis=1, keepdims=True) - scheme.bits
    drop = np.where(is_zero, 0, np.clip(last - terms.place, 0, None))
    shift = drop if terms.significand.dtype == object else np.minimum(drop, 63)  # NumPy shifts no further
    kept = terms.significand >> shift
    if scheme.jam:
        lost = ((kept << shift) != terms.significand).astype(np.int64)
        kept = kept | lost
    return terms._replace(significand=kept, place=terms.place + drop)


def _add_sums(terms: _Terms, values: npt.NDArray[np.float64]) -> None:
    """Put the sums that are not zero into `values`, rounded to odd."""
    is_zero = (terms.significand == 0).astype(np.bool_)
    highest = np.iinfo(np.int64).max // 2
    base = np.where(is_zero, highest, terms.place).min(axis=1)
    shift = np.where(is_zero, 0, terms.place - base[:, None])
    if terms.significand.dtype == object:
        long = np.ones(len(base), np.bool_)
    else:
        _, length = np.frexp(terms.significand.astype(np.float64))  # may be one too many: no harm
        carries = terms.significand.shape[1].bit_length()
        long = (length + shift).max(axis=1) + carries > _INT64
    signed = np.where(terms.negative, -terms.significand, terms.significand)
    for rows, kind in ((~long, np.int64), (long, object)):
        if rows.any():
            total = (signed[rows].astype(kind) << shift[rows].astype(kind)).sum(axis=1)
            values[rows] = _to_odd(total, base[rows], values[rows])


def _to_odd(
    total: Array, place: npt.NDArray[np.int64], zeros: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return total * 2^place rounded to odd at 52 bits, and `zeros` where the total is zero."""
    magnitude = np.abs(total)
    if total.dtype == object:
        length = np.array([int(value).bit_length() for value in magnitude], np.int64)
    else:
        length = np.frexp(magnitude.astype(np.float64))[1].astype(np.int64)
    drop = np.maximum(length - _ODD, 0)
    kept = magnitude >> drop.astype(total.dtype)
    lost = (kept << drop.astype(total.dtype)) != magnitude
    odd = kept.astype(np.int64) | lost.astype(np.int64)
    place = np.where(odd == 0, 0, place)
    sums = np.ldexp(np.where(total < 0, -1.0, 1.0) * odd.astype(np.float64), place + drop)
    return np.where(odd == 0, zeros, sums)
