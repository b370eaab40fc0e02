"""The real functions of the activation units: their values in float64 and, at any precision, in mpmath.

Formats and roundings are not here: `hwgen.golden.activation` asks for values and rounds them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FUNCTIONS", "PRECISION", "RELATIVE_ERROR", "RealFunction", "multiprecision"]

Values = npt.NDArray[np.float64]

RELATIVE_ERROR = 2.0**-40
"""Bound of the relative error of `RealFunction.approximate`; what is measured is below 2^-44."""

PRECISION = 300
"""Bits of mpmath's arithmetic. Ties of 16-bit results are decided long before."""

_TINY = 2.0**-1000  # stands for results that float64 cannot hold; no format of these units comes near it


@dataclass(frozen=True, kw_only=True)
class RealFunction:
    """A function of one real number.

    Attributes
    ----------
    name : str
        The `function` key of specs.
    formula : str
        Definition, for people.
    parity : {"even", "odd", "none"}
        f(-x) = f(x), f(-x) = -f(x), or neither.
    approximate : callable
        Array of float64 to array of float64 with relative error below `RELATIVE_ERROR`; NaN outside the
        domain, limits at infinities, IEEE 754's signed infinities at poles.
    precise : callable
        One finite mpf, neither pole nor outside the domain, to mpf in mpmath's current precision.
    reduction : {"none", "significand", "exponential"}
        How hardware may reduce the argument to one binade; see `hwgen.golden.activation_design`.
    """

    name: str
    formula: str
    parity: str
    approximate: Callable[[Values], Values]
    precise: Callable[[Any], Any]
    reduction: str = "none"


def multiprecision() -> Any:
    """Return mpmath, loaded when a value needs it: few do, and loading takes longer than most commands."""
    import mpmath

    return mpmath


def _nonzero(values: Values, where: npt.NDArray[np.bool_], sign: Values | float = 1.0) -> Values:
    """Replace zeros that are underflows by a tiny number of the right sign."""
    return np.where((values == 0) & where, np.copysign(_TINY, sign), values)


def _sigmoid(x: Values) -> Values:
    e = np.exp(-np.abs(x))
    return _nonzero(np.where(x < 0, e, 1.0) / (1.0 + e), np.isfinite(x))


def _exp(x: Values) -> Values:
    return _nonzero(np.exp(x), np.isfinite(x))


def _normal_cdf(x: Values) -> Values:
    tail = np.vectorize(math.erfc, otypes=[np.float64])
    return np.asarray(0.5 * tail(-x / math.sqrt(2.0)))


def _normal_density(x: Values) -> Values:
    return np.asarray(np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi))


def _gelu(x: Values) -> Values:
    value = np.where(x == -np.inf, -0.0, x * _normal_cdf(x))
    return _nonzero(value, np.isfinite(x) & (x != 0), x)


def _dgelu(x: Values) -> Values:
    value = np.where(np.isinf(x), x > 0, _normal_cdf(x) + x * _normal_density(x))
    value = np.where(x == -np.inf, -0.0, value)
    value = _nonzero(value, np.isfinite(x), -1.0)  # only the tail to minus infinity underflows
    # The two summands cancel near the root, x = -0.7518: there float64 is not precise enough.
    for index in np.flatnonzero((x > -0.8) & (x < -0.7)):
        with multiprecision().workprec(PRECISION):
            value.flat[index] = float(_precise_dgelu(multiprecision().mpf(float(x.flat[index]))))
    return value


def _precise_gelu(x: Any) -> Any:
    mp = multiprecision()
    return x * mp.erfc(-x / mp.sqrt(2)) / 2


def _precise_dgelu(x: Any) -> Any:
    mp = multiprecision()
    return mp.erfc(-x / mp.sqrt(2)) / 2 + x * mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def _dsigmoid(x: Values) -> Values:
    e = np.exp(-np.abs(x))
    return _nonzero(e / (1.0 + e) ** 2, np.isfinite(x))


def _precise_dsigmoid(x: Any) -> Any:
    mp = multiprecision()
    e = mp.exp(-abs(x))
    return e / (1 + e) ** 2


