"""Activation functions: the codes that golden accepts, and every design's results, against mpmath.

The formulas here are written anew, and evaluated with 200 bits; what an ulp is, is taken from the values of
the neighbouring codes.
"""

from __future__ import annotations

import ml_dtypes
import mpmath
import numpy as np
import pytest

from hwgen.formats import FloatFormat, Rounding, RoundingMode, parse_format
from hwgen.golden.activation import correctly_rounded, targets
from hwgen.golden.activation_design import evaluate
from hwgen.golden.activation_functions import FUNCTIONS
from hwgen.golden.activation_relu import positive, relu, relu_gradient
from hwgen.operators.approximation import approximate

mpmath.mp.prec = 200

ORACLES = {
    "sigmoid": lambda x: mpmath.exp(x) / (mpmath.exp(x) + 1),
    "tanh": lambda x: mpmath.expm1(2 * x) / (mpmath.expm1(2 * x) + 2),
    "exp": lambda x: mpmath.e**x,
    "gelu": lambda x: x * mpmath.ncdf(x),
    "reciprocal": lambda x: mpmath.mpf(1) / x,
    "rsqrt": lambda x: mpmath.power(x, mpmath.mpf(-1) / 2),
    "dsigmoid": lambda x: 1 / (4 * mpmath.cosh(x / 2) ** 2),
    "dtanh": lambda x: mpmath.sech(x) ** 2,
    "dgelu": lambda x: mpmath.ncdf(x) + x * mpmath.npdf(x),
    "dsigmoid_of_y": lambda y: mpmath.mpf(0) if not 0 < y < 1 else y - y * y,
    "dtanh_of_y": lambda y: mpmath.mpf(0) if abs(y) >= 1 else 1 - y * y,
}


def domain(name: str, x: np.ndarray) -> np.ndarray:
    """Tell where the function is a finite number."""
    inside = np.isfinite(x)
    if name in ("reciprocal", "rsqrt"):
        inside &= x != 0
    return inside & (x > 0) if name == "rsqrt" else inside


def neighbours(name: str, x: float, values: list[float]) -> tuple[int, int, mpmath.mpf]:
    """Return the places in the ascending `values` on either side of f(x), and f(x)."""
    with mpmath.workprec(200 + (1000 if abs(x) > 100 else 0)):
        exact = ORACLES[name](mpmath.mpf(x))
    above = int(np.searchsorted(values, float(exact)))
    above = max(above - 1, 0)  # float() may have rounded either way
    while above < len(values) and values[above] < exact:
        above += 1
    below = above if above < len(values) and values[above] == exact else above - 1
    return below, above, exact


def check_results(name: str, x_fmt: FloatFormat, y_fmt: FloatFormat, codes, results, *, exactly: bool) -> int:
    """Assert that results are faithful, or the nearest; return how many were looked at."""
    every = y_fmt.decode(np.arange(1 << y_fmt.width))
    values = sorted(set(every[np.isfinite(every)].tolist()))
    xs, got = x_fmt.decode(codes), y_fmt.decode(results)
    looked = 0
    for x, y, code in zip(xs.tolist(), got.tolist(), results.tolist(), strict=True):
        if not domain(name, np.array([x]))[0]:
            continue
        below, above, exact = neighbours(name, x, values)
        looked += 1
        if below < 0 or above >= len(values):  # overflow: the sign must be right, and nothing is small
            assert abs(y) >= values[-1], (name, x, y)
            assert (y > 0) == (exact > 0), (name, x, y)
            continue
        if exactly and below != above:
            distances = abs(values[below] - exact), abs(values[above] - exact)
            assert abs(y - exact) == min(distances), (name, x, y)
            assert distances[0] != distances[1] or code % 2 == 0, (name, x, y)  # ties to even
        assert y in (values[below], values[above]), (name, x, y)
    return looked


@pytest.mark.parametrize("name", list(FUNCTIONS))
@pytest.mark.parametrize("fmt", ["e4m3fn", "e5m2"])
def test_every_eight_bit_operand_is_correctly_rounded_by_golden(name: str, fmt: str) -> None:
    format_ = parse_format(fmt)
    codes = np.arange(256).astype(np.uint8)
    results = correctly_rounded(name, codes, format_, format_, format_.default_overflow)
    assert check_results(name, format_, format_, codes, results, exactly=True) > 100


@pytest.mark.parametrize("name", list(FUNCTIONS))
@pytest.mark.parametrize("fmt", ["fp16", "bf16"])
def test_float64_values_are_far_more_exact_than_golden_assumes(name: str, fmt: str) -> None:
    x = parse_format(fmt).decode(np.random.default_rng(2).integers(0, 1 << 16, 400))
    x = x[domain(name, x) & (np.abs(x) < 600)]
    for argument, value in zip(x.tolist(), FUNCTIONS[name].approximate(x).tolist(), strict=True):
        exact = ORACLES[name](mpmath.mpf(argument))
        if abs(exact) > 2.0**-300:  # no format of these units goes further down
            assert abs(value - exact) <= abs(exact) * mpmath.mpf(2) ** -44, (argument, value)
        else:
            assert abs(value) <= 2.0**-299


