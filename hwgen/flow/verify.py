"""Check that all witnesses of an operator give the same bits: golden = compiled C++ = simulated RTL.

Golden is computed first; then every engine runs on the same vectors and is compared with it:

- ``csim``: the emitted C++, compiled natively;
- ``rtl``: the RTL of that C++ in Verilator, every vector; stream tops a second time with random stalls;
- ``cocotb``: the RTL again, under the independent bench of ``sim/``, on a sample; stream tops with stalls.

What the vectors are is `hwgen.flow.verify_vectors`' business, how it reads is `hwgen.flow.verify_report`'s.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.emit import emit
from hwgen.errors import CheckError, InputError, legal_values
from hwgen.flow.csim import compile_native
from hwgen.flow.fresh_rtl import fresh_rtl
from hwgen.flow.project import BitArray, Project
from hwgen.flow.simulate import simulate
from hwgen.flow.verify_report import EngineResult, Mismatch, VerifyReport, Word
from hwgen.flow.verify_vectors import VectorSet, choose_vectors, write_vectors
from hwgen.flow.verilated import load_rtl
from hwgen.operators import Operator, Port, load, load_project

__all__ = ["ENGINES", "verify"]

ENGINES = ("csim", "rtl", "cocotb")
"""What can be compared with golden."""

_DEFAULT_VECTORS = 1_000_000
_COCOTB_VECTORS = 4096
_STALL = 0.3
_SHOWN = 10


def verify(
    spec_or_dir: str | Path | Mapping[str, Any],
    *,
    vectors: int | None = None,
    seed: int = 1,
    engines: Sequence[str] | None = None,
    exhaustive_bits: int = 16,
    progress: Callable[[str], None] | None = None,
) -> VerifyReport:
    """Compare the engines with golden, bit against bit.

    Parameters
    ----------
    spec_or_dir : str, Path or mapping
        A spec, which is emitted to a temporary folder; or an emitted project, whose C++ and RTL are taken as
        they are and which gets ``verify.json`` and ``verify.txt``. RTL is made if there is none, or if it was
        made from other C++.
    vectors : int, optional
        Hard and random vectors where the input space is too large to exhaust; default 1,000,000.
    seed : int
        Seed of the vectors and of the stalls.
    engines : sequence of str, optional
        Some of `ENGINES`; default all.
    exhaustive_bits : int
        Up to this many input bits all combinations are run; and of the factors, where the other operands
        have too many.
    progress : callable, optional
        Called with what is being done, in words.

    Returns
    -------
    VerifyReport
        Passed only if every engine has looked at vectors and agrees with golden on each.

    Raises
    ------
    InputError
        If the spec, the project or an argument is not legal.
    ToolError
        If a tool is missing, or does not take the design.
    """
    chosen = tuple(engines) if engines else ENGINES
    for engine in chosen:
        if engine not in ENGINES:
            raise InputError(legal_values("engine", engine, ENGINES))
    count = _DEFAULT_VECTORS if vectors is None else vectors
    if count < 1:
        raise InputError(f"{count} vectors verify nothing; at least 1 is needed")
    start = time.monotonic()
    say = progress or (lambda _: None)
    with ExitStack() as stack:
        folder, operator = _open(spec_or_dir, stack)
        say("golden")
        chosen_vectors = choose_vectors(operator, count=count, seed=seed, exhaustive_bits=exhaustive_bits)
        job = _Job(
            operator=operator,
            folder=folder,
            vectors=chosen_vectors,
            golden=operator.golden(*chosen_vectors.operands),
            seed=seed,
        )
        if {"rtl", "cocotb"} & set(chosen):
            say("C++ to RTL")
            fresh_rtl(folder)
        findings = _run(job, chosen, say)
        report = VerifyReport(
            name=operator.name,
            kind=operator.kind,
            spec_sha256=Project.read(folder).manifest["spec_sha256"],
            vectors=len(chosen_vectors),
            coverage=chosen_vectors.coverage,
            seed=seed,
            engines=tuple(finding.summary() for finding in findings),
            mismatches=_mismatches(job, findings),
            seconds=round(time.monotonic() - start, 3),
        )
        if _is_project(spec_or_dir):
            _write(report, folder)
    return report


@dataclass(frozen=True, kw_only=True)
class _Job:
    """What every engine gets."""

    operator: Operator
    folder: Path
    vectors: VectorSet
    golden: BitArray
    seed: int


@dataclass(frozen=True, kw_only=True)
class _Finding:
    """What an engine found; `results` maps witnesses to their answers to all vectors."""

    engine: str
    vectors: int
    different: int
    results: dict[str, BitArray]
    mismatches: tuple[Mismatch, ...] = ()
    note: str = ""
    error: str = ""
    seconds: float = 0.0

    def summary(self) -> EngineResult:
        return EngineResult(
            engine=self.engine,
            vectors=self.vectors,
            mismatches=self.different,
            seconds=round(self.seconds, 3),
            note=self.note,
            error=self.error,
        )


def _is_project(spec_or_dir: str | Path | Mapping[str, Any]) -> bool:
    return not isinstance(spec_or_dir, Mapping) and Path(spec_or_dir).is_dir()


def _open(spec_or_dir: str | Path | Mapping[str, Any], stack: ExitStack) -> tuple[Path, Operator]:
    if _is_project(spec_or_dir):
        assert not isinstance(spec_or_dir, Mapping)  # noqa: S101  (for the type checker)
        return Path(spec_or_dir), load_project(Path(spec_or_dir))
    operator = load(spec_or_dir if isinstance(spec_or_dir, Mapping) else Path(spec_or_dir))
    temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="hwgen-"))
    return emit(operator, Path(temporary) / operator.name), operator


def _run(job: _Job, engines: Sequence[str], say: Callable[[str], None]) -> list[_Finding]:
    """Run the engines; cocotb's, which spends its time in other processes, beside the others."""
    runners = {"csim": _run_csim, "rtl": _run_rtl}
    with ThreadPoolExecutor(max_workers=1) as beside:
        waiting = beside.submit(_timed, _run_cocotb, job) if "cocotb" in engines else None
        findings = {}
        for engine in engines:
            if engine in runners:
                say(engine)
                findings[engine] = _timed(runners[engine], job)
        if waiting is not None:
            say("cocotb")
            findings["cocotb"] = waiting.result()
    return [findings[engine] for engine in engines]


