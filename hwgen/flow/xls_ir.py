"""From an emitted project's C++ to optimised XLS IR: clang, `hwgen.lower`, XLS' optimiser.

This is the common first half of ``hwgen rtl`` and ``hwgen prove``, so that what is proven is what becomes
RTL.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hwgen.errors import InputError, ToolError
from hwgen.flow.project import Project
from hwgen.flow.tools import clangxx, require_module, run_tool
from hwgen.resources import templates_dir

__all__ = ["compile_cpp_to_xls_ir", "compile_to_llvm_ir", "include_folders", "lower_project", "optimise"]

_TOP = "hwgen_top"

# -O1 gives plain integer SSA without the duplication that higher levels make for processors. Everything is
# inlined and every loop with a constant bound is unrolled, however large: what is left over is an error
# later. One fixed target makes the IR the same on every machine; line tables let errors name C++ lines; kept
# value names make the SystemVerilog readable.
_FLAGS = (
    "-std=c++14 -O1 -S -emit-llvm -target x86_64-linux-gnu -mcpu=baseline -gline-tables-only "
    "-fno-discard-value-names -fno-sanitize=all -fno-stack-protector -fno-exceptions -fno-rtti "
    "-fno-threadsafe-statics -fno-optimize-sibling-calls -fno-vectorize -fno-slp-vectorize -fno-jump-tables "
    "-finline-functions -mllvm -inline-threshold=100000 "
    "-mllvm -unroll-threshold=1000000 -mllvm -unroll-max-upperbound=1024 -DHWGEN_LOWER "
    "-Wno-unknown-pragmas -Wno-unused-command-line-argument"
)

_FUNCTION_SHIM = """\
#line 1 "<hwgen>"
#include "src/{name}.cpp"
extern "C" void {top}({parameters}) {{
    ap_uint<{width}> result;
    ::{name}({arguments}, result);
    {output} = result.bits();
}}
"""

_STREAM_SHIM = """\
#line 1 "<hwgen>"
#include "src/{name}.cpp"
extern "C" void {top}({parameters}) {{ ::{name}({arguments}); }}
"""


def compile_to_llvm_ir(source: Path, *, include: Sequence[Path] = (), cwd: Path | None = None) -> str:
    """Compile a C++ file to LLVM IR that `hwgen.lower` reads.

    Parameters
    ----------
    source : Path
        The translation unit.
    include : sequence of Path
        Folders for ``#include``, in order.
    cwd : Path, optional
        Folder that the compiler runs in; C++ lines in errors are relative to it.

    Raises
    ------
    ToolError
        If the compiler is missing or refuses the file; the message ends with what it said.
    """
    with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
        target = Path(folder, "unit.ll")
        search = [f"-I{path}" for path in include]
        run_tool(
            [*clangxx(), *_FLAGS.split(), *search, source.resolve(), "-o", target],
            what="compiling the C++ design for hardware",
            cwd=cwd,
        )
        return target.read_text(encoding="utf-8")


def _shim(project: Project) -> str:
    """Return the C++ that presents the design's ports as references to plain bits or streams."""
    output = project.output
    parts = {"name": project.name, "top": _TOP, "width": output.width, "output": output.name}
    if project.interface == "function":
        ports = [f"const unsigned _BitInt({p.width})& {p.name}" for p in project.inputs]
        ports.append(f"unsigned _BitInt({output.width})& {output.name}")
        values = [f"ap_uint<{p.width}>({p.name})" for p in project.inputs]
        return _FUNCTION_SHIM.format(**parts, parameters=", ".join(ports), arguments=", ".join(values))
    every = (*project.inputs, output)
    streams = ", ".join(f"hls::stream<ap_uint<{p.width}>>& {p.name}" for p in every)
    return _STREAM_SHIM.format(**parts, parameters=streams, arguments=", ".join(p.name for p in every))


def include_folders(project_dir: Path) -> list[Path]:
    """Return where the design's includes are found, seen from the project's folder."""
    stand_ins = (
        Path("open") if (project_dir / "open").is_dir() else templates_dir().resolve() / "include" / "open"
    )
    return [Path(), Path("src"), stand_ins]


def lower_project(project: Project) -> str:
    """Return the XLS IR of a project's design, as lowered.

    Raises
    ------
    InputError
        Naming the C++ line of what has no hardware form.
    """
    require_module("llvmlite", "RTL generation")
    from hwgen.lower import lower_function, lower_proc

    source = project.path / "src" / f"{project.name}.cpp"
    if not source.is_file():
        raise InputError(f"the project has no {source.relative_to(project.path)}", file=project.path)
    include = include_folders(project.path)
    with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
        shim = Path(folder, "shim.cpp")
        shim.write_text(_shim(project), encoding="utf-8")
        llvm_ir = compile_to_llvm_ir(shim, include=include, cwd=project.path)
    inputs = {port.name: port.width for port in project.inputs}
    output = project.output
    if project.interface == "function":
        return lower_function(
            llvm_ir, top=_TOP, inputs=inputs, output=(output.name, output.width), name=project.name
        )
    return lower_proc(
        llvm_ir, top=_TOP, inputs=inputs, outputs={output.name: output.width}, name=project.name
    )


def optimise(xls_ir: str, *, top: str) -> str:
    """Run XLS' optimiser on a package.

    Raises
    ------
    ToolError
        If XLS is missing, or does not accept what the lowering wrote (a defect of ours).
    """
    require_module("xls", "RTL generation")
    import xls

    try:
        return str(xls.optimize_ir(xls_ir, top))
    except RuntimeError as error:
        raise ToolError(f"XLS does not accept the lowered design: {error}") from error


def compile_cpp_to_xls_ir(project_dir: Path | str) -> str:
    """Return the optimised XLS IR of the design in `project_dir`: the very text that ``hwgen rtl`` schedules.

    Returns
    -------
    str
        A package whose top, named as the project, is a function ``bits x bits x ... -> bits`` with the
        project's ports as parameters, or a proc with one streaming channel a port.

    Raises
    ------
    InputError
        If `project_dir` is no project, or the C++ has something without a hardware form (file and line are
        given).
    ToolError
        If a tool is missing or the C++ does not compile.
    """
    project = Project.read(project_dir)
    return optimise(lower_project(project), top=project.name)
