"""Maximal-length feedback polynomials for the on-unit random generator.

This module chooses and checks the polynomial; the generator's bits are defined in `hwgen.golden`.
A polynomial is written as engineers do, by the exponents of its terms without the constant one:
``(32, 22, 2, 1)`` is x^32 + x^22 + x^2 + x + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import gcd
from operator import xor

__all__ = ["MAX_WIDTH", "MIN_WIDTH", "default_taps", "is_maximal_length", "tap_mask"]

MIN_WIDTH, MAX_WIDTH = 9, 80

# Sparse primitive polynomials, from Xilinx XAPP052 (Alfke 1996), table 3.
_TAPS: dict[int, tuple[int, ...]] = {
    9: (9, 5),
    10: (10, 7),
    11: (11, 9),
    12: (12, 6, 4, 1),
    13: (13, 4, 3, 1),
    14: (14, 5, 3, 1),
    15: (15, 14),
    16: (16, 15, 13, 4),
    17: (17, 14),
    18: (18, 11),
    19: (19, 6, 2, 1),
    20: (20, 17),
    21: (21, 19),
    22: (22, 21),
    23: (23, 18),
    24: (24, 23, 22, 17),
    25: (25, 22),
    26: (26, 6, 2, 1),
    27: (27, 5, 2, 1),
    28: (28, 25),
    29: (29, 27),
    30: (30, 6, 4, 1),
    31: (31, 28),
    32: (32, 22, 2, 1),
    33: (33, 20),
    34: (34, 27, 2, 1),
    35: (35, 33),
    36: (36, 25),
    37: (37, 5, 4, 3, 2, 1),
    38: (38, 6, 5, 1),
    39: (39, 35),
    40: (40, 38, 21, 19),
    41: (41, 38),
    42: (42, 41, 20, 19),
    43: (43, 42, 38, 37),
    44: (44, 43, 18, 17),
    45: (45, 44, 42, 41),
    46: (46, 45, 26, 25),
    47: (47, 42),
    48: (48, 47, 21, 20),
    49: (49, 40),
    50: (50, 49, 24, 23),
    51: (51, 50, 36, 35),
    52: (52, 49),
    53: (53, 52, 38, 37),
    54: (54, 53, 18, 17),
    55: (55, 31),
    56: (56, 55, 35, 34),
    57: (57, 50),
    58: (58, 39),
    59: (59, 58, 38, 37),
    60: (60, 59),
    61: (61, 60, 46, 45),
    62: (62, 61, 6, 5),
    63: (63, 62),
    64: (64, 63, 61, 60),
    65: (65, 47),
    66: (66, 65, 57, 56),
    67: (67, 66, 58, 57),
    68: (68, 59),
    69: (69, 67, 42, 40),
    70: (70, 69, 55, 54),
    71: (71, 65),
    72: (72, 66, 25, 19),
    73: (73, 48),
    74: (74, 73, 59, 58),
    75: (75, 74, 65, 64),
    76: (76, 75, 41, 40),
    77: (77, 76, 47, 46),
    78: (78, 77, 59, 58),
    79: (79, 70),
    80: (80, 79, 43, 42),
}


def default_taps(width: int) -> tuple[int, ...]:
    """Return the exponents of the tabled primitive polynomial of degree `width` (9..80)."""
    return _TAPS[width]


def tap_mask(taps: Sequence[int]) -> int:
    """Return the state bits that the feedback is the parity of.

    The register shifts right, so its bit i is the term x^i: the constant term is always bit 0, and the
    leading term, which is the new bit itself, has none.
    """
    width = max(taps)
    return reduce(xor, (1 << tap for tap in taps if tap != width), 1)


def is_maximal_length(taps: Sequence[int]) -> bool:
    """Tell whether the register visits all 2^w - 1 non-zero states.

    That is so exactly when the polynomial is primitive: x has order 2^w - 1 modulo it, which holds when
    x^(2^w - 1) = 1 and x^((2^w - 1) / q) != 1 for every prime factor q (Lidl and Niederreiter 1994, ch. 3).
    """
    width = max(taps)
    polynomial = tap_mask(taps) | 1 << width
    period = (1 << width) - 1
    return _power_of_x(period, polynomial, width) == 1 and all(
        _power_of_x(period // factor, polynomial, width) != 1 for factor in _prime_factors(period)
    )


def _power_of_x(exponent: int, polynomial: int, width: int) -> int:
    """Return x^exponent modulo `polynomial` over GF(2), by squaring."""
    power = 1
    for bit in bin(exponent)[2:]:
        square = int(bin(power)[2:], 4)  # squaring over GF(2) spreads the bits: base 2 digits read in base 4
        power = square << (bit == "1")
        for position in range(power.bit_length() - 1, width - 1, -1):
            if power >> position & 1:
                power ^= polynomial << (position - width)
    return power


def _prime_factors(number: int) -> set[int]:
    """Return the prime factors of `number` (Pollard's rho; at most 80 bits here, so it is instant)."""
    if number == 1:
        return set()
    if _is_prime(number):
        return {number}
    if number % 2 == 0:
        return {2} | _prime_factors(number // 2)
    for offset in range(1, number):
        slow = fast = 2
        divisor = 1
        while divisor == 1:
            slow = (slow * slow + offset) % number
            fast = (fast * fast + offset) % number
            fast = (fast * fast + offset) % number
            divisor = gcd(slow - fast, number)
        if divisor != number:
            return _prime_factors(divisor) | _prime_factors(number // divisor)
    raise AssertionError(number)  # unreachable: a composite has a divisor that some offset finds


def _is_prime(number: int) -> bool:
    """Tell whether `number` < 2^81 is prime (Miller-Rabin; these bases decide to 3.3e24, Sorenson 2015)."""
    bases = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
    if number in bases:
        return True
    if any(number % base == 0 for base in bases):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in bases:
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        if not any((power := power * power % number) == number - 1 for _ in range(twos - 1)):
            return False
    return True
