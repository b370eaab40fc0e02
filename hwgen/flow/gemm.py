"""Matrix products through the emitted C++ of a unit: what hardware would compute, at native speed.

The unit's own C++ is inlined into a loop over the columns of the result, so that independent results share
vector registers; the order of the products within a result is that of `hwgen.golden.gemm`, bit for bit.
Nothing is tabulated or reformulated. The loops are in ``gemm_harness.hpp``; here are the generated names,
the operands and the threads.
"""

from __future__ import annotations

import ctypes
import os
import platform
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hwgen.emit import emit
from hwgen.errors import InputError
from hwgen.flow.gemm_register import start_states
from hwgen.flow.native_build import build_library, including
from hwgen.flow.project import BitArray, Project
from hwgen.operators import Operator
from hwgen.operators.matrix_step import MatrixStep
from hwgen.operators.packing import word_dtype
from hwgen.resources import templates_dir

__all__ = ["NativeGemm", "compile_gemm"]

_LANES, _FEW_LANES = 128, 32
"""Result columns side by side, and in a last panel that has no more than that."""

_ROWS, _LAST_ROWS = 64, 8
"""Rows of one task: enough that preparing its columns of b costs little. The last ones have fewer, so that no
thread waits long for another."""

_MAX_REGISTER = 64

_UNIT = """\
namespace {{

struct Unit {{
  static constexpr int terms = {terms};
  using a_t = hwgen_gemm::storage<{a_bits}>;
  using b_t = hwgen_gemm::storage<{b_bits}>;
  using c_t = hwgen_gemm::storage<{c_bits}>;

  static HWGEN_INLINE ap_uint<{a_word}> left(const a_t* elements) {{
    return hwgen_gemm::Joined<{a_bits}, terms>::of(elements, 1);
  }}
  static HWGEN_INLINE ap_uint<{b_word}> right(const b_t* elements, std::size_t stride) {{
    return hwgen_gemm::Joined<{b_bits}, terms>::of(elements, stride);
  }}
  template <class WORD>
  static HWGEN_INLINE c_t step(ap_uint<{a_word}> a, ap_uint<{b_word}> b, c_t c, WORD rand,
                               std::uint64_t mode) {{
    (void)rand;
    (void)mode;
    ap_uint<{c_bits}> y;
    [[clang::always_inline]] ::{name}(a, b, ap_uint<{c_bits}>(c){further}, y);
    return static_cast<c_t>(y.to_uint64());
  }}
}};

template <int LANES>
using Words = {words};

}}  // namespace

extern "C" void hwgen_gemm_panel(const hwgen_gemm::Problem* problem, std::size_t first, std::size_t last,
                                 std::size_t column, int used, void* panel) {{
  auto* const columns = static_cast<Unit::b_t*>(panel);
  if (used > {few_lanes}) {{
    hwgen_gemm::multiply_panel<Unit, Words<{lanes}>, {lanes}>(*problem, first, last, column, used, columns);
  }} else {{
    hwgen_gemm::multiply_panel<Unit, Words<{few_lanes}>, {few_lanes}>(*problem, first, last, column, used,
    columns);
  }}
}}
"""


class _Problem(ctypes.Structure):
    """``Problem`` of ``gemm_harness.hpp``."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("a", "b", "c", "states")),
        *((name, ctypes.c_uint64) for name in ("inner", "columns", "seed", "mode")),
    ]


class NativeGemm:
    """The matrix product of a unit, compiled for this machine; `__call__` says what it takes."""

    def __init__(self, step: MatrixStep, library: Path) -> None:
        self.step = step
        self.library = library
        self._panel = ctypes.CDLL(str(library)).hwgen_gemm_panel
        self._panel.restype = None
        self._panel.argtypes = [
            ctypes.POINTER(_Problem),
            *[ctypes.c_size_t] * 3,
            ctypes.c_int,
            ctypes.c_void_p,
        ]

    def __call__(
        self,
        a: npt.ArrayLike,
        b: npt.ArrayLike,
        c: npt.ArrayLike | None = None,
        *,
        seed: int = 0,
        mode: int | None = None,
        threads: int | None = None,
    ) -> BitArray:
        """Return a b + c, each result accumulated in order; the same bits for any number of threads.

        Parameters
        ----------
        a, b, c, seed, mode
            As `hwgen.operators.matrix_step.MatrixStep.golden`.
        threads : int, optional
            At least 1; default: as many as this process may use processors.

        Returns
        -------
        ndarray of shape (rows, columns)
            Bit patterns in the format of the result.

        Raises
        ------
        InputError
            If shapes do not fit, a pattern is too wide, or a number is out of range.
        """
        given = self.step.operands(a, b, c, seed=seed, mode=mode)
        if threads is None:
            threads = (
                len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
            )
        if threads < 1:
            raise InputError(f"threads {threads} out of range: legal: 1 or more")
        padding = -given.a.shape[1] % self.step.terms
        left = np.ascontiguousarray(np.pad(given.a, ((0, 0), (0, padding))))
        right = np.ascontiguousarray(np.pad(given.b, ((0, padding), (0, 0))))
        (rows, inner), columns = left.shape, right.shape[1]
        states = self._states(rows * columns, inner // self.step.terms)
        problem = _Problem(
            a=left.ctypes.data,
            b=right.ctypes.data,
            c=given.c.ctypes.data,
            states=None if states is None else states.ctypes.data,
            inner=inner,
            columns=columns,
            seed=seed,
            mode=given.mode,
        )

        def run(task: _Task) -> None:
            used = min(_LANES, columns - task.column)
            panel = np.empty(max(inner, 1) * _LANES, right.dtype)
            self._panel(
                ctypes.byref(problem), task.rows.start, task.rows.stop, task.column, used, panel.ctypes.data
            )

        tasks = _shared_out(rows, columns, threads)
        if threads == 1 or len(tasks) < 2:
            for task in tasks:
                run(task)
        else:
            with ThreadPoolExecutor(min(threads, len(tasks))) as pool:
                list(pool.map(run, tasks))
        return given.c

    def _states(self, count: int, steps: int) -> npt.NDArray[np.unsignedinteger[npt.NBitBase]] | None:
        """Return the state of the unit's own generator at the start of each result, if it has one."""
        register = self.step.operator.state
        if register is None or not count:
            return None
        return start_states(register, count, steps * register.bits).astype(word_dtype(register.width))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.step.operator.name}>"


