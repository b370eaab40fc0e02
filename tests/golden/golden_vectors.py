"""Hard operand patterns for golden tests: cancellation, alignment limits, ties, edges, special values."""

from __future__ import annotations

import numpy as np

from hwgen.formats import FixedFormat, FloatFormat


def random_codes(rng, fmt, count):
    """Uniform patterns."""
    high = (1 << fmt.width) - 1
    return rng.integers(0, high, count, dtype=np.uint64, endpoint=True).astype(fmt.dtype)


def edge_codes(fmt):
    """Zeros, smallest, largest, infinities, NaN and their neighbours, of both signs."""
    if isinstance(fmt, FixedFormat):
        mask = (1 << fmt.width) - 1
        around = (0, 1, 2, fmt.max_integer - 1, fmt.max_integer, fmt.min_integer, fmt.min_integer + 1, -1)
        return np.unique(np.array([code & mask for code in around], dtype=np.uint64)).astype(fmt.dtype)
    marks = (0, fmt.min_normal_code, fmt.max_finite_code, fmt.bias << fmt.mantissa)
    bodies = {abs(mark + step) % fmt.sign_mask for mark in marks for step in (-2, -1, 0, 1, 2)}
    bodies |= {fmt.invalid_code % fmt.sign_mask, fmt.sign_mask - 1}
    codes = sorted(bodies | {body | fmt.sign_mask for body in bodies})
    return np.array(codes, dtype=np.uint64).astype(fmt.dtype)


def from_parts(fmt: FloatFormat, negative, exponent, significand):
    """Patterns from arrays of signs, unbiased exponents (clipped to the finite range) and mantissa bits."""
    top = fmt.max_finite_code >> fmt.mantissa
    field = np.clip(exponent + fmt.bias, 0, top).astype(np.uint64)
    body = (field << np.uint64(fmt.mantissa)) | (
        significand.astype(np.uint64) & np.uint64(fmt.min_normal_code - 1)
    )
    sign = np.where(negative, np.uint64(fmt.sign_mask), np.uint64(0))
    return (np.minimum(body, np.uint64(fmt.max_finite_code)) | sign).astype(fmt.dtype)


def sparse_bits(rng, count, width):
    """Significands with few ones, all ones, or random bits: they make ties and long carries."""
    ones = np.uint64((1 << width) - 1)
    single = np.uint64(1) << rng.integers(0, max(width, 1), count, dtype=np.uint64)
    several = [
        np.zeros(count, dtype=np.uint64),
        single,
        ones ^ single,
        rng.integers(0, ones, count, np.uint64, True),
    ]
    return np.choose(rng.integers(0, 4, count), several) & ones


def hard_pairs(rng, a: FloatFormat, b: FloatFormat, count):
    """Operands of a sum: 3/8 cancel (exponents at most one apart, opposite signs), 3/8 meet within or just
    beyond the significand, 1/8 uniform, 1/8 edges."""
    kind = rng.integers(0, 8, count)
    base = rng.integers(max(a.emin, b.emin), max(a.emin, b.emin, min(a.emax, b.emax)) + 1, count)
    reach = max(a.precision, b.precision) + 3
    gap = np.where(kind < 3, rng.integers(-1, 2, count), rng.integers(-reach, reach + 1, count))
    sign = rng.integers(0, 2, count).astype(bool)
    other = np.where(kind < 3, ~sign, rng.integers(0, 2, count).astype(bool))
    x = from_parts(a, sign, base, sparse_bits(rng, count, a.mantissa))
    y = from_parts(b, other, base + gap, sparse_bits(rng, count, b.mantissa))
    x = np.where(kind == 6, random_codes(rng, a, count), x)
    y = np.where(kind == 6, random_codes(rng, b, count), y)
    x = np.where(kind == 7, rng.choice(edge_codes(a), count), x)
    return x, np.where((kind == 7) & (base % 2 == 0), rng.choice(edge_codes(b), count), y)


def hard_triples(rng, a: FloatFormat, b: FloatFormat, c: FloatFormat, count):
    """Operands of a * b + c: c's exponent lies around the product's, most often with the opposite sign."""
    kind = rng.integers(0, 8, count)
    low = max(c.emin, a.emin + b.emin)
    target = rng.integers(low, max(low, min(c.emax, a.emax + b.emax)) + 1, count)
    first = np.clip(target // 2 + rng.integers(-3, 4, count), a.emin - 1, a.emax)
    second = np.clip(target - first, b.emin - 1, b.emax)
    reach = a.precision + b.precision + c.precision + 3
    gap = np.where(kind < 3, rng.integers(-1, 3, count), rng.integers(-reach, reach + 1, count))
    signs = rng.integers(0, 2, (2, count)).astype(bool)
    opposite = ~(signs[0] ^ signs[1])
    last = np.where(kind < 3, opposite, rng.integers(0, 2, count).astype(bool))
    x = from_parts(a, signs[0], first, sparse_bits(rng, count, a.mantissa))
    y = from_parts(b, signs[1], second, sparse_bits(rng, count, b.mantissa))
    z = from_parts(c, last, first + second + gap, sparse_bits(rng, count, c.mantissa))
    if c == a:  # exact cancellation of a * 1 - a
        y = np.where(kind == 5, np.array(b.bias << b.mantissa).astype(b.dtype), y)
        z = np.where(kind == 5, x ^ np.array(a.sign_mask).astype(a.dtype), z)
    operands = []
    for fmt, codes in ((a, x), (b, y), (c, z)):
        codes = np.where(kind == 6, random_codes(rng, fmt, count), codes)
        edge = (kind == 7) & (rng.integers(0, 2, count) == 0)
        operands.append(np.where(edge, rng.choice(edge_codes(fmt), count), codes))
    return tuple(operands)
