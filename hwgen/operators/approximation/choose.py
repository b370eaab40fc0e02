"""From a function and two formats to the cheapest design that is proven faithful for every operand."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from hwgen.errors import InputError
from hwgen.formats import FixedFormat, FloatFormat, Overflow
from hwgen.golden.activation import Element, Targets, targets
from hwgen.golden.activation_design import CodeTable, Design, Exponential, Half, Segments, evaluate
from hwgen.golden.activation_functions import FUNCTIONS
from hwgen.operators.approximation.bipartite import bipartite_tables
from hwgen.operators.approximation.code_table import WHOLE_BITS, plain_table
from hwgen.operators.approximation.cost import estimated_luts
from hwgen.operators.approximation.ends import find_ends
from hwgen.operators.approximation.points import Points, place_points, table_half_codes
from hwgen.operators.approximation.polynomial import piecewise_polynomial

__all__ = ["METHODS", "Approximation", "approximate"]

METHODS = ("table", "bipartite", "polynomial")

_SMALL_TABLE = 80  # LUTs; the arithmetic of the other methods alone takes as many
# What has been worth trying: more guard bits, or rows for single segments, never were.
_GUARDS = (1, 2, 3, 4)
_SHARED = (1, 2, 3)
_GUARDS_OF_PIECES = (2, 3, 4)
_BIPARTITE_OF_PIECES = ((1, 2), (1, 3), (2, 2), (2, 3))  # guard bits, log2 of the segments of a row
_SEARCHED = 8  # bits of a place up to which a search of everything takes no time

_EMPTY = CodeTable(np.zeros(0, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Approximation:
    """A proven design.

    Attributes
    ----------
    design : Design
    luts : float
        Estimate that it was chosen by.
    misrounded : int
        Operands whose result is faithful but not the nearest; 0: the unit rounds correctly.
    operands : int
        Operand codes that are numbers: all of them were tried.
    """

    design: Design
    luts: float
    misrounded: int
    operands: int


@lru_cache(maxsize=64)
def approximate(
    function: str,
    x_fmt: Element,
    y_fmt: Element,
    overflow: Overflow,
    *,
    method: str = "auto",
    segments: int | None = None,
    degree: int | None = None,
) -> Approximation:
    """Return the cheapest faithful design.

    Parameters
    ----------
    function : str
        Key of `hwgen.golden.activation_functions.FUNCTIONS`.
    x_fmt, y_fmt : FloatFormat or FixedFormat
        At most 16 bits wide.
    overflow : Overflow
        Policy of `y_fmt`.
    method : {"auto", "table", "bipartite", "polynomial"}
    segments : int, optional
        Polynomials only: segments of every piece, a power of two; default as few as each piece needs.
    degree : int, optional
        Polynomials only: 1 or 2; default the cheaper.

    Raises
    ------
    InputError
        If there is no such design.
    """
    goal = targets(function, x_fmt, y_fmt, overflow)
    best: tuple[float, Design] | None = None
    for design in _candidates(function, x_fmt, y_fmt, overflow, goal, method, segments, degree):
        luts = estimated_luts(design)
        if best is None or luts < best[0]:
            best = luts, design
    if best is None:
        what = f"method {method!r}" + (f" and {segments} segments in each piece" if segments else "")
        legal = "another number of segments, or method: auto" if segments else "method: auto, or table"
        raise InputError(
            f"no faithful {function} from {x_fmt.name} to {y_fmt.name} by {what}: legal: {legal}"
        )
    return _proven(best[1], best[0], goal)


def _proven(design: Design, luts: float, goal: Targets) -> Approximation:
    """Look at the result of every operand; the designers' own checks are not taken on trust."""
    codes = np.arange(1 << design.x_fmt.width)
    results = evaluate(design, codes)
    numbers = ~np.isnan(goal.x)
    if not goal.accepts(results)[numbers].all():
        wrong = int(np.flatnonzero(~goal.accepts(results) & numbers)[0])
        raise AssertionError(f"{design.function} {design.method}: operand {wrong:#x} is not faithful")
    misrounded = int(np.count_nonzero(~goal.accepts(results, exactly=True) & numbers))
    return Approximation(design, luts, misrounded, int(np.count_nonzero(numbers)))


def _candidates(
    function: str,
    x_fmt: Element,
    y_fmt: Element,
    overflow: Overflow,
    goal: Targets,
    method: str,
    segments: int | None,
    degree: int | None,
) -> Iterator[Design]:
    if method in ("auto", "table"):
        exact = _skeleton(function, x_fmt, y_fmt, overflow, goal, "none", exactly=True)
        table = plain_table(exact, goal)
        if table is not None:
            yield table
            if method == "auto" and estimated_luts(table) < _SMALL_TABLE:
                return
    # A reduction is always used where there is one: without, every binade would have segments of its own.
    reduction = FUNCTIONS[function].reduction
    skeleton = _skeleton(function, x_fmt, y_fmt, overflow, goal, reduction, exactly=False)
    served: set[int] = set()
    for points in _all_points(skeleton, goal, served):
        for segments_ in _tables(points, method, segments, degree):
            kind = "polynomial" if segments_.rows is None else "bipartite"
            yield replace(points.design, method=kind, table=segments_)
            if points.design.exponential is not None and points.bits > _SEARCHED:
                served.add(points.design.exponential.fraction)