def _dtanh(x: Values) -> Values:
    e = np.exp(-2.0 * np.abs(x))
    return _nonzero(4.0 * e / (1.0 + e) ** 2, np.isfinite(x))


def _precise_dtanh(x: Any) -> Any:
    mp = multiprecision()
    e = mp.exp(-2 * abs(x))
    return 4 * e / (1 + e) ** 2


def _dsigmoid_of_y(y: Values) -> Values:
    y = np.where(y <= 0, 0.0, np.minimum(y, 1.0))
    return y * (1.0 - y)


def _precise_dsigmoid_of_y(y: Any) -> Any:
    mp = multiprecision()
    y = min(max(y, mp.mpf(0)), mp.mpf(1))
    return y * (1 - y)


def _dtanh_of_y(y: Values) -> Values:
    y = np.minimum(np.abs(y), 1.0)
    return (1.0 - y) * (1.0 + y)


def _precise_dtanh_of_y(y: Any) -> Any:
    mp = multiprecision()
    y = min(abs(y), mp.mpf(1))
    return (1 - y) * (1 + y)


def _rsqrt(x: Values) -> Values:
    # IEEE 754-2019, 9.2.1: rSqrt(+-0) is +-infinity with divideByZero.
    return np.where(x == 0, np.copysign(np.inf, x), 1.0 / np.sqrt(np.where(x < 0, np.nan, x)))


def _quietly(function: Callable[[Values], Values]) -> Callable[[Values], Values]:
    """Evaluate without warnings: poles, overflows and NaN operands are meant."""

    def quiet(x: Values) -> Values:
        with np.errstate(all="ignore"):
            return np.where(np.isnan(x), np.nan, function(np.asarray(x, dtype=np.float64)))

    return quiet


def _function(
    name: str,
    formula: str,
    parity: str,
    approximate: Callable[[Values], Values],
    precise: Callable[[Any], Any],
    reduction: str = "none",
) -> RealFunction:
    return RealFunction(
        name=name,
        formula=formula,
        parity=parity,
        approximate=_quietly(approximate),
        precise=precise,
        reduction=reduction,
    )


FUNCTIONS: dict[str, RealFunction] = {
    function.name: function
    for function in (
        _function(
            "sigmoid", "1 / (1 + exp(-x))", "none", _sigmoid, lambda x: 1 / (1 + multiprecision().exp(-x))
        ),
        _function("tanh", "tanh(x)", "odd", np.tanh, lambda x: multiprecision().tanh(x)),
        _function("exp", "exp(x)", "none", _exp, lambda x: multiprecision().exp(x), "exponential"),
        _function("gelu", "x * Phi(x), Phi the standard normal distribution", "none", _gelu, _precise_gelu),
        _function("reciprocal", "1 / x", "odd", lambda x: 1.0 / x, lambda x: 1 / x, "significand"),
        _function(
            "rsqrt", "1 / sqrt(x)", "none", _rsqrt, lambda x: 1 / multiprecision().sqrt(x), "significand"
        ),
        _function(
            "dsigmoid",
            "sigmoid'(x) = exp(-x) / (1 + exp(-x))^2",
            "even",
            _dsigmoid,
            _precise_dsigmoid,
        ),
        _function("dtanh", "tanh'(x) = 1 - tanh(x)^2", "even", _dtanh, _precise_dtanh),
        _function("dgelu", "gelu'(x) = Phi(x) + x * Phi'(x)", "none", _dgelu, _precise_dgelu),
        _function(
            "dsigmoid_of_y",
            "y * (1 - y), y = sigmoid(x) clamped to [0, 1]",
            "none",
            _dsigmoid_of_y,
            _precise_dsigmoid_of_y,
        ),
        _function(
            "dtanh_of_y",
            "1 - y^2, y = tanh(x) clamped to [-1, 1]",
            "even",
            _dtanh_of_y,
            _precise_dtanh_of_y,
        ),
    )
}
"""Every function that a unit may approximate, by name."""
