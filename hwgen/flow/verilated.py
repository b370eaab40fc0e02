"""The generated RTL as a function on NumPy arrays: Verilator's model behind a C++ harness.

No Python runs per clock cycle. Function tops get one vector per clock; stream tops are driven with
ready/valid and random pauses by ``verilated_harness.hpp``, which also watches the protocol. Verilator's
own runtime is compiled once and cached, so that a new design costs only its own compilation. The bench
that also runs on Vitis' RTL, with cocotb, is in ``sim/``; see `hwgen.flow.simulate`.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy.typing as npt

from hwgen.errors import CheckError, InputError
from hwgen.flow.engine import Report, Stalls
from hwgen.flow.project import Batch, BitArray, Project
from hwgen.flow.verilated_build import build_models

__all__ = ["RtlOperator", "RtlRun", "load_many", "load_rtl"]

_OPTIMISATION = "-O2"

_SIGNATURE = """\
extern "C" int hwgen_batch_{index}(std::size_t count, std::size_t wanted, {parameters},
                                   hwgen::Stalls stalls, hwgen::Report* report) {{
    VerilatedContext context;
    V{index} dut{{&context}};
"""

_FUNCTION = """\
    (void)stalls;
    (void)wanted;
    return hwgen::guarded(*report, [&] {{
        hwgen::run_function(
            count, {latency}, *report,
            [&](std::size_t i) {{ {sets} }},
            [&](std::size_t i) {{ hwgen::load<{width}>(dut.{output}, {output}_ + i * {limbs}); }},
            [&](int level) {{ {clock} dut.eval(); }});
    }});
}}
"""

_STREAM = """\
    return hwgen::guarded(*report, [&] {{
        {sources}
        hwgen::Sink<{limbs}> {output}_sink(wanted, stalls);
        dut.ap_rst_n = 0;
        for (int i = 0; i < 8; ++i) {{
            dut.ap_clk = i & 1;
            dut.eval();
        }}
        dut.ap_rst_n = 1;
        const auto unread = [&] {{
            std::string ports;
            {unread}
            return ports;
        }};
        hwgen::run_stream({output}_sink, unread, *report, [&] {{
            dut.ap_clk = 0;
            {offers}
            dut.{output}_TREADY = {output}_sink.ready();
            dut.eval();
            bool moved = false;
            {takes}
            hwgen::Word<{limbs}> data;
            hwgen::load<{width}>(dut.{output}_TDATA, data.data());
            if ({output}_sink.take(dut.{output}_TVALID, data, *report)) {{
                hwgen::keep(data, {output}_ + {output}_sink.next() * {limbs});
                moved = true;
            }}
            dut.ap_clk = 1;
            dut.eval();
            return moved;
        }});
    }});
}}
"""


@dataclass(frozen=True, kw_only=True)
class RtlRun:
    """Results of one simulation and what it took.

    Attributes
    ----------
    result : ndarray
        One bit pattern per vector.
    cycles : int
        Clock cycles; for a combinational design, evaluations.
    withheld, refused : int
        Cycles in which an input paused though it had data, and in which a result waited for a pausing sink.
    """

    result: BitArray
    cycles: int
    withheld: int
    refused: int


class RtlOperator:
    """The RTL of a project, simulated; every call starts from reset.

    Calling it maps arrays of bit patterns, one per input port, to the array of results: operands are
    broadcast and taken in C order.
    """

    def __init__(self, project: Project, library: Path, index: int) -> None:
        self.project = project
        self._batch = getattr(ctypes.CDLL(str(library)), f"hwgen_batch_{index}")
        pointers = [ctypes.c_void_p] * (len(project.inputs) + 1)
        self._batch.argtypes = [ctypes.c_size_t, ctypes.c_size_t, *pointers, Stalls, ctypes.POINTER(Report)]

    def __call__(self, *operands: npt.ArrayLike, results: int | None = None) -> BitArray:
        """Return the results for `operands`, without pauses; see `run`."""
        return self.run(*operands, results=results).result

    def run(
        self, *operands: npt.ArrayLike, stall: float = 0.0, seed: int = 0, results: int | None = None
    ) -> RtlRun:
        """Simulate `operands`.

        Parameters
        ----------
        *operands : array_like of unsigned integers
            Bit patterns in port order; see `hwgen.flow.project.port_arrays` for what is refused.
        stall : float
            For stream tops: probability, 0 <= stall < 1, that a port pauses in a cycle.
        seed : int
            Seed of those pauses.
        results : int, optional
            How many results the operands release, where that varies; default one for each activation.

        Raises
        ------
        CheckError
            If the design deadlocks, breaks the AXI4-Stream protocol, or stops the simulation itself.
        """
        if not 0.0 <= stall < 1.0:
            raise ValueError(f"stall must be a probability in [0, 1), not {stall}")
        batch = Batch.of(self.project, operands, results)
        report = Report()
        stalls = Stalls(seed & 0xFFFF_FFFF_FFFF_FFFF, round(stall * 65536))
        if batch.count and self._batch(*batch.arguments, stalls, ctypes.byref(report)):
            message = report.message.decode(errors="replace")
            raise CheckError(f"RTL simulation of {self.project.name}: {message}")
        return RtlRun(
            result=batch.result, cycles=report.cycles, withheld=report.withheld, refused=report.refused
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.project.name}>"


def load_rtl(project_dir: Path | str) -> RtlOperator:
    """Build the simulation of the RTL in `project_dir`, unless it is cached; see `load_many`."""
    return load_many([project_dir])[0]


def load_many(project_dirs: Sequence[Path | str]) -> list[RtlOperator]:
    """Build the simulations of several projects' RTL as one library, unless it is cached.

    Parameters
    ----------
    project_dirs : sequence of Path or str
        Project folders in which ``hwgen rtl`` has run; equal names do not matter.

    Raises
    ------
    InputError
        If a folder is no emitted project or has no RTL.
    ToolError
        If Verilator or the C++ compiler is missing, or rejects the RTL.
    """
    projects = [Project.read(folder) for folder in project_dirs]
    wrappers = [_wrapper(project, index) for index, project in enumerate(projects)]
    designs = [(_source(project), project.name) for project in projects]
    library = build_models(designs, wrappers, _OPTIMISATION)
    return [RtlOperator(project, library, index) for index, project in enumerate(projects)]


def _source(project: Project) -> Path:
    return project.path / "rtl" / f"{project.name}.sv"


def _latency(project: Project) -> tuple[int, bool]:
    """Return the latency in clock cycles and whether there is a clock, from the record of ``hwgen rtl``."""
    file = project.path / "rtl" / f"{project.name}.json"
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        return int(record["latency"]), int(record["stages"]) > 0
    except FileNotFoundError:
        raise InputError(f"{str(project.path)!r} has no RTL yet (run hwgen rtl first)") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"not a record of hwgen rtl ({error})", file=file) from error


def _wrapper(project: Project, index: int) -> str:
    """Return the C++ that joins the arrays to the ports of the Verilated class ``V<index>``."""
    output = project.output
    pointers = [f"const std::uint{p.storage_bits}_t* {p.name}_" for p in project.inputs]
    parameters = ", ".join([*pointers, f"std::uint{output.storage_bits}_t* {output.name}_"])
    head = _SIGNATURE.format(index=index, parameters=parameters)
    latency, clocked = _latency(project)
    if project.interface == "function":
        return head + _FUNCTION.format(
            latency=latency,
            sets=" ".join(f"hwgen::drive(dut.{p.name}, {p.name}_ + i * {p.limbs});" for p in project.inputs),
            output=output.name,
            limbs=output.limbs,
            width=output.width,
            clock="dut.ap_clk = level;" if clocked else "(void)level;",
        )
    return head + _STREAM.format(
        sources=_lines(
            f"hwgen::Source {p.name}_source(count, stalls, {n});" for n, p in enumerate(project.inputs)
        ),
        offers=_lines(
            f"dut.{p.name}_TVALID = {p.name}_source.offer(*report);"
            f" hwgen::drive(dut.{p.name}_TDATA, {p.name}_ + {p.name}_source.index() * {p.limbs});"
            for p in project.inputs
        ),
        takes=_lines(f"moved |= {p.name}_source.taken(dut.{p.name}_TREADY);" for p in project.inputs),
        unread=_lines(f'if (!{p.name}_source.empty()) ports += " {p.name}";' for p in project.inputs),
        output=output.name,
        limbs=output.limbs,
        width=output.width,
    )


def _lines(statements: Iterable[str]) -> str:
    return "\n            ".join(statements)
