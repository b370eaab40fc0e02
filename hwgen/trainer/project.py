"""A trainer core as the files of an HLS project, in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby

from hwgen import __version__
from hwgen.emit import MANIFEST, bench, digest, environment, included
from hwgen.emit.context import DEFAULT_CLOCK_PS
from hwgen.emit.cpp import comment, constant, parameters, rounding_type
from hwgen.errors import InputError
from hwgen.formats import Overflow, Rounding
from hwgen.resources import templates_dir
from hwgen.trainer.commands import FieldRow, field_table
from hwgen.trainer.describe import code_table, command_table
from hwgen.trainer.generators import Generators
from hwgen.trainer.judge import LAST_COUNTER
from hwgen.trainer.netlist import Kernel, Network
from hwgen.trainer.network import network_of
from hwgen.trainer.regression import program_of, program_text, regression_text, scenarios
from hwgen.trainer.sizes import CoreSizes
from hwgen.trainer.spec import TrainerSpec
from hwgen.trainer.status import STATUS_BITS, status_table

__all__ = ["render_core"]

_COLUMNS = 120
_BUILT_COLS = (4, 8)
"""A beat of weights belongs to one result word, and its integers of 16 bits fill at most one beat."""


def render_core(spec: TrainerSpec) -> dict[str, bytes]:
    """Return every file of the project of a core: path below the project folder to content.

    The same spec always gives the same bytes.

    Raises
    ------
    InputError
        If the spec asks for what no core does yet.
    """
    if spec.array.cols not in _BUILT_COLS:
        raise InputError(f"array.cols {spec.array.cols} is not built yet: legal: 4, 8")
    name, sizes = spec.name, CoreSizes.of(spec)
    network = network_of(sizes)
    program, found = program_of(spec), list(scenarios(spec))
    context = {
        "name": name,
        "version": __version__,
        "sizes": sizes,
        "network": network,
        "command_table": {
            command: list(rows) for command, rows in groupby(field_table(), key=lambda row: row.command)
        },
        "last_counter": LAST_COUNTER,
        "rounding_type": rounding_type(_rounding(spec), Overflow.SATURATE),
        "rounding_sentence": _rounding_sentence(spec),
        "random": spec.generators or Generators(1, 1, 1, 1, 0),
        "constant": constant,
        "edge_parameters": [_parameter(network, stream.name) for stream in network.streams],
        "kernel_parameters": lambda kernel: _kernel_parameters(network, kernel),
        "comment": comment,
        "parameters": parameters,
        "statement": _statement,
        "declarations": _declarations,
        "list": list,
        "commands": command_table(),
        "status_table": status_table(),
        "status_bits": STATUS_BITS,
        "codes": code_table(),
        "target": spec.target,
        "clock_ns": f"{(spec.target.clock_ps or DEFAULT_CLOCK_PS) / 1000:g}",
        "program_commands": len(program.commands),
        "scenario_count": len(found),
    }

    def render(template: str) -> bytes:
        text: str = environment().get_template(f"trainer/{template}.j2").render(context)
        return text.encode()

    files = {
        f"src/{name}.hpp": render("top.hpp"),
        f"src/{name}.cpp": render("top.cpp"),
        "src/trainer_commands.hpp": render("commands.hpp"),
    }
    include = templates_dir() / "include"
    sources = b"\n".join(files.values())
    files |= {
        f"tb/tb_{name}.cpp": render("tb.cpp"),
        "tb/program.txt": program_text(program),
        "tb/regression.json": regression_text(found),
        "vitis/hls_config.cfg": render("hls_config.cfg"),
        "vitis/run_hls.tcl": render("run_hls.tcl"),
        "Makefile": render("Makefile"),
        "README.md": render("README.md"),
    }
    files |= {f"sim/{path}": text for path, text in bench("trainer_bench").items()}
    files |= {f"src/{path}": text for path, text in included(sources, include).items()}
    stand_ins = (
        b"#include <ap_int.h>\n#include <hls_stream.h>\n#include <hls_task.h>\n#include <ap_axi_sdata.h>\n"
    )
    files |= {f"open/{path}": text for path, text in included(stand_ins, include / "open").items()}
    files[MANIFEST] = _manifest(spec, network, files)
    return dict(sorted(files.items()))


def _rounding(spec: TrainerSpec) -> Rounding:
    return Rounding(spec.rounding.mode, spec.rounding.bits)


def _rounding_sentence(spec: TrainerSpec) -> str:
    if spec.rounding.bits:
        return f"stochastic, {spec.rounding.bits} random bits an element."
    return f"{spec.rounding.mode.value}."


def _manifest(spec: TrainerSpec, network: Network, files: dict[str, bytes]) -> bytes:
    data = spec.to_yaml()
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
    manifest = {
        "hwgen": __version__,
        "kind": "trainer",
        "name": spec.name,
        "interface": "network",
        "spec": data,
        "spec_sha256": digest(canonical.encode()),
        "network": network.record(spec.name),
        "target": spec.target.model_dump(mode="json"),
        "files": {path: digest(content) for path, content in sorted(files.items())},
    }
    return (json.dumps(manifest, indent=2) + "\n").encode()


def _parameter(network: Network, name: str) -> str:
    return f"hls::stream<{network.cpp_type(name)}>& {name}"


def _kernel_parameters(network: Network, kernel: Kernel) -> list[str]:
    return [_parameter(network, name) for name in (*kernel.inputs, *kernel.outputs)]


def _statement(opening: str, items: Sequence[str], closing: str) -> str:
    """Return a call on one line, broken under its bracket, or below it where the opening is long."""
    line = f"{opening}{', '.join(items)}{closing}"
    if len(line) <= _COLUMNS:
        return line
    if len(opening) < _COLUMNS // 2:
        return parameters(opening, items, closing)
    indent = " " * (len(opening) - len(opening.lstrip()) + 4)
    return f"{opening}\n{parameters(indent, items, closing)}"


def _declarations(rows: Sequence[FieldRow]) -> str:
    """Return the members of a command's struct, their meanings in one column."""
    lines = [f"    ap_{'int' if row.signed else 'uint'}<{row.width}> {row.field};" for row in rows]
    column = max(map(len, lines), default=0) + 2
    return "\n".join(f"{line:{column}}// {row.meaning}" for line, row in zip(lines, rows, strict=True))
