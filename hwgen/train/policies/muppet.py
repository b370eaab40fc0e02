"""MuPPET's switching of word lengths by the diversity of gradients.

Of each parameter tensor the gradient of the last minibatch of every epoch counts: its norm, and its sum with
those before. After every `resolution` epochs the diversity

    D = mean over tensors of  sum_k ||g_k||^2 / ||sum_k g_k||^2

of the gradients g_k since the last time is found, and both start again. D at least as great as all before at
this word length is the new greatest, D_max; otherwise

    D_max / D > T(epoch) = alpha + beta * exp(-decay * epoch)

is a violation. After `violations` of them the next word length is taken, and D_max and the count start again.

Rajagopal, Vink, Venieris and Bouganis, "Multi-Precision Policy Enforced Training (MuPPET): A
Precision-Switching Strategy for Quantised Fixed-Point Training of CNNs", ICML 2020. The default of
`violations` is its released code's; the paper asks for more than two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

from hwgen.errors import InputError
from hwgen.train.policies.base import FP32, EpochStatistics, Precision
from hwgen.train.step import Array

__all__ = ["Muppet", "MuppetRule", "diversity"]


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


def diversity(norms: Sequence[float], norms_of_sums: Sequence[float]) -> float:
    """Return the diversity of gradients.

    Parameters
    ----------
    norms : sequence of float
        Of each tensor, the sum of ||g||^2 over its gradients.
    norms_of_sums : sequence of float
        Of each tensor, ||sum g||^2.

    Notes
    -----
    Tensors whose gradients are all zero say nothing, and are left out; gradients that cancel exactly are
    infinitely diverse. Without any tensor left the diversity is 0.
    """
    ratios = []
    for norm, norm_of_sum in zip(norms, norms_of_sums, strict=True):
        if norm:
            ratios.append(norm / norm_of_sum if norm_of_sum else float("inf"))
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
        self._norms: list[float] = []
        self._sums: tuple[Array, ...] = ()

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

    @property
    def sums(self) -> tuple[Array, ...]:
        """Return the sums of the gradients since the last decision."""
        return self._sums

    def after_epoch(self, statistics: EpochStatistics) -> None:
        """Keep norms and sums of the gradients, and decide after every `resolution` epochs."""
        if self._level == len(self.rule.levels):
            self._full_epochs += 1
            return
        norms = [gradient.norm for gradient in statistics.gradients]
        before = self._norms or [0.0] * len(norms)
        self._norms = [kept + norm for kept, norm in zip(before, norms, strict=True)]
        self._sums = tuple(gradient.sums.copy() for gradient in statistics.gradients)
        if (statistics.epoch + 1) % self.rule.resolution:
            return
        now = diversity(self._norms, [gradient.norm_of_sums for gradient in statistics.gradients])
        self._norms, self._sums = [], ()
        if now >= self._greatest:
            self._greatest = now
        elif now == 0 or self._greatest / now > self.rule.threshold(statistics.epoch):
            self._violations += 1
            if self._violations == self.rule.violations:
                self._level += 1
                self._greatest, self._violations = 0.0, 0

    def state(self) -> dict[str, Any]:
        """Return the level, the counts, and what is kept of the gradients."""
        return {
            "level": self._level,
            "greatest": self._greatest,
            "violations": self._violations,
            "full_epochs": self._full_epochs,
            "norms": self._norms,
            "sums": self._sums,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._level = int(state["level"])
        self._greatest = float(state["greatest"])
        self._violations = int(state["violations"])
        self._full_epochs = int(state["full_epochs"])
        self._norms = [float(norm) for norm in state["norms"]]
        self._sums = tuple(state["sums"])
