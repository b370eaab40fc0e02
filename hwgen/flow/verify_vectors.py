"""Which vectors a verification runs, and their file for the cocotb bench."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.emit.render import vector_lines
from hwgen.flow.project import BitArray
from hwgen.operators import Operator
from hwgen.operators.vectors import random_words

__all__ = ["VectorSet", "choose_vectors", "write_vectors"]


@dataclass(frozen=True)
class VectorSet:
    """Operand arrays, one-dimensional and in port order, and what they cover, in words."""

    operands: tuple[BitArray, ...]
    coverage: str

    def __len__(self) -> int:
        return len(self.operands[0])

    def sample(self, count: int, *, head: bool) -> VectorSet:
        """Return at most `count` of the vectors in order: spread evenly, or of a sequence the `head`."""
        if len(self) <= count:
            return self
        chosen = np.arange(count) if head else np.linspace(0, len(self) - 1, count).astype(np.int64)
        return VectorSet(tuple(column[chosen] for column in self.operands), f"{count} of them")


def choose_vectors(operator: Operator, *, count: int, seed: int, exhaustive_bits: int) -> VectorSet:
    """Return all operand combinations if the ports have at most `exhaustive_bits` bits, else hard ones.

    Those are `count` hard and random vectors, after every combination of the factors alone (with random
    addends and random words) if the factors have at most `exhaustive_bits` bits.
    """
    everything = operator.exhaustive(limit=exhaustive_bits)
    if everything is not None:
        return VectorSet(everything, "all operand combinations")
    hard = operator.vectors(count, seed=seed)
    form = operator.definition.form
    factors = operator.inputs[: len(form.factors)] if form is not None else ()
    if not factors or operator.lanes > 1 or sum(port.width for port in factors) > exhaustive_bits:
        return VectorSet(hard, "hard and random")
    axes = [np.arange(1 << port.width, dtype=port.dtype) for port in factors]
    columns: list[np.ndarray[Any, Any]] = [grid.ravel() for grid in np.meshgrid(*axes, indexing="ij")]
    products = len(columns[0])
    rng = np.random.default_rng(seed)
    for port in operator.inputs[len(factors) :]:
        columns.append(random_words(port.width, products, rng).astype(port.dtype))
    joined = tuple(np.concatenate(pair) for pair in zip(columns, hard, strict=True))
    names = " x ".join(port.name for port in factors)
    return VectorSet(joined, f"all {products} combinations of {names}, and {count} hard and random")


def write_vectors(path: Path, operator: Operator, operands: tuple[BitArray, ...], results: BitArray) -> None:
    """Write a vector file of ``sim/``: a line of hex words for each vector, its results last."""
    text = "".join(f"{line}\n" for line in vector_lines(operator, operands, results))
    path.write_text(text, encoding="ascii")
