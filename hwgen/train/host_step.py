"""Training steps in fp32 on the host: the reference, and the fp32 phase of a core without float lanes.

Sums of products are `np.einsum`'s, whose order no number of threads changes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.train.data import Samples
from hwgen.train.network import Network, Parameters, softmax_cross_entropy
from hwgen.train.step import Gradient, Hyperparameters, StepResult, Sums

__all__ = ["HostStep"]

Array = npt.NDArray[Any]


class HostStep:
    """Forward, backward and update of minibatches in float32.

    Parameters
    ----------
    network : Network
        What is trained.
    hyperparameters : Hyperparameters
        Of the optimiser.
    """

    def __init__(self, network: Network, hyperparameters: Hyperparameters) -> None:
        self._network = network
        self._hyperparameters = hyperparameters

    def train(self, parameters: Parameters, batch: Samples, rate: float, sums: Sums = None) -> StepResult:
        """Train with one minibatch: change the parameters, and return what there is to know.

        Parameters
        ----------
        parameters : Parameters
            They are changed.
        batch : Samples
            The minibatch.
        rate : float
            What the learning rate is multiplied by.
        sums : sequence of ndarray, optional
            What the gradients are to be added to, if the result is to tell of them.
        """
        inputs, logits = self._forward(parameters, batch.x)
        loss, error = softmax_cross_entropy(logits, batch.classes)
        gradients: list[Array] = []
        for place, layer in reversed(list(enumerate(self._network.layers))):
            rows = error.reshape(-1, layer.outputs)
            unrolled = layer.unroll(inputs[place])
            gradients.insert(0, self._product(rows, unrolled, turn_left=True, turn_right=False))
            if place:
                weights = parameters.weights[place]
                error = layer.fold(self._product(rows, weights, turn_left=False, turn_right=False))
                before = inputs[place].reshape(error.shape)
                error = np.where(before > 0, error, np.float32(0))
        self._update(parameters, gradients, rate)
        told = () if sums is None else tuple(map(Gradient.of, gradients, sums))
        return StepResult(loss, int((logits.argmax(axis=1) == batch.classes).sum()), told)

    def _update(self, parameters: Parameters, gradients: list[Array], rate: float) -> None:
        """Update the weights by their gradients."""
        lr, momentum, decay = self._hyperparameters.as_float32(rate)
        for place, gradient in enumerate(gradients):
            weights = parameters.weights[place]
            momenta = momentum * parameters.momenta[place] + (gradient + decay * weights)
            parameters.momenta[place] = momenta
            parameters.weights[place] = weights - lr * momenta

    def _product(self, left: Array, right: Array, *, turn_left: bool, turn_right: bool) -> Array:
        """Return a product of two matrices, either of which may be turned."""
        letters = f"{'kn' if turn_left else 'nk'},{'mk' if turn_right else 'km'}->nm"
        product: Array = np.einsum(letters, left, right)
        return product

    def logits(self, parameters: Parameters, x: npt.NDArray[np.float32]) -> Array:
        """Return the network's output."""
        return self._forward(parameters, x)[1]

    def _forward(self, parameters: Parameters, x: Array) -> tuple[list[Array], Array]:
        """Return the input of each layer, and the last output."""
        inputs: list[Array] = []
        output = x
        for layer, weights in zip(self._network.layers, parameters.weights, strict=True):
            inputs.append(np.maximum(output, np.float32(0)) if inputs else output)
            rows = self._product(layer.unroll(inputs[-1]), weights, turn_left=False, turn_right=True)
            output = rows.reshape(len(x), *layer.output_shape)
        return inputs, output
