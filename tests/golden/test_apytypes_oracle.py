"""IEEE-style formats of any size against APyTypes: add and mul in six rounding modes."""

from __future__ import annotations

import apytypes as apy
import numpy as np
import pytest
from golden_vectors import hard_pairs, hard_triples

from hwgen import golden
from hwgen.formats import Rounding, parse_format

APY_MODES = {
    "rne": apy.QuantizationMode.TIES_EVEN,
    "rna": apy.QuantizationMode.TIES_AWAY,
    "rtz": apy.QuantizationMode.TO_ZERO,
    "rup": apy.QuantizationMode.TO_POS,
    "rdn": apy.QuantizationMode.TO_NEG,
    "rto": apy.QuantizationMode.JAM_UNBIASED,
}
NAMES = ("fp16", "bf16", "e6m5", "e5m2", "tf32", "e3m4", "e8m20")


def apy_array(codes, fmt):
    return apy.APyFloatArray.from_bits(codes.astype(np.int64), fmt.exponent, fmt.mantissa)


def check(name, operation, mode, count):
    fmt = parse_format(name)
    rng = np.random.default_rng(count)
    pairs = (
        hard_pairs(rng, fmt, fmt, count)
        if operation == "add"
        else hard_triples(rng, fmt, fmt, fmt, count)[:2]
    )
    x, y = (apy_array(codes, fmt) for codes in pairs)
    with apy.APyFloatQuantizationContext(APY_MODES[mode]):
        theirs = x + y if operation == "add" else x * y
    want = np.array(theirs.to_bits(), dtype=np.int64).astype(fmt.dtype)
    function = getattr(golden, operation)
    got = function(*pairs, a_fmt=fmt, b_fmt=fmt, y_fmt=fmt, rounding=Rounding(mode))
    nan = np.isnan(fmt.decode(want))
    assert (got[nan] == fmt.nan_code).all()
    wrong = np.flatnonzero((got != want) & ~nan)
    show = [tuple(hex(int(v)) for v in (pairs[0][i], pairs[1][i], got[i], want[i])) for i in wrong[:5]]
    assert wrong.size == 0, f"{wrong.size} differ (a, b, hwgen, apytypes): {show}"


@pytest.mark.parametrize("mode", APY_MODES)
@pytest.mark.parametrize("operation", ["add", "mul"])
@pytest.mark.parametrize("name", NAMES)
def test_operator_equals_apytypes(name, operation, mode):
    check(name, operation, mode, 60_000)


@pytest.mark.slow
@pytest.mark.parametrize("mode", APY_MODES)
@pytest.mark.parametrize("operation", ["add", "mul"])
@pytest.mark.parametrize("name", ["bf16", "fp16"])
def test_operator_equals_apytypes_on_a_million_vectors(name, operation, mode):
    check(name, operation, mode, 1_000_000)
