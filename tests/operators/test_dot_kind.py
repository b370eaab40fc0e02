"""Specs of dot products: ports, defaults, what is refused, and the vectors that test them."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.emit.render import render_project
from hwgen.errors import InputError
from hwgen.operators import Operator, load

FP8 = {"a": "e4m3fn", "b": "e5m2", "c": "fp16", "y": "fp16"}


def spec(**more: object) -> dict[str, object]:
    return {"kind": "dot", "n": 4, "formats": FP8, **more}


def test_vectors_are_packed_and_the_addend_is_a_word() -> None:
    operator = load(spec())
    assert [(port.name, port.width, port.packed) for port in operator.inputs] == [
        ("a", 32, True),
        ("b", 32, True),
        ("c", 16, False),
    ]
    assert operator.output.width == 16
    assert operator.name == "dot4_exact_e4m3fn_e5m2_fp16_fp16_rne"


def test_a_block_format_gives_its_size_and_brings_its_scale() -> None:
    operator = load({"kind": "dot", "formats": {"a": "mxfp8_e4m3", "b": "mxfp4", "y": "fp32"}})
    a, b = operator.inputs
    assert (a.elements, a.width, b.width) == (33, 32 * 8 + 8, 32 * 4 + 8)


def test_elements_of_larger_blocks_and_tensors_share_one_scale() -> None:
    formats = {"a": "mxint8", "b": "bfp8", "y": "fp32"}
    operator = load({"kind": "dot", "n": 5, "formats": formats})
    assert [port.elements for port in operator.inputs] == [6, 6]


@pytest.mark.parametrize(
    ("scheme", "c", "words"),
    [
        ("exact", "fp16", 1),
        ({"aligned": 12}, "fp16", 1),
        ("tree", None, 7),
        ("tree", "fp16", 8),
        ("sequential", "fp16", 4),
        ({"sequential": {"product": "bf16"}}, None, 8),
    ],
)
def test_every_rounding_takes_a_random_word(scheme: object, c: str | None, words: int) -> None:
    formats = {key: value for key, value in {**FP8, "c": c}.items() if value}
    operator = load(spec(formats=formats, scheme=scheme, rounding={"mode": "sr", "bits": 5}))
    assert operator.inputs[-1].width == 5 * words


@pytest.mark.parametrize(
    "scheme",
    [
        "exact",
        "tree",
        "sequential",
        {"aligned": 25},
        {"aligned": {"bits": 7, "shifted_out": "jam"}},
        {"tree": {"partial": "fp32"}},
        {"sequential": {"partial": "fp32", "product": "bf16"}},
    ],
)
def test_a_spec_survives_its_own_plain_data(scheme: object) -> None:
    operator = load(spec(scheme=scheme))
    assert load(operator.spec.to_yaml()) == operator


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 65}, r"n 65 is out of range: legal: 1\.\.64"),
        ({"n": None}, "the key 'n', the number of elements, is missing"),
        ({"scheme": "exakt"}, "did you mean 'exact'"),
        ({"scheme": "aligned"}, "needs its bits"),
        ({"scheme": {"aligned": 0}}, r"bits 0 is out of range: legal: 1\.\.128"),
        ({"scheme": {"aligned": {"bits": 9, "shifted_out": "floor"}}}, "legal: truncate, jam"),
        ({"scheme": {"tree": {"product": "fp16"}}}, "unknown key 'product'|key 'product'"),
        ({"scheme": {"tree": {"partial": "mxfp4"}}}, "holds no single numbers"),
        ({"formats": {**FP8, "y": "mxfp4"}}, "of the block family: legal here: float, fixed, posit"),
        ({"formats": {**FP8, "a": "mxfp4"}, "n": 33}, r"several scales: legal: 1\.\.32"),
        ({"formats": {**FP8, "y": "int8"}, "overflow": "wrap"}, "needs fixed-point operands"),
        (
            {"formats": {**FP8, "y": "posit8"}, "rounding": "rtz"},
            "impossible for format 'posit8': legal: rne",
        ),
    ],
)
def test_what_is_not_legal_is_refused_with_what_is(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(spec(**change))


def shares(operator: Operator) -> dict[str, float]:
    """How often vectors are what they are meant to be."""
    a, b, c = operator.vectors(4_000, seed=2)
    formats = operator.spec.formats
    with np.errstate(all="ignore"):
        products = formats.a.decode(a) * formats.b.decode(b)
        addend = formats.c.decode(c)
        total = products.sum(axis=1) + addend
        largest = np.maximum(np.abs(products).max(axis=1), np.abs(addend))
    finite = np.isfinite(largest)
    return {
        "special": float(np.mean(~finite)),
        "cancel": float(np.mean(finite & (np.abs(total) < largest / 16))),
        "pairs": float(np.mean([np.any(row[:, None] == -row[None, :]) for row in products])),
        "far": float(np.mean(finite & (np.abs(products).min(axis=1) < largest / 2**10))),
    }


def test_vectors_cancel_lie_far_apart_and_meet_special_values() -> None:
    found = shares(load(spec()))
    assert found["cancel"] > 0.1
    assert found["pairs"] > 0.4
    assert found["far"] > 0.3
    assert found["special"] > 0.05


@pytest.mark.parametrize(
    ("scheme", "call"),
    [
        ("exact", "hwgen::dot_exact<as_t, bs_t, c_t, y_t, rounding_t>(a, b, c)"),
        ({"aligned": 9}, "c_t, y_t, rounding_t, 9, cut_rule>(a, b, c)"),
        ({"tree": {"partial": "bf16"}}, "c_t, y_t, rounding_t, s_t, s_rule_t>(a, b, c)"),
    ],
)
def test_the_top_calls_its_scheme(scheme: object, call: str) -> None:
    operator = load(spec(scheme=scheme))
    files = render_project(operator)
    assert call in files[f"src/{operator.name}.cpp"].decode()
