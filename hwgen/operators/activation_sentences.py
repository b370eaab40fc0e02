"""What an activation unit does, in sentences for emitted code: definition, special values, method, error."""

from __future__ import annotations

import numpy as np

from hwgen.formats import FixedFormat, FloatFormat
from hwgen.golden.activation_design import CodeTable, Design, Segments
from hwgen.golden.activation_functions import FUNCTIONS
from hwgen.golden.activation_softmax import DIFFERENCE, EXPONENTIAL, SUM
from hwgen.operators.activation_spec import SOFTMAX, ActivationSpec

__all__ = ["activation_sentences", "approach_sentences"]

_EXACT = {
    "relu": "y = x where x > 0, else +0. NaN stays NaN.",
    "leaky_relu": "y = x where x > 0, else {slope} * x, with one rounding. NaN stays NaN.",
    "relu_gradient": "y = x where the mask is 1, else +0, also if x is NaN or infinite.",
    "leaky_relu_gradient": "y = x where the mask is 1, else {slope} * x, with one rounding.",
}


_SOFTMAX = (
    "With m the largest element: d = x - m, rounded toward zero to {difference}; e = exp(d), faithful, in "
    "{exponential}; s = the sum of all e, exact and then rounded to nearest in {sum}; r = 1 / s, faithful; "
    "y = e * r, rounded once.",
    "If an element is NaN, or the largest is infinite, all results are NaN (without a NaN in the format: its "
    "negative-zero pattern; fixed: 0).",
)


def activation_sentences(spec: ActivationSpec) -> list[str]:
    """Return definition, accuracy and special values."""
    if spec.function == SOFTMAX:
        names = {"difference": DIFFERENCE.name, "exponential": EXPONENTIAL.name, "sum": SUM.name}
        return [sentence.format(**names) for sentence in _SOFTMAX]
    if spec.exact:
        sentence = _EXACT[spec.function].format(slope=spec.slope)
        return [sentence, *(["The mask is the bit x > 0."] if spec.mask else [])]
    sentences = [f"f(x) = {FUNCTIONS[spec.function].formula}.", *_special(spec)]
    return [*sentences, _accuracy(spec)]


def _accuracy(spec: ActivationSpec) -> str:
    found = spec.approximation
    if found.misrounded == 0:
        return f"Results are correctly rounded for all {found.operands} operands; each was tried."
    return (
        f"Results are faithful: one of the two numbers next to f(x), or f(x) itself, for all "
        f"{found.operands} operands; each was tried. For {found.misrounded} of them it is not the nearer one."
    )


def _special(spec: ActivationSpec) -> list[str]:
    """Return the results of NaN, infinities and zero."""
    x_fmt = spec.formats.x
    values: list[tuple[str, float]] = []
    if x_fmt.has_inf:
        values += [("+Inf", np.inf), ("-Inf", -np.inf)]
    values.append(("+0", 0.0))
    if isinstance(x_fmt, FloatFormat) and x_fmt.has_negative_zero:
        values.append(("-0", -0.0))
    limits = FUNCTIONS[spec.function].approximate(np.array([value for _, value in values]))
    rows = [f"f({name}) = {_number(limit)}" for (name, _), limit in zip(values, limits.tolist(), strict=True)]
    nan = ["NaN operands give NaN"] if x_fmt.has_nan else []
    if spec.function == "rsqrt":
        nan.append("operands below zero are invalid")
    where = "NaN is 0 in the result's format. " if isinstance(spec.formats.y, FixedFormat) else ""
    return [f"{'; '.join([*rows, *nan])}. {where}".strip()]


def _number(value: float) -> str:
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "-Inf" if value < 0 else "+Inf"
    return f"{value:+g}" if value == 0 else f"{value:g}"


def approach_sentences(design: Design) -> list[str]:
    """Return how an approximated function is computed."""
    table = design.table
    if isinstance(table, CodeTable):
        half = ", one sign only" if design.parity != "none" and len(table.entries) else ""
        return [f"{design.function} by a table of {len(table.entries)} correctly rounded results{half}."]
    return [f"{design.function} by {_segments(table)}. {_reduction(design.reduction)}"]


def _reduction(reduction: str) -> str:
    return {
        "none": "A piece is a range of operand codes with the same first bits: of a float, part of a binade.",
        "significand": "The operand's significand is normalised; its exponent goes into the result's.",
        "exponential": "x * log2(e) is split into the result's exponent and a fraction that the tables take.",
    }[reduction]


def _segments(table: Segments) -> str:
    pieces = f"{len(table.base)} piece{'s' if len(table.base) > 1 else ''} of the domain"
    if table.rows is not None:
        rows = f"{table.rows.shape[0]} rows of {table.rows.shape[1]}"
        return f"symmetric bipartite tables, {len(table.c0)} segments in {pieces} and {rows} steps"
    if table.c1 is None:
        return f"a table of {len(table.c0)} significands in {pieces}"
    degree = 1 if table.c2 is None else 2
    return f"polynomials of degree {degree}, {len(table.c0)} segments in {pieces}"
