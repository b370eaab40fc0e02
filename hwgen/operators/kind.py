"""What makes an operator kind: its spec record, its exact form, its golden model, its template.

Each module of `hwgen.operators.kinds` holds one such record. Everything else in hwgen works from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.spec import OperatorSpec

__all__ = ["Kind"]


@dataclass(frozen=True, kw_only=True, eq=False)  # one record per kind: identity is equality
class Kind:
    """One kind of operator: its result is the product of `factors` plus `addend`, rounded.

    Attributes
    ----------
    name : str
        The `kind` key of its specs.
    summary : str
        One line for people: what the unit computes.
    spec_model : type
        Record of its specs.
    factors : tuple of str
        Keys in `formats` of the operands that are multiplied: the first input ports.
    addend : str or None
        Key of the operand that is added to the product: the next input port.
    result : str
        Key of the result's format.
    golden : callable
        ``golden(spec, operands, rand)``: bit patterns in, bit patterns out; `rand` is None unless the
        rounding is stochastic.
    example : mapping of str to str
        Formats that ``hwgen new`` suggests.
    """

    name: str
    summary: str
    spec_model: type[OperatorSpec]
    factors: tuple[str, ...]
    addend: str | None
    result: str
    golden: Callable[[Any, Sequence[NDArray[Any]], NDArray[Any] | None], NDArray[np.unsignedinteger[Any]]]
    example: dict[str, str]

    @property
    def operands(self) -> tuple[str, ...]:
        """Keys of the operands in port order."""
        return self.factors if self.addend is None else (*self.factors, self.addend)

    @property
    def template(self) -> str:
        """Template of the C++ top, below ``templates/``."""
        return f"operators/{self.name}.cpp.j2"
