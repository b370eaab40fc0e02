"""Emitted activation units, in C++, against the golden model: every operand of many formats and methods."""

from __future__ import annotations

from pathlib import Path

import pytest
from activation_units import mismatches
from header_builds import plant

from hwgen.golden.activation_functions import FUNCTIONS
from hwgen.operators import Operator, load

FLUSHED = {"float": {"exponent": 4, "mantissa": 4, "subnormals": False}}


def unit(name: str, function: str, x: object, y: object, **keys: object) -> Operator:
    formats = {"x": x, "y": y}
    return load({"kind": "activation", "name": name, "function": function, "formats": formats, **keys})


def test_approximations_agree_with_golden_for_every_operand_of_odd_formats(tmp_path: Path) -> None:
    formats: list[tuple[object, object, dict[str, object]]] = [
        ("e5m3", "e5m3", {"method": "polynomial"}),
        (FLUSHED, FLUSHED, {"method": "polynomial", "degree": 1}),
        ("e4m3fnuz", "e4m3fnuz", {}),
        ("uq3.5", "e4m3fn", {"method": "polynomial"}),
        ("q3.5", "q2.6", {"method": "polynomial"}),
    ]
    units = [
        unit(f"u{index}_{name}", name, x, y, **keys)
        for turn, name in enumerate(FUNCTIONS)
        for index, (x, y, keys) in enumerate(formats)
        if (turn + index) % 2 or name in ("exp", "rsqrt", "dtanh")
    ]
    assert mismatches(units, tmp_path) == []


def test_sixteen_bit_approximations_agree_with_golden_for_every_operand(tmp_path: Path) -> None:
    units = [
        unit("tanh_bipartite", "tanh", "bf16", "bf16", method="bipartite"),
        unit("exp_bipartite", "exp", "fp16", "fp16", method="bipartite"),
        unit("exp_polynomial", "exp", "bf16", "fp16", method="polynomial"),
        unit("reciprocal_bipartite", "reciprocal", "fp16", "bf16", method="bipartite"),
        unit("rsqrt_polynomial", "rsqrt", "fp16", "fp16", method="polynomial", degree=2),
        unit("tanh_polynomial", "tanh", "fp16", "fp16", method="polynomial"),
        unit("sigmoid_fixed", "sigmoid", "q4.12", "uq1.11", method="polynomial", degree=2, segments=16),
    ]
    assert mismatches(units, tmp_path) == []


def test_relus_and_their_gradients_agree_with_golden(tmp_path: Path) -> None:
    units = []
    for function in ("relu", "leaky_relu", "relu_gradient", "leaky_relu_gradient"):
        mask = {} if "gradient" in function else {"mask": True}
        slope = {"slope": 0.01} if "leaky" in function else {}
        pairs = [("e4m3fnuz", "e4m3fn"), ("q3.5", "q2.4"), ("e5m3", "e4m3fnuz"), (FLUSHED, "e5m2")]
        for index, (x, y) in enumerate(pairs):
            for mode in ("rne", "rup", {"mode": "sr", "bits": 5}):
                name = f"u{len(units)}_{function}_{index}"
                units.append(unit(name, function, x, y, rounding=mode, **mask, **slope))
    assert mismatches(units, tmp_path) == []


# Header, what is there, what the bug makes of it, and the unit in which it must show.
BUGS = [
    ("activation", "(product >> T)", "(product >> (T - 1))", ("tanh", "fp16", {"method": "polynomial"})),
    ("activation", "ap_uint<T - 1>(~t)", "ap_uint<T - 1>(t)", ("tanh", "bf16", {"method": "bipartite"})),
    ("activation", "offset_t(x.offset) - offset_t(left)", "offset_t(x.offset)", ("rsqrt", "fp16", {})),
    ("activation", "? ap_uint<Z>(~magnitude)", "? ap_uint<Z>(-magnitude)", ("exp", "fp16", {})),
    ("activation_relu", "&& !u.is_nan", "", ("relu", "e5m2", {"mask": True})),
    ("activation_relu", "| unpack<X>(x).is_nan", "", ("relu", "e4m3fnuz", {})),
    ("activation_relu", "pass ? one : slope", "pass ? slope : one", ("leaky_relu", "e5m2", {})),
]


@pytest.mark.parametrize(("header", "right", "wrong", "victim"), BUGS)
def test_a_planted_bug_in_an_activation_header_is_caught(
    tmp_path: Path, header: str, right: str, wrong: str, victim: tuple[str, str, dict[str, object]]
) -> None:
    function, format_, keys = victim
    mutated = plant(tmp_path, header, right, wrong)
    assert mismatches([unit("planted", function, format_, format_, **keys)], tmp_path, headers=mutated)