def _tables(points: Points, method: str, segments: int | None, degree: int | None) -> Iterator[Segments]:
    """Return the tables that are worth comparing."""
    reduced = points.design.reduction != "none"
    if method in ("auto", "polynomial"):
        split = None if segments is None else segments.bit_length() - 1
        for guard in _GUARDS if reduced else _GUARDS_OF_PIECES:
            for power in (1, 2) if degree is None else (degree,):
                found = piecewise_polynomial(points, degree=power, guard=guard, split=split)
                if found is not None:
                    yield found
    if method in ("auto", "bipartite"):
        pairs = list(product(_GUARDS, _SHARED)) if reduced else _BIPARTITE_OF_PIECES
        for guard, shared in pairs:
            yield from bipartite_tables(points, shared=shared, guard=guard)


def _skeleton(
    function: str,
    x_fmt: Element,
    y_fmt: Element,
    overflow: Overflow,
    goal: Targets,
    reduction: str,
    *,
    exactly: bool,
) -> Design:
    """Return a design without its table: the symmetry that can be used, and the ends of the range."""
    parity = FUNCTIONS[function].parity if isinstance(x_fmt, FloatFormat) else "none"
    if reduction != "none" and isinstance(x_fmt, FixedFormat):
        parity = FUNCTIONS[function].parity if x_fmt.signed else "none"  # the reduction is of magnitudes
    design = Design(
        function=function,
        x_fmt=x_fmt,
        y_fmt=y_fmt,
        overflow=overflow,
        method="",
        reduction=reduction,
        parity=parity,
        halves=(Half((), 0), Half((), 0)),
        table=_EMPTY,
    )
    if exactly and x_fmt.width <= WHOLE_BITS:
        return design
    halves: list[Half] = []
    for half in (0, 1):
        span = slice(half << design.magnitude_bits, (half + 1) << design.magnitude_bits)
        accepted = (goal.nearest, goal.nearest) if exactly else (goal.down, goal.up)
        nan = np.isnan(goal.x[span])
        columns = [np.where(nan, -1, codes[span].astype(np.int64)) for codes in accepted]
        if len(nan) == 0:  # unsigned: there is no other half
            halves.append(halves[0])
            continue
        grain = x_fmt.mantissa if isinstance(x_fmt, FloatFormat) else max(design.magnitude_bits - 6, 0)
        shortest = 1 << grain if reduction == "none" else 1
        # Range reduction copes with small arguments of exp, but not with those that leave the range.
        ends = find_ends(columns, shortest=shortest, low=reduction != "exponential")
        halves.append(Half(ends, 0))
    return replace(design, halves=(halves[0], halves[1]))


def _all_points(skeleton: Design, goal: Targets, served: Container[int]) -> Iterator[Points]:
    """Return the goals for every way to cut the domain into pieces, or to reduce the argument.

    A longer log2(e) costs LUTs, and saves none in a large table if a shorter one will do: fractions in
    `served` need no other.
    """
    x_fmt = skeleton.x_fmt
    made: Iterable[Points | None]
    if skeleton.reduction == "none":
        bits = x_fmt.mantissa if isinstance(x_fmt, FloatFormat) else max(skeleton.magnitude_bits - 2, 0)
        made = [place_points(skeleton, goal, bits - finer) for finer in (1, 2, 3) if bits >= finer]
    elif skeleton.reduction == "significand":
        bits = x_fmt.mantissa if isinstance(x_fmt, FloatFormat) else x_fmt.width - 1
        made = [place_points(skeleton, goal, bits)]
    else:
        made = (
            place_points(replace(skeleton, exponential=how), goal, bits)
            for how, bits in _exponentials(skeleton, goal)
            if how.fraction not in served
        )
    for points in made:
        if points is not None and bool(np.all(points.low < points.high)):
            yield points


def _exponentials(skeleton: Design, goal: Targets) -> Iterator[tuple[Exponential, int]]:
    """Return the ways to multiply by log2(e), and the bits of the fraction that are kept."""
    y_fmt: Any = skeleton.y_fmt
    precision = y_fmt.precision if isinstance(y_fmt, FloatFormat) else y_fmt.width
    inside = [
        _largest_in_table(skeleton, goal, half)
        for half in range(2 if skeleton.magnitude_bits < skeleton.x_fmt.width else 1)
    ]
    integer_bits = max(int(np.frexp(max(inside))[1]), 0)
    # The last places of a fixed result are spent on small results only: no bits need be spared for them.
    for bits in range(precision, precision + (3 if isinstance(y_fmt, FloatFormat) else 1)):
        for fraction in (bits, bits + 1):
            for extra in (0, 2):
                places = bits + integer_bits + extra
                constant = round(float(np.log2(np.e)) * 2.0**places)
                yield Exponential(fraction, constant, fraction + places - bits), bits


def _largest_in_table(skeleton: Design, goal: Targets, half: int) -> float:
    """Return the largest magnitude of the operands of one half that no end takes."""
    codes = table_half_codes(skeleton, half) + (half << skeleton.magnitude_bits)
    return float(np.max(np.abs(goal.x[codes]), initial=0.0))
