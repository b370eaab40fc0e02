"""RTL that matches the C++ it lies beside: generated if there is none, or if the C++ has changed since."""

from __future__ import annotations

import json
from pathlib import Path

from hwgen.flow.project import Project
from hwgen.flow.rtl import compile_cpp_to_xls_ir, generate_rtl

__all__ = ["fresh_rtl"]


def fresh_rtl(project_dir: Path) -> Path:
    """Return the project's SystemVerilog file; stale RTL is made again with the options it was made with.

    Raises
    ------
    InputError, ToolError
        As `generate_rtl`.
    """
    verilog = project_dir / "rtl" / f"{Project.read(project_dir).name}.sv"
    record, ir = verilog.with_suffix(".json"), verilog.with_suffix(".ir")
    if not (verilog.is_file() and record.is_file() and ir.is_file()):
        generate_rtl(project_dir)
    elif ir.read_text(encoding="utf-8") != compile_cpp_to_xls_ir(project_dir):
        options = json.loads(record.read_text(encoding="utf-8"))
        generate_rtl(
            project_dir,
            clock_ps=options["clock_ps"],
            stages=options["stages"],
            delay_model=options["delay_model"],
        )
    return verilog
