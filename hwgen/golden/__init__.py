"""The golden model: what every operator must compute, bit for bit. Shares no code with the templates."""

from hwgen.golden.lfsr import Lfsr
from hwgen.golden.operators import add, convert, fma, mac, mul

__all__ = ["Lfsr", "add", "convert", "fma", "mac", "mul"]
