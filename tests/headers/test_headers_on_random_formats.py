"""The C++ headers against the golden model, on formats, modes and overflow rules that nobody chose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from header_builds import plant
from random_units import build, random_units, run

from hwgen.operators import Operator, load


def mismatches(
    units: Sequence[Operator],
    folder: Path,
    vectors: int,
    *,
    headers: Path | None = None,
    circuit: bool = False,
) -> list[str]:
    library = build(units, folder, headers=headers, circuit=circuit)
    found = []
    for unit in units:
        operands = unit.vectors(vectors, seed=1)
        assert len(operands[0]) == vectors > 0
        got, want = run(library, unit, operands), unit.golden(*operands)
        for index in np.flatnonzero(got != want)[:1]:
            words = [hex(int(column[index])) for column in operands]
            found.append(f"{unit.spec!r}: {words} gives {int(got[index]):#x}, golden {int(want[index]):#x}")
    return found


def test_random_formats_and_modes_agree_with_the_golden_model(tmp_path: Path) -> None:
    assert mismatches(random_units(seed=1, count=30), tmp_path, 2_000) == []


def test_what_is_written_out_for_circuits_agrees_with_the_golden_model(tmp_path: Path) -> None:
    wide = [
        unit("mul", "fp16 fp16 fp16", name="mul16"),
        unit("mul", "bf16 fp16 fp32", name="mul_mixed"),
        unit("fma", "e4m3fn bf16 e6m9 e6m9", name="fma_mixed"),
    ]
    units = [*random_units(seed=2, count=12), *wide]
    assert mismatches(units, tmp_path, 4_000, circuit=True) == []


def test_products_of_subnormals_too_small_for_a_format_without_them_are_zero(tmp_path: Path) -> None:
    fields = {"exponent": 2, "mantissa": 3, "bias": 1, "specials": "none"}
    flushed = {"float": {**fields, "subnormals": False}}
    modes = ["rne", "rna", "rup", "rdn", "rto", {"mode": "sr", "bits": 3}]
    units = [
        load(
            {
                "kind": "mul",
                "name": f"flushing{number}",
                "formats": {"a": "e2m3", "b": "e4m3fn", "y": flushed},
                "rounding": mode,
            }
        )
        for number, mode in enumerate(modes)
    ]
    library = build(units, tmp_path)
    for each in units:
        everything = each.exhaustive(limit=18)
        assert everything is not None
        np.testing.assert_array_equal(run(library, each, everything), each.golden(*everything))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_random_formats_and_modes_agree_with_the_golden_model(tmp_path: Path, seed: int) -> None:
    assert mismatches(random_units(seed=seed, count=100), tmp_path, 20_000) == []


def unit(kind: str, formats: str, rounding: object = "rne", **more: object) -> Operator:
    keys = {"convert": "x y", "add": "a b y", "mul": "a b y", "fma": "a b c y", "mac": "a b acc"}[
        kind
    ].split()
    names = formats.split()
    spec = {
        "kind": kind,
        "name": "planted",
        "formats": dict(zip(keys, names, strict=True)),
        "rounding": rounding,
    }
    return load({**spec, **more})


FOR_AREA = {"target": {"optimise": "area"}}


def test_sums_for_area_agree_with_the_golden_model_in_either_form(tmp_path: Path) -> None:
    known = (
        "e5m2 e5m2 fp16",
        "e4m3fnuz e4m3fnuz e4m3fnuz",
        "fp16 fp16 fp16",
        "fp32 fp32 fp32",
        "bf16 bf16 q8.8",
    )
    modes = ("rne", "rup", "rdn", "rto", {"mode": "sr", "bits": 5})
    units = [
        unit("add", names, mode, name=f"area{number}", **FOR_AREA)
        for number, (names, mode) in enumerate(zip(known, modes, strict=True))
    ]
    for circuit in (False, True):
        folder = tmp_path / str(circuit)
        folder.mkdir()
        assert mismatches(units, folder, 6_000, circuit=circuit) == []


def test_sums_of_every_pair_of_words_for_area_are_golden(tmp_path: Path) -> None:
    units = [
        unit("add", f"{name} {name} {name}", name=f"all_{name}", **FOR_AREA) for name in ("e5m2", "e4m3fn")
    ]
    words = np.arange(1 << 16, dtype=np.uint64)
    library = build(units, tmp_path, circuit=True)
    for each in units:
        operands = [words >> np.uint64(8), words & np.uint64(255)]
        assert (run(library, each, operands) == each.golden(*operands)).all()


# Header, what is there, what the bug makes of it, and the unit in which it must show.
BUGS = [
    ("rounding", "guard & (sticky | odd)", "guard", unit("convert", "fp16 e5m2")),
    (
        "rounding",
        "const ap_uint<R + 1> sum = k + u;",
        "const ap_uint<R + 1> sum = ap_uint<R + 1>(k) + u + 1;",
        unit("add", "e5m2 e5m2 e5m2", {"mode": "sr", "bits": 4}),
    ),
    (
        "round",
        "(Y::subnormals && below_normal) ? clamped",
        "(Y::subnormals && below_normal && clamped == 0) ? clamped",
        unit("mul", "e4m3fn e4m3fn e4m3fn"),
    ),
    (
        "round",
        "x.spare == limit_t(Y::exponent_field_max) && x.leading_one",
        "x.spare == limit_t(Y::exponent_field_max) && !x.leading_one",
        unit("mul", "e5m2 e5m2 e5m2"),
    ),
    ("shift", "rest > 2 && bits[2]", "rest > 2 && bits[1]", unit("add", "fp16 fp16 fp16")),
    (
        "round",
        "const ap_uint<1> one_more = !EXACT",
        "const ap_uint<1> one_more = EXACT",
        unit("mul", "bf16 bf16 bf16"),
    ),
    ("product", "b == 3 ? triple", "b == 2 ? triple", unit("mul", "fp16 fp16 fp16")),
    ("lzc", "both.none = high.none & low.none", "both.none = high.none", unit("add", "bf16 bf16 bf16")),
    (
        "carry",
        "row_t(carry.bits()) << W",
        "row_t(carry.bits()) << (W - 1)",
        unit("add", "e4m3fn e4m3fn e4m3fn"),
    ),
    (
        "sum",
        "sign_of_zero_sum<RULE>(big.negative, small.negative) : big.negative",
        "big.negative : big.negative",
        unit("add", "e4m3fn e4m3fn e4m3fn"),
    ),
    (
        "sum",
        "larger(0, larger(kept, C::precision) - x_lead)",
        "larger(0, larger(kept, C::precision) - x_lead - 2)",
        unit("fma", "e4m4 e4m4 e4m4 e4m4"),
    ),
    ("sum", "d > w::high", "d > w::high - 3", unit("mac", "e4m4 e5m4 e6m5")),
    ("sum", "d > w::high", "d > w::high - 3", unit("mac", "e4m4 e5m4 e6m5", {"mode": "sr", "bits": 8})),
    ("mul", "p.is_nan = a.is_nan | b.is_nan |", "p.is_nan = a.is_nan |", unit("mul", "e5m2 e5m2 e5m2")),
    (
        "sum",
        "(a.value.negative ^ b.value.negative)",
        "a.value.negative",
        unit("fma", "e5m2 e5m2 e5m2 e5m2"),
    ),
    ("fixed", "guard & (sticky | odd)", "guard", unit("mac", "q1.7 q1.7 q8.9")),
    (
        "unpack",
        "u.value.offset = is_normal ? ap_uint<e>(field - 1) : ap_uint<e>(0);",
        "u.value.offset = field;",
        unit("convert", "e5m2 fp16"),
    ),
    ("add", "distance == 0", "distance != 0", unit("add", "e5m2 e5m2 e5m2")),
    ("add", "swapped ? y.value : x.value", "swapped ? x.value : y.value", unit("add", "fp16 fp16 fp16")),
    ("shift", "digit > part &&", "digit > part + 1 &&", unit("add", "fp16 fp16 fp16", **FOR_AREA)),
    (
        "add",
        "big.is_inf & small.is_inf & subtract",
        "small.is_inf",
        unit("add", "fp32 fp32 fp32", **FOR_AREA),
    ),
]


@pytest.mark.parametrize(("header", "right", "wrong", "victim"), BUGS)
def test_a_planted_bug_in_a_header_is_caught(
    tmp_path: Path, header: str, right: str, wrong: str, victim: Operator
) -> None:
    mutated = plant(tmp_path, header, right, wrong)
    assert mismatches(
        [victim], tmp_path, 4_000, headers=mutated, circuit=header in ("product", "lzc", "carry", "shift")
    )
