"""Philox4x32-10: random words as a function of a counter and a key, the same in any order and any thread.

The generator is Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
Which counter belongs to which multiply-accumulate is `hwgen.golden.gemm`'s to say.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["philox"]

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_KEY_STEPS = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10
_WORD = 0xFFFFFFFF


def philox(counter: tuple[npt.ArrayLike, ...], key: int) -> npt.NDArray[np.uint64]:
    """Return the four 32-bit words of a counter under a key.

    Parameters
    ----------
    counter : tuple of four array_like of int
        Words of the counter, each 0..2^32 - 1, lowest first, of shapes that broadcast.
    key : int
        0..2^64 - 1.

    Returns
    -------
    ndarray of uint64
        Shape (4,) and then the broadcast shape: values below 2^32.
    """
    x0, x1, x2, x3 = np.broadcast_arrays(*(np.asarray(word, dtype=np.uint64) for word in counter))
    low_key, high_key = key & _WORD, key >> 32
    word, half = np.uint64(_WORD), np.uint64(32)
    for _ in range(_ROUNDS):
        left, right = x0 * _MULTIPLIERS[0], x2 * _MULTIPLIERS[1]
        x0, x1, x2, x3 = (
            (right >> half) ^ x1 ^ np.uint64(low_key),
            right & word,
            (left >> half) ^ x3 ^ np.uint64(high_key),
            left & word,
        )
        low_key, high_key = (low_key + _KEY_STEPS[0]) & _WORD, (high_key + _KEY_STEPS[1]) & _WORD
    return np.stack([x0, x1, x2, x3])
