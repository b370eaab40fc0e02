"""The reconfigurable training accelerator: spec, commands, golden model, driver and cycle model."""

from __future__ import annotations

from hwgen.trainer.commands import (
    Command,
    Counters,
    Fetch,
    Fill,
    Gemm,
    Nop,
    Store,
    Unknown,
    decode,
    encode,
    field_table,
)
from hwgen.trainer.cycles import Times, estimate
from hwgen.trainer.device import Device
from hwgen.trainer.engines import Engine, GoldenEngine, NetworkEngine
from hwgen.trainer.golden import GoldenCore
from hwgen.trainer.layout import Frame, pack, to_words, unpack_results
from hwgen.trainer.run_cycles import run_cycles
from hwgen.trainer.spec import TrainerSpec, load_spec
from hwgen.trainer.status import Code, Status, status_table

__all__ = [
    "Code",
    "Command",
    "Counters",
    "Device",
    "Engine",
    "Fetch",
    "Fill",
    "Frame",
    "Gemm",
    "GoldenCore",
    "GoldenEngine",
    "NetworkEngine",
    "Nop",
    "Status",
    "Store",
    "Times",
    "TrainerSpec",
    "Unknown",
    "decode",
    "encode",
    "estimate",
    "field_table",
    "load_spec",
    "pack",
    "run_cycles",
    "status_table",
    "to_words",
    "unpack_results",
]
