"""The kernels of a trainer core and the channels between them: one description for the C++ top and the RTL.

Widths follow from the messages of ``templates/include/hwgen/trainer``; the compiler to RTL refuses a channel
whose width is not that of the kernels at its ends. Every depth has its reason here.
"""

from __future__ import annotations

from hwgen.trainer.float_network import with_floats
from hwgen.trainer.netlist import Channel, Kernel, Network, Stream, kernel
from hwgen.trainer.sizes import CoreSizes

__all__ = ["network_of"]

_TICKET = 16 + 8 + 4
_PAYLOAD = 24 + 16
_WAITS = 24
_DONE = _TICKET + 4 + 32 + _PAYLOAD + _WAITS
_COMMAND, _STATUS, _BEAT = 256, 128, 128
_ORDER = _COMMAND + _TICKET
_CHECKED = _COMMAND + 4 + 8
_MARKS = 5


def network_of(sizes: CoreSizes) -> Network:
    """Return the network of a core of these sizes."""
    streams = (
        Stream(name="cmd", width=_COMMAND, direction="input", last=False, holds="commands, one a beat"),
        Stream(name="din", width=_BEAT, direction="input", last=True, holds="frames of elements"),
        Stream(name="dout", width=_BEAT, direction="output", last=True, holds="frames of results"),
        Stream(
            name="status", width=_STATUS, direction="output", last=False, holds="a status for each command"
        ),
    )
    network = Network(streams=streams, channels=_channels(sizes), kernels=_kernels(sizes))
    return with_floats(network, sizes) if sizes.float_lanes else network


def _channels(s: CoreSizes) -> tuple[Channel, ...]:
    t = "hwgen::trainer::"
    scratch, plane, result = s.scratch_address, s.plane_address, s.result_address
    line = s.digit * s.lanes
    element_word = s.element_bits * s.lanes

    def written(address: int, data: int) -> int:
        return 2 + address + data + _DONE

    outgoing = 5 + 64 * s.cols + s.exponent_bits + 4 + _TICKET + _PAYLOAD
    queue = "as many commands as a stage may have, so the sequencer never waits"
    trip = "covers the way through the memory, so a word comes in every clock"
    handover = "one word waiting, one arriving"
    return (
        Channel("checked_commands", _CHECKED, f"{t}checked::width", 2, handover),
        *(
            Channel(f"{n}_orders", _ORDER, f"{t}order::width", 4, queue)
            for n in ("fetch", "fill", "product", "store")
        ),
        *(
            Channel(f"{n}_ends", _DONE, f"{t}done::width", 4, "one for each command that the stage may have")
            for n in ("fetch", "load", "fill_a", "fill_b", "product", "store")
        ),
        Channel(
            "scratch_writes", written(scratch, element_word), f"{t}scratch_write<core>::width", 2, handover
        ),
        Channel("scratch_reads", 1 + scratch, f"{t}scratch_read<core>::width", 2, handover),
        Channel("scratch_words", element_word, "core::element_bits * core::lanes", 4, trip),
        Channel("fill_steps", s.fill_step_bits + _TICKET + 32, f"{t}fill_step<core>::width", 8, trip),
        Channel(
            "a_writes",
            written(s.bank_bits_a + plane, line),
            f"{t}plane_write<core, core::rows>::request::width",
            2,
            handover,
        ),
        Channel(
            "b_writes",
            written(s.bank_bits_b + plane, line),
            f"{t}plane_write<core, core::cols>::request::width",
            2,
            handover,
        ),
        Channel("a_reads", plane + _MARKS, f"core::plane_address + {t}marks::width", 2, handover),
        Channel("b_reads", plane, "core::plane_address", 2, handover),
        Channel(
            "a_words",
            line * s.rows + _MARKS,
            f"core::digit * core::lanes * core::rows + {t}marks::width",
            4,
            trip,
        ),
        Channel("b_words", line * s.cols, "core::digit * core::lanes * core::cols", 4, trip),
        Channel("digit_sums", s.digit_sum_bits * s.units + 3, f"{t}counted<core>::width", 2, handover),
        Channel(
            "tiles",
            s.sum_bits * s.units,
            "core::sum_bits * core::rows * core::cols",
            2,
            "one leaves row by row while the next is made",
        ),
        Channel(
            "tile_places",
            2 * result + 2 + _TICKET + 32,
            f"{t}tile_place<core>::width",
            16,
            "places of tiles of few clocks, while their sums are on their way",
        ),
        Channel(
            "tile_rows", s.sum_bits * s.cols + result + 2 + _TICKET + 32, f"{t}tile_row<core>::width", 8, trip
        ),
        Channel("drain_reads", result, "core::result_address", 2, handover),
        Channel(
            "drain_words",
            s.result_bits * s.cols,
            "core::result_bits * core::cols",
            16,
            "more than tile_rows and the kernels at its ends hold, so result memory never waits",
        ),
        Channel(
            "result_writes",
            written(result, s.result_bits * s.cols),
            f"{t}result_write<core>::width",
            2,
            handover,
        ),
        Channel(
            "load_writes",
            written(result, s.result_bits * s.cols),
            f"{t}result_write<core>::width",
            2,
            handover,
        ),
        Channel("store_reads", result, "core::result_address", 2, handover),
        Channel(
            "store_words",
            s.result_bits * s.cols,
            "core::result_bits * core::cols",
            16,
            "more than store_steps and the kernels at its ends hold, so result memory never waits",
        ),
        Channel("store_steps", s.store_step_bits + _TICKET, f"{t}store_step<core>::width", 8, trip),
        Channel("lines", outgoing, f"{t}line<core>::width", 2, handover),
        Channel("update_rules", 3 * 32, f"{t}update_rule::width", 4, "as many as there are store commands"),
        Channel("masters", 2 * _BEAT + 4, f"{t}master_pair::width", 2, handover),
        Channel("packed_lines", outgoing, f"{t}line<core>::width", 2, handover),
    )


