"""From names and YAML data to format records; every mistake is an `InputError` with the legal values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hwgen.errors import InputError, legal_values
from hwgen.formats.fixed_format import FixedFormat
from hwgen.formats.float_format import STANDARD_FLOATS, FloatFormat

__all__ = ["Format", "format_names", "parse_format"]

Format = FloatFormat | FixedFormat
"""Any number format."""


def format_names():
    return list(STANDARD_FLOATS)


def parse_format(value):
    if value in STANDARD_FLOATS:
        return FloatFormat(*STANDARD_FLOATS[value])
    m = re.fullmatch(r"e(\d+)m(\d+)", value)
    if m:
        return FloatFormat(int(m[1]), int(m[2]))
    m = re.fullmatch(r"(u?)q(\d+)\.(\d+)", value)
    if m:
        return FixedFormat(int(m[2]) + int(m[3]), int(m[3]), not m[1])
    m = re.fullmatch(r"(u?)int(\d+)", value)
    return FixedFormat(int(m[2]), 0, not m[1])
