"""Specs with lists of formats: what is legal, what their ports are, and that each mode is the plain unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.operators import json_schema, load

FORMATS = {"a": ["e4m3fn", "e5m2", "bf16"], "b": ["e5m2", "e5m2", "bf16"], "acc": "fp32"}
MAC = {"kind": "mac", "formats": FORMATS}


def test_the_mode_is_a_port_after_the_operands_and_before_the_random_words() -> None:
    operator = load({**MAC, "rounding": {"mode": "sr", "bits": 8}})
    assert [(port.name, port.width) for port in operator.inputs] == [
        ("a", 16),
        ("b", 16),
        ("acc", 32),
        ("mode", 2),
        ("rand", 8),
    ]
    assert operator.inputs[0].holds.startswith("e4m3fn, e5m2 or bf16 by mode, in the low bits")
    assert operator.inputs[3].holds == "the mode, 0 to 2; 3 and above are as 2"
    assert operator.output.width == 32


def test_every_mode_computes_what_the_plain_unit_of_its_formats_computes() -> None:
    lists = {**FORMATS, "acc": ["fp16", "e6m9", "fp32"]}
    for rounding in ("rne", {"mode": "sr", "bits": 6}):
        operator = load({"kind": "mac", "formats": lists, "rounding": rounding})
        assert operator.output.width == 32
        vectors = operator.vectors(4000, seed=1)
        got = operator.golden(*vectors)
        mode = np.minimum(vectors[3], 2)
        assert set(vectors[3].tolist()) == {0, 1, 2, 3}
        for number in range(3):
            formats = {key: names[number] for key, names in lists.items()}
            plain = load({"kind": "mac", "formats": formats, "rounding": rounding})
            chosen = mode == number
            patterns = [
                word[chosen].astype(np.uint64) & np.uint64((1 << port.width) - 1)
                for word, port in zip((*vectors[:3], *vectors[4:]), plain.inputs, strict=True)
            ]
            assert np.array_equal(got[chosen], plain.golden(*patterns))


def test_what_is_above_a_narrow_operand_is_ignored_and_above_a_narrow_result_is_zero() -> None:
    operator = load(
        {"kind": "mac", "formats": {"a": ["e4m3fn", "bf16"], "b": "e4m3fn", "acc": ["fp16", "fp32"]}}
    )
    assert (
        operator.golden([0x38, 0xFF38], [0x38, 0x38], [0x3C00, 0xABCD3C00], [0, 0]).tolist() == [0x4000] * 2
    )


def test_an_fma_has_lists_for_every_operand_and_the_result() -> None:
    formats = {"a": ["e4m3fn", "e5m2"], "b": "e4m3fn", "c": ["bf16", "fp16"], "y": "fp32"}
    operator = load({"kind": "fma", "formats": formats})
    assert [port.name for port in operator.inputs] == ["a", "b", "c", "mode"]
    one = {"e4m3fn": 0x38, "e5m2": 0x3C, "bf16": 0x3F80, "fp16": 0x3C00}
    assert operator.golden([0x38, 0x3C], [0x38, 0x38], [one["bf16"], one["fp16"]], [0, 1]).tolist() == [
        0x40000000,
        0x40000000,
    ]


DOT = {
    "kind": "dot",
    "n": 2,
    "formats": {"a": ["e4m3fn", "bf16"], "b": "e4m3fn", "c": "fp32", "y": ["fp16", "fp32"]},
}


def test_a_dot_has_vectors_whose_elements_are_as_wide_as_the_widest() -> None:
    operator = load(DOT)
    assert [(port.name, port.layout) for port in operator.inputs] == [
        ("a", (16, 16)),
        ("b", (8, 8)),
        ("c", (32,)),
        ("mode", (1,)),
    ]
    assert operator.inputs[0].holds.startswith("2 elements of 16 bits, element 0 lowest, each e4m3fn or bf16")
    a, b = [[0xFF38, 0x38], [0x3F80, 0x3F80]], [[0x38, 0x38]] * 2
    assert operator.golden(a, b, [0, 0], [0, 1]).tolist() == [0x4000, 0x40000000]  # 1 * 1 + 1 * 1
    assert load(operator.spec.to_yaml()) == operator
    assert operator.name == "dot2_exact_e4m3fn_bf16_e4m3fn_fp32_fp16_fp32_rne"


@pytest.mark.parametrize("scheme", ["exact", {"aligned": 5}])
def test_every_mode_of_a_dot_computes_what_the_plain_unit_computes(scheme: object) -> None:
    operator = load({**DOT, "scheme": scheme})
    a, b, c, mode = operator.vectors(3000, seed=2)
    got = operator.golden(a, b, c, mode)
    for number, (x, y) in enumerate((("e4m3fn", "fp16"), ("bf16", "fp32"))):
        formats = {"a": x, "b": "e4m3fn", "c": "fp32", "y": y}
        plain = load({"kind": "dot", "n": 2, "formats": formats, "scheme": scheme})
        chosen = mode == number
        assert chosen.sum() > 1000
        elements = a[chosen] & ((1 << plain.inputs[0].layout[0]) - 1)
        assert np.array_equal(got[chosen], plain.golden(elements, b[chosen], c[chosen]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scheme": "tree"}, "the scheme 'tree' rounds in formats of its own"),
        ({"scheme": {"sequential": {"product": "bf16"}}}, "legal: exact, {aligned: {bits: w}}"),
        ({"n": 65}, "legal: 1..64"),
        (
            {"formats": {"a": ["mxfp8_e4m3", "bf16"], "b": "bf16", "y": "fp32"}},
            "'mxfp8_e4m3' is of the block family",
        ),
        (
            {"formats": {"a": ["e4m3fn", "bf16"], "b": "bf16", "c": ["fp32", "q8.8"], "y": "fp32"}},
            "selected for c",
        ),
    ],
)
def test_lists_that_make_no_dot_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        load({**DOT, **changes})
    assert message in str(refusal.value)


def test_fixed_and_float_operands_can_be_selected() -> None:
    operator = load(
        {"kind": "mac", "formats": {"a": ["q1.7", "e4m3fn"], "b": ["q1.7", "e4m3fn"], "acc": "fp16"}}
    )
    assert operator.golden([0x40, 0x38], [0x40, 0x38], 0, [0, 1]).tolist() == [0x3400, 0x3C00]  # 1/4 and 1


def test_a_spec_with_lists_is_written_as_it_is_read_and_named_by_all_its_formats() -> None:
    operator = load(MAC)
    assert operator.spec.to_yaml()["formats"] == FORMATS
    assert load(operator.spec.to_yaml()) == operator
    assert operator.name == "mac_e4m3fn_e5m2_bf16_e5m2_e5m2_bf16_fp32_rne"
    assert load({**MAC, "lanes": 4}).name.endswith("_rne_x4")


def test_lanes_have_a_mode_each() -> None:
    operator = load({**MAC, "lanes": 2})
    assert [port.width for port in operator.inputs] == [32, 32, 64, 4]
    got = operator.golden([0x38, 0x3C], [0x3C, 0x3C], [0, 0], [0, 1])
    assert got.tolist() == [0x3F800000, 0x3F800000]


def test_the_published_schema_knows_lists() -> None:
    definitions = json_schema()["$defs"]
    assert {"SelectedMacSpec", "SelectedFmaSpec"} <= set(definitions)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"formats": {**FORMATS, "b": ["e5m2", "bf16"]}},
            "lists of formats select together, so they must be of one length, but a has 3, b has 2",
        ),
        ({"formats": {**FORMATS, "a": ["bf16"], "b": "bf16"}}, "1 formats to select from is out of range"),
        ({"formats": {**FORMATS, "a": ["e4m3fn", "e5m2", "e9m99"]}}, "e9m99"),
        ({"formats": {**FORMATS, "a": ["e4m3fn", "e5m2", "posit8"]}}, "'posit8' is of the posit family"),
        ({"formats": {**FORMATS, "acc": ["fp32", "q8.8", "fp16"]}}, "'q8.8' cannot be selected for acc"),
        (
            {"formats": {**FORMATS, "acc": ["fp32", "e4m3fn", "fp16"]}},
            r"each in its own way \(infinity, saturate\)",
        ),
        ({"overflow": "nan"}, "mode 0: overflow policy 'nan' is not one of fp32"),
        ({"accumulate": {"split": "bf16"}}, "accumulate"),
    ],
)
def test_lists_that_make_no_unit_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load({**MAC, **changes})


def test_one_policy_that_all_results_have_settles_how_they_overflow() -> None:
    formats = {**FORMATS, "acc": ["fp32", "e4m3fn", "fp16"]}
    operator = load({"kind": "mac", "formats": formats, "overflow": "saturate"})
    # 2^15 squared is beyond e4m3fn, and fp16.
    assert operator.golden([0x77, 0x4700], [0x77, 0x4700], 0, [1, 2]).tolist() == [0x7E, 0x7BFF]


def test_kinds_without_lists_refuse_them() -> None:
    with pytest.raises(InputError, match="is neither a name"):
        load({"kind": "mul", "formats": {"a": ["e4m3fn", "e5m2"], "b": "e4m3fn", "y": "bf16"}})
