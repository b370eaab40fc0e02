"""Where the shift register of a unit stands at the start of each result of a matrix product.

A unit with its own generator computes the results one after the other; natively they run side by side, so
each needs the state that the register has when the unit arrives there. Shifting is linear over GF(2), so a
jump of any length is a matrix, and matrices of long jumps come by squaring.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwgen.operators import LfsrParameters

__all__ = ["start_states"]

_Matrix = list[int]
"""What each single bit of the state becomes."""


def start_states(register: LfsrParameters, count: int, shifts: int) -> NDArray[np.uint64]:
    """Return the states after 0, 1, ..., count - 1 jumps of `shifts` shifts from the seed.

    Parameters
    ----------
    register : LfsrParameters
        Of at most 64 bits.
    count : int
        At least 1.
    shifts : int
        Shifts between two results.
    """
    jump = _power(_one_shift(register), shifts)
    states = np.empty(count, np.uint64)
    states[0] = register.seed
    known = 1
    while known < count:  # `jump` leaps over all states that are known
        fresh = states[known : 2 * known]
        fresh[:] = 0
        for bit, image in enumerate(jump):
            chosen = states[: len(fresh)] >> np.uint64(bit) & np.uint64(1)
            fresh ^= chosen * np.uint64(image)
        known += len(fresh)
        jump = _product(jump, jump)
    return states


def _one_shift(register: LfsrParameters) -> _Matrix:
    top = register.width - 1
    return [(1 << bit >> 1) | (register.taps >> bit & 1) << top for bit in range(register.width)]


def _image(matrix: _Matrix, state: int) -> int:
    result = 0
    for bit, image in enumerate(matrix):
        if state >> bit & 1:
            result ^= image
    return result


def _product(second: _Matrix, first: _Matrix) -> _Matrix:
    return [_image(second, image) for image in first]


def _power(matrix: _Matrix, exponent: int) -> _Matrix:
    result = [1 << bit for bit in range(len(matrix))]
    for digit in f"{exponent:b}":
        result = _product(result, result)
        if digit == "1":
            result = _product(matrix, result)
    return result
