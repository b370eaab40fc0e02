"""``hwgen eval``: an operator as a filter of hex words."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hwgen.cli.output import example
from hwgen.errors import InputError

if TYPE_CHECKING:
    from hwgen.operators import Port

__all__ = ["evaluate"]

_CHUNK = 1 << 20
_HEX = re.compile(r"(?:0[xX])?[0-9a-fA-F]+")


@click.command(
    name="eval",
    short_help="Filter hex operands to hex results.",
    epilog=example('echo "38 3c" | hwgen eval examples/mul_e4m3fn_e5m2_bf16.yaml'),
)
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--engine",
    type=click.Choice(["golden", "csim", "rtl"]),
    default="golden",
    show_default=True,
    help="What computes.",
)
def evaluate(spec: Path, engine: str) -> None:
    """Filter: a line of hex operands in port order gives a line with the hex result.

    Results follow as soon as their lines are in. A unit with state, such as an on-unit random generator or an
    accumulator, takes the lines in order from reset on, and all of them are read before the first result.
    """
    from hwgen import api

    unit = api.operator(spec)
    compute = unit.engine(engine)
    digits = -(-unit.output.width // 4)
    number = 0
    for lines in _batches(whole=unit.definition.state is not None or unit.definition.sequential):
        operands, fault = _parse(lines, number, unit.inputs)
        number += len(lines)
        if operands[0]:
            arrays = [port.array(column) for column, port in zip(operands, unit.inputs, strict=True)]
            results = unit.output.words(compute(*arrays))
            sys.stdout.write("".join(f"{result:0{digits}x}\n" for result in results))
            sys.stdout.flush()
        if fault is not None:
            raise fault


def _batches(*, whole: bool) -> Iterator[list[str]]:
    """Yield the lines of standard input, as many at a time as have arrived; all at once if `whole`."""
    descriptor = sys.stdin.fileno()
    waiting = b""
    while chunk := os.read(descriptor, _CHUNK):
        waiting += chunk
        if whole:
            continue
        complete, newline, waiting = waiting.rpartition(b"\n")
        if newline:
            yield complete.decode("utf-8", "replace").split("\n")
    if waiting:
        yield waiting.decode("utf-8", "replace").removesuffix("\n").split("\n")


def _parse(
    lines: Sequence[str], before: int, ports: Sequence[Port]
) -> tuple[list[list[int]], InputError | None]:
    """Return a column of operands for each port, up to the first bad line, and what is wrong with that."""
    columns: list[list[int]] = [[] for _ in ports]
    for number, line in enumerate(lines, before + 1):
        try:
            row = _parse_line(line, ports)
        except InputError as error:
            return columns, error.at("stdin", number)
        for column, word in zip(columns, row, strict=True):
            column.append(word)
    return columns, None


def _parse_line(line: str, ports: Sequence[Port]) -> list[int]:
    words = line.split()
    if len(words) != len(ports):
        names = ", ".join(f"{port.name} ({port.width} bits)" for port in ports)
        raise InputError(f"{len(words)} words in {line[:70]!r}: legal: {len(ports)} hex words, {names}")
    row = []
    for word, port in zip(words, ports, strict=True):
        if not _HEX.fullmatch(word):
            raise InputError(
                f"the operand {port.name} = {word[:70]!r} is not a hex word: legal: 0..{_limit(port):x}"
            )
        value = int(word, 16)
        if value > _limit(port):
            raise InputError(
                f"the operand {port.name} = {word[:70]!r} is wider than {port.width} bits: "
                f"legal: 0..{_limit(port):x}"
            )
        row.append(value)
    return row


def _limit(port: Any) -> int:
    return int((1 << port.width) - 1)
