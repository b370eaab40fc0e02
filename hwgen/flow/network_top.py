"""The flat SystemVerilog top of a network: kernels, queues and memories, and the wires between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hwgen.flow.network import Kernel, Link, Network
from hwgen.flow.xls_codegen import CLOCK, RESET
from hwgen.lower import MemoryPort

__all__ = ["network_parts", "network_top"]

_PARTS = ("fifo", "ram")
_HANDSHAKE = ("TDATA", "TVALID", "TREADY")
# Words that an input stream holds, so that its TREADY is a register.
_INPUT_DEPTH = 2


def network_parts(name: str) -> str:
    """Return the modules of queues and memories, named after the network."""
    texts = [Path(__file__).with_name(f"network_{part}.sv").read_text(encoding="utf-8") for part in _PARTS]
    return "\n".join(
        text.replace(f"module hwgen_{part} ", f"module {name}_{part} ")
        for part, text in zip(_PARTS, texts, strict=True)
    )


def network_top(network: Network, memories: Mapping[str, Sequence[MemoryPort]]) -> str:
    """Return the module of the network.

    Parameters
    ----------
    network : Network
        What is joined.
    memories : mapping of str to sequence of MemoryPort
        Of each kernel.
    """
    body: list[str] = []
    for link in (*network.streams, *network.channels):
        body += [*_wires(f"{link.name}__in", link.word), *_wires(f"{link.name}__out", link.word)]
        body += [*_edge(link), *_queue(network.name, link), ""]
    for kernel in network.kernels:
        for memory in memories[kernel.name]:
            body += [*_memory(network.name, kernel.name, memory), ""]
        body += [*_instance(network, kernel, memories[kernel.name]), ""]
    ports = [
        f"  input wire {CLOCK}",
        f"  input wire {RESET}",
        *(p for s in network.streams for p in _ports(s)),
    ]
    return "\n".join([f"module {network.name} (", ",\n".join(ports), ");", *body[:-1], "endmodule", ""])


def _ports(stream: Link) -> list[str]:
    forward, backward = ("input", "output") if stream.direction == "input" else ("output", "input")
    ports = [
        f"  {forward} wire [{stream.width - 1}:0] {stream.name}_TDATA",
        f"  {forward} wire {stream.name}_TVALID",
        f"  {backward} wire {stream.name}_TREADY",
    ]
    return [*ports, f"  {forward} wire {stream.name}_TLAST"] if stream.last else ports


def _wires(prefix: str, width: int) -> list[str]:
    return [f"  wire [{width - 1}:0] {prefix}_TDATA;", f"  wire {prefix}_TVALID, {prefix}_TREADY;"]


def _edge(link: Link) -> list[str]:
    """Join a stream's side that faces outwards to the ports."""
    name = link.name
    word = f"{{{name}_TLAST, {name}_TDATA}}" if link.last else f"{name}_TDATA"
    if link.direction == "input":
        return [
            f"  assign {name}__in_TDATA = {word};",
            f"  assign {name}__in_TVALID = {name}_TVALID;",
            f"  assign {name}_TREADY = {name}__in_TREADY;",
        ]
    if link.direction == "output":
        return [
            f"  assign {word} = {name}__out_TDATA;",
            f"  assign {name}_TVALID = {name}__out_TVALID;",
            f"  assign {name}__out_TREADY = {name}_TREADY;",
        ]
    return []


def _queue(top: str, link: Link) -> list[str]:
    """Put a queue into a link; the words of an output stream wait in a register of their kernel."""
    name = link.name
    if link.direction == "output":
        return [
            f"  assign {name}__out_TDATA = {name}__in_TDATA;",
            f"  assign {name}__out_TVALID = {name}__in_TVALID;",
            f"  assign {name}__in_TREADY = {name}__out_TREADY;",
        ]
    depth = _INPUT_DEPTH if link.direction == "input" else link.depth
    joined = [*_joined("in", f"{name}__in"), *_joined("out", f"{name}__out")]
    parameters = f"#(.WIDTH({link.word}), .DEPTH({depth}))"
    return _module(f"{top}_fifo {parameters} {name}__fifo", joined)


def _memory(top: str, kernel: str, memory: MemoryPort) -> list[str]:
    request, response = (f"{kernel}__{port}" for port in (memory.request, memory.response))
    instance = f"{top}_ram #(.WIDTH({memory.width}), .DEPTH({memory.depth})) {request}__ram"
    joined = [*_joined("request", request), *_joined("response", response)]
    wires = [*_wires(request, memory.request_width), *_wires(response, memory.width)]
    return [*wires, *_module(instance, joined)]


def _instance(network: Network, kernel: Kernel, memories: Sequence[MemoryPort]) -> list[str]:
    joined = [line for joint in kernel.inputs for line in _joined(joint.port, f"{joint.link.name}__out")]
    joined += [line for joint in kernel.outputs for line in _joined(joint.port, f"{joint.link.name}__in")]
    for memory in memories:
        for port in (memory.request, memory.response):
            joined += _joined(port, f"{kernel.name}__{port}")
    return _module(f"{network.name}_{kernel.name} {kernel.name}__kernel", joined)


def _joined(port: str, wires: str) -> list[str]:
    return [f".{port}_{signal}({wires}_{signal})" for signal in _HANDSHAKE]


def _module(instance: str, joined: Sequence[str]) -> list[str]:
    clocked = [f".{CLOCK}({CLOCK})", f".{RESET}({RESET})", *joined]
    return [f"  {instance} (", ",\n".join(f"    {line}" for line in clocked), "  );"]
