"""Checkpoints: everything that the next epoch depends on, bit for bit, in a file that is always whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from hwgen.errors import InputError
from hwgen.train.network import Parameters

__all__ = ["load_checkpoint", "save_checkpoint"]

_ARRAY = "array:"
"""What a string that names an array of the file starts with."""


def save_checkpoint(path: Path, parameters: Parameters, state: dict[str, Any]) -> None:
    """Write a checkpoint, in place of the one before only when it is whole.

    Parameters
    ----------
    path : Path
        The file.
    parameters : Parameters
        Weights and momenta.
    state : dict
        Plain data, with arrays anywhere in it.
    """
    arrays: dict[str, Any] = {}

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            arrays[f"state{len(arrays)}"] = value
            return f"{_ARRAY}state{len(arrays) - 1}"
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        return value

    text = json.dumps(plain(state))
    for place, (weights, momenta) in enumerate(zip(parameters.weights, parameters.momenta, strict=True)):
        arrays |= {f"w{place}": weights, f"m{place}": momenta}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez(file, state=np.array(text), **arrays)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def load_checkpoint(path: Path) -> tuple[Parameters, dict[str, Any]]:
    """Return the parameters and the state of a checkpoint.

    Raises
    ------
    InputError
        If the file is none.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        state = json.loads(str(arrays.pop("state")))
    except (BadZipFile, ValueError, KeyError, EOFError, TypeError) as error:
        raise InputError(
            "this is not a checkpoint: legal: a file that training has written", file=path
        ) from error

    def whole(value: Any) -> Any:
        if isinstance(value, str) and value.startswith(_ARRAY):
            return arrays[value.removeprefix(_ARRAY)]
        if isinstance(value, dict):
            return {key: whole(item) for key, item in value.items()}
        if isinstance(value, list):
            return [whole(item) for item in value]
        return value

    layers = sum(name.startswith("w") for name in arrays)
    weights, momenta = ([arrays[f"{letter}{place}"] for place in range(layers)] for letter in "wm")
    return Parameters(weights, momenta), whole(state)