class _Task(NamedTuple):
    """A part of the result: rows of one panel of columns."""

    rows: range
    column: int


def _shared_out(rows: int, columns: int, threads: int) -> list[_Task]:
    """Cut a result into tasks, the last one of each thread into small ones."""
    tasks = [
        _Task(range(row, min(row + _ROWS, rows)), column)
        for row, column in product(range(0, rows, _ROWS), range(0, columns, _LANES))
    ]
    if threads == 1:
        return tasks
    return tasks[:-threads] + [
        _Task(task.rows[first : first + _LAST_ROWS], task.column)
        for task in tasks[-threads:]
        for first in range(0, len(task.rows), _LAST_ROWS)
    ]


def compile_gemm(operator: Operator) -> NativeGemm:
    """Emit `operator` and compile its matrix product, unless that is cached.

    Raises
    ------
    InputError
        If the operator is no step of a matrix product, or its generator has more than 64 bits.
    ToolError
        If a compiler is missing.
    """
    step = MatrixStep.of(operator)
    words = _words(step)
    beside = {"gemm_harness.hpp": _harness()}
    lfsr = "hwgen/lfsr.hpp"  # no part of a project that takes its random words from a port
    beside[lfsr] = (templates_dir() / "include" / lfsr).read_text(encoding="utf-8")
    # Vectors of 512 bits: the unit is long and free of memory accesses, so they do not wait for anything.
    flags = ["-mprefer-vector-width=512"] if platform.machine() in ("x86_64", "AMD64") else []
    with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
        project = Project.read(emit(step.unit, Path(folder) / step.unit.name))
        code = including(f"{project.name}.cpp", "gemm_harness.hpp") + _unit(step, words)
        library = build_library(
            "gemm", code, [project.path / "src", project.path / "open"], beside=beside, flags=flags
        )
    return NativeGemm(step, library)


def _harness() -> str:
    return Path(__file__).with_name("gemm_harness.hpp").read_text(encoding="utf-8")


def _unit(step: MatrixStep, words: str) -> str:
    """Return the C++ that names the unit and its ports."""
    left, right = step.factors
    further = {"mode": "mode", "rand": "rand"}
    ports = step.unit.inputs[3:]
    return _UNIT.format(
        name=step.unit.name,
        terms=step.terms,
        a_bits=left.layout[0],
        b_bits=right.layout[0],
        a_word=left.width,
        b_word=right.width,
        c_bits=step.addend.width,
        further="".join(f", ap_uint<{port.width}>({further[port.name]})" for port in ports),
        words=words,
        lanes=_LANES,
        few_lanes=_FEW_LANES,
    )


def _words(step: MatrixStep) -> str:
    """Return the C++ type of the random words."""
    register = step.operator.state
    if register is not None:
        if register.width > _MAX_REGISTER:
            raise InputError(
                f"{step.operator.name} has a generator of {register.width} bits: "
                f"legal for a native matrix product: up to {_MAX_REGISTER}"
            )
        return f"hwgen_gemm::RegisterWords<{register.bits}, {register.width}, {register.taps:#x}u, LANES>"
    return f"hwgen_gemm::CounterWords<{step.bits}, LANES>" if step.bits else "hwgen_gemm::NoWords"
