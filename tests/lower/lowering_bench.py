"""Runs one C++ function every way there is: natively, as XLS IR before and after optimisation, as RTL."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xls

from hwgen.flow.tools import clangxx, run_tool
from hwgen.flow.verilated import load_many
from hwgen.flow.xls_codegen import Timing, generate_verilog
from hwgen.flow.xls_ir import compile_to_llvm_ir, optimise
from hwgen.lower import lower_function
from hwgen.lower.llvm import Module, parse_module
from hwgen.resources import templates_dir

STAND_INS = templates_dir().resolve() / "include" / "open"
_BYTES = 128  # room for the widest port


def llvm_module(folder: Path, source: str, name: str = "programs.cpp") -> Module:
    """Compile C++ text for lowering; errors will name `name`."""
    (folder / name).write_text(source)
    return parse_module(compile_to_llvm_ir(folder / name, include=[STAND_INS]))


def native_library(folder: Path, source: str) -> ctypes.CDLL:
    """Compile C++ text without optimisation, so that the compiler's optimiser is checked as well."""
    unit, code, library = folder / "native.cpp", folder / "native.o", folder / "native.so"
    unit.write_text(source)
    flags = ["-std=c++14", "-O0", "-fPIC", "-fno-sanitize=all", "-fno-exceptions", f"-I{STAND_INS}", "-w"]
    run_tool([*clangxx(), *flags, "-c", unit, "-o", code], what="native build")
    run_tool(["g++", "-shared", code, "-o", library], what="native link")
    return ctypes.CDLL(str(library))


def call_native(library: ctypes.CDLL, name: str, inputs: Sequence[tuple[int, int]], output: int) -> int:
    """Call ``void name(const U<w>&..., U<w>& y)`` with (value, width) pairs."""
    buffers = [ctypes.create_string_buffer(value.to_bytes(_BYTES, "little"), _BYTES) for value, _ in inputs]
    result = ctypes.create_string_buffer(_BYTES)
    getattr(library, name)(*buffers, result)
    return int.from_bytes(result.raw, "little") % (1 << output)


def xls_value(value: int, width: int) -> xls.Value:
    """Return an XLS value of any width."""
    return xls.Value.from_bits(xls.Bits.from_bytes(width, value.to_bytes((width + 7) // 8, "little")))


def integer(value: xls.Value) -> int:
    """Return an XLS value as an integer."""
    return int.from_bytes(value.get_bits().to_bytes(), "little")


class Lowered:
    """A function lowered to XLS, ready to be evaluated; unless told not to, after XLS' optimiser as well."""

    def __init__(
        self, module: Module, name: str, inputs: Mapping[str, int], output: int, *, optimised: bool = True
    ) -> None:
        self.inputs, self.output, self.name = dict(inputs), output, name
        self.plain = lower_function(module, top=name, inputs=inputs, output=("y", output))
        texts = {"XLS IR as lowered": self.plain}
        if optimised:
            self.optimised = texts["XLS IR as optimised"] = optimise(self.plain, top=name)
        # The packages own the functions, so they must live as long.
        self._packages = {label: xls.parse_ir_package(text) for label, text in texts.items()}

    def results(self, vector: Sequence[int]) -> dict[str, int]:
        """Interpret every version."""
        arguments = [xls_value(v, w) for v, w in zip(vector, self.inputs.values(), strict=True)]
        return {
            label: integer(package.get_function(self.name).interpret(arguments))
            for label, package in self._packages.items()
        }

    def write_project(self, folder: Path, stages: int) -> Path:
        """Write RTL as ``hwgen rtl`` does, for the simulation harness."""
        streams = {"streaming": False, "timing": Timing(stages=stages, clock_ps=None, delay_model="unit")}
        _, verilog = generate_verilog(
            self.optimised, name=self.name, inputs=list(self.inputs), output="y", **streams
        )
        project = folder / self.name
        (project / "rtl").mkdir(parents=True)
        (project / "rtl" / f"{self.name}.sv").write_text(verilog)
        (project / "rtl" / f"{self.name}.json").write_text(json.dumps({"latency": stages, "stages": stages}))
        manifest = {
            "name": self.name,
            "interface": "function",
            "inputs": [{"name": n, "width": w} for n, w in self.inputs.items()],
            "output": {"name": "y", "width": self.output},
            "lfsr": None,
        }
        (project / "manifest.json").write_text(json.dumps(manifest))
        return project


def simulate(projects: Sequence[Path], vectors: Sequence[Sequence[Sequence[int]]]) -> list[list[int]]:
    """Run several projects' RTL in one Verilator build; one list of vectors a project."""
    results = []
    for operator, rows in zip(load_many(projects), vectors, strict=True):
        columns = [np.array(column, dtype=np.uint64) for column in zip(*rows, strict=True)]
        results.append([int(value) for value in operator(*columns)])
    return results
