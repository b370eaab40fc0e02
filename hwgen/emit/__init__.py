"""Emission: an operator as an HLS project on disk, deterministic and atomic."""

from __future__ import annotations

from hwgen.emit.folder import emit, emit_all, emit_files, emit_named
from hwgen.emit.render import MANIFEST, bench, digest, environment, included, render_project

__all__ = [
    "MANIFEST",
    "bench",
    "digest",
    "emit",
    "emit_all",
    "emit_files",
    "emit_named",
    "environment",
    "included",
    "render_project",
]
