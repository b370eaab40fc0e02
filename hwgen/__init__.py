"""hwgen: from number-format specs to verified low-precision arithmetic hardware.

``hwgen.format`` and ``hwgen.operator`` are the way in; see `hwgen.api`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["__version__", "format", "operator"]

if TYPE_CHECKING:
    from hwgen.api import format, operator


def __getattr__(name: str) -> object:
    # Loaded on first use, so that `hwgen --help` does not wait for NumPy.
    if name in ("format", "operator"):
        return getattr(import_module("hwgen.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
