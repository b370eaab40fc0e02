"""Number formats: what a bit pattern means, and how a real number becomes one."""

from hwgen.formats.block_format import BlockCodes, BlockFormat
from hwgen.formats.exponent_format import ExponentFormat
from hwgen.formats.fixed_format import FixedFormat
from hwgen.formats.float_format import FloatFormat
from hwgen.formats.modes import Overflow, Rounding, RoundingMode
from hwgen.formats.names import Format, format_names, parse_format
from hwgen.formats.posit_format import PositFormat

__all__ = [
    "BlockCodes",
    "BlockFormat",
    "ExponentFormat",
    "FixedFormat",
    "FloatFormat",
    "Format",
    "Overflow",
    "PositFormat",
    "Rounding",
    "RoundingMode",
    "format_names",
    "parse_format",
]
