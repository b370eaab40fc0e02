"""A design in the words of C++: widths, tables and constants, for the template to put in order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hwgen.formats import FixedFormat, FloatFormat
from hwgen.golden.activation_design import CodeTable, Design, End, Segments, magnitudes, reduce_operands
from hwgen.operators.approximation.points import table_half_codes
from hwgen.operators.approximation.rom import Table

__all__ = ["Rendering"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rendering:
    """What the template needs of a design beside the design itself."""

    design: Design

    @property
    def approach(self) -> list[str]:
        """How the function is computed, in sentences."""
        from hwgen.operators.activation_sentences import approach_sentences

        return approach_sentences(self.design)

    # ---- operand -------------------------------------------------------------------------------------

    @property
    def code_bits(self) -> int:
        """Bits of the operand code without its sign."""
        return self.design.magnitude_bits

    @property
    def has_sign(self) -> bool:
        """Whether the operand's top bit is a sign."""
        return self.code_bits < self.design.x_fmt.width

    @property
    def tests_nan(self) -> bool:
        """Whether NaN operands need a test of their own."""
        x_fmt, table = self.design.x_fmt, self.design.table
        if not isinstance(table, CodeTable) or any(half.ends for half in self.design.halves):
            return x_fmt.has_nan
        # A whole table has NaN among its entries, if NaN has the same place for both signs and no sign.
        fnuz = isinstance(x_fmt, FloatFormat) and x_fmt.specials == "fnuz"
        shared = self.design.parity == "odd" or (self.design.parity == "even" and fnuz)
        return x_fmt.has_nan and shared

    @property
    def uses_code(self) -> bool:
        """Whether the operand without its sign is read as a code, and not only as a number."""
        by_code = isinstance(self.design.table, CodeTable) or self.design.reduction == "none"
        return by_code or bool(self.ends)

    @property
    def uses_sign(self) -> bool:
        """Whether the operand's sign is looked at."""
        if not self.has_sign:
            return False
        distinct = len(set(self.origins)) > 1 and (
            isinstance(self.design.table, CodeTable) or self.design.reduction == "none"
        )
        named = any("negative" in word for row in self.ends for word in row)
        return distinct or named or self.design.parity == "odd"

    @property
    def ends(self) -> list[tuple[str, str]]:
        """Conditions and results of the runs without table."""
        first, second = (half.ends for half in self.design.halves)
        if not self.has_sign:
            return [(self._within(end), self._passed(end, end.code)) for end in first]
        same = [(end.start, end.stop, end.shift) for end in first] == [
            (end.start, end.stop, end.shift) for end in second
        ]
        if same:
            pairs = zip(first, second, strict=True)
            return [(self._within(plus), self._either(plus, minus)) for plus, minus in pairs]
        rows = []
        for prefix, ends in (("!negative", first), ("negative", second)):
            for end in ends:
                within = self._within(end)
                condition = prefix if within == "true" else f"{prefix} && {within}"
                rows.append((condition, self._passed(end, end.code)))
        return rows

    def _within(self, end: End) -> str:
        parts = [f"code >= {end.start}"] if end.start else []
        parts += [f"code < {end.stop}"] if end.stop < 1 << self.code_bits else []
        return " && ".join(parts) or "true"

    def _either(self, plus: End, minus: End) -> str:
        if plus.code == minus.code:
            return self._passed(plus, plus.code)
        word = f"ap_uint<{self.design.y_fmt.width}>"
        mask = (1 << self.design.y_fmt.width) - 1
        chosen = f"(negative ? {word}(0x{minus.code & mask:x}) : {word}(0x{plus.code & mask:x}))"
        return f"{word}({chosen} + {self._operand(plus)})" if plus.shift is not None else chosen

    def _passed(self, end: End, code: int) -> str:
        word = f"ap_uint<{self.design.y_fmt.width}>"
        constant = f"{word}(0x{code & ((1 << self.design.y_fmt.width) - 1):x})"
        if end.shift is None:
            return constant
        return f"{word}({constant} + {self._operand(end)})" if code else f"{word}({self._operand(end)})"

    def _operand(self, end: End) -> str:
        return f"(code >> {end.shift})" if end.shift else "code"

    # ---- plain tables --------------------------------------------------------------------------------

    @property
    def code_table(self) -> Table:
        """Table of result codes."""
        assert isinstance(self.design.table, CodeTable)  # noqa: S101  (asked for these only)
        values = self.design.table.entries
        if self.design.parity == "odd":
            # The sign is added behind the table; NaN operands do not come this far.
            values = values & ((1 << (self.design.y_fmt.width - 1)) - 1)
        return Table("results", values, "result codes, correctly rounded")

    @property
    def index_bits(self) -> int:
        """Bits of the index into the table of result codes."""
        assert isinstance(self.design.table, CodeTable)  # noqa: S101  (asked for these only)
        return max((len(self.design.table.entries) - 1).bit_length(), 1)

    @property
    def whole_code(self) -> bool:
        """Whether the operand is the index of a plain table as it is, sign included."""
        halves, table = self.design.halves, self.design.table
        if not isinstance(table, CodeTable) or self.tests_nan or any(half.ends for half in halves):
            return False
        return (
            halves[0].origin == 0
            and halves[1].origin in (0, 1 << self.code_bits)
            and (len(table.entries) == 1 << self.design.x_fmt.width)
        )

    # ---- pieces and segments -------------------------------------------------------------------------

    @property
    def segments(self) -> Segments:
        """The tables of an approximation."""
        assert isinstance(self.design.table, Segments)  # noqa: S101  (asked for these only)
        return self.design.table

    @property
    def piece_bits(self) -> int:
        """Bits of a piece's number, at least 1."""
        return max((len(self.segments.base) - 1).bit_length(), 1)

    @property
    def address_bits(self) -> int:
        """Bits of a segment's address, at least 1."""
        return max((len(self.segments.c0) - 1).bit_length(), 1)

    @property
    def split_bits(self) -> int:
        """Most address bits that come from the place in a piece."""
        return int(self.segments.split.max())

    @property
    def base(self) -> Table:
        """Address of a piece's first segment."""
        return Table("base", self.segments.base, "address of the piece's first segment")

    @property
    def split(self) -> Table:
        """log2 of the segments of a piece."""
        return Table("split", self.segments.split, "log2 of the number of segments of the piece")

    @property
    def relative(self) -> Table:
        """Weight of S's last bit, relative to the least."""
        least = int(self.segments.exponent.min())
        held = f"exponent of S's last bit, plus {-least}"
        return Table("exponent", self.segments.exponent - least, held)

    @property
    def negative(self) -> Table:
        """Sign of the result."""
        odd = self.design.parity == "odd"
        return Table(
            "is_negative", self.segments.negative, f"sign of the result{' for positive x' if odd else ''}"
        )

    def coefficient(self, power: int) -> Table | None:
        """Return the table of the coefficient of t^power, or None."""
        values = (self.segments.c0, self.segments.c1, self.segments.c2)[power]
        if values is None:
            return None
        held = ("S at the start of the segment", "slope", "half the second derivative")[power]
        if self.segments.rows is not None:
            held = "S in the middle of the segment"
        return Table(f"c{power}", values, held)

    @property
    def rows(self) -> Table | None:
        """Second table of a bipartite design, row after row."""
        values = self.segments.rows
        return None if values is None else Table("row", values.reshape(-1), "step of S from the middle")

    @property
    def tables(self) -> list[Table]:
        """Every table that needs an array, in the order of use."""
        if isinstance(self.design.table, CodeTable):
            return [self.code_table]
        tables = [self.base, self.split, *(self.coefficient(power) for power in range(3)), self.rows]
        tables += [self.relative, self.negative]
        return [
            table for table in tables if table is not None and not (table.constant or table.line is not None)
        ]

    @property
    def origins(self) -> tuple[int, int]:
        """What is added to the piece's number, or to the table's index, for the signs 0 and 1."""
        bits = self.index_bits if isinstance(self.design.table, CodeTable) else self.piece_bits
        plus, minus = (half.origin % (1 << bits) for half in self.design.halves)
        return (plus, minus) if self.has_sign else (plus, plus)

    @property
    def row_bits(self) -> int:
        """Bits of the index into the rows of a bipartite table."""
        assert self.rows is not None  # noqa: S101  (asked of bipartite designs only)
        return max((len(self.rows.values) - 1).bit_length(), 1)

    def signed_word(self, power: int) -> str:
        """Return the signed type of a coefficient."""
        table = self.coefficient(power)
        assert table is not None  # noqa: S101  (asked for existing ones)
        return f"ap_int<{table.bits + (not table.signed)}>"

    def signed_read(self, power: int) -> str:
        """Return the C++ expression of a coefficient, as a signed number."""
        table = self.coefficient(power)
        assert table is not None  # noqa: S101  (asked for existing ones)
        value = table.values[0] if table.constant else f"{table.name}[address]"
        return f"{self.signed_word(power)}({value})"

    @property
    def uses_piece(self) -> bool:
        """Whether there are several pieces."""
        return not (self.base.constant and self.split.constant)

    @property
    def uses_address(self) -> bool:
        """Whether there are several segments."""
        by_address = [
            *(self.coefficient(power) for power in range(3)),
            self.rows,
            self.relative,
            self.negative,
        ]
        return any(table is not None and not table.constant for table in by_address)

    @property
    def cuts(self) -> bool:
        """Whether there are pieces of several segments."""
        return self.split_bits > 0 and (self.uses_address or self.segments.t_bits > 0)

    # ---- rounding ------------------------------------------------------------------------------------

    @cached_property
    def _met(self) -> tuple[Integers, Integers]:
        """Exponent of S's last bit, and S, for every operand that goes through the tables."""
        exponents, found = [], []
        for half in (0, 1) if self.has_sign else (0,):
            codes = table_half_codes(self.design, half)
            x = codes + (half << self.code_bits)
            piece, place, scale = reduce_operands(
                self.design, self.segments.bits, x, np.full_like(x, half), codes
            )
            address, magnitude = magnitudes(self.segments, piece, place)
            exponents.append(self.segments.exponent[address] + scale)
            found.append(magnitude)
        return np.concatenate(exponents), np.concatenate(found)

    @property
    def lowest(self) -> int:
        """Least exponent of S's last bit."""
        return int(self._met[0].min())

    @property
    def offset_max(self) -> int:
        """Largest exponent of S's last bit, less the least."""
        return int(self._met[0].max()) - self.lowest

    @property
    def lead(self) -> int:
        """Lowest place of S's leading one that the rounding has to find.

        A result below the smallest normal number is shifted up to its last place only, however many zeros
        are left above its leading one.
        """
        y_fmt, width = self.design.y_fmt, self.segments.width
        exponents, met = self._met
        if not isinstance(y_fmt, FloatFormat):
            return 0
        zeros = width - np.frexp(met.astype(np.float64))[1].astype(np.int64)
        limit = (exponents + width - 1) - (y_fmt.emin - y_fmt.mantissa + y_fmt.precision - 1)
        needed = np.minimum(zeros, np.maximum(limit + (not y_fmt.subnormals), 0))
        return width - 1 - int(np.max(np.where(met > 0, needed, 0), initial=0))

    @property
    def place_weight(self) -> int:
        """Exponent of the leading one of an operand's normalised significand at offset 0."""
        x_fmt = self.design.x_fmt
        if isinstance(x_fmt, FixedFormat):
            return x_fmt.width - 1 - x_fmt.fraction
        return x_fmt.emin

    @property
    def offset(self) -> str:
        """C++ expression of the exponent of S's last bit, above `lowest`."""
        constant = int(self.segments.exponent.min()) - self.lowest
        term = ""
        if self.design.reduction == "exponential":
            term = " + n"
        elif self.design.function == "rsqrt" and self.design.reduction == "significand":
            term = " - (exponent_of_x >> 1)"
        elif self.design.reduction == "significand":
            constant -= self.place_weight
            term = " - e"
        parts = self.relative.read("address")
        if self.relative.constant:
            parts = str(int(self.relative.values[0]) + constant)
        elif constant:
            parts += f" + {constant}" if constant > 0 else f" - {-constant}"
        return parts + term

    @property
    def exponent_bits(self) -> int:
        """Bits of the exponent of a normalised operand, with its sign."""
        x_fmt = self.design.x_fmt
        spread = x_fmt.width if isinstance(x_fmt, FixedFormat) else (1 << x_fmt.exponent) + x_fmt.mantissa
        return 2 + max(spread, abs(self.place_weight) + spread).bit_length()

    @property
    def nan(self) -> str:
        """C++ expression of the result for NaN operands."""
        return "0" if isinstance(self.design.y_fmt, FixedFormat) else "y_t::nan()"

    @property
    def offset_bits(self) -> int:
        """Bits of the offset."""
        return max(self.offset_max.bit_length(), 1)

    @property
    def fixed_point_bits(self) -> int:
        """Bits of z, the fixed-point operand of exp with its sign."""
        assert self.design.exponential is not None  # noqa: S101  (asked for this reduction only)
        largest = 0.0
        for half in (0, 1) if self.has_sign else (0,):
            x = table_half_codes(self.design, half) + (half << self.code_bits)
            values = self.design.x_fmt.decode(x.astype(self.design.x_fmt.dtype))
            largest = max(largest, float(np.max(np.abs(values), initial=0.0)))
        return 1 + int(np.frexp(largest)[1]) + self.design.exponential.fraction
