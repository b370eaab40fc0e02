"""Where the templates and simulation benches lie: in the wheel, or in a source checkout."""

from __future__ import annotations

from pathlib import Path

__all__ = ["sim_dir", "templates_dir"]


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