@pytest.mark.parametrize("method", ["table", "polynomial"])
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_every_eight_bit_unit_is_faithful_for_every_operand(name: str, method: str) -> None:
    format_ = parse_format("e5m3")
    found = approximate(name, format_, format_, format_.default_overflow, method=method)
    codes = np.arange(1 << format_.width)
    results = evaluate(found.design, codes)
    assert check_results(name, format_, format_, codes, results, exactly=method == "table") > 200


@pytest.mark.parametrize(
    ("name", "fmt", "method"),
    [
        ("sigmoid", "bf16", "polynomial"),
        ("tanh", "fp16", "bipartite"),
        ("exp", "fp16", "polynomial"),
        ("reciprocal", "fp16", "bipartite"),
        ("rsqrt", "bf16", "polynomial"),
        ("dgelu", "bf16", "polynomial"),
    ],
)
def test_sixteen_bit_units_are_faithful_on_a_sample(name: str, fmt: str, method: str) -> None:
    format_ = parse_format(fmt)
    found = approximate(name, format_, format_, format_.default_overflow, method=method)
    codes = np.random.default_rng(1).integers(0, 1 << 16, 500)
    assert check_results(name, format_, format_, codes, evaluate(found.design, codes), exactly=False) > 150


@pytest.mark.slow
@pytest.mark.parametrize("fmt", ["bf16", "fp16"])
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_sixteen_bit_units_are_faithful_for_every_operand(name: str, fmt: str) -> None:
    format_ = parse_format(fmt)
    found = approximate(name, format_, format_, format_.default_overflow)
    codes = np.arange(1 << 16)
    assert check_results(name, format_, format_, codes, evaluate(found.design, codes), exactly=False) > 10_000


def test_special_values_are_the_limits_and_ieee_754s() -> None:
    fmt = parse_format("e5m5")
    specials = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0])
    nan = np.nan
    expected = {
        "sigmoid": [1, 0, nan, 0.5, 0.5],
        "tanh": [1, -1, nan, 0.0, -0.0],
        "exp": [np.inf, 0, nan, 1, 1],
        "gelu": [np.inf, -0.0, nan, 0.0, -0.0],
        "reciprocal": [0.0, -0.0, nan, np.inf, -np.inf],
        "rsqrt": [0.0, nan, nan, np.inf, -np.inf],
        "dsigmoid": [0.0, 0.0, nan, 0.25, 0.25],
        "dtanh": [0.0, 0.0, nan, 1, 1],
        "dgelu": [1, -0.0, nan, 0.5, 0.5],
    }
    for name, values in expected.items():
        design = approximate(name, fmt, fmt, fmt.default_overflow, method="polynomial", degree=1).design
        results = fmt.decode(evaluate(design, fmt.encode(specials)))
        np.testing.assert_array_equal(results, values, err_msg=name)
        np.testing.assert_array_equal(np.signbit(results), np.signbit(values), err_msg=name)


def test_a_representable_value_is_the_only_result_accepted() -> None:
    fp16 = parse_format("fp16")
    goal = targets("reciprocal", fp16, fp16, fp16.default_overflow)
    codes = fp16.encode(np.array([1.0, 2.0, 0.25, -8.0]))
    np.testing.assert_array_equal(goal.down[codes], goal.up[codes])
    np.testing.assert_array_equal(fp16.decode(goal.up[codes]), [1.0, 0.5, 4.0, -0.125])


@pytest.mark.parametrize("y", ["float8_e5m2", "bfloat16"])
def test_relu_and_its_mask_are_what_ml_dtypes_casts(y: str) -> None:
    x_fmt = parse_format("e4m3fn")
    y_fmt = parse_format({"float8_e5m2": "e5m2", "bfloat16": "bf16"}[y])
    codes = np.arange(256).astype(np.uint8)
    x = codes.view(ml_dtypes.float8_e4m3fn).astype(np.float32)
    rne = Rounding(RoundingMode.RNE)
    got = relu(codes, x_fmt=x_fmt, y_fmt=y_fmt, rounding=rne, overflow=y_fmt.default_overflow)
    want = np.where(x > 0, x, np.where(np.isnan(x), x, np.float32(0))).astype(y)
    np.testing.assert_array_equal(y_fmt.decode(got), want.astype(np.float64))
    np.testing.assert_array_equal(positive(codes, x_fmt), x > 0)


def test_leaky_relu_and_gradients_round_the_exact_product_once() -> None:
    fmt = parse_format("e5m2")
    codes = np.arange(256).astype(np.uint8)
    x = codes.view(ml_dtypes.float8_e5m2).astype(np.float64)
    how = {
        "x_fmt": fmt,
        "y_fmt": fmt,
        "rounding": Rounding(RoundingMode.RNE),
        "overflow": fmt.default_overflow,
        "slope": 0.3125,
    }
    scaled = (x * 0.3125).astype(ml_dtypes.float8_e5m2).astype(np.float64)  # exact before the cast
    np.testing.assert_array_equal(fmt.decode(relu(codes, **how)), np.where(x > 0, x, scaled))
    for mask in (0, 1):
        got = fmt.decode(relu_gradient(codes, mask, **how))
        np.testing.assert_array_equal(got, x if mask else scaled)
    dropped = relu_gradient(codes, 0, **{**how, "slope": None})
    assert not dropped.any()
