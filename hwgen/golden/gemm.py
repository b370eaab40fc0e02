"""The golden matrix product: a multiply-accumulate unit stepped along the inner dimension, in order.

The result C[i, j] starts from the addend and takes the products A[i, l] * B[l, j] for l = 0, 1, 2, ..., each
step being one activation of the unit with its own rounding. Nothing is reordered or summed in parts. What
the unit computes is the caller's `step`; here are the order, the padding of units that take several products
at once, and the random words of stochastic rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.formats.checks import check_integer
from hwgen.golden.lfsr import Lfsr
from hwgen.golden.philox import philox

__all__ = ["Words", "counter_words", "gemm", "register_words"]

Array = npt.NDArray[Any]
Words = Callable[[int], Array]
"""Random words of step number l, for all results at once: shape (rows, columns)."""

_BLOCK_BITS = 128


def gemm(
    a: Array, b: Array, c: Array, *, terms: int, step: Callable[..., Array], words: Words | None
) -> Array:
    """Return the matrix product of `a` and `b` plus `c`, accumulated in order.

    Parameters
    ----------
    a : ndarray of shape (rows, inner)
        Bit patterns.
    b : ndarray of shape (inner, columns)
        Bit patterns.
    c : ndarray of shape (rows, columns)
        Bit patterns of the addend, in the format of the result.
    terms : int
        Products that one activation of the unit takes. The inner dimension is padded to a multiple with
        patterns 0 on both sides.
    step : callable
        ``step(a, b, c, words)``: one activation for all results; `a` and `b` have a last axis of `terms` if
        that is more than 1. `words` is None without `words`.
    words : callable or None
        Random words of step l, see `counter_words` and `register_words`.

    Returns
    -------
    ndarray of shape (rows, columns)
        Bit patterns, of the dtype of `c`.
    """
    padding = -a.shape[1] % terms
    a = np.pad(a, ((0, 0), (0, padding)))
    b = np.pad(b, ((0, padding), (0, 0)))
    result = c.copy()
    for number in range(a.shape[1] // terms):
        taken = slice(number * terms, (number + 1) * terms)
        left, right = a[:, None, taken], b[taken].T[None, :, :]
        if terms == 1:
            left, right = left[..., 0], right[..., 0]
        result[...] = step(left, right, result, None if words is None else words(number))
    return result


def counter_words(seed: int, shape: tuple[int, int], bits: int) -> Words:
    """Return the random words of a unit that takes them from a port: Philox4x32-10 under the key `seed`.

    One call of the generator serves several successive steps of one result. Its 128 bits are taken in words
    of 32 bits (of 64, low half first, if `bits` is more than 32), and from each word, low bits first, as
    many random words as fit whole. With n to a call, step l of C[i, j] takes number l mod n of the call
    whose counter is (l div n, j, i, 0).

    Parameters
    ----------
    seed : int
        0..2^64 - 1.
    shape : tuple of int
        Rows and columns of the result.
    bits : int
        Bits of a random word, 1..64.

    Raises
    ------
    InputError
        If the seed is out of range.
    """
    check_integer("GEMM seed", seed, 0, (1 << 64) - 1)
    word = 32 if bits <= 32 else 64
    to_a_word = word // bits
    to_a_call = _BLOCK_BITS // word * to_a_word
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]

    def of_step(number: int) -> Array:
        call, place = divmod(number, to_a_call)
        drawn = philox((call, columns, rows, 0), seed)
        index, offset = place // to_a_word, place % to_a_word * bits
        taken = drawn[index] if word == 32 else drawn[2 * index] | drawn[2 * index + 1] << np.uint64(32)
        words: Array = taken >> np.uint64(offset) & np.uint64((1 << bits) - 1)
        return words

    return of_step


def register_words(register: Lfsr, shape: tuple[int, int], steps: int, bits: int) -> Words:
    """Return the random words of a unit with its own generator: those that this one unit would take.

    It computes the results one after the other, in C order, each with its steps in order; so step l of C[i,
    j] takes word number (i * columns + j) * steps + l after reset.

    Parameters
    ----------
    register : Lfsr
        The generator as after reset; it is advanced past all words.
    shape : tuple of int
        Rows and columns of the result.
    steps : int
        Activations for each result.
    bits : int
        Bits of a random word.
    """
    words = register.words(shape[0] * shape[1] * steps, bits).reshape(*shape, steps)
    return lambda number: words[:, :, number]
