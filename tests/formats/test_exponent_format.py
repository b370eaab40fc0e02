"""E8M0: arrays round as single values do, and both as ml_dtypes where it has an opinion."""

from __future__ import annotations

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

from hwgen.formats import ExponentFormat, Rounding

E8M0 = ExponentFormat()


def hard_values():
    rng = np.random.default_rng(5)
    powers = np.ldexp(1.0, np.arange(-132, 132))
    near = np.concatenate([powers, 1.5 * powers, 1.25 * powers, 1.75 * powers])
    wild = rng.integers(0, 1 << 64, 400, dtype=np.uint64, endpoint=False).view(np.float64)
    near = np.concatenate([near, np.nextafter(near, 0), np.nextafter(near, np.inf), wild[np.isfinite(wild)]])
    specials = [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1e308]
    return np.concatenate([near, -near[::7], specials])


@pytest.mark.parametrize("overflow", ["saturate", "nan"])
@pytest.mark.parametrize("mode", ["rne", "rna", "rtz", "rup", "rdn", "rto", "sr"])
def test_arrays_round_as_single_values_do(mode, overflow):
    values = hard_values()
    bits = 5 if mode == "sr" else None
    words = np.random.default_rng(6).integers(0, 32, values.shape) if bits else None
    fast = E8M0.encode(values, rounding=Rounding(mode, bits), overflow=overflow, rand=words)
    plain = E8M0.encode(values.astype(object), rounding=Rounding(mode, bits), overflow=overflow, rand=words)
    np.testing.assert_array_equal(fast, plain)


def test_every_random_word_counts():
    values = np.array([1.0, 1.25, 1.3, 1.9999])[:, None]
    codes = E8M0.encode(values, rounding=Rounding("sr", 6), rand=np.arange(64)[None, :])
    ups = [int((Fraction(float(value)) - 1) * 64) for value in values[:, 0]]
    assert (codes == 128).sum(axis=1).tolist() == ups


def test_nearest_agrees_with_ml_dtypes_on_powers_of_two_and_off_the_ties():
    values = np.ldexp(np.array([1.0, 1.2, 1.49, 1.51, 1.9])[:, None], np.arange(-126, 127)).ravel()
    want = values.astype(np.float32).astype(ml_dtypes.float8_e8m0fnu).view(np.uint8)
    np.testing.assert_array_equal(E8M0.encode(values), want)
