"""Designing function units: tables, bipartite tables and polynomials, each proven for every operand."""

from hwgen.operators.approximation.choose import METHODS, Approximation, approximate

__all__ = ["METHODS", "Approximation", "approximate"]
