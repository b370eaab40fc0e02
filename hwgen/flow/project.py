"""What the engines need to know of an emitted project, read from its ``manifest.json``.

Only ports, names and state: the arithmetic is in the C++. An engine here is anything that maps the bit
patterns of the input ports to those of the output port, so the check and conversion of its arrays, the
same for all, is here too.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError
from hwgen.operators.packing import limbs, pack, unpack, word_dtype

__all__ = ["Batch", "BitArray", "Project", "ProjectPort", "port_arrays"]

BitArray = npt.NDArray[np.unsignedinteger[Any]]

MAX_PORT_WIDTH = 1 << 14


@dataclass(frozen=True, kw_only=True)
class ProjectPort:
    """A port of the top.

    Attributes
    ----------
    name : str
        Its name.
    layout : tuple of int
        Width in bits of each element of its word, the lowest first.
    packed : bool
        Whether arrays of the port have a last axis of elements.
    """

    name: str
    layout: tuple[int, ...]
    packed: bool = False

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> ProjectPort:
        """Return the port of a manifest's record."""
        if "fields" not in record:
            return cls(name=record["name"], layout=(record["width"],))
        layout = tuple(field["width"] for field in record["fields"] for _ in range(field["count"]))
        return cls(name=record["name"], layout=layout, packed=True)

    @property
    def width(self) -> int:
        """Bits of the word."""
        return sum(self.layout)

    @property
    def limbs(self) -> int:
        """Machine words that hold the port's word."""
        return limbs(self.width)

    @property
    def storage_bits(self) -> int:
        """Bits of the machine type: the smallest that holds the port (8, 16, 32, 64), or 64 for each limb."""
        return word_dtype(self.width).itemsize * 8

    @property
    def word_dtype(self) -> np.dtype[np.unsignedinteger[Any]]:
        """NumPy's name of that machine type."""
        return word_dtype(self.width)

    @property
    def limb_axis(self) -> tuple[int, ...]:
        """Last axis of an array of words: that of the limbs, if a word has several."""
        return (self.limbs,) if self.limbs > 1 else ()

    def array(self, words: BitArray) -> BitArray:
        """Return the elements of an array of words."""
        return unpack(words, self.layout) if self.packed else words


@dataclass(frozen=True, kw_only=True)
class Project:
    """An emitted project folder.

    Attributes
    ----------
    path : Path
        The folder.
    name : str
        C identifier that names the C++ top and the RTL module.
    interface : str
        ``function`` or ``stream``.
    inputs : tuple of ProjectPort
        In the order of the operator's operands; a random-word port comes last.
    output : ProjectPort
        The result.
    stateful : bool
        Whether a result depends on activations before it (an on-unit random generator, an accumulator).
    variable_rate : bool
        Whether an activation may release no result, or several.
    manifest : dict
        The whole manifest.
    """

    path: Path
    name: str
    interface: str
    inputs: tuple[ProjectPort, ...]
    output: ProjectPort
    stateful: bool
    variable_rate: bool
    manifest: dict[str, Any]

    @classmethod
    def read(cls, path: Path | str) -> Project:
        """Read the project in folder `path`.

        Raises
        ------
        InputError
            If `path` is no project folder, or a port is wider than the engines take.
        """
        folder = Path(path)
        file = folder / "manifest.json"
        try:
            manifest = json.loads(file.read_text(encoding="utf-8"))
            if "network" in manifest:
                raise InputError("a network of kernels, which only hwgen rtl takes", file=file)
            ports = [ProjectPort.of_record(record) for record in manifest["inputs"]]
            project = cls(
                path=folder,
                name=manifest["name"],
                interface=manifest["interface"],
                inputs=tuple(ports),
                output=ProjectPort.of_record(manifest["output"]),
                stateful=manifest["lfsr"] is not None or manifest.get("sequential", False),
                variable_rate=manifest.get("variable_rate", False),
                manifest=manifest,
            )
        except FileNotFoundError:
            raise InputError(
                f"{str(folder)!r} is no emitted project: it has no manifest.json (run hwgen emit first)"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"not a manifest of hwgen ({error})", file=file) from error
        for port in (*project.inputs, project.output):
            if not 1 <= port.width <= MAX_PORT_WIDTH:
                raise InputError(
                    f"port {port.name!r} is {port.width} bits wide; legal: 1 to {MAX_PORT_WIDTH}", file=file
                )
        return project


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The memory of one run of an engine: words of the operands, and room for words of the results.

    Attributes
    ----------
    project : Project
        Whose ports these are.
    operands : list of ndarray
        As `port_arrays` gives them.
    shape : tuple of int
        Common shape of the operands.
    words : ndarray
        Words of the results, to be written by the engine.
    """

    project: Project
    operands: list[BitArray]
    shape: tuple[int, ...]
    words: BitArray

    @classmethod
    def of(cls, project: Project, operands: tuple[npt.ArrayLike, ...], results: int | None) -> Batch:
        """Return the batch of `operands`, which release `results` words; None: one for each activation."""
        arrays, shape = port_arrays(project, operands)
        wanted = math.prod(shape) if results is None else results
        output = project.output
        words = np.zeros((wanted, *output.limb_axis), output.word_dtype)
        return cls(project=project, operands=arrays, shape=shape, words=words)

    @property
    def count(self) -> int:
        """Number of activations."""
        return math.prod(self.shape)

    @property
    def wanted(self) -> int:
        """Number of results."""
        return len(self.words)

    @property
    def arguments(self) -> list[int]:
        """What an engine's C function takes first: both numbers, and the addresses of all words."""
        return [self.count, self.wanted, *(array.ctypes.data for array in (*self.operands, self.words))]

    @property
    def result(self) -> BitArray:
        """Elements of the results, in the operands' shape unless the rate varies."""
        output = self.project.output
        if self.project.variable_rate:
            return output.array(self.words)
        return output.array(self.words.reshape(self.shape + output.limb_axis))


