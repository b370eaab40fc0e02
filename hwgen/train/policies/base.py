"""What a precision policy is: it sees every epoch's statistics, and says how the next epoch computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from hwgen.train.step import Array, Gradient

__all__ = ["FP32", "EpochStatistics", "Policy", "Precision"]

FP32 = None
"""The word length of full precision."""


@dataclass(frozen=True)
class Precision:
    """How an epoch computes.

    Attributes
    ----------
    width : int or None
        Word length of weights, activations and gradients; `FP32`: no quantisation.
    rate : float
        What the learning rate is multiplied by.
    """

    width: int | None
    rate: float = 1.0

    @property
    def name(self) -> str:
        """The word length, for people."""
        return "fp32" if self.width is FP32 else str(self.width)


@dataclass(frozen=True)
class EpochStatistics:
    """What is known after an epoch.

    Attributes
    ----------
    epoch : int
        Counted from 0.
    gradients : tuple of Gradient
        What is known of each parameter tensor's, of the last minibatch, added to the policy's sums.
    """

    epoch: int
    gradients: tuple[Gradient, ...]


class Policy(Protocol):
    """Decides about precision."""

    @property
    def name(self) -> str:
        """Return the policy and its parameters in words."""

    @property
    def precision(self) -> Precision | None:
        """Return how the next epoch computes; None: training has ended."""

    @property
    def sums(self) -> tuple[Array, ...]:
        """Return what the last gradients of the next epoch are added to, each tensor's; nothing: zeros."""

    def after_epoch(self, statistics: EpochStatistics) -> None:
        """Take the statistics of an epoch."""

    def state(self) -> dict[str, Any]:
        """Return all that has been decided so far: plain data, arrays too."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
