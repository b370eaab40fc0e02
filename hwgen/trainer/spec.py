"""Specs of `kind: trainer`, and the sizes of the core that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from hwgen.errors import legal_values
from hwgen.formats import RoundingMode
from hwgen.spec import Lfsr, ModeField, Record, Target, Whole, one_of, quoted, read_spec, spec_error, validate
from hwgen.spec.name import Name
from hwgen.spec.polynomial import tap_mask
from hwgen.trainer.generators import Generators
from hwgen.trainer.layout import FP32_BITS

__all__ = ["TrainerSpec", "load_spec"]

ELEMENT_BITS = 16
"""An element in scratch memory, and so the greatest word length."""


SPLIT_DIGIT = 8
"""Bits of the parts into which a decomposable multiplier splits."""


class _Choice(Whole):
    """Annotation: one of a few whole numbers."""

    def __init__(self, what: str, *legal: int) -> None:
        super().__init__(what, min(legal), max(legal))
        object.__setattr__(self, "legal", legal)

    def _check(self, value: object) -> object:
        if type(value) is not int or value not in self.legal:  # type: ignore[attr-defined]
            legal = ", ".join(map(str, self.legal))  # type: ignore[attr-defined]
            raise spec_error(f"{self.what} {quoted(value)} is not legal: legal: {legal}")
        return value

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "integer", "enum": list(self.legal)}  # type: ignore[attr-defined]


class Array(Record):
    """The dot units: how many, how wide, and how they multiply."""

    rows: Annotated[int, _Choice("rows", 2, 4, 8, 16), Field(description="rows of dot units")] = 8
    cols: Annotated[int, _Choice("cols", 2, 4, 8, 16), Field(description="columns of dot units")] = 8
    lanes: Annotated[
        int, _Choice("lanes", 16), Field(description="products of a dot unit in a clock: elements of a word")
    ] = 16
    digit: Annotated[
        int, _Choice("digit", 1, 2, 4, 8), Field(description="bits of a digit; of a decomposable array 8")
    ] = 2
    multiplier: Annotated[
        Literal["digit_serial", "decomposable"],
        one_of("multiplier", "digit_serial", "decomposable"),
        Field(
            description="digit_serial, or decomposable: lanes / 4 of 16 x 16 bits that split into four 8 x 8"
        ),
    ] = "digit_serial"

    @model_validator(mode="before")
    @classmethod
    def _split_into_bytes(cls, data: Any) -> Any:
        """Give decomposable multipliers the one digit that they have."""
        if isinstance(data, Mapping) and data.get("multiplier") == "decomposable":
            return {"digit": SPLIT_DIGIT, **data}
        return data

    @model_validator(mode="after")
    def _check_digit(self) -> Self:
        if self.splits and self.digit != SPLIT_DIGIT:
            raise spec_error(
                f"digit {self.digit} is not legal for a decomposable multiplier: legal: {SPLIT_DIGIT}",
                "digit",
            )
        return self

    @property
    def splits(self) -> bool:
        """Whether elements of two digits are multiplied whole."""
        return self.multiplier == "decomposable"


class Accumulator(Record):
    """The format of results."""

    bits: Annotated[
        int, Whole("accumulator bits", 8, 63), Field(description="width; with a bias they still fit 64 bits")
    ]
    overflow: Annotated[
        Literal["saturate"],
        one_of("overflow policy", "saturate"),
        Field(description="what becomes of a result that does not fit; the status says so, too"),
    ] = "saturate"


class TrainerRounding(Record):
    """How the core rounds where it requantises; the random bits come from its own generator."""

    mode: Annotated[ModeField, Field(description="rne, rna, rtz, rup, rdn, rto or sr")] = RoundingMode.SR
    bits: Annotated[
        int | None, Whole("SR bits", 1, 24), Field(description="sr only: random bits of each result")
    ] = None
    lfsr: Annotated[Lfsr | None, Field(description="sr only: the generator")] = None

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, data: Any) -> Any:
        return {"mode": data} if isinstance(data, str) else data

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Let a mode be written as the bare word, too."""
        return {"anyOf": [{"type": "string", "enum": [mode.value for mode in RoundingMode]}, handler(schema)]}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.mode is not RoundingMode.SR:
            for key in ("bits", "lfsr"):
                if getattr(self, key) is not None:
                    raise spec_error(f"rounding mode {self.mode.value!r} takes no {key!r}: legal: sr", key)
            return self
        bits = 16 if self.bits is None else self.bits
        object.__setattr__(self, "bits", bits)
        try:
            object.__setattr__(self, "lfsr", (self.lfsr or Lfsr()).completed(bits))
        except PydanticCustomError as error:
            context = error.context or {}
            raise spec_error(context["message"], "lfsr", *context["path"]) from error
        return self


