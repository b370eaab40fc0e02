"""What training steps have in common, whoever computes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Hyperparameters", "StepResult"]


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
class StepResult:
    """What there is to know of one step.

    Attributes
    ----------
    loss : float
        Mean over the minibatch, before the update.
    correct : int
        Samples that were classified rightly.
    gradients : tuple of ndarray
        Of each layer's weights.
    """

    loss: float
    correct: int
    gradients: tuple[npt.NDArray[np.floating[Any]], ...]
