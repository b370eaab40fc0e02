"""Words of several elements: packing is positional notation, which Python integers know."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.formats import BlockFormat, parse_format
from hwgen.operators import Field, Port
from hwgen.operators.packing import integers_of_words, limbs, pack, unpack, word_dtype, words_of_integers

LAYOUTS = st.lists(st.integers(1, 64), min_size=1, max_size=20)


@given(LAYOUTS, st.data())
def test_a_word_is_the_sum_of_its_elements_at_their_offsets(layout: list[int], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.tuples(*(st.integers(0, 2**w - 1) for w in layout)), min_size=1, max_size=4))
    words = pack(np.array(rows, dtype=np.uint64), layout)
    offsets = [sum(layout[:index]) for index in range(len(layout))]
    expected = [sum(element << offset for element, offset in zip(row, offsets, strict=True)) for row in rows]
    assert integers_of_words(words, sum(layout)) == expected
    assert unpack(words, layout).tolist() == [list(row) for row in rows]


@given(st.integers(1, 400), st.data())
def test_words_and_integers_are_inverse(width: int, data: st.DataObject) -> None:
    integers = data.draw(st.lists(st.integers(0, 2**width - 1), min_size=1, max_size=5))
    words = words_of_integers(integers, width)
    assert words.dtype == word_dtype(width)
    assert words.shape == ((len(integers), limbs(width)) if width > 64 else (len(integers),))
    assert integers_of_words(words, width) == integers


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 8, 11])
def test_elements_of_whole_bytes_pack_as_any_others_do(bits: int, count: int) -> None:
    elements = np.random.default_rng(bits).integers(0, 2**bits - 1, (5, count), np.uint64, endpoint=True)
    # The same word by another way: each element as its low bit and the rest.
    halves = np.stack([elements & np.uint64(1), elements >> np.uint64(1)], axis=-1).reshape(5, 2 * count)
    assert np.array_equal(pack(elements, [bits] * count), pack(halves, [1, bits - 1] * count))


def test_a_block_has_its_elements_lowest_and_its_scale_on_top() -> None:
    block = parse_format("mxfp4")
    assert isinstance(block, BlockFormat)
    port = Port.block("a", block, 3)
    assert port.layout == (4, 4, 4, 8)
    assert port.words(np.array([[1, 2, 3, 0x7F]], dtype=np.uint8)) == [0x7F321]
    assert port.array([0x7F321]).tolist() == [[1, 2, 3, 0x7F]]


def test_lanes_repeat_all_fields_of_a_port() -> None:
    relu = Port.struct("y", Field("value", 8), Field("mask", 1))
    assert relu.repeated(2).layout == (8, 1, 8, 1)
    assert Port.bits("u", 5, "bits").repeated(3).layout == (5, 5, 5)


def test_an_array_without_the_axis_of_elements_is_refused() -> None:
    with pytest.raises(ValueError, match="last axis of 4 elements"):
        Port.vector("a", parse_format("int8"), 4).leading(np.zeros((2, 3), np.uint8))
