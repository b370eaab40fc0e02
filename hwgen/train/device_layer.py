"""A linear layer on a trainer core: where its tensors lie, and the commands of its three products.

Every tensor is fetched once in a step and stays in scratch memory: the input X (batch, columns), the weights
W (outputs, columns) and the error E (batch, outputs), each row in whole words. Of these the products are

    output          Y  = X * W'     into result memory (batch, outputs)
    input error     X' = E * W      (batch, columns), of which the inputs are stored
    weight gradient W' = E' * X     (outputs, columns), which the weight update reads

and the fills turn what has to be turned.
"""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.errors import InputError
from hwgen.train.network import Network
from hwgen.trainer import Fetch, Fill, Gemm, Store, TrainerSpec

__all__ = ["PlacedLayer", "Post", "Tensor", "place_layers"]


@dataclass(frozen=True)
class Tensor:
    """A matrix in scratch memory.

    Attributes
    ----------
    base : int
        Its first word.
    rows : int
        Rows.
    groups : int
        Words of a row.
    """

    base: int
    rows: int
    groups: int

    @property
    def words(self) -> int:
        """All its words."""
        return self.rows * self.groups

    def quantising_fetches(self, width: int) -> tuple[Fetch, Fetch]:
        """Return the fetches that measure and that quantise it, each of which takes its fp32 frame."""
        return (
            Fetch(Fetch.FP32, 0, self.words, width=width, measure=1),
            Fetch(Fetch.FP32, self.base, self.words, width=width, take=1),
        )

    def fill(self, target: int, width: int, *, transpose: bool = False) -> Fill:
        """Return the fill of an operand: its rows, or, transposed, its columns."""
        return Fill(
            target=target,
            transpose=int(transpose),
            width=width,
            source=self.base,
            kgs=-(-self.rows // 16) if transpose else self.groups,
            n_x=self.rows,
            s_x=self.groups,
            n_g=self.groups,
            limit_x=self.rows,
        )


@dataclass(frozen=True)
class Post:
    """What the store stage does on the way, apart from rounding.

    Attributes
    ----------
    relu, save_mask, apply_mask : int
        As in the command.
    mask : int
        Its mask word.
    """

    relu: int = 0
    save_mask: int = 0
    apply_mask: int = 0
    mask: int = 0


@dataclass(frozen=True)
class PlacedLayer:
    """One layer on one core.

    Attributes
    ----------
    spec : TrainerSpec
        The core.
    batch, inputs, outputs : int
        Sizes.
    x, w, e : Tensor
        Input, weights and error in scratch memory.
    mask : int
        First mask word of its output.
    """

    spec: TrainerSpec
    batch: int
    inputs: int
    outputs: int
    x: Tensor
    w: Tensor
    e: Tensor
    mask: int

    def result_words(self, columns: int) -> int:
        """Return the result words of a row of so many columns."""
        return -(-columns // self.spec.array.cols)

    @property
    def gradient_words(self) -> int:
        """Result words of a row of the weight gradient."""
        return self.result_words(16 * self.w.groups)

    def output(self, width: int) -> list[Fill | Gemm]:
        """Return the commands of the output."""
        return self._product(self.x.fill(0, width), self.w.fill(1, width), self.batch, self.outputs)

    def input_error(self, width: int) -> list[Fill | Gemm]:
        """Return the commands of the input's error."""
        columns = 16 * self.w.groups
        return self._product(
            self.e.fill(0, width), self.w.fill(1, width, transpose=True), self.batch, columns
        )

    def weight_gradient(self, width: int) -> list[Fill | Gemm]:
        """Return the commands of the weights' gradient."""
        columns = 16 * self.w.groups
        return self._product(
            self.e.fill(0, width, transpose=True),
            self.x.fill(1, width, transpose=True),
            self.outputs,
            columns,
        )

    def stores(self, columns: int, pitch: int, width: int, post: Post) -> tuple[Store, Store]:
        """Return the stores that measure and that requantise columns of a result, of a row each sample."""
        words = self.result_words(columns)
        fields = {"width": width, "relu": post.relu, "apply_mask": post.apply_mask, "mask": post.mask}
        return (
            Store(0, self.batch, words, pitch, Store.MEASURE, save_mask=post.save_mask, **fields),
            Store(0, self.batch, words, pitch, Store.INTEGERS, take=1, size=int(width > 8), **fields),
        )

    def _product(self, left: Fill, right: Fill, rows: int, columns: int) -> list[Fill | Gemm]:
        tiles_m, tiles_n = -(-rows // self.spec.array.rows), self.result_words(columns)
        gemm = Gemm(0, 0, 0, tiles_m, tiles_n, left.kgs, left.width, right.width, 0, tiles_n)
        return [left, right, gemm]


def place_layers(spec: TrainerSpec, network: Network, batch: int) -> tuple[PlacedLayer, ...]:
    """Return the layers of a network, one behind the other in the memories of a core.

    Raises
    ------
    InputError
        If a memory is too small for a step at the core's greatest word length.
    """
    layers, base, mask = [], 0, 0
    for layer in network.layers:
        tensors: list[Tensor] = []
        for rows, columns in (
            (batch, layer.columns),
            (layer.outputs, layer.columns),
            (batch, layer.outputs),
        ):
            tensors.append(Tensor(base, rows, -(-columns // 16)))
            base += tensors[-1].words
        x, w, e = tensors
        placed = PlacedLayer(spec, batch, layer.inputs, layer.outputs, x, w, e, mask)
        mask += batch * placed.result_words(layer.outputs)
        layers.append(placed)
    needed = {
        "scratch_kib": (base, spec.scratch_words),
        "mask memory": (mask, spec.mask_words),
        **_needs_of_products(spec, layers),
    }
    for memory, (words, have) in needed.items():
        if words > have:
            raise InputError(
                f"layers {network.sizes} in minibatches of {batch} need {words} words of {memory}: "
                f"legal: at most {have}; smaller minibatches or layers, or a core with larger buffers"
            )
    return tuple(layers)


def _needs_of_products(spec: TrainerSpec, layers: list[PlacedLayer]) -> dict[str, tuple[int, int]]:
    """Return the words of each memory that the largest products need, and how many it has."""
    most = {"a_kib": (0, spec.a_words), "b_kib": (0, spec.b_words), "c_kib": (0, spec.c_words)}
    rows, cols = spec.array.rows, spec.array.cols
    for layer in layers:
        for left, right, gemm in (
            layer.output(spec.most_width),
            layer.input_error(spec.most_width),
            layer.weight_gradient(spec.most_width),
        ):
            assert isinstance(left, Fill)  # noqa: S101  (for the type checker)
            assert isinstance(right, Fill)  # noqa: S101
            assert isinstance(gemm, Gemm)  # noqa: S101
            planes = spec.planes(spec.most_width)
            words = (
                _operand_rows(left) // rows * gemm.kgs * planes,
                _operand_rows(right) // cols * gemm.kgs * planes,
                gemm.tiles_m * rows * gemm.pitch,
            )
            most = {
                memory: (max(need, now), have)
                for (memory, (need, have)), now in zip(most.items(), words, strict=True)
            }
    return most


def _operand_rows(fill: Fill) -> int:
    """Return the operand rows that a fill writes."""
    return 16 * (fill.n_g if fill.transpose else -(-fill.n_x // 16))
