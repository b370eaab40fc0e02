"""The golden norm: sum of squares over the frames of a stream, and the plain sum beside it if wanted.

Both sums are those of `hwgen.golden.accumulator`, over the exact squares and over the terms themselves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hwgen.formats import Overflow, Rounding
from hwgen.golden.accumulator import accumulate, accumulate_long, squares, values
from hwgen.golden.exact import Scalar

__all__ = ["Register", "norm"]


class Register(NamedTuple):
    """A two's complement fixed-point register: sign at 2^msb, last place 2^lsb."""

    msb: int
    lsb: int


def norm(
    x: npt.ArrayLike,
    ctrl: npt.ArrayLike,
    *,
    x_fmt: Scalar,
    y_fmt: Scalar,
    rounding: Rounding,
    overflow: str | Overflow | None = None,
    registers: tuple[Register, ...] | None = None,
    interleave: int = 1,
    with_sum: bool = False,
    rand: npt.ArrayLike | None = None,
) -> npt.NDArray[Any]:
    """Return sum x^2, and sum x if wanted, of the frames of a stream.

    Parameters
    ----------
    x, ctrl : array_like of int, shape (T,)
        Codes of the terms, and their control words: bit 0 `clear`, bit 1 `last`.
    x_fmt, y_fmt : format
        Of the terms, and of both sums.
    rounding, overflow
        How sums are rounded.
    registers : tuple of Register, optional
        Keeps the sums exact: the register of sum x^2, then that of sum x if wanted. None rounds after each
        term; the square itself is not rounded.
    interleave : int
        Partial sums of each sum that is rounded after each term.
    with_sum : bool
        Whether to give sum x as well.
    rand : array_like of int, shape (T,) or (T, 2), optional
        Random words of `sr`: one for each term and sum, that of sum x^2 first.

    Returns
    -------
    ndarray of `y_fmt.dtype`, shape (frames, fields)
        sum x^2; sum x if wanted; with `registers` 1 if any of them overflowed in this frame, else 0.
    """
    kinds = [squares(x_fmt), values(x_fmt)] if with_sum else [squares(x_fmt)]
    words = [None] * len(kinds) if rand is None else _columns(np.asarray(rand), len(kinds))
    if registers is None:
        columns = [
            accumulate(
                terms,
                x,
                ctrl,
                y_fmt=y_fmt,
                rounding=rounding,
                overflow=overflow,
                interleave=interleave,
                rand=rand_of_sum,
            )
            for terms, rand_of_sum in zip(kinds, words, strict=True)
        ]
        return np.stack(columns, axis=1)
    exact = [
        accumulate_long(
            terms,
            x,
            ctrl,
            msb=register.msb,
            lsb=register.lsb,
            y_fmt=y_fmt,
            rounding=rounding,
            overflow=overflow,
            rand=rand_of_sum,
        )
        for terms, register, rand_of_sum in zip(kinds, registers, words, strict=True)
    ]
    flag = np.bitwise_or.reduce([result[:, 1] for result in exact])
    return np.stack([*(result[:, 0] for result in exact), flag], axis=1)


def _columns(words: npt.NDArray[Any], count: int) -> list[npt.NDArray[Any] | None]:
    return [words] if count == 1 else [words[:, index] for index in range(count)]