def _kernels(s: CoreSizes) -> tuple[Kernel, ...]:
    return (
        kernel("decode", "decode<core, commands>", "cmd", "checked_commands", "checks commands"),
        kernel(
            "sequence",
            "sequence<core, commands>",
            "checked_commands fetch_ends load_ends fill_a_ends fill_b_ends product_ends store_ends",
            "fetch_orders fill_orders product_orders store_orders status",
            "hands commands to the stages, answers them, counts",
        ),
        kernel(
            "fetch",
            "fetch<core, commands>",
            "fetch_orders din",
            "scratch_writes load_writes masters",
            "frames into memory, rounded on the way",
        ),
        kernel(
            "scratch",
            "scratch_memory<core>",
            "scratch_writes scratch_reads",
            "scratch_words fetch_ends",
            "scratch memory",
        ),
        kernel(
            "fill_read",
            "fill_read<core, commands>",
            "fill_orders",
            "scratch_reads fill_steps",
            "addresses of rows, patches and transposes",
        ),
        kernel(
            "fill_write",
            "fill_write<core>",
            "fill_steps scratch_words",
            "a_writes b_writes",
            "elements into digit planes",
        ),
        kernel(
            "memory_a",
            "plane_memory<core, core::rows, core::words_a, hwgen::trainer::marks::width, false>",
            "a_writes a_reads",
            "a_words fill_a_ends",
            "digit planes of A",
        ),
        kernel(
            "memory_b",
            "plane_memory<core, core::cols, core::words_b, 0, hwgen::trainer::counts_products<core>()>",
            "b_writes b_reads",
            "b_words fill_b_ends",
            "digit planes of B",
        ),
        kernel(
            "multiply",
            "multiply<core, commands>",
            "product_orders",
            "a_reads b_reads tile_places",
            "the loops of a product",
        ),
        kernel(
            "count_products",
            "count_products<core>",
            "a_words b_words",
            "digit_sums",
            "products of digits, summed over lanes",
        ),
        kernel("accumulate", "accumulate<core>", "digit_sums", "tiles", "one sum for each dot unit"),
        kernel("drain", "drain<core>", "tiles tile_places", "drain_reads tile_rows", "tiles row by row"),
        kernel(
            "add_row",
            "add_row<core>",
            "tile_rows drain_words",
            "result_writes",
            "adds a row to results and saturates",
        ),
        kernel(
            "results",
            "result_memory<core>",
            "result_writes load_writes drain_reads store_reads",
            "drain_words store_words product_ends load_ends",
            "result memory",
        ),
        kernel(
            "store",
            "store<core, commands>",
            "store_orders",
            "store_reads store_steps update_rules",
            "the loops of a store",
        ),
        kernel("post", "post<core>", "store_steps store_words", "lines", "bias, mask, relu, rounding"),
        kernel(
            "update", "update<core>", "lines update_rules masters", "packed_lines", "new weights and momenta"
        ),
        kernel("pack", "pack<core>", "packed_lines", "dout store_ends", "beats of results"),
    )
