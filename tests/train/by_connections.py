"""A training step by the letter: every layer is a list of connections, all sums are exact integers."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from hwgen.train import Hyperparameters, Network, Parameters, Samples
from hwgen.train.layers import ConvolutionLayer, Layer, LinearLayer

Block = tuple[np.ndarray, int]


class Connections(NamedTuple):
    """One entry for each product of a sample: output, row and column of the weight, input.

    The input behind the last one is the constant.
    """

    output: np.ndarray
    row: np.ndarray
    column: np.ndarray
    input: np.ndarray


def connections(layer: Layer) -> Connections:
    """Return the connections of a layer, one after the other, by its definition."""
    found = []
    if isinstance(layer, LinearLayer):
        for o in range(layer.outputs):
            found += [(o, o, i, i) for i in range(layer.inputs + 1)]
        return Connections(*np.array(found).T)
    assert isinstance(layer, ConvolutionLayer)
    height, width, channels = layer.input_shape
    out_height, out_width, filters = layer.output_shape
    k, padding, stride = layer.conv.kernel, layer.conv.padding, layer.conv.stride
    depth = -(-channels // 16) * 16
    for oy, ox, f in np.ndindex(out_height, out_width, filters):
        output = (oy * out_width + ox) * filters + f
        found.append((output, f, k * k * depth, height * width * channels))
        for i, j, c in np.ndindex(k, k, channels):
            y, x = oy * stride + i - padding, ox * stride + j - padding
            if 0 <= y < height and 0 <= x < width:
                found.append((output, f, (i * k + j) * depth + c, (y * width + x) * channels + c))
    return Connections(*np.array(found).T)


def quantized(x: np.ndarray, width: int, exponent: int = 0) -> Block:
    """Quantise x * 2^exponent by the definition: the least exponent that fits, ties to even, saturation."""
    values = [Fraction(v) * Fraction(2) ** exponent for v in x.ravel().tolist()]
    top, least, most = Fraction(2) ** (width - 1), min(values), max(values)

    def fits(e: int) -> bool:
        scale = Fraction(2) ** e
        return -(top + Fraction(1, 2)) * scale <= least and most <= (top - Fraction(1, 2)) * scale

    e = 0
    if any(values):
        e = 60
        while fits(e - 1):
            e -= 1
    elements = [min(max(round(v / Fraction(2) ** e), -int(top)), int(top) - 1) for v in values]
    return np.array(elements, np.int64).reshape(x.shape), e


def step(
    network: Network, parameters: Parameters, batch: Samples, width: int, rates: Hyperparameters
) -> tuple[Parameters, list[np.ndarray]]:
    """Return the parameters after a step, and the gradients. Rates are powers of two."""
    ones = np.ones((len(batch), 1))
    tensor = quantized(np.hstack([batch.x, ones]), width)
    wires = [connections(layer) for layer in network.layers]
    inputs, weights, masks = [], [], []
    for wire, master in zip(wires, parameters.weights, strict=True):
        inputs.append(tensor)
        weights.append(quantized(master, width))
        y = np.zeros((len(batch), wire.output.max() + 1), np.int64)
        (x, ex), (w, ew) = inputs[-1], weights[-1]
        np.add.at(y, (slice(None), wire.output), x[:, wire.input] * w[wire.row, wire.column])
        masks.append(y > 0)
        q, e = quantized(np.where(y > 0, y, 0), width, ex + ew)
        one = min(max(2**-e if e <= 0 else 1, 1), 2 ** (width - 2))
        tensor = np.hstack([q, one * ones.astype(np.int64)]), e
    logits = np.ldexp(y.astype(float), ex + ew)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    error = powers / powers.sum(axis=1, keepdims=True)
    error[np.arange(len(batch)), batch.classes] -= 1
    now = quantized((error / len(batch)).astype(np.float32), width)
    after = Parameters(list(parameters.weights), list(parameters.momenta))
    gradients: list[np.ndarray] = []
    for place in reversed(range(len(wires))):
        wire = wires[place]
        (x, ex), (w, ew), (d, ed) = inputs[place], weights[place], now
        exact = np.zeros_like(w)
        for sample in range(len(batch)):
            products = d[sample, wire.output] * x[sample, wire.input]
            np.add.at(exact, (wire.row, wire.column), products)
        g = np.ldexp(exact.astype(float), ed + ex)
        gradients.insert(0, g)
        if place:
            passed = np.zeros_like(x)
            np.add.at(passed, (slice(None), wire.input), d[:, wire.output] * w[wire.row, wire.column])
            now = quantized(np.where(masks[place - 1], passed[:, :-1], 0), width, ed + ew)
        # Powers of two as coefficients: float64 is exact enough to be rounded once to fp32.
        master, m = parameters.weights[place].astype(float), parameters.momenta[place].astype(float)
        t = (rates.decay * master + g.astype(np.float32)).astype(np.float32)
        after.momenta[place] = (rates.momentum * m + t).astype(np.float32)
        after.weights[place] = (master - rates.lr * after.momenta[place]).astype(np.float32)
    return after, gradients
