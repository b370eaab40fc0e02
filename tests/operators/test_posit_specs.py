"""Specs with posits and E8M0 scales: what is legal, what is said, which vectors are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.flow.prove import statement_of
from hwgen.formats import PositFormat
from hwgen.operators import load
from hwgen.operators.describe import overflow_sentence, special_sentences


def mul(y: str, **more: object):
    return load({"kind": "mul", "formats": {"a": "posit8", "b": "e4m3fn", "y": y}, **more})


def mac(**more: object):
    return load({"kind": "mac", "formats": {"a": "posit8", "b": "posit8", "acc": "fp16"}, **more})


@pytest.mark.parametrize("mode", ["rna", "rtz", "rup", "rdn", "rto"])
def test_a_posit_result_is_rounded_to_nearest_only(mode: str) -> None:
    assert mul("posit8").spec.rounding.mode == "rne"
    with pytest.raises(InputError, match=f"rounding '{mode}' is impossible for format 'posit8': legal: rne"):
        mul("posit8", rounding=mode)
    assert mul("bf16", rounding=mode).spec.rounding.mode == mode


def test_a_posit_result_has_no_stochastic_rounding() -> None:
    with pytest.raises(InputError, match="rounding 'sr' is impossible for format 'posit8'"):
        mul("posit8", rounding={"mode": "sr", "bits": 8})


def test_a_posit_product_of_a_split_mac_is_rounded_to_nearest() -> None:
    operator = mac(accumulate={"split": "posit16"}, rounding="rtz")
    assert operator.spec.product[1].mode == "rne"
    with pytest.raises(
        InputError, match="the product is a posit16, which rounds to nearest only: legal: rne"
    ):
        mac(accumulate={"split": "posit16", "rounding": "rtz"})


def test_block_formats_are_refused_where_numbers_are_single() -> None:
    with pytest.raises(
        InputError, match="'mxfp4' is of the block family, and this operator takes single numbers"
    ):
        mul("mxfp4")


@pytest.mark.parametrize(
    "formats", [("posit8", "fp16"), ("fp16", "posit8"), ("e8m0", "fp16"), ("fp16", "e8m0")]
)
def test_a_proof_is_refused_for_want_of_a_theory(formats: tuple[str, str]) -> None:
    operator = load({"kind": "convert", "formats": dict(zip("xy", formats, strict=True))})
    with pytest.raises(InputError, match=r"IEEE 754 has no arithmetic of '(posit8|e8m0)'"):
        statement_of(operator)


def test_the_sentences_say_what_the_standard_demands() -> None:
    operator = mul("posit8")
    assert "maxpos of the result's sign" in overflow_sentence(operator)
    said = " ".join(special_sentences(operator))
    assert "NaN operands and NaR operands give NaR 0x80." in said
    assert "minpos, 2^-24, or maxpos, 2^24" in said
    scale = load({"kind": "convert", "formats": {"x": "bf16", "y": "e8m0"}})
    assert "Zero and negative results are NaN" in " ".join(special_sentences(scale))


def test_many_results_lie_where_the_bit_string_turns() -> None:
    operator = load({"kind": "convert", "formats": {"x": "fp64", "y": "posit16"}})
    (codes,) = operator.vectors(4_000, seed=2)
    values = codes.view(np.float64)
    longer = PositFormat(17)
    patterns = longer.encode(values[np.isfinite(values)])
    ties = (longer.decode(patterns) == values[np.isfinite(values)]) & (patterns % 2 == 1)
    assert ties.sum() > 400


def test_vectors_hold_the_ends_of_posits_and_scales() -> None:
    operator = load({"kind": "mul", "formats": {"a": "posit16", "b": "e8m0", "y": "posit16"}})
    a, b = operator.vectors(2_000, seed=0)
    assert {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF} <= set(a.tolist())
    assert {0, 127, 0xFE, 0xFF} <= set(b.tolist())
