"""The face of a running network, the same for its RTL and its C++: queues of words at the ports, and time."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import CheckError, InputError
from hwgen.flow.engine import Goal, Report
from hwgen.flow.network import Link, Network
from hwgen.operators.packing import limbs

__all__ = ["RunningNetwork", "Words", "last_bits", "port_words"]

Words = npt.NDArray[np.uint64]


class RunningNetwork:
    """A network in an engine's library; time passes in `run` only.

    Attributes
    ----------
    network : Network
        What runs.
    cycles : int
        Time since the last reset.
    """

    engine = ""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.cycles = 0
        self._ports = {stream.name: number for number, stream in enumerate(network.streams)}
        self._handle: ctypes.c_void_p | None = None

    def _open(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.hwgen_open.restype = ctypes.c_void_p
        self._library.hwgen_size.restype = ctypes.c_size_t
        self._handle = ctypes.c_void_p(self._library.hwgen_open())

    def push(self, stream: str, words: npt.ArrayLike, last: npt.ArrayLike | None = None) -> None:
        """Append words to the queue in front of an input.

        Parameters
        ----------
        stream : str
            The input.
        words : array_like of unsigned integers
            See `hwgen.flow.network_sim.port_words`.
        last : array_like of bool, optional
            TLAST of each word, for streams that have it; default with the last word only.
        """
        link = self._stream(stream, "input")
        rows = port_words(link, words)
        bits = last_bits(link, last, len(rows))
        number = ctypes.c_uint32(self._ports[stream])
        arguments = (_address(rows), _address(bits), ctypes.c_size_t(len(rows)))
        self._library.hwgen_push(self._handle, number, *arguments)

    def waiting(self, stream: str) -> int:
        """Return the words in the queue at a port: not yet taken by the network, or not yet popped."""
        number = self._ports[self.network.stream(stream).name]
        return int(self._library.hwgen_size(self._handle, ctypes.c_uint32(number)))

    def run(self, max_cycles: int, until: Mapping[str, int] | None = None) -> int:
        """Let time pass, and return how many cycles.

        Parameters
        ----------
        max_cycles : int
            The most.
        until : mapping of str to int, optional
            Stop when each of these outputs holds at least so many words, and each of these inputs at most.

        Raises
        ------
        CheckError
            If the network breaks the protocol or stops the simulation, or `until` is not reached; the message
            says what is in the queues.
        """
        goals = (Goal * len(until or ()))()
        for goal, (name, words) in zip(goals, (until or {}).items(), strict=True):
            link = self.network.stream(name)
            goal.port, goal.output, goal.words = self._ports[name], link.direction == "output", words
        report = Report()
        count = ctypes.c_size_t(len(goals))
        failed = self._library.hwgen_run(
            self._handle, ctypes.c_uint64(max_cycles), goals, count, ctypes.byref(report)
        )
        self.cycles += report.cycles
        self._check(failed, report)
        if until and not all(self._reached(name, words) for name, words in until.items()):
            queues = ", ".join(f"{name} {self.waiting(name)}" for name in self._ports)
            raise CheckError(
                f"{self.engine} of {self.network.name}: not done after {report.cycles} cycles (words in the "
                f"queues: {queues})"
            )
        return int(report.cycles)

    def pop(self, stream: str, count: int | None = None) -> tuple[Words, npt.NDArray[np.bool_]]:
        """Take words from the queue behind an output: all of them, or the first `count`.

        Returns
        -------
        words : ndarray of uint64
            Rows of 64-bit limbs, the lowest first.
        last : ndarray of bool
            TLAST of each word; false where the stream has none.
        """
        link = self._stream(stream, "output")
        there = self.waiting(stream)
        if count is not None and count > there:
            raise InputError(f"stream {stream!r} has {there} words, not {count}")
        count = there if count is None else count
        rows, bits = np.zeros((count, limbs(link.width)), np.uint64), np.zeros(count, np.uint8)
        number = ctypes.c_uint32(self._ports[stream])
        self._library.hwgen_pop(self._handle, number, _address(rows), _address(bits), ctypes.c_size_t(count))
        return rows, bits.astype(bool)

    def _reached(self, name: str, words: int) -> bool:
        there = self.waiting(name)
        return there >= words if self.network.stream(name).direction == "output" else there <= words

    def _stream(self, name: str, direction: str) -> Link:
        link = self.network.stream(name)
        if link.direction != direction:
            raise InputError(
                f"stream {name!r} is an {link.direction} of {self.network.name}, not an {direction}"
            )
        return link

    def _check(self, failed: int, report: Report) -> None:
        if failed:
            message = report.message.decode(errors="replace")
            raise CheckError(f"{self.engine} of {self.network.name}: {message}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.network.name}>"


def _address(array: npt.NDArray[np.generic]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def port_words(stream: Link, words: npt.ArrayLike) -> Words:
    """Return words of a stream as rows of 64-bit limbs, the lowest first.

    Parameters
    ----------
    stream : Link
        Whose words they are.
    words : array_like of unsigned integers
        One word an element, or rows of limbs: the last axis has as many limbs as a word needs, which a stream
        of at most 64 bits may leave out. Python integers of any size will do.

    Raises
    ------
    InputError
        If a word is no bit pattern of the stream's width.
    """
    count = limbs(stream.width)
    # NumPy would make floats of a list with small and large integers.
    array = words if isinstance(words, np.ndarray) else np.asarray(words, object)
    if array.ndim == 1 and (array.dtype == object or count > 1):
        array = _of_integers(stream, array.tolist(), count)
    elif array.dtype == object:
        array = array.astype(np.uint64)
    if array.dtype.kind not in "ui" and array.size:
        raise InputError(f"words of {stream.name!r} must be integers, not {array.dtype}")
    if count == 1 and array.ndim <= 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != count:
        raise InputError(
            f"words of {stream.name!r} need a last axis of {count} limbs, not the shape {array.shape}"
        )
    if array.dtype.kind == "i" and array.size and array.min() < 0:
        raise InputError(f"words of {stream.name!r} must be unsigned, not {int(array.min())}")
    rows = np.ascontiguousarray(array, np.uint64)
    top = stream.width - 64 * (count - 1)
    if top < 64 and rows.size and int(rows[:, -1].max()) >> top:
        raise InputError(f"a word of {stream.name!r} does not fit {stream.width} bits")
    return rows


def _of_integers(stream: Link, values: list[Any], count: int) -> Words:
    rows = np.zeros((len(values), count), np.uint64)
    for row, value in zip(rows, values, strict=True):
        if not isinstance(value, int) or not 0 <= value < 1 << stream.width:
            raise InputError(f"a word of {stream.name!r} is {value!r}; legal: 0 to 2^{stream.width} - 1")
        row[:] = [value >> 64 * limb & 0xFFFF_FFFF_FFFF_FFFF for limb in range(count)]
    return rows


def last_bits(stream: Link, last: npt.ArrayLike | None, count: int) -> npt.NDArray[np.uint8]:
    """Return TLAST of `count` words; None: with the last word only, where the stream has it.

    Raises
    ------
    InputError
        If the stream has no TLAST, or there are more or fewer bits than words.
    """
    bits = np.zeros(count, np.uint8)
    if last is None:
        bits[count - 1 :] = stream.last
        return bits
    if not stream.last:
        raise InputError(f"stream {stream.name!r} has no TLAST")
    bits[:] = np.broadcast_to(np.asarray(last, bool), count)
    return bits
