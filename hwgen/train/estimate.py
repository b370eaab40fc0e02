"""What a training step takes on a core, layer by layer and pass by pass, before there is one.

The commands are those that `DeviceStep` sends, and the cycles the cycle model's, so that their sum is what
the golden engine counts. A pass of a run that overlaps with the next one gets the cycles until its own
commands have ended.

Energy is that of operations in 45 nm (M. Horowitz, "Computing's energy problem", ISSCC 2014, as fits of its
integer rows): an addition of b bits 0.003125 b pJ, a multiplication 0.002995 b^2 + 0.00104 b pJ, in fp32
0.9 and 3.7 pJ, and a bit that crosses a data stream, as to DRAM, 20.3 pJ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from hwgen.train.layers import ConvolutionLayer, Layer
from hwgen.train.network import Network
from hwgen.train.placement import PlacedNetwork
from hwgen.trainer import Command, Fetch, Fill, Gemm, Load, Store, TrainerSpec, Update, run_cycles
from hwgen.trainer.cycles import Timeline
from hwgen.trainer.layout import BEAT_BYTES
from hwgen.trainer.run_cycles import pass_cycles, stages_of

__all__ = ["PassEstimate", "StepEstimate", "estimate_step"]

_FP32_ADD, _FP32_MULTIPLY = 0.9, 3.7
_STREAM_BIT = 20.3
_BOUNDS: dict[type[Command], str] = {Gemm: "compute", Fill: "fill", Fetch: "stream", Store: "stream"}


@dataclass(frozen=True)
class PassEstimate:
    """One pass of a layer: its output, its input's gradient, its weights' gradient, or their update.

    Attributes
    ----------
    layer : str
        Place and shape of the layer.
    name : str
        Of the pass.
    cycles : int
        Until its commands have ended, after those before.
    multiply : int
        Cycles in which the array multiplies.
    macs : int
        Multiply-accumulates that the network asks for.
    executed : int
        Those that the array does, with what fills up words and tiles.
    bound : str
        Which part of the core has most to do: ``compute``, ``fill`` (cutting and turning operands), or
        ``stream``.
    roof : int
        The cycles of that part: no order of the commands takes fewer.
    bytes_in, bytes_out : int
        On the data streams.
    compute_pj, stream_pj : float
        Energy of operations, and of bits on the data streams.
    """

    layer: str
    name: str
    cycles: int
    multiply: int
    macs: int
    executed: int
    bound: str
    roof: int
    bytes_in: int
    bytes_out: int
    compute_pj: float
    stream_pj: float

    @property
    def utilisation(self) -> float:
        """Part of the cycles in which the array multiplies."""
        return self.multiply / self.cycles if self.cycles else 0.0

    @property
    def useful(self) -> float:
        """Part of the executed multiply-accumulates that the network asks for."""
        return self.macs / self.executed if self.executed else 0.0


@dataclass(frozen=True)
class StepEstimate:
    """A training step at one word length.

    Attributes
    ----------
    width : int
        Word length.
    passes : tuple of PassEstimate
        In their order in time.
    memories : dict
        Words of each memory that are used, and how many there are.
    """

    width: int
    passes: tuple[PassEstimate, ...]
    memories: dict[str, tuple[int, int]]

    @property
    def total(self) -> PassEstimate:
        """The sums over all passes; its bound is that of most cycles."""
        by_bound: dict[str, int] = {}
        for part in self.passes:
            by_bound[part.bound] = by_bound.get(part.bound, 0) + part.cycles
        sums: dict[str, Any] = {
            key: sum(getattr(part, key) for part in self.passes)
            for key in (
                *("cycles", "multiply", "macs", "executed", "roof", "bytes_in", "bytes_out"),
                *("compute_pj", "stream_pj"),
            )
        }
        return PassEstimate("step", "", bound=max(by_bound, key=lambda bound: by_bound[bound]), **sums)

    @staticmethod
    def heading() -> tuple[str, ...]:
        """Return what the columns of `rows` are."""
        return (
            *("layer", "pass", "cycles", "array busy", "useful", "bound by", "of its roof"),
            *("bytes in", "bytes out", "uJ operations", "uJ streams"),
        )

    def rows(self) -> list[tuple[str, ...]]:
        """Return each pass and the whole step in words."""
        return [
            (
                *(part.layer, part.name, str(part.cycles), f"{part.utilisation:.1%}"),
                f"{part.useful:.1%}" if part.executed else "",
                *(part.bound, f"{part.roof / part.cycles:.1%}", str(part.bytes_in), str(part.bytes_out)),
                *(f"{part.compute_pj / 1e6:.3f}", f"{part.stream_pj / 1e6:.3f}"),
            )
            for part in (*self.passes, self.total)
        ]

    def memory_line(self) -> str:
        """Return how full memories are, in words."""
        return ", ".join(
            f"{memory} {used} of {have} words ({used / have:.0%})"
            for memory, (used, have) in self.memories.items()
            if used
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        rows = [
            {**asdict(part), "utilisation": part.utilisation, "useful": part.useful}
            for part in (*self.passes, self.total)
        ]
        return {"width": self.width, "passes": rows[:-1], "total": rows[-1], "memories": self.memories}


def estimate_step(spec: TrainerSpec, network: Network, batch: int, width: int) -> StepEstimate:
    """Return what a training step takes.

    Parameters
    ----------
    spec : TrainerSpec
        The core.
    network : Network
        What is trained.
    batch : int
        Samples of a minibatch.
    width : int
        Word length of all tensors, in bits.

    Raises
    ------
    InputError
        If the network does not fit the core.
    """
    placed = PlacedNetwork.of(spec, network, batch)
    passes: list[PassEstimate] = []
    for place, layer in enumerate(network.layers):
        passes += _run(spec, place, layer, batch, width, [("forward", placed.forward(place, width))])
    for place, layer in reversed(list(enumerate(network.layers))):
        error = placed.error(place, width)
        back = placed.input_error(place, width)
        gradient = placed.weight_gradient(place, width)
        if place:
            run = [("input gradient", error + back), ("weight gradient", gradient)]
        else:
            run = [("weight gradient", error + gradient)]
        passes += _run(spec, place, layer, batch, width, run)
        update: list[Command] = [placed.update(place, 0, 0, 0, 0)]
        passes += _run(spec, place, layer, batch, width, [("update", update)])
    return StepEstimate(width, tuple(passes), placed.memory_use(width))


def _run(
    spec: TrainerSpec,
    place: int,
    layer: Layer,
    batch: int,
    width: int,
    parts: Iterable[tuple[str, list[Command]]],
) -> list[PassEstimate]:
    """Return the passes of commands that the host sends at once."""
    timeline, before, passes = Timeline(spec), 0, []
    for name, commands in parts:
        for command in commands:
            timeline.issue(command, timeline.holds(command))
        now = timeline.times().cycles
        macs = 0 if name == "update" else layer.macs * batch
        passes.append(_estimated(spec, f"{place} {_shape(layer)}", name, now - before, macs, width, commands))
        before = now
    return passes


def _estimated(
    spec: TrainerSpec, layer: str, name: str, cycles: int, macs: int, width: int, commands: list[Command]
) -> PassEstimate:
    occupied = dict.fromkeys(_BOUNDS, 0)
    multiply = executed = updated = beats_in = beats_out = 0
    for command in commands:
        for stage in stages_of(command):
            occupied[stage] += pass_cycles(spec, command)
        run = run_cycles(spec, command)
        match command:
            case Gemm():
                multiply += run
                lanes = spec.array.rows * spec.array.cols * spec.array.lanes
                executed += command.tiles_m * command.tiles_n * command.kgs * lanes
            case Update():
                updated += command.rows * command.words * spec.array.cols
                beats_in += run
                beats_out += run
            case Fetch() | Load():
                beats_in += run
            case Store() if command.mode != Store.MEASURE:
                beats_out += run
    most = max(occupied, key=lambda stage: occupied[stage])
    integer = 0.002995 * width**2 + 0.00104 * width + 0.003125 * spec.result_bits
    return PassEstimate(
        layer,
        name,
        cycles,
        multiply,
        macs,
        executed,
        _BOUNDS[most],
        occupied[most],
        beats_in * BEAT_BYTES,
        beats_out * BEAT_BYTES,
        # An update is three multiplications and three additions in fp32.
        executed * integer + updated * 3 * (_FP32_MULTIPLY + _FP32_ADD),
        (beats_in + beats_out) * BEAT_BYTES * 8 * _STREAM_BIT,
    )


def _shape(layer: Layer) -> str:
    if isinstance(layer, ConvolutionLayer):
        kernel = layer.conv.kernel
        stride = f"/{layer.conv.stride}" if layer.conv.stride > 1 else ""
        return f"conv2d {layer.channels}-{layer.outputs} {kernel}x{kernel}{stride}"
    return f"linear {layer.inputs}-{layer.outputs}"
