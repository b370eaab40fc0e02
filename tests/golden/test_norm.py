"""The norm: against SoftFloat's fused steps, against Fractions, and what it is for."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import softfloatpy as sf

from hwgen.formats import Rounding, parse_format
from hwgen.golden.accumulator_exact import frames_of
from hwgen.golden.norm import Register, norm
from hwgen.operators.sum_streams import sum_streams

E5M2, BF16, FP32, INT8 = (parse_format(name) for name in ("e5m2", "bf16", "fp32", "int8"))
RNE = Rounding("rne")


def stream(fmt: Any, count: int, seed: int) -> tuple[Any, Any]:
    x, ctrl = sum_streams(fmt, count, np.random.default_rng(seed))
    return x.astype(fmt.dtype), ctrl.astype(np.uint8)


def test_rounded_sums_of_bf16_are_softfloats_fused_steps_in_fp32() -> None:
    codes, ctrl = stream(BF16, 2500, 1)
    got = norm(codes, ctrl, x_fmt=BF16, y_fmt=FP32, rounding=RNE, with_sum=True)
    values = [sf.Float32.from_bytes((int(code) << 16).to_bytes(4, "big")) for code in codes]
    zero, one = (sf.Float32.from_bytes(pattern) for pattern in (b"\0\0\0\0", b"\x3f\x80\0\0"))
    checked = 0
    for (start, stop), row in zip(frames_of(ctrl), got.tolist(), strict=True):
        squares, plain = sf.f32_mul_add(values[start], values[start], zero), values[start]
        for value in values[start + 1 : stop]:
            squares = sf.f32_mul_add(value, value, squares)
            plain = sf.f32_mul_add(value, one, plain)
        for ours, theirs in zip(row, (squares, plain), strict=True):
            want = int.from_bytes(theirs.to_bytes(), "big")
            if want & 0x7FFFFFFF > 0x7F800000:
                assert ours == FP32.nan_code
            else:
                assert ours == want
            checked += 1
    assert checked > 150


@pytest.mark.parametrize("with_sum", [False, True])
def test_long_sums_are_fractions_rounded_once(with_sum: bool) -> None:
    codes, ctrl = stream(E5M2, 3000, 2)
    registers = (Register(40, -32), Register(24, -16))[: 2 if with_sum else 1]
    got = norm(codes, ctrl, x_fmt=E5M2, y_fmt=FP32, rounding=RNE, registers=registers, with_sum=with_sum)
    assert got.shape[1] == 3 if with_sum else 2
    numbers = np.asarray(E5M2.decode(codes), np.float64)
    checked = 0
    for (start, stop), row in zip(frames_of(ctrl), got.tolist(), strict=True):
        frame = numbers[start:stop]
        if not np.isfinite(frame).all():
            continue
        assert row[-1] == 0
        exact = [Fraction(value) for value in frame.tolist()]
        sums = [sum(value * value for value in exact), sum(exact)]
        for ours, total in zip(row[:-1], sums, strict=False):
            if total:
                assert ours == int(FP32.encode(np.array([total], dtype=object))[0])
                checked += 1
    assert checked > 80


def test_squares_have_no_sign_and_infinities_do_not_cancel() -> None:
    codes, ctrl = np.array([0xFC, 0x7C, 0xC0], np.uint8), np.array([0, 0, 2], np.uint8)  # -Inf, Inf, -2
    assert norm(codes, ctrl, x_fmt=E5M2, y_fmt=FP32, rounding=RNE).tolist() == [[0x7F800000]]
    both = norm(codes, ctrl, x_fmt=E5M2, y_fmt=FP32, rounding=RNE, with_sum=True)
    assert both.tolist() == [[0x7F800000, 0x7FC00000]]
    zero = norm([0x80], [2], x_fmt=E5M2, y_fmt=FP32, rounding=RNE, with_sum=True)
    assert zero.tolist() == [[0, 0x80000000]], "(-0)^2 is +0"


def test_integer_sums_are_numpys() -> None:
    codes, ctrl = stream(INT8, 2000, 3)
    wide = parse_format("int32")
    got = norm(codes, ctrl, x_fmt=INT8, y_fmt=wide, rounding=RNE, with_sum=True).view(np.int32)
    values = codes.view(np.int8).astype(np.int64)
    want = [((values[a:b] ** 2).sum(), values[a:b].sum()) for a, b in frames_of(ctrl)]
    np.testing.assert_array_equal(got, want)


def test_either_registers_overflow_sets_the_flag() -> None:
    how: dict[str, Any] = {"x_fmt": INT8, "y_fmt": parse_format("int16"), "rounding": RNE, "with_sum": True}
    terms, ctrl = [3, 3], [0, 2]
    fits = norm(terms, ctrl, registers=(Register(5, 0), Register(3, 0)), **how)
    assert fits.tolist() == [[18, 6, 0]]
    assert norm(terms, ctrl, registers=(Register(4, 0), Register(3, 0)), **how)[0, 2] == 1
    assert norm(terms, ctrl, registers=(Register(5, 0), Register(2, 0)), **how)[0, 2] == 1


def test_each_sum_takes_its_own_random_word() -> None:
    codes, ctrl = np.array([0x3C, 0x2C], np.uint8), np.array([0, 2], np.uint8)  # 1, 2^-4
    e3m2 = parse_format("e3m2")
    how: dict[str, Any] = {"x_fmt": E5M2, "y_fmt": e3m2, "rounding": Rounding("sr", 8), "with_sum": True}

    def sums(a: int, b: int) -> list[float]:
        result = norm(codes, ctrl, rand=[[0, 0], [a, b]], **how)
        return [float(value) for value in e3m2.decode(result[0])]

    # 1 + 2^-8 and 1 + 2^-4 between 1 and 1.25: k = 4 and 64 of 256 words go up.
    assert sums(251, 191) == [1.0, 1.0]
    assert sums(252, 191) == [1.25, 1.0]
    assert sums(251, 192) == [1.0, 1.25]
