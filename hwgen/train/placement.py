"""A network on a trainer core: where its layers' tensors lie, and the commands of a step."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.errors import InputError
from hwgen.train.device_convolution import Order, PlacedConvolution
from hwgen.train.device_layer import PlacedLayer, PlacedLinear, Post, Region
from hwgen.train.layers import ConvolutionLayer, Layer
from hwgen.train.network import Network
from hwgen.trainer import Command, Gemm, Norm, TrainerSpec, Update
from hwgen.trainer.judge import reach
from hwgen.trainer.layout import WORD

__all__ = ["PlacedNetwork"]

_MEMORIES = {
    "scratch": "scratch_kib",
    "mask": "mask memory",
    "a": "a_kib",
    "b": "b_kib",
    "c": "c_kib",
    "bias": "bias memory",
}


@dataclass(frozen=True)
class PlacedNetwork:
    """The layers of a network, one behind the other in the memories of a core.

    Inputs and weights of all layers stay in scratch memory for the whole step; errors take turns at one
    place behind them.

    Attributes
    ----------
    spec : TrainerSpec
        The core.
    network : Network
        The network.
    batch : int
        Samples of a minibatch.
    layers : tuple of PlacedLayer
        From the input on.
    """

    spec: TrainerSpec
    network: Network
    batch: int
    layers: tuple[PlacedLayer, ...]

    @classmethod
    def of(cls, spec: TrainerSpec, network: Network, batch: int) -> PlacedNetwork:
        """Place a network.

        Raises
        ------
        InputError
            If a memory is too small for a step at the core's greatest word length.
        """
        behind = sum(_words(layer, batch, "x") + _words(layer, batch, "w") for layer in network.layers)
        layers: list[PlacedLayer] = []
        base = mask = 0
        for place, layer in enumerate(network.layers):
            x = Region(base, _words(layer, batch, "x"))
            w = Region(x.base + x.words, _words(layer, batch, "w"))
            e = Region(behind, _words(layer, batch, "e"))
            base = w.base + w.words
            if isinstance(layer, ConvolutionLayer):
                height, width, _ = layer.output_shape
                order = Order(height, width, _next_stride(network, place))
                layers.append(PlacedConvolution(spec, batch, x, w, e, mask, layer, order))
            else:
                layers.append(PlacedLinear(spec, batch, x, w, e, mask, layer))
            results = layers[-1].output_results
            mask += results.rows * results.words
        whole = cls(spec, network, batch, tuple(layers))
        whole._check()
        return whole

    def forward(self, place: int, width: int) -> list[Command]:
        """Return what computes a layer's output, and sends it."""
        layer, hidden = self.layers[place], place + 1 < len(self.layers)
        commands = layer.x.fetches(width, numbers=not place) + layer.w.fetches(width, numbers=True)
        commands += layer.output(width)
        post = Post(bias=layer.bias, relu=1, save_mask=1, mask=layer.mask)
        results = layer.output_results
        return [*commands, *(results.stores(width, post) if hidden else [results.raw(post)])]

    def error(self, place: int, width: int) -> list[Command]:
        """Return what fetches the error of a layer's output."""
        return self.layers[place].e.fetches(width, numbers=place + 1 == len(self.layers))

    def input_error(self, place: int, width: int) -> list[Command]:
        """Return what computes the error of a layer's input, and sends it; nothing for the first layer's."""
        if not place:
            return []
        layer = self.layers[place]
        post = Post(apply_mask=1, mask=self.layers[place - 1].mask)
        return [*layer.input_error(width), *layer.error_results.stores(width, post)]

    def weight_gradient(self, place: int, width: int) -> list[Command]:
        """Return what computes the gradient of a layer's weights, and leaves it in result memory."""
        return self.layers[place].weight_gradient(width)

    def update(self, place: int, exponent: int, lr: int, momentum: int, decay: int) -> Update:
        """Return what updates a layer's weights by the gradient in result memory."""
        results = self.layers[place].gradient_results
        return Update(0, results.rows, results.words, results.pitch, exponent, lr, momentum, decay)

    def norms(self, place: int, exponent: int) -> list[Command]:
        """Return what finds the norm of the gradient in result memory, and of sums that it is added to."""
        results = self.layers[place].gradient_results
        region = (0, results.rows, results.words, results.pitch, exponent)
        return [Norm(*region), Norm(*region, sums=1)]

    def runs(self, width: int) -> list[list[Command]]:
        """Return all commands of a step, in the lists that the host sends at once."""
        lists = [self.forward(place, width) for place in range(len(self.layers))]
        for place in reversed(range(len(self.layers))):
            error, gradient = self.error(place, width), self.weight_gradient(place, width)
            lists += [error + self.input_error(place, width) + gradient, [self.update(place, 0, 0, 0, 0)]]
        return lists

    def memory_use(self, width: int) -> dict[str, tuple[int, int]]:
        """Return the words of each memory that a step uses, and how many it has."""
        spec = self.spec
        have = {
            **{"scratch": spec.scratch_words, "mask": spec.mask_words, "a": spec.a_words},
            **{"b": spec.b_words, "c": spec.c_words, "bias": spec.bias_words},
        }
        used = dict.fromkeys(have, 0)
        for command in (command for run in self.runs(width) for command in run):
            for memory, words in reach(spec, command).items():
                used[memory] = max(used[memory], words)
        return {memory: (used[memory], have[memory]) for memory in have}

    def _check(self) -> None:
        spec, width = self.spec, self.spec.most_width
        what = f"layers {self.network.sizes} in minibatches of {self.batch}"
        for memory, (words, have) in self.memory_use(width).items():
            if words > have:
                raise InputError(
                    f"{what} need {words} words of {_MEMORIES[memory]}: "
                    f"legal: at most {have}; smaller minibatches or layers, or a core with larger buffers"
                )
        products = (command for run in self.runs(width) for command in run if isinstance(command, Gemm))
        longest = max(command.kgs for command in products)
        if longest > spec.most_groups:
            raise InputError(f"{what} sum up {longest * WORD} products: legal: at most max_k {spec.max_k}")


def _next_stride(network: Network, place: int) -> int:
    """Return the stride of the layer behind; 1 if there is none, or no convolution."""
    after = network.layers[place + 1 : place + 2]
    return after[0].conv.stride if after and isinstance(after[0], ConvolutionLayer) else 1


def _words(layer: Layer, batch: int, tensor: str) -> int:
    """Return the scratch words of a layer's input, weights or error."""
    if tensor == "w":
        return layer.outputs * layer.columns // WORD
    if isinstance(layer, ConvolutionLayer):
        shape = layer.shape(batch)
        if tensor == "x":
            return batch * layer.height * layer.width * layer.depth // WORD + 1
        return batch * shape.out_height * shape.out_width * layer.outputs // WORD
    return batch * (layer.columns // WORD if tensor == "x" else -(-layer.outputs // WORD))
