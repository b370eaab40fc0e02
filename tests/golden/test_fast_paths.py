"""The fast paths equal the plain path wherever they are taken, and are taken exactly up to their proofs."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from golden_vectors import edge_codes, random_codes

from hwgen import golden
from hwgen.formats import FixedFormat, FloatFormat, Overflow, PositFormat, Rounding, parse_format
from hwgen.golden import operators
from hwgen.golden.carriers import add_to_odd, extent, product_extent, sum_is_safe
from hwgen.golden.exact import exact_arrays
from hwgen.golden.integers import fits, fixed_arrays

NAMES = (
    *("fp64", "fp32", "tf32", "fp16", "bf16", "e5m2", "e4m3fn", "e4m3fnuz", "e2m1", "e6m5", "e11m4"),
    *("e4m3ftz", "e8m7ftz", "e4m3b11fnuz", "e11m3fn", "e5m2b-3", "e3m0fn", "posit8", "posit16"),
    *("q1.7", "q8.14", "uint8", "int32", "q1.31", "int64", "fixed8f-20", "ufixed12f30"),
)
