"""A convolution and its gradients as sums over kernel places: oracles of the device."""

from __future__ import annotations

import numpy as np


def forward(x: np.ndarray, w: np.ndarray, step: int, padding: int) -> np.ndarray:
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    filters, height, width, _ = w.shape
    out = [(padded.shape[1] - height) // step + 1, (padded.shape[2] - width) // step + 1]
    y = np.zeros((len(x), *out, filters), np.int64)
    for i, j in np.ndindex(height, width):
        seen = padded[:, i : i + step * out[0] : step, j : j + step * out[1] : step]
        y += np.einsum("nyxc,oc->nyxo", seen[:, : out[0], : out[1]], w[:, i, j])
    return y


def gradients(
    x: np.ndarray, w: np.ndarray, e: np.ndarray, step: int, padding: int
) -> tuple[np.ndarray, np.ndarray]:
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    of_x, of_w = np.zeros_like(padded), np.zeros_like(w)
    height, width = e.shape[1:3]
    for i, j in np.ndindex(*w.shape[1:3]):
        places = np.s_[:, i : i + step * height : step, j : j + step * width : step]
        of_x[places] += np.einsum("nyxo,oc->nyxc", e, w[:, i, j])
        of_w[:, i, j] = np.einsum("nyxo,nyxc->oc", e, padded[places])
    return of_x[:, padding : padding + x.shape[1], padding : padding + x.shape[2]], of_w


def words(rng: np.random.Generator, width: int, *shape: int) -> np.ndarray:
    """Return random integers of `width` bits, the extremes among them."""
    limit = 1 << width - 1
    numbers = rng.integers(-limit, limit, shape)
    return np.where(rng.random(shape) < 0.1, rng.choice([-limit, limit - 1], shape), numbers)
