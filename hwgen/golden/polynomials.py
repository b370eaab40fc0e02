"""Feedback polynomials of maximal-length shift registers: the table, and the proof that one is maximal.

A register of width w has the full period 2^w - 1 if its polynomial P of degree w over GF(2) is primitive,
that is, if x has order 2^w - 1 modulo P: x^(2^w - 1) = 1, and x^((2^w - 1) / q) != 1 for every prime factor
q (Golomb, "Shift Register Sequences", 1967).
"""

from __future__ import annotations

from functools import lru_cache

from hwgen.errors import InputError

__all__ = ["MAX_WIDTH", "MIN_WIDTH", "check_maximal", "default_taps", "prime_factors"]

MIN_WIDTH = 9
MAX_WIDTH = 80

# fmt: off
# Exponents of P beside x^w and 1, as tabulated in Alfke, "Efficient Shift Registers, LFSR Counters, and Long
# Pseudo-Random Sequence Generators", Xilinx XAPP052 (1996), table 3.
_TAPS: dict[int, tuple[int, ...]] = {
    9: (5,), 10: (7,), 11: (9,), 12: (6, 4, 1), 13: (4, 3, 1), 14: (5, 3, 1), 15: (14,),
    16: (15, 13, 4), 17: (14,), 18: (11,), 19: (6, 2, 1), 20: (17,), 21: (19,), 22: (21,), 23: (18,),
    24: (23, 22, 17), 25: (22,), 26: (6, 2, 1), 27: (5, 2, 1), 28: (25,), 29: (27,), 30: (6, 4, 1),
    31: (28,), 32: (22, 2, 1), 33: (20,), 34: (27, 2, 1), 35: (33,), 36: (25,), 37: (5, 4, 3, 2, 1),
    38: (6, 5, 1), 39: (35,), 40: (38, 21, 19), 41: (38,), 42: (41, 20, 19), 43: (42, 38, 37),
    44: (43, 18, 17), 45: (44, 42, 41), 46: (45, 26, 25), 47: (42,), 48: (47, 21, 20), 49: (40,),
    50: (49, 24, 23), 51: (50, 36, 35), 52: (49,), 53: (52, 38, 37), 54: (53, 18, 17), 55: (31,),
    56: (55, 35, 34), 57: (50,), 58: (39,), 59: (58, 38, 37), 60: (59,), 61: (60, 46, 45),
    62: (61, 6, 5), 63: (62,), 64: (63, 61, 60), 65: (47,), 66: (65, 57, 56), 67: (66, 58, 57),
    68: (59,), 69: (67, 42, 40), 70: (69, 55, 54), 71: (65,), 72: (66, 25, 19), 73: (48,),
    74: (73, 59, 58), 75: (74, 65, 64), 76: (75, 41, 40), 77: (76, 47, 46), 78: (77, 59, 58), 79: (70,),
    80: (79, 43, 42),
}

# Every prime that divides 2^w - 1 for some w in 9..80; which ones divide is found by division.
_PRIMES = (
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 89, 97, 103, 109,
    113, 127, 137, 151, 157, 223, 229, 233, 241, 251, 257, 281, 331, 337, 397, 431, 433, 439, 457, 601,
    631, 641, 673, 683, 881, 953, 1103, 1321, 1613, 1777, 1801, 2089, 2113, 2143, 2351, 2687, 2731,
    3191, 4051, 4513, 5419, 6361, 8191, 9719, 11119, 13367, 20857, 23311, 26317, 32377, 38737, 43691,
    61681, 65537, 69431, 86171, 87211, 92737, 100801, 121369, 122921, 131071, 174763, 178481, 179951,
    201961, 228479, 262657, 524287, 525313, 599479, 649657, 1212847, 2099863, 2298041, 2796203, 3033169,
    6700417, 10567201, 13264529, 15790321, 20394401, 22366891, 25781083, 48544121, 164511353, 193707721,
    202029703, 212885833, 616318177, 715827883, 2147483647, 4278255361, 761838257287, 1113491139767,
    3203431780337, 4432676798593, 9361973132609, 10052678938039, 145295143558111, 581283643249112959,
    2305843009213693951,
)
# fmt: on


def default_taps(width: int) -> int:
    """Return the tap mask of the table's polynomial: bit i is set for x^i, the leading x^width left out."""
    return 1 | sum(1 << exponent for exponent in _TAPS[width])


def prime_factors(width: int) -> list[int]:
    """Return the distinct prime factors of 2^width - 1."""
    period = (1 << width) - 1
    return [prime for prime in _PRIMES if period % prime == 0]


def check_maximal(width: int, taps: int) -> None:
    """Raise `InputError` unless the register of this width and tap mask has period 2^width - 1.

    Parameters
    ----------
    width : int
        9..80.
    taps : int
        Tap mask of `default_taps`' kind; bit 0 must be set, or the register is shorter than its width.
    """
    if taps & 1 and _is_primitive(width, taps | 1 << width):
        return
    raise InputError(
        f"LFSR taps {taps:#x} do not give width {width} its full period 2^{width} - 1: "
        f"legal: masks of primitive polynomials, for example {default_taps(width):#x}"
    )


@lru_cache(maxsize=256)
def _is_primitive(width: int, polynomial: int) -> bool:
    period = (1 << width) - 1
    if _power_of_x(period, width, polynomial) != 1:
        return False
    return all(_power_of_x(period // prime, width, polynomial) != 1 for prime in prime_factors(width))


def _power_of_x(exponent: int, width: int, polynomial: int) -> int:
    """Return x^exponent modulo the polynomial, bit i standing for x^i."""
    result = 1
    for bit in f"{exponent:b}":
        result = _multiply(result, result, width, polynomial)
        if bit == "1":
            result = _reduce(result << 1, width, polynomial)
    return result


def _multiply(a: int, b: int, width: int, polynomial: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = _reduce(a << 1, width, polynomial)
        b >>= 1
    return product


def _reduce(value: int, width: int, polynomial: int) -> int:
    """Reduce a polynomial of degree at most `width`."""
    return value ^ polynomial if value >> width else value
