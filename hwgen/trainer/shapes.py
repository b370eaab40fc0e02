"""Times of matrix products of a shape that is given in words."""

from __future__ import annotations

import re

from hwgen.errors import InputError
from hwgen.trainer.cycles import Times
from hwgen.trainer.products import matrix
from hwgen.trainer.schedule import best_schedule
from hwgen.trainer.spec import TrainerSpec

__all__ = ["parse_shape", "parse_widths", "product_times"]

_MOST = 4096


def parse_shape(text: str) -> tuple[int, int, int]:
    """Return M, N and K of a shape such as ``256x256x256``.

    Raises
    ------
    InputError
        If it is no such shape.
    """
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})x(\d{1,5})", text)
    sizes = tuple(int(part) for part in match.groups()) if match else ()
    if len(sizes) != 3 or not all(1 <= size <= _MOST for size in sizes):
        raise InputError(f"illegal shape {text!r}: legal: MxNxK, each 1 to {_MOST}, such as 256x256x256")
    return sizes[0], sizes[1], sizes[2]


def parse_widths(text: str, spec: TrainerSpec) -> list[int]:
    """Return word lengths such as ``4,8,16``.

    Raises
    ------
    InputError
        If one is none of the core's.
    """
    widths = []
    for part in text.split(","):
        if not re.fullmatch(r"\s*\d{1,2}\s*", part) or not spec.least_width <= int(part) <= spec.most_width:
            raise InputError(
                f"illegal word length {part.strip()!r}: legal: {spec.least_width} to {spec.most_width}"
            )
        widths.append(int(part))
    return widths


def product_times(spec: TrainerSpec, shape: tuple[int, int, int], width: int) -> Times:
    """Return what the fastest schedule of a product takes, loads and stores included.

    Parameters
    ----------
    spec : TrainerSpec
        The core.
    shape : tuple of int
        M, N and K: rows of the left factor, columns of the right one, and what is summed over.
    width : int
        Word length of both factors, in bits.

    Raises
    ------
    InputError
        If the core's memories are too small.
    """
    m, n, k = shape
    left = matrix(m, k, transpose=False, width=width)
    right = matrix(k, n, transpose=True, width=width)
    return best_schedule(spec, left, right).times
