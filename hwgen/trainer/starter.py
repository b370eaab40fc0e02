"""A trainer spec to start from: every key, with its default and what it may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwgen.operators.starter import commented
from hwgen.trainer.spec import load_spec

__all__ = ["starter_trainer"]


def starter_trainer(keys: Mapping[str, Any]) -> str:
    """Return a commented YAML spec of a training core, which loads as it is.

    Parameters
    ----------
    keys : mapping
        Keys of the spec that are not to have their default.

    Raises
    ------
    InputError
        If a value is not legal.
    """
    return commented(
        load_spec({"kind": "trainer", **keys}),
        "# trainer: a core for training whose word length is chosen by each command.",
    )
