"""Training steps in fp32 on a core with float lanes: the same step as the host's, computed by the core.

Every product and every weight update is the core's, so the bits are the same on each of its engines. Sums go
along K one fused multiply-add after the other, not in the order of the host's. The host unrolls convolutions,
applies relus and computes the loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import CheckError
from hwgen.train.host_step import HostStep
from hwgen.train.network import Network, Parameters
from hwgen.train.step import Hyperparameters
from hwgen.trainer import (
    Code,
    Device,
    Load,
    NetworkEngine,
    Update,
    estimate,
    pack_weights,
    unpack_weights,
)
from hwgen.trainer.floats import as_results
from hwgen.trainer.layout import FP32_BITS, pack_results

__all__ = ["FloatStep"]

Array = npt.NDArray[Any]


class FloatStep(HostStep):
    """Forward, backward and update of minibatches in fp32 on a core.

    Parameters
    ----------
    device : Device
        A core with float lanes.
    network : Network
        What is trained.
    hyperparameters : Hyperparameters
        Of the optimiser.

    Attributes
    ----------
    cycles : int
        Of the core so far: counted, if its RTL is simulated; else the cycle model's.
    """

    def __init__(self, device: Device, network: Network, hyperparameters: Hyperparameters) -> None:
        super().__init__(network, hyperparameters)
        self._device = device
        self.cycles = 0

    def _product(self, left: Array, right: Array, *, turn_left: bool, turn_right: bool) -> Array:
        """Return a product of two matrices, either of which may be turned."""
        device, before = self._device, self._clock()
        product = device.gemm(left, right, FP32_BITS, FP32_BITS, turn_left, turn_right)
        self.cycles += self._clock() - before
        return product

    def _update(self, parameters: Parameters, gradients: list[Array], rate: float) -> None:
        """Update the weights by their gradients, as many rows at a time as result memory holds."""
        spec = self._device.spec
        lr, momentum, decay = (
            int(number.view(np.uint32)) for number in self._hyperparameters.as_float32(rate)
        )
        for place, gradient in enumerate(gradients):
            words = gradient.shape[1] // spec.array.cols
            most = max(1, spec.c_words // words)
            weights, momenta = parameters.weights[place].copy(), parameters.momenta[place].copy()
            for first in range(0, len(gradient), most):
                rows = slice(first, min(first + most, len(gradient)))
                region = (0, rows.stop - first, words, words)
                update = Update(*region, lr=lr, momentum=momentum, decay=decay, floats=1)
                weights[rows], momenta[rows] = self._updated(
                    Load(*region), update, gradient[rows], weights[rows], momenta[rows]
                )
            parameters.weights[place], parameters.momenta[place] = weights, momenta

    def _updated(
        self, load: Load, update: Update, gradient: Array, weights: Array, momenta: Array
    ) -> tuple[Array, Array]:
        """Return weights and momenta after an update by a gradient that is loaded first."""
        device, before = self._device, self._clock()
        device.queue([load, update], [pack_results(as_results(gradient)), pack_weights(weights, momenta)])
        statuses, sent = device.run()
        for status in statuses:
            if status.code != Code.OK:
                raise CheckError(
                    f"a core stopped training: command number {status.number}: {Code(status.code).meaning}"
                )
        self.cycles += self._clock() - before
        if not self._counts:
            self.cycles += estimate(device.spec, [load, update]).cycles
        next_weights, next_momenta = unpack_weights(sent[0])
        return next_weights.reshape(weights.shape), next_momenta.reshape(weights.shape)

    @property
    def _counts(self) -> bool:
        engine = self._device.engine
        return isinstance(engine, NetworkEngine) and engine.clocked

    def _clock(self) -> int:
        """Return the core's clocks, or what the cycle model says of its products."""
        engine = self._device.engine
        return engine.cycles if isinstance(engine, NetworkEngine) and self._counts else self._device.cycles
