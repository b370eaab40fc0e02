"""Hard operands of dot products.

Uniform patterns hardly ever meet what breaks a sum of many terms. Vectors are made from a profile of product
exponents, significands with few ones, products that cancel in pairs, and an addend that cancels the sum or
puts it beside a tie. Float64 is good enough to aim; where the shot lands is for the golden model to say.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.formats import BlockFormat, ExponentFormat, FixedFormat, FloatFormat
from hwgen.golden.carriers import Extent, extent
from hwgen.golden.dot_unit import AlignedSum, DotUnit, element_of, precision_of
from hwgen.golden.exact import Scalar
from hwgen.operators.vectors import special_codes

__all__ = ["hard_dot_operands"]

Codes = NDArray[np.uint64]
Values = NDArray[np.float64]


def hard_dot_operands(unit: DotUnit, count: int, rng: np.random.Generator) -> list[Codes]:
    """Return `count` operands: vectors of patterns, the scale last in a block format, then the addend.

    In half of them products cancel in pairs, exactly or but for one unit in the last place; in a quarter one
    product is far above the others, at the distances where kept, guard and sticky bits meet. An eighth are
    special values (zeros, NaNs, infinities, extremes), and an eighth uniform patterns.
    """
    with np.errstate(all="ignore"):
        a, b = _aimed(unit, count, rng)
        kind = rng.integers(0, 8, count)
        _cancel(unit, a, b, rows=kind < 4, rng=rng)
        for fmt, codes in ((unit.a, a), (unit.b, b)):
            _mix(fmt, unit.n, codes, special=kind == 6, uniform=kind == 7, rng=rng)
        operands = [a, b]
        if unit.c is not None:
            operands.append(_addends(unit, a, b, rng))
    return operands


def _aimed(unit: DotUnit, count: int, rng: np.random.Generator) -> list[Codes]:
    """Return vectors whose products have exponents that are near each other, or one far above the rest."""
    left, right = extent(element_of(unit.a)), extent(element_of(unit.b))
    places = {precision_of(unit.y), precision_of(unit.y) + unit.rounding.random_bits, left.bits + right.bits}
    if isinstance(unit.scheme, AlignedSum):
        places |= {unit.scheme.bits, unit.scheme.bits + 1}
    limits = np.array([place + step for place in sorted(places) for step in (-1, 0, 1, 2)])
    shape = (count, unit.n)
    drop = rng.choice(limits, shape)
    drop = np.where(rng.random(shape) < 0.3, rng.integers(0, int(limits.max()) + 3, shape), drop)
    drop[np.arange(count), rng.integers(0, unit.n, count)] = 0
    near = rng.integers(0, 3, shape)
    shared = np.where((rng.integers(0, 4, count) == 0)[:, None], drop, near)
    top = rng.integers(left.last + right.last, left.top + right.top, count)[:, None]
    first = _exponents(rng, left, top - right.top, top - right.last, shape)
    vectors = []
    for fmt, exponents in ((unit.a, first), (unit.b, top - shared - first)):
        element = element_of(fmt)
        sign = rng.choice([-1.0, 1.0], shape)
        values = np.ldexp(sign * _significands(rng, precision_of(element), shape), exponents)
        codes = _encode(element, values)
        codes[rng.random(shape) < 1 / 16] = 0
        vectors.append(_with_scale(fmt, codes, rng))
    return vectors


def _exponents(
    rng: np.random.Generator, bounds: Extent, low: NDArray[Any], high: NDArray[Any], shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Return exponents of one factor that leave the other one in its range, as far as that is possible."""
    drawn = rng.integers(bounds.last, bounds.top, shape)
    return np.clip(drawn, np.maximum(low, bounds.last), np.minimum(high, bounds.top))


def _significands(rng: np.random.Generator, bits: int, shape: tuple[int, int]) -> Values:
    """Return numbers in [1, 2) of at most `bits` bits: few ones, all ones, or any."""
    bits = min(bits, 53)
    scale = 2.0 ** (bits - 1)
    any_ = rng.integers(0, 1 << (bits - 1), shape) if bits > 1 else np.zeros(shape, np.int64)
    single = 1 << rng.integers(0, max(bits - 1, 1), shape)
    choice = rng.integers(0, 4, shape)
    chosen = np.choose(
        choice, [any_, np.zeros(shape, np.int64), single % (1 << (bits - 1)), any_ | (any_ >> 1)]
    )
    return np.asarray(1.0 + chosen / scale, np.float64)


