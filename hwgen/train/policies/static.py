"""One precision from the first epoch to the last."""

from __future__ import annotations

from typing import Any

from hwgen.train.policies.base import EpochStatistics, Precision
from hwgen.train.step import Array

__all__ = ["Static"]


class Static:
    """The policy that never changes its mind.

    Parameters
    ----------
    width : int or None
        Word length; None: fp32.
    """

    def __init__(self, width: int | None) -> None:
        self._precision = Precision(width)

    @property
    def name(self) -> str:
        """Return the policy in words."""
        return f"static:{self._precision.name}"

    @property
    def precision(self) -> Precision | None:
        """Return the precision."""
        return self._precision

    @property
    def sums(self) -> tuple[Array, ...]:
        """Return nothing: no gradient matters."""
        return ()

    def after_epoch(self, statistics: EpochStatistics) -> None:
        """Take notice of nothing."""

    def state(self) -> dict[str, Any]:
        """Return nothing: there is nothing to remember."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on."""
