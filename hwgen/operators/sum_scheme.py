"""How a running sum is kept: the `scheme` key of kinds that sum over frames, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Discriminator, Field, Tag

from hwgen.errors import legal_values
from hwgen.formats import FixedFormat, FloatFormat, Rounding, RoundingMode
from hwgen.operators.port import Field as PortField
from hwgen.operators.port import Port
from hwgen.spec import ArithmeticFormat, Record, Whole, one_of, quoted, spec_error

__all__ = [
    "MAX_REGISTER",
    "ONE_CLOCK",
    "Chunked",
    "ChunkedScheme",
    "Interleave",
    "Long",
    "LongScheme",
    "RoundedScheme",
    "SumOrChunksScheme",
    "SumScheme",
    "check_rounded",
    "control_port",
    "frame_sentences",
    "interleave_sentence",
    "long_sentences",
    "register_of",
    "released",
    "result_port",
]

MAX_REGISTER = 1024
"""Longest fixed-point register, in bits. Longer ones are for formats that hardly have an adder to match."""

_MAX_TERMS = 1 << 40
_DEFAULT_TERMS = 1 << 16

Operand = FloatFormat | FixedFormat

ONE_CLOCK = "A step must fit one clock, since the next needs its result."
"""What limits a sum that is rounded after each term and not interleaved."""


class Long(Record):
    """An exact sum in a fixed-point register (Kulisch), rounded once on the way out."""

    terms: Annotated[
        int | None,
        Whole("number of terms", 1, _MAX_TERMS),
        Field(description="largest terms that cannot overflow; default 65536 unless msb is given"),
    ] = None
    msb: Annotated[
        int | None,
        Whole("msb", -20_000, 20_000),
        Field(description="place of the register's sign bit, of weight -2^msb; default from terms"),
    ] = None
    lsb: Annotated[
        int | None,
        Whole("lsb", -20_000, 20_000),
        Field(description="last place, of weight 2^lsb; default that of the smallest term"),
    ] = None
    segment: Annotated[
        int | None,
        Whole("segment", 1, MAX_REGISTER),
        Field(description="bits that are added in one clock, carries wait for the next; default all"),
    ] = None


class LongScheme(Record):
    """The mapping ``{long: {...}}``."""

    long: Annotated[Long, Field(description="exact, in fixed point")]


class Chunked(Record):
    """Sums of chunks of terms, rounded, and their sum, rounded as well (Wang et al., 2018)."""

    terms: Annotated[
        int, Whole("terms of a chunk", 2, 1 << 16), Field(description="terms that are summed to one chunk")
    ]
    format: Annotated[ArithmeticFormat, Field(description="format of a chunk's sum")]


class ChunkedScheme(Record):
    """The mapping ``{chunked: {terms: n, format: FORMAT}}``."""

    chunked: Annotated[Chunked, Field(description="in chunks")]


def _tag(value: object) -> str:
    if isinstance(value, LongScheme) or value == "long" or (isinstance(value, Mapping) and "long" in value):
        return "<long>"
    if isinstance(value, ChunkedScheme) or (isinstance(value, Mapping) and "chunked" in value):
        return "<chunked>"
    return "<rounded>"


def _spelt_out(value: object) -> object:
    if value == "long":
        return {"long": {}}
    if isinstance(value, Mapping) and "long" in value and value["long"] is None:
        return {"long": {}}
    return value


RoundedScheme = Literal["float", "fixed"]

_LEGAL = ("float", "fixed", "long", "{long: {...}}")
_CHUNKED = "{chunked: {terms: n, format: FORMAT}}"
_Exact = Annotated[LongScheme, BeforeValidator(_spelt_out), Tag("<long>")]

SumScheme = Annotated[
    Annotated[RoundedScheme, one_of("scheme", *_LEGAL), Tag("<rounded>")] | _Exact,
    Discriminator(lambda value: _tag(value).replace("chunked", "rounded")),
]
"""A `scheme` key: rounded after each term, or exact."""

SumOrChunksScheme = Annotated[
    Annotated[RoundedScheme, one_of("scheme", *_LEGAL, _CHUNKED), Tag("<rounded>")]
    | _Exact
    | Annotated[ChunkedScheme, Tag("<chunked>")],
    Discriminator(_tag),
]
"""The same, or in chunks."""


def _power_of_two(value: object) -> object:
    legal = (1, 2, 4, 8, 16, 32, 64)
    if isinstance(value, bool) or value not in legal:
        raise spec_error(legal_values("interleave", value, [str(number) for number in legal]))
    return value


Interleave = Annotated[
    int,
    BeforeValidator(_power_of_two),
    Field(description="partial sums that take the terms in turn, so that each step has as many clocks"),
]


def check_rounded(scheme: RoundedScheme | None, y: Operand) -> RoundedScheme:
    """Return the scheme of a sum that is rounded after each term; None: by the result's family."""
    family: RoundedScheme = "fixed" if isinstance(y, FixedFormat) else "float"
    if scheme not in (None, family):
        raise spec_error(
            f"scheme {quoted(scheme)} does not fit the result format {y.name}: legal: {family}, long",
            "scheme",
        )
    return family


