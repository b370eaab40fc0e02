"""Operators: ports, golden results through the ports, vectors and exhaustion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen import golden
from hwgen.errors import InputError
from hwgen.formats import Rounding, parse_format
from hwgen.operators import find_kind, json_schema, kind_names, load
from hwgen.operators.starter import starter_spec
from hwgen.spec.polynomial import default_taps, tap_mask

FORMATS: dict[str, dict[str, str]] = {
    "convert": {"x": "e5m2", "y": "e3m2"},
    "add": {"a": "e4m3fn", "b": "e5m2", "y": "e6m5"},
    "mul": {"a": "e4m3fn", "b": "q2.4", "y": "fp16"},
    "fma": {"a": "e2m1", "b": "e3m2", "c": "e4m3fn", "y": "q6.2"},
    "mac": {"a": "e4m3fn", "b": "e5m2", "acc": "e6m5"},
}
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def spec(kind: str, **keys: Any) -> dict[str, Any]:
    return {"kind": kind, "formats": FORMATS[kind], **keys}


def test_every_kind_is_found_by_its_module() -> None:
    assert set(FORMATS) <= set(kind_names())
    assert all(find_kind(name).name == name for name in kind_names())


@pytest.mark.parametrize("kind", FORMATS)
def test_ports_are_the_formats_in_the_order_of_the_spec(kind: str) -> None:
    operator = load(spec(kind))
    operands = [key for key in FORMATS[kind] if key != "y"]
    assert [port.name for port in operator.inputs] == operands
    assert [port.format for port in operator.inputs] == [parse_format(FORMATS[kind][key]) for key in operands]
    assert operator.output.name == "y"
    assert operator.output.format == parse_format(FORMATS[kind].get("y", FORMATS[kind].get("acc")))


def test_random_words_come_last_and_only_from_a_port() -> None:
    ported = load(spec("mac", rounding={"mode": "sr", "bits": 11}))
    assert [(port.name, port.width) for port in ported.inputs][-1] == ("rand", 11)
    assert ported.inputs[-1].format is None
    assert ported.inputs[-1].dtype == np.uint16
    assert ported.state is None
    own = load(spec("mac", rounding={"mode": "sr", "bits": 11, "rand": {"lfsr": {}}}))
    assert [port.name for port in own.inputs] == ["a", "b", "acc"]
    assert own.state is not None


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("rounding", ["rne", {"mode": "sr", "bits": 6}])
def test_golden_through_the_ports_is_the_golden_function(kind: str, rounding: Any) -> None:
    operator = load(spec(kind, rounding=rounding))
    operands = operator.vectors(500, seed=3)
    words = dict(zip([port.name for port in operator.inputs], operands, strict=True))
    formats = {f"{key}_fmt": parse_format(name) for key, name in FORMATS[kind].items()}
    rule = Rounding("sr", 6) if isinstance(rounding, dict) else Rounding("rne")
    expected = getattr(golden, kind)(**words, **formats, rounding=rule)
    got = operator.golden(*operands)
    assert np.array_equal(got, expected)
    assert got.dtype == operator.output.dtype


def test_a_split_mac_rounds_its_product_first() -> None:
    split = load(spec("mac", accumulate={"split": "e5m2"}, rounding="rtz"))
    a, b, acc = split.vectors(2000, seed=1)
    formats = {f"{key}_fmt": parse_format(name) for key, name in FORMATS["mac"].items()}
    two_steps = golden.mac(
        a,
        b,
        acc,
        **formats,
        rounding=Rounding("rtz"),
        product_fmt=parse_format("e5m2"),
        product_rounding=Rounding("rtz"),
    )
    assert np.array_equal(split.golden(a, b, acc), two_steps)
    assert not np.array_equal(split.golden(a, b, acc), load(spec("mac", rounding="rtz")).golden(a, b, acc))


def test_the_product_of_a_stochastic_split_mac_is_rounded_to_nearest() -> None:
    split = load(spec("mac", accumulate={"split": "e5m2"}, rounding={"mode": "sr", "bits": 4}))
    assert split.spec.to_yaml()["accumulate"] == {"split": "e5m2", "rounding": "rne"}
    assert load(split.spec.to_yaml()) == split


@pytest.mark.parametrize(
    ("accumulate", "fragment"),
    [
        ("splat", "accumulate: unknown way to accumulate 'splat': legal: fused, {split: FORMAT}"),
        ("split", "legal: fused, {split: FORMAT}"),
        ({}, "accumulate: the key 'split' is missing"),
        ({"split": None}, "accumulate.split: the format None is neither a name"),
        ({"rounding": "rne"}, "accumulate: the key 'split' is missing"),
        ({"split": "e6m9", "rounding": "sr"}, "accumulate.rounding: the product's rounding 'sr'"),
        ({"split": "e6m9", "mode": "rne"}, "accumulate.mode: unknown key 'mode'"),
        ({"split": "mxfp8_e4m3"}, "accumulate.split: 'mxfp8_e4m3' is of the block family"),
    ],
)
def test_an_illegal_way_to_accumulate_says_what_is_legal(accumulate: Any, fragment: str) -> None:
    with pytest.raises(InputError) as caught:
        load(spec("mac", accumulate=accumulate))
    assert fragment in caught.value.message


def test_generated_words_are_taken_from_reset_in_c_order() -> None:
    operator = load(
        spec("convert", rounding={"mode": "sr", "bits": 5, "rand": {"lfsr": {"width": 17, "seed": 99}}})
    )
    x = np.arange(240, dtype=np.uint8).reshape(4, 60)
    words = golden.Lfsr(17, tap_mask(default_taps(17)), 99).words(240, 5).reshape(4, 60)
    ported = load(spec("convert", rounding={"mode": "sr", "bits": 5}))
    assert np.array_equal(operator.golden(x), ported.golden(x, words))


def test_golden_broadcasts_and_keeps_scalars_scalar() -> None:
    operator = load(spec("add"))
    grid = operator.golden(np.arange(256)[:, None], np.arange(256))
    assert grid.shape == (256, 256)
    assert operator.golden(3, 5) == grid[3, 5]


def test_operands_that_are_not_the_ports_are_refused() -> None:
    operator = load(spec("add"))
    with pytest.raises(TypeError, match=r"takes 2 operands \(a, b\), not 1"):
        operator.golden([1])
    with pytest.raises(InputError, match="0x100"):
        operator.golden([256], [0])
    with pytest.raises(InputError):
        operator.golden([1.5], [0])


def test_exhaustion_is_every_combination_once() -> None:
    operator = load(spec("fma"))
    assert operator.exhaustive(limit=17) is None
    combinations = operator.exhaustive(limit=18)
    assert combinations is not None
    keys = combinations[0].astype(int) << 14 | combinations[1].astype(int) << 8 | combinations[2].astype(int)
    assert np.array_equal(keys, np.arange(1 << 18))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_loads_under_its_own_name(path: Path) -> None:
    assert load(path).name == path.stem


@pytest.mark.parametrize("kind", kind_names())
def test_the_starter_spec_loads_and_has_every_key(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(starter_spec(kind, formats={}, keys={}))
    operator = load(path)
    assert operator.kind == kind
    text = path.read_text()
    assert all(f"{key}:" in text for key in find_kind(kind).spec_model.model_fields)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_keys_that_a_starter_spec_comments_out_load_as_well(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    text = starter_spec(kind, formats={}, keys={})
    stochastic = (
        text.replace("# bits:", "bits:").replace("# rand:", "rand:").replace("mode: rne", "mode: sr ")
    )
    path.write_text(stochastic.replace("# clock_ps:", "clock_ps:"))
    assert load(path).inputs[-1].name == "rand"


def test_the_starter_spec_takes_the_choices_of_its_caller(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    keys = {
        "name": "mine",
        "rounding": {"mode": "sr", "bits": 9},
        "interface": "stream",
        "overflow": "saturate",
    }
    path.write_text(starter_spec("mac", formats={"acc": "bf16"}, keys=keys))
    wished = {"kind": "mac", "formats": {"a": "e4m3fn", "b": "e5m2", "acc": "bf16"}, **keys}
    assert load(path) == load(wished)


def test_the_json_schema_accepts_what_loads() -> None:
    schema = json_schema()
    records = {find_kind(name).spec_model.__name__ for name in kind_names()}
    assert records <= {choice["$ref"].rsplit("/")[-1] for choice in schema["oneOf"]}
    for name in kind_names():
        definition = schema["$defs"][find_kind(name).spec_model.__name__]
        assert set(definition["properties"]) == set(find_kind(name).spec_model.model_fields)
        assert definition["additionalProperties"] is False
        assert definition["properties"]["kind"]["const"] == name
        assert {"kind", "formats"} <= set(definition["required"])
        short, full = definition["properties"]["rounding"]["anyOf"]
        assert "rne" in short["enum"]
        assert "sr" not in short["enum"]
        assert full["$ref"].endswith("RoundingSpec")


@pytest.mark.parametrize(
    ("kind", "formats", "more"),
    [
        ("add", {"a": "q2.4", "b": "e4m3fn", "y": "q4.4"}, {}),
        ("fma", {"a": "e2m1", "b": "e3m2", "c": "q2.4", "y": "q6.2"}, {}),
        ("mac", {"a": "q1.7", "b": "q1.7", "acc": "q8.8"}, {"accumulate": {"split": "bf16"}}),
    ],
)
def test_a_wrapping_sum_is_refused_where_floats_meet(kind: str, formats: Any, more: Any) -> None:
    with pytest.raises(InputError, match=r"'wrap' of a sum needs fixed-point operands.*legal: saturate"):
        load({"kind": kind, "formats": formats, "overflow": "wrap", **more})
    assert (
        load({"kind": kind, "formats": formats, "overflow": "saturate", **more}).spec.overflow == "saturate"
    )


def test_aimed_random_words_lie_on_both_sides_of_the_threshold() -> None:
    unit = load(spec("mac", rounding={"mode": "sr", "bits": 8}))
    *operands, words = unit.vectors(2_000, seed=3)
    here = unit.golden(*operands, words)
    above = unit.golden(*operands, np.minimum(words.astype(int) + 1, 255))
    below = unit.golden(*operands, np.maximum(words.astype(int) - 1, 0))
    assert np.sum(here != above) > 100  # the last word that keeps the result
    assert np.sum(here != below) > 100  # the first that changes it
