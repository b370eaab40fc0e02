"""Validation of the keys that every kind shares, through the kinds that users write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hwgen.errors import InputError
from hwgen.formats import FixedFormat, Overflow, RoundingMode
from hwgen.operators import kind_names, load
from hwgen.spec.reserved_words import CPP_WORDS, VERILOG_KEYWORDS

MUL: dict[str, Any] = {"kind": "mul", "formats": {"a": "e4m3fn", "b": "e5m2", "y": "bf16"}}
LFSR: dict[str, Any] = {"mode": "sr", "bits": 8, "rand": {"lfsr": {}}}


def refusal(**keys: Any) -> str:
    with pytest.raises(InputError) as caught:
        load({**MUL, **keys})
    return caught.value.message


def test_defaults_are_filled_in() -> None:
    spec = load(MUL).spec
    assert spec.rounding.mode is RoundingMode.RNE
    assert spec.overflow is Overflow.INFINITY
    assert (spec.interface, spec.name) == ("function", "mul_e4m3fn_e5m2_bf16_rne")


def test_a_normalised_spec_loads_again_to_an_equal_one() -> None:
    for extra in (
        {},
        {"rounding": LFSR},
        {"rounding": {"mode": "sr", "bits": 3}},
        {"target": {"clock_ps": 900}},
    ):
        operator = load({**MUL, **extra})
        assert load(operator.spec.to_yaml()) == operator


def test_formats_may_be_spelt_out() -> None:
    formats = {"a": {"fixed": {"width": 6, "fraction": 2}}, "b": "uint4", "y": "int8"}
    operator = load({"kind": "mul", "formats": formats})
    assert operator.inputs[0].format == FixedFormat(6, 2)
    assert load(operator.spec.to_yaml()) == operator


def test_the_default_overflow_follows_the_result_format() -> None:
    for result, policy in (
        ("e4m3fn", "saturate"),
        ("fp16", "infinity"),
        ("q4.4", "saturate"),
        ("e2m1", "saturate"),
    ):
        spec = load({**MUL, "formats": {**MUL["formats"], "y": result}}).spec
        assert spec.overflow == policy


def test_an_overflow_policy_that_the_format_lacks_names_those_it_has() -> None:
    assert (
        refusal(overflow="wrap")
        == "overflow: overflow policy 'wrap' is not one of bf16: legal: infinity, saturate"
    )
    assert "did you mean 'saturate'" in refusal(overflow="saturated")


@pytest.mark.parametrize(
    ("rounding", "fragment"),
    [
        ("rn", "rounding.mode: unknown rounding mode 'rn': did you mean"),
        (7, "rounding: 7 is not a mapping"),
        (
            {"mod": "sr"},
            "rounding.mod: unknown key 'mod': did you mean 'mode'? legal: mode, bits, rand, variant",
        ),
        ("sr", "needs the key 'bits'"),
        ({"bits": 3}, "the key 'mode' is missing"),
        ({"mode": "sr", "bits": 0}, "rounding.bits: SR bits 0 is out of range: legal: 1..64"),
        ({"mode": "sr", "bits": 65}, "rounding.bits: SR bits 65 is out of range: legal: 1..64"),
        ({"mode": "sr", "bits": "8"}, "rounding.bits: SR bits '8' is not a whole number: legal: 1..64"),
        ({"mode": "sr", "bits": 8.0}, "SR bits 8.0 is not a whole number"),
        ({"mode": "sr", "bits": True}, "SR bits True is not a whole number"),
        ({"mode": "rne", "bits": 8}, "rounding.bits: the key 'bits' belongs to rounding mode 'sr'"),
        ({"mode": "rne", "rand": "port"}, "rounding.rand: the key 'rand' belongs to rounding mode 'sr'"),
        (
            {"mode": "rne", "variant": "lazy"},
            "rounding.variant: the key 'variant' belongs to rounding mode 'sr'",
        ),
        (
            {"mode": "sr", "bits": 8, "variant": "eagre"},
            "rounding.variant: unknown variant of sr 'eagre': did you mean 'eager'? legal: lazy, eager",
        ),
        ({"mode": "sr", "bits": 8, "rand": "ports"}, "rounding.rand: unknown source of random words 'ports'"),
        ({"mode": "sr", "bits": 8, "rand": {"lsfr": {}}}, "unknown key 'lsfr': did you mean 'lfsr'?"),
        ({"mode": "sr", "bits": 8, "rand": {"lfsr": {"seed": 0}}}, "rounding.rand.lfsr.seed: LFSR seed 0"),
        ({"mode": "sr", "bits": 8, "rand": {"lfsr": {"seed": "x"}}}, "LFSR seed 'x'"),
        (
            {"mode": "sr", "bits": 8, "rand": {"lfsr": {"width": 15}}},
            "too narrow for 8 random bits: legal: 16..80",
        ),
        (
            {"mode": "sr", "bits": 8, "rand": {"lfsr": {"width": 81}}},
            "LFSR width 81 is not legal: legal: 9..80",
        ),
        (
            {"mode": "sr", "bits": 8, "rand": {"lfsr": {"width": 16, "seed": 1 << 16}}},
            "has more than 16 bits",
        ),
        (
            {"mode": "sr", "bits": 8, "rand": {"lfsr": {"width": 16, "taps": [16, 8]}}},
            "rounding.rand.lfsr.taps: LFSR",
        ),
        (
            {"mode": "sr", "bits": 8, "rand": {"lfsr": {"taps": [31, 28]}}},
            "do not give the maximal period 2^32-1",
        ),
        ({"mode": "sr", "bits": 8, "rand": {"lfsr": {"taps": 5}}}, "LFSR taps 5 are not a list of exponents"),
        (
            {"mode": "sr", "bits": 8, "rand": {"lfsr": {"taps": []}}},
            "LFSR taps [] are not a list of exponents",
        ),
    ],
)
def test_an_illegal_rounding_says_what_is_legal(rounding: object, fragment: str) -> None:
    assert fragment in refusal(rounding=rounding)


def test_the_generator_is_completed_from_the_random_bits() -> None:
    for bits, width in ((8, 32), (24, 32), (25, 33), (64, 72)):
        state = load({**MUL, "rounding": {**LFSR, "bits": bits}}).state
        assert state is not None
        assert (state.width, state.bits, state.seed) == (width, bits, 0xACE1)


def test_other_taps_of_maximal_length_are_taken() -> None:
    state = load(
        {
            **MUL,
            "rounding": {"mode": "sr", "bits": 8, "rand": {"lfsr": {"width": 16, "taps": [4, 13, 15, 16]}}},
        }
    ).state
    assert state is not None
    assert state.taps == 1 << 15 | 1 << 13 | 1 << 4 | 1


def test_a_generator_makes_the_interface_a_stream() -> None:
    assert load({**MUL, "rounding": LFSR}).interface == "stream"
    assert "cannot hold an LFSR: legal: stream" in refusal(rounding=LFSR, interface="function")


EAGER = {"mode": "sr", "bits": 8, "variant": "eager"}


def test_eager_rounding_is_for_sums_and_part_of_the_default_name() -> None:
    formats = {"a": "e4m3fn", "b": "e5m2", "acc": "e6m5"}
    operator = load({"kind": "mac", "formats": formats, "rounding": EAGER})
    assert operator.name == "mac_e4m3fn_e5m2_e6m5_sr8_eager"
    assert load(operator.spec.to_yaml()) == operator
    # In a split mac only the addition is eager, so the factors may be anything.
    split = {"kind": "mac", "formats": {**formats, "a": "int8"}, "accumulate": {"split": "fp16"}}
    assert load({**split, "rounding": EAGER}).spec.rounding.eager


@pytest.mark.parametrize(
    ("spec", "fragment"),
    [
        ({}, "which a unit of kind 'mul' does not offer: legal: lazy; or one of the kinds add, fma, mac"),
        (
            {"kind": "add", "formats": {"a": "q4.4", "b": "e5m2", "y": "e5m2"}},
            "is for sums of floats, and q4.4 is none: legal: lazy",
        ),
        (
            {"kind": "mac", "formats": {"a": "e5m2", "b": "e5m2", "acc": "q8.8"}},
            "is for sums of floats, and q8.8 is none: legal: lazy",
        ),
        (
            {"kind": "mac", "formats": {"a": ["e5m2", "e4m3fn"], "b": "e5m2", "acc": "fp16"}},
            "which a unit with selectable formats does not offer: legal: lazy",
        ),
        (
            {"kind": "dot", "n": 2, "scheme": "tree", "formats": {"a": "e5m2", "b": "e5m2", "y": "fp16"}},
            "which a unit of kind 'dot' does not offer",
        ),
    ],
)
def test_eager_rounding_elsewhere_is_refused(spec: dict[str, Any], fragment: str) -> None:
    message = refusal(**spec, rounding=EAGER)
    assert message.startswith("rounding.variant: variant 'eager' ")
    assert fragment in message


@pytest.mark.parametrize(
    "name",
    [
        "",
        "8bit",
        "a-b",
        "../x",
        "a/b",
        "/etc/x",
        "a b",
        "_x",
        "a__b",
        "ab_",
        "é",
        "class",
        "module",
        "logic",
        "std",
        "y",
        "result",
        "x" * 65,
        5,
        None,
    ],
)
def test_what_is_no_c_identifier_is_no_name(name: object) -> None:
    if name is None:
        assert load({**MUL, "name": None}).name == "mul_e4m3fn_e5m2_bf16_rne"
    else:
        assert "name: " in refusal(name=name)


def test_a_word_of_a_language_is_no_name_and_one_made_of_it_is() -> None:
    assert len(VERILOG_KEYWORDS) == 248  # IEEE 1800-2017, table B.1
    assert {"buf", "endmodule", "checker", "first_match", "int", "this"} <= VERILOG_KEYWORDS
    assert {"template", "int", "wchar_t", "xor_eq", "errno"} <= CPP_WORDS
    for word in CPP_WORDS | VERILOG_KEYWORDS:
        message = refusal(name=word)
        assert f"illegal name {word!r}" in message
        assert f"legal: '{word}_unit'" in message
    assert load({**MUL, "name": "buf_unit"}).name == "buf_unit"


@pytest.mark.parametrize("name", ["q", "A1_b2", "x" * 64, "mac_e4m3"])
def test_c_identifiers_are_names(name: str) -> None:
    assert load({**MUL, "name": name}).name == name


def test_a_default_name_is_an_identifier_of_legal_length() -> None:
    wide = {"float": {"exponent": 10, "mantissa": 13, "bias": -100, "specials": "fnuz", "subnormals": False}}
    name = load({"kind": "mul", "formats": {"a": wide, "b": wide, "y": "q1.7"}}).name
    assert len(name) <= 64
    assert load({**MUL, "name": name}).name == name


@pytest.mark.parametrize(
    ("keys", "fragment"),
    [
        ({"kidn": "x"}, "unknown key 'kidn': did you mean 'kind'?"),
        ({"formats": "e5m2"}, "formats: 'e5m2' is not a mapping: legal keys: a, b, y"),
        ({"formats": {"a": "e5m2"}}, "formats: the key 'b' is missing; given: a"),
        ({"formats": {**MUL["formats"], "z": "e5m2"}}, "formats.z: unknown key 'z'"),
        (
            {"formats": {**MUL["formats"], "y": "e4m3f"}},
            "formats.y: unknown format 'e4m3f': did you mean 'e4m3fn'?",
        ),
        ({"formats": {**MUL["formats"], "y": 5}}, "formats.y: the format 5 is neither a name"),
        ({"formats": {**MUL["formats"], "y": "e1m2"}}, "float exponent width 1 out of range: legal: 2..11"),
        (
            {"formats": {**MUL["formats"], "y": {"float": {"exponent": 5, "mantissa": 60}}}},
            "60 out of range: legal: 0..52",
        ),
        (
            {"formats": {**MUL["formats"], "y": "mxfp8_e4m3"}},
            "formats.y: 'mxfp8_e4m3' is of the block family, and this operator takes single numbers",
        ),
        (
            {"formats": {**MUL["formats"], "y": "posit8"}, "rounding": "rtz"},
            "rounding: rounding 'rtz' is impossible for format 'posit8': legal: rne",
        ),
        (
            {"formats": {**MUL["formats"], "y": "posit8"}, "overflow": "infinity"},
            "overflow: overflow policy 'infinity' is not one of posit8: legal: saturate",
        ),
        ({"interface": "streams"}, "interface: unknown interface 'streams': did you mean 'stream'?"),
        ({"target": {"clock_ps": 0}}, "target.clock_ps: clock period 0 is out of range: legal: 50..10000000"),
        ({"target": {"delay_model": "tsmc"}}, "target.delay_model: unknown delay model 'tsmc'"),
        ({"target": {"part": "x; exec rm"}}, "target.part: illegal part 'x; exec rm'"),
        ({"target": []}, "target: [] is not a mapping"),
        ({"accumulate": "fused"}, "accumulate: unknown key 'accumulate'"),
    ],
)
def test_an_illegal_key_or_value_is_placed_and_explained(keys: dict[str, Any], fragment: str) -> None:
    assert fragment in refusal(**keys)


def test_the_first_offending_line_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("kind: mul\nname: a b\nformats:\n  a: e4m3fn\n  b: nope\n  y: nope\n")
    with pytest.raises(InputError) as caught:
        load(path)
    assert (caught.value.line, caught.value.file) == (2, str(path))


def test_an_unknown_kind_names_the_kinds() -> None:
    legal = f"legal: {', '.join(kind_names())}"
    with pytest.raises(InputError, match=f"unknown kind 'macc': did you mean 'mac'. {legal}"):
        load({"kind": "macc"})
    with pytest.raises(InputError, match=f"the key 'kind' is missing: {legal}"):
        load({})
    with pytest.raises(InputError, match="unknown kind"):
        load({"kind": ["mac"]})
