"""The golden model of a trainer core: its memories, and what every command does to them.

Commands take effect one after the other. Times are not modelled: of the counters only those of run cycles and
commands follow from the commands, and they read as if all earlier commands had ended.

Products are exact. A digit-plane operand is an integer of at most 16 bits, so a product of two is at most
2^30 in magnitude and a sum of max_k < 2^16 of them at most 2^46: float64 holds every partial sum exactly, in
whatever order a matrix product takes them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.trainer.commands import Command, Counters, Fetch, Fill, Gemm, Store, Unknown, decode
from hwgen.trainer.judge import judge
from hwgen.trainer.layout import Frame, pack_results, unpack_elements
from hwgen.trainer.run_cycles import run_cycles
from hwgen.trainer.spec import TrainerSpec
from hwgen.trainer.status import Code, Status

__all__ = ["GoldenCore"]

Array = npt.NDArray[Any]
_STAGES = (Fetch, Fill, Gemm, Store)
_COUNTERS_PER_STAGE = 4
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
    """

    def __init__(self, spec: TrainerSpec) -> None:
        spec.check_supported()
        self.spec = spec
        lanes = spec.array.lanes
        self.scratch = np.zeros((spec.scratch_words, lanes), np.int16)
        self.a = np.zeros((spec.a_words, spec.array.rows, lanes), np.uint8)
        self.b = np.zeros((spec.b_words, spec.array.cols, lanes), np.uint8)
        self.c = np.zeros((spec.c_words, spec.array.cols), np.int64)
        self._number = 0
        self._run = [0] * len(_STAGES)
        self._commands = [0] * len(_STAGES)

    def takes_frame(self, command: Command | int) -> bool:
        """Say whether a command takes a frame of the data stream; a refused one leaves it there."""
        command = decode(command) if isinstance(command, int) else command
        return isinstance(command, Fetch) and judge(self.spec, command).code is Code.OK

    def execute(self, command: Command | int, frame: Frame | None = None) -> tuple[Status, Frame | None]:
        """Run one command.

        Parameters
        ----------
        command : Command or int
            A command, or its beat.
        frame : Frame, optional
            What a fetch takes from the data stream. Without one the stream stops at once.

        Returns
        -------
        Status, and the frame that a store sends or None
        """
        command = decode(command) if isinstance(command, int) else command
        code = judge(self.spec, command).code
        info, payload, sent = 0, 0, None
        if code is Code.OK:
            info = run_cycles(self.spec, command)
            match command:
                case Fetch():
                    code, info = self._fetch(
                        command, frame or Frame(np.zeros((0, 16), np.uint8), ended=False)
                    )
                case Fill():
                    self._fill(command)
                case Gemm():
                    code = self._gemm(command)
                case Store():
                    sent = self._store(command)
                case Counters():
                    payload = self._counter(command)
            if isinstance(command, _STAGES):
                stage = _STAGES.index(type(command))
                self._run[stage] += info
                self._commands[stage] += 1
        opcode = command.word & 0xFF if isinstance(command, Unknown) else command.OPCODE
        status = Status(self._number, opcode, code, info & 0xFFFF_FFFF, payload)
        self._number = self._number + 1 & 0xFFFF
        return status, sent

    def image(self, memory: str, bank: int = 0) -> list[int]:
        """Return the words of a memory as the core holds them: the first lane or column lowest.

        Parameters
        ----------
        memory : str
            ``"s"``, ``"a"``, ``"b"`` or ``"c"``.
        bank : int
            Of ``"a"`` and ``"b"``, whose every bank is a RAM.
        """
        memories: dict[str, tuple[Array, int]] = {
            "s": (self.scratch, 16),
            "a": (self.a[:, bank % self.a.shape[1]], self.spec.array.digit),
            "b": (self.b[:, bank % self.b.shape[1]], self.spec.array.digit),
            "c": (self.c, self.spec.result_bits),
        }
        parts, bits = memories[memory]
        mask = (1 << bits) - 1
        return [
            sum((value & mask) << bits * place for place, value in enumerate(row)) for row in parts.tolist()
        ]

    def _fetch(self, fetch: Fetch, frame: Frame) -> tuple[Code, int]:
        """Write whole words as beats come. The beat that ends a frame too early writes nothing."""
        a_word = fetch.container + 1
        wanted = fetch.words * a_word
        beats = min(len(frame.beats), wanted)
        early = frame.ended and len(frame.beats) < wanted
        words = (beats - early) // a_word
        self.scratch[fetch.base : fetch.base + words] = unpack_elements(
            frame.beats[: words * a_word], fetch.container
        ).reshape(words, self.spec.array.lanes)
        if early:
            return Code.EARLY_END, beats
        if not frame.ended:
            return Code.STOPPED, beats
        return (Code.OK if len(frame.beats) == wanted else Code.LATE_END), beats

    def _fill(self, fill: Fill) -> None:
        """Gather the tensor's words, turn them if asked, and cut them into digits."""
        lanes, digit, planes = self.spec.array.lanes, self.spec.array.digit, self.spec.planes(fill.width)
        b, y, x = np.indices((fill.n_b, fill.n_y, fill.n_x)).reshape(3, -1, 1)
        ky, kx, g = np.indices((fill.n_ky, fill.n_kx, fill.n_g)).reshape(3, 1, -1)
        row = y * fill.step + ky + fill.offset_y
        column = x * fill.step + kx + fill.offset_x
        inside = (row >= 0) & (row < fill.limit_y) & (column >= 0) & (column < fill.limit_x)
        address = fill.source + b * fill.s_b + row * fill.s_y + column * fill.s_x + g
        rows, groups = address.shape
        tensor = np.zeros((rows + -rows % lanes, groups, lanes), np.int16)
        tensor[:rows][inside] = self.scratch[address[inside]]
        if fill.transpose:
            # From (chunk, row of it, k-group, column of it): columns are operand rows, rows go along K.
            tensor = tensor.reshape(-1, lanes, groups, lanes).transpose(2, 3, 0, 1)
        operand = tensor.reshape(-1, fill.kgs, lanes)
        digits = np.stack([operand >> digit * plane for plane in range(planes)], axis=2) & (1 << digit) - 1
        memory = self.b if fill.target else self.a
        banks = memory.shape[1]
        words = digits.reshape(-1, banks, fill.kgs, planes, lanes).transpose(0, 2, 3, 1, 4)
        words = words.reshape(-1, banks, lanes)
        memory[fill.dest : fill.dest + len(words)] = words

    def _gemm(self, gemm: Gemm) -> Code:
        left = self._operand(self.a, gemm.a, gemm.tiles_m, gemm.kgs, gemm.width_a)
        right = self._operand(self.b, gemm.b, gemm.tiles_n, gemm.kgs, gemm.width_b)
        sums = _product(left, right.T).astype(np.int64)
        cols = self.spec.array.cols
        rows = gemm.tiles_m * self.spec.array.rows
        # A view of the results, row by row; rows lie `pitch` words apart.
        at = gemm.c + np.arange(rows)[:, None] * gemm.pitch + np.arange(gemm.tiles_n)
        sums = sums.reshape(rows, gemm.tiles_n, cols)
        results, overflowed = self._accumulated(self.c[at] if gemm.accumulate else np.zeros_like(sums), sums)
        self.c[at] = results
        return Code.OVERFLOW if overflowed else Code.OK

    def _operand(self, memory: Array, base: int, tiles: int, kgs: int, width: int) -> Array:
        """Return an operand as the integers that its digits are: float64, shape (rows, K)."""
        digit, planes = self.spec.array.digit, self.spec.planes(width)
        banks, lanes = memory.shape[1:]
        words = memory[base : base + tiles * kgs * planes].reshape(tiles, kgs, planes, banks, lanes)
        number = np.zeros((tiles, kgs, banks, lanes), np.int32)
        for plane in range(planes):
            number |= words[:, :, plane].astype(np.int32) << digit * plane
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
        exact = old + sums
        least, most = -(1 << bits - 1), (1 << bits - 1) - 1
        overflowed = bool(((exact < least) | (exact > most)).any())
        if overflowed:
            exact = np.minimum(np.maximum(exact, least), most)
        return exact.astype(np.int64), overflowed

    def _store(self, store: Store) -> Frame:
        at = store.c + np.arange(store.rows)[:, None] * store.pitch + np.arange(store.words)
        return pack_results(self.c[at])

    def _counter(self, counters: Counters) -> int:
        stage, which = divmod(counters.select - 1, _COUNTERS_PER_STAGE)
        payload = 0
        if counters.select and which == 1:
            payload = self._run[stage]
        elif counters.select and which == 3:
            payload = self._commands[stage]
        if counters.clear:
            self._run = [0] * len(_STAGES)
            self._commands = [0] * len(_STAGES)
        return payload & 0xFFFF_FFFF


def _product(left: Array, right: Array) -> Array:
    """Return a matrix product, in so many parts of rows that BLAS takes one thread for each.

    A product of one command is too small for more: to wake up threads takes longer than to multiply.
    """
    rows = len(left)
    while rows % 2 == 0 and rows * right.size > _SMALL_PRODUCT:
        rows //= 2
    return (left.reshape(-1, rows, left.shape[1]) @ right).reshape(len(left), -1)