_KIB = Whole("KiB", 1, 1024)


class Buffers(Record):
    """The memories; each gets the greatest power of two of words that fits."""

    a_kib: Annotated[int, _KIB, Field(description="digit planes of operand A")] = 32
    b_kib: Annotated[int, _KIB, Field(description="digit planes of operand B")] = 32
    c_kib: Annotated[int, _KIB, Field(description="results")] = 64
    scratch_kib: Annotated[int, _KIB, Field(description="elements as they came from the stream")] = 32


class TrainerSpec(Record):
    """One training accelerator."""

    kind: Annotated[Literal["trainer"], one_of("kind", "trainer"), Field(description="always trainer")]
    name: Annotated[Name, Field(description="of the project, the C++ top and the RTL module")] = "trainer"
    array: Annotated[Array, Field(description="the dot units")] = Array()
    wordlengths: Annotated[
        tuple[int, int], Field(description="least and greatest word length, selectable while it runs")
    ] = (2, ELEMENT_BITS)
    max_k: Annotated[
        int, Whole("max_k", 16, 65520), Field(description="longest sum of products in one command")
    ] = 4096
    accumulator: Annotated[
        Accumulator | None,
        Field(description="default: too wide to overflow in one command", examples=[{"bits": 48}]),
    ] = None
    exponent_bits: Annotated[
        int, Whole("exponent bits", 4, 16), Field(description="of the signed exponent that a tensor shares")
    ] = 8
    rounding: Annotated[TrainerRounding, Field(description="of requantisation")] = TrainerRounding()
    buffers: Annotated[Buffers, Field(description="sizes of the memories")] = Buffers()
    float_lanes: Annotated[
        int, Whole("float lanes", 0, 64), Field(description="fp32 multiply-adders; 0: no fp32 products")
    ] = 0
    master: Annotated[
        Literal["fp32"],
        one_of("master format", "fp32"),
        Field(description="format of master weights and momentum"),
    ] = "fp32"
    update_lanes: Annotated[
        int, _Choice("update lanes", 1, 2), Field(description="weights that are updated in a clock")
    ] = 2
    target: Annotated[Target, Field(description="what the design is built for")] = Target()

    @model_validator(mode="before")
    @classmethod
    def _list_wordlengths(cls, data: Any) -> Any:
        """Check the pair by hand: pydantic's own message about tuples names no legal values."""
        if not isinstance(data, Mapping) or "wordlengths" not in data:
            return data
        value, legal = data["wordlengths"], f"legal: [low, high] with 2 <= low <= high <= {ELEMENT_BITS}"
        if (
            not isinstance(value, list | tuple)
            or len(value) != 2
            or any(type(item) is not int for item in value)
            or not 2 <= value[0] <= value[1] <= ELEMENT_BITS
        ):
            raise spec_error(f"word lengths {quoted(value)} are not legal: {legal}", "wordlengths")
        return {**data, "wordlengths": tuple(value)}

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        for key, words in (
            ("a_kib", self.a_words),
            ("b_kib", self.b_words),
            ("c_kib", self.c_words),
            ("scratch_kib", self.scratch_words),
        ):
            if not 64 <= words <= 65536:
                raise spec_error(
                    f"{key} {getattr(self.buffers, key)} gives a memory of {words} words: legal: 64..65536",
                    "buffers",
                    key,
                )
        return self

    @model_validator(mode="after")
    def _check_lanes(self) -> Self:
        """Lanes work on part of a row of results, and no faster than the planes bring operands."""
        most = max(1, min(self.array.cols, self.array.rows * self.array.cols // self.float_planes))
        legal = [0, *(1 << power for power in range(most.bit_length()))]
        if self.float_lanes not in legal:
            raise spec_error(
                f"float lanes {self.float_lanes} do not suit an array of {self.array.rows} x "
                f"{self.array.cols} with digits of {self.array.digit}: legal: {', '.join(map(str, legal))}",
                "float_lanes",
            )
        if self.float_lanes and self.accumulator is not None and self.accumulator.bits < FP32_BITS:
            raise spec_error(
                f"accumulator bits {self.accumulator.bits} hold no fp32 pattern: "
                f"legal with float lanes: {FP32_BITS}..63",
                "accumulator",
                "bits",
            )
        return self

    @property
    def least_width(self) -> int:
        """The least word length of an operand."""
        return self.wordlengths[0]

    @property
    def most_width(self) -> int:
        """The greatest word length of an operand."""
        return self.wordlengths[1]

    @cached_property
    def most_planes(self) -> int:
        """Digits of the longest word."""
        return self.planes(self.most_width)

    def planes(self, width: int, floats: int = 0) -> int:
        """Return the digits of a word of `width` bits, or, with `floats`, of an fp32 pattern."""
        return -(-(FP32_BITS if floats else width) // self.array.digit)

    @property
    def float_planes(self) -> int:
        """Digits of an fp32 pattern."""
        return self.planes(FP32_BITS)

    @property
    def float_steps(self) -> int:
        """Clocks in which the float lanes add one product to each sum of a tile."""
        return self.array.rows * self.array.cols // self.float_lanes

    @cached_property
    def most_groups(self) -> int:
        """The most k-groups (of `lanes` products) in one command."""
        return self.max_k // self.array.lanes

    @cached_property
    def sum_bits(self) -> int:
        """Width of a sum of products that cannot overflow in one command; float lanes need their own."""
        bits = 2 * self.most_width - 1 + (self.max_k - 1).bit_length() + 1
        return max(bits, FP32_BITS) if self.float_lanes else bits

    @cached_property
    def result_bits(self) -> int:
        """Width of a result."""
        return self.sum_bits if self.accumulator is None else self.accumulator.bits

    @property
    def exponents(self) -> tuple[int, int]:
        """Least and greatest shared exponent."""
        return -(1 << self.exponent_bits - 1), (1 << self.exponent_bits - 1) - 1

    @property
    def bias_words(self) -> int:
        """Words of bias memory: `cols` results each."""
        return 64

    @property
    def mask_words(self) -> int:
        """Words of mask memory: a bit for each of `cols` results."""
        return 4096

    @cached_property
    def generators(self) -> Generators | None:
        """The random generators; None unless rounding is stochastic."""
        lfsr, bits = self.rounding.lfsr, self.rounding.bits
        if lfsr is None or bits is None or lfsr.width is None or lfsr.taps is None:
            return None
        return Generators.of(lfsr.width, tap_mask(lfsr.taps), lfsr.seed, bits)

    @cached_property
    def scratch_words(self) -> int:
        """Words of scratch memory: `lanes` elements of 16 bits each."""
        return _words(self.buffers.scratch_kib, ELEMENT_BITS * self.array.lanes)

    @cached_property
    def a_words(self) -> int:
        """Plane words of operand A: one digit of `lanes` elements of each of `rows` rows."""
        return _words(self.buffers.a_kib, self.array.rows * self.array.lanes * self.array.digit)

    @cached_property
    def b_words(self) -> int:
        """Plane words of operand B: one digit of `lanes` elements of each of `cols` rows."""
        return _words(self.buffers.b_kib, self.array.cols * self.array.lanes * self.array.digit)

    @cached_property
    def c_words(self) -> int:
        """Result words: `cols` results each."""
        return _words(self.buffers.c_kib, self.array.cols * self.result_bits)


def _words(kib: int, bits: int) -> int:
    """Return the greatest power of two of words of `bits` bits in `kib` KiB."""
    words = kib * 8192 // bits
    return 1 << words.bit_length() - 1 if words else 0


def load_spec(spec: str | Path | Mapping[str, Any] | TrainerSpec) -> TrainerSpec:
    """Return the trainer that a spec describes.

    Parameters
    ----------
    spec : path, mapping or TrainerSpec
        A YAML file, or the same as plain data.

    Raises
    ------
    InputError
        If anything in the spec is not legal; the message says where, what, and what is legal.
    """
    if isinstance(spec, TrainerSpec):
        return spec
    source = read_spec(spec)
    if "kind" not in source.data:
        raise source.error("the key 'kind' is missing: legal: trainer")
    if source.data["kind"] != "trainer":
        raise source.error(legal_values("kind", source.data["kind"], ["trainer"]), ("kind",))
    return validate(TrainerSpec, source)
