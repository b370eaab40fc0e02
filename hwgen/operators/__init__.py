"""Operators: one module per kind in `hwgen.operators.kinds`, and what all of them share."""

from __future__ import annotations

from hwgen.operators.operator import LfsrParameters, Operator
from hwgen.operators.port import Field, Port
from hwgen.operators.registry import find_kind, json_schema, kind_names, load, load_project

__all__ = [
    "Field",
    "LfsrParameters",
    "Operator",
    "Port",
    "find_kind",
    "json_schema",
    "kind_names",
    "load",
    "load_project",
]
