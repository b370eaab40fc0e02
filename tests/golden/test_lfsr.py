"""The random generator: full period proved, words to the bit, every width."""

from __future__ import annotations

import time

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.golden import Lfsr
from hwgen.golden.lfsr import default_width
from hwgen.golden.polynomials import MAX_WIDTH, MIN_WIDTH, check_maximal, default_taps, prime_factors

WIDTHS = range(MIN_WIDTH, MAX_WIDTH + 1)


def is_prime(n):
    """Miller-Rabin; these bases decide every n below 3.3e24."""
    bases = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
    if n in bases:
        return True
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in bases:
        x = pow(base, odd, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


@pytest.mark.parametrize("width", WIDTHS)
def test_prime_table_factors_every_period_completely(width):
    rest = (1 << width) - 1
    for prime in prime_factors(width):
        assert is_prime(prime)
        while rest % prime == 0:
            rest //= prime
    assert rest == 1


@pytest.mark.parametrize("width", WIDTHS)
def test_tabulated_taps_are_maximal(width):
    check_maximal(width, default_taps(width))


@pytest.mark.parametrize("width", [9, 10, 11, 12, 13, 16])
def test_short_registers_walk_through_every_state_once(width):
    lfsr = Lfsr(width)
    seen = set()
    for _ in range((1 << width) - 1):
        assert lfsr.state != 0
        seen.add(lfsr.state)
        lfsr.shift(1)
    assert len(seen) == (1 << width) - 1


@pytest.mark.parametrize("width", [9, 12])
def test_taps_are_accepted_exactly_if_a_walk_finds_the_full_period(width):
    accepted = 0
    for taps in range(1, 1 << width, 2 if width == 9 else 34):
        lfsr, period = Lfsr(width), 1
        lfsr.taps = taps
        start = lfsr.state
        lfsr.shift(1)
        while lfsr.state != start and period < 1 << width:
            lfsr.shift(1)
            period += 1
        full = period == (1 << width) - 1
        accepted += full
        if full:
            check_maximal(width, taps)
        else:
            with pytest.raises(InputError, match="full period"):
                check_maximal(width, taps)
    assert accepted > 3


@pytest.mark.parametrize("width", [9, 10, 16, 17, 32, 33, 63, 64, 65, 72, 80])
def test_words_equal_the_register_shifted_bit_by_bit(width):
    for bits in {1, min(5, width - 8), min(width - 8, 64)}:
        fast = Lfsr(width, seed=0x1234567 % ((1 << width) - 1) + 1)
        slow = Lfsr(width, seed=fast.state)
        for n in (0, 1, 7, 700):  # successive calls continue the sequence
            expected = []
            for _ in range(n):
                expected.append(slow.state & ((1 << bits) - 1))
                slow.shift(bits)
            assert fast.words(n, bits).tolist() == expected
            assert fast.state == slow.state


def test_sequence_of_the_default_register_is_fixed_for_ever():
    # These words are part of the definition: hardware that exists counts on them.
    lfsr = Lfsr(32)
    assert lfsr.taps == 0x00400007
    assert lfsr.words(12, 8).tolist() == [225, 172, 0, 0, 169, 117, 214, 153, 112, 16, 9, 215]
    assert lfsr.state == 0x46B3FF08


def test_words_of_a_full_period_are_equally_frequent_but_for_the_missing_zero():
    width, bits = 13, 5
    words = Lfsr(width).words((1 << width) - 1, bits)  # r and the period are coprime: every phase occurs once
    counts = np.bincount(words.astype(np.int64), minlength=1 << bits)
    assert counts[0] == (1 << (width - bits)) - 1
    assert (counts[1:] == 1 << (width - bits)).all()


def test_ten_million_words_are_quick():
    start = time.process_time()
    words = Lfsr(32).words(10_000_000, 8)
    assert words.shape == (10_000_000,)
    assert time.process_time() - start < 10  # 0.6 s on an idle core


def test_default_width_leaves_room_over_the_words():
    assert [default_width(bits) for bits in (1, 8, 24, 25, 64)] == [32, 32, 32, 33, 72]


def test_repr_shows_the_state_and_round_trips():
    lfsr = Lfsr(16, seed=0xBEEF)
    assert repr(lfsr) == "Lfsr(16, 0xa011, 0xbeef)"
    assert eval(repr(lfsr)).state == 0xBEEF


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 8}, "LFSR width 8 out of range: legal: 9..80"),
        ({"width": 81}, "LFSR width 81 out of range"),
        ({"width": 16, "seed": 0}, "LFSR seed 0 out of range: legal: 1..65535"),
        ({"width": 16, "seed": 1 << 16}, "LFSR seed 65536 out of range"),
        ({"width": 16, "taps": 0x8001}, "LFSR taps 0x8001 do not give width 16 its full period"),
        ({"width": 16, "taps": 1 << 16}, "LFSR taps 65536 out of range"),
        ({"width": "16"}, "LFSR width '16' must be an integer"),
    ],
)
def test_wrong_registers_are_refused(arguments, message):
    with pytest.raises(InputError) as caught:
        Lfsr(**arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize("bits", [0, 25])
def test_words_longer_than_the_register_allows_are_refused(bits):
    with pytest.raises(InputError, match=r"legal: 1\.\.24"):
        Lfsr(32).words(1, bits)
