"""What the kinds that meet shared exponents have in common: keys, block sizes, hard operands.

Hard operands are made backwards: an element that is hard to round is chosen first, then the exponent it is to
be rounded under, and then the operand of which both come.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from hwgen.formats import BlockFormat, ExponentFormat, FixedFormat, FloatFormat
from hwgen.operators.vectors import special_codes
from hwgen.spec import ElementwiseSpec, Whole, one_of, spec_error

__all__ = [
    "BlockLength",
    "ScaleMode",
    "SharedScaleSpec",
    "block_operands",
    "exponent_sentence",
    "inverse_operands",
    "scaled_operands",
    "with_size",
]

Number = FloatFormat | FixedFormat
Codes = NDArray[np.uint64]

_WORST = (0.9, 1.6)
"""Largest magnitudes of a block beside the largest element: around every threshold of the exponent rules."""


ScaleMode = Annotated[Literal["block", "tensor"], one_of("mode", "block", "tensor")]
BlockLength = Annotated[int | None, Whole("n", 1, 256)]


class SharedScaleSpec(ElementwiseSpec):
    """The keys of a unit that works on blocks, or on single elements whose scale comes from a port."""

    mode: ScaleMode = "block"
    n: BlockLength = None

    def _name_parts(self) -> list[str]:
        return [*super()._name_parts(), "tensor" if self.n is None else f"b{self.n}"]


def with_size(format_: BlockFormat, mode: str, n: int | None) -> int | None:
    """Return the size of a block: `n`, or what the format names; None where there are no blocks."""
    if mode != "block":
        if n is not None:
            raise spec_error(f"the key 'n' belongs to mode 'block'; here the mode is {mode!r}", "n")
        return None
    if n is not None:
        return n
    if isinstance(format_.size, str):
        raise spec_error(f"{format_.name} has no size of its own: the key 'n' must give it: legal: 1..256")
    if format_.size > 256:
        raise spec_error(f"blocks of {format_.size} are too many for one word: legal: 1..256", "formats", "y")
    return format_.size


def exponent_sentence(y: BlockFormat) -> str:
    """Return the rule by which a block chooses its exponent."""
    low, high = y.scale_range
    if isinstance(y.scale, ExponentFormat) or isinstance(y.element, FloatFormat):
        rule = f"floor(log2(max |x|)) - {y.element_emax}"
        return f"The exponent is {rule}, clamped to {low}..{high} (OCP MX)."
    half = f"2^{y.width - 1}"
    return (
        f"The exponent is the smallest e with -{half} - 1/2 <= x / 2^e <= {half} - 1/2 for every x, "
        f"in units of an element's last place and clamped to {low}..{high} (MuPPET); 0 if all are zero."
    )


def block_operands(
    x_fmt: Number, block_fmt: BlockFormat, shape: tuple[int, int], random_bits: int, rng: np.random.Generator
) -> Codes:
    """Return blocks of hard operands.

    Of the blocks, 5/8 have elements at ties and at thresholds of the random word, under the exponent that
    their largest magnitude gives, which is near a threshold of the exponent rules; 1/8 have a special pattern
    among such elements; 1/8 are of special patterns; 1/8 are of uniform bits.
    """
    count, _ = shape
    exponents = _usable_exponents(x_fmt, block_fmt, count, rng)[:, None]
    targets = _targets(block_fmt, shape, random_bits, rng)
    largest = _largest(block_fmt)
    worst = largest * rng.uniform(*_WORST, count) * rng.choice([1, -1], count)
    near = (
        rng.choice([0.0, 0.25, 0.5, 1.0, 1.5], count)
        * _ulp_of_largest(block_fmt)
        * rng.choice([1, -1], count)
    )
    worst = np.where(rng.random(count) < 0.7, (largest + near) * rng.choice([1, -1], count), worst)
    position = rng.integers(0, shape[1], count)
    targets[np.arange(count), position] = worst
    with np.errstate(all="ignore"):
        codes = _encode(x_fmt, np.ldexp(targets, exponents))
    specials = np.array(special_codes(x_fmt), np.uint64)
    drawn = rng.choice(specials, shape)
    uniform = rng.integers(0, (1 << x_fmt.width) - 1, shape, np.uint64, endpoint=True)
    family = rng.integers(0, 8, count)[:, None]
    single = np.arange(shape[1]) == position[:, None]
    codes = np.where((family == 5) & single, drawn, codes)
    return np.select([family == 6, family == 7], [drawn, uniform], codes)


def scaled_operands(
    x_fmt: Number, block_fmt: BlockFormat, count: int, random_bits: int, rng: np.random.Generator
) -> tuple[Codes, Codes]:
    """Return hard operands and the scales under which they are: at ties, thresholds and the overflow edge."""
    exponents = _usable_exponents(x_fmt, block_fmt, count, rng)
    targets = _targets(block_fmt, (count,), random_bits, rng)
    edge = _largest(block_fmt) + rng.choice([0.0, 0.25, 0.5, 1.0, 1.5], count) * _ulp_of_largest(block_fmt)
    targets = np.where(rng.random(count) < 0.25, edge * rng.choice([1, -1], count), targets)
    with np.errstate(all="ignore"):
        codes = _encode(x_fmt, np.ldexp(targets, exponents))
    specials = np.array(special_codes(x_fmt), np.uint64)
    codes = np.where(rng.random(count) < 0.1, rng.choice(specials, count), codes)
    scales = scale_codes(block_fmt, exponents)
    anywhere = rng.integers(0, (1 << block_fmt.scale_width) - 1, count, np.uint64, endpoint=True)
    return codes, np.where(rng.random(count) < 0.1, anywhere, scales)


def inverse_operands(
    block_fmt: BlockFormat, y_fmt: Number, shape: tuple[int, int], rng: np.random.Generator
) -> tuple[Codes, Codes]:
    """Return elements and scales with results of every size: subnormal, ordinary, too large."""
    element = block_fmt.element
    elements = rng.integers(0, (1 << element.width) - 1, shape, np.uint64, endpoint=True)
    specials = np.array(special_codes(element), np.uint64)
    elements = np.where(rng.random(shape) < 0.2, rng.choice(specials, shape), elements)
    if isinstance(y_fmt, FloatFormat):
        bottom, top = y_fmt.emin - y_fmt.precision, y_fmt.emax + 1
    else:
        bottom, top = -y_fmt.fraction - 1, y_fmt.width - y_fmt.fraction
    low, high = block_fmt.scale_range
    first = min(max(bottom - block_fmt.element_emax, low), high)
    last = max(min(top - block_fmt.element_emax + element.width, high), first)
    count = shape[0]
    near_ends = rng.choice([first, last], count) + rng.integers(-3, 12, count)
    exponents = np.where(rng.random(count) < 0.3, near_ends, rng.integers(first, last, count, endpoint=True))
    scales = scale_codes(block_fmt, np.clip(exponents, low, high))
    anywhere = rng.integers(0, (1 << block_fmt.scale_width) - 1, count, np.uint64, endpoint=True)
    scales = np.where(rng.random(count) < 0.1, anywhere, scales)
    highest = np.uint64((1 << block_fmt.scale_width) - 1)
    return elements, np.where(rng.random(count) < 0.03, highest, scales)


def scale_codes(block_fmt: BlockFormat, exponents: NDArray[np.int64]) -> Codes:
    """Return the patterns of exponents within the scale's range."""
    bias = block_fmt.scale.bias if isinstance(block_fmt.scale, ExponentFormat) else 0
    return (exponents + bias).astype(np.uint64) & np.uint64((1 << block_fmt.scale_width) - 1)


