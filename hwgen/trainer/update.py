"""The arithmetic of weight updates and norms in the golden model, in fp32 throughout.

It is that of `hwgen.golden.sgd` and `hwgen.golden.norm`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.formats import FloatFormat, Overflow, Rounding, RoundingMode
from hwgen.golden import add
from hwgen.golden.norm import norm
from hwgen.golden.sgd import Update as Steps
from hwgen.golden.sgd import sgd
from hwgen.trainer.commands import Update
from hwgen.trainer.floats import as_float32
from hwgen.trainer.quantizer import as_float64

__all__ = ["STEPS", "added", "gradients", "norm_of", "updated"]

Array = npt.NDArray[Any]

_FP32 = FloatFormat(8, 23)
_RNE = Rounding(RoundingMode.RNE)
STEPS = Steps(
    w=_FP32,
    m=_FP32,
    g=_FP32,
    coefficient=_FP32,
    rounding=_RNE,
    state_rounding=_RNE,
    overflow=Overflow.INFINITY,
)


def gradients(results: npt.NDArray[np.int64], exponent: int) -> npt.NDArray[np.float32]:
    """Return results * 2^exponent, rounded once to the nearest fp32 number, ties to even.

    In float64 they are rounded to odd, to 43 bits or more, which no later rounding to 24 bits or fewer can
    tell from the exact integers. Scaling is exact but far below and above all fp32 numbers.
    """
    with np.errstate(over="ignore", under="ignore"):
        numbers: npt.NDArray[np.float32] = np.ldexp(as_float64(results), exponent).astype(np.float32)
    return numbers


def updated(update: Update, weights: Array, momenta: Array, results: Array) -> tuple[Array, Array]:
    """Return the next weights and momenta: float32, in the shape of `weights`.

    Parameters
    ----------
    update : Update
        Scale and coefficients.
    weights, momenta : ndarray of float32
        Of this step.
    results : ndarray of int64
        As many.
    """
    coefficients: dict[str, npt.ArrayLike] = {
        name: np.uint32(pattern)
        for name, pattern in (("lr", update.lr), ("mu", update.momentum), ("wd", update.decay))
    }
    found = as_float32(results) if update.floats else gradients(results, update.exponent)
    next_w, next_m = sgd(
        STEPS,
        np.ascontiguousarray(weights).view(np.uint32),
        np.ascontiguousarray(momenta).view(np.uint32),
        found.reshape(weights.shape).view(np.uint32),
        coefficients,
    )
    assert next_m is not None  # noqa: S101  (the steps have a momentum)
    return next_w.astype(np.uint32).view(np.float32), next_m.astype(np.uint32).view(np.float32)


def added(sums: Array, x: Array) -> Array:
    """Return sums + x, float32, each rounded once."""
    codes = add(sums.view(np.uint32), x.view(np.uint32), a_fmt=_FP32, b_fmt=_FP32, y_fmt=_FP32, rounding=_RNE)
    return codes.astype(np.uint32).view(np.float32)


def norm_of(x: Array) -> int:
    """Return the sum of squares of float32 numbers, as a pattern: of the even ones, plus of the odd ones."""
    last = np.zeros(len(x), np.uint8)
    last[-1] = 2
    sums = norm(x.view(np.uint32), last, x_fmt=_FP32, y_fmt=_FP32, rounding=_RNE, interleave=2)
    return int(sums[0, 0])
