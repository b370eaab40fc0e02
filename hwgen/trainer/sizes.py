"""The sizes of a trainer core: what its spec fixes, and every width that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.trainer.layout import FP32_BITS
from hwgen.trainer.spec import ELEMENT_BITS, TrainerSpec

__all__ = ["CoreSizes"]


@dataclass(frozen=True, kw_only=True)
class CoreSizes:
    """The numbers that a core is generated from.

    Attributes
    ----------
    rows, cols, lanes, digit : int
        The array: `rows` x `cols` dot units of `lanes` pairs of digits of `digit` bits.
    splits : bool
        Whether a unit multiplies elements of two digits whole, a quarter as many.
    least_width, most_width : int
        Word lengths in bits that a command may ask for.
    scratch_words, words_a, words_b, result_words : int
        Words of the memories, powers of two: of `lanes` elements; of a digit of `lanes` elements of all rows
        or columns; of `cols` results.
    most_k : int
        Greatest length of a dot product.
    sum_bits : int
        Bits of an accumulator: no sum of `most_k` products overflows it.
    result_bits : int
        Bits of a result in memory; results saturate to it.
    exponent_bits : int
        Bits of an exponent that a tensor shares.
    update_lanes : int
        Weights that are updated in a clock.
    float_lanes : int
        Multiply-adders of fp32 numbers.
    bias_words, mask_words : int
        Words of bias memory, of `cols` results, and of mask memory, of `cols` bits.
    element_bits : int
        Bits of an element in scratch memory.
    """

    rows: int
    cols: int
    lanes: int
    digit: int
    splits: bool
    least_width: int
    most_width: int
    scratch_words: int
    words_a: int
    words_b: int
    result_words: int
    most_k: int
    sum_bits: int
    result_bits: int
    exponent_bits: int
    update_lanes: int
    float_lanes: int

    bias_words: int = 64
    mask_words: int = 4096
    element_bits: int = ELEMENT_BITS

    @classmethod
    def of(cls, spec: TrainerSpec) -> CoreSizes:
        """Return the sizes of the core of a spec."""
        array = spec.array
        return cls(
            rows=array.rows,
            cols=array.cols,
            lanes=array.lanes,
            digit=array.digit,
            splits=array.splits,
            least_width=spec.least_width,
            most_width=spec.most_width,
            scratch_words=spec.scratch_words,
            words_a=spec.a_words,
            words_b=spec.b_words,
            result_words=spec.c_words,
            most_k=spec.max_k,
            sum_bits=spec.sum_bits,
            result_bits=spec.result_bits,
            exponent_bits=spec.exponent_bits,
            update_lanes=spec.update_lanes,
            float_lanes=spec.float_lanes,
        )

    @property
    def units(self) -> int:
        """Dot units."""
        return self.rows * self.cols

    @property
    def planes(self) -> int:
        """Digits of the widest word."""
        return -(-self.most_width // self.digit)

    @property
    def float_planes(self) -> int:
        """Digits of an fp32 pattern."""
        return FP32_BITS // self.digit

    @property
    def fill_planes(self) -> int:
        """Digits that a fill cuts out of an element of scratch memory, at most."""
        return self.element_bits // self.digit if self.float_lanes else self.planes

    @property
    def most_groups(self) -> int:
        """Greatest number of k-groups."""
        return self.most_k // self.lanes

    @property
    def scratch_address(self) -> int:
        """Bits of an address of scratch memory."""
        return _bits(self.scratch_words - 1)

    @property
    def plane_address(self) -> int:
        """Bits of an address of an operand memory; the larger one's."""
        return _bits(max(self.words_a, self.words_b) - 1)

    @property
    def result_address(self) -> int:
        """Bits of an address of result memory."""
        return _bits(self.result_words - 1)

    @property
    def bank_bits_a(self) -> int:
        """Bits of the number of a row of the array."""
        return _bits(self.rows - 1)

    @property
    def bank_bits_b(self) -> int:
        """Bits of the number of a column of the array."""
        return _bits(self.cols - 1)

    @property
    def fill_step_bits(self) -> int:
        """Bits of a step of the fill stage, without the command's ticket and count."""
        return 5 + self.splits + _bits(self.fill_planes - 1) + 2 * self.plane_address

    @property
    def store_step_bits(self) -> int:
        """Bits of a step of the store stage, without the command's ticket."""
        return 12 + 5 + self.exponent_bits + _bits(self.mask_words - 1) + _bits(self.bias_words - 1)

    @property
    def digit_sum_bits(self) -> int:
        """Bits of a unit's sum of one clock, signed."""
        if self.splits:
            return _bits(self.lanes // 4 << 4 * self.digit - 2) + 1
        return _bits(self.lanes * ((1 << self.digit) - 1) ** 2) + 1


def _bits(largest: int) -> int:
    """Return the bits that hold every integer from 0 to `largest`, at least one."""
    return max(1, largest.bit_length())
