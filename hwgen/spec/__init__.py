"""Spec files: YAML text into validated, frozen records.

Every mistake a user can make in a spec is caught here or in the kind's own record, with file and line.
"""

from __future__ import annotations

from hwgen.spec.fields import (
    ArithmeticFormat,
    FormatField,
    ModeField,
    NumberFormat,
    OverflowField,
    SharedScaleFormat,
)
from hwgen.spec.load import validate
from hwgen.spec.model import ElementwiseSpec, OperatorSpec, Target
from hwgen.spec.record import Record, Whole, one_of, spec_error
from hwgen.spec.rounding import Lfsr, LfsrSource, RoundingSpec
from hwgen.spec.source import SpecSource, quoted, read_spec

__all__ = [
    "ArithmeticFormat",
    "ElementwiseSpec",
    "FormatField",
    "Lfsr",
    "LfsrSource",
    "ModeField",
    "NumberFormat",
    "OperatorSpec",
    "OverflowField",
    "Record",
    "RoundingSpec",
    "SharedScaleFormat",
    "SpecSource",
    "Target",
    "Whole",
    "one_of",
    "quoted",
    "read_spec",
    "spec_error",
    "validate",
]
