"""What makes an operator kind: its spec record, its ports, its golden model, its vectors, its template.

Each module of `hwgen.operators.kinds` holds one such record. Everything else in hwgen works from it. Kinds
whose result is a rounded product and sum are made by `hwgen.operators.product_sum`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.operators.port import Port
from hwgen.spec import OperatorSpec

__all__ = ["Kind", "ProductSum"]

Bits = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, kw_only=True)
class ProductSum:
    """The exact value that a kind rounds: the product of `factors` plus `addend`, by keys of `formats`.

    Attributes
    ----------
    factors : tuple of str
        Keys of the operands that are multiplied: the first input ports.
    addend : str or None
        Key of the operand that is added to the product: the next input port.
    result : str
        Key of the result's format.
    """

    factors: tuple[str, ...]
    addend: str | None
    result: str

    @property
    def operands(self) -> tuple[str, ...]:
        """Keys of the operands in port order."""
        return self.factors if self.addend is None else (*self.factors, self.addend)


@dataclass(frozen=True, kw_only=True, eq=False)  # one record per kind: identity is equality
class Kind:
    """One kind of operator. Its functions get the validated spec; arrays are as `Port` says.

    Attributes
    ----------
    name : str
        The `kind` key of its specs.
    summary : str
        One line for people: what the unit computes.
    spec_model : type
        Record of its specs.
    inputs : callable
        ``inputs(spec)``: the operand and control ports in order, of one lane, without the random words'.
    output : callable
        ``output(spec)``: the port `y`, of one lane.
    golden : callable
        ``golden(spec, operands, rand)``: the results. `rand` is None unless the rounding is stochastic; else
        its shape is that of the words, with a last axis if an activation takes several. A stateful kind gets
        one-dimensional sequences of words from reset on, and returns the sequence of results.
    vectors : callable
        ``vectors(spec, count, rng)``: hard and random operands, one array for each port of `inputs`.
    example : mapping of str to str
        Formats that ``hwgen new`` suggests.
    extras : mapping
        Other keys that ``hwgen new`` must give, such as the length of a dot product.
    sentences : callable
        ``sentences(spec)``: what its user must know of special values, order and state, for the emitted code.
    random_words : callable
        ``random_words(spec)``: random words that an activation takes, if the rounding is stochastic.
    stateful : callable
        ``stateful(spec)``: whether results depend on earlier activations, apart from an on-unit generator.
    results : callable or None
        ``results(spec, operands)``: how many results each activation of a sequence releases. None: one.
    form : ProductSum or None
        The arithmetic, where it is of that form and so can be proven against IEEE 754.
    selected : Kind or None
        The kind of its specs whose formats are lists, chosen at run time; None if it takes no lists.
    """

    name: str
    summary: str
    spec_model: type[OperatorSpec]
    inputs: Callable[[Any], tuple[Port, ...]]
    output: Callable[[Any], Port]
    golden: Callable[[Any, Sequence[NDArray[Any]], NDArray[Any] | None], Bits]
    vectors: Callable[[Any, int, np.random.Generator], Sequence[NDArray[Any]]]
    example: Mapping[str, Any]
    extras: Mapping[str, Any] = field(default_factory=dict)
    sentences: Callable[[Any], list[str]] = lambda _: []
    random_words: Callable[[Any], int] = lambda _: 1
    stateful: Callable[[Any], bool] = lambda _: False
    results: Callable[[Any, Sequence[NDArray[Any]]], NDArray[np.int64]] | None = None
    form: ProductSum | None = None
    selected: Kind | None = None

    @property
    def template(self) -> str:
        """Template of the C++ top, below ``templates/``."""
        return f"operators/{self.name}.cpp.j2"
