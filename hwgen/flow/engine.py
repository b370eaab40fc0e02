"""What every engine's C++ library and its Python side agree on; the counterpart of ``engine.hpp``."""

from __future__ import annotations

import ctypes

__all__ = ["Goal", "Report", "Stalls"]


class Report(ctypes.Structure):
    """What an engine says of a run."""

    _fields_ = (
        ("cycles", ctypes.c_uint64),
        ("withheld", ctypes.c_uint64),
        ("refused", ctypes.c_uint64),
        ("message", ctypes.c_char * 256),
    )


class Goal(ctypes.Structure):
    """When a run of a network ends, as far as one port decides it."""

    _fields_ = (("port", ctypes.c_uint32), ("output", ctypes.c_uint32), ("words", ctypes.c_uint64))


class Stalls(ctypes.Structure):
    """How ports pause at random."""

    _fields_ = (("seed", ctypes.c_uint64), ("per_65536", ctypes.c_uint32))
