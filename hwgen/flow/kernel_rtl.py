"""Scheduling one kernel of a network: lowered XLS IR to SystemVerilog, kept between runs.

The entry in the cache is named by the kernel's lowered IR, so that a change in the C++ of another kernel
leaves it valid. XLS holds Python's lock while it works, so kernels are scheduled in processes of their own:
``python -m hwgen.flow.kernel_rtl FOLDER``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from hwgen.errors import InputError, ToolError
from hwgen.flow import sv_names, sv_tables, xls_codegen, xls_ir, xls_rings, xls_traffic
from hwgen.flow.cache import build
from hwgen.flow.tools import run_tool
from hwgen.flow.xls_codegen import Timing, generate_verilog
from hwgen.flow.xls_ir import optimise
from hwgen.flow.xls_traffic import Traffic

__all__ = ["KernelJob", "KernelRtl", "schedule_kernels"]

_CODE = (sv_names, sv_tables, xls_codegen, xls_ir, xls_rings, xls_traffic, sys.modules[__name__])
"""The modules that decide what comes out."""


@dataclass(frozen=True, kw_only=True)
class KernelJob:
    """A kernel to be scheduled: its XLS proc, the module's name, and what the schedule must meet."""

    proc: str
    module: str
    xls_ir: str
    timing: Timing
    traffic: Traffic

    def to_text(self) -> str:
        """Return all of it as text."""
        return json.dumps(asdict(self))

    @classmethod
    def of_text(cls, text: str) -> KernelJob:
        """Return what `to_text` wrote."""
        record = json.loads(text)
        timing, traffic = Timing(**record.pop("timing")), Traffic(**record.pop("traffic"))
        return cls(**record, timing=timing, traffic=traffic)


@dataclass(frozen=True, kw_only=True)
class KernelRtl:
    """A scheduled kernel: its optimised IR, stages, and module."""

    xls_ir: str
    stages: int
    verilog: str


def schedule_kernels(jobs: Sequence[KernelJob]) -> list[KernelRtl]:
    """Schedule kernels, as many at once as there are processors, those that are not cached.

    Raises
    ------
    InputError
        If a schedule cannot be met; the message says what XLS could meet.
    ToolError
        If XLS is missing or fails otherwise.
    """
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:
        return list(workers.map(_schedule, jobs))


def _schedule(job: KernelJob) -> KernelRtl:
    key: list[str | bytes | Path] = [
        job.to_text(),
        version("xls-python"),
        *(Path(str(m.__file__)) for m in _CODE),
    ]
    folder = build(["kernel", *key], partial(_run, job))
    texts = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
    return KernelRtl(xls_ir=texts["kernel.ir"], stages=int(texts["stages"]), verilog=texts["kernel.sv"])


def _run(job: KernelJob, folder: Path) -> None:
    """Schedule in another process; what the user must know comes back in a file."""
    (folder / "job").write_text(job.to_text(), encoding="utf-8")
    run_tool([sys.executable, "-m", __spec__.name, folder], what=f"scheduling {job.module}")
    (folder / "job").unlink()
    refusal = folder / "refusal"
    if refusal.is_file():
        kind, _, message = refusal.read_text(encoding="utf-8").partition("\n")
        raise (ToolError if kind == "ToolError" else InputError)(message)


def _main(folder: Path) -> None:
    job = KernelJob.of_text((folder / "job").read_text(encoding="utf-8"))
    try:
        optimised = optimise(job.xls_ir, top=job.proc)
        stages, verilog = generate_verilog(
            optimised,
            name=job.module,
            inputs=job.traffic.inputs,
            output="",
            streaming=True,
            timing=job.timing,
            traffic=job.traffic,
        )
    except InputError as error:
        (folder / "refusal").write_text(f"{type(error).__name__}\n{error}", encoding="utf-8")
        return
    (folder / "kernel.ir").write_text(optimised, encoding="utf-8")
    (folder / "kernel.sv").write_text(verilog, encoding="utf-8")
    (folder / "stages").write_text(str(stages), encoding="utf-8")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
