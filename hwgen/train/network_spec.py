"""Networks in YAML: what `hwgen trainer estimate --network` reads, and what training trains.

kind: network
name: digits_cnn
input: [8, 8, 1]         # height, width, channels; or [units]
batch: 16                # samples of a minibatch
layers:
- conv2d: {filters: 16, kernel: 3, padding: 1}
- linear: {outputs: 10}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from hwgen.errors import InputError, legal_values
from hwgen.spec import Record, SpecSource, Whole, one_of, quoted, read_spec, spec_error, validate
from hwgen.spec.name import Name
from hwgen.train.layers import Conv2d
from hwgen.train.network import Image, Network, layer_behind

__all__ = ["NetworkSpec", "load_network"]

_SIZE = Whole("size", 1, 4095)


class Conv2dSpec(Record):
    """A convolution."""

    filters: Annotated[int, Whole("filters", 1, 4095), Field(description="channels of the output")]
    kernel: Annotated[int, Whole("kernel", 1, 63), Field(description="its height and width")]
    stride: Annotated[int, Whole("stride", 1, 15), Field(description="in both directions")] = 1
    padding: Annotated[int, Whole("padding", 0, 62), Field(description="zeros on each side")] = 0


class LinearSpec(Record):
    """A linear layer; an image before it is flattened."""

    outputs: Annotated[int, Whole("outputs", 1, 4095), Field(description="units behind it")]


class LayerSpec(Record):
    """One layer: one of its keys is given."""

    conv2d: Conv2dSpec | None = None
    linear: LinearSpec | None = None

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.conv2d is None) == (self.linear is None):
            raise spec_error("a layer is one of these: legal: conv2d, linear")
        return self

    @property
    def size(self) -> int | Conv2d:
        """The layer in the description of a network."""
        if self.linear is not None:
            return self.linear.outputs
        assert self.conv2d is not None  # noqa: S101  (one of them is given)
        return Conv2d(**self.conv2d.model_dump())


class NetworkSpec(Record):
    """A network with the size of its minibatches."""

    kind: Annotated[Literal["network"], one_of("kind", "network"), Field(description="always network")]
    name: Annotated[Name, Field(description="for people")] = "network"
    input: Annotated[tuple[int, ...], Field(description="units, or height, width and channels of an image")]
    batch: Annotated[int, _SIZE, Field(description="samples of a minibatch")] = 32
    layers: Annotated[tuple[LayerSpec, ...], Field(description="conv2d or linear each; the last is linear")]

    @model_validator(mode="before")
    @classmethod
    def _check_lists(cls, data: Any) -> Any:
        """Check lists by hand: pydantic's own messages about tuples name no legal values."""
        if not isinstance(data, Mapping):
            return data
        given = dict(data)
        if "input" in given:
            value = given["input"]
            if (
                not isinstance(value, list | tuple)
                or len(value) not in (1, 3)
                or any(type(item) is not int or not 1 <= item <= 4095 for item in value)
            ):
                legal = "legal: [units] or [height, width, channels], each 1..4095"
                raise spec_error(f"{quoted(value)} is not legal: {legal}", "input")
            given["input"] = tuple(value)
        if "layers" in given:
            if not isinstance(given["layers"], list | tuple) or not given["layers"]:
                raise spec_error(f"{quoted(given['layers'])} is not legal: legal: a list of layers", "layers")
            given["layers"] = tuple(given["layers"])
        return given

    @property
    def network(self) -> Network:
        """The network."""
        first: int | Image = self.input if len(self.input) == 3 else self.input[0]
        return Network((first, *(layer.size for layer in self.layers)))


def load_network(spec: str | Path | Mapping[str, Any]) -> NetworkSpec:
    """Return the network that a YAML file, or the same as plain data, describes.

    Raises
    ------
    InputError
        If anything in it is not legal; the message says where, what, and what is legal.
    """
    source = read_spec(spec)
    if "kind" not in source.data:
        raise source.error("the key 'kind' is missing: legal: network")
    if source.data["kind"] != "network":
        raise source.error(legal_values("kind", source.data["kind"], ["network"]), ("kind",))
    loaded = validate(NetworkSpec, source)
    _check_chain(loaded, source)
    return loaded


def _check_chain(spec: NetworkSpec, source: SpecSource) -> None:
    """Check each layer with the shape that comes before it, so that a fault has its line."""
    shape: tuple[int, ...] = spec.input
    for place, layer in enumerate(spec.layers):
        try:
            shape = layer_behind(shape, layer.size).output_shape
        except InputError as error:
            raise source.error(error.message, ("layers", place)) from error
    if spec.layers[-1].linear is None:
        raise source.error("the last layer is a conv2d: legal: linear", ("layers", len(spec.layers) - 1))
