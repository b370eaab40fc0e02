"""Vectorised float rounding equals the plain definition `pack`, which rounds known cases as standards do."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.formats import FloatFormat, Rounding, parse_format

NAMES = (
    *(
        "e5m2",
        "e4m3fn",
        "e4m3fnuz",
        "e5m2fnuz",
        "e3m2",
        "e2m1",
        "e6m5",
        "fp16",
        "bf16",
        "tf32",
        "fp32",
        "fp64",
    ),
    *("e4m3ftz", "e8m7ftz", "e8m23ftz", "e11m52ftz", "e3m0fn", "e2m0noneftz", "e4m3b11fnuz"),
    *("e11m4", "e11m1", "e11m52fnuz", "e11m3fn", "e2m1b-900", "e3m3b1300", "e8m30"),
)
MODES = ["rne", "rna", "rtz", "rup", "rdn", "rto", "sr1", "sr8", "sr29", "sr52", "sr53", "sr61", "sr64"]


def hard_values(fmt, rng, count):
    """float64 on, between and just beside the values of `fmt`; far out; special."""
    codes = np.unique(np.concatenate([rng.integers(0, fmt.max_finite_code, count), np.arange(6)]))
    codes = codes[codes <= fmt.max_finite_code]
    values = [rng.integers(0, 1 << 64, count, dtype=np.uint64).view(np.float64)]
    if fmt.fits_float64:
        grid = np.unique(fmt.decode(codes))
        top = fmt.decode(fmt.max_finite_code)
        middle = grid[:-1] / 2 + grid[1:] / 2
        third = grid[:-1] * 0.75 + grid[1:] * 0.25
        with np.errstate(over="ignore"):
            beyond = top * np.array([1, 1.01, 1.03, 1.0625, 1.125, 1.25, 1.5, 2, 3])
            low = fmt.decode(fmt.min_normal_code) * np.array([1, 0.99, 0.97, 0.75, 0.5, 0.49, 0.25, 2.0**-30])
            points = np.concatenate([grid, middle, third, beyond, low])
            values += [points, np.nextafter(points, np.inf), np.nextafter(points, 0)]
    values += [np.array([0, np.inf, np.nan, 5e-324, 1e-310, 2.0**-1022, np.finfo(np.float64).max])]
    values = np.concatenate(values)
    return np.concatenate([values, -values])


def as_rounding(text):
    return Rounding("sr", int(text[2:])) if text.startswith("sr") else Rounding(text)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_array_rounding_equals_the_definition(name, mode):
    fmt, rounding = parse_format(name), as_rounding(mode)
    rng = np.random.default_rng(1)
    values = rng.permutation(hard_values(fmt, rng, 200))[:700]
    words = None
    if rounding.bits:
        last = (1 << rounding.bits) - 1
        words = rng.integers(0, last, values.size, dtype=np.uint64, endpoint=True)
        words[::7], words[1::7] = 0, last
    for overflow in fmt.legal_overflows:
        with np.errstate(all="raise"):
            got = fmt.encode(values, rounding=rounding, overflow=overflow, rand=words)
        want = fmt.encode(values.astype(object), rounding=rounding, overflow=overflow, rand=words)
        wrong = np.flatnonzero(got != want)
        assert wrong.size == 0, (overflow, values[wrong[:3]], got[wrong[:3]], want[wrong[:3]])
        assert got.dtype == want.dtype == fmt.dtype


@pytest.mark.parametrize(
    ("name", "mode", "x", "expected"),
    [
        ("e5m2", "rne", 1.125, 1.0),  # ties
        ("e5m2", "rne", 1.375, 1.5),
        ("e5m2", "rna", 1.125, 1.25),
        ("e5m2", "rtz", -1.24, -1.0),
        ("e5m2", "rup", -1.24, -1.0),
        ("e5m2", "rdn", -1.01, -1.25),
        ("e5m2", "rto", 1.01, 1.25),
        ("e5m2", "rto", 1.26, 1.25),
        ("e5m2", "rne", 61439.9, 57344.0),  # half an ulp beyond the largest
        ("e5m2", "rne", 61440.0, np.inf),
        ("e5m2", "rtz", 1e9, 57344.0),
        ("e5m2", "rup", -1e9, -57344.0),
        ("e5m2", "rup", 57344.1, np.inf),
        ("e5m2", "rto", 1e9, 57344.0),
        ("e4m3fn", "rne", 464.0, 448.0),  # 480 would be all ones: a tie with it goes to the even 448
        ("e4m3fn", "rne", 1e9, 448.0),
        ("e5m2", "rne", 2.0**-17, 0.0),  # half the smallest subnormal
        ("e5m2", "rup", 1e-300, 2.0**-16),
        ("e4m3ftz", "rne", 2.0**-6 * 0.97, 2.0**-6),  # reaches the smallest normal by rounding
        ("e4m3ftz", "rne", 2.0**-6 * 0.96, 0.0),
        ("e4m3ftz", "rup", 2.0**-9, 0.0),
        ("e3m0fn", "rne", 3.0, 4.0),  # one-bit significand: IEEE 754-2019 takes the larger magnitude
        ("e3m0fn", "rto", 3.0, 2.0),
    ],
)
def test_known_cases(name, mode, x, expected):
    fmt = parse_format(name)
    assert fmt.decode(fmt.encode(x, rounding=mode)) == expected
    assert fmt.decode(fmt.encode(np.array(Fraction(x), dtype=object), rounding=mode)) == expected


def test_e4m3fn_overflow_counts_the_all_ones_value_as_too_large():
    fmt = parse_format("e4m3fn")
    codes = fmt.encode([464.0, 464.1, 480.0], overflow="nan")
    assert codes.tolist() == [0x7E, 0x7F, 0x7F]


def test_zeros_keep_their_sign_where_the_format_has_one():
    assert parse_format("e4m3fn").encode([0.0, -0.0, -1e-9]).tolist() == [0, 0x80, 0x80]
    assert parse_format("e4m3fnuz").encode([0.0, -0.0, -1e-9]).tolist() == [0, 0, 0]


def test_fractions_no_float_can_hold_round_exactly():
    fmt, third = parse_format("fp16"), Fraction(1, 3)
    codes = [int(fmt.encode(np.array(third), rounding=mode)) for mode in ("rdn", "rne", "rup")]
    assert codes == [0x3555, 0x3555, 0x3556]
    k = int((third - Fraction(0x555, 0x1000)) * 2**12 % 1 * 2**8)
    ups = fmt.encode(np.array(third), rounding="sr", rbits=8, rand=np.arange(256)) == 0x3556
    assert k == 85
    assert np.count_nonzero(ups) == k


def test_integers_beyond_float64_round_once():
    # 2^53 + 1 is no float64; rounding it there first would lose the bit that breaks the tie.
    fmt = FloatFormat(8, 51)
    x = (1 << 53) + 2 * 1 + 1
    assert fmt.decode(fmt.encode(x, rounding="rup")).item() == (1 << 53) + 4


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int16, np.uint8, bool])
def test_narrow_inputs_are_taken_as_they_are(dtype):
    values = np.array([0, 1, 1, 0, 1]).astype(dtype)
    fmt = parse_format("e5m2")
    assert (fmt.encode(values) == fmt.encode(values.astype(np.float64))).all()


def test_scalars_empty_and_non_contiguous_arrays_keep_their_shape():
    fmt = parse_format("fp32")
    assert fmt.encode(1.5).shape == fmt.decode(5).shape == ()
    assert fmt.encode(np.zeros((0, 3))).shape == (0, 3)
    values = np.arange(60.0).reshape(3, 4, 5)[:, ::2, ::-1]
    assert (fmt.decode(fmt.encode(values)) == values).all()
    fixed = parse_format("q3.5")
    assert fixed.encode(1.5).shape == fixed.decode(5).shape == ()


def test_blocks_join_without_seams():
    fmt, x = parse_format("fp16"), np.random.default_rng(1).standard_normal(40_001)
    assert (fmt.encode(x) == x.astype(np.float16).view(np.uint16)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rounding": "rn"}, "unknown rounding mode 'rn': did you mean 'rne'?"),
        ({"rounding": "sr", "rand": 0}, "random bits None of rounding 'sr' must be an integer: legal: 1..64"),
        (
            {"rounding": "sr", "rand": 0, "rbits": 65},
            "random bits 65 of rounding 'sr' out of range: legal: 1..64",
        ),
        ({"rounding": "sr", "rand": 0, "rbits": 0}, "random bits 0 of rounding 'sr' out of range"),
        ({"rounding": "sr", "rbits": 8}, "needs random words"),
        ({"rounding": "sr", "rbits": 3, "rand": 8}, "random word 8 does not fit 3 bits: legal: 0..7"),
        ({"rounding": "sr", "rbits": 3, "rand": -1}, "random word -1 does not fit 3 bits"),
        ({"rounding": "rne", "rbits": 3}, "random bits 3 given with rounding 'rne'"),
        ({"overflow": "nan"}, "legal: infinity, saturate"),
        ({"x": 1j}, "values must be real numbers"),
        ({"x": np.longdouble(1)}, "values must be real numbers of at most 64 bits"),
        ({"x": np.array(["1"], dtype=object)}, "'1' is not a real number"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(InputError) as caught:
        parse_format("e5m2").encode(**{"x": 1.0} | arguments)
    assert message in str(caught.value)
