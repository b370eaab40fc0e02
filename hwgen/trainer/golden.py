"""The golden model of a trainer core: its memories, and what every command does to them.

Commands take effect one after the other. Times are not modelled: of the counters only those of run cycles and
commands follow from the commands, and they read as if all earlier commands had ended.

Products are exact. A digit-plane operand is an integer of at most 16 bits, so a product of two is at most
2^30 in magnitude and a sum of max_k < 2^16 of them at most 2^46: float64 holds every partial sum exactly, in
whatever order a matrix product takes them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hwgen.trainer.commands import (
    Bias,
    Command,
    Counters,
    Fetch,
    Fill,
    Gemm,
    Load,
    Norm,
    Store,
    Unknown,
    Update,
    decode,
)
from hwgen.trainer.filling import halves_as_planes, plane_words
from hwgen.trainer.floats import as_float32, as_results, halves_of, joined, sums_of_products
from hwgen.trainer.generators import RandomWords
from hwgen.trainer.judge import judge
from hwgen.trainer.layout import (
    BEAT_BYTES,
    Frame,
    pack_integers,
    pack_results,
    pack_sums,
    pack_weights,
    unpack_elements,
    unpack_numbers,
    unpack_results,
)
from hwgen.trainer.quantizer import Quantizer, as_float64
from hwgen.trainer.run_cycles import STAGES, run_cycles, stages_of
from hwgen.trainer.spec import TrainerSpec
from hwgen.trainer.status import Code, Status, rounding_payload
from hwgen.trainer.update import added, gradients, norm_of, updated

__all__ = ["GoldenCore"]

Array = npt.NDArray[Any]
_SMALL_PRODUCT = 1 << 17
"""Multiplications that OpenBLAS does not share out."""


class GoldenCore:
    """One core, from reset.

    Attributes
    ----------
    scratch : ndarray of int16, shape (words, lanes)
        Element of each lane.
    a : ndarray of uint8, shape (words, rows, lanes)
        Digit of each lane of each bank.
    b : ndarray of uint8, shape (words, cols, lanes)
        The same.
    c : ndarray of int64, shape (words, cols)
        Result of each column.
    bias : ndarray of int64, shape (words, cols)
        The same.
    mask : ndarray of bool, shape (words, cols)
        Whether the result of each column passes.
    fetch_quantizer, store_quantizer : Quantizer
        The exponents and the random words of these stages.
    """

    def __init__(self, spec: TrainerSpec) -> None:
        self.spec = spec
        lanes = spec.array.lanes
        self.scratch = np.zeros((spec.scratch_words, lanes), np.int16)
        self.a = np.zeros((spec.a_words, spec.array.rows, lanes), np.uint8)
        self.b = np.zeros((spec.b_words, spec.array.cols, lanes), np.uint8)
        self.c = np.zeros((spec.c_words, spec.array.cols), np.int64)
        self.bias = np.zeros((spec.bias_words, spec.array.cols), np.int64)
        self.mask = np.zeros((spec.mask_words, spec.array.cols), np.bool_)
        generators = spec.generators
        words = generators and RandomWords(generators, generators.fetch_seed)
        self.fetch_quantizer = Quantizer(spec, words)
        words = generators and RandomWords(generators, generators.store_seed)
        self.store_quantizer = Quantizer(spec, words)
        self._number = 0
        self._clear_counters()

    def takes_frame(self, command: Command | int) -> bool:
        """Say whether a command takes a frame of the data stream; a refused one leaves it there."""
        command = decode(command) if isinstance(command, int) else command
        return Fetch in stages_of(command) and judge(self.spec, command).code is Code.OK

    def execute(self, command: Command | int, frame: Frame | None = None) -> tuple[Status, Frame | None]:
        """Run one command.

        Parameters
        ----------
        command : Command or int
            A command, or its beat.
        frame : Frame, optional
            What a fetch, a load, an update or a norm of sums takes from the data stream. Without one it stops
            at once.

        Returns
        -------
        Status, and the frame that a store, an update or a norm of sums sends, or None
        """
        command = decode(command) if isinstance(command, int) else command
        code = judge(self.spec, command).code
        info, payload, sent = 0, 0, None
        frame = frame or Frame(np.zeros((0, BEAT_BYTES), np.uint8), ended=False)
        if code is Code.OK:
            info = run_cycles(self.spec, command)
            taken = None
            match command:
                case Fetch():
                    code, info, payload = self._fetch(command, frame)
                case Load():
                    code, info = self._load(command, frame)
                case Fill():
                    self._fill(command)
                case Gemm():
                    code = self._gemm(command)
                case Store():
                    sent, payload = self._store(command)
                case Update():
                    code, taken, sent = self._update(command, frame)
                case Norm():
                    code, taken, sent, payload = self._norm(command, frame)
                case Bias():
                    self.bias[command.dest :][: command.words] = self.c[command.c :][: command.words]
                case Counters():
                    payload = self._counter(command)
            for kind in stages_of(command):
                stage = STAGES.index(kind)
                self._run[stage] += info if taken is None or kind is Store else taken
                self._commands[stage] += 1
        opcode = command.word & 0xFF if isinstance(command, Unknown) else command.OPCODE
        status = Status(self._number, opcode, code, info & 0xFFFF_FFFF, payload & (1 << 64) - 1)
        self._number = self._number + 1 & 0xFFFF
        return status, sent

    def image(self, memory: str, bank: int = 0) -> list[int]:
        """Return the words of a memory as the core holds them: the first lane or column lowest.

        Parameters
        ----------
        memory : str
            ``"s"``, ``"a"``, ``"b"``, ``"c"``, ``"bias"`` or ``"mask"``.
        bank : int
            Of ``"a"`` and ``"b"``, whose every bank is a RAM.
        """
        memories: dict[str, tuple[Array, int]] = {
            "s": (self.scratch, 16),
            "a": (self.a[:, bank % self.a.shape[1]], self.spec.array.digit),
            "b": (self.b[:, bank % self.b.shape[1]], self.spec.array.digit),
            "c": (self.c, self.spec.result_bits),
            "bias": (self.bias, self.spec.result_bits),
            "mask": (self.mask.astype(np.uint8), 1),
        }
        parts, bits = memories[memory]
        mask = (1 << bits) - 1
        return [
            sum((value & mask) << bits * place for place, value in enumerate(row)) for row in parts.tolist()
        ]

    def _fetch(self, fetch: Fetch, frame: Frame) -> tuple[Code, int, int]:
        """Write whole words as beats come; return the code, the beats and the payload."""
        if fetch.container == Fetch.PATTERNS:
            taken = _taken(frame, fetch.words // 2, 4)
            halves = halves_of(unpack_numbers(frame.beats[: 4 * taken.words]))
            self.scratch[fetch.base :][: 2 * taken.words] = halves.reshape(-1, self.spec.array.lanes)
            return taken.code, taken.beats, 0
        a_word = 1 << fetch.container
        taken = _taken(frame, fetch.words, a_word)
        if fetch.container == Fetch.FP32:
            return self._fetch_numbers(fetch, frame, taken)
        elements = unpack_elements(frame.beats[: taken.words * a_word], fetch.container)
        self.scratch[fetch.base :][: taken.words] = elements.reshape(-1, self.spec.array.lanes)
        return taken.code, taken.beats, 0

    def _fetch_numbers(self, fetch: Fetch, frame: Frame, taken: _Taken) -> tuple[Code, int, int]:
        """Quantise or measure. From a beat that is not finite on nothing is used; it is the frame's error."""
        unit = self.fetch_quantizer
        numbers = unpack_numbers(frame.beats[: taken.beats])
        # Every beat that is taken draws its words.
        draws = None if fetch.measure else unit.draw(numbers.size)
        code, beats, words = taken
        broken = np.flatnonzero(~np.isfinite(numbers))
        if broken.size:
            code, beats = Code.NOT_FINITE, int(broken[0]) // 4
            words = beats // 4
        if fetch.measure:
            return code, beats, unit.measure(numbers, fetch.width) if code is Code.OK else 0
        lanes = self.spec.array.lanes
        exponent = unit.kept if fetch.take else fetch.exponent
        used = slice(words * lanes)
        elements, saturated = unit.quantize(
            numbers[used], fetch.width, exponent, None if draws is None else draws[used]
        )
        self.scratch[fetch.base :][:words] = elements.reshape(-1, lanes)
        asked_for = unit.asked_for(numbers[used], fetch.width)
        return code, beats, rounding_payload(saturated, asked_for) if code is Code.OK else 0

    def _load(self, load: Load, frame: Frame) -> tuple[Code, int]:
        """Write whole words as beats come, saturated."""
        cols = self.spec.array.cols
        a_word = cols * 8 // BEAT_BYTES
        code, beats, words = _taken(frame, load.rows * load.words, a_word)
        values = unpack_results(Frame(frame.beats[: words * a_word], ended=False)).reshape(-1, cols)
        results, overflowed = self._saturated(values)
        self.c[_addresses(load).reshape(-1)[:words]] = results
        return (Code.OVERFLOW if code is Code.OK and overflowed else code), beats

    def _fill(self, fill: Fill) -> None:
        """Gather the tensor's words, turn them if asked, and cut them into digits."""
        memory = self.b if fill.target else self.a
        words = plane_words(self.spec, fill, self.scratch, memory.shape[1])
        memory[fill.dest : fill.dest + len(words)] = words

    def _gemm(self, gemm: Gemm) -> Code:
        cols = self.spec.array.cols
        rows = gemm.tiles_m * self.spec.array.rows
        # A view of the results, row by row; rows lie `pitch` words apart.
        at = gemm.c + np.arange(rows)[:, None] * gemm.pitch + np.arange(gemm.tiles_n)
        if gemm.floats:
            self.c[at] = self._float_sums(gemm, self.c[at])
            return Code.OK
        left = self._operand(self.a, gemm.a, gemm.tiles_m, gemm.kgs, gemm.width_a)
        right = self._operand(self.b, gemm.b, gemm.tiles_n, gemm.kgs, gemm.width_b)
        sums = _product(left, right.T).astype(np.int64).reshape(rows, gemm.tiles_n, cols)
        results, overflowed = self._accumulated(self.c[at] if gemm.accumulate else np.zeros_like(sums), sums)
        self.c[at] = results
        return Code.OVERFLOW if overflowed else Code.OK

    def _float_sums(self, gemm: Gemm, old: Array) -> Array:
        """Return the results of a product of fp32 numbers that begins with `old`, if it accumulates."""
        left = self._numbers(self.a, gemm.a, gemm.tiles_m, gemm.kgs)
        right = self._numbers(self.b, gemm.b, gemm.tiles_n, gemm.kgs)
        begin = as_float32(old if gemm.accumulate else np.zeros_like(old)).reshape(len(left), len(right))
        return as_results(sums_of_products(left, right, begin)).reshape(old.shape)

    def _numbers(self, memory: Array, base: int, tiles: int, kgs: int) -> Array:
        """Return an operand as the fp32 numbers that its digits are, shape (rows, K)."""
        banks, lanes = memory.shape[1:]
        planes = self.spec.float_planes
        words = memory[base : base + tiles * kgs * planes].reshape(tiles, kgs, planes, banks, lanes)
        numbers = joined(words.transpose(2, 0, 3, 1, 4), self.spec.array.digit)
        return numbers.reshape(tiles * banks, kgs * lanes)

    def _operand(self, memory: Array, base: int, tiles: int, kgs: int, width: int) -> Array:
        """Return an operand as the integers that its digits are: float64, shape (rows, K)."""
        digit, planes = self.spec.array.digit, self.spec.planes(width)
        banks, lanes = memory.shape[1:]
        words = memory[base : base + tiles * kgs * planes].reshape(tiles, kgs, planes, banks, lanes)
        digits = halves_as_planes(words) if self.spec.array.splits and planes == 2 else words
        number = np.zeros((tiles, kgs, banks, lanes), np.int32)
        for plane in range(planes):
            number |= digits[:, :, plane].astype(np.int32) << digit * plane
        spare = 32 - digit * planes
        number = number << spare >> spare  # the top digit holds the sign
        return number.transpose(0, 2, 1, 3).reshape(tiles * banks, kgs * lanes).astype(np.float64)

    def _accumulated(self, old: Array, sums: Array) -> tuple[Array, bool]:
        """Return the sums added to `old` and saturated, and whether any did not fit.

        Up to 62 bits int64 holds every sum of a result and 2^46; above, Python's integers do.
        """
        bits = self.spec.result_bits
        if bits > 62:
            old, sums = old.astype(object), sums.astype(object)
        return self._saturated(old + sums)

    def _saturated(self, exact: Array) -> tuple[Array, bool]:
        """Return integers as results, and whether any did not fit."""
        most = (1 << self.spec.result_bits - 1) - 1
        least = -most - 1
        overflowed = bool(((exact < least) | (exact > most)).any())
        if overflowed:
            exact = np.minimum(np.maximum(exact, least), most)
        return exact.astype(np.int64), overflowed

    def _store(self, store: Store) -> tuple[Frame | None, int]:
        """Return the frame to send, if any, and the payload."""
        unit = self.store_quantizer
        values = self._passed(store)
        if store.mode == Store.RAW:
            return pack_results(values), 0
        numbers = as_float64(values)
        if store.mode == Store.MEASURE:
            return None, unit.measure(numbers, store.width)
        exponent = unit.kept if store.take else store.exponent
        elements, saturated = unit.quantize(numbers, store.width, exponent, unit.draw(numbers.size))
        asked_for = unit.asked_for(numbers, store.width)
        return pack_integers(elements, store.size), rounding_payload(saturated, asked_for)

    def _update(self, update: Update, frame: Frame) -> tuple[Code, int, Frame]:
        """Return the code, the beats taken and the frame to send; zeros stand for what does not come."""
        beats = run_cycles(self.spec, update)
        code, taken, _ = _taken(frame, beats, 1)
        numbers = np.zeros((beats, 4), np.float32)
        numbers[:taken] = unpack_numbers(frame.beats[:taken]).reshape(-1, 4)
        weights, momenta = updated(update, numbers[0::2], numbers[1::2], self.c[_addresses(update)])
        return code, taken, pack_weights(weights, momenta)

    def _norm(self, norm: Norm, frame: Frame) -> tuple[Code, int, Frame | None, int]:
        """Return the code, the beats taken, the frame to send, if any, and the payload."""
        x = gradients(self.c[_addresses(norm)], norm.exponent).reshape(-1)
        if not norm.sums:
            return Code.OK, 0, None, norm_of(x)
        code, taken, _ = _taken(frame, run_cycles(self.spec, norm), 1)
        sums = np.zeros_like(x)
        sums[: 4 * taken] = unpack_numbers(frame.beats[:taken])
        x = added(sums, x)
        return code, taken, pack_sums(x), norm_of(x) if code is Code.OK else 0

    def _passed(self, store: Store) -> Array:
        """Return results after bias, mask and limit: shape (rows, words, cols)."""
        values = self.c[_addresses(store)]
        masks = self.mask[store.mask :][: store.rows * store.words]
        if store.bias:
            values = values + self.bias[store.bias_at :][: store.words]
        if store.apply_mask:
            values = np.where(masks.reshape(values.shape), values, 0)
        if store.save_mask:
            masks[...] = (values > 0).reshape(masks.shape)
        if store.relu:
            values = np.maximum(values, 0)
        return values

    def _counter(self, counters: Counters) -> int:
        stage, which = divmod(counters.select - 1, Counters.PER_STAGE)
        payload = 0
        if counters.select and which == Counters.RUN:
            payload = self._run[stage]
        elif counters.select and which == Counters.COMMANDS:
            payload = self._commands[stage]
        if counters.clear:
            self._clear_counters()
        return payload & 0xFFFF_FFFF

    def _clear_counters(self) -> None:
        self._run = [0] * len(STAGES)
        self._commands = [0] * len(STAGES)


