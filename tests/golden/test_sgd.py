"""The weight update against SoftFloat in binary32, Fractions elsewhere, and its own definition."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import softfloatpy as sf
from golden_vectors import edge_codes, random_codes
from test_softfloat_oracle import SF_MODES, assert_same, softfloat

from hwgen.errors import InputError
from hwgen.formats import FloatFormat, Overflow, Rounding, parse_format
from hwgen.golden import sgd as module
from hwgen.golden.sgd import Update, exact_sgd, sgd

FP32 = parse_format("fp32")
NAMES = ("fp32", "bf16", "fp16", "e6m9", "e8m7ftz", "e5m2", "e4m3fnuz", "q4.12", "q8.24", "int16", "e4m3fn")
COEFFICIENTS = ("fp32", "bf16", "uq0.16", "q2.10", "e5m2", "e4m3fnuz", "e2m1")


def some_codes(rng, fmt, count):
    codes = random_codes(rng, fmt, count)
    if isinstance(fmt, FloatFormat):
        codes = fmt.encode(
            rng.standard_normal(count) * 2.0 ** rng.integers(-6, 4, count), overflow="saturate"
        )
    return np.where(rng.random(count) < 0.1, rng.choice(edge_codes(fmt), count), codes)


@pytest.mark.parametrize("mode", SF_MODES)
@pytest.mark.parametrize("nesterov", [False, True])
def test_binary32_updates_equal_a_chain_of_softfloats_fused_multiply_adds(mode, nesterov):
    rng = np.random.default_rng(1)
    w, m, g = (some_codes(rng, FP32, 6_000) for _ in range(3))
    lr, mu, wd = (some_codes(rng, FP32, 6_000) for _ in range(3))
    formats = dict.fromkeys(("w", "m", "g", "coefficient"), FP32)
    how = Rounding(mode)
    update = Update(
        **formats, rounding=how, state_rounding=how, overflow=Overflow.INFINITY, nesterov=nesterov
    )
    next_w, next_m = sgd(update, w, m, g, {"lr": lr, "mu": mu, "wd": wd})

    def fma(a, b, c):
        return softfloat(sf.f32_mul_add, mode, (a, b, c), "fp32", "fp32")

    t = fma(wd, w, g)
    want_m = fma(mu, m, t)
    d = fma(mu, want_m, t) if nesterov else want_m
    assert_same(next_m, want_m, "fp32", mode)
    assert_same(next_w, fma(lr ^ np.uint32(1 << 31), d, w), "fp32", mode)


def random_update(rng):
    w, m, g = (parse_format(str(rng.choice(NAMES))) for _ in range(3))
    mode = str(rng.choice(["rne", "rna", "rtz", "rup", "rdn", "rto", "sr", "sr", "sr"]))
    rounding = Rounding(mode, int(rng.choice([1, 5, 8, 16])) if mode == "sr" else None)
    state_rounding = rounding if rng.random() < 0.6 else Rounding(str(rng.choice(["rne", "rtz", "rdn"])))
    momentum = bool(rng.random() < 0.7)
    legal = [policy for policy in w.legal_overflows if policy is not Overflow.WRAP]
    return Update(
        w=w,
        m=m,
        g=g,
        coefficient=parse_format(str(rng.choice(COEFFICIENTS))),
        rounding=rounding,
        state_rounding=state_rounding,
        overflow=Overflow(rng.choice(legal)),
        momentum=momentum,
        decay=bool(rng.random() < 0.5),
        nesterov=momentum and bool(rng.random() < 0.4),
    )


def check_random_updates(seed, calls, count):
    rng = np.random.default_rng(seed)
    for _ in range(calls):
        update = random_update(rng)
        w, g = (some_codes(rng, fmt, count) for fmt in (update.w, update.g))
        m = some_codes(rng, update.m, count) if update.momentum else None
        coefficients = {name: some_codes(rng, update.coefficient, count) for name in update.coefficients}
        shape = (count, update.random_words)
        words = rng.integers(0, 1 << update.rounding.random_bits, shape, np.uint64)
        got = sgd(update, w, m, g, coefficients, rand=words if update.random_words else None)
        for i in range(count):
            one = {name: int(codes[i]) for name, codes in coefficients.items()}
            want = exact_sgd(
                update, int(w[i]), 0 if m is None else int(m[i]), int(g[i]), one, words[i].tolist()
            )
            found = int(got[0][i]), None if got[1] is None else int(got[1][i])
            assert found == want, update


def test_every_form_of_update_equals_its_definition():
    check_random_updates(2, 300, 30)


def test_words_that_serve_the_steps_in_another_order_are_caught(monkeypatch):
    right = module._columns
    monkeypatch.setattr(module, "_columns", lambda update, rand: right(update, rand)[::-1])
    with pytest.raises(AssertionError):
        check_random_updates(2, 300, 30)


def test_over_all_words_each_step_goes_up_exactly_k_times():
    """Plain SGD in bf16: the upward weights of w - lr * g number k; then each step of the full update."""
    bf16, bits = parse_format("bf16"), 6
    rounding = Rounding("sr", bits)
    formats = dict.fromkeys(("w", "m", "g", "coefficient"), bf16)
    plain = Update(
        **formats,
        rounding=rounding,
        state_rounding=rounding,
        overflow=Overflow.INFINITY,
        momentum=False,
        decay=False,
    )
    rng = np.random.default_rng(3)
    w, g, lr = (bf16.encode(rng.standard_normal(200)) for _ in range(3))
    words = np.arange(1 << bits)[:, None, None]
    results, _ = sgd(plain, w, None, g, {"lr": lr}, rand=np.broadcast_to(words, (1 << bits, 200, 1)))
    inexact = 0
    for column, values in zip(results.T, zip(*map(bf16.decode, (w, lr, g)), strict=True), strict=True):
        weight, rate, gradient = map(Fraction, values)
        exact = weight - rate * gradient
        toward = bf16.decode(bf16.encode(np.array([exact], object), rounding="rtz"))[0]
        away = bf16.decode(bf16.encode(np.array([exact], object), rounding="rup" if exact > 0 else "rdn"))[0]
        if toward == away:
            continue
        k = int((exact - Fraction(toward)) / (Fraction(away) - Fraction(toward)) * 2**bits)
        assert np.count_nonzero(bf16.decode(column) == away) == k
        inexact += 1
    assert inexact > 150


def test_words_serve_the_steps_in_order():
    bf16 = parse_format("bf16")
    rounding = Rounding("sr", 4)
    formats = dict.fromkeys(("w", "m", "g", "coefficient"), bf16)
    update = Update(
        **formats, rounding=rounding, state_rounding=rounding, overflow=Overflow.INFINITY, nesterov=True
    )
    assert update.random_words == 4
    rng = np.random.default_rng(4)
    w, m, g = (bf16.encode(rng.standard_normal(500)) for _ in range(3))
    coefficients = {"lr": 0x3DCC, "mu": 0x3F66, "wd": 0x3F01}
    base = np.zeros((500, 4), np.uint64)
    changed = []
    for step in range(4):
        words = base.copy()
        words[:, step] = 15
        before, after = (sgd(update, w, m, g, coefficients, rand=r) for r in (base, words))
        changed.append(tuple(bool((a != b).any()) for a, b in zip(before, after, strict=True)))
    # t and m' reach both results; d and w' only the weight.
    assert changed == [(True, True), (True, True), (True, False), (True, False)]


def test_nesterov_without_momentum_is_refused():
    formats = dict.fromkeys(("w", "m", "g", "coefficient"), FP32)
    rne = Rounding("rne")
    with pytest.raises(InputError, match="Nesterov"):
        Update(
            **formats,
            rounding=rne,
            state_rounding=rne,
            overflow=Overflow.INFINITY,
            momentum=False,
            nesterov=True,
        )
