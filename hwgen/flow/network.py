"""Networks of kernels, read from the key ``network`` of a project's ``manifest.json`` and checked.

A network joins kernels by channels, each with one writer and one reader; its streams are the AXI4-Stream
ports of the top. A link is either of the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import InputError, legal_values

__all__ = ["Joint", "Kernel", "Link", "Network", "is_network"]

MAX_WIDTH = 1 << 14
MAX_DEPTH = 1 << 16
_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")
# The names of the modules that every network has beside its kernels.
_TAKEN = ("fifo", "ram")


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a word travels through.

    Attributes
    ----------
    name : str
        Of the stream or channel.
    width : int
        Bits of data.
    direction : str or None
        Of a stream, ``input`` or ``output``; a channel has none.
    last : bool
        Whether a stream has TLAST.
    depth : int
        Words that a channel holds.
    """

    name: str
    width: int
    direction: str | None = None
    last: bool = False
    depth: int = 2

    @property
    def word(self) -> int:
        """Bits of a word inside the network: TLAST is the top bit."""
        return self.width + self.last

    @property
    def cpp_type(self) -> str:
        """What ``hls::stream`` carries."""
        return f"ap_axiu<{self.width}, 0, 0, 0>" if self.last else f"ap_uint<{self.width}>"


@dataclass(frozen=True)
class Joint:
    """A parameter of a kernel and the link that it is joined to."""

    port: str
    link: Link


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """One kernel.

    Attributes
    ----------
    name : str
        Names its module, after the network's name.
    function : str
        The C++ function; its parameters are the inputs, then the outputs.
    inputs, outputs : tuple of Joint
        In the order of the parameters.
    stages : int or None
        Pipeline stages, if not as few as can be.
    """

    name: str
    function: str
    inputs: tuple[Joint, ...]
    outputs: tuple[Joint, ...]
    stages: int | None = None


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network and the project it is in.

    Attributes
    ----------
    path : Path
        The project's folder.
    name : str
        Of the top.
    streams, channels : tuple of Link
        In the manifest's order.
    kernels : tuple of Kernel
        In the manifest's order.
    manifest : dict
        The whole manifest.
    """

    path: Path
    name: str
    streams: tuple[Link, ...]
    channels: tuple[Link, ...]
    kernels: tuple[Kernel, ...]
    manifest: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path | str) -> Network:
        """Read and check the network in folder `path`.

        Raises
        ------
        InputError
            If `path` has no network, or one that cannot be: unknown links, widths or depths out of range,
            names twice, a channel without a writer or with two.
        """
        folder = Path(path)
        manifest = _manifest(folder)
        try:
            record = manifest["network"]
            streams = tuple(_stream(item) for item in record["streams"])
            channels = tuple(_channel(item) for item in record.get("channels", ()))
            _check_unique("stream or channel", [link.name for link in (*streams, *channels)])
            links = {link.name: link for link in (*streams, *channels)}
            kernels = tuple(_kernel(item, links) for item in record["kernels"])
            network = cls(
                path=folder,
                name=manifest["name"],
                streams=streams,
                channels=channels,
                kernels=kernels,
                manifest=manifest,
            )
            _check_names(network)
            _check_ends(network)
        except InputError as error:
            raise error.at(folder / "manifest.json") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise InputError(f"not a network of hwgen ({what})", file=folder / "manifest.json") from error
        return network

    @property
    def inputs(self) -> tuple[Link, ...]:
        """The streams into the network."""
        return tuple(stream for stream in self.streams if stream.direction == "input")

    @property
    def outputs(self) -> tuple[Link, ...]:
        """The streams out of the network."""
        return tuple(stream for stream in self.streams if stream.direction == "output")

    def stream(self, name: str) -> Link:
        """Return the stream called `name`.

        Raises
        ------
        InputError
            If there is none.
        """
        found = next((stream for stream in self.streams if stream.name == name), None)
        if found is None:
            raise InputError(
                legal_values(f"stream of {self.name}", name, [stream.name for stream in self.streams])
            )
        return found


def is_network(path: Path | str) -> bool:
    """Tell whether the project in folder `path` is a network of kernels; False if it is no project."""
    file = Path(path) / "manifest.json"
    return file.is_file() and "network" in _manifest(Path(path))


def _manifest(folder: Path) -> dict[str, Any]:
    file = folder / "manifest.json"
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{str(folder)!r} is no emitted project: it has no manifest.json (run hwgen emit first)"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"not a manifest of hwgen ({error})", file=file) from error
    if not isinstance(manifest, dict):
        raise InputError("not a manifest of hwgen", file=file)
    return manifest


def _stream(item: Mapping[str, Any]) -> Link:
    name, direction = item["name"], item["direction"]
    if direction not in ("input", "output"):
        raise InputError(legal_values(f"direction of stream {name!r}", direction, ("input", "output")))
    return Link(name=name, width=_width(item), direction=direction, last=bool(item.get("last", False)))


def _channel(item: Mapping[str, Any]) -> Link:
    depth = item.get("depth", 2)
    if not isinstance(depth, int) or not 1 <= depth <= MAX_DEPTH:
        raise InputError(f"channel {item['name']!r} has depth {depth}; legal: 1 to {MAX_DEPTH}")
    return Link(name=item["name"], width=_width(item), depth=depth)


def _width(item: Mapping[str, Any]) -> int:
    width = item["width"]
    if not isinstance(width, int) or not 1 <= width <= MAX_WIDTH:
        raise InputError(f"{item['name']!r} is {width} bits wide; legal: 1 to {MAX_WIDTH}")
    return width


def _kernel(item: Mapping[str, Any], links: Mapping[str, Link]) -> Kernel:
    name = item["name"]
    stages = item.get("stages")
    if stages is not None and (not isinstance(stages, int) or stages < 1):
        raise InputError(f"kernel {name!r} has {stages!r} stages; legal: at least 1")
    inputs = tuple(_joint(name, joint, "from", links) for joint in item["inputs"])
    outputs = tuple(_joint(name, joint, "to", links) for joint in item["outputs"])
    return Kernel(name=name, function=item["function"], inputs=inputs, outputs=outputs, stages=stages)


def _joint(kernel: str, item: Mapping[str, Any], key: str, links: Mapping[str, Link]) -> Joint:
    link = links.get(item[key])
    if link is None:
        raise InputError(legal_values(f"stream or channel of kernel {kernel!r}", item[key], list(links)))
    if "width" in item and item["width"] != link.word:
        raise InputError(
            f"port {item['port']!r} of kernel {kernel!r} carries {item['width']} bits, "
            f"but {link.name!r} carries {link.word}"
        )
    return Joint(item["port"], link)


def _check_names(network: Network) -> None:
    if not network.kernels:
        raise InputError("a network has at least one kernel")
    _check_unique("kernel", [kernel.name for kernel in network.kernels], taken=_TAKEN)
    for kernel in network.kernels:
        _check_unique(f"port of kernel {kernel.name!r}", [joint.port for joint in _joints(kernel)])


def _check_unique(what: str, names: Sequence[Any], taken: Iterable[str] = ()) -> None:
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InputError(
                f"{name!r} cannot name a {what}; legal: letters, digits and single underscores between"
            )
        if names.count(name) > 1:
            raise InputError(f"{name!r} names more than one {what}")
        if name in taken:
            raise InputError(f"{name!r} cannot name a {what}: the network has a module of that name")


def _joints(kernel: Kernel) -> tuple[Joint, ...]:
    return (*kernel.inputs, *kernel.outputs)


def _check_ends(network: Network) -> None:
    """Raise an error unless each link has one writer and one reader, the outside being one of them."""
    for link in (*network.streams, *network.channels):
        kind = "channel" if link.direction is None else f"{link.direction} stream"
        ends = {
            "written": [k.name for k in network.kernels for joint in k.outputs if joint.link is link],
            "read": [k.name for k in network.kernels for joint in k.inputs if joint.link is link],
        }
        outside = {"input": "written", "output": "read"}.get(link.direction or "")
        for done, kernels in ends.items():
            if done == outside and kernels:
                raise InputError(f"{kind} {link.name!r} is {done} by kernel {kernels[0]!r}")
            if done != outside and len(kernels) != 1:
                by = " and ".join(repr(kernel) for kernel in kernels) or "no kernel"
                raise InputError(f"{kind} {link.name!r} is {done} by {by}; it needs one kernel")