class _Taken(NamedTuple):
    """What a command takes of its frame: how that went, the beats, and the words that are whole."""

    code: Code
    beats: int
    words: int


def _taken(frame: Frame, words: int, a_word: int) -> _Taken:
    """Return what a command of `words` words takes; a beat that ends a frame too early fills no word."""
    wanted = words * a_word
    beats = min(len(frame.beats), wanted)
    if not frame.ended:
        return _Taken(Code.STOPPED, beats, beats // a_word)
    if len(frame.beats) < wanted:
        return _Taken(Code.EARLY_END, beats, (beats - 1) // a_word)
    return _Taken(Code.OK if len(frame.beats) == wanted else Code.LATE_END, beats, words)


def _addresses(block: Store | Load | Update | Norm) -> Array:
    """Return the addresses of a block of result words: shape (rows, words)."""
    return block.c + np.arange(block.rows)[:, None] * block.pitch + np.arange(block.words)


def _product(left: Array, right: Array) -> Array:
    """Return a matrix product, in so many parts of rows that BLAS takes one thread for each.

    A product of one command is too small for more: to wake up threads takes longer than to multiply.
    """
    rows = len(left)
    while rows % 2 == 0 and rows * right.size > _SMALL_PRODUCT:
        rows //= 2
    return (left.reshape(-1, rows, left.shape[1]) @ right).reshape(len(left), -1)
