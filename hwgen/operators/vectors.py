"""Hard operand vectors, shared by every kind whose result is a rounded product plus addend.

Uniform bit patterns hardly ever meet what breaks an adder or a rounder, so most vectors are made backwards:
an exact result that is hard to round, or an alignment that is at its limit, is chosen first, and one operand
is solved for it. Float64 is good enough to aim; where the shot lands is for the golden model to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hwgen.formats import ExponentFormat, FixedFormat, FloatFormat, PositFormat

__all__ = ["ExactForm", "hard_operands", "random_words", "special_codes", "threshold_words"]

Codes = NDArray[np.uint64]
Values = NDArray[np.float64]
Operand = FloatFormat | FixedFormat | PositFormat | ExponentFormat

_TRIES = 3  # vectors made for each one kept, where a shot can miss


@dataclass(frozen=True)
class ExactForm:
    """The exact value that an operator rounds: the product of `factors`, plus `addend` if there is one.

    The rounding decision looks at `random_bits` below the last place, where it is stochastic.
    """

    factors: tuple[Operand, ...]
    addend: Operand | None
    result: Operand
    random_bits: int = 0


def hard_operands(form: ExactForm, count: int, rng: np.random.Generator) -> list[Codes]:
    """Return `count` operand vectors, one uint64 array for each factor and then the addend, shuffled.

    With an addend, at least 3/8 cancel (the sum is within a few ulps of zero) and 3/8 sit at alignment
    limits (the smaller term at the guard, sticky and beyond-sticky positions of the larger). Without one,
    3/8 have results at ties, at the overflow edge, or at the subnormal edge. The rest are pairs of special
    values (zeros, NaNs, infinities, subnormal and normal extremes) and uniform bit patterns.
    """
    if form.addend is None:
        plan = {_result_edges: 3, _special_pairs: 2, _uniform: 3}
    else:
        plan = {_cancellations: 8, _alignments: 8, _special_pairs: 2, _result_edges: 1, _uniform: 1}
    total = sum(plan.values())
    shares = {make: -(-count * part // total) for make, part in plan.items()}
    with np.errstate(all="ignore"):
        rows = [make(form, share, rng) for make, share in shares.items() if share]
    # The plan is in order of weight, so cutting the rounded-up total cuts uniform vectors.
    columns = [np.concatenate(column)[:count] for column in zip(*rows, strict=True)]
    order = rng.permutation(count)
    return [column[order] for column in columns]


def random_words(bits: int, count: int, rng: np.random.Generator) -> Codes:
    """Return `count` random words of `bits` bits; a quarter of them are the extremes 0 and 2^bits - 1."""
    words = _uniform_codes(bits, count, rng)
    extreme = rng.integers(0, 8, count)
    words[extreme == 0] = 0
    words[extreme == 1] = (1 << bits) - 1
    return words


def threshold_words(golden: Callable[[Codes], Codes], bits: int, count: int) -> Codes:
    """Return for each of `count` vectors the smallest random word that changes the result.

    A drawn word is next to the threshold 2^bits - k with probability 2^(1 - bits) only, so what shifts k by
    one, such as a borrow that was lost, would pass unseen.

    Parameters
    ----------
    golden : callable
        The results of the vectors for an array of words.
    bits, count : int
        Width of a word; number of vectors.

    Returns
    -------
    ndarray of uint64
        The thresholds, 2^bits - 1 where no word changes the result. Found by bisection: as the word grows,
        the result changes once.
    """
    lowest = golden(np.zeros(count, np.uint64))
    low, high = np.zeros(count, np.uint64), np.full(count, (1 << bits) - 1, np.uint64)
    for _ in range(bits):  # low keeps the result, or is 0; high changes it, or is the largest word
        middle = low + (high - low) // np.uint64(2)
        differs = golden(middle) != lowest
        changed = differs if differs.ndim == 1 else differs.any(axis=-1)
        high = np.where(changed, middle, high)
        low = np.where(changed, low, middle)
    return high


def special_codes(format_: Operand) -> list[int]:
    """Return the codes at every edge of a format: zeros, ones, extremes, their neighbours, Infs and NaNs."""
    if isinstance(format_, FixedFormat):
        one, top = 1 << format_.fraction if format_.fraction >= 0 else 1, 1 << format_.width
        limit = top >> 1 if format_.signed else top
        near = {0, 1, 2, one >> 1, one, limit - 2, limit - 1, -1, -2, -one, -limit, 1 - limit}
        return sorted(
            {code % top for code in near if -limit <= code < limit and (format_.signed or code >= 0)}
        )
    if isinstance(format_, ExponentFormat):
        return [0, 1, 2, format_.bias - 1, format_.bias, format_.bias + 1, 0xFD, 0xFE, 0xFF]
    if isinstance(format_, PositFormat):
        size, nar = 1 << format_.width, format_.nan_code
        centres = (0, nar >> 1, nar, nar + (nar >> 1))  # zero, 1, NaR, -1
        return sorted({(centre + step) % size for centre in centres for step in range(-3, 4)})
    sign = 1 << (format_.width - 1)
    hidden, one, top = 1 << format_.mantissa, format_.bias << format_.mantissa, format_.max_finite_code
    near = {
        0,
        1,
        2,
        hidden - 1,
        hidden,
        hidden + 1,
        one - 1,
        one,
        one + 1,
        top - 1,
        top,
        top + 1,
        top + 2,
        sign - 1,
    }
    magnitudes = [code for code in near if 0 <= code < sign]
    return sorted({code | side for code in magnitudes for side in (0, sign)})


# ---- the families of vectors: each returns `count` codes for every operand ---------------------------


def _uniform(form: ExactForm, count: int, rng: np.random.Generator) -> list[Codes]:
    return [_uniform_codes(format_.width, count, rng) for format_ in _operands(form)]


def _special_pairs(form: ExactForm, count: int, rng: np.random.Generator) -> list[Codes]:
    """Every tuple of special codes where they fit in `count`, else a random choice of tuples."""
    specials = [special_codes(format_) for format_ in _operands(form)]
    columns = [np.array(codes, dtype=np.uint64)[rng.integers(0, len(codes), count)] for codes in specials]
    every = np.array(list(product(*specials)), dtype=np.uint64) if _size(specials) <= count else None
    if every is not None:
        for index, column in enumerate(columns):
            column[: len(every)] = every[:, index]
    return columns


def _cancellations(form: ExactForm, count: int, rng: np.random.Generator) -> list[Codes]:
    """Addend = -(product), give or take an ulp or two."""
    assert form.addend is not None  # noqa: S101  (the plan)
    # Starting from an addend that exists keeps the product inside the addend's range.
    wished = _finite(form.addend, _uniform_codes(form.addend.width, _TRIES * count, rng))
    factors = _factors_for(form, -np.where(wished == 0, 1.0, wished), rng)
    products = _product(form, factors)
    spread = 2 if _precision(form.addend) > 4 else 1  # in a short significand two ulps are no cancellation
    addend = _near(form.addend, -products, rng, spread=spread)
    values = _finite(form.addend, addend)
    cancels = (values != 0) & (np.abs(values + products) <= 0.5 * np.abs(values))
    return _first_good([*factors, addend], cancels, count)


def _alignments(form: ExactForm, count: int, rng: np.random.Generator) -> list[Codes]:
    """Product and addend d binades apart, d mostly where one meets guard, sticky or last random bit."""
    assert form.addend is not None  # noqa: S101  (the plan)
    tries = _TRIES * count
    places = {_precision(form.result), _precision(form.addend), _precision(form.result) + form.random_bits}
    reach = max(places) + 3
    limits = [place + step for place in sorted(places) for step in (-1, 0, 1, 2)]
    anywhere = rng.integers(-reach, reach + 1, tries)
    at_limit = rng.choice(limits, tries) * rng.choice([-1, 1], tries)
    distance = np.where(rng.random(tries) < 0.5, anywhere, at_limit)
    addend = _sparse(form.addend, _uniform_codes(form.addend.width, tries, rng), rng)
    values = _finite(form.addend, addend)
    target = np.ldexp(values * rng.choice([-1.0, 1.0], tries), distance)
    factors = _factors_for(form, target, rng)
    ratio = np.abs(_product(form, factors) / target)
    return _first_good([*factors, addend], (ratio > 0.25) & (ratio < 4), count)


def _result_edges(form: ExactForm, count: int, rng: np.random.Generator) -> list[Codes]:
    """Exact results at, or an ulp beside, ties, the largest finite, the smallest normal and subnormal."""
    edges = np.array(special_codes(form.result), dtype=np.uint64)
    random = _uniform_codes(form.result.width, count, rng)
    low = np.where(rng.random(count) < 0.5, edges[rng.integers(0, len(edges), count)], random)
    high = (low + np.uint64(1)) & np.uint64((1 << form.result.width) - 1)
    weight = rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], count, p=[0.2, 0.1, 0.5, 0.1, 0.1])
    below = _finite(form.result, low)
    target = below + weight * (_finite(form.result, high) - below)
    if isinstance(form.result, PositFormat):
        target = np.where(weight == 0.5, _posit_ties(form.result, low), target)
    if form.addend is None:
        return _factors_for(form, target, rng)
    factors = _factors_for(form, target * rng.choice([1.0, 0.5, 2.0, -1.0], count), rng)
    return [*factors, _near(form.addend, target - _product(form, factors), rng, spread=1)]


def _posit_ties(format_: PositFormat, codes: Codes) -> Values:
    """Return where rounding turns from a code to the next: the posit one bit longer that ends in a one."""
    if format_.width > 52:  # beyond float64
        return _finite(format_, codes)
    longer = PositFormat(format_.width + 1, format_.es)
    return _finite(longer, 2 * codes + np.uint64(1))


def _first_good(columns: list[Codes], good: NDArray[np.bool_], count: int) -> list[Codes]:
    """Return `count` rows, the good ones first: where formats differ in range, many a shot misses."""
    order = np.argsort(~good, kind="stable")[:count]
    return [column[order] for column in columns]


# ---- aiming ------------------------------------------------------------------------------------------


def _operands(form: ExactForm) -> tuple[Operand, ...]:
    return form.factors if form.addend is None else (*form.factors, form.addend)


def _factors_for(form: ExactForm, target: Values, rng: np.random.Generator) -> list[Codes]:
    """Return factors whose product is near `target`: all random and sparse but the last, which is solved."""
    *free, last = form.factors
    factors = [_sparse(format_, _uniform_codes(format_.width, len(target), rng), rng) for format_ in free]
    others = np.ones(len(target))
    for format_, codes in zip(free, factors, strict=True):
        others = others * _finite(format_, codes)
    solved = np.nan_to_num(target / np.where(others == 0, 1.0, others), nan=0.0)
    return [*factors, _near(last, solved, rng, spread=1)]


def _product(form: ExactForm, factors: Sequence[Codes]) -> Values:
    values = np.ones(len(factors[0]))
    for format_, codes in zip(form.factors, factors, strict=True):
        values = values * _finite(format_, codes)
    return np.nan_to_num(values, nan=0.0)


def _near(format_: Operand, values: Values, rng: np.random.Generator, *, spread: int) -> Codes:
    """Return the codes nearest to `values`, half of them moved by up to `spread` codes."""
    limit = np.finfo(np.float64).max
    codes = format_.encode(np.clip(values, -limit, limit), rounding="rne", overflow="saturate").astype(
        np.uint64
    )
    steps = rng.integers(-spread, spread + 1, len(codes)) * (rng.random(len(codes)) < 0.5)
    return (codes + steps.astype(np.int64).view(np.uint64)) & np.uint64((1 << format_.width) - 1)


def _finite(format_: Operand, codes: Codes) -> Values:
    """Decode to float64, with zero for what is not finite there."""
    values = format_.decode(codes.astype(format_.dtype))
    if values.dtype == object:
        limit = Fraction(np.finfo(np.float64).max)
        values = np.array([float(min(max(value, -limit), limit)) for value in values])
    return np.where(np.isfinite(values), values, 0.0)


def _sparse(format_: Operand, codes: Codes, rng: np.random.Generator) -> Codes:
    """Clear a random number of low significand bits: short significands make exact products and ties."""
    bits = format_.mantissa if isinstance(format_, FloatFormat) else format_.width // 2
    cleared = rng.integers(0, bits + 1, len(codes)).astype(np.uint64)
    return codes >> cleared << cleared


def _precision(format_: Operand) -> int:
    return format_.width if isinstance(format_, FixedFormat) else format_.precision


def _uniform_codes(width: int, count: int, rng: np.random.Generator) -> Codes:
    return rng.integers(0, (1 << width) - 1, count, dtype=np.uint64, endpoint=True)


def _size(specials: Sequence[Sequence[int]]) -> int:
    size = 1
    for codes in specials:
        size *= len(codes)
    return size
