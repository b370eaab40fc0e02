"""What float lanes add to the network of a core: three kernels, and a port more for some others."""

from __future__ import annotations

from dataclasses import replace

from hwgen.trainer.netlist import Channel, Kernel, Network
from hwgen.trainer.sizes import CoreSizes

__all__ = ["with_floats"]

_NUMBER = 32
_T = "hwgen::trainer::"


def with_floats(network: Network, sizes: CoreSizes) -> Network:
    """Return a network with the float lanes of a core of these sizes."""
    kernels = tuple(_extended(kernel) for kernel in network.kernels)
    return replace(
        network, channels=network.channels + _channels(sizes), kernels=kernels + _kernels(sizes.float_lanes)
    )


def _extended(kernel: Kernel) -> Kernel:
    """Return a kernel with the ports that it has on a core with float lanes."""
    ports = {
        "multiply": ((), ("addend_places",), kernel.body, kernel.does),
        "count_products": (
            (),
            ("float_operands",),
            f"{_T}count_or_gather<core>",
            "products of digits, summed over lanes; digits of fp32 numbers, gathered",
        ),
        "accumulate": (
            ("float_results",),
            (),
            f"{_T}accumulate_or_collect<core>",
            "one sum for each dot unit; a tile of the float lanes, collected",
        ),
        "results": (("addend_reads",), ("addend_words",), f"{_T}result_memory<core>", kernel.does),
    }
    if kernel.name not in ports:
        return kernel
    inputs, outputs, body, does = ports[kernel.name]
    return replace(
        kernel, body=body, does=does, inputs=kernel.inputs + inputs, outputs=kernel.outputs + outputs
    )


def _channels(s: CoreSizes) -> tuple[Channel, ...]:
    handover = "one word waiting, one arriving"
    steps = s.units // s.float_lanes
    operands = _NUMBER * (s.rows + s.cols) + 3
    products = _NUMBER * (2 * s.float_lanes + 1) + 1
    sums = _NUMBER * s.float_lanes

    def channel(name: str, width: int, cpp: str, depth: int, why: str) -> Channel:
        return Channel(name=name, width=width, cpp=cpp, depth=depth, why=why)

    return (
        channel("addend_places", 2 * s.result_address, f"{_T}addend_place<core>::width", 2, handover),
        channel("addend_reads", s.result_address, "core::result_address", 2, handover),
        channel("addend_steps", 1, "1", 8, "rows that are asked for ahead"),
        channel(
            "addend_words",
            s.result_bits * s.cols,
            "core::result_bits * core::cols",
            16,
            "more than addend_steps and the kernels at its ends hold, so result memory never waits",
        ),
        channel("float_operands", operands, f"{_T}float_operands<core>::width", 2, handover),
        channel("float_products", products, f"{_T}float_products<core>::width", 2, handover),
        channel(
            "float_sums", sums, "32 * core::float_lanes", steps, "all sums of a tile, so the lanes never wait"
        ),
        channel("float_results", sums, "32 * core::float_lanes", 2, handover),
    )


def _kernels(lanes: int) -> tuple[Kernel, ...]:
    def kernel(name: str, inputs: str, outputs: str, does: str) -> Kernel:
        return Kernel(
            name=name,
            body=f"{_T}{name}<core>",
            inputs=tuple(inputs.split()),
            outputs=tuple(outputs.split()),
            does=does,
        )

    return (
        kernel(
            "float_addends",
            "addend_places",
            "addend_reads addend_steps",
            "asks for what the sums of a tile of fp32 begin with",
        ),
        kernel(
            "float_steps",
            "float_operands addend_steps addend_words float_sums",
            "float_products",
            "pairs each row of a tile with its columns and sums, element of K by element of K",
        ),
        kernel(
            "float_multiply_add",
            "float_products",
            "float_sums float_results",
            f"{lanes} fused multiply-adds of fp32 numbers",
        ),
    )
