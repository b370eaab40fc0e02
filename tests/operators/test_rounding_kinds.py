"""Specs, ports and names of round, quantize, dequantize, scale and sgd."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.operators import load, load_project
from hwgen.operators.packing import pack, unpack

MX = {"x": "fp32", "y": "mxfp8_e4m3"}


def test_a_rounding_unit_rounds_stochastically_from_its_own_generator_unless_told_otherwise() -> None:
    operator = load({"kind": "round", "formats": {"x": "q16.32", "y": "bf16"}})
    assert operator.state is not None
    assert (operator.interface, operator.state.bits) == ("stream", 8)
    assert [port.name for port in operator.inputs] == ["x"]


def test_lanes_take_the_words_of_one_generator_in_element_order() -> None:
    spec = {"kind": "round", "formats": {"x": "q8.24", "y": "e5m2"}}
    one, four = load(spec), load({**spec, "lanes": 4})
    (x,) = one.vectors(400, seed=3)
    np.testing.assert_array_equal(four.golden(x.reshape(100, 4)).reshape(-1), one.golden(x))


@pytest.mark.parametrize(
    ("keys", "inputs", "output"),
    [
        ({"kind": "quantize", "formats": MX}, [1024], 264),
        ({"kind": "quantize", "formats": {"x": "bf16", "y": "bfp8"}, "n": 16}, [256], 137),
        ({"kind": "quantize", "formats": {"x": "bf16", "y": "bfp8"}, "mode": "tensor"}, [16, 8], 9),
        ({"kind": "dequantize", "formats": {"x": "mxfp4", "y": "bf16"}}, [136], 512),
        ({"kind": "scale", "formats": MX}, [32, 1], 8),
        ({"kind": "scale", "formats": {"x": "bf16", "y": "flex16+5"}, "lanes": 4}, [64, 1], 6),
        ({"kind": "sgd", "formats": {"w": "fp32"}}, [32, 32, 32, 32, 32, 32], 64),
        ({"kind": "sgd", "formats": {"w": "bf16"}, "momentum": 0, "decay": 0, "rate": 0.1}, [16, 16], 16),
        (
            {"kind": "sgd", "formats": {"w": "bf16", "m": "fp32"}, "decay": 0.5, "lanes": 2},
            [32, 64, 32, 16, 16],
            96,
        ),
    ],
)
def test_ports_are_words_of_the_elements_they_hold(
    keys: dict[str, Any], inputs: list[int], output: int
) -> None:
    operator = load({**{"rounding": "rne"}, **keys})
    assert [port.width for port in operator.inputs] == inputs
    assert operator.output.width == output


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"kind": "round", "formats": {"x": "fp32", "y": "bf16"}, "variant": "nearst"},
            "did you mean 'nearest'",
        ),
        (
            {"kind": "round", "formats": {"x": "fp32", "y": "bf16"}, "rounding": "rne", "variant": "compare"},
            "belongs to rounding mode 'sr'",
        ),
        ({"kind": "quantize", "formats": {"x": "fp32", "y": "bfp8"}}, "the key 'n' must give it"),
        ({"kind": "quantize", "formats": MX, "mode": "tensor", "n": 8}, "belongs to mode 'block'"),
        ({"kind": "quantize", "formats": MX, "overflow": "infinity"}, "elements of a block saturate"),
        ({"kind": "quantize", "formats": {"x": "fp32", "y": "bf16"}}, "here elements share a scale"),
        ({"kind": "scale", "formats": MX, "rounding": {"mode": "sr", "bits": 4}}, "is not rounded"),
        ({"kind": "scale", "formats": MX, "interface": "function"}, "keeps no state"),
        ({"kind": "sgd", "formats": {"w": "bf16"}, "nesterov": True, "momentum": 0}, "needs momentum"),
        ({"kind": "sgd", "formats": {"w": "bf16"}, "rate": 0}, "cannot be held in bf16"),
        ({"kind": "sgd", "formats": {"w": "e5m2"}, "decay": 1e-9}, "cannot be held in e5m2"),
        ({"kind": "sgd", "formats": {"w": "bf16"}, "rate": "fast"}, "legal: port, or a number"),
        ({"kind": "sgd", "formats": {"w": "int16"}, "overflow": "wrap"}, "makes no weights"),
        ({"kind": "sgd", "formats": {"w": "bf16"}, "state_rounding": "sr"}, "leave the key out"),
    ],
)
def test_what_is_not_legal_is_refused_with_what_is(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(keys)


def test_a_block_format_without_a_name_survives_the_manifest(tmp_path: Path) -> None:
    from hwgen.emit import emit

    block = {"block": {"element": "int5", "size": 4, "scale": {"exponent": 6}}}
    operator = load({"kind": "quantize", "name": "q", "formats": {"x": "bf16", "y": block}})
    assert load_project(emit(operator, tmp_path / "q")) == operator


def test_words_of_mixed_elements_are_packed_as_they_are_laid_out() -> None:
    rng = np.random.default_rng(1)
    for layout in ([8] * 32 + [8, 1], [16] * 3 + [5] * 4 + [16], [32] * 4, [7] * 9, [64, 8, 8, 3], [4, 8, 8]):
        bounds = [(1 << bits) - 1 for bits in layout]
        elements = np.stack([rng.integers(0, high, 50, np.uint64, endpoint=True) for high in bounds], axis=-1)
        words = pack(elements, layout)
        offsets = np.cumsum([0, *layout[:-1]]).tolist()
        want = [
            sum(value << place for value, place in zip(row, offsets, strict=True))
            for row in elements.tolist()
        ]
        limbs = words.reshape(50, -1).astype(np.uint64)
        got = [sum(int(limb) << (64 * place) for place, limb in enumerate(row)) for row in limbs]
        assert got == want
        np.testing.assert_array_equal(unpack(words, layout), elements)
