"""Hard operand streams for kinds that sum over frames: what breaks a running sum, and its protocol.

Uniform terms hardly ever cancel, and a NaN early in a long frame hides all that follows. So each frame has a
theme, and special values keep to frames of their own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hwgen.formats import FixedFormat, FloatFormat
from hwgen.operators.vectors import special_codes

__all__ = ["sum_streams"]

Codes = NDArray[np.uint64]
Operand = FloatFormat | FixedFormat

_CLEAR, _LAST = 1, 2
_LENGTHS = ((1, 2), (2, 6), (6, 20), (20, 80))
_CLEARS = 0.04  # terms that clear in the middle of a frame


def sum_streams(fmt: Operand, count: int, rng: np.random.Generator) -> list[Codes]:
    """Return `count` terms in `fmt` and as many control words (bit 0 clear, bit 1 last), in frames.

    A quarter of the frames have one term, and many more than any number of partial sums, chunks or pipeline
    stages. In themes: terms whose negatives follow in another order, so that the sum cancels; terms each near
    the last places of the sum so far; one large term among tiny ones; growth beyond the range; zeros of both
    signs; special values; uniform patterns.
    """
    terms, control = np.empty(0, np.uint64), np.empty(0, np.uint64)
    themes: list[Callable[[Operand, int, np.random.Generator], Codes]]
    themes = [
        _cancelling,
        _cancelling,
        _descending,
        _descending,
        _dwarfed,
        _growing,
        _zeros,
        _special,
        _uniform,
    ]
    while len(terms) < count:
        shortest, end = _LENGTHS[rng.integers(len(_LENGTHS))]
        length = int(rng.integers(shortest, end))
        frame = themes[rng.integers(len(themes))](fmt, length, rng)
        flags = np.where(rng.random(length) < _CLEARS, _CLEAR, 0).astype(np.uint64)
        flags[0] |= np.uint64(rng.integers(2))
        flags[-1] |= np.uint64(_LAST)
        terms, control = np.concatenate([terms, frame]), np.concatenate([control, flags])
    terms, control = terms[:count], control[:count]
    control[-1:] |= np.uint64(_LAST)
    return [terms, control]


def _uniform(fmt: Operand, length: int, rng: np.random.Generator) -> Codes:
    """Any patterns; of floats without infinities and NaN, which have their own theme."""
    codes = rng.integers(0, (1 << fmt.width) - 1, length, dtype=np.uint64, endpoint=True)
    return _finite(fmt, codes, rng)


def _cancelling(fmt: Operand, length: int, rng: np.random.Generator) -> Codes:
    terms = _uniform(fmt, length, rng)
    half = length // 2
    terms[length - half :] = rng.permutation(_negated(fmt, terms[:half]))
    return terms


def _descending(fmt: Operand, length: int, rng: np.random.Generator) -> Codes:
    """Magnitudes that fall by a few binades from term to term, most of them with few significant bits."""
    top = fmt.width - 2
    if isinstance(fmt, FloatFormat):
        fields = (1 << fmt.exponent) - 2 - rng.integers(0, fmt.mantissa + 3, length).cumsum() // 2
        fields = np.maximum(fields, 0) % ((1 << fmt.exponent) - 1)
        codes = fields.astype(np.uint64) << np.uint64(fmt.mantissa)
        sparse = rng.integers(0, 1 << fmt.mantissa, length) & rng.integers(0, 1 << fmt.mantissa, length)
        codes |= sparse.astype(np.uint64)
    else:
        codes = np.uint64(1) << np.maximum(top - rng.integers(0, 3, length).cumsum(), 0).astype(np.uint64)
    flip = rng.random(length) < 0.5
    return np.where(flip, _negated(fmt, codes), codes)


def _dwarfed(fmt: Operand, length: int, rng: np.random.Generator) -> Codes:
    terms = _near_zero(fmt, length, rng)
    terms[rng.integers(length)] = _finite(fmt, np.array([special_codes(fmt)[-1]], np.uint64), rng)[0]
    return terms


def _near_zero(fmt: Operand, length: int, rng: np.random.Generator) -> Codes:
    limit = 1 << (fmt.mantissa + 1 if isinstance(fmt, FloatFormat) else max(fmt.width // 2, 1))
    codes = rng.integers(0, limit, length, dtype=np.uint64) & np.uint64((1 << (fmt.width - 1)) - 1)
    return np.where(rng.random(length) < 0.5, _negated(fmt, codes), codes)


def _growing(fmt: Operand, length: int, rng: np.random.Generator) -> Codes:
    """Terms of one sign near the largest magnitude."""
    largest = fmt.max_finite_code if isinstance(fmt, FloatFormat) else fmt.max_integer
    codes = np.uint64(largest) - rng.integers(0, min(largest, 4), length, dtype=np.uint64, endpoint=True)
    return _negated(fmt, codes) if rng.random() < 0.5 else codes


def _zeros(fmt: Operand, length: int, rng: np.random.Generator) -> Codes:
    codes = np.zeros(length, np.uint64)
    share = rng.choice([0.0, 0.1, 0.5, 0.9, 1.0])
    return np.where(rng.random(length) < share, _negated(fmt, codes), codes)


def _special(fmt: Operand, length: int, rng: np.random.Generator) -> Codes:
    """Uniform patterns with some of a format's edges, Infs and NaNs among them, or with Infs only."""
    codes = _uniform(fmt, length, rng)
    edges = np.array(special_codes(fmt), np.uint64)
    if isinstance(fmt, FloatFormat) and fmt.inf_code is not None and rng.integers(2):
        # Where there is no NaN it shows that the sum of Infs of both signs is one.
        edges = np.array([fmt.inf_code, fmt.inf_code | fmt.sign_mask], np.uint64)
    return np.where(rng.random(length) < 0.3, edges[rng.integers(0, len(edges), length)], codes)


def _negated(fmt: Operand, codes: Codes) -> Codes:
    if isinstance(fmt, FloatFormat):
        return codes ^ np.uint64(fmt.sign_mask)
    mask = np.uint64((1 << fmt.width) - 1)
    return (np.uint64(0) - codes) & mask if fmt.signed else codes


def _finite(fmt: Operand, codes: Codes, rng: np.random.Generator) -> Codes:
    """Replace infinities and NaN by finite patterns of the same sign."""
    if not isinstance(fmt, FloatFormat):
        return codes
    magnitude = codes & np.uint64(fmt.sign_mask - 1)
    finite = rng.integers(0, fmt.max_finite_code, len(codes), dtype=np.uint64, endpoint=True)
    codes = np.where(magnitude > fmt.max_finite_code, (codes & np.uint64(fmt.sign_mask)) | finite, codes)
    return np.where(codes == fmt.invalid_code, finite, codes) if fmt.has_nan else codes