def _timed(runner: Callable[[_Job], _Finding], job: _Job) -> _Finding:
    start = time.monotonic()
    finding = runner(job)
    return replace(finding, seconds=time.monotonic() - start)


def _run_csim(job: _Job) -> _Finding:
    native = compile_native(job.folder)
    try:
        result = native(*job.vectors.operands, results=len(job.golden))
    except CheckError as error:
        return _Finding(engine="csim", vectors=0, different=0, results={}, error=str(error))
    return _compare(job, "csim", {"csim": result}, note="")


def _run_rtl(job: _Job) -> _Finding:
    rtl = load_rtl(job.folder)
    try:
        due = len(job.golden)
        plain = rtl.run(*job.vectors.operands, results=due)
        if job.operator.interface == "function":
            return _compare(job, "rtl", {"rtl": plain.result}, note="")
        stalled = rtl.run(*job.vectors.operands, stall=_STALL, seed=job.seed, results=due)
    except CheckError as error:
        return _Finding(engine="rtl", vectors=0, different=0, results={}, error=str(error))
    results = {"rtl": plain.result, "rtl with stalls": stalled.result}
    return _compare(job, "rtl", results, note=_stall_note(stalled.withheld, stalled.refused))


def _run_cocotb(job: _Job) -> _Finding:
    sample = job.vectors.sample(_COCOTB_VECTORS, head=job.operator.sequential)
    golden = job.operator.golden(*sample.operands)
    with tempfile.TemporaryDirectory(prefix="hwgen-") as temporary:
        path = Path(temporary, "vectors.txt")
        write_vectors(path, job.operator, sample.operands, golden)
        bench = simulate(job.folder, vectors=path, stall=_STALL, seed=job.seed)
    streams = job.operator.interface == "stream"
    error = bench.error if bench.mismatches == 0 else ""
    if not error and streams and not (bench.withheld and bench.refused):
        error = "no stall happened, in a run that is there for them"
    return _Finding(
        engine="cocotb",
        vectors=bench.checked,
        different=bench.mismatches,
        results={},
        mismatches=tuple(
            _mismatch(job, sample, index, {"golden": _result(job, golden, index), "cocotb": got})
            for index, got in bench.differences
        ),
        note=_stall_note(bench.withheld, bench.refused) if streams else "",
        error=error,
    )


