"""The weight update of stochastic gradient descent with momentum and weight decay, every step rounded once.

    t  = round_m(wd * w + g)
    m' = round_m(mu * m + t)
    d  = round_m(mu * m' + t)     with Nesterov's momentum, else d = m'
    w' = round_w(w - lr * d)

Each line is one fused multiply-add: exact, then one rounding into the format of m or of w. Without weight
decay there is no t, and g takes its place unrounded, in its own format; without momentum there is no m', and
t (or g) takes its place. With stochastic rounding each rounded line takes one random word, in this order.

The form is that of PyTorch's SGD (dampening 0); Sutskever et al., "On the importance of initialization and
momentum in deep learning", ICML 2013, for Nesterov's. `exact_sgd` is the definition; `sgd` is a chain of
`hwgen.golden.fma`, which chooses its own fast path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.formats import FixedFormat, FloatFormat, Overflow, Rounding, RoundingMode
from hwgen.formats.checks import as_codes
from hwgen.formats.exact import Exact
from hwgen.golden.exact import exact_product, exact_sum
from hwgen.golden.operators import convert, fma

__all__ = ["Update", "exact_sgd", "sgd"]

Number = FloatFormat | FixedFormat
Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Update:
    """What an update computes, apart from its operands.

    Attributes
    ----------
    w, m, g, coefficient : FloatFormat or FixedFormat
        Formats of weights, of momentum (and t, d), of gradients, and of lr, mu and wd.
    rounding : Rounding
        Of w'.
    state_rounding : Rounding
        Of t, m' and d: deterministic, or equal to `rounding`.
    overflow : Overflow
        Policy of w'. The others follow the default policy of m's format.
    momentum, decay, nesterov : bool
        Which steps there are; Nesterov's needs momentum.
    """

    w: Number
    m: Number
    g: Number
    coefficient: Number
    rounding: Rounding
    state_rounding: Rounding
    overflow: Overflow
    momentum: bool = True
    decay: bool = True
    nesterov: bool = False

    def __post_init__(self) -> None:
        if self.nesterov and not self.momentum:
            raise InputError("Nesterov's update needs momentum")
        if self.state_rounding.mode is RoundingMode.SR and self.state_rounding != self.rounding:
            raise InputError(
                f"rounding {self.state_rounding} of the state must be deterministic or {self.rounding}"
            )

    @property
    def coefficients(self) -> tuple[str, ...]:
        """The coefficients that are used, in the order of their operands."""
        return ("lr", *(["mu"] if self.momentum else []), *(["wd"] if self.decay else []))

    @property
    def random_words(self) -> int:
        """Random words of one update."""
        if self.rounding.mode is not RoundingMode.SR:
            return 0
        steps = self.decay + self.momentum + self.nesterov
        return 1 + (steps if self.state_rounding.mode is RoundingMode.SR else 0)


def sgd(
    update: Update,
    w: npt.ArrayLike,
    m: npt.ArrayLike | None,
    g: npt.ArrayLike,
    coefficients: dict[str, npt.ArrayLike],
    *,
    rand: npt.ArrayLike | None = None,
) -> tuple[Array, Array | None]:
    """Return the next weights and momenta.

    Parameters
    ----------
    update : Update
        Formats, steps and roundings.
    w, m, g : array_like of int
        Patterns of weights, momenta (None without momentum) and gradients, broadcast.
    coefficients : dict
        Patterns of those of `lr`, `mu` and `wd` that are used, broadcast too.
    rand : array_like of int, optional
        Random words of `sr`, one for each rounded step along a last axis of `update.random_words`.

    Returns
    -------
    tuple of ndarray
        Patterns of w' and m' (None without momentum).

    Raises
    ------
    InputError
        If a pattern or word is too wide, or words are missing.
    """
    words = _columns(update, rand)
    decay = {"b_fmt": update.w, "c_fmt": update.g}
    t, t_fmt = g, update.g
    if update.decay:
        t = _state_step(update, coefficients["wd"], w, t, words, **decay)
        t_fmt = update.m
    d, d_fmt, next_m = t, t_fmt, None
    if update.momentum:
        assert m is not None  # noqa: S101  (the signature's rule)
        formats = {"b_fmt": update.m, "c_fmt": t_fmt}
        next_m = d = _state_step(update, coefficients["mu"], m, t, words, **formats)
        d_fmt = update.m
        if update.nesterov:
            d = _state_step(update, coefficients["mu"], next_m, t, words, **formats)
    factor, factor_fmt = _negated(coefficients["lr"], update.coefficient)
    next_w = fma(
        factor,
        d,
        w,
        a_fmt=factor_fmt,
        b_fmt=d_fmt,
        c_fmt=update.w,
        y_fmt=update.w,
        rounding=update.rounding,
        overflow=update.overflow,
        rand=words.pop(0) if words else None,
    )
    return next_w, next_m


def _state_step(
    update: Update, a: Any, b: Any, c: Any, words: list[Array], *, b_fmt: Number, c_fmt: Number
) -> Array:
    stochastic = update.state_rounding.mode is RoundingMode.SR
    return fma(
        a,
        b,
        c,
        a_fmt=update.coefficient,
        b_fmt=b_fmt,
        c_fmt=c_fmt,
        y_fmt=update.m,
        rounding=update.state_rounding,
        rand=words.pop(0) if stochastic else None,
    )


def _columns(update: Update, rand: npt.ArrayLike | None) -> list[Array]:
    """Return the random words of each rounded step."""
    count = update.random_words
    if count == 0:
        if rand is not None:
            raise InputError(f"random words given with rounding {update.rounding}: only 'sr' uses them")
        return []
    words = np.asarray([] if rand is None else rand)
    if words.ndim == 0 or words.shape[-1] != count:
        raise InputError(f"this update takes {count} random words: give rand= with a last axis of {count}")
    return [words[..., step] for step in range(count)]


def _negated(codes: npt.ArrayLike, fmt: Number) -> tuple[Array, Number]:
    """Return the patterns of the negated values, zeros included, and a format that has them all."""
    array = as_codes(codes, fmt.width, fmt.dtype)
    if isinstance(fmt, FixedFormat):
        # An integer of W bits is a float of that precision; 64 bits are more than a format can have, but
        # nobody states a learning rate so finely, and `SgdSpec` refuses it.
        twin = FloatFormat(8, max(fmt.width - 1, 1))
    elif fmt.has_negative_zero:
        return array ^ array.dtype.type(fmt.sign_mask), fmt
    else:
        twin = FloatFormat(fmt.exponent + 1, max(fmt.mantissa, 1), fmt.bias)
    exact = convert(array, x_fmt=fmt, y_fmt=twin, rounding=Rounding(RoundingMode.RTZ))
    return exact ^ exact.dtype.type(twin.sign_mask), twin


def exact_sgd(
    update: Update, w: int, m: int, g: int, coefficients: dict[str, int], words: Sequence[int]
) -> tuple[int, int | None]:
    """Return the next weight and momentum patterns of one weight, from the definition."""
    drawn = list(words)

    def value(name: str) -> Exact:
        return update.coefficient.unpack(coefficients[name])

    def state_step(a: Exact, b: Exact, c: Exact) -> int:
        word = drawn.pop(0) if update.state_rounding.mode is RoundingMode.SR else 0
        total = exact_sum(exact_product(a, b), c, update.state_rounding)
        policy = update.m.default_overflow
        return update.m.pack(total, rounding=update.state_rounding, overflow=policy, word=word)

    weight, t = update.w.unpack(w), update.g.unpack(g)
    if update.decay:
        t = update.m.unpack(state_step(value("wd"), weight, t))
    d, next_m = t, None
    if update.momentum:
        next_m = state_step(value("mu"), update.m.unpack(m), t)
        d = update.m.unpack(next_m)
        if update.nesterov:
            d = update.m.unpack(state_step(value("mu"), d, t))
    product = exact_product(value("lr"), d)
    change = product._replace(negative=not product.negative)
    total = exact_sum(weight, change, update.rounding)
    word = drawn.pop(0) if update.rounding.mode is RoundingMode.SR else 0
    return update.w.pack(total, rounding=update.rounding, overflow=update.overflow, word=word), next_m