def port_arrays(
    project: Project, operands: tuple[npt.ArrayLike, ...]
) -> tuple[list[BitArray], tuple[int, ...]]:
    """Broadcast `operands` and bring them to the storage types of the input ports' words.

    Returns
    -------
    arrays : list of ndarray
        One C-contiguous array of words per input port, with a last axis of limbs above 64 bits.
    shape : tuple of int
        Their common shape, without the limbs.

    Raises
    ------
    TypeError
        If the number of operands is not that of the ports.
    InputError
        If an operand is not of integers, lacks the axis of elements, or holds a pattern that does not fit.
    """
    if len(operands) != len(project.inputs):
        names = ", ".join(port.name for port in project.inputs)
        raise TypeError(f"{project.name} takes {len(project.inputs)} operands ({names}), not {len(operands)}")
    words = []
    for port, operand in zip(project.inputs, operands, strict=True):
        array = np.asarray(operand)
        _check(port, array)
        words.append(pack(array, port.layout) if port.packed else array.astype(port.word_dtype, copy=False))
    tails = [port.limb_axis for port in project.inputs]
    leading = [array.shape[: array.ndim - len(tail)] for array, tail in zip(words, tails, strict=True)]
    shape = np.broadcast_shapes(*leading)
    arrays = [
        np.ascontiguousarray(np.broadcast_to(array, shape + tail))
        for array, tail in zip(words, tails, strict=True)
    ]
    return arrays, shape


def _check(port: ProjectPort, array: npt.NDArray[Any]) -> None:
    """Raise `InputError` unless `array` holds bit patterns of the port's elements."""
    if array.dtype.kind not in "ui":
        raise InputError(f"operand {port.name!r} must be bit patterns (integers), not {array.dtype}")
    if port.packed and (array.ndim == 0 or array.shape[-1] != len(port.layout)):
        raise InputError(
            f"operand {port.name!r} needs a last axis of {len(port.layout)} elements, "
            f"not the shape {array.shape}"
        )
    narrowest = min(port.layout)
    if not array.size or (array.dtype.kind == "u" and array.dtype.itemsize * 8 <= narrowest):
        return
    axes = tuple(range(array.ndim - 1)) if port.packed else None
    lows = np.atleast_1d(array.min(axis=axes)).tolist()
    highs = np.atleast_1d(array.max(axis=axes)).tolist()
    for low, high, width in zip(lows, highs, port.layout, strict=True):
        if low < 0 or high >> width:
            raise InputError(
                f"operand {port.name!r} has the bit pattern {low if low < 0 else high:#x},"
                f" which does not fit {width} bits"
            )
