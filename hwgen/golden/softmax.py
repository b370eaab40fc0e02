"""Softmax of the frames of a stream in two passes, stable. Defined to the bit.

First pass, element by element (Milakov & Gimelshein, "Online normalizer calculation for softmax", 2018): a
reference R, which is one of the elements so far, and s, the sum of exp(x_i - R) so far. The first element
sets R = x and s = 1. For each further one, d = x - R, exact, rounded to nearest even to `DIFFERENCE`:

- d below `RISE`: s grows by exp(d);
- otherwise x becomes the reference: s = floor(s * exp(-d)) + 1, cut at s's last place, then R = x.

Second pass, element by element, with the R and s of the whole frame: r = 1 / t, t being s rounded to nearest
even to `SUM`; d as above; y = exp(d) * r, rounded once to the result format.

exp and 1 / t are faithful, in `EXPONENTIAL` and `SUM`; s has the last place of `EXPONENTIAL`. If an element
is NaN, or R is infinite at the end, all results of the frame are NaN; also if the frame is too long.

An element replaces the reference only if it is larger by `RISE`. If every larger one did, the roundings of
many small d would add up; so a term that was scaled k times is below 2 * exp(-`RISE`)^k, and hardly counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.formats import FixedFormat, FloatFormat, Overflow, Rounding, RoundingMode
from hwgen.golden.accumulator_exact import frames_of
from hwgen.golden.activation_design import Design, evaluate
from hwgen.golden.activation_softmax import SUM
from hwgen.golden.operators import convert, fma, mul

__all__ = ["DIFFERENCE", "EXPONENTIAL", "RISE", "result_counts", "running_sum_format", "softmax_frames"]

DIFFERENCE = FixedFormat(16, 11)
"""Of x - R: from -16, where exp is below half the last place of `EXPONENTIAL`, in steps of 2^-11."""

EXPONENTIAL = FixedFormat(18, 17, signed=False)
"""Of exp(d), 0 to just below 2."""

RISE = 11 / 16
"""What an element must exceed the reference by to replace it; exp of it is just below 2."""

_RISE_CODE = int(RISE * 2**DIFFERENCE.fraction)
_ONE = 1 << EXPONENTIAL.fraction
_FACTOR = FloatFormat(2, 0, 1, "none", False)  # holds -1
_NEAREST = Rounding(RoundingMode.RNE)

Codes = npt.NDArray[Any]


def running_sum_format(max_length: int) -> FixedFormat:
    """Return the format of s, each term of which is below 2."""
    bits = EXPONENTIAL.width + (max_length - 1).bit_length()
    return FixedFormat(bits, EXPONENTIAL.fraction, signed=False)


def result_counts(ctrl: Codes, max_length: int) -> npt.NDArray[np.int64]:
    """Return how many results each element releases: those of its frame, if it is the last."""
    counts = np.zeros(len(ctrl), np.int64)
    for frame in frames_of(ctrl):
        counts[frame.stop - 1] = min(frame.stop - frame.start, max_length)
    return counts


def softmax_frames(
    x: Codes,
    ctrl: Codes,
    *,
    max_length: int,
    x_fmt: FloatFormat | FixedFormat,
    y_fmt: FloatFormat | FixedFormat,
    exponential: Design,
    reciprocal: Design,
    rounding: Rounding,
    overflow: Overflow,
) -> Codes:
    """Return the softmax of each frame.

    Parameters
    ----------
    x, ctrl : ndarray of int, shape (T,)
        Operand codes, and control words: bit 0 starts a frame anew, bit 1 ends it.
    max_length : int
        Elements that a frame may have. A longer one gives as many results.
    x_fmt, y_fmt : FloatFormat or FixedFormat
    exponential, reciprocal : Design
        exp from `DIFFERENCE` to `EXPONENTIAL`, and 1/x from `SUM` to `SUM`.
    rounding, overflow
        Of the results; deterministic.

    Returns
    -------
    ndarray of `y_fmt.dtype`, shape (results, 3)
        Result, whether it is the last of its frame, whether the frame was too long.
    """
    frames = frames_of(ctrl)
    starts = np.array([frame.start for frame in frames], np.int64)
    lengths = np.array([frame.stop - frame.start for frame in frames], np.int64)
    reference, total = _first_pass(x, starts, np.minimum(lengths, max_length), x_fmt, exponential)
    t = convert(total, x_fmt=running_sum_format(max_length), y_fmt=SUM, rounding=_NEAREST)
    r = evaluate(reciprocal, t)

    kept = np.minimum(lengths, max_length)
    of = np.repeat(np.arange(len(frames)), kept)
    place = np.arange(kept.sum()) - np.repeat(np.cumsum(kept) - kept, kept)
    element = x[starts[of] + place]
    e = evaluate(exponential, _difference(element, reference[of], x_fmt))
    y = mul(e, r[of], a_fmt=EXPONENTIAL, b_fmt=SUM, y_fmt=y_fmt, rounding=rounding, overflow=overflow)

    undefined = np.isinf(x_fmt.decode(reference)) | (lengths > max_length)
    np.logical_or.at(undefined, of, np.isnan(x_fmt.decode(element)))
    invalid = 0 if isinstance(y_fmt, FixedFormat) else y_fmt.invalid_code
    columns: Sequence[Codes] = (
        np.where(undefined[of], invalid, y),
        place == kept[of] - 1,
        lengths[of] > max_length,
    )
    return np.stack([column.astype(y_fmt.dtype) for column in columns], axis=-1)


def _first_pass(
    x: Codes,
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    x_fmt: FloatFormat | FixedFormat,
    exponential: Design,
) -> tuple[Codes, npt.NDArray[np.uint64]]:
    """Return R and s of each frame: a step at a time, for all frames that are long enough."""
    reference = x[starts]
    total = np.full(len(starts), _ONE, np.uint64)
    for step in range(1, int(lengths.max(initial=0))):
        going = np.flatnonzero(lengths > step)
        element = x[starts[going] + step]
        d = _difference(element, reference[going], x_fmt)
        rises = _signed(d) >= _RISE_CODE
        e = evaluate(exponential, np.where(rises, -_signed(d), _signed(d)) & 0xFFFF).astype(np.uint64)
        old = total[going]
        scaled = ((old * e) >> np.uint64(EXPONENTIAL.fraction)) + np.uint64(_ONE)
        total[going] = np.where(rises, scaled, old + e)
        reference[going] = np.where(rises, element, reference[going])
    return reference, total


def _difference(x: Codes, reference: Codes, x_fmt: FloatFormat | FixedFormat) -> Codes:
    """Return x - reference in `DIFFERENCE`; NaN is 0."""
    minus_one = _FACTOR.encode(-1.0)
    formats: dict[str, Any] = {"a_fmt": x_fmt, "b_fmt": _FACTOR, "c_fmt": x_fmt, "y_fmt": DIFFERENCE}
    return fma(reference, minus_one, x, rounding=_NEAREST, **formats)


def _signed(d: Codes) -> npt.NDArray[np.int64]:
    return d.astype(np.int16).astype(np.int64)