def _with_scale(fmt: Scalar | BlockFormat, codes: Codes, rng: np.random.Generator) -> Codes:
    """Append scales, if there are any: most near one, some anywhere, the ends and NaN among them."""
    if not isinstance(fmt, BlockFormat):
        return codes
    count, top = len(codes), 1 << fmt.scale_width
    one = fmt.scale.bias if isinstance(fmt.scale, ExponentFormat) else 0
    near = (one + rng.integers(-6, 7, count)) % top
    ends = rng.choice([0, 1, top // 2 - 1, top // 2, top - 2, top - 1], count)
    kind = rng.integers(0, 16, count)
    scale = np.where(kind < 13, near, np.where(kind == 13, ends, rng.integers(0, top, count)))
    return np.concatenate([codes, scale[:, None].astype(np.uint64)], axis=1)


def _cancel(unit: DotUnit, a: Codes, b: Codes, *, rows: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Make products the negatives of others, in place: all of them in pairs, or one pair alone."""
    if unit.n < 2:
        return
    element = element_of(unit.a)
    order = rng.permuted(np.tile(np.arange(unit.n), (len(a), 1)), axis=1)
    alone = rng.random(len(a)) < 0.5
    at = np.arange(len(a))
    for pair in range(unit.n // 2):
        chosen = rows & ((pair == 0) | ~alone)
        source, target = order[:, 2 * pair], order[:, 2 * pair + 1]
        negated = _encode(element, -_finite(element, a[at, source]))
        nudged = (negated + rng.integers(-1, 2, len(a)).astype(np.uint64)) & np.uint64(
            (1 << element.width) - 1
        )
        negated = np.where(rng.random(len(a)) < 0.25, nudged, negated)
        a[at[chosen], target[chosen]] = negated[chosen]
        b[at[chosen], target[chosen]] = b[at[chosen], source[chosen]]


def _mix(
    fmt: Scalar | BlockFormat,
    n: int,
    codes: Codes,
    *,
    special: NDArray[np.bool_],
    uniform: NDArray[np.bool_],
    rng: np.random.Generator,
) -> None:
    """Replace the elements of `uniform` rows, and some or all of those of `special` rows, in place."""
    element = element_of(fmt)
    shape = (len(codes), n)
    elements = codes[:, :n]
    drawn = rng.integers(0, (1 << element.width) - 1, shape, dtype=np.uint64, endpoint=True)
    elements[uniform] = drawn[uniform]
    edges = _special_codes(element)
    picked = edges[rng.integers(0, len(edges), shape)]
    some = special[:, None] & (rng.random(shape) < rng.choice([0.2, 0.5, 1.0], shape[0])[:, None])
    elements[some] = picked[some]


def _special_codes(fmt: Scalar) -> Codes:
    if isinstance(fmt, FloatFormat | FixedFormat):
        return np.array(special_codes(fmt), np.uint64)
    top = 1 << fmt.width
    half = top // 2
    near = (0, 1, 2, half // 2 - 1, half // 2, half // 2 + 1, half - 1, half, half + 1, top - 2, top - 1)
    return np.array(sorted({code % top for code in near}), np.uint64)


def _addends(unit: DotUnit, a: Codes, b: Codes, rng: np.random.Generator) -> Codes:
    """Return addends that cancel the products, make it a tie, are far above or below it, or special."""
    assert unit.c is not None  # noqa: S101  (the caller has looked)
    count = len(a)
    products = _finite(element_of(unit.a), a[:, : unit.n]) * _finite(element_of(unit.b), b[:, : unit.n])
    scale = np.zeros(count, np.int64)
    for fmt, codes in ((unit.a, a), (unit.b, b)):
        if isinstance(fmt, BlockFormat):
            scale += codes[:, -1].astype(np.int64) - (1 << fmt.scale_width - 1)
            if not isinstance(fmt.scale, ExponentFormat):  # two's complement
                scale += np.where(
                    codes[:, -1] >> np.uint64(fmt.scale_width - 1) != 0, 0, 1 << fmt.scale_width
                )
                scale -= 1 << (fmt.scale_width - 1)
    total = np.ldexp(products.sum(axis=1), scale)
    largest = np.ldexp(np.abs(products).max(axis=1), scale)
    result = _finite(unit.y, _encode(unit.y, total))
    above = _finite(unit.y, (_encode(unit.y, total) + np.uint64(1)) & np.uint64((1 << unit.y.width) - 1))
    distance = rng.integers(-unit.n - 2, precision_of(unit.c) + precision_of(unit.y) + 3, count)
    away = np.ldexp(largest * rng.choice([-1.0, 1.0], count), distance * rng.choice([-1, 1], count))
    kind = rng.integers(0, 8, count)
    aims = np.choose(
        kind,
        [-total, -total, -total, result / 2 + above / 2 - total, away, away, away * 1.5, np.zeros(count)],
    )
    codes = _encode(unit.c, np.nan_to_num(aims, nan=0.0))
    nudge = rng.integers(-1, 2, count) * (rng.random(count) < 0.4)
    codes = (codes + nudge.astype(np.int64).view(np.uint64)) & np.uint64((1 << unit.c.width) - 1)
    edges = _special_codes(unit.c)
    special = rng.random(count) < 1 / 10
    return np.where(special, edges[rng.integers(0, len(edges), count)], codes)


def _encode(fmt: Scalar, values: Values) -> Codes:
    """Return the nearest codes."""
    limit = np.finfo(np.float64).max
    finite = np.clip(np.nan_to_num(values, nan=0.0), -limit, limit)
    return fmt.encode(finite, rounding="rne", overflow="saturate").astype(np.uint64)


def _finite(fmt: Scalar, codes: Codes) -> Values:
    """Decode to float64, with zero for what is not finite."""
    values = np.asarray(fmt.decode(codes.astype(fmt.dtype)), dtype=np.float64)
    return np.where(np.isfinite(values), values, 0.0)
