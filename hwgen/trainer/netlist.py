"""What a network of kernels consists of: channels, kernels and edge streams, as records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Channel", "Kernel", "Network", "Stream", "kernel"]


@dataclass(frozen=True)
class Channel:
    """A first-in first-out channel between two kernels.

    Attributes
    ----------
    name : str
        A C identifier.
    width : int
        Bits of a word.
    cpp : str
        The same as a C++ expression.
    depth : int
        Words that it holds.
    why : str
        The reason for the depth.
    """

    name: str
    width: int
    cpp: str
    depth: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """A kernel: what it does, the C++ template that is its body, and what its ports are joined to.

    Attributes
    ----------
    name : str
        Of the kernel: the C++ function and the module are this with the core's name in front.
    body : str
        The C++ function template with its arguments.
    inputs, outputs : tuple of str
        Channels or edge streams in the order of the function's parameters.
    does : str
        One line for people.
    """

    name: str
    body: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    does: str


def kernel(name: str, body: str, inputs: str, outputs: str, does: str) -> Kernel:
    """Return a kernel whose body is of hwgen::trainer; ports are words of one string."""
    return Kernel(
        name=name,
        body=f"hwgen::trainer::{body}",
        inputs=tuple(inputs.split()),
        outputs=tuple(outputs.split()),
        does=does,
    )


@dataclass(frozen=True, kw_only=True)
class Stream:
    """An AXI4-Stream at the edge of the core: `width` bits of TDATA; with TLAST if `last`."""

    name: str
    width: int
    direction: str
    last: bool
    holds: str


@dataclass(frozen=True, kw_only=True)
class Network:
    """The kernels, channels and edge streams of a core."""

    streams: tuple[Stream, ...]
    channels: tuple[Channel, ...]
    kernels: tuple[Kernel, ...]

    def record(self, name: str) -> dict[str, Any]:
        """Return the manifest's record of the network of a core called `name`."""
        ports = {kernel.name: _ports(kernel) for kernel in self.kernels}
        return {
            "streams": [
                {"name": s.name, "width": s.width, "direction": s.direction, "last": s.last}
                for s in self.streams
            ],
            "channels": [{"name": c.name, "width": c.width, "depth": c.depth} for c in self.channels],
            "kernels": [
                {
                    "name": kernel.name,
                    "function": f"{name}_{kernel.name}",
                    "inputs": [{"port": p, "from": c} for p, c in ports[kernel.name][0]],
                    "outputs": [{"port": p, "to": c} for p, c in ports[kernel.name][1]],
                }
                for kernel in self.kernels
            ],
        }

    def cpp_type(self, name: str) -> str:
        """Return the C++ type of the words of a channel, which the top declares, or of an edge stream."""
        for stream in self.streams:
            if stream.name == name:
                if stream.last:
                    return "hwgen::trainer::beat_t"
                return f"ap_uint<{stream.width}>"
        return f"{name}_t"


def _ports(kernel: Kernel) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return (port, channel) pairs; a port is called as what it is joined to."""
    return [(c, c) for c in kernel.inputs], [(c, c) for c in kernel.outputs]
