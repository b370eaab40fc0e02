"""What the engines need to know of an emitted project, read from its ``manifest.json``.

Only ports, names and state: the arithmetic is in the C++. An engine here is anything that maps the bit
patterns of the input ports to those of the output port, so the check and conversion of its arrays, the
same for all, is here too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import InputError

__all__ = ["BitArray", "Project", "ProjectPort", "port_arrays"]

BitArray = npt.NDArray[np.unsignedinteger[Any]]

MAX_PORT_WIDTH = 64


@dataclass(frozen=True, kw_only=True)
class ProjectPort:
    """A port of the top: its name and its width in bits."""

    name: str
    width: int

    @property
    def storage_bits(self) -> int:
        """Bits of the smallest unsigned machine type that holds the port: 8, 16, 32 or 64."""
        return max(8, 1 << (self.width - 1).bit_length())

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger[Any]]:
        """NumPy's name of that machine type."""
        return np.dtype(f"u{self.storage_bits // 8}")


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
        Whether a result depends on those before it (an on-unit random generator).
    manifest : dict
        The whole manifest.
    """

    path: Path
    name: str
    interface: str
    inputs: tuple[ProjectPort, ...]
    output: ProjectPort
    stateful: bool
    manifest: dict[str, Any]

    @classmethod
    def read(cls, path: Path | str) -> Project:
        """Read the project in folder `path`.

        Raises
        ------
        InputError
            If `path` is no project folder, or a port is wider than the engines' 64 bits.
        """
        folder = Path(path)
        file = folder / "manifest.json"
        try:
            manifest = json.loads(file.read_text(encoding="utf-8"))
            ports = [ProjectPort(name=p["name"], width=p["width"]) for p in manifest["inputs"]]
            result = manifest["output"]
            project = cls(
                path=folder,
                name=manifest["name"],
                interface=manifest["interface"],
                inputs=tuple(ports),
                output=ProjectPort(name=result["name"], width=result["width"]),
                stateful=manifest["lfsr"] is not None,
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
                raise InputError(f"port {port.name!r} is {port.width} bits wide; legal: 1 to 64", file=file)
        return project


def port_arrays(project: Project, operands: tuple[npt.ArrayLike, ...]) -> list[BitArray]:
    """Broadcast `operands` and bring them to the storage types of the input ports.

    Returns
    -------
    list of ndarray
        One C-contiguous array per input port, all of one shape, of the port's `dtype`.

    Raises
    ------
    TypeError
        If the number of operands is not that of the ports.
    InputError
        If an operand is not of integers, or a bit pattern does not fit its port.
    """
    if len(operands) != len(project.inputs):
        names = ", ".join(port.name for port in project.inputs)
        raise TypeError(f"{project.name} takes {len(project.inputs)} operands ({names}), not {len(operands)}")
    arrays = []
    for port, operand in zip(project.inputs, operands, strict=True):
        array = np.asarray(operand)
        if array.dtype.kind not in "ui":
            raise InputError(f"operand {port.name!r} must be bit patterns (integers), not {array.dtype}")
        if array.size and (array.dtype.kind == "i" or array.dtype.itemsize * 8 > port.width):
            low, high = int(array.min()), int(array.max())
            if low < 0 or high >> port.width:
                raise InputError(
                    f"operand {port.name!r} has the bit pattern {low if low < 0 else high:#x},"
                    f" which does not fit {port.width} bits"
                )
        arrays.append(array.astype(port.dtype, copy=False))
    return [np.ascontiguousarray(array) for array in np.broadcast_arrays(*arrays)]
