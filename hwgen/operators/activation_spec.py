"""The keys of an activation unit, and what is legal for which function."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from hwgen.errors import InputError, legal_values
from hwgen.formats import FixedFormat, FloatFormat, Overflow, RoundingMode
from hwgen.golden.activation import MAX_WIDTH
from hwgen.golden.activation_functions import FUNCTIONS
from hwgen.golden.activation_softmax import DIFFERENCE, EXPONENTIAL, SUM
from hwgen.operators.approximation import METHODS, Approximation, approximate
from hwgen.operators.approximation.rendering import Rendering
from hwgen.spec import ArithmeticFormat, ElementwiseSpec, Record, one_of, quoted, spec_error
from hwgen.spec.record import Whole

__all__ = ["EXACT_FUNCTIONS", "SOFTMAX", "ActivationFormats", "ActivationSpec"]

EXACT_FUNCTIONS = ("relu", "leaky_relu", "relu_gradient", "leaky_relu_gradient")
"""Functions that are exact up to one rounding, in any mode."""

SOFTMAX = "softmax"

_SLOPE_BITS = 8
_EXPONENTS = 300  # of values of the formats of approximated functions, which float64 has to hold with room


class ActivationFormats(Record):
    """Formats of an activation unit."""

    x: Annotated[ArithmeticFormat, Field(description="operand (of the gradients: the incoming gradient)")]
    y: Annotated[ArithmeticFormat, Field(description="result")]


def _check_function(value: object) -> object:
    legal = (*EXACT_FUNCTIONS, *FUNCTIONS, SOFTMAX)
    if value not in legal:
        raise spec_error(legal_values("activation function", value, legal))
    return value


def _check_slope(value: object) -> object:
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if number is not None and 2.0**-60 <= number <= 1:
        fraction, exponent = math.frexp(number)
        return math.ldexp(round(math.ldexp(fraction, _SLOPE_BITS)), exponent - _SLOPE_BITS)
    if value is None:
        return None
    raise spec_error(f"slope {quoted(value)} is not legal: legal: 2^-60 to 1, such as 0.125 or 0.01")


def _check_segments(value: object) -> object:
    legal = [1 << power for power in range(MAX_WIDTH + 1)]
    if value is not None and (type(value) is not int or value not in legal):
        raise spec_error(f"segments {quoted(value)} is not legal: legal: a power of two, 1..{legal[-1]}")
    return value


def _check_degree(value: object) -> object:
    if value is not None and (type(value) is not int or value not in (1, 2)):
        raise spec_error(f"degree {quoted(value)} is not legal: legal: 1, 2")
    return value


class ActivationSpec(ElementwiseSpec):
    """Spec of an activation unit: y = f(x)."""

    kind: Literal["activation"]
    formats: ActivationFormats
    function: Annotated[
        str,
        BeforeValidator(_check_function),
        Field(description=f"{', '.join((*EXACT_FUNCTIONS, *FUNCTIONS, SOFTMAX))}"),
    ]
    method: Annotated[
        Literal["auto", "table", "bipartite", "polynomial"],
        one_of("method", "auto", *METHODS),
        Field(description="auto (the fewest estimated LUTs), table, bipartite or polynomial"),
    ] = "auto"
    segments: Annotated[
        int | None,
        BeforeValidator(_check_segments),
        Field(description="polynomial: segments of every piece of the domain, a power of two", examples=[8]),
    ] = None
    degree: Annotated[
        int | None,
        BeforeValidator(_check_degree),
        Field(description="polynomial: 1 or 2", examples=[2]),
    ] = None
    slope: Annotated[
        float | None,
        BeforeValidator(_check_slope),
        Field(description="leaky functions: rounded to 8 significant bits; default 2^-7", examples=[0.125]),
    ] = None
    mask: Annotated[
        bool, Field(description="relu, leaky_relu: y also holds, on top, the bit x > 0 for the backward pass")
    ] = False

    n: Annotated[
        int | None,
        Whole("softmax length", 2, 64),
        Field(description="softmax: elements of the vectors x and y, 2..64", examples=[8]),
    ] = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self._check_keys()
        if self.function.startswith("leaky") and self.slope is None:
            object.__setattr__(self, "slope", 2.0**-7)
        if self.approximated or self.function == SOFTMAX:
            self._check_approximation()
        self.complete(self.formats.y)
        if self.approximated:
            if self.overflow is Overflow.WRAP:
                raise spec_error(f"a {self.function} cannot wrap: legal: saturate", "overflow")
            try:
                _ = self.approximation
            except InputError as error:
                raise spec_error(error.message, "method") from error
        return self

    def _check_keys(self) -> None:
        """Refuse keys that the function, or the method, has no use for."""
        uses: dict[str, tuple[bool, str]] = {
            "slope": (self.function.startswith("leaky"), "leaky_relu and leaky_relu_gradient"),
            "mask": (self.function in ("relu", "leaky_relu"), "relu and leaky_relu"),
            "n": (self.function == SOFTMAX, SOFTMAX),
            "method": (self.approximated, "approximated functions"),
            "segments": (self.approximated and self.method == "polynomial", "method 'polynomial'"),
            "degree": (self.approximated and self.method == "polynomial", "method 'polynomial'"),
        }
        for key, (legal, owner) in uses.items():
            if getattr(self, key) not in (None, False, "auto") and not legal:
                raise spec_error(
                    f"the key {key!r} belongs to {owner}; here the function is {self.function!r}", key
                )

    def _check_approximation(self) -> None:
        """Check that every operand can be looked at, and that the rounding is the one there is."""
        if self.function == SOFTMAX:
            if self.n is None:
                raise spec_error("softmax needs the key 'n', the length of its vectors: legal: 2..64")
            if self.rounding.mode is RoundingMode.SR:
                raise spec_error(
                    "the results of softmax are rounded deterministically: legal: rne", "rounding"
                )
        elif self.rounding.mode is not RoundingMode.RNE:
            raise spec_error(
                f"{self.function} is faithfully rounded, which leaves nothing for mode "
                f"{self.rounding.mode.value!r} to say: legal: rne",
                "rounding",
            )
        for key in ("x", "y"):
            format_ = getattr(self.formats, key)
            if format_.width > MAX_WIDTH:
                raise spec_error(
                    f"{format_.name} has {format_.width} bits, and {self.function} is made by looking at "
                    f"every operand: legal: up to {MAX_WIDTH} bits, such as 'bf16', 'fp16', 'q4.12'",
                    "formats",
                    key,
                )
            if _reaches_too_far(format_):
                raise spec_error(
                    f"the exponents of {format_.name} are too large for {self.function}", "formats", key
                )

    @property
    def exact(self) -> bool:
        """Whether the function is exact up to one rounding."""
        return self.function in EXACT_FUNCTIONS

    @property
    def approximated(self) -> bool:
        """Whether the function is one of those that tables approximate."""
        return self.function in FUNCTIONS

    @property
    def takes_mask(self) -> bool:
        """Whether the stored mask is an operand."""
        return self.function.endswith("relu_gradient")

    @property
    def approximation(self) -> Approximation:
        """The proven design of an approximated function."""
        assert self.overflow is not None  # noqa: S101  (filled in by validation)
        return approximate(
            self.function,
            self.formats.x,
            self.formats.y,
            self.overflow,
            method=self.method,
            segments=self.segments,
            degree=self.degree,
        )

    @property
    def softmax_parts(self) -> tuple[Approximation, Approximation]:
        """The exponential and the reciprocal inside a softmax."""
        # What `auto` chooses, without the search.
        exponential = approximate(
            "exp", DIFFERENCE, EXPONENTIAL, Overflow.SATURATE, method="polynomial", degree=1
        )
        return exponential, approximate("reciprocal", SUM, SUM, Overflow.INFINITY, method="bipartite")

    @property
    def rendering(self) -> Rendering:
        """The design in the words of C++."""
        return Rendering(self.approximation.design)

    @property
    def softmax_renderings(self) -> tuple[Rendering, Rendering]:
        """The parts of a softmax in the words of C++."""
        exponential, reciprocal = self.softmax_parts
        return Rendering(exponential.design), Rendering(reciprocal.design)

    @property
    def slope_format(self) -> FloatFormat:
        """The smallest float format that holds the slope and 1."""
        assert self.slope is not None  # noqa: S101  (asked of leaky functions only)
        fraction, exponent = math.frexp(self.slope)
        digits = int(math.ldexp(fraction, _SLOPE_BITS))
        mantissa = _SLOPE_BITS - 1 - ((digits & -digits).bit_length() - 1)
        bias = 2 - exponent  # the slope's binade is the lowest; the exponent field of 1 is the bias
        return FloatFormat(max(bias.bit_length(), 2), mantissa, bias, "none", False)

    @property
    def slope_codes(self) -> tuple[int, int]:
        """Patterns of the slope and of 1 in `slope_format`."""
        assert self.slope is not None  # noqa: S101  (asked of leaky functions only)
        slope, one = self.slope_format.encode([self.slope, 1.0])
        return int(slope), int(one)

    def _name_parts(self) -> list[str]:
        kind, *rest = super()._name_parts()
        return [kind, self.function, *rest]


def _reaches_too_far(format_: FloatFormat | FixedFormat) -> bool:
    if isinstance(format_, FixedFormat):
        return False
    return format_.emax > _EXPONENTS or format_.emin - format_.mantissa < -_EXPONENTS
