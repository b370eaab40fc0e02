"""Data sets: samples in fp32 and their classes, split into two parts by a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import ToolError

__all__ = ["DataSet", "Samples", "load_digits", "split"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Samples:
    """Samples and their classes.

    Attributes
    ----------
    x : ndarray of float32, shape (samples, features)
        Features.
    classes : ndarray of int64, shape (samples,)
        Classes, from 0.
    """

    x: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.x)

    def shuffled_batches(self, size: int, seed: int, epoch: int) -> Iterator[Samples]:
        """Give the whole batches of an epoch, whose order only its number and the seed decide."""
        order = np.random.default_rng((seed, epoch)).permutation(len(self))
        for start in range(0, len(order) - size + 1, size):
            chosen = order[start : start + size]
            yield Samples(self.x[chosen], self.classes[chosen])

    def batches(self, size: int) -> Iterator[Samples]:
        """Give all samples in order; the last batch may be shorter."""
        for start in range(0, len(self), size):
            yield Samples(self.x[start : start + size], self.classes[start : start + size])


@dataclass(frozen=True)
class DataSet:
    """What a network is trained with, and what it is tested with."""

    training: Samples
    test: Samples


def split(x: Array, classes: Array, seed: int, test_part: float = 0.2) -> DataSet:
    """Return samples in two parts, drawn by a seed."""
    order = np.random.default_rng(seed).permutation(len(x))
    samples = Samples(x[order].astype(np.float32), classes[order].astype(np.int64))
    at = len(x) - round(test_part * len(x))
    return DataSet(
        Samples(samples.x[:at], samples.classes[:at]), Samples(samples.x[at:], samples.classes[at:])
    )


def load_digits(seed: int = 0) -> DataSet:
    """Return scikit-learn's 1797 digits of 8 x 8 pixels between 0 and 1.

    The file is read where it lies in that package: to import it all takes seconds.

    Raises
    ------
    ToolError
        If scikit-learn is not installed.
    """
    package = find_spec("sklearn")
    places = package.submodule_search_locations if package else None
    if not places:
        raise ToolError("the digits come with scikit-learn: pip install 'hwgen[train]'")
    digits = np.loadtxt(Path(places[0], "datasets", "data", "digits.csv.gz"), delimiter=",", dtype=np.float32)
    return split(digits[:, :-1] / 16, digits[:, -1], seed)
