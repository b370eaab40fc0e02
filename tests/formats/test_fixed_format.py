"""Fixed point: values, names, and rounding of every mode against Fractions."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.formats import FixedFormat, Rounding, parse_format

FORMATS = [
    "q1.7",
    "uq4.4",
    "int8",
    "uint3",
    "q8.14",
    "int1",
    "int64",
    "uint64",
    "q1.63",
    "fixed8f12",
    "ufixed8f-20",
]
MODES = ["rne", "rna", "rtz", "rup", "rdn", "rto", "sr"]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("q1.7", -1, 127 / 128),
        ("uq4.4", 0, 15.9375),
        ("int8", -128, 127),
        ("uint3", 0, 7),
        ("q8.14", -128, 128 - 2.0**-14),
        ("int1", -1, 0),
        ("fixed8f12", -128 / 4096, 127 / 4096),
        ("ufixed8f-20", 0, 255 * 2**20),
    ],
)
def test_range_counts_the_sign_bit_among_the_integer_bits(name, low, high):
    fmt = parse_format(name)
    values = fmt.decode(np.arange(1 << fmt.width))
    assert (values.min(), values.max()) == (low, high)
    assert fmt.name == name


def test_wide_integers_decode_to_fractions():
    assert FixedFormat(64, 0).decode(np.array([2**63, 2**63 - 1], dtype=np.uint64)).tolist() == [
        -(2**63),
        2**63 - 1,
    ]
    assert FixedFormat(64, 1, signed=False).decode([2**64 - 1]).tolist() == [Fraction(2**64 - 1, 2)]
    assert FixedFormat(54, 0).decode([1 << 53]).dtype == np.float64


def oracle(fmt, value, mode, overflow, word, bits):
    """floor and fraction of the magnitude, written down independently."""
    scaled = abs(value) * Fraction(2) ** fmt.fraction
    below = floor(scaled)
    f = scaled - below
    up = {
        "rne": f > Fraction(1, 2) or (f == Fraction(1, 2) and below % 2),
        "rna": f >= Fraction(1, 2),
        "rtz": False,
        "rup": f > 0 and value > 0,
        "rdn": f > 0 and value < 0,
        "rto": f > 0 and below % 2 == 0,
        "sr": floor(f * 2**bits) + word >= 2**bits,
    }[mode]
    integer = (below + bool(up)) * (-1 if value < 0 else 1)
    low = -(2 ** (fmt.width - 1)) if fmt.signed else 0
    high = low + 2**fmt.width - 1
    if overflow == "saturate":
        integer = min(max(integer, low), high)
    return integer % 2**fmt.width


@pytest.mark.parametrize("overflow", ["saturate", "wrap"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FORMATS)
def test_encoding_equals_the_fraction_oracle(name, mode, overflow):
    fmt, rng = parse_format(name), np.random.default_rng(2)
    halves = rng.integers(-(2**9), 2**9, 150) / 2.0
    limits = np.array(
        [fmt.min_integer, fmt.max_integer, fmt.max_integer + 0.5, 0, 0.25, 2.0**53 + 2, 2.0**63, 2.0**64]
    )
    integers = np.concatenate(
        [halves, limits, np.nextafter(halves, 0), rng.standard_normal(100) * 2.0**fmt.width]
    )
    values = np.concatenate([integers, -integers]) * 2.0**-fmt.fraction
    values = np.concatenate([values, [1e300, -1e300, 5e-324, -5e-324]])
    words = rng.integers(0, 256, values.size)
    random = {"rounding": Rounding("sr", 8), "rand": words} if mode == "sr" else {"rounding": mode}
    got = fmt.encode(values, overflow=overflow, **random)
    exactly = fmt.encode(values.astype(object), overflow=overflow, **random)
    want = [
        oracle(fmt, Fraction(value), mode, overflow, int(word), 8)
        for value, word in zip(values, words, strict=True)
    ]
    assert got.tolist() == want
    assert exactly.tolist() == want


def test_special_values_become_zero_or_saturate_under_both_policies():
    fmt = parse_format("q1.7")
    for overflow in ("saturate", "wrap"):
        codes = fmt.encode([np.nan, np.inf, -np.inf, -0.0], overflow=overflow)
        assert codes.tolist() == [0, 0x7F, 0x80, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 0, "fraction": 0}, "fixed width 0 out of range: legal: 1..64"),
        ({"width": 65, "fraction": 0}, "fixed width 65 out of range: legal: 1..64"),
        ({"width": 8, "fraction": 65}, "fixed fraction 65 out of range: legal: -64..64"),
        ({"width": 8, "fraction": "4"}, "fixed fraction '4' must be an integer"),
        ({"width": 8, "fraction": 4, "signed": "yes"}, "fixed signed 'yes' must be a boolean"),
    ],
)
def test_impossible_fields_are_quoted_with_the_legal_ones(arguments, message):
    with pytest.raises(InputError) as caught:
        FixedFormat(**arguments)
    assert message in str(caught.value)


def test_policies_of_floats_are_refused():
    with pytest.raises(InputError, match="legal: saturate, wrap"):
        parse_format("q1.7").encode(1.0, overflow="infinity")
