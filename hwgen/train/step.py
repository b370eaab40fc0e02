"""What training steps have in common, whoever computes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Gradient", "Hyperparameters", "StepResult", "Sums"]

Array: TypeAlias = npt.NDArray[np.floating[Any]]

Sums: TypeAlias = Sequence[Array] | None
"""What the gradients of a step are to be added to, each tensor's; None: nobody wants to know of them."""


@dataclass(frozen=True)
class Hyperparameters:
    """Of stochastic gradient descent: m = momentum * m + (g + decay * w), w = w - lr * m."""

    lr: float = 0.05
    momentum: float = 0.9
    decay: float = 1e-4

    def as_float32(self, rate: float) -> tuple[np.float32, np.float32, np.float32]:
        """Return learning rate times `rate`, momentum and weight decay in fp32."""
        return np.float32(self.lr * rate), np.float32(self.momentum), np.float32(self.decay)


@dataclass(frozen=True)
class Gradient:
    """What is known of the gradient g of a tensor, and of sums s that it is added to.

    Attributes
    ----------
    norm : float
        ||g||^2.
    sums : ndarray
        s + g.
    norm_of_sums : float
        ||s + g||^2.
    """

    norm: float
    sums: Array
    norm_of_sums: float

    @classmethod
    def of(cls, gradient: Array, before: Array) -> Self:
        """Return what is to be known of a gradient; norms in float64."""
        sums = before + gradient
        norms = (float((x.astype(np.float64) ** 2).sum()) for x in (gradient, sums))
        return cls(next(norms), sums, next(norms))


@dataclass(frozen=True)
class StepResult:
    """What there is to know of one step.

    Attributes
    ----------
    loss : float
        Mean over the minibatch, before the update.
    correct : int
        Samples that were classified rightly.
    gradients : tuple of Gradient
        Of each layer's weights; empty if nobody wants to know.
    """

    loss: float
    correct: int
    gradients: tuple[Gradient, ...]
