"""Where the templates and benches lie, in the wheel or in a source checkout, and where caches may."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

__all__ = ["cache_dir", "sim_dir", "templates_dir"]


def _shipped(name: str) -> Path:
    package = Path(__file__).resolve().parent
    inside_wheel = package / f"_{name}"
    return inside_wheel if inside_wheel.is_dir() else package.parent / name


def templates_dir() -> Path:
    """Return the folder of Jinja2 templates and C++ headers."""
    return _shipped("templates")


def sim_dir() -> Path:
    """Return the folder of cocotb benches and bus drivers."""
    return _shipped("sim")


def cache_dir() -> Path:
    """Return the folder of the cache: ``HWGEN_CACHE_DIR``, or the user's cache folder of this system."""
    chosen = os.environ.get("HWGEN_CACHE_DIR")
    return Path(chosen).expanduser().absolute() if chosen else platformdirs.user_cache_path("hwgen")
