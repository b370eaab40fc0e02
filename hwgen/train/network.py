"""Networks of linear and convolution layers with ReLU between them, and the loss that they are trained by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.train.layers import Conv2d, ConvolutionLayer, Layer, LinearLayer

__all__ = ["Network", "Parameters", "layer_behind", "softmax_cross_entropy"]

Array = npt.NDArray[Any]
Image: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True)
class Network:
    """A network: what comes in, and its layers. An image before a linear layer is flattened.

    Attributes
    ----------
    sizes : tuple
        First the input: units, or height, width and channels of an image. Then, for each layer, how many
        outputs a linear one has, or the `Conv2d`. The last one is linear: its outputs are the classes.
    """

    sizes: tuple[int | Image | Conv2d, ...]

    def __post_init__(self) -> None:
        units = [size for size in self.sizes if isinstance(size, int)]
        units += self.sizes[0] if isinstance(self.sizes[0], tuple) else ()
        if len(self.sizes) < 2 or min(units, default=1) < 1:
            raise InputError(f"layer sizes {self.sizes} are not legal: legal: two or more, all at least 1")
        if not isinstance(self.sizes[-1], int):
            raise InputError(f"the last layer is {self.sizes[-1]}: legal: a linear one")
        _ = self.layers

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers from the input on.

        Raises
        ------
        InputError
            If a convolution does not follow an image, or does not fit it.
        """
        first, *rest = self.sizes
        shape: tuple[int, ...] = first if isinstance(first, tuple) else (first,)  # type: ignore[assignment]
        layers: list[Layer] = []
        for size in rest:
            layers.append(layer_behind(shape, size))  # type: ignore[arg-type]
            shape = layers[-1].output_shape
        return tuple(layers)

    def initial(self, seed: int) -> Parameters:
        """Return He's uniform weights, and biases and momenta of zero."""
        rng = np.random.default_rng(seed)
        weights = []
        for layer in self.layers:
            limit = np.sqrt(6 / prod(layer.weights_of_an_output))
            drawn = rng.uniform(-limit, limit, (layer.outputs, *layer.weights_of_an_output))
            weights.append(layer.matrix(drawn).astype(np.float32))
        return Parameters(weights, [np.zeros_like(tensor) for tensor in weights])


def layer_behind(shape: tuple[int, ...], size: int | Conv2d) -> Layer:
    """Return the layer behind samples of a shape.

    Raises
    ------
    InputError
        If it is a convolution and they are no images, or too small ones.
    """
    if isinstance(size, int):
        return LinearLayer(prod(shape), size)
    if len(shape) != 3:
        raise InputError(f"{size} follows {shape[0]} units: legal: after an image")
    height, width, channels = shape
    return ConvolutionLayer(height, width, channels, size)


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
