"""Training steps in block floating point on a trainer core.

Every product, every rounding and every weight update is the core's. The host moves frames, adds exponents,
computes the loss and its gradient from the exact output, and puts the constant column behind hidden layers'
outputs (see `hwgen.train.network`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import CheckError
from hwgen.train.data import Samples
from hwgen.train.device_layer import Post, Tensor, place_layers
from hwgen.train.network import Network, Parameters, softmax_cross_entropy
from hwgen.train.step import Hyperparameters, StepResult
from hwgen.trainer import (
    Code,
    Command,
    Device,
    Fetch,
    Frame,
    NetworkEngine,
    Store,
    Update,
    estimate,
    pack,
    pack_numbers,
    pack_weights,
    to_words,
    unpack_integers,
    unpack_results,
    unpack_weights,
)

__all__ = ["DeviceStep"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class _Block:
    """A tensor in block floating point: integers * 2^exponent."""

    integers: Array
    exponent: int


class DeviceStep:
    """Forward, backward and update of minibatches on a core.

    Parameters
    ----------
    device : Device
        The core.
    network : Network
        What is trained.
    hyperparameters : Hyperparameters
        Of the optimiser.
    batch : int
        Samples of a minibatch.

    Attributes
    ----------
    cycles : int
        Of the core so far: counted, if its RTL is simulated; else the cycle model's.
    """

    def __init__(
        self, device: Device, network: Network, hyperparameters: Hyperparameters, batch: int
    ) -> None:
        self._device = device
        self._hyperparameters = hyperparameters
        self._layers = place_layers(device.spec, network, batch)
        self._times: dict[tuple[Command, ...], int] = {}
        self.cycles = 0

    def start_epoch(self, epoch: int) -> None:
        """Reset the core, and bring its random generators to where this epoch starts.

        So an epoch depends on nothing that a checkpoint cannot hold. Each epoch starts a few words further.
        """
        self._device.reset()
        spec = self._device.spec
        width = spec.most_width
        fetched = 1 + epoch % spec.scratch_words
        stored = 1 + epoch % spec.c_words
        zeros = pack_numbers(np.zeros((fetched, spec.array.lanes), np.float32))
        self._run(
            [
                Fetch(Fetch.FP32, 0, fetched, width=width),
                Store(0, 1, stored, stored, mode=Store.INTEGERS, width=width, size=1),
            ],
            [zeros],
        )

    def train(
        self, parameters: Parameters, batch: Samples, width: int, rate: float, *, gradients: bool
    ) -> StepResult:
        """Train with one minibatch: change the parameters, and return what there is to know.

        Parameters
        ----------
        parameters : Parameters
            They are changed.
        batch : Samples
            As many samples as were announced.
        width : int
            Word length of all tensors.
        rate : float
            What the learning rate is multiplied by.
        gradients : bool
            Whether the result is to hold the gradients.
        """
        inputs, weights, logits = self._forward(parameters, batch.x, width)
        loss, error = softmax_cross_entropy(logits, batch.classes)
        kept: list[Array] = []
        passed: _Block | Array = error
        for place in reversed(range(len(self._layers))):
            exponent, passed = self._backward(place, passed, width, weights[place])
            scale = exponent + inputs[place]
            if gradients:
                kept.insert(0, self._gradient(place, scale))
            self._update(parameters, place, scale, rate)
        correct = int((logits.argmax(axis=1) == batch.classes).sum())
        return StepResult(loss, correct, tuple(kept))

    def logits(self, parameters: Parameters, x: npt.NDArray[np.float32], width: int) -> Array:
        """Return the network's output, in float64, for as many samples as a minibatch has or fewer."""
        rows = np.zeros((self._layers[0].batch, x.shape[1]), np.float32)
        rows[: len(x)] = x
        return self._forward(parameters, rows, width)[2][: len(x)]

    def _forward(
        self, parameters: Parameters, x: Array, width: int
    ) -> tuple[list[int], list[int], npt.NDArray[np.float64]]:
        """Return the exponents of each layer's input and weights, and the output."""
        tensor: _Block | Array = np.pad(x, ((0, 0), (0, 1)), constant_values=1)
        inputs: list[int] = []
        weights: list[int] = []
        for place, layer in enumerate(self._layers):
            commands, frames = _fetches(layer.x, tensor, width)
            more, their_frames = _fetches(layer.w, parameters.weights[place], width)
            commands += [*more, *layer.output(width)]
            words = layer.result_words(layer.outputs)
            hidden = place + 1 < len(self._layers)
            if hidden:
                post = Post(relu=1, save_mask=1, mask=layer.mask)
                commands += layer.stores(layer.outputs, words, width, post)
            else:
                commands.append(Store(0, layer.batch, words, words))
            measured, sent = self._run(commands, frames + their_frames)
            inputs.append(tensor.exponent if isinstance(tensor, _Block) else measured.pop(0))
            weights.append(measured.pop(0))
            scale = inputs[-1] + weights[-1]
            if hidden:
                output = _elements(sent[0], layer.batch, layer.outputs, width)
                tensor = _with_constant(_Block(output, scale + measured.pop(0)), width)
        results = unpack_results(sent[0]).reshape(layer.batch, -1)[:, : layer.outputs]
        return inputs, weights, np.ldexp(results.astype(np.float64), scale)

    def _backward(
        self, place: int, error: _Block | Array, width: int, weights: int
    ) -> tuple[int, _Block | Array]:
        """Compute a layer's weight gradient; return the exponent of its error, and its input's error."""
        layer = self._layers[place]
        commands, frames = _fetches(layer.e, error, width)
        if place:
            commands += layer.input_error(width)
            post = Post(apply_mask=1, mask=self._layers[place - 1].mask)
            commands += layer.stores(layer.inputs, layer.gradient_words, width, post)
        commands += layer.weight_gradient(width)
        measured, sent = self._run(commands, frames)
        exponent = error.exponent if isinstance(error, _Block) else measured.pop(0)
        if not place:
            return exponent, error
        elements = _elements(sent[0], layer.batch, layer.inputs, width)
        return exponent, _Block(elements, exponent + weights + measured.pop(0))

    def _gradient(self, place: int, scale: int) -> npt.NDArray[np.float64]:
        """Return the weight gradient that lies in result memory."""
        layer = self._layers[place]
        words = layer.gradient_words
        _, sent = self._run([Store(0, layer.outputs, words, words)], [])
        results = unpack_results(sent[0]).reshape(layer.outputs, -1)
        return np.ldexp(results.astype(np.float64), scale)

    def _update(self, parameters: Parameters, place: int, scale: int, rate: float) -> None:
        """Update a layer's weights by the gradient that lies in result memory."""
        layer = self._layers[place]
        words = layer.gradient_words
        lr, momentum, decay = (
            int(number.view(np.uint32)) for number in self._hyperparameters.as_float32(rate)
        )
        weights, momenta = parameters.weights[place], parameters.momenta[place]
        command = Update(0, layer.outputs, words, words, scale, lr, momentum, decay)
        _, sent = self._run([command], [pack_weights(weights, momenta)])
        next_weights, next_momenta = unpack_weights(sent[0])
        parameters.weights[place] = next_weights.reshape(weights.shape)
        parameters.momenta[place] = next_momenta.reshape(momenta.shape)

    def _run(self, commands: list[Command], frames: list[Frame]) -> tuple[list[int], list[Frame]]:
        """Run commands; return the exponents that were measured and the frames that were sent, in order."""
        self._device.queue(commands, frames)
        engine = self._device.engine
        clocked = engine if isinstance(engine, NetworkEngine) and engine.clocked else None
        before = clocked.cycles if clocked else 0
        statuses, sent = self._device.run()
        for command, status in zip(commands, statuses, strict=True):
            if status.code != Code.OK:
                raise CheckError(
                    f"a core stopped training: {type(command).__name__.lower()} number {status.number}: "
                    f"{Code(status.code).meaning}"
                )
        self.cycles += clocked.cycles - before if clocked else self._estimated(commands)
        measured = [
            status.exponent for command, status in zip(commands, statuses, strict=True) if _measures(command)
        ]
        return measured, sent

    def _estimated(self, commands: list[Command]) -> int:
        """Return the cycle model's cycles; no exponent or coefficient of an update changes them."""
        key = tuple(
            replace(command, exponent=0, lr=0, momentum=0, decay=0)
            if isinstance(command, Update)
            else command
            for command in commands
        )
        if key not in self._times:
            self._times[key] = estimate(self._device.spec, commands).cycles
        return self._times[key]