def register_of(long: Long, x: Operand, *, squared: bool) -> tuple[int, int]:
    """Return (msb, lsb) of the register that holds sums of x, or of x squared.

    Raises
    ------
    PydanticCustomError
        If `terms` and `msb` are both given, or the register would be empty or too long.
    """
    if long.terms is not None and long.msb is not None:
        raise spec_error("terms and msb both say how long the register is: legal: one of them", "scheme")
    low, high, last = _extremes(x, squared=squared)
    lsb = last if long.lsb is None else long.lsb
    if long.msb is None:
        terms = long.terms or _DEFAULT_TERMS
        unit = Fraction(2) ** lsb
        reach = max(terms * (high // unit), terms * (-low // unit) - 1, 0)
        msb = lsb + int(reach).bit_length()
    else:
        msb = long.msb
    if not lsb <= msb < lsb + MAX_REGISTER:
        raise spec_error(
            f"the register from 2^{lsb} to its sign at 2^{msb} has {msb - lsb + 1} bits: "
            f"legal: 1..{MAX_REGISTER}; msb, lsb and terms set it",
            "scheme",
        )
    return msb, lsb


def _extremes(x: Operand, *, squared: bool) -> tuple[Fraction, Fraction, int]:
    """Return the smallest and largest finite term, and the exponent of the last place of any."""
    if isinstance(x, FixedFormat):
        last = -x.fraction
        low, high = (Fraction(code) * Fraction(2) ** last for code in (x.min_integer, x.max_integer))
    else:
        last = x.emin - x.mantissa
        high = Fraction(x.unpack(x.max_finite_code).number())
        low = -high
    if squared:
        return Fraction(0), max(low * low, high * high), 2 * last
    return low, high, last


def control_port() -> Port:
    """Return the port of control words."""
    return Port.bits(
        "ctrl",
        2,
        "bit 0 clear: the sum starts anew with this term; bit 1 last: it is released after this term",
    )


def result_port(y: Operand, names: tuple[str, ...], *, flag: bool) -> Port:
    """Return the port `y` of sums in format `y`, lowest first, and of an overflow flag above them."""
    if names == ("value",) and not flag:
        return Port.scalar("y", y)
    fields = [PortField(name, y.width, y) for name in names]
    return Port.struct("y", *fields, *([PortField("overflow", 1)] if flag else []))


def released(ctrl: NDArray[Any]) -> NDArray[np.int64]:
    """Return how many results each term releases: one where `last` is set."""
    return (ctrl.astype(np.int64) >> 1) & 1


def frame_sentences(x: Operand, y: Operand, mode: RoundingMode) -> list[str]:
    """Return what a sum of terms in `x` does with special values, for people."""
    sentences = ["A frame that clear cuts off releases nothing; a frame may be as short as one term."]
    if isinstance(x, FloatFormat) and (x.has_nan or x.has_inf):
        causes = "NaN terms, and infinities of both signs," if x.has_inf else "NaN terms"
        what = "0"
        if isinstance(y, FloatFormat):
            what = "the canonical NaN" if y.has_nan else "the negative-zero pattern, for want of a NaN"
        sentences.append(f"{causes} make the frame's result {what}.")
    if isinstance(y, FloatFormat) and y.has_negative_zero:
        sign = "-0" if mode is RoundingMode.RDN else "+0"
        sentences.append(
            f"A sum that cancels exactly is {sign}; one of zeros has the sign that IEEE 754 gives."
        )
    return sentences


def interleave_sentence(interleave: int, combining: Rounding) -> str:
    """Return how partial sums come together, for people."""
    return (
        f"Terms go to {interleave} partial sums in turn, each rounded after each of its terms. At the end of "
        "a frame these are added as a tree of neighbours, the one whose last term is oldest first, each sum "
        f"rounded ({combining.mode.value}); partial sums without a term are left out. A step of a partial "
        f"sum may take {interleave} clocks; a term is taken in each."
    )


def long_sentences(msb: int, lsb: int, segment: int) -> list[str]:
    """Return what a register holds, for people."""
    step = f"A step adds {min(segment, msb - lsb + 1)} bits in one clock"
    if segment <= msb - lsb:
        step += "; a carry into the next segment waits for the next term, or for the way out"
    return [
        f"The sum is kept exactly in {msb - lsb + 1} bits of two's complement, sign at 2^{msb}, last place "
        f"2^{lsb}, and rounded once when it is released. Bits of a term below 2^{lsb} are cut off.",
        f"{step}.",
        "The register wraps; the overflow bit tells whether a running sum of the frame was out of its range.",
    ]
