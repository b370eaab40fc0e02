"""Networks of linear layers with ReLU between them, and the loss that they are trained by.

A bias is a weight like any other: each layer's input has one more column behind it that holds one constant
everywhere. In fp32 that is 1. In block floating point it is the power of two nearest to 1 that the input's
format holds, so that it is exact at every exponent.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError

__all__ = ["Layer", "Network", "Parameters", "softmax_cross_entropy"]

Array = npt.NDArray[Any]
_WORD = 16


@dataclass(frozen=True)
class Layer:
    """One linear layer.

    Attributes
    ----------
    inputs, outputs : int
        Units before and behind it, without the constant.
    """

    inputs: int
    outputs: int

    @property
    def columns(self) -> int:
        """Columns of its weights: inputs, the constant, and zeros up to whole words of the core."""
        return self.inputs + 1 + -(self.inputs + 1) % _WORD


@dataclass(frozen=True)
class Network:
    """A multi-layer perceptron.

    Attributes
    ----------
    sizes : tuple of int
        Units from the input to the output.
    """

    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise InputError(f"layer sizes {self.sizes} are not legal: legal: two or more, all at least 1")

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers from the input on."""
        return tuple(Layer(*pair) for pair in zip(self.sizes, self.sizes[1:], strict=False))

    def initial(self, seed: int) -> Parameters:
        """Return He's uniform weights, and biases and momenta of zero."""
        rng = np.random.default_rng(seed)
        weights = []
        for layer in self.layers:
            limit = np.sqrt(6 / layer.inputs)
            tensor = np.zeros((layer.outputs, layer.columns), np.float32)
            tensor[:, : layer.inputs] = rng.uniform(-limit, limit, (layer.outputs, layer.inputs))
            weights.append(tensor)
        return Parameters(weights, [np.zeros_like(tensor) for tensor in weights])


@dataclass
class Parameters:
    """Master weights and momenta of each layer: float32, shape (outputs, columns)."""

    weights: list[npt.NDArray[np.float32]]
    momenta: list[npt.NDArray[np.float32]]

    @property
    def digest(self) -> str:
        """Return a word that is the same only if all bits are."""
        bits = b"".join(tensor.astype("<f4").tobytes() for tensor in (*self.weights, *self.momenta))
        return sha256(bits).hexdigest()[:12]


def softmax_cross_entropy(logits: Array, classes: Array) -> tuple[float, npt.NDArray[np.float32]]:
    """Return the mean loss of a batch, and the gradient of the logits.

    Parameters
    ----------
    logits : ndarray, shape (samples, classes)
        Taken as float64, in which all of this is computed.
    classes : ndarray of int, shape (samples,)
        The right ones.
    """
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    sums = powers.sum(axis=1, keepdims=True)
    samples = np.arange(len(classes))
    loss = float((np.log(sums[:, 0]) - shifted[samples, classes]).mean())
    gradient = powers / sums
    gradient[samples, classes] -= 1
    return loss, (gradient / len(classes)).astype(np.float32)