def _fetches(place: Tensor, tensor: _Block | Array, width: int) -> tuple[list[Command], list[Frame]]:
    """Return the commands and frames that bring a tensor to its place: integers, or fp32 to be quantised."""
    if isinstance(tensor, _Block):
        container = int(width > 8)
        return [Fetch(container, place.base, place.words)], [pack(to_words(tensor.integers), container)]
    frame = pack_numbers(tensor)
    return [*place.quantising_fetches(width)], [frame, frame]


def _measures(command: Command) -> bool:
    return (isinstance(command, Fetch) and bool(command.measure)) or (
        isinstance(command, Store) and command.mode == Store.MEASURE
    )


def _elements(frame: Frame, rows: int, columns: int, width: int) -> Array:
    """Return the elements of a requantised result, without what fills its last words up."""
    size = int(width > 8)
    count = len(frame.beats) * (16 >> size) // rows * rows
    return unpack_integers(frame, size, count).reshape(rows, -1)[:, :columns]


def _with_constant(block: _Block, width: int) -> _Block:
    """Return an input with its constant behind: the power of two nearest to 1 that is an element."""
    power = min(max(-block.exponent, 0), width - 2)
    return _Block(np.pad(block.integers, ((0, 0), (0, 1)), constant_values=1 << power), block.exponent)
