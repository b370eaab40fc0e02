"""The golden matrix product: its order, its random words, and an oracle made of NumPy's own float16."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.formats import parse_format
from hwgen.golden import Lfsr
from hwgen.golden.gemm import counter_words, register_words
from hwgen.golden.philox import philox
from hwgen.operators import load
from hwgen.operators.matrix_step import MatrixStep

MAC = {"kind": "mac", "formats": {"a": "e4m3fn", "b": "e5m2", "acc": "fp16"}}


def step(**changes: object) -> MatrixStep:
    return MatrixStep.of(load({**MAC, **changes}))


def finite(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Patterns that are moderate numbers in e4m3fn and in e5m2: sums round often and overflow never."""
    rng = np.random.default_rng(seed)
    magnitude = rng.integers(0x28, 0x40, shape)
    return (magnitude | rng.choice([0, 0x80], shape)).astype(np.uint8)


# Salmon et al.'s own: kat_vectors of the Random123 distribution.
@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (1 << 64) - 1, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            0x299F31D0A4093822,
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_published_known_answers(
    counter: tuple[int, ...], key: int, words: tuple[int, ...]
) -> None:
    assert tuple(int(word) for word in philox(counter, key)) == words


def test_philox_of_arrays_is_that_of_each_element() -> None:
    counters = np.arange(6).reshape(2, 3)
    together = philox((counters, 7, counters + 1, 0), 99)
    assert together.shape == (4, 2, 3)
    assert [int(w) for w in together[:, 1, 2]] == [int(w) for w in philox((5, 7, 6, 0), 99)]


def test_every_product_is_added_in_order_with_one_rounding() -> None:
    # A product of e4m3fn and e5m2 plus a float16 is exact in float64, so NumPy's cast rounds the exact sum.
    a, b = finite((5, 40), 1), finite((40, 7), 2)
    left, right = parse_format("e4m3fn").decode(a), parse_format("e5m2").decode(b)
    total = np.zeros((5, 7), np.float16)
    for index in range(40):
        total = (np.outer(left[:, index], right[index]) + total.astype(np.float64)).astype(np.float16)
    assert np.array_equal(step().golden(a, b), total.view(np.uint16))
    assert not np.array_equal(step().golden(a[:, ::-1], b[::-1]), total.view(np.uint16))


def test_the_addend_is_where_the_sum_starts() -> None:
    a, b = finite((3, 4), 1), finite((4, 2), 2)
    first, second = step().golden(a[:, :3], b[:3]), step().golden(a, b)
    assert np.array_equal(step().golden(a[:, 3:], b[3:], first), second)
    row = np.array([0x3C00, 0xC000], np.uint16)
    assert np.array_equal(step().golden(a, b, row), step().golden(a, b, np.tile(row, (3, 1))))


