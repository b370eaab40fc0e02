"""What float lanes add to the network of a core: three kernels, and a port more for some others."""

from __future__ import annotations

from dataclasses import replace

from hwgen.trainer.layout import FP32_BITS
from hwgen.trainer.netlist import Channel, Kernel, Network, kernel
from hwgen.trainer.sizes import CoreSizes

__all__ = ["with_floats"]

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
    operands = FP32_BITS * (s.rows + s.cols) + 3
    products = FP32_BITS * (2 * s.float_lanes + 1) + 1
    sums = FP32_BITS * s.float_lanes

    return (
        Channel("addend_places", 2 * s.result_address, f"{_T}addend_place<core>::width", 2, handover),
        Channel("addend_reads", s.result_address, "core::result_address", 2, handover),
        Channel("addend_steps", 1, "1", 8, "rows that are asked for ahead"),
        Channel(
            "addend_words",
            s.result_bits * s.cols,
            "core::result_bits * core::cols",
            16,
            "more than addend_steps and the kernels at its ends hold, so result memory never waits",
        ),
        Channel("float_operands", operands, f"{_T}float_operands<core>::width", 2, handover),
        Channel("float_products", products, f"{_T}float_products<core>::width", 2, handover),
        Channel(
            "float_sums", sums, "32 * core::float_lanes", steps, "all sums of a tile, so the lanes never wait"
        ),
        Channel("float_results", sums, "32 * core::float_lanes", 2, handover),
    )


def _kernels(lanes: int) -> tuple[Kernel, ...]:
    return (
        kernel(
            "float_addends",
            "float_addends<core>",
            "addend_places",
            "addend_reads addend_steps",
            "asks for what the sums of a tile of fp32 begin with",
        ),
        kernel(
            "float_steps",
            "float_steps<core>",
            "float_operands addend_steps addend_words float_sums",
            "float_products",
            "pairs each row of a tile with its columns and sums, element of K by element of K",
        ),
        kernel(
            "float_multiply_add",
            "float_multiply_add<core>",
            "float_products",
            "float_sums float_results",
            f"{lanes} fused multiply-adds of fp32 numbers",
        ),
    )
