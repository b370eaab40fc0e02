"""Vectorised decoding of floating-point patterns to float64: from their fields, or by table."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from hwgen.formats.float_format import FloatFormat

__all__ = ["decode_fields", "decode_table"]


def decode_fields(fmt: FloatFormat, codes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Decode one axis of patterns from their fields; every value of `fmt` must be a float64."""
    wide = codes.astype(np.int64)
    magnitude = wide & (fmt.sign_mask - 1)
    field = magnitude >> fmt.mantissa
    significand = magnitude & (fmt.min_normal_code - 1)
    significand += np.where(field > 0, fmt.min_normal_code, 0)
    if not fmt.subnormals:
        significand[field == 0] = 0
    exponent = np.maximum(field, 1) - (fmt.bias + fmt.mantissa)
    # ldexp is exact here: every finite value of the format is a float64.
    with np.errstate(over="ignore"):
        values: npt.NDArray[np.float64] = np.ldexp(significand.astype(np.float64), exponent)
    if fmt.has_inf:
        values[magnitude == fmt.inf_code] = np.inf
    negative = (wide >> (fmt.width - 1)) & 1 != 0
    values = np.where(negative, -values, values)
    if fmt.specials == "fnuz":
        values[negative & (magnitude == 0)] = np.nan
    elif fmt.has_nan:
        lowest_nan = fmt.max_finite_code + 1 + fmt.has_inf
        values[magnitude >= lowest_nan] = np.nan
    return values


@lru_cache(maxsize=64)
def decode_table(fmt: FloatFormat) -> npt.NDArray[np.float64]:
    """Return the read-only table of all values of a format of at most 16 bits."""
    table = decode_fields(fmt, np.arange(1 << fmt.width, dtype=np.int64))
    table.flags.writeable = False
    return table
