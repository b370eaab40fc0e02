"""Accumulator and norm as kinds: what a spec may say, ports, rates, and the streams they are tested with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.formats import FloatFormat, parse_format
from hwgen.golden.accumulator_exact import frames_of
from hwgen.operators import load
from hwgen.operators.sum_streams import sum_streams


def accumulator(x: str = "e4m3fn", y: str = "fp16", **keys: Any) -> Any:
    return load({"kind": "accumulator", "formats": {"x": x, "y": y}, **keys})


def norm(x: str = "bf16", y: str = "fp32", **keys: Any) -> Any:
    return load({"kind": "norm", "formats": {"x": x, "y": y}, **keys})


def test_a_stream_of_terms_and_control_words_releases_a_sum_at_each_last() -> None:
    unit = accumulator()
    assert [(port.name, port.width) for port in unit.inputs] == [("x", 8), ("ctrl", 2)]
    assert unit.interface == "stream"
    one, two = 0x38, 0x40
    x, ctrl = [one, two, one, one, two, one], [0, 2, 2, 0, 1, 2]
    assert unit.result_counts(x, ctrl).tolist() == [0, 1, 1, 0, 0, 1]
    fp16 = parse_format("fp16")
    assert fp16.decode(unit.golden(x, ctrl)).tolist() == [3.0, 1.0, 3.0]


def test_results_of_several_parts_are_packed_lowest_first() -> None:
    def fields(unit: Any) -> list[tuple[str, int]]:
        return [(field.name, field.width) for field in unit.output.fields]

    assert fields(accumulator()) == [("value", 16)]
    assert fields(accumulator(scheme="long")) == [("value", 16), ("overflow", 1)]
    assert fields(norm(sum=True)) == [("squares", 32), ("sum", 32)]
    long = norm(x="e5m2", scheme={"long": {"msb": 40}}, sum=True)
    assert fields(long) == [("squares", 32), ("sum", 32), ("overflow", 1)]
    assert long.golden([0x3C, 0x40], [0, 2]).tolist() == [[0x40A00000, 0x40400000, 0]]  # 5 and 3


def test_chunks_and_both_sums_of_a_norm_take_two_random_words_a_term() -> None:
    sr = {"mode": "sr", "bits": 5}
    chunks = accumulator(scheme={"chunked": {"terms": 4, "format": "e6m5"}}, rounding=sr)
    assert (chunks.random_words, chunks.inputs[-1].width) == (2, 10)
    assert norm(sum=True, rounding=sr).random_words == 2
    assert norm(rounding=sr).random_words == 1


@pytest.mark.parametrize(
    ("x", "terms", "squared", "register"),
    [
        ("e5m2", 1, False, (16, -16)),
        ("e5m2", 1170, False, (26, -16)),
        ("e5m2", 1171, False, (27, -16)),
        ("int8", 2, False, (8, 0)),
        ("uint8", 2, False, (9, 0)),
        ("int8", 4, True, (17, 0)),
        ("uint8", 1, True, (16, 0)),
    ],
)
def test_a_register_holds_as_many_of_the_largest_terms_as_asked_and_not_one_bit_more(
    x: str, terms: int, squared: bool, register: tuple[int, int]
) -> None:
    make = norm if squared else accumulator
    unit = make(x=x, y="fp32", scheme={"long": {"terms": terms}})
    found = unit.spec.registers[0] if squared else unit.spec.register
    assert found[:2] == register
    fmt = parse_format(x)
    largest = fmt.max_finite_code if isinstance(fmt, FloatFormat) else fmt.max_integer
    lowest = largest | fmt.sign_mask if isinstance(fmt, FloatFormat) else fmt.min_integer % (1 << fmt.width)
    for code in (largest, lowest):
        fits = unit.golden([code] * terms, [0] * (terms - 1) + [2])
        assert fits[0, -1] == 0
    smaller = make(x=x, y="fp32", scheme={"long": {"msb": register[0] - 1}})
    flags = [smaller.golden([code] * terms, [0] * (terms - 1) + [2])[0, -1] for code in (largest, lowest)]
    assert 1 in flags


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"scheme": "flot"}, "did you mean 'float'"),
        ({"scheme": "fixed"}, "does not fit the result format fp16: legal: float, long"),
        ({"scheme": {"long": {"terms": 3, "msb": 4}}}, "legal: one of them"),
        ({"scheme": {"long": {"termz": 3}}}, "did you mean 'terms'"),
        ({"scheme": {"long": {"msb": 3000}}}, "legal: 1..1024"),
        ({"scheme": {"long": {"segment": 0}}}, "segment 0 is out of range"),
        ({"scheme": {"chunked": {"terms": 1, "format": "e6m9"}}}, "legal: 2..65536"),
        ({"scheme": "long", "interleave": 2}, "a long sum is cut into segments"),
        ({"interleave": 3}, "legal: 1, 2, 4, 8, 16, 32, 64"),
        ({"interface": "function"}, "keeps no state"),
        ({"formats": {"x": "e5m2", "y": "int8"}, "overflow": "wrap"}, "needs fixed-point operands"),
    ],
)
def test_what_a_spec_may_not_say_is_refused_with_what_it_may(keys: dict[str, Any], message: str) -> None:
    spec = {"kind": "accumulator", "formats": {"x": "e4m3fn", "y": "fp16"}, **keys}
    with pytest.raises(InputError, match=message):
        load(spec)


def test_a_norm_has_no_chunks() -> None:
    with pytest.raises(InputError, match="legal: float, fixed, long"):
        norm(scheme={"chunked": {"terms": 4, "format": "e6m9"}})


@pytest.mark.parametrize("scheme", ["float", "long", {"long": {"terms": 9, "segment": 4}}])
def test_a_normalised_spec_loads_again_to_the_same_unit(scheme: Any) -> None:
    unit = accumulator(scheme=scheme)
    assert load(unit.spec.to_yaml()) == unit


@pytest.mark.parametrize("name", ["e5m2", "e4m3fnuz", "e2m1", "fp32", "fp64", "int8", "uq4.4", "q1.0"])
def test_streams_have_short_and_long_frames_that_cancel_and_that_are_cut_off(name: str) -> None:
    fmt = parse_format(name)
    assert not isinstance(fmt, str)
    x, ctrl = sum_streams(fmt, 4000, np.random.default_rng(1))  # type: ignore[arg-type]
    assert len(x) == len(ctrl) == 4000
    assert int(x.max()) >> fmt.width == 0  # type: ignore[union-attr]
    frames = frames_of(ctrl)
    lengths = [stop - start for start, stop in frames]
    assert len(frames) > 150
    assert lengths.count(1) > 20
    assert max(lengths) > 40
    assert ctrl[-1] & 2
    middle = [index for index, word in enumerate(ctrl[1:], 1) if word & 1 and not ctrl[index - 1] & 2]
    assert len(middle) > 50, "clears in the middle of frames"
    if name in ("e5m2", "int8"):
        values = np.asarray(fmt.decode(x.astype(fmt.dtype)), np.float64)  # type: ignore[union-attr]
        finite = [values[start:stop] for start, stop in frames if np.isfinite(values[start:stop]).all()]
        cancelling = [frame for frame in finite if frame.any() and frame.sum() == 0]
        assert len(cancelling) > 5
