"""The golden accumulators: sums over the frames of a stream, rounded at each step, in chunks, or kept exact.

The definition is `hwgen.golden.accumulator_exact`; here are its arrays. A recurrence cannot be vectorised
along its terms, but the sums of different frames, partial sums and chunks do not depend on each other. So the
rounded sums are advanced side by side, one term each at a time, by the golden operators, which round each
element as the plain model does; the last few long ones go on in the plain model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate as prefixes
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.formats import Overflow, Rounding
from hwgen.formats.checks import as_codes, as_words
from hwgen.formats.exact import Exact
from hwgen.golden import operators
from hwgen.golden.accumulator_exact import (
    Frame,
    Rounder,
    combine_rounding,
    frames_of,
    long_sum,
    scaled,
)
from hwgen.golden.exact import Scalar, exact_product, exact_sum

__all__ = ["Terms", "accumulate", "accumulate_chunked", "accumulate_long", "squares", "values"]

Codes = npt.NDArray[Any]

_FEW = 6  # sums side by side, below which a call of an array operator costs more than the plain model


@dataclass(frozen=True)
class Terms:
    """What is summed: the terms as exact numbers, and as operands of the golden operators.

    Attributes
    ----------
    fmt : format
        Of the codes at the port.
    exact : callable
        Exact value of the term of one code.
    first, add : callable
        ``first(codes, **how)`` and ``add(codes, sums, sum_fmt, **how)``: the golden operators that round a
        first term, and a term plus a sum; `how` says result format, rounding, overflow and random words.
    """

    fmt: Scalar
    exact: Callable[[int], Exact]
    first: Callable[..., Codes]
    add: Callable[..., Codes]


def values(fmt: Scalar) -> Terms:
    """Return the terms x, whose codes have format `fmt`."""
    return Terms(
        fmt,
        fmt.unpack,
        lambda codes, **how: operators.convert(codes, x_fmt=fmt, **how),
        lambda codes, sums, sum_fmt, **how: operators.add(codes, sums, a_fmt=fmt, b_fmt=sum_fmt, **how),
    )


def squares(fmt: Scalar) -> Terms:
    """Return the terms x^2, not rounded, of x whose codes have format `fmt`."""

    def exact(code: int) -> Exact:
        value = fmt.unpack(code)
        return exact_product(value, value)

    return Terms(
        fmt,
        exact,
        lambda codes, **how: operators.mul(codes, codes, a_fmt=fmt, b_fmt=fmt, **how),
        lambda codes, sums, sum_fmt, **how: operators.fma(
            codes, codes, sums, a_fmt=fmt, b_fmt=fmt, c_fmt=sum_fmt, **how
        ),
    )


def accumulate(
    terms: Terms,
    x: npt.ArrayLike,
    ctrl: npt.ArrayLike,
    *,
    y_fmt: Scalar,
    rounding: Rounding,
    overflow: str | Overflow | None = None,
    interleave: int = 1,
    rand: npt.ArrayLike | None = None,
) -> Codes:
    """Return the sums of the frames of a stream, rounded after each term.

    Parameters
    ----------
    terms : Terms
        What is summed: `values` or `squares` of a format.
    x : array_like of int, shape (T,)
        Codes of the terms.
    ctrl : array_like of int, shape (T,)
        Control words: bit 0 `clear`, bit 1 `last`.
    y_fmt : FloatFormat, FixedFormat or PositFormat
        Format of the sum at every step.
    rounding, overflow
        How each step rounds.
    interleave : int
        Partial sums that take the terms in turn; `interleaved_sum` says how they are put together.
    rand : array_like of int, shape (T,), optional
        Random words of `sr`, one for each term.

    Returns
    -------
    ndarray of `y_fmt.dtype`, shape (frames,)
        One sum for each term with `last`.

    Raises
    ------
    InputError
        If a pattern or word is too wide, the shapes differ, or the policy is not the format's.
    """
    codes, control = _stream(x, ctrl, terms.fmt)
    frames = frames_of(control)
    rounder = _rounder(y_fmt, rounding, overflow)
    words = _words(rand, rounding, (len(codes),))
    # The partial sum that gets term t has its last terms before t at t - n, t - 2n, ... within the frame.
    lanes, owners = [], []
    for frame in frames:
        for newest in range(max(frame.stop - interleave, frame.start), frame.stop):
            lanes.append(range(frame.start + (newest - frame.start) % interleave, newest + 1, interleave))
        owners.append(len(lanes))
    sums = _side_by_side(terms, codes, lanes, words, rounder)
    # Leaves of the tree by age, the newest last; a missing one leaves its neighbour as it is.
    combine = Rounder(y_fmt, combine_rounding(rounding), rounder.overflow)
    row = [_leaf(sums, frames, owners, age, interleave) for age in range(interleave, 0, -1)]
    while len(row) > 1:
        pairs = [_combined(row[i], row[i + 1], combine) for i in range(0, len(row) - 1, 2)]
        row = pairs + (row[-1:] if len(row) % 2 else [])
    return row[0][0]


def accumulate_chunked(
    terms: Terms,
    x: npt.ArrayLike,
    ctrl: npt.ArrayLike,
    *,
    chunk: int,
    chunk_fmt: Scalar,
    y_fmt: Scalar,
    rounding: Rounding,
    overflow: str | Overflow | None = None,
    rand: npt.ArrayLike | None = None,
) -> Codes:
    """Return the sums of the frames of a stream in chunks of `chunk` terms.

    As `accumulate`, but the terms of a chunk are summed in `chunk_fmt`, with its default overflow policy, and
    the sums of the chunks in `y_fmt`. `rand` has shape (T, 2): the first word of a term is for its own step,
    the second for the step of the chunk that ends with it.
    """
    codes, control = _stream(x, ctrl, terms.fmt)
    frames = frames_of(control)
    inner = _rounder(chunk_fmt, rounding, None)
    outer = _rounder(y_fmt, rounding, overflow)
    words = _words(rand, rounding, (len(codes), 2))
    chunks = [
        range(start, min(start + chunk, frame.stop))
        for frame in frames
        for start in range(frame.start, frame.stop, chunk)
    ]
    inner_words, outer_words = (None, None) if words is None else (words[:, 0], words[:, 1])
    inner_sums = _side_by_side(terms, codes, chunks, inner_words, inner)
    ends = np.array([lane[-1] for lane in chunks], dtype=np.int64)
    counts = [-(-(frame.stop - frame.start) // chunk) for frame in frames]
    lanes = [range(stop - count, stop) for count, stop in zip(counts, prefixes(counts), strict=True)]
    return _side_by_side(
        values(chunk_fmt), inner_sums, lanes, None if outer_words is None else outer_words[ends], outer
    )


def accumulate_long(
    terms: Terms,
    x: npt.ArrayLike,
    ctrl: npt.ArrayLike,
    *,
    msb: int,
    lsb: int,
    y_fmt: Scalar,
    rounding: Rounding,
    overflow: str | Overflow | None = None,
    rand: npt.ArrayLike | None = None,
) -> Codes:
    """Return the exact sums of the frames of a stream, rounded once when they are released.

    As `accumulate`; the sum is kept in a fixed-point register from 2^`lsb` to its sign at 2^`msb`, as
    `long_sum` defines it, and the random word is that of the frame's last term.

    Returns
    -------
    ndarray, shape (frames, 2)
        The sum's pattern, and 1 if the register overflowed, else 0.

    Notes
    -----
    Frames without special values whose register does not end at zero are summed as integers, one for each
    distinct code; the rest are the plain model's.
    """
    codes, control = _stream(x, ctrl, terms.fmt)
    rounder = _rounder(y_fmt, rounding, overflow)
    words = _words(rand, rounding, (len(codes),))
    distinct, places = np.unique(codes, return_inverse=True)
    table = [terms.exact(code) for code in distinct.tolist()]
    integers = [0 if term.special else scaled(term, lsb) for term in table]
    half = 1 << (msb - lsb)
    results = np.zeros((len(frames := frames_of(control)), 2), y_fmt.dtype)
    for row, frame in enumerate(frames):
        word = 0 if words is None else int(words[frame.stop - 1])
        numbers = places[frame.start : frame.stop].tolist()
        sums = list(prefixes(integers[number] for number in numbers))
        register = (sums[-1] + half) % (2 * half) - half
        if register and not any(table[number].special for number in numbers):
            value = Exact.dyadic(register < 0, abs(register), lsb)
            results[row] = rounder.code(value, word), min(sums) < -half or max(sums) >= half
        else:
            results[row] = long_sum([table[n] for n in numbers], word, rounder, msb=msb, lsb=lsb)
    return results


def _stream(x: npt.ArrayLike, ctrl: npt.ArrayLike, fmt: Scalar) -> tuple[Codes, Codes]:
    codes = as_codes(x, fmt.width, fmt.dtype)
    control = as_codes(ctrl, 2, np.dtype(np.uint8))
    if codes.ndim != 1 or codes.shape != control.shape:
        raise InputError(
            f"an accumulator takes one sequence of terms and one of control words of the same length, "
            f"not shapes {codes.shape} and {control.shape}"
        )
    return codes, control


def _words(rand: npt.ArrayLike | None, rounding: Rounding, shape: tuple[int, ...]) -> Codes | None:
    words = as_words(rand, rounding)
    if words is not None and words.shape != shape:
        raise InputError(f"random words of shape {words.shape} given, {shape} are needed")
    return words


def _rounder(fmt: Scalar, rounding: Rounding, overflow: str | Overflow | None) -> Rounder:
    policy = Overflow.select(overflow, legal=fmt.legal_overflows, format_name=fmt.name)
    return Rounder(fmt, rounding, policy)


def _side_by_side(
    terms: Terms, codes: Codes, lanes: Sequence[range], words: Codes | None, rounder: Rounder
) -> Codes:
    """Return the sum of the terms of each lane, in order, rounded after each."""
    order = sorted(range(len(lanes)), key=lambda lane: -len(lanes[lane]))
    starts = np.array([lanes[lane].start for lane in order], dtype=np.int64)
    strides = np.array([lanes[lane].step for lane in order], dtype=np.int64)
    lengths = np.array([len(lanes[lane]) for lane in order], dtype=np.int64)
    sums = np.zeros(len(lanes), rounder.fmt.dtype)
    step = 0
    how = {"y_fmt": rounder.fmt, "rounding": rounder.rounding, "overflow": rounder.overflow}
    while (active := int(np.searchsorted(-lengths, -step))) >= (_FEW if step else 1):
        at = starts[:active] + step * strides[:active]
        rand = None if words is None else words[at]
        if step:
            sums[:active] = terms.add(codes[at], sums[:active], rounder.fmt, rand=rand, **how)
        else:
            sums[:active] = terms.first(codes[at], rand=rand, **how)
        step += 1
    for lane in range(active):
        code = int(sums[lane])
        for index in lanes[order[lane]][step:]:
            total = exact_sum(terms.exact(int(codes[index])), rounder.fmt.unpack(code), rounder.rounding)
            code = rounder.code(total, 0 if words is None else int(words[index]))
        sums[lane] = code
    result = np.empty_like(sums)
    result[order] = sums
    return result


_Leaf = tuple[Codes, npt.NDArray[np.bool_]]


def _leaf(sums: Codes, frames: Sequence[Frame], owners: Sequence[int], age: int, interleave: int) -> _Leaf:
    """Return the partial sums that got their last term `age` - 1 terms before the end, and which exist."""
    exists = np.array([frame.stop - frame.start >= age for frame in frames], dtype=bool)
    at = np.array(owners, dtype=np.int64) - age
    return np.where(exists, sums[np.maximum(at, 0)], 0).astype(sums.dtype) if len(sums) else sums, exists


def _combined(a: _Leaf, b: _Leaf, combine: Rounder) -> _Leaf:
    """Return a + b rounded; a missing operand, which can only be the older one, leaves the other."""
    total = operators.add(
        a[0],
        b[0],
        a_fmt=combine.fmt,
        b_fmt=combine.fmt,
        y_fmt=combine.fmt,
        rounding=combine.rounding,
        overflow=combine.overflow,
    )
    return np.where(a[1], total, b[0]).astype(total.dtype), b[1]
