"""The accumulators: fast against plain, both against sums that others compute."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import apytypes
import ml_dtypes
import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.formats import FloatFormat, Rounding, parse_format
from hwgen.golden.accumulator import accumulate, accumulate_chunked, accumulate_long, squares, values
from hwgen.golden.accumulator_exact import (
    Rounder,
    chunked_sum,
    combine_rounding,
    frames_of,
    interleaved_sum,
    long_sum,
)
from hwgen.operators.sum_streams import sum_streams

E5M2, E4M3, E6M9 = parse_format("e5m2"), parse_format("e4m3fn"), parse_format("e6m9")
FP16, BF16, FP32 = parse_format("fp16"), parse_format("bf16"), parse_format("fp32")
RNE, SR8 = Rounding("rne"), Rounding("sr", 8)
MODES = [RNE, Rounding("rna"), Rounding("rtz"), Rounding("rup"), Rounding("rdn"), Rounding("rto"), SR8]


def stream(fmt: Any, count: int, words: int, seed: int = 0) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    x, ctrl = sum_streams(fmt, count, rng)
    rand = rng.integers(0, 256, (count, words), dtype=np.uint64)
    return x.astype(fmt.dtype), ctrl.astype(np.uint8), rand


def one_frame(fmt: Any, codes: Any) -> tuple[Any, Any]:
    ctrl = np.zeros(len(codes), np.uint8)
    ctrl[-1] = 2
    return np.asarray(codes, fmt.dtype), ctrl


# ---- the fast ways against the plain model ---------------------------------------------------------------


@pytest.mark.parametrize("rounding", MODES, ids=str)
@pytest.mark.parametrize("interleave", [1, 2, 3, 4, 7])
@pytest.mark.parametrize(("x", "y"), [("e5m2", "e4m3fn"), ("q1.7", "int8"), ("e4m3fnuz", "e6m9")])
def test_sums_side_by_side_are_those_of_the_plain_model(
    x: str, y: str, interleave: int, rounding: Rounding
) -> None:
    x_fmt, y_fmt = parse_format(x), parse_format(y)
    codes, ctrl, rand = stream(x_fmt, 1200, 1)
    words = rand[:, 0] if rounding.bits else None
    for terms in (values(x_fmt), squares(x_fmt)):
        fast = accumulate(
            terms, codes, ctrl, y_fmt=y_fmt, rounding=rounding, interleave=interleave, rand=words
        )
        rounder = Rounder(y_fmt, rounding, y_fmt.default_overflow)
        plain = [
            interleaved_sum(
                [terms.exact(int(code)) for code in codes[start:stop]],
                [int(word) for word in rand[start:stop, 0]],
                rounder,
                interleave,
            )
            for start, stop in frames_of(ctrl)
        ]
        assert fast.tolist() == plain
        assert len(plain) > 30


@pytest.mark.parametrize("rounding", MODES, ids=str)
@pytest.mark.parametrize(("x", "p", "y"), [("e5m2", "e4m3fn", "e6m9"), ("int8", "int8", "int16")])
@pytest.mark.parametrize("chunk", [2, 5])
def test_chunks_side_by_side_are_those_of_the_plain_model(
    x: str, p: str, y: str, chunk: int, rounding: Rounding
) -> None:
    x_fmt, p_fmt, y_fmt = parse_format(x), parse_format(p), parse_format(y)
    codes, ctrl, rand = stream(x_fmt, 1200, 2)
    fast = accumulate_chunked(
        values(x_fmt),
        codes,
        ctrl,
        chunk=chunk,
        chunk_fmt=p_fmt,
        y_fmt=y_fmt,
        rounding=rounding,
        rand=rand if rounding.bits else None,
    )
    inner = Rounder(p_fmt, rounding, p_fmt.default_overflow)
    outer = Rounder(y_fmt, rounding, y_fmt.default_overflow)
    plain = [
        chunked_sum(
            [x_fmt.unpack(int(code)) for code in codes[start:stop]],
            [(int(a), int(b)) for a, b in rand[start:stop]],
            inner,
            outer,
            chunk,
        )
        for start, stop in frames_of(ctrl)
    ]
    assert fast.tolist() == plain


@pytest.mark.parametrize("rounding", MODES, ids=str)
@pytest.mark.parametrize(("x", "y", "msb", "lsb"), [("e5m2", "bf16", 22, -16), ("e4m3fn", "fp16", 9, -7)])
def test_integer_sums_of_codes_are_those_of_the_plain_model(
    x: str, y: str, msb: int, lsb: int, rounding: Rounding
) -> None:
    x_fmt, y_fmt = parse_format(x), parse_format(y)
    codes, ctrl, rand = stream(x_fmt, 2000, 1)
    fast = accumulate_long(
        values(x_fmt),
        codes,
        ctrl,
        msb=msb,
        lsb=lsb,
        y_fmt=y_fmt,
        rounding=rounding,
        rand=rand[:, 0] if rounding.bits else None,
    )
    rounder = Rounder(y_fmt, rounding, y_fmt.default_overflow)
    plain = [
        long_sum(
            [x_fmt.unpack(int(code)) for code in codes[start:stop]],
            int(rand[stop - 1, 0]),
            rounder,
            msb=msb,
            lsb=lsb,
        )
        for start, stop in frames_of(ctrl)
    ]
    assert [tuple(row) for row in fast.tolist()] == plain
    assert any(flag for _, flag in plain) == (msb < 20)


# ---- others' sums ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fmt", "numpy_type"), [(FP32, np.float32), (FP16, np.float16), (BF16, ml_dtypes.bfloat16)]
)
def test_a_plain_sum_is_the_loop_that_numpy_and_ml_dtypes_run(fmt: FloatFormat, numpy_type: Any) -> None:
    codes, ctrl, _ = stream(fmt, 3000, 1)
    got = accumulate(values(fmt), codes, ctrl, y_fmt=fmt, rounding=RNE)
    typed = codes.view(numpy_type)
    expected = []
    with np.errstate(all="ignore"):
        for start, stop in frames_of(ctrl):
            total = typed[start]
            for value in typed[start + 1 : stop]:
                total = numpy_type(total + value)
            expected.append(total)
    want = np.array(expected, dtype=numpy_type)
    nan = np.isnan(want.astype(np.float64))
    assert np.isnan(np.asarray(fmt.decode(got), np.float64)[nan]).all()
    np.testing.assert_array_equal(got[~nan], want.view(fmt.dtype)[~nan])


def test_a_plain_sum_in_six_and_nine_bits_is_the_one_of_apytypes() -> None:
    codes, ctrl, _ = stream(E4M3, 1500, 1)
    finite = np.where(codes & 0x7F == 0x7F, 0x38, codes).astype(np.uint8)
    got = accumulate(values(E4M3), finite, ctrl, y_fmt=E6M9, rounding=RNE)
    terms = [float(value) for value in E4M3.decode(finite)]
    for (start, stop), code in zip(frames_of(ctrl), got.tolist(), strict=True):
        total = apytypes.APyFloat.from_float(terms[start], 6, 9)
        for value in terms[start + 1 : stop]:
            total = total + apytypes.APyFloat.from_float(value, 6, 9)
        assert code == total.to_bits()


@pytest.mark.parametrize(("x", "lsb", "top"), [(E5M2, -16, 16), (BF16, -133, 128)])
def test_a_long_sum_is_the_fraction_rounded_once(x: FloatFormat, lsb: int, top: int) -> None:
    codes, ctrl, _ = stream(x, 3000, 1)
    got = accumulate_long(values(x), codes, ctrl, msb=top + 7, lsb=lsb, y_fmt=FP32, rounding=RNE)
    numbers = np.asarray(x.decode(codes), np.float64)
    checked = 0
    for (start, stop), (code, flag) in zip(frames_of(ctrl), got.tolist(), strict=True):
        frame = numbers[start:stop]
        assert flag == 0, "guard bits for 128 terms of any size"
        if not np.isfinite(frame).all():
            nan = np.isnan(frame).any() or (np.isposinf(frame).any() and np.isneginf(frame).any())
            want = 0x7FC00000 if nan else 0x7F800000 | int(np.isneginf(frame).any()) << 31
        elif total := sum(map(Fraction, frame.tolist())):
            want = int(FP32.encode(np.array([total], dtype=object))[0])
        else:
            want = 0x80000000 if np.signbit(frame).all() and not frame.any() else 0
        assert code == want
        checked += 1
    assert checked > 80


def test_chunks_of_e6m9_are_the_two_loops_of_apytypes() -> None:
    rng = np.random.default_rng(5)
    x = rng.integers(0, 124, 640).astype(np.uint8) | (rng.integers(0, 2, 640) << 7).astype(np.uint8)
    codes, ctrl = one_frame(E5M2, x)
    got = accumulate_chunked(values(E5M2), codes, ctrl, chunk=64, chunk_fmt=E6M9, y_fmt=E6M9, rounding=RNE)
    numbers = [apytypes.APyFloat.from_float(float(value), 6, 9) for value in E5M2.decode(codes)]
    outer = None
    for start in range(0, 640, 64):
        inner = numbers[start]
        for value in numbers[start + 1 : start + 64]:
            inner = inner + value
        outer = inner if outer is None else outer + inner
    assert outer is not None
    assert got.tolist() == [outer.to_bits()]


# ---- properties that make each scheme worth having -------------------------------------------------------


def test_a_long_sum_forgets_the_order_of_its_terms() -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 0x7F80, 400).astype(np.uint16) | (rng.integers(0, 2, 400) << 15).astype(np.uint16)
    results = {
        tuple(
            accumulate_long(
                values(BF16),
                *one_frame(BF16, rng.permutation(codes)),
                msb=140,
                lsb=-133,
                y_fmt=FP32,
                rounding=RNE,
            )[0].tolist()
        )
        for _ in range(10)
    }
    assert len(results) == 1


def test_chunks_do_not_swamp_small_terms_as_one_sum_does() -> None:
    # Wang et al. 2018, figure 3: ones added in (1, 6, 9) stall at 2^10; chunks of 64 do not.
    codes, ctrl = one_frame(E5M2, np.full(8192, 0x3C))
    plain = accumulate(values(E5M2), codes, ctrl, y_fmt=E6M9, rounding=RNE)
    chunked = accumulate_chunked(
        values(E5M2), codes, ctrl, chunk=64, chunk_fmt=E6M9, y_fmt=E6M9, rounding=RNE
    )
    assert E6M9.decode(plain).tolist() == [1024.0]
    assert E6M9.decode(chunked).tolist() == [8192.0]


def test_stochastic_sums_of_stalled_terms_are_right_on_average() -> None:
    # 4096 frames of 1024 + 64 ones in e6m9, whose step there is 2: rne stays at 1024.
    frame = np.array([0x64] + [0x3C] * 64, np.uint8)  # 1024, then ones
    ctrl = np.zeros(65, np.uint8)
    ctrl[-1] = 2
    words = np.random.default_rng(1).integers(0, 256, 65 * 4096, dtype=np.uint64)
    sums = accumulate(
        values(E5M2), np.tile(frame, 4096), np.tile(ctrl, 4096), y_fmt=E6M9, rounding=SR8, rand=words
    )
    mean = float(np.mean(E6M9.decode(sums)))
    # Each of 64 steps goes up by 2 with probability 1/2: variance 64, of the mean 64 / 4096.
    assert abs(mean - 1088) < 5 * (64 / 4096) ** 0.5
    assert E6M9.decode(accumulate(values(E5M2), *one_frame(E5M2, frame), y_fmt=E6M9, rounding=RNE))[0] == 1024


@pytest.mark.parametrize("rounding", [RNE, Rounding("rdn")], ids=str)
def test_signs_of_zero_sums_are_ieees(rounding: Rounding) -> None:
    rdn = rounding.mode == "rdn"
    cases = [
        ([0x00], 0),
        ([0x80], 1),
        ([0x80, 0x80], 1),
        ([0x00, 0x80], rdn),
        ([0x80, 0x00], rdn),
        ([0x3C, 0xBC], rdn),
        ([0x3C, 0xBC, 0x00], rdn),
        ([0x80, 0x3C, 0xBC, 0x80], rdn),
    ]
    for terms, negative in cases:
        codes, ctrl = one_frame(E5M2, terms)
        for n in (1, 2):
            plain = accumulate(values(E5M2), codes, ctrl, y_fmt=FP16, rounding=rounding, interleave=n)
            assert plain.tolist() == [0x8000 * negative], (terms, n)
        exact = accumulate_long(values(E5M2), codes, ctrl, msb=20, lsb=-16, y_fmt=FP16, rounding=rounding)
        assert exact.tolist() == [[0x8000 * negative, 0]], terms


def test_clear_at_every_position_drops_what_came_before() -> None:
    rng = np.random.default_rng(4)
    terms = rng.integers(0, 124, 9).astype(np.uint8)
    for at in range(9):
        codes, ctrl = one_frame(E5M2, terms)
        ctrl[at] |= 1
        alone = one_frame(E5M2, terms[at:])
        for n in (1, 3, 4):
            how: dict[str, Any] = {"y_fmt": E4M3, "rounding": RNE, "interleave": n}
            assert accumulate(values(E5M2), codes, ctrl, **how) == accumulate(values(E5M2), *alone, **how)


def test_the_overflow_flag_says_whether_any_running_sum_left_the_register() -> None:
    # int8 in a register of 9 bits, -256..255: 254, 381 and back to 127.
    int8, int16 = parse_format("int8"), parse_format("int16")
    how: dict[str, Any] = {"msb": 8, "lsb": 0, "y_fmt": int16, "rounding": RNE}
    assert accumulate_long(values(int8), *one_frame(int8, [127] * 2), **how).tolist() == [[254, 0]]
    back = accumulate_long(values(int8), *one_frame(int8, [127, 127, 127, 0x81, 0x81]), **how)
    assert back.tolist() == [[127, 1]]
    wrapped = accumulate_long(values(int8), *one_frame(int8, [127] * 3), **how)
    assert wrapped.tolist() == [[(381 - 512) % 65536, 1]]


def test_streams_of_different_lengths_and_wrong_words_are_refused() -> None:
    with pytest.raises(InputError, match="same length"):
        accumulate(values(E5M2), [1, 2], [2], y_fmt=FP16, rounding=RNE)
    with pytest.raises(InputError, match="does not fit 2 bits"):
        accumulate(values(E5M2), [1], [4], y_fmt=FP16, rounding=RNE)
    with pytest.raises(InputError, match="are needed"):
        accumulate(values(E5M2), [1], [2], y_fmt=FP16, rounding=SR8, rand=[[1, 2]])


def test_interleaved_sums_under_sr_are_combined_to_nearest_even() -> None:
    assert combine_rounding(SR8) == RNE
    assert combine_rounding(Rounding("rup")) == Rounding("rup")


# ---- long streams ----------------------------------------------------------------------------------------


def test_a_million_terms_that_cancel_leave_the_one_that_does_not() -> None:
    rng = np.random.default_rng(6)
    half = rng.integers(0, 0x7C, 499_999).astype(np.uint8)
    codes = rng.permutation(np.concatenate([half, half | 0x80, [0x01]]).astype(np.uint8))
    result = accumulate_long(values(E5M2), *one_frame(E5M2, codes), msb=36, lsb=-16, y_fmt=FP16, rounding=RNE)
    assert result.tolist() == [[0x100, 0]]  # 2^-16


@pytest.mark.slow
def test_a_million_fp32_terms_in_one_rounded_sum_are_numpys_loop() -> None:
    rng = np.random.default_rng(7)
    terms = (rng.standard_normal(1_000_000) * np.exp2(rng.integers(-20, 20, 1_000_000))).astype(np.float32)
    terms[1::2] = -terms[::2]
    got = accumulate(values(FP32), *one_frame(FP32, terms.view(np.uint32)), y_fmt=FP32, rounding=RNE)
    assert got.view(np.float32)[0] == np.cumsum(terms, dtype=np.float32)[-1]
