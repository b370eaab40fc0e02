"""Block formats: elements that share one power-of-two scale (OCP MX, block floating point, Flexpoint).

A block-encoded tensor is a `BlockCodes` record: element patterns in the tensor's shape and one scale
pattern per block. Arithmetic on blocks is not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.formats.checks import as_codes, as_values, as_words, check_integer, storage_dtype
from hwgen.formats.exponent_format import ExponentFormat
from hwgen.formats.fixed_format import FixedFormat
from hwgen.formats.float_format import FloatFormat
from hwgen.formats.modes import Overflow, Rounding, RoundingMode

__all__ = ["BLOCK_NAMES", "BlockCodes", "BlockFormat"]

_SIZES = (1, 1 << 20)
_SCALE_BITS = (2, 10)
_FIXED_ELEMENT_WIDTHS = (2, 32)
_FLOAT_ELEMENT_EXPONENTS = (2, 8)
_TINY = 2.0**-1000
"""Stands for a scaled value that underflowed: below every decision threshold of every legal element."""


@dataclass(frozen=True)
class BlockCodes:
    """A block-encoded tensor.

    Attributes
    ----------
    elements : ndarray of unsigned int
        Element patterns, in the shape of the tensor.
    scales : ndarray of unsigned int
        Scale patterns: shape () for size `tensor`, the leading axes for `row`, and the leading axes with the
        number of blocks appended for a number of elements.
    """

    elements: npt.NDArray[Any]
    scales: npt.NDArray[Any]


@dataclass(frozen=True)
class BlockFormat:
    """A block format: value = element * 2^e with one e per block.

    Parameters
    ----------
    element : FloatFormat or FixedFormat
        Format of the elements: floats with exponents of 2..8 bits, or signed fixed point of 2..32 bits.
    size : int or {"tensor", "row"}
        Elements along the last axis that share a scale; the whole tensor; or the whole last axis.
    scale : ExponentFormat or int
        E8M0, or the width (2..10) of a two's complement exponent.

    Raises
    ------
    InputError
        If a field is out of range.

    Notes
    -----
    Choice of e, exact in all cases:

    - E8M0 scale, or float elements: floor(log2(max |x|)) - emax(element), clamped to the scale's range (OCP
      Microscaling Formats 1.0, section 6.3). An all-zero block takes E8M0's smallest scale, or exponent 0.
    - Fixed elements with an exponent field: MuPPET's rule on the integers q = x * 2^-e of W bits,
      e = -floor(log2 R), R = min((2^(W-1) - 1/2) / max x, (2^(W-1) + 1/2) / max -x) over the signs present
      (Rajagopal et al., "Multi-Precision Policy Enforced Training", ICML 2020, as its released code has it),
      clamped to the field. An all-zero block takes 0.

    Elements are rounded and then always saturate.
    """

    element: FloatFormat | FixedFormat
    size: int | str
    scale: ExponentFormat | int

    family: ClassVar[str] = "block"

    def __post_init__(self) -> None:
        if isinstance(self.element, FixedFormat):
            if not self.element.signed:
                raise InputError(f"block element {self.element.name!r} must be signed")
            check_integer("block element width", self.element.width, *_FIXED_ELEMENT_WIDTHS)
        elif isinstance(self.element, FloatFormat):
            check_integer("block element exponent width", self.element.exponent, *_FLOAT_ELEMENT_EXPONENTS)
        else:
            raise InputError(f"block element {self.element!r} must be a float or a fixed format")
        if self.size not in ("tensor", "row"):
            if isinstance(self.size, str):
                raise InputError(
                    f"block size {self.size!r} is unknown: legal: a number of elements, tensor, row"
                )
            check_integer("block size", self.size, *_SIZES)
        if not isinstance(self.scale, ExponentFormat):
            check_integer("block scale exponent width", self.scale, *_SCALE_BITS)

    # ---- derived properties -------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Standard name if there is one (`parse_format` reads it), else <element>_<scale>_block<size>."""
        for name, fmt in BLOCK_NAMES.items():
            if fmt == self:
                return name
        if self == bfp(self.width):
            return f"bfp{self.width}"
        scale = self.scale.name if isinstance(self.scale, ExponentFormat) else f"exp{self.scale}"
        return f"{self.element.name}_{scale}_block{self.size}"

    @property
    def width(self) -> int:
        """Width of an element in bits; the shared scale is extra."""
        return self.element.width

    @property
    def dtype(self) -> np.dtype[Any]:
        """Smallest unsigned NumPy dtype of an element pattern."""
        return self.element.dtype

    @property
    def scale_width(self) -> int:
        """Width of a scale in bits."""
        return self.scale.width if isinstance(self.scale, ExponentFormat) else self.scale

    @property
    def scale_format(self) -> ExponentFormat | FixedFormat:
        """Format of a scale pattern: E8M0, or the exponent as a two's complement integer."""
        return self.scale if isinstance(self.scale, ExponentFormat) else FixedFormat(self.scale, 0)

    @property
    def scale_range(self) -> tuple[int, int]:
        """Smallest and largest shared exponent."""
        if isinstance(self.scale, ExponentFormat):
            return self.scale.emin, self.scale.emax
        return -(1 << (self.scale - 1)), (1 << (self.scale - 1)) - 1

    @property
    def element_emax(self) -> int:
        """Floor(log2) of the largest element."""
        if isinstance(self.element, FloatFormat):
            return self.element.emax
        return self.element.width - 2 - self.element.fraction

    # ---- arrays -------------------------------------------------------------------------------

    def encode(
        self,
        x: npt.ArrayLike,
        *,
        rounding: str | Rounding = "rne",
        rand: npt.ArrayLike | None = None,
        rbits: int | None = None,
    ) -> BlockCodes:
        """Choose the shared exponents of a tensor and round its elements.

        Parameters
        ----------
        x : array_like of float
            The tensor. With a numeric size its last axis must be a multiple of it.
        rounding : str or Rounding
            Mode of the elements.
        rand : array_like of int, optional
            Random words of `sr`, one per element.
        rbits : int, optional
            Random bits of `sr` when `rounding` is a string.

        Returns
        -------
        BlockCodes
            Element and scale patterns. With an E8M0 scale, a block that holds a NaN or an infinity gets the
            NaN scale and zero elements.

        Raises
        ------
        InputError
            If the shape does not divide into blocks, or an exponent field has to code a NaN or an infinity.
        """
        how = rounding if isinstance(rounding, Rounding) else Rounding(RoundingMode.parse(rounding), rbits)
        words = as_words(rand, how)
        values = as_values(x)
        if values.dtype.kind == "O":
            raise InputError("block encoding takes floats of at most 64 bits, not exact numbers")
        values = values.astype(np.float64)
        blocks = self._split(values)
        broken = np.asarray(~np.isfinite(blocks).all(axis=-1))
        if broken.any() and not isinstance(self.scale, ExponentFormat):
            raise InputError(
                f"format {self.name!r} cannot code NaN or infinity: its exponent has no pattern for it"
            )
        blocks = np.where(broken[..., None], 0.0, blocks)
        exponents = self._choose_exponents(blocks)
        with np.errstate(under="ignore"):  # put right in the next line
            scaled = np.ldexp(blocks, -exponents[..., None])
        scaled = np.where((scaled == 0) & (blocks != 0), np.copysign(_TINY, blocks), scaled)
        elements = self.element.encode(
            scaled.reshape(values.shape), rounding=how, overflow=Overflow.SATURATE, rand=words
        )
        if isinstance(self.scale, ExponentFormat):
            codes = np.where(broken, self.scale.nan_code, exponents + self.scale.bias)
        else:
            codes = exponents & ((1 << self.scale) - 1)
        return BlockCodes(elements, codes.astype(storage_dtype(self.scale_width)))

    def decode(self, codes: BlockCodes) -> npt.NDArray[np.float64]:
        """Return the exact values of a block-encoded tensor.

        Parameters
        ----------
        codes : BlockCodes
            As `encode` returns it.

        Returns
        -------
        ndarray of float64
            In the shape of the elements; NaN throughout a block whose scale is NaN.

        Raises
        ------
        InputError
            If the two arrays' shapes do not belong together, or a pattern is too wide.
        """
        values = self.element.decode(codes.elements)
        blocks = self._split(values)
        scales = as_codes(codes.scales, self.scale_width, storage_dtype(self.scale_width))
        if scales.shape != blocks.shape[:-1]:
            raise InputError(
                f"scales of shape {scales.shape} do not fit elements of shape {values.shape}: "
                f"legal: {blocks.shape[:-1]}"
            )
        if isinstance(self.scale, ExponentFormat):
            scaled = blocks * self.scale.decode(scales)[..., None]
        else:
            exponents = FixedFormat(self.scale, 0).integers(scales)
            scaled = np.ldexp(blocks, exponents[..., None])
        return scaled.reshape(values.shape)

    def _split(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """View a tensor with the elements of one block along the last axis."""
        if self.size == "tensor":
            return values.reshape(-1)
        if values.ndim == 0:
            raise InputError(f"block size {self.size!r} needs at least one axis: a scalar has none")
        if self.size == "row":
            return values
        size, length = int(self.size), values.shape[-1]
        if length % size:
            raise InputError(f"last axis of length {length} is not a multiple of the block size {size}")
        return values.reshape(*values.shape[:-1], length // size, size)

    def _choose_exponents(self, blocks: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        lowest, highest = self.scale_range
        largest = np.abs(blocks).max(axis=-1, initial=0.0)
        if isinstance(self.scale, ExponentFormat) or isinstance(self.element, FloatFormat):
            exponents = np.frexp(largest)[1].astype(np.int64) - 1 - self.element_emax
            of_zero = lowest if isinstance(self.scale, ExponentFormat) else 0
        else:
            half = 1 << self.element.width  # 2^(W-1) - 1/2 = (half - 1) / 2, 2^(W-1) + 1/2 = (half + 1) / 2
            up = _smallest_exponent(blocks.max(axis=-1, initial=0.0), half - 1)
            down = _smallest_exponent(-blocks.min(axis=-1, initial=0.0), half + 1)
            exponents = np.maximum(up, down) + 1 + self.element.fraction
            of_zero = 0
        return np.where(largest == 0, of_zero, np.clip(exponents, lowest, highest))

    # ---- for people ---------------------------------------------------------------------------

    def to_yaml(self) -> dict[str, Any]:
        """Return the format as the plain data of a spec file."""
        scale = self.scale.name if isinstance(self.scale, ExponentFormat) else {"exponent": self.scale}
        return {"block": {"element": self.element.to_yaml(), "size": self.size, "scale": scale}}

    def describe(self) -> list[tuple[str, str]]:
        """Return (property, text) rows that describe the format to a user."""
        lowest, highest = self.scale_range
        if isinstance(self.scale, ExponentFormat):
            scale, special = "e8m0", "scale 0xFF makes the whole block NaN"
        else:
            scale, special = (
                f"{self.scale}-bit two's complement exponent",
                "none: NaN and infinity are refused",
            )
        shared = {"tensor": "the whole tensor", "row": "the last axis"}.get(
            str(self.size), f"{self.size} elements"
        )
        return [
            ("name", self.name),
            ("family", "block"),
            ("element", f"{self.element.name}, {self.width} bits"),
            ("scale", f"{scale}, 2^{lowest}..2^{highest}, shared by {shared}"),
            ("special values", special),
            ("overflow", "elements saturate"),
        ]


def _smallest_exponent(magnitude: npt.NDArray[np.float64], limit: int) -> npt.NDArray[np.int64]:
    """Return the smallest e with magnitude <= limit * 2^e; a very low one for zero.

    frexp gives magnitude = m * 2^k and limit = n * 2^j with m, n in [1/2, 1), so e is k - j, or one more
    where m > n. `limit` has at most 33 bits, hence n is exact.
    """
    m, k = np.frexp(magnitude)
    n, j = np.frexp(float(limit))
    exponents = k.astype(np.int64) - int(j) + (m > n)
    return np.where(magnitude == 0, np.int64(-(1 << 20)), exponents)


def _mx(element: FloatFormat | FixedFormat) -> BlockFormat:
    return BlockFormat(element, 32, ExponentFormat())


def bfp(width: int) -> BlockFormat:
    """Return bfp<width>: integers of `width` bits, one 8-bit exponent for the tensor."""
    return BlockFormat(FixedFormat(width, 0), "tensor", 8)


BLOCK_NAMES: dict[str, BlockFormat] = {
    "mxfp8_e4m3": _mx(FloatFormat(4, 3, specials="fn")),
    "mxfp8_e5m2": _mx(FloatFormat(5, 2)),
    "mxfp6_e3m2": _mx(FloatFormat(3, 2, specials="none")),
    "mxfp6_e2m3": _mx(FloatFormat(2, 3, specials="none")),
    "mxfp4": _mx(FloatFormat(2, 1, specials="none")),
    "mxint8": _mx(FixedFormat(8, 6)),
    "flex16+5": BlockFormat(FixedFormat(16, 0), "tensor", 5),
}
"""The named block formats but bfp<W>: OCP MX 1.0 (blocks of 32) and Flexpoint (Koester et al., NIPS 2017)."""
