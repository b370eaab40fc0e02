"""Emission: an operator as an HLS project on disk, deterministic and atomic."""

from __future__ import annotations

from hwgen.emit.folder import emit, emit_all
from hwgen.emit.render import MANIFEST, render_project

__all__ = ["MANIFEST", "emit", "emit_all", "render_project"]