@pytest.mark.parametrize("bits", [1, 3, 8, 13, 16, 20, 32, 33, 64])
def test_random_words_of_a_port_are_slices_of_philox_as_defined(bits: int) -> None:
    words = counter_words(0x123456789, (3, 2), bits)
    for row, column, index in [(0, 0, 0), (2, 1, 0), (1, 1, 1), (2, 0, 5), (1, 0, 17), (0, 1, 300)]:
        width = 32 if bits <= 32 else 64
        to_a_call = 128 // width * (width // bits)
        drawn = philox((index // to_a_call, column, row, 0), 0x123456789)
        sequence = sum(int(word) << 32 * place for place, word in enumerate(drawn))
        slices = [
            sequence >> width * word + bits * place & (1 << bits) - 1
            for word in range(128 // width)
            for place in range(width // bits)
        ]
        assert int(words(index)[row, column]) == slices[index % to_a_call]


def test_random_words_of_a_port_are_uniform_and_their_neighbours_independent() -> None:
    # Chi-square with 255 degrees of freedom: beyond 360 with a probability below 1e-5.
    words = counter_words(1, (64, 64), 8)
    here, next_step = words(0), words(1)
    for sample in (here, here ^ next_step, here[1:] ^ here[:-1], here[:, 1:] ^ here[:, :-1]):
        counts = np.bincount(sample.ravel().astype(int), minlength=256)
        expected = sample.size / 256
        assert ((counts - expected) ** 2 / expected).sum() < 360


def test_a_unit_with_its_own_generator_takes_its_words_result_by_result() -> None:
    words = register_words(Lfsr(32, None, 0xACE1), (2, 3), 4, 8)
    sequence = Lfsr(32, None, 0xACE1).words(24, 8)
    assert [int(words(index)[1, 2]) for index in range(4)] == sequence[20:].tolist()


def test_a_generator_of_its_own_gives_what_the_operator_gives_for_the_sequence() -> None:
    operator = load({**MAC, "rounding": {"mode": "sr", "bits": 8, "rand": {"lfsr": {}}}})
    a, b = finite((2, 1), 1), finite((1, 3), 2)
    # One step a result: the sequence of activations is the flattened matrix.
    sequence = operator.golden(np.repeat(a, 3, axis=1), np.repeat(b, 2, axis=0), np.zeros((2, 3), np.uint16))
    assert np.array_equal(MatrixStep.of(operator).golden(a, b), sequence)


def test_seeds_give_different_results_and_the_same_seed_the_same() -> None:
    stochastic = step(rounding={"mode": "sr", "bits": 8})
    a, b = finite((8, 30), 1), finite((30, 8), 2)
    assert np.array_equal(stochastic.golden(a, b, seed=3), stochastic.golden(a, b, seed=3))
    assert not np.array_equal(stochastic.golden(a, b, seed=3), stochastic.golden(a, b, seed=4))


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "mul", "formats": {"a": "e4m3fn", "b": "e4m3fn", "y": "bf16"}},
        {"kind": "add", "formats": {"a": "bf16", "b": "bf16", "y": "bf16"}},
        {"kind": "fma", "formats": {"a": "e4m3fn", "b": "e4m3fn", "c": "bf16", "y": "fp16"}},
        {"kind": "dot", "formats": {"a": "e4m3fn", "b": "e4m3fn", "y": "fp16"}, "n": 4},
        {
            "kind": "dot",
            "formats": {"a": "e4m3fn", "b": "e4m3fn", "c": "fp16", "y": "fp16"},
            "n": 4,
            "scheme": "sequential",
            "rounding": {"mode": "sr", "bits": 8},
        },
    ],
)
def test_a_unit_that_does_not_accumulate_is_refused(spec: dict[str, object]) -> None:
    with pytest.raises(InputError, match="is no step of a matrix product"):
        MatrixStep.of(load(spec))


def test_an_fma_whose_addend_has_the_format_of_the_result_is_the_same_step_as_a_mac() -> None:
    formats = {"a": "e4m3fn", "b": "e5m2", "c": "fp16", "y": "fp16"}
    a, b = finite((4, 9), 1), finite((9, 4), 2)
    fma = MatrixStep.of(load({"kind": "fma", "formats": formats}))
    assert np.array_equal(fma.golden(a, b), step().golden(a, b))


def test_a_dot_product_takes_its_terms_together_and_zeros_at_the_end() -> None:
    formats = {"a": "e4m3fn", "b": "e5m2", "c": "fp16", "y": "fp16"}
    dot = load({"kind": "dot", "formats": formats, "n": 4, "scheme": "exact"})
    a, b = finite((2, 6), 1), finite((6, 3), 2)
    filled_a, filled_b = np.zeros((2, 8), np.uint8), np.zeros((8, 3), np.uint8)
    filled_a[:, :6], filled_b[:6] = a, b
    for row in range(2):
        for column in range(3):
            total = dot.golden(filled_a[row, :4], filled_b[:4, column], np.uint16(0))
            total = dot.golden(filled_a[row, 4:], filled_b[4:, column], total)
            assert MatrixStep.of(dot).golden(a, b)[row, column] == total


@pytest.mark.parametrize(
    ("operands", "words"),
    [
        (([1, 2], [[1], [2]]), "not 2-D"),
        (([[1, 2]], [[1], [2], [3]]), "as many columns of a as rows of b, not 2 and 3"),
        (([[1, 256]], [[1], [2]]), "0x100 does not fit 8 bits"),
        (([[1, 2]], [[1], [2]], [[1, 2]]), "does not broadcast"),
    ],
)
def test_operands_that_do_not_fit_are_refused(operands: tuple[object, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        step().golden(*operands)


def test_a_seed_out_of_range_is_refused() -> None:
    with pytest.raises(InputError, match="GEMM seed -1 out of range"):
        step().golden([[1]], [[1]], seed=-1)
    with pytest.raises(InputError, match="no selectable formats"):
        step().golden([[1]], [[1]], mode=0)


def test_an_empty_inner_dimension_gives_the_addend() -> None:
    c = np.array([[1, 2]], np.uint16)
    assert np.array_equal(step().golden(np.empty((1, 0), np.uint8), np.empty((0, 2), np.uint8), c), c)
