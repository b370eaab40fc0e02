"""Hard operands of a softmax: logits as they are, ties, slopes, and what has no softmax; also in frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwgen.formats import FixedFormat, FloatFormat
from hwgen.golden.softmax import RISE
from hwgen.operators.vectors import special_codes

__all__ = ["hard_logits", "logit_frames"]

_CLEAR, _LAST = 1, 2
_CLEARED = 0.15  # frames that are started anew somewhere in the middle

Codes = NDArray[np.uint64]
Operand = FloatFormat | FixedFormat


def hard_logits(x_fmt: Operand, shape: tuple[int, int], rng: np.random.Generator) -> Codes:
    """Return vectors near each other, as logits are (3/4 of them), with ties; of any codes; with specials."""
    spread = rng.choice([0.1, 1.0, 4.0, 16.0], (shape[0], 1))
    centre = rng.choice([0.0, 1.0, -30.0, 300.0], (shape[0], 1))
    codes = x_fmt.encode(rng.normal(size=shape) * spread + centre, overflow="saturate").astype(np.uint64)
    tied = rng.random(shape) < 0.1
    codes = np.where(tied, codes[:, :1], codes)
    anything = rng.random((shape[0], 1)) < 0.125
    codes = np.where(anything, rng.integers(0, 1 << x_fmt.width, shape, np.uint64), codes)
    special = (rng.random((shape[0], 1)) < 0.125) & (rng.random(shape) < 0.2)
    return np.where(special, rng.choice(np.array(special_codes(x_fmt), np.uint64), shape), codes)


def logit_frames(x_fmt: Operand, max_length: int, count: int, rng: np.random.Generator) -> list[Codes]:
    """Return `count` elements and as many control words (bit 0 clear, bit 1 last), in frames.

    A quarter of the frames have one element, a few are as long as can be, or longer. Of a quarter the
    elements rise or fall by about what changes a running reference.
    """
    shortest = (1, 2, max_length // 2, max_length, max_length + 1)
    longest = (1, min(8, max_length), max_length, max_length, 2 * max_length)
    elements, control = [], []
    made = 0
    while made < count:
        theme = rng.choice(5, p=[0.25, 0.3, 0.25, 0.12, 0.08])
        length = int(rng.integers(max(shortest[theme], 1), longest[theme], endpoint=True))
        frame = _slope(x_fmt, length, rng) if rng.random() < 0.25 else hard_logits(x_fmt, (1, length), rng)[0]
        flags = np.zeros(length, np.uint64)
        flags[0] = rng.integers(2)
        if rng.random() < _CLEARED:
            flags[rng.integers(length)] |= np.uint64(_CLEAR)
        flags[-1] |= np.uint64(_LAST)
        elements.append(frame)
        control.append(flags)
        made += length
    terms, words = np.concatenate(elements)[:count], np.concatenate(control)[:count]
    words[-1:] |= np.uint64(_LAST)
    return [terms, words]


def _slope(x_fmt: Operand, length: int, rng: np.random.Generator) -> Codes:
    """Return elements that rise or fall in steps of about `RISE`, or by far more or less."""
    steps = RISE * rng.choice([0.01, 0.5, 1.0, 1.01, 20.0]) + rng.normal(size=length) * rng.choice(
        [0, 0.01, 1]
    )
    values = np.cumsum(steps) * rng.choice([-1.0, 1.0, 1.0]) + rng.choice([0.0, -20.0])
    return x_fmt.encode(values, overflow="saturate").astype(np.uint64)
