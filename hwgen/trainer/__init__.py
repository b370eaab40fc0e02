"""The reconfigurable training accelerator: spec, commands, golden model, driver and cycle model."""

from __future__ import annotations

from hwgen.trainer.commands import (
    Bias,
    Command,
    Counters,
    Fetch,
    Fill,
    Gemm,
    Load,
    Nop,
    Norm,
    Store,
    Unknown,
    Update,
    decode,
    encode,
    field_table,
)
from hwgen.trainer.cycles import Times, estimate
from hwgen.trainer.device import Device
from hwgen.trainer.engines import Engine, GoldenEngine, NetworkEngine
from hwgen.trainer.golden import GoldenCore
from hwgen.trainer.layout import (
    Frame,
    pack,
    pack_numbers,
    pack_sums,
    pack_weights,
    to_words,
    unpack_integers,
    unpack_results,
    unpack_sums,
    unpack_weights,
)
from hwgen.trainer.run_cycles import run_cycles
from hwgen.trainer.spec import TrainerSpec, load_spec
from hwgen.trainer.status import Code, Status, status_table

__all__ = [
    "Bias",
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
    "Load",
    "NetworkEngine",
    "Nop",
    "Norm",
    "Status",
    "Store",
    "Times",
    "TrainerSpec",
    "Unknown",
    "Update",
    "decode",
    "encode",
    "estimate",
    "field_table",
    "load_spec",
    "pack",
    "pack_numbers",
    "pack_sums",
    "pack_weights",
    "run_cycles",
    "status_table",
    "to_words",
    "unpack_integers",
    "unpack_results",
    "unpack_sums",
    "unpack_weights",
]
