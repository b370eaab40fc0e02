"""Specs of activation units: what is refused, and what is filled in."""

from __future__ import annotations

import pytest

from hwgen.errors import InputError
from hwgen.operators import load


def spec(function: str, x: str = "e5m2", y: str = "e5m2", **keys: object) -> dict[str, object]:
    return {"kind": "activation", "function": function, "formats": {"x": x, "y": y}, **keys}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (spec("sigmod"), "did you mean 'sigmoid'"),
        (spec("tanh", slope=0.5), "'slope' belongs to leaky_relu"),
        (spec("tanh", mask=True), "'mask' belongs to relu"),
        (spec("relu", method="table"), "'method' belongs to approximated functions"),
        (spec("tanh", degree=2), "'degree' belongs to method 'polynomial'"),
        (spec("tanh", method="polynomial", segments=12), "a power of two"),
        (spec("tanh", rounding="rtz"), "legal: rne"),
        (spec("tanh", x="fp32"), "up to 16 bits"),
        (spec("tanh", x="q4.4", y="q1.7", overflow="wrap"), "cannot wrap"),
        (spec("exp", x="e5m6", y="e5m6", method="polynomial", segments=1, degree=1), "no faithful exp"),
        (spec("tanh", method="polynomial", segments=256), "another number of segments"),
        (spec("leaky_relu", slope=0), "2^-60 to 1"),
        (spec("softmax"), "needs the key 'n'"),
        (spec("softmax", n=65), "2..64"),
    ],
)
def test_an_illegal_spec_is_refused_with_what_is_legal(given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        load(given)
    assert message in str(refusal.value)


def test_a_slope_is_rounded_to_eight_bits_and_its_format_holds_it_and_one() -> None:
    unit = load(spec("leaky_relu", slope=0.01))
    assert unit.spec.slope == 164 * 2.0**-14
    slope, one = unit.spec.slope_codes
    decoded = unit.spec.slope_format.decode([slope, one])
    assert decoded.tolist() == [164 * 2.0**-14, 1.0]


def test_masks_lie_above_the_value_and_are_an_operand_of_the_gradient() -> None:
    assert load(spec("relu", mask=True)).output.layout == (8, 1)
    assert [port.width for port in load(spec("relu_gradient")).inputs] == [8, 1]
    assert load(spec("softmax", n=4)).output.layout == (8, 8, 8, 8)


def test_a_small_unit_is_a_correctly_rounded_table() -> None:
    found = load(spec("sigmoid")).spec.approximation
    assert (found.design.method, found.misrounded) == ("table", 0)