def _usable_exponents(
    x_fmt: Number, block_fmt: BlockFormat, count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return exponents under which operands come to be elements; some at the ends of their range."""
    low, high = block_fmt.scale_range
    if isinstance(x_fmt, FloatFormat):
        bottom, top = x_fmt.emin - x_fmt.mantissa, x_fmt.emax
    else:
        bottom, top = -x_fmt.fraction, x_fmt.width - 1 - x_fmt.fraction
    first = min(max(bottom - block_fmt.element_emax, low), high)
    last = max(min(top - block_fmt.element_emax, high), first)
    ends = rng.choice([low, high, first, last], count)
    return np.where(rng.random(count) < 0.1, ends, rng.integers(first, last, count, endpoint=True))


def _targets(
    block_fmt: BlockFormat, shape: tuple[int, ...], random_bits: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return elements plus a part of the step to the next: none, half, thresholds of the word, or any."""
    element = block_fmt.element
    top = element.max_finite_code if isinstance(element, FloatFormat) else element.max_integer
    codes = rng.integers(0, top, shape, endpoint=True) >> rng.integers(0, element.width, shape)
    low = element.decode(codes.astype(element.dtype))
    step = element.decode(np.minimum(codes + 1, top).astype(element.dtype)) - low
    bits = min(random_bits, 20)
    threshold = rng.integers(0, 1 << bits, shape, endpoint=True) / (1 << bits)
    threshold = threshold + rng.choice([0.0, 0.0, 2.0**-24, -(2.0**-24)], shape)
    part = np.select(
        [rng.integers(0, 4, shape) == k for k in range(3)], [np.zeros(shape), np.full(shape, 0.5), threshold]
    )
    part = np.where(part == 0, rng.choice([0.0, 0.5, 1.0], shape) * rng.random(shape), part)
    targets: NDArray[np.float64] = (low + part * step) * rng.choice([1.0, -1.0], shape)
    return targets


def _largest(block_fmt: BlockFormat) -> float:
    element = block_fmt.element
    code = element.max_finite_code if isinstance(element, FloatFormat) else element.max_integer
    return float(element.decode(np.array([code], element.dtype))[0])


def _ulp_of_largest(block_fmt: BlockFormat) -> float:
    element = block_fmt.element
    return 2.0 ** (element.emax - element.mantissa if isinstance(element, FloatFormat) else -element.fraction)


def _encode(x_fmt: Number, values: NDArray[np.float64]) -> Codes:
    limit = np.finfo(np.float64).max
    finite = np.clip(np.nan_to_num(values, nan=0.0), -limit, limit)
    return x_fmt.encode(finite, overflow="saturate").astype(np.uint64)