def _stall_note(withheld: int, refused: int) -> str:
    return f"stalls: inputs paused in {withheld} cycles, the output in {refused}"


def _compare(job: _Job, engine: str, results: dict[str, BitArray], *, note: str) -> _Finding:
    differs = _differences(job, results.values())
    return _Finding(
        engine=engine,
        vectors=len(job.golden),
        different=int(np.count_nonzero(differs)),
        results=results,
        note=note,
    )


def _mismatches(job: _Job, findings: Sequence[_Finding]) -> tuple[Mismatch, ...]:
    """Return the first vectors that any engine differs on, with every engine's answer to them."""
    witnesses = {"golden": job.golden}
    for finding in findings:
        witnesses |= finding.results
    differs = _differences(job, witnesses.values())
    found = [
        _mismatch(job, job.vectors, index, {name: _result(job, r, index) for name, r in witnesses.items()})
        for index in np.flatnonzero(differs)[:_SHOWN].tolist()
    ]
    # The bench runs on a sample of its own, so its mismatches stand alone.
    alone = [mismatch for finding in findings for mismatch in finding.mismatches]
    return tuple((found + alone)[:_SHOWN])


def _differences(job: _Job, results: Iterable[BitArray]) -> NDArray[np.bool_]:
    """Return which of the results any witness differs from golden in."""
    differs = np.zeros(len(job.golden), dtype=bool)
    for result in results:
        different = result != job.golden
        differs |= different if different.ndim == 1 else different.any(axis=-1)
    return differs


def _result(job: _Job, results: BitArray, index: int) -> int:
    return job.operator.output.words(results[index : index + 1])[0]


def _mismatch(job: _Job, vectors: VectorSet, index: int, results: Mapping[str, int | str]) -> Mismatch:
    """Describe result `index`; its operands are those of the activation that released it."""
    operator, activation = job.operator, index
    counts = operator.result_counts(*vectors.operands)
    if counts is not None:
        activation = int(np.searchsorted(np.cumsum(counts), index, side="right"))
    operands = zip(operator.inputs, vectors.operands, strict=True)
    return Mismatch(
        index=index,
        operands=tuple(
            _word(port, port.words(column[activation : activation + 1])[0]) for port, column in operands
        ),
        results={witness: _word(operator.output, word) for witness, word in results.items()},
    )


def _word(port: Port, word: int | str) -> Word:
    """Describe a word at a port; text is a simulator's bits with X or Z among them."""
    if isinstance(word, str):
        return Word(port=port.name, bits=word, value="")
    elements = port.array([word]).reshape(-1)
    values = [
        f"{code:#x}" if format_ is None else str(format_.decode(np.array([code], dtype=format_.dtype))[0])
        for code, format_ in zip(elements.tolist(), port.element_formats, strict=True)
    ]
    plain = not port.packed and port.format is None
    return Word(
        port=port.name,
        bits=f"{word:#0{2 + -(-port.width // 4)}x}",
        value="" if plain else " ".join(values),
    )


def _write(report: VerifyReport, folder: Path) -> None:
    try:
        report.write(folder)
    except OSError as error:
        raise InputError(f"cannot write the report into {str(folder)!r}: {error.strerror}") from error
