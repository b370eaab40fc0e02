"""Names and YAML mappings of formats, and the messages for wrong ones."""

from __future__ import annotations

import pytest

from hwgen.errors import InputError
from hwgen.formats import (
    BlockFormat,
    ExponentFormat,
    FixedFormat,
    FloatFormat,
    PositFormat,
    format_names,
    parse_format,
)

MORE_NAMES = [
    "e6m5",
    "q1.7",
    "uq0.8",
    "int8",
    "uint4",
    "bfp12",
    "posit12es1",
    "e4m3b11fnuz",
    "fixed8f12",
    "e5m2ftz",
]


@pytest.mark.parametrize("name", format_names() + MORE_NAMES)
def test_names_and_yaml_round_trip(name):
    fmt = parse_format(name)
    assert fmt.name == name
    assert parse_format(fmt.to_yaml()) == fmt
    assert parse_format(fmt) is fmt
    assert hash(parse_format(fmt.to_yaml())) == hash(fmt)


@pytest.mark.parametrize("name", format_names() + MORE_NAMES)
def test_every_format_describes_itself(name):
    rows = parse_format(name).describe()
    assert rows[0] == ("name", name)
    assert all(isinstance(part, str) and part for row in rows for part in row)
    assert len({key for key, _ in rows}) == len(rows)


def test_description_of_e4m3fn_tells_its_fields_range_precision_and_special_values():
    rows = dict(parse_format("e4m3fn").describe())
    assert rows["fields"] == "sign 1, exponent 4, mantissa 3"
    assert rows["precision"] == "4 bits"
    assert rows["largest finite"] == "448 = 1.75 * 2^8 (0x7E)"
    assert rows["smallest subnormal"] == "0.001953125 = 1 * 2^-9 (0x01)"
    assert rows["canonical NaN"] == "0x7F"
    assert rows["overflow"] == "saturate, nan (the first is the default)"


@pytest.mark.parametrize(
    ("data", "fmt"),
    [
        ({"float": {"exponent": 4, "mantissa": 3, "specials": "fn"}}, FloatFormat(4, 3, specials="fn")),
        (
            {"float": {"exponent": 4, "mantissa": 3, "bias": 9, "subnormals": False}},
            FloatFormat(4, 3, 9, "ieee", False),
        ),
        ({"fixed": {"width": 8, "fraction": 7}}, FixedFormat(8, 7)),
        ({"fixed": {"width": 8, "fraction": 7, "signed": False}}, FixedFormat(8, 7, False)),
        ({"posit": {"width": 8}}, PositFormat(8)),
        (
            {"block": {"element": "e5m2", "size": "row", "scale": "e8m0"}},
            BlockFormat(FloatFormat(5, 2), "row", ExponentFormat()),
        ),
        (
            {
                "block": {
                    "element": {"fixed": {"width": 8, "fraction": 0}},
                    "size": 16,
                    "scale": {"exponent": 5},
                }
            },
            BlockFormat(FixedFormat(8, 0), 16, 5),
        ),
    ],
)
def test_mappings_are_read(data, fmt):
    assert parse_format(data) == fmt


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("e4m3fm", "unknown format 'e4m3fm': did you mean 'e4m3fn'? legal: fp64, fp32,"),
        ("E4M3FN", "unknown format 'E4M3FN': did you mean 'e4m3fn'?"),
        ("fp8", "unknown format 'fp8':"),
        ("e1m3", "format 'e1m3': float exponent width 1 out of range: legal: 2..11"),
        ("e4m60", "format 'e4m60': float mantissa width 60 out of range: legal: 0..52"),
        ("e5m0", "leaves no room for a NaN"),
        ("int0", "format 'int0': fixed width 0 out of range: legal: 1..64"),
        ("uint65", "format 'uint65': fixed width 65 out of range: legal: 1..64"),
        ("q40.40", "fixed width 80 out of range: legal: 1..64"),
        ("posit1", "posit width 1 out of range: legal: 2..64"),
        ("posit65", "posit width 65 out of range: legal: 2..64"),
        ("bfp1", "block element width 1 out of range: legal: 2..32"),
        ("e" + "9" * 5000 + "m3", "unknown format"),
        (7, "format 7 must be a name or a mapping with one key: legal: float, fixed, block, posit"),
        (None, "format None must be a name"),
        ({}, "must have exactly one key"),
        ({"float": {}, "fixed": {}}, "must have exactly one key"),
        ({"flaot": {}}, "unknown format family 'flaot': did you mean 'float'?"),
        ({"float": [4, 3]}, "fields [4, 3] of format family 'float' must be a mapping"),
        ({"float": {"exponent": 4}}, "'float' lacks the key 'mantissa': required: exponent, mantissa"),
        (
            {"float": {"exponent": 4, "mantisa": 3}},
            "unknown key of 'float' 'mantisa': did you mean 'mantissa'?",
        ),
        ({"fixed": {"width": "8", "fraction": 0}}, "fixed width '8' must be an integer: legal: 1..64"),
        (
            {"block": {"element": "posit8", "size": 32, "scale": "e8m0"}},
            "block element 'posit8' must be a float or",
        ),
        (
            {"block": {"element": "e5m2", "size": 32, "scale": "e8m1"}},
            "block scale 'e8m1' is unknown: legal: e8m0",
        ),
        (
            {"block": {"element": "e5m2", "size": 32, "scale": {"bits": 3}}},
            "block scale {'bits': 3} is unknown",
        ),
    ],
)
def test_mistakes_are_quoted_with_the_legal_values(value, message):
    with pytest.raises(InputError) as caught:
        parse_format(value)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 700
