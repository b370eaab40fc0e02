"""IEEE formats against Berkeley SoftFloat: add, mul, fma and conversions in its five rounding modes."""

from __future__ import annotations

import numpy as np
import pytest
import softfloatpy as sf
from golden_vectors import edge_codes, hard_pairs, hard_triples

from hwgen import golden
from hwgen.formats import Rounding, parse_format

SF_MODES = {
    "rne": sf.RoundingMode.NEAR_EVEN,
    "rna": sf.RoundingMode.NEAR_MAX_MAG,
    "rtz": sf.RoundingMode.MIN_MAG,
    "rup": sf.RoundingMode.MAX,
    "rdn": sf.RoundingMode.MIN,
}
SF_TYPES = {"fp16": sf.Float16, "fp32": sf.Float32, "fp64": sf.Float64}
SF_SHORT = {"fp16": "f16", "fp32": "f32", "fp64": "f64"}
# fp64 operands take the golden model's plain path, about 10 us an element.
FAST = {"fp16": 40_000, "fp32": 40_000, "fp64": 2_000}
FULL = {"fp16": 1_000_000, "fp32": 1_000_000, "fp64": 40_000}


def to_softfloat(codes, name):
    size = codes.dtype.itemsize
    data = codes.astype(codes.dtype.newbyteorder(">")).tobytes()
    make = SF_TYPES[name].from_bytes
    return [make(data[i : i + size]) for i in range(0, len(data), size)]


def from_softfloat(values, name):
    dtype = parse_format(name).dtype
    return np.frombuffer(b"".join(x.to_bytes() for x in values), dtype.newbyteorder(">")).astype(dtype)


def softfloat(function, mode, operands, name, result):
    sf.set_rounding_mode(SF_MODES[mode])
    try:
        values = map(function, *(to_softfloat(codes, name) for codes in operands))
        return from_softfloat(values, result)
    finally:
        sf.set_rounding_mode(sf.RoundingMode.NEAR_EVEN)


def assert_same(got, want, name, context):
    """Equal patterns; SoftFloat keeps NaN payloads where hwgen gives the canonical NaN."""
    fmt = parse_format(name)
    nan = np.isnan(fmt.decode(want))
    assert (got[nan] == fmt.nan_code).all(), context
    wrong = np.flatnonzero((got != want) & ~nan)
    assert wrong.size == 0, f"{context}: {wrong.size} differ, first at {wrong[0]}"


def check_operator(operation, name, mode, count):
    fmt = parse_format(name)
    rng = np.random.default_rng(len(operation) * 64 + fmt.width)
    formats = {"a_fmt": fmt, "b_fmt": fmt, "y_fmt": fmt}
    if operation == "fma":
        operands, formats["c_fmt"] = hard_triples(rng, fmt, fmt, fmt, count), fmt
    elif operation == "mul":
        operands = hard_triples(rng, fmt, fmt, fmt, count)[:2]
    else:
        operands = hard_pairs(rng, fmt, fmt, count)
    got = getattr(golden, operation)(*operands, **formats, rounding=Rounding(mode))
    function = getattr(sf, f"{SF_SHORT[name]}_{'mul_add' if operation == 'fma' else operation}")
    want = softfloat(function, mode, operands, name, name)
    assert len(np.unique(want)) > min(count, 5000) // 50, "the vectors must reach many results"
    assert_same(got, want, name, (operation, name, mode))


@pytest.mark.parametrize("mode", SF_MODES)
@pytest.mark.parametrize("name", SF_TYPES)
@pytest.mark.parametrize("operation", ["add", "mul", "fma"])
def test_operator_equals_softfloat(operation, name, mode):
    check_operator(operation, name, mode, FAST[name])


@pytest.mark.slow
@pytest.mark.parametrize("mode", SF_MODES)
@pytest.mark.parametrize("name", SF_TYPES)
@pytest.mark.parametrize("operation", ["add", "mul", "fma"])
def test_operator_equals_softfloat_on_a_million_vectors(operation, name, mode):
    check_operator(operation, name, mode, FULL[name])


@pytest.mark.parametrize("mode", SF_MODES)
@pytest.mark.parametrize(
    ("source", "target"), [("fp32", "fp16"), ("fp64", "fp16"), ("fp64", "fp32"), ("fp16", "fp64")]
)
def test_conversion_equals_softfloat(source, target, mode):
    x_fmt, y_fmt = parse_format(source), parse_format(target)
    rng = np.random.default_rng(7)
    # Values that lie on, half way between and just beside the target's values, spread over its range.
    body = rng.integers(0, y_fmt.max_finite_code, 40_000)
    exact = y_fmt.decode(body)
    step = y_fmt.decode(body + 1) - exact
    with np.errstate(over="ignore", invalid="ignore"):
        values = exact + step * rng.choice([0.0, 0.25, 0.5, 0.75, 2.0**-10], body.size)
        values = np.nan_to_num(values * rng.choice([-1.0, 1.0], body.size), nan=1.0)
    codes = np.concatenate([x_fmt.encode(values), edge_codes(x_fmt)])
    got = golden.convert(codes, x_fmt=x_fmt, y_fmt=y_fmt, rounding=Rounding(mode))
    function = getattr(sf, f"{SF_SHORT[source]}_to_{SF_SHORT[target]}")
    assert_same(got, softfloat(function, mode, [codes], source, target), target, (source, target, mode))
