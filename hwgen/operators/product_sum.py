"""Kinds whose result is a rounded product plus addend: convert, add, mul, fma, mac."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.operators.kind import Kind, ProductSum
from hwgen.operators.port import Port
from hwgen.operators.selection import selected_kind
from hwgen.operators.vectors import ExactForm, hard_operands
from hwgen.spec import OperatorSpec
from hwgen.spec.selection import SelectedSpec

__all__ = ["exact_form", "product_sum_kind"]


def product_sum_kind(
    *,
    name: str,
    summary: str,
    spec_model: type[OperatorSpec],
    form: ProductSum,
    golden: Callable[..., NDArray[Any]],
    options: Callable[[Any], dict[str, Any]] = lambda _: {},
    example: Mapping[str, str],
    selected: type[SelectedSpec] | None = None,
) -> Kind:
    """Return a kind that rounds `form`.

    Parameters
    ----------
    name, summary, spec_model, form, example
        As in `Kind`.
    golden : callable
        Function of `hwgen.golden`: takes the operands, and their formats by keywords ``<key>_fmt``.
    options : callable
        ``options(spec)``: further keyword arguments of `golden`.
    selected : type, optional
        Record of the specs whose formats are lists, chosen at run time.
    """
    keys = dict.fromkeys((*form.operands, form.result))

    def compute(
        spec: Any, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None
    ) -> NDArray[np.unsignedinteger[Any]]:
        formats = {f"{key}_fmt": getattr(spec.formats, key) for key in keys}
        rounding = {"rounding": spec.rounding.rounding(), "overflow": spec.overflow, "rand": rand}
        return golden(*operands, **formats, **rounding, **options(spec))

    plain = Kind(
        name=name,
        summary=summary,
        spec_model=spec_model,
        inputs=lambda spec: tuple(Port.scalar(key, getattr(spec.formats, key)) for key in form.operands),
        output=lambda spec: Port.scalar("y", getattr(spec.formats, form.result)),
        golden=compute,
        vectors=lambda spec, count, rng: hard_operands(exact_form(form, spec), count, rng),
        example=example,
        form=form,
    )
    if selected is None:
        return plain
    return replace(plain, selected=selected_kind(plain, spec_model=selected, result=form.result))


def exact_form(form: ProductSum, spec: OperatorSpec) -> ExactForm:
    """Return `form` with the formats of a spec."""
    formats = spec.formats
    return ExactForm(
        factors=tuple(getattr(formats, key) for key in form.factors),
        addend=None if form.addend is None else getattr(formats, form.addend),
        result=getattr(formats, form.result),
        random_bits=spec.rounding.bits or 0,
    )
