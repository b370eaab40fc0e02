"""A trainer core as its host sees it: commands and frames, and products of whole tensors made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hwgen.errors import CheckError, InputError, legal_values
from hwgen.trainer.commands import Command, Fetch
from hwgen.trainer.engines import Engine, GoldenEngine, NetworkEngine
from hwgen.trainer.floats import as_float32
from hwgen.trainer.layout import (
    FP32_BITS,
    WORD,
    Array,
    Frame,
    number_words,
    pack,
    pack_numbers,
    to_words,
    unpack_results,
)
from hwgen.trainer.operands import Operand
from hwgen.trainer.products import Convolution, matrix
from hwgen.trainer.schedule import Schedule, best_schedule
from hwgen.trainer.spec import TrainerSpec, load_spec
from hwgen.trainer.status import Code, Status

__all__ = ["Device"]


class Device:
    """One trainer core.

    Parameters
    ----------
    spec : path, mapping or TrainerSpec
        What core.
    engine : str or Engine
        ``golden``; ``csim``, the C++ compiled for this machine; ``rtl``, its RTL in Verilator; or an engine
        of your own.

    Attributes
    ----------
    spec : TrainerSpec
        The core.
    cycles : int
        What the cycle model says that all products so far take.
    """

    def __init__(
        self, spec: str | Path | Mapping[str, Any] | TrainerSpec, engine: str | Engine = "golden"
    ) -> None:
        self.spec = load_spec(spec)
        if isinstance(engine, str):
            engine = _engine(self.spec, engine)
        self.engine = engine
        self.cycles = 0
        self._commands: list[Command] = []
        self._frames: list[Frame] = []

    def queue(self, commands: Command | Iterable[Command], frames: Frame | Iterable[Frame] = ()) -> None:
        """Add commands, and frames for the data stream, to what `run` runs."""
        self._commands += commands if isinstance(commands, Iterable) else [commands]
        self._frames += [frames] if isinstance(frames, Frame) else frames

    def run(self) -> tuple[list[Status], list[Frame]]:
        """Run what was queued; return the statuses by command number, and the frames that the core sent."""
        commands, frames = self._commands, self._frames
        self._commands, self._frames = [], []
        return self.engine.run(commands, frames)

    def reset(self) -> None:
        """Reset the core, and forget what was queued."""
        self.engine.reset()
        self._commands, self._frames = [], []

    def gemm(
        self,
        a: ArrayLike,
        b: ArrayLike,
        width_a: int,
        width_b: int,
        transpose_a: bool = False,
        transpose_b: bool = False,
    ) -> Array:
        """Return the exact product of two integer matrices, saturated to the accumulator.

        Neither matrix is reordered: the fills transpose. Here and in the convolutions, word lengths of 32
        stand for fp32: factors are float32, and each result is the sum of its products by fused multiply-adds
        in the order of the elements, from 0 on.

        Parameters
        ----------
        a : array_like of int, shape (M, K), or (K, M) with `transpose_a`
            Left factor.
        b : array_like of int, shape (K, N), or (N, K) with `transpose_b`
            Right factor.
        width_a, width_b : int
            Word lengths.

        Returns
        -------
        ndarray of int64, or of float32, shape (M, N)

        Raises
        ------
        InputError
            If shapes do not match, an element does not fit its word length, or the core has no fp32.
        CheckError
            If an accumulator has overflowed.
        """
        left, right = self._tensor(a, width_a, 2), self._tensor(b, width_b, 2)
        inner = left.shape[0 if transpose_a else 1], right.shape[1 if transpose_b else 0]
        if inner[0] != inner[1]:
            raise InputError(
                f"shapes {left.shape} and {right.shape} do not match: {inner[0]} is not {inner[1]}"
            )
        rows, cols = left.shape[1 if transpose_a else 0], right.shape[0 if transpose_b else 1]
        # The core's right operand has the product's columns as its rows.
        operands = (
            matrix(left.shape[0], left.shape[1], transpose_a, width_a),
            matrix(right.shape[0], right.shape[1], not transpose_b, width_b),
        )
        return self._product(operands, (left, right))[:rows, :cols]

    def conv2d(
        self, x: ArrayLike, w: ArrayLike, width_x: int, width_w: int, step: int = 1, padding: int = 0
    ) -> Array:
        """Return the convolution of images with a kernel.

        Parameters
        ----------
        x : array_like of int, shape (images, height, width, channels)
            Input.
        w : array_like of int, shape (filters, kernel height, kernel width, channels)
            Kernel.
        width_x, width_w : int
            Word lengths.
        step, padding : int
            Of the kernel, in both directions.

        Returns
        -------
        ndarray of int64, shape (images, out height, out width, filters)
        """
        images, kernel = self._tensor(x, width_x, 4), self._tensor(w, width_w, 4)
        shape = _convolution(images.shape, kernel.shape, step, padding)
        result = self._product(shape.forward(width_x, width_w), (images, kernel))
        return result.reshape(shape.images, shape.out_height, shape.out_width, shape.filters)

    def conv2d_input_gradient(
        self,
        e: ArrayLike,
        w: ArrayLike,
        width_e: int,
        width_w: int,
        size: tuple[int, int],
        step: int = 1,
        padding: int = 0,
    ) -> Array:
        """Return the gradient of a convolution's input.

        Parameters
        ----------
        e : array_like of int, shape (images, out height, out width, filters)
            Gradient of the output.
        w : array_like of int, shape (filters, kernel height, kernel width, channels)
            Kernel.
        width_e, width_w : int
            Word lengths.
        size : tuple of int
            Height and width of the input.
        step, padding : int
            Of the convolution.

        Returns
        -------
        ndarray of int64, shape (images, height, width, channels)
        """
        errors, kernel = self._tensor(e, width_e, 4), self._tensor(w, width_w, 4)
        shape = _convolution((len(errors), *size, kernel.shape[3]), kernel.shape, step, padding)
        _check_errors(errors, shape)
        dtype = np.float32 if width_e == FP32_BITS else np.int64
        gradient = np.zeros((shape.images, *size, shape.channels), dtype)
        for phase in shape.input_gradient(width_e, width_w):
            if phase.errors is None or phase.kernel is None:
                continue
            reached = kernel[:, phase.kernel_y, phase.kernel_x]
            part = self._product((phase.errors, phase.kernel), (errors, reached))
            target = gradient[:, phase.y, phase.x]
            target[...] = part[:, : shape.channels].reshape(target.shape)
        return gradient

    def conv2d_kernel_gradient(
        self,
        e: ArrayLike,
        x: ArrayLike,
        width_e: int,
        width_x: int,
        size: tuple[int, int],
        step: int = 1,
        padding: int = 0,
    ) -> Array:
        """Return the gradient of a convolution's kernel.

        Parameters
        ----------
        e : array_like of int, shape (images, out height, out width, filters)
            Gradient of the output.
        x : array_like of int, shape (images, height, width, channels)
            Input.
        width_e, width_x : int
            Word lengths.
        size : tuple of int
            Height and width of the kernel.
        step, padding : int
            Of the convolution.

        Returns
        -------
        ndarray of int64, shape (filters, kernel height, kernel width, channels)
        """
        errors, images = self._tensor(e, width_e, 4), self._tensor(x, width_x, 4)
        filters, channels = errors.shape[3], images.shape[3]
        shape = _convolution(images.shape, (filters, *size, channels), step, padding)
        _check_errors(errors, shape)
        result = self._product(shape.kernel_gradient(width_e, width_x), (errors, images))
        return result[:filters].reshape(filters, *size, -1)[..., :channels]

    def _tensor(self, data: ArrayLike, width: int, axes: int) -> Array:
        tensor = np.asarray(data)
        if width == FP32_BITS:
            return self._numbers(tensor, axes)
        if tensor.dtype.kind not in "iu" or tensor.ndim != axes or not tensor.size:
            raise InputError(
                f"a tensor of {tensor.dtype} of shape {tensor.shape} is not legal: "
                f"legal: integers, with {axes} axes, none empty"
            )
        if not self.spec.least_width <= width <= self.spec.most_width:
            raise InputError(
                f"width {width} is out of range: legal: {self.spec.least_width}..{self.spec.most_width}"
            )
        limit = 1 << width - 1
        low, high = int(tensor.min()), int(tensor.max())
        if low < -limit or high >= limit:
            worst = low if low < -limit else high
            raise InputError(f"element {worst} does not fit {width} bits: legal: {-limit}..{limit - 1}")
        return tensor

    def _numbers(self, tensor: Array, axes: int) -> Array:
        if not self.spec.float_lanes:
            raise InputError(
                f"width {FP32_BITS} is fp32, but this core has no float lanes: "
                f"legal: {self.spec.least_width}..{self.spec.most_width}"
            )
        if tensor.dtype != np.float32 or tensor.ndim != axes or not tensor.size:
            raise InputError(
                f"a tensor of {tensor.dtype} of shape {tensor.shape} is not legal: "
                f"legal: float32, with {axes} axes, none empty"
            )
        return tensor

    def _product(self, operands: tuple[Operand, Operand], tensors: tuple[Array, Array]) -> Array:
        if operands[0].floats != operands[1].floats:
            raise InputError(
                f"word lengths {operands[0].width} and {operands[1].width} do not go together: "
                f"legal: {FP32_BITS}, which is fp32, for both or for neither"
            )
        schedule = best_schedule(self.spec, *operands)
        self.queue(schedule.commands, _frames(schedule, operands, tensors))
        statuses, sent = self.run()
        self.cycles += schedule.times.cycles
        failed = [status for status in statuses if status.code != Code.OK]
        if failed:
            bad = failed[0]
            raise CheckError(
                f"{len(failed)} of {len(statuses)} commands failed; the first is number {bad.number}: "
                f"{Code(bad.code).meaning}"
            )
        result = _assembled(schedule, sent)
        return as_float32(result) if operands[0].floats else result


def _convolution(image: Sequence[int], kernel: Sequence[int], step: int, padding: int) -> Convolution:
    if image[3] != kernel[3]:
        raise InputError(f"{image[3]} channels of the input are not the {kernel[3]} of the kernel")
    images, height, width, channels = image
    filters, kernel_height, kernel_width = kernel[:3]
    return Convolution(
        images, height, width, channels, filters, kernel_height, kernel_width, step=step, padding=padding
    )


def _check_errors(errors: Array, shape: Convolution) -> None:
    wanted = (shape.images, shape.out_height, shape.out_width, shape.filters)
    if errors.shape != wanted:
        raise InputError(f"errors of shape {errors.shape} are not those of the output, {wanted}")


def _frames(
    schedule: Schedule, operands: tuple[Operand, Operand], tensors: tuple[Array, Array]
) -> list[Frame]:
    """Return the frames of a schedule: parts of the tensors as they lie."""
    words = [
        (number_words if operand.floats else to_words)(tensor).reshape(*operand.view.shape, -1, WORD)
        for operand, tensor in zip(operands, tensors, strict=True)
    ]
    parts = [(words[source.side][source.part], source.container) for source in schedule.frames]
    return [
        pack_numbers(part) if container == Fetch.PATTERNS else pack(part, container)
        for part, container in parts
    ]


def _assembled(schedule: Schedule, frames: Sequence[Frame]) -> Array:
    """Return the product from the frames of its stores."""
    result = np.zeros(schedule.size, np.int64)
    for frame, place in zip(frames, schedule.results, strict=True):
        block = unpack_results(frame).reshape(place.block)
        result[np.ix_(place.to_rows, place.to_cols)] = block[np.ix_(place.rows, place.cols)]
    return result


def _engine(spec: TrainerSpec, name: str) -> Engine:
    legal = ("golden", "csim", "rtl")
    if name not in legal:
        raise InputError(legal_values("engine", name, legal))
    if name == "golden":
        return GoldenEngine(spec)
    from hwgen.trainer import builds  # the flow's tools are needed here only

    if name == "csim":
        return NetworkEngine(spec, builds.compiled_core(spec), clocked=False)
    return NetworkEngine(spec, builds.simulated_core(spec))
