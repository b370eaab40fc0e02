"""The commands of a trainer core: what each is made of, and how it lies in its beat of 256 bits.

The fields of the records below, in order, are the one table of positions: the first lies lowest, each next
one right above it, after the opcode in bits 0..7. `field_table` gives that table to whoever renders it, such
as the C++ header and the documentation. Bits above the last field mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import ClassVar, NamedTuple, TypeAlias

__all__ = [
    "COMMANDS",
    "COMMAND_BITS",
    "Bias",
    "Command",
    "Counters",
    "Fetch",
    "FieldRow",
    "Fill",
    "Gemm",
    "Load",
    "Nop",
    "Norm",
    "Store",
    "Unknown",
    "Update",
    "decode",
    "encode",
    "field_table",
    "pack_fields",
    "unpack_fields",
]

COMMAND_BITS = 256
OPCODE_BITS = 8


def bits(width: int, meaning: str, *, signed: bool = False, default: int = 0) -> int:
    """Return a record field of `width` bits."""
    metadata = {"width": width, "signed": signed, "meaning": meaning}
    value: int = field(default=default, metadata=metadata)
    return value


@dataclass(frozen=True)
class Nop:
    """Does nothing but answer."""

    OPCODE: ClassVar[int] = 0


@dataclass(frozen=True)
class Fetch:
    """Takes one frame from the data stream into scratch memory, as integers of 16 bits.

    Numbers in fp32 are quantised on the way, or only measured for the exponent that they need; or, on a core
    with float lanes, kept: the low halves of 16 patterns are one word, their high halves the next one.
    """

    OPCODE: ClassVar[int] = 1
    FP32: ClassVar[int] = 2
    PATTERNS: ClassVar[int] = 3
    container: int = bits(
        2, "elements of a beat: 0: 16 x int8, 1: 8 x int16, 2: 4 x fp32, rounded, 3: 4 x fp32, kept"
    )
    base: int = bits(16, "first scratch word")
    words: int = bits(16, "scratch words; the frame has words * 2^container beats, of container 3 words * 2")
    width: int = bits(5, "container 2: bits of an element")
    exponent: int = bits(16, "container 2: elements are x * 2^-exponent", signed=True)
    take: int = bits(1, "container 2: 1: the exponent is the one measured last")
    measure: int = bits(1, "container 2: 1: nothing is written; the exponent is found, kept and reported")


@dataclass(frozen=True)
class Fill:
    """Cuts elements of scratch memory into the digit planes of an operand, as they lie or transposed."""

    OPCODE: ClassVar[int] = 2
    target: int = bits(1, "operand: 0: A, 1: B")
    transpose: int = bits(1, "0: tensor rows are operand rows; 1: tensor rows run along K")
    width: int = bits(5, "bits of an element; ceil(width / digit) planes are written")
    source: int = bits(16, "scratch word of row (0, 0, 0), k-group (0, 0, 0) at Y = X = 0")
    dest: int = bits(16, "first plane word")
    kgs: int = bits(12, "k-groups of the operand")
    n_b: int = bits(12, "rows: slowest loop", default=1)
    n_y: int = bits(12, "rows: middle loop", default=1)
    n_x: int = bits(12, "rows: fastest loop", default=1)
    s_b: int = bits(16, "scratch words from b to b + 1", signed=True)
    s_y: int = bits(16, "scratch words from Y to Y + 1", signed=True)
    s_x: int = bits(16, "scratch words from X to X + 1", signed=True)
    n_ky: int = bits(6, "k-groups: slowest loop", default=1)
    n_kx: int = bits(6, "k-groups: middle loop", default=1)
    n_g: int = bits(10, "k-groups: fastest loop", default=1)
    step: int = bits(4, "Y = y * step + ky + offset_y, and X likewise", default=1)
    offset_y: int = bits(8, "added to Y", signed=True)
    offset_x: int = bits(8, "added to X", signed=True)
    limit_y: int = bits(12, "zeros are read unless 0 <= Y < limit_y", default=1)
    limit_x: int = bits(12, "zeros are read unless 0 <= X < limit_x", default=1)
    floats: int = bits(1, "1: fp32: k-group g is words 2 g and 2 g + 1, of 32 / digit planes in all")


@dataclass(frozen=True)
class Gemm:
    """Multiplies operands of the plane memories, tile after tile, into result memory.

    With `floats` a result is an fp32 pattern with its sign extended: s = fma(a, b, s) for one element of K
    after the other, each rounded once to nearest even, from 0 or from what is in result memory.
    """

    OPCODE: ClassVar[int] = 3
    a: int = bits(16, "first plane word of A")
    b: int = bits(16, "first plane word of B")
    c: int = bits(16, "result word of row 0")
    tiles_m: int = bits(10, "tiles of `rows` operand rows of A")
    tiles_n: int = bits(10, "tiles of `cols` operand rows of B")
    kgs: int = bits(12, "k-groups of both operands")
    width_a: int = bits(5, "bits of the elements of A")
    width_b: int = bits(5, "bits of the elements of B")
    accumulate: int = bits(1, "1: add to what is in result memory")
    pitch: int = bits(12, "result words from one result row to the next")
    floats: int = bits(1, "1: sums of fp32 products by the float lanes; widths mean nothing")


@dataclass(frozen=True)
class Store:
    """Sends results to the data stream as one frame, or measures them.

    On the way, in this order: the bias is added, a mask applied, the new mask saved, negative results made 0.
    """

    OPCODE: ClassVar[int] = 4
    RAW: ClassVar[int] = 0
    INTEGERS: ClassVar[int] = 1
    MEASURE: ClassVar[int] = 2
    c: int = bits(16, "result word of row 0")
    rows: int = bits(16, "result rows")
    words: int = bits(12, "result words of a row")
    pitch: int = bits(12, "result words from one result row to the next")
    mode: int = bits(2, "0: 64-bit integers, two a beat; 1: requantised elements; 2: no frame, measure")
    width: int = bits(5, "modes 1 and 2: bits of an element")
    exponent: int = bits(16, "mode 1: elements are v * 2^-exponent", signed=True)
    take: int = bits(1, "mode 1: 1: the exponent is the one measured last")
    bias: int = bits(1, "1: add bias words, the same for every row")
    bias_at: int = bits(8, "bias word of the first word of a row")
    apply_mask: int = bits(1, "1: results whose mask bit is 0 become 0")
    relu: int = bits(1, "1: negative results become 0, after the mask is saved")
    save_mask: int = bits(1, "1: mask bits become whether the result is positive")
    mask: int = bits(16, "mask word of the first result word; the next ones follow")
    size: int = bits(1, "mode 1: container of an element: 0: int8, 1: int16")


@dataclass(frozen=True)
class Counters:
    """Reads one counter; it is the payload of the status."""

    OPCODE: ClassVar[int] = 5
    BUSY: ClassVar[int] = 0
    RUN: ClassVar[int] = 1
    WAIT_INPUT: ClassVar[int] = 2
    WAIT_OUTPUT: ClassVar[int] = 3
    COMMANDS: ClassVar[int] = 4
    PER_STAGE: ClassVar[int] = 5
    select: int = bits(
        8, "0: cycles; 1 + 5 * stage + {0: busy, 1: run, 2, 3: wait for input, output, 4: commands}"
    )
    clear: int = bits(1, "1: all counters start again from 0")

    @classmethod
    def of(cls, stage: int, which: int) -> Counters:
        """Return what reads one counter of a stage: 0 fetch, 1 fill, 2 multiply, 3 store."""
        return cls(1 + cls.PER_STAGE * stage + which)


@dataclass(frozen=True)
class Load:
    """Takes one frame of 64-bit integers, two a beat, from the data stream into result memory.

    Those that do not fit a result saturate, which is an overflow.
    """

    OPCODE: ClassVar[int] = 6
    c: int = bits(16, "result word of row 0")
    rows: int = bits(16, "result rows")
    words: int = bits(12, "result words of a row")
    pitch: int = bits(12, "result words from one result row to the next")


@dataclass(frozen=True)
class Bias:
    """Copies result words into the bias memory of the store stage."""

    OPCODE: ClassVar[int] = 7
    c: int = bits(16, "first result word")
    words: int = bits(8, "result words")
    dest: int = bits(8, "first bias word")


@dataclass(frozen=True)
class Update:
    """Takes master weights w and momenta m, reads their gradients from result memory, sends the next ones.

    g = v * 2^exponent, t = decay * w + g, m' = momentum * m + t, w' = w - lr * m', each rounded once to fp32.
    Both frames alternate: a beat of four w, a beat of four m, in the order of the results.
    """

    OPCODE: ClassVar[int] = 8
    c: int = bits(16, "result word of row 0")
    rows: int = bits(16, "result rows")
    words: int = bits(12, "result words of a row")
    pitch: int = bits(12, "result words from one result row to the next")
    exponent: int = bits(16, "gradients are v * 2^exponent", signed=True)
    lr: int = bits(32, "learning rate, an fp32 pattern")
    momentum: int = bits(32, "momentum, an fp32 pattern")
    decay: int = bits(32, "weight decay, an fp32 pattern")
    floats: int = bits(1, "1: gradients are fp32 patterns; exponent means nothing")


@dataclass(frozen=True)
class Norm:
    """Finds the sum of squares of gradients in result memory, or of sums that they are added to.

    g = v * 2^exponent, and x = g or s + g, each rounded once to fp32. The squares of the even x and those of
    the odd ones are summed, rounded once after each, then both sums are added: a `norm` of fp32, interleaved
    by two. It is the payload, as an fp32 pattern.
    """

    OPCODE: ClassVar[int] = 9
    c: int = bits(16, "result word of row 0")
    rows: int = bits(16, "result rows")
    words: int = bits(12, "result words of a row")
    pitch: int = bits(12, "result words from one result row to the next")
    exponent: int = bits(16, "gradients are v * 2^exponent", signed=True)
    sums: int = bits(1, "1: a frame of fp32 sums s is taken, and one of s + g sent; 0: neither")


@dataclass(frozen=True)
class Unknown:
    """A beat whose opcode no command has."""

    word: int


Command: TypeAlias = Nop | Fetch | Fill | Gemm | Store | Counters | Load | Bias | Update | Norm | Unknown
COMMANDS: tuple[type[Nop | Fetch | Fill | Gemm | Store | Counters | Load | Bias | Update | Norm], ...] = (
    Nop,
    Fetch,
    Fill,
    Gemm,
    Store,
    Counters,
    Load,
    Bias,
    Update,
    Norm,
)


class FieldRow(NamedTuple):
    """Where one field of a command lies."""

    command: str
    field: str
    low: int
    width: int
    signed: bool
    meaning: str


def field_table() -> Iterator[FieldRow]:
    """Give every field of every command, in the order of opcodes and positions."""
    for kind in COMMANDS:
        low = OPCODE_BITS
        for item in fields(kind):
            width = item.metadata["width"]
            yield FieldRow(
                kind.__name__.lower(),
                item.name,
                low,
                width,
                item.metadata["signed"],
                item.metadata["meaning"],
            )
            low += width


_LAYOUT: dict[str, tuple[FieldRow, ...]] = {
    kind.__name__.lower(): tuple(row for row in field_table() if row.command == kind.__name__.lower())
    for kind in COMMANDS
}


def pack_fields(rows: tuple[FieldRow, ...], values: dict[str, int]) -> int:
    """Return `values` at their places.

    Raises
    ------
    ValueError
        If a value does not fit its field.
    """
    word = 0
    for row in rows:
        value = int(values[row.field])
        low, high = (
            (-(1 << row.width - 1), (1 << row.width - 1) - 1) if row.signed else (0, (1 << row.width) - 1)
        )
        if not low <= value <= high:
            raise ValueError(f"{row.command}: {row.field} = {value} does not fit: legal: {low}..{high}")
        word |= (value & (1 << row.width) - 1) << row.low
    return word


def unpack_fields(rows: tuple[FieldRow, ...], word: int) -> dict[str, int]:
    """Return the values of the fields of `word`."""
    values = {}
    for row in rows:
        value = word >> row.low & (1 << row.width) - 1
        values[row.field] = value - (value >> row.width - 1 << row.width) if row.signed else value
    return values


def encode(command: Command) -> int:
    """Return the beat of a command.

    Raises
    ------
    ValueError
        If a field does not fit.
    """
    if isinstance(command, Unknown):
        return command.word & (1 << COMMAND_BITS) - 1
    return command.OPCODE | pack_fields(_LAYOUT[type(command).__name__.lower()], vars(command))


def decode(word: int) -> Command:
    """Return the command in a beat; what is in no field is dropped, except of an unknown command."""
    opcode = word & (1 << OPCODE_BITS) - 1
    if opcode >= len(COMMANDS):
        return Unknown(word)
    kind = COMMANDS[opcode]
    return kind(**unpack_fields(_LAYOUT[kind.__name__.lower()], word))
