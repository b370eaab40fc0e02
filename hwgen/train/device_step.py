"""Training steps in block floating point on a trainer core.

Every product, every rounding and every weight update is the core's. The host moves frames, adds exponents,
computes the loss and its gradient from the exact output, and puts the constant behind hidden layers' outputs
(see `hwgen.train.layers`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import CheckError
from hwgen.train.data import Samples
from hwgen.train.device_layer import Results
from hwgen.train.network import Network, Parameters, softmax_cross_entropy
from hwgen.train.placement import PlacedNetwork
from hwgen.train.step import Gradient, Hyperparameters, StepResult, Sums
from hwgen.trainer import (
    Code,
    Command,
    Device,
    Fetch,
    Frame,
    NetworkEngine,
    Norm,
    Store,
    Update,
    estimate,
    pack,
    pack_numbers,
    pack_sums,
    pack_weights,
    unpack_integers,
    unpack_results,
    unpack_sums,
    unpack_weights,
)
from hwgen.trainer.layout import container_of

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
        self._placed = PlacedNetwork.of(device.spec, network, batch)
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
        self, parameters: Parameters, batch: Samples, width: int, rate: float, sums: Sums = None
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
        sums : sequence of ndarray, optional
            What the gradients are to be added to, if the result is to tell of them.
        """
        inputs, weights, logits = self._forward(parameters, batch.x, width)
        loss, error = softmax_cross_entropy(logits, batch.classes)
        told: list[Gradient] = []
        passed: _Block | Array = error
        for place in reversed(range(len(self._placed.layers))):
            exponent, passed = self._backward(place, passed, width, weights[place])
            scale = exponent + inputs[place]
            if sums is not None:
                told.insert(0, self._gradient(place, scale, sums[place]))
            self._update(parameters, place, scale, rate)
        correct = int((logits.argmax(axis=1) == batch.classes).sum())
        return StepResult(loss, correct, tuple(told))

    def logits(self, parameters: Parameters, x: npt.NDArray[np.float32], width: int) -> Array:
        """Return the network's output, in float64, for as many samples as a minibatch has or fewer."""
        rows = np.zeros((self._placed.batch, x.shape[1]), np.float32)
        rows[: len(x)] = x
        return self._forward(parameters, rows, width)[2][: len(x)]

    def _forward(
        self, parameters: Parameters, x: Array, width: int
    ) -> tuple[list[int], list[int], npt.NDArray[np.float64]]:
        """Return the exponents of each layer's input and weights, and the output."""
        tensor: _Block | Array = x
        inputs: list[int] = []
        weights: list[int] = []
        for place, layer in enumerate(self._placed.layers):
            integers, constant = _parts(tensor, width)
            frames = _frames(layer.input_words(integers, constant), width)
            frames += _frames(parameters.weights[place], width)
            measured, sent = self._run(self._placed.forward(place, width), frames)
            inputs.append(tensor.exponent if isinstance(tensor, _Block) else measured.pop(0))
            weights.append(measured.pop(0))
            scale = inputs[-1] + weights[-1]
            if measured:
                output = layer.output_of(_elements(sent[0], layer.output_results, width))
                tensor = _Block(output, scale + measured.pop(0))
        outputs = layer.output_of(unpack_results(sent[0]).reshape(layer.output_results.rows, -1))
        return inputs, weights, np.ldexp(outputs.astype(np.float64), scale)

    def _backward(
        self, place: int, error: _Block | Array, width: int, weights: int
    ) -> tuple[int, _Block | Array]:
        """Compute a layer's weight gradient; return the exponent of its error, and its input's error."""
        placed, layer = self._placed, self._placed.layers[place]
        commands = placed.error(place, width) + placed.input_error(place, width)
        commands += placed.weight_gradient(place, width)
        integers, _ = _parts(error, width)
        measured, sent = self._run(commands, _frames(layer.error_words(integers), width))
        exponent = error.exponent if isinstance(error, _Block) else measured.pop(0)
        if not place:
            return exponent, error
        passed = layer.input_error_of(_elements(sent[0], layer.error_results, width))
        return exponent, _Block(passed, exponent + weights + measured.pop(0))

    def _gradient(self, place: int, scale: int, sums: Array) -> Gradient:
        """Return what the core finds of the weight gradient that lies in result memory."""
        commands = self._placed.norms(place, scale)
        (norm, norm_of_sums), sent = self._run(commands, [pack_sums(sums.astype(np.float32))])
        norms = np.array([norm, norm_of_sums], np.uint32).view(np.float32)
        return Gradient(float(norms[0]), unpack_sums(sent[0]).reshape(sums.shape), float(norms[1]))

    def _update(self, parameters: Parameters, place: int, scale: int, rate: float) -> None:
        """Update a layer's weights by the gradient that lies in result memory."""
        lr, momentum, decay = (
            int(number.view(np.uint32)) for number in self._hyperparameters.as_float32(rate)
        )
        weights, momenta = parameters.weights[place], parameters.momenta[place]
        command = self._placed.update(place, scale, lr, momentum, decay)
        _, sent = self._run([command], [pack_weights(weights, momenta)])
        next_weights, next_momenta = unpack_weights(sent[0])
        parameters.weights[place] = next_weights.reshape(weights.shape)
        parameters.momenta[place] = next_momenta.reshape(momenta.shape)

    def _run(self, commands: list[Command], frames: list[Frame]) -> tuple[list[int], list[Frame]]:
        """Run commands; return what was measured and the frames that were sent, in order.

        Exponents are numbers, norms patterns.
        """
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
            else replace(command, exponent=0)
            if isinstance(command, Norm)
            else command
            for command in commands
        )
        if key not in self._times:
            self._times[key] = estimate(self._device.spec, commands).cycles
        return self._times[key]


def _parts(tensor: _Block | Array, width: int) -> tuple[Array, int]:
    """Return the elements of a tensor, and the constant behind it: 1 in fp32, else the nearest element."""
    if not isinstance(tensor, _Block):
        return tensor, 1
    return tensor.integers, 1 << min(max(-tensor.exponent, 0), width - 2)


def _frames(words: Array, width: int) -> list[Frame]:
    """Return the frames that bring a tensor: integers, or fp32 to be measured and to be quantised."""
    if words.dtype != np.float32:
        return [pack(words, container_of(width))]
    return [pack_numbers(words)] * 2


def _measures(command: Command) -> bool:
    return (isinstance(command, Fetch) and bool(command.measure)) or (
        isinstance(command, Norm) or (isinstance(command, Store) and command.mode == Store.MEASURE)
    )


def _elements(frame: Frame, results: Results, width: int) -> Array:
    """Return the elements of requantised results, without what fills the last beat up."""
    container = container_of(width)
    count = len(frame.beats) * (16 >> container) // results.rows * results.rows
    return unpack_integers(frame, container, count).reshape(results.rows, -1)
