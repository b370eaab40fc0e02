"""Every pair of 8-bit operands, every mode, every overflow policy, against the Fraction oracle."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from fraction_oracle import MODES, NAN, FloatSpec, Number, add, multiply, spec_of

from hwgen import golden
from hwgen.formats import Rounding, parse_format

EIGHT_BITS = ("e4m3fn", "e5m2", "e4m3fnuz")
MORE = ("e5m2fnuz", "e4m3b11fnuz", "e3m4", "e4m3ftz", "e2m5none")
CODES = np.arange(256, dtype=np.uint8)
SR_BITS = 2
ALL_MODES = [(mode, 0) for mode in MODES] + [("sr", word) for word in range(1 << SR_BITS)]


def rounding_of(mode: str) -> Rounding:
    return Rounding(mode, SR_BITS if mode == "sr" else None)


class Rounder:
    """Rounds each distinct exact value once in every mode and policy."""

    def __init__(self, spec: FloatSpec, policies) -> None:
        self.spec, self.policies, self.known = spec, policies, {}

    def __call__(self, x):
        finite = not isinstance(x.magnitude, str)
        # Fractions hash slowly; their parts do not.
        key = (x.negative, x.magnitude.numerator, x.magnitude.denominator) if finite else x
        if key not in self.known:
            place = self.spec.place(x)
            self.known[key] = [
                self.spec.finish(x, place, mode, policy, word, SR_BITS)
                for policy in self.policies
                for mode, word in ALL_MODES
            ]
        return self.known[key]


def expected_pairs(fmt, operation):
    """Return an array [policy and mode, a, b] of patterns."""
    spec = spec_of(fmt)
    rounder = Rounder(spec, fmt.legal_overflows)
    values = [spec.value(code) for code in range(256)]
    results = np.empty((256, 256, len(fmt.legal_overflows) * len(ALL_MODES)), dtype=np.uint8)
    rdn = ALL_MODES.index(("rdn", 0))
    for a, x in enumerate(values):
        for b, y in enumerate(values[: a + 1]):  # both operations commute
            exact = multiply(x, y) if operation == "mul" else add(x, y, "rne")
            results[a, b] = results[b, a] = rounder(exact)
            if operation == "add" and exact.magnitude == 0:
                # The mode decides the sign of an exact zero.
                down = rounder(add(x, y, "rdn"))[rdn :: len(ALL_MODES)]
                results[a, b, rdn :: len(ALL_MODES)] = results[b, a, rdn :: len(ALL_MODES)] = down
    return np.moveaxis(results, -1, 0)


def check_pairs(name, operation):
    fmt = parse_format(name)
    expected = expected_pairs(fmt, operation)
    function = getattr(golden, operation)
    index = 0
    for policy in fmt.legal_overflows:
        for mode, word in ALL_MODES:
            got = function(
                CODES[:, None],
                CODES,
                a_fmt=fmt,
                b_fmt=fmt,
                y_fmt=fmt,
                rounding=rounding_of(mode),
                overflow=policy,
                rand=word if mode == "sr" else None,
            )
            assert got.dtype == np.uint8
            wrong = np.argwhere(got != expected[index])
            assert not len(wrong), f"{name} {operation} {mode} {policy}: a, b = {wrong[0]}"
            index += 1


@pytest.mark.parametrize("operation", ["add", "mul"])
@pytest.mark.parametrize("name", EIGHT_BITS)
def test_all_pairs_of_an_8_bit_format_in_every_mode(name, operation):
    check_pairs(name, operation)


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["add", "mul"])
@pytest.mark.parametrize("name", MORE)
def test_all_pairs_of_more_8_bit_formats_in_every_mode(name, operation):
    check_pairs(name, operation)


@pytest.mark.parametrize("source", [*EIGHT_BITS, *MORE, "e3m2", "e2m1", "fp16", "bf16", "q4.4", "posit8"])
@pytest.mark.parametrize("target", [*EIGHT_BITS, *MORE, "e3m2", "e2m3", "e2m1", "e3m0fn", "e4m0noneftz"])
def test_conversion_of_every_pattern_in_every_mode(source, target):
    x_fmt, y_fmt = parse_format(source), parse_format(target)
    count = 1 << x_fmt.width
    codes = np.arange(count) if count <= 256 else np.random.default_rng(5).integers(0, count, 600)
    if x_fmt.family == "posit":
        values = x_fmt.decode(codes).tolist()
        numbers = [NAN if np.isnan(v) else Number(v < 0, abs(Fraction(v))) for v in values]
    else:
        numbers = [spec_of(x_fmt).value(int(code)) for code in codes]
    rounder = Rounder(spec_of(y_fmt), y_fmt.legal_overflows)
    expected = np.array([rounder(x) for x in numbers]).T
    index = 0
    for policy in y_fmt.legal_overflows:
        for mode, word in ALL_MODES:
            got = golden.convert(
                codes,
                x_fmt=x_fmt,
                y_fmt=y_fmt,
                rounding=rounding_of(mode),
                overflow=policy,
                rand=word if mode == "sr" else None,
            )
            assert got.tolist() == expected[index].tolist(), (mode, policy)
            index += 1
