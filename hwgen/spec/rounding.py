"""The `rounding` key: the mode, the random bits of stochastic rounding, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, Tag, model_validator
from pydantic_core import PydanticCustomError, core_schema

from hwgen.formats import Rounding, RoundingMode
from hwgen.spec import polynomial
from hwgen.spec.fields import ModeField
from hwgen.spec.record import Record, Whole, one_of, spec_error
from hwgen.spec.source import quoted

__all__ = ["Lfsr", "LfsrSource", "RoundingField", "RoundingSpec"]


class Lfsr(Record):
    """The on-unit random generator: a Fibonacci register whose low bits are the random word.

    The bits are defined in ``docs/rounding.md`` and by `hwgen.golden`; here are its parameters.
    """

    width: Annotated[
        int | None, Field(description="register bits, at least `bits` + 8; default max(32, bits + 8)")
    ] = None
    taps: Annotated[
        tuple[int, ...] | None,
        Field(
            description="exponents of a primitive polynomial, the width first; default from Xilinx XAPP052"
        ),
    ] = None
    seed: Annotated[int, Field(description="state after reset: not zero, and at most `width` bits")] = 0xACE1

    @model_validator(mode="before")
    @classmethod
    def _check_types(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        data = dict(data)
        low, high = polynomial.MIN_WIDTH, polynomial.MAX_WIDTH
        width = data.get("width")
        if width is not None and (type(width) is not int or not low <= width <= high):
            raise spec_error(f"LFSR width {quoted(width)} is not legal: legal: {low}..{high}", "width")
        seed = data.get("seed", 1)
        if type(seed) is not int or seed <= 0:
            raise spec_error(
                f"LFSR seed {quoted(seed)} is not legal: legal: 1..2^width-1 (zero stays zero)",
                "seed",
            )
        taps = data.get("taps")
        if taps is not None:
            if not isinstance(taps, list | tuple) or not taps or any(type(tap) is not int for tap in taps):
                raise spec_error(
                    f"LFSR taps {quoted(taps)} are not a list of exponents, such as [32, 22, 2, 1]", "taps"
                )
            data["taps"] = tuple(taps)
        return data

    def completed(self, bits: int) -> Lfsr:
        """Return the generator with its width and taps filled in for `bits` random bits a result.

        Raises
        ------
        PydanticCustomError
            If the register is too narrow for unbiased words, the seed does not fit, or the taps do not
            give the maximal period.
        """
        width = self.width if self.width is not None else max(32, bits + 8)
        if width < bits + 8:
            raise spec_error(
                f"LFSR width {width} is too narrow for {bits} random bits: "
                f"legal: {bits + 8}..{polynomial.MAX_WIDTH} "
                "(bits + 8, so that the missing all-zero state does not bias)",
                "width",
            )
        if self.seed >> width:
            raise spec_error(
                f"LFSR seed {self.seed:#x} has more than {width} bits: legal: 1..{2**width - 1:#x}", "seed"
            )
        taps = self.taps or polynomial.default_taps(width)
        if (
            max(taps) != width
            or min(taps) < 1
            or len(set(taps)) != len(taps)
            or not polynomial.is_maximal_length(taps)
        ):
            raise spec_error(
                f"LFSR taps {list(taps)} do not give the maximal period 2^{width}-1: "
                f"legal: exponents of a primitive polynomial of degree {width}, "
                f"such as {list(polynomial.default_taps(width))}",
                "taps",
            )
        return Lfsr(width=width, taps=tuple(sorted(taps, reverse=True)), seed=self.seed)


class LfsrSource(Record):
    """Random words from a generator inside the unit."""

    lfsr: Annotated[Lfsr, Field(description="the generator; {} takes every default")]


def _rand_tag(value: object) -> str:
    return "<lfsr>" if isinstance(value, Mapping | LfsrSource) else "<port>"


Rand = Annotated[
    Annotated[Literal["port"], one_of("source of random words", "port", "{lfsr: {...}}"), Tag("<port>")]
    | Annotated[LfsrSource, Tag("<lfsr>")],
    Discriminator(_rand_tag),
]


class RoundingSpec(Record):
    """How an exact result is rounded to its format."""

    mode: Annotated[ModeField, Field(description="rne, rna, rtz, rup, rdn, rto or sr")]
    bits: Annotated[
        int | None,
        Whole("SR bits", 1, 64),
        Field(description="sr only: random bits of each result, 1..64", examples=[8]),
    ] = None
    rand: Annotated[
        Rand | None,
        Field(description="sr only: port (default), or {lfsr: {width: 32, seed: 0xACE1}}", examples=["port"]),
    ] = None

    variant: Annotated[
        Literal["lazy", "eager"] | None,
        one_of("variant of sr", "lazy", "eager"),
        Field(
            description="sr of float sums (add, fma, mac) only: add the random word after normalisation "
            "(lazy, default), or beside it (eager): equal results, another circuit",
            examples=["eager"],
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        data = {key: value for key, value in data.items() if value is not None}
        if "mode" not in data:
            return data
        if data["mode"] == "sr":
            if "bits" not in data:
                raise spec_error(
                    "rounding mode 'sr' needs the key 'bits', the random bits of a result: legal: 1..64"
                )
            data.setdefault("rand", "port")
        else:
            for key in ("bits", "rand", "variant"):
                if key in data:
                    mode = quoted(str(data["mode"]))
                    raise spec_error(
                        f"the key {key!r} belongs to rounding mode 'sr'; here the mode is {mode}", key
                    )
        return data

    @model_validator(mode="after")
    def _complete_lfsr(self) -> Self:
        if isinstance(self.rand, LfsrSource) and self.bits is not None:
            try:
                complete = self.rand.lfsr.completed(self.bits)
            except PydanticCustomError as error:
                context = error.context or {}
                raise spec_error(context["message"], "rand", "lfsr", *context["path"]) from error
            object.__setattr__(self, "rand", LfsrSource(lfsr=complete))
        return self

    @property
    def lfsr(self) -> Lfsr | None:
        """The on-unit generator, or None."""
        return self.rand.lfsr if isinstance(self.rand, LfsrSource) else None

    @property
    def eager(self) -> bool:
        """Whether random words are added before sums are normalised."""
        return self.variant == "eager"

    def rounding(self) -> Rounding:
        """Return the rounding as formats and golden models take it."""
        return Rounding(self.mode, self.bits)


class _ModeForShort:
    """Annotation: a deterministic mode may be written as the bare word."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(cls._expand, handler(source))

    @staticmethod
    def _expand(value: object) -> object:
        return {"mode": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        words = [mode.value for mode in RoundingMode if mode is not RoundingMode.SR]
        return {"anyOf": [{"type": "string", "enum": words}, handler(schema)]}


RoundingField = Annotated[RoundingSpec, _ModeForShort]
