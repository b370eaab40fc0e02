"""The plain golden dot product: one vector at a time, exact numbers. The definition of every bit.

Nothing here is clever; `hwgen.golden.dot` takes it where no fast path is provably the same, and the tests
compare those paths with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.formats import BlockFormat, ExponentFormat, FixedFormat, FloatFormat
from hwgen.formats.exact import NAN, Exact, floor_log2
from hwgen.golden.dot_unit import AlignedSum, DotUnit, SequentialSum, TreeSum, element_of, split_point
from hwgen.golden.exact import Scalar, exact_product, exact_sum

__all__ = ["exact_dot"]


def exact_dot(unit: DotUnit, a: Sequence[int], b: Sequence[int], c: int | None, words: Sequence[int]) -> int:
    """Return the result of one activation.

    Parameters
    ----------
    unit : DotUnit
        The definition.
    a, b : sequence of int
        n element patterns, and behind them the scale's in a block format.
    c : int or None
        Pattern of the addend.
    words : sequence of int
        `unit.words` random words under `sr`, else zeros.
    """
    products = _products(unit, a, b)
    addend = None if unit.c is None or c is None else unit.c.unpack(c)
    if isinstance(unit.scheme, TreeSum):
        return _tree(unit, products, addend, words)
    if isinstance(unit.scheme, SequentialSum):
        return _sequential(unit, products, addend, words)
    terms = products if addend is None else [*products, addend]
    if isinstance(unit.scheme, AlignedSum):
        exponents = _exponents(unit, a, b, c)
        terms = _aligned(unit.scheme, terms, exponents)
    return _round(unit, _sum(unit, terms), words[0], last=True)


def _products(unit: DotUnit, a: Sequence[int], b: Sequence[int]) -> list[Exact]:
    shift = _scale(unit.a, a), _scale(unit.b, b)
    if None in shift:
        return [NAN] * unit.n
    scale = Exact.dyadic(False, 1, sum(exponent for exponent in shift if exponent is not None))
    pairs = zip(a[: unit.n], b[: unit.n], strict=True)
    factors = [(element_of(unit.a).unpack(x), element_of(unit.b).unpack(y)) for x, y in pairs]
    return [exact_product(exact_product(x, y), scale) for x, y in factors]


def _scale(fmt: Scalar | BlockFormat, codes: Sequence[int]) -> int | None:
    """Return the exponent of a vector's scale; None for a NaN scale."""
    if not isinstance(fmt, BlockFormat):
        return 0
    code = codes[-1]
    if isinstance(fmt.scale, ExponentFormat):
        return None if code == fmt.scale.nan_code else code - fmt.scale.bias
    return code - (1 << fmt.scale) if code >> (fmt.scale - 1) else code


def _sum(unit: DotUnit, terms: Sequence[Exact]) -> Exact:
    total = terms[0]
    for term in terms[1:]:
        total = exact_sum(total, term, unit.rounding)
    return total


def _exponents(unit: DotUnit, a: Sequence[int], b: Sequence[int], c: int | None) -> list[int]:
    """Return the exponents of all terms; those of zeros and special values mean nothing."""
    scale = (_scale(unit.a, a) or 0) + (_scale(unit.b, b) or 0)
    pairs = zip(a[: unit.n], b[: unit.n], strict=True)
    exponents = [
        _exponent(element_of(unit.a), x) + _exponent(element_of(unit.b), y) + scale for x, y in pairs
    ]
    if unit.c is not None and c is not None:
        exponents.append(_exponent(unit.c, c))
    return exponents


def _exponent(fmt: Scalar, code: int) -> int:
    """Return the weight of the first significand bit: of the hidden bit, be it 0 or 1, in a float."""
    if isinstance(fmt, FixedFormat):
        return fmt.width - 1 - fmt.fraction
    if isinstance(fmt, FloatFormat):
        field = (code & (fmt.sign_mask - 1)) >> fmt.mantissa
        return max(field, 1) - fmt.bias
    value = fmt.unpack(code)
    return 0 if value.special or value.is_zero else floor_log2(value.numerator, value.denominator)


def _aligned(scheme: AlignedSum, terms: Sequence[Exact], exponents: Sequence[int]) -> list[Exact]:
    """Return the terms as multiples of 2^(E - w), E the largest exponent of a term that is not zero."""
    if any(term.special for term in terms) or all(term.is_zero for term in terms):
        return list(terms)
    largest = max(exponent for term, exponent in zip(terms, exponents, strict=True) if not term.is_zero)
    last = largest - scheme.bits
    cut = []
    for term in terms:
        scaled = exact_product(term, Exact.dyadic(False, 1, -last))
        kept, rest = divmod(scaled.numerator, scaled.denominator)
        if scheme.jam and rest:
            kept |= 1
        cut.append(Exact.dyadic(term.negative, kept, last))
    return cut


def _tree(unit: DotUnit, products: Sequence[Exact], addend: Exact | None, words: Sequence[int]) -> int:
    root_is_last = addend is None

    def node(low: int, high: int) -> int:
        last = root_is_last and high - low == unit.n
        if high - low == 1:
            return _round(unit, products[low], words[low], last=last)
        middle = split_point(low, high)
        left, right = (_partial(unit, node(low, middle)), _partial(unit, node(middle, high)))
        # The sum whose right part begins with element `middle` has the word n - 1 + middle.
        return _round(unit, exact_sum(left, right, unit.rounding), words[unit.n - 1 + middle], last=last)

    root = node(0, unit.n)
    if addend is None:
        return root
    return _round(unit, exact_sum(_partial(unit, root), addend, unit.rounding), words[-1], last=True)


def _sequential(unit: DotUnit, products: Sequence[Exact], addend: Exact | None, words: Sequence[int]) -> int:
    assert isinstance(unit.scheme, SequentialSum)  # noqa: S101  (the caller has looked)
    product_fmt = unit.scheme.product
    total = addend
    code = 0
    for index, exact in enumerate(products):
        product, word = exact, words[index]
        if product_fmt is not None:
            rounded = product_fmt.pack(
                exact,
                rounding=unit.rounding,
                overflow=product_fmt.default_overflow,
                word=words[2 * index],
            )
            product, word = product_fmt.unpack(rounded), words[2 * index + 1]
        summed = product if total is None else exact_sum(total, product, unit.rounding)
        last = index == unit.n - 1
        code = _round(unit, summed, word, last=last)
        total = None if last else _partial(unit, code)
    return code


def _partial(unit: DotUnit, code: int) -> Exact:
    return unit.target(last=False)[0].unpack(code)


def _round(unit: DotUnit, value: Exact, word: int, *, last: bool) -> int:
    fmt, overflow = unit.target(last=last)
    return fmt.pack(value, rounding=unit.rounding, overflow=overflow, word=word)
