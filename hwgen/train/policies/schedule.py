"""Word lengths for given numbers of epochs, whatever the training does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hwgen.train.policies.base import EpochStatistics, Precision
from hwgen.train.step import Array

__all__ = ["Schedule"]


class Schedule:
    """The policy that goes through word lengths by the clock, and then ends the training.

    Parameters
    ----------
    parts : sequence of (int or None, int)
        Word length, None being fp32, and for how many epochs, at least one.
    """

    def __init__(self, parts: Sequence[tuple[int | None, int]]) -> None:
        self._parts = [(Precision(width), epochs) for width, epochs in parts]
        self._epoch = 0

    @property
    def name(self) -> str:
        """Return the policy in words."""
        words = (precision.name + (f"*{epochs}" if epochs > 1 else "") for precision, epochs in self._parts)
        return f"schedule:{','.join(words)}"

    @property
    def precision(self) -> Precision | None:
        """Return the next epoch's precision."""
        left = self._epoch
        for precision, epochs in self._parts:
            if left < epochs:
                return precision
            left -= epochs
        return None

    @property
    def sums(self) -> tuple[Array, ...]:
        """Return nothing: no gradient matters."""
        return ()

    def after_epoch(self, statistics: EpochStatistics) -> None:
        """Go on by an epoch."""
        self._epoch += 1

    def state(self) -> dict[str, Any]:
        """Return how many epochs have passed."""
        return {"epoch": self._epoch}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on behind so many epochs."""
        self._epoch = int(state["epoch"])
