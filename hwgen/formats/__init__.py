"""Number formats: what a bit pattern means, and how a real number becomes one."""

from hwgen.formats.fixed_format import FixedFormat
from hwgen.formats.float_format import FloatFormat
from hwgen.formats.modes import Overflow, Rounding, RoundingMode
from hwgen.formats.names import Format, format_names, parse_format

__all__ = [
    "FixedFormat",
    "FloatFormat",
    "Format",
    "Overflow",
    "Rounding",
    "RoundingMode",
    "format_names",
    "parse_format",
]
