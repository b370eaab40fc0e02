"""An operator as the files of a project, in memory: nothing here touches the output folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from hwgen import __version__
from hwgen.emit.context import render_context
from hwgen.operators import Operator, Port
from hwgen.resources import cache_dir, sim_dir, templates_dir

__all__ = [
    "MANIFEST",
    "bench",
    "digest",
    "environment",
    "included",
    "manifest_of",
    "render_project",
    "vector_lines",
]

MANIFEST = "manifest.json"

_VECTORS = 2048
_EXHAUSTIVE_BITS = 12  # up to 4096 vectors, all there are; above that, `_VECTORS` hard and random ones
_SEED = 1
_IMPORT = re.compile(r"^(?:from|import) (\w+)", re.MULTILINE)
_INCLUDE = re.compile(r'^#include ["<]((?:hwgen/)?(?:trainer/)?\w+\.(?:hpp|h))[">]', re.MULTILINE)


def render_project(operator: Operator) -> dict[str, bytes]:
    """Return every file of the project of `operator`: path below the project folder to content.

    The same operator always gives the same bytes.
    """
    operands, source = _vectors(operator)
    context = render_context(operator) | {"vector_count": len(operands[0]), "vector_source": source}

    def render(template: str) -> bytes:
        text: str = environment().get_template(f"project/{template}.j2").render(context)
        return text.encode()

    name = operator.name
    files = {
        f"src/{name}.hpp": render("top.hpp"),
        f"src/{name}.cpp": render("top.cpp"),
        f"tb/tb_{name}.cpp": render("tb.cpp"),
        "tb/vectors.txt": _vector_file(operator, operands, source),
        "vitis/hls_config.cfg": render("hls_config.cfg"),
        "vitis/run_hls.tcl": render("run_hls.tcl"),
        "Makefile": render("Makefile"),
        "README.md": render("README.md"),
    }
    include = templates_dir() / "include"
    files |= {f"src/{path}": text for path, text in included(files[f"src/{name}.cpp"], include).items()}
    stand_ins = b"#include <ap_int.h>\n#include <hls_stream.h>\n"
    files |= {f"open/{path}": text for path, text in included(stand_ins, include / "open").items()}
    files |= {f"sim/{path}": text for path, text in bench("bench").items()}
    files[MANIFEST] = manifest_of(operator, files)
    return dict(sorted(files.items()))


@cache
def environment() -> jinja2.Environment:
    """Return Jinja2 on our templates; kept, for it compiles each template once."""
    return jinja2.Environment(
        bytecode_cache=_bytecode_cache(),
        loader=jinja2.FileSystemLoader(templates_dir()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (C++, not HTML; names are checked identifiers)
    )


def _bytecode_cache() -> jinja2.BytecodeCache | None:
    """Return where Jinja2 keeps templates that it has compiled, its slowest step; None if nowhere."""
    folder = cache_dir() / "templates"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return jinja2.FileSystemBytecodeCache(str(folder)) if os.access(folder, os.W_OK) else None


def manifest_of(operator: Operator, files: dict[str, bytes]) -> bytes:
    """Return the manifest: the normalised spec, the ports, and the hash of every other file."""
    spec = operator.spec.to_yaml()
    canonical = json.dumps(spec, sort_keys=True, separators=(",", ":"))
    state = operator.state
    manifest = {
        "hwgen": __version__,
        "kind": operator.kind,
        "name": operator.name,
        "interface": operator.interface,
        "spec": spec,
        "spec_sha256": digest(canonical.encode()),
        "inputs": [_port_record(port) for port in operator.inputs],
        "output": _port_record(operator.output),
        "lfsr": None if state is None else vars(state),
        "sequential": operator.sequential,
        "variable_rate": operator.definition.results is not None,
        "target": operator.spec.target.model_dump(mode="json"),
        "files": {path: digest(content) for path, content in sorted(files.items())},
    }
    return (json.dumps(manifest, indent=2) + "\n").encode()


def _port_record(port: Port) -> dict[str, Any]:
    record: dict[str, Any] = {
        "name": port.name,
        "width": port.width,
        "format": None if port.format is None else port.format.name,
    }
    if port.packed:
        record["fields"] = [
            {
                "name": field.name,
                "width": field.width,
                "count": field.count,
                "format": None if field.format is None else field.format.name,
            }
            for field in port.fields
        ]
    return record


def digest(content: bytes) -> str:
    """Return the hash by which a manifest knows a file."""
    return hashlib.sha256(content).hexdigest()


def _vectors(operator: Operator) -> tuple[tuple[np.ndarray[Any, Any], ...], str]:
    everything = operator.exhaustive(limit=_EXHAUSTIVE_BITS)
    if everything is not None:
        return everything, "all operand combinations"
    return operator.vectors(_VECTORS, seed=_SEED), "hard and random"


def _vector_file(operator: Operator, operands: tuple[np.ndarray[Any, Any], ...], source: str) -> bytes:
    results = operator.golden(*operands)
    heading = [
        f"# Golden vectors of {operator.name}: {len(operands[0])}, {source}.",
        *(["# In order from reset: each takes the generator's next words."] if operator.state else []),
        *(["# In order from reset: results depend on the vectors before."] if operator.sequential else []),
        f"# {' '.join(port.name for port in operator.inputs)} -> {operator.output.name}, hex words",
    ]
    lines = vector_lines(operator, operands, results)
    return ("\n".join([*heading, *lines]) + "\n").encode()


def vector_lines(
    operator: Operator, operands: Sequence[np.ndarray[Any, Any]], results: np.ndarray[Any, Any]
) -> Iterator[str]:
    """Yield the lines of a vector file: operands in port order, then the results they release, as hex words.

    `operands` and `results` are arrays of `operator`'s ports, of one leading axis.
    """
    counts = operator.result_counts(*operands)
    columns = [port.words(column) for port, column in zip(operator.inputs, operands, strict=True)]
    line = " ".join(f"%0{-(-port.width // 4)}x" for port in operator.inputs)
    result = f" %0{-(-operator.output.width // 4)}x"
    released = iter(operator.output.words(results))
    for index, row in enumerate(zip(*columns, strict=True)):
        count = 1 if counts is None else int(counts[index])
        yield line % row + "".join(result % word for word in islice(released, count))


def included(text: bytes, folder: Path) -> dict[str, bytes]:
    """Return the headers below `folder` that `text` includes, with what they include in turn."""
    found: dict[str, bytes] = {}
    waiting = list(_INCLUDE.findall(text.decode()))
    while waiting:
        header = waiting.pop()
        path = folder / header
        if header not in found and path.is_file():
            found[header] = path.read_bytes()
            waiting += _INCLUDE.findall(found[header].decode())
    return found


def bench(name: str) -> dict[str, bytes]:
    """Return the script that runs a bench of ``sim/``, the module `name`, and what both import."""
    root = sim_dir()
    found: dict[str, bytes] = {}
    waiting = ["run", name]
    while waiting:
        file = f"{waiting.pop()}.py"
        path = root / file
        if file not in found and path.is_file():
            found[file] = path.read_bytes()
            waiting += _IMPORT.findall(found[file].decode())
    return dict(sorted(found.items()))
