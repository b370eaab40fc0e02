"""MuPPET's switching of word lengths by the diversity of gradients.

Of each parameter tensor the gradient of the last minibatch of every epoch is kept. After every `resolution`
epochs the diversity

    D = mean over tensors of  sum_k ||g_k||^2 / ||sum_k g_k||^2

of the gradients g_k kept since the last time is found, and they are dropped. D at least as great as all
before at this word length is the new greatest, D_max; otherwise

    D_max / D > T(epoch) = alpha + beta * exp(-decay * epoch)

is a violation. After `violations` of them the next word length is taken, and D_max and the count start again.

Rajagopal, Vink, Venieris and Bouganis, "Multi-Precision Policy Enforced Training (MuPPET): A
Precision-Switching Strategy for Quantised Fixed-Point Training of CNNs", ICML 2020. The default of
`violations` is its released code's; the paper asks for more than two.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.train.policies.base import FP32, EpochStatistics, Precision

__all__ = ["Muppet", "MuppetRule", "diversity"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class MuppetRule:
    """The policy's parameters.

    Attributes
    ----------
    levels : tuple of int
        Word lengths before fp32.
    resolution : int
        Epochs between two looks at the diversity.
    violations : int
        Violations that make the policy go on to the next level.
    alpha, beta, decay : float
        Of the threshold.
    full_epochs, full_step : int
        Epochs in fp32, and after how many of them the learning rate is divided by ten, again and again.
    """

    levels: tuple[int, ...] = (8, 12, 14, 16)
    resolution: int = 3
    violations: int = 2
    alpha: float = 1.0
    beta: float = 1.5
    decay: float = 0.1
    full_epochs: int = 45
    full_step: int = 15

    def __post_init__(self) -> None:
        for name in ("resolution", "violations", "full_step"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} {getattr(self, name)} is not legal: legal: 1 or more")

    def threshold(self, epoch: int) -> float:
        """Return what the fall of the diversity is compared with."""
        return self.alpha + self.beta * exp(-self.decay * epoch)


def diversity(windows: list[tuple[Array, ...]]) -> float:
    """Return the diversity of gradients.

    Parameters
    ----------
    windows : list of tuple of ndarray
        Of each epoch, the gradient of each tensor.

    Notes
    -----
    Tensors whose gradients are all zero say nothing, and are left out; gradients that cancel exactly are
    infinitely diverse. Without any tensor left the diversity is 0.
    """
    ratios = []
    for kept in zip(*windows, strict=True):
        tensors = [gradient.astype(np.float64).reshape(-1) for gradient in kept]
        norms = sum(float((gradient * gradient).sum()) for gradient in tensors)
        total = np.sum(tensors, axis=0)
        norm_of_sum = float((total * total).sum())
        if norms:
            ratios.append(norms / norm_of_sum if norm_of_sum else float("inf"))
    return sum(ratios) / len(ratios) if ratios else 0.0


class Muppet:
    """The policy.

    Parameters
    ----------
    rule : MuppetRule
        Its parameters.
    """

    def __init__(self, rule: MuppetRule | None = None) -> None:
        self.rule = rule or MuppetRule()
        self._level = 0
        self._greatest = 0.0
        self._violations = 0
        self._full_epochs = 0
        self._window: list[tuple[Array, ...]] = []

    @property
    def name(self) -> str:
        """Return the policy and its parameters in words."""
        return f"muppet {self.rule}"

    @property
    def precision(self) -> Precision | None:
        """Return the level reached; None after the last epoch in fp32."""
        if self._level < len(self.rule.levels):
            return Precision(self.rule.levels[self._level])
        if self._full_epochs >= self.rule.full_epochs:
            return None
        return Precision(FP32, 10.0 ** -(self._full_epochs // self.rule.full_step))

    def after_epoch(self, statistics: EpochStatistics) -> None:
        """Keep the gradients, and decide after every `resolution` epochs."""
        if self._level == len(self.rule.levels):
            self._full_epochs += 1
            return
        self._window.append(tuple(gradient.copy() for gradient in statistics.gradients))
        if (statistics.epoch + 1) % self.rule.resolution:
            return
        now, self._window = diversity(self._window), []
        if now >= self._greatest:
            self._greatest = now
        elif now == 0 or self._greatest / now > self.rule.threshold(statistics.epoch):
            self._violations += 1
            if self._violations == self.rule.violations:
                self._level += 1
                self._greatest, self._violations = 0.0, 0

    def state(self) -> dict[str, Any]:
        """Return the level, the counts, and the gradients kept."""
        return {
            "level": self._level,
            "greatest": self._greatest,
            "violations": self._violations,
            "full_epochs": self._full_epochs,
            "window": self._window,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._level = int(state["level"])
        self._greatest = float(state["greatest"])
        self._violations = int(state["violations"])
        self._full_epochs = int(state["full_epochs"])
        self._window = [tuple(kept) for kept in state["window"]]
