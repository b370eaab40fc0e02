"""Kinds whose formats are chosen at run time by a port `mode`, made from the kinds of fixed formats.

Ports, golden model and vectors of mode k are those of the plain kind with mode k's formats; here is only how
the modes share words. Narrow formats lie in the low bits of the widest's word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.formats.checks import storage_dtype
from hwgen.golden.select import selected
from hwgen.operators.kind import Kind
from hwgen.operators.port import Port
from hwgen.spec.selection import SelectedSpec, plain_specs

__all__ = ["selected_kind"]

Bits = NDArray[np.unsignedinteger[Any]]


def selected_kind(plain: Kind, *, spec_model: type[SelectedSpec], result: str) -> Kind:
    """Return the kind of the specs of `plain` whose formats are lists.

    Parameters
    ----------
    plain : Kind
        A kind of ports named by the keys of `formats`, of one number or several of one format, each
        activation taking one random word at most.
    spec_model : type
        Record of the specs with lists.
    result : str
        Key of the result's formats.
    """
    return Kind(
        name=plain.name,
        summary=f"{plain.summary}; formats selected by the port mode",
        spec_model=spec_model,
        inputs=lambda spec: (
            *(_port(port, port.name, spec) for port in _operands(plain, spec)),
            _mode_port(spec),
        ),
        output=lambda spec: _port(plain.output(plain_specs(spec)[0]), result, spec),
        golden=partial(_golden, plain, result),
        vectors=partial(_vectors, plain),
        example=plain.example,
        extras=plain.extras,
        sentences=_sentences,
    )


def _operands(plain: Kind, spec: SelectedSpec) -> tuple[Port, ...]:
    return plain.inputs(plain_specs(spec)[0])


def _port(first: Port, key: str, spec: SelectedSpec) -> Port:
    """Return the port that is `first` in mode 0, for the formats of `key` in every mode."""
    formats = spec.lists[key]
    if len(formats) == 1:
        return first
    width = max(format_.width for format_ in formats)
    names = [format_.name for format_ in formats]
    above = "zeros above them" if first.name == "y" else "what is above them is ignored"
    holds = f"{', '.join(names[:-1])} or {names[-1]} by mode, in the low bits; {above}"
    if first.packed:
        holds = f"{first.elements} elements of {width} bits, element 0 lowest, each {holds}"
    field = replace(first.fields[0], width=width, format=None)
    return replace(first, fields=(field,), holds=holds)


def _mode_port(spec: SelectedSpec) -> Port:
    beyond = "" if spec.modes == 1 << spec.mode_bits else f"; {spec.modes} and above are as {spec.modes - 1}"
    return Port.bits("mode", spec.mode_bits, f"the mode, 0 to {spec.modes - 1}{beyond}")


def _golden(
    plain: Kind, result: str, spec: SelectedSpec, operands: Sequence[NDArray[Any]], rand: NDArray[Any] | None
) -> Bits:
    *words, mode = operands

    def unit(of_mode: Any) -> Callable[..., Bits]:
        return lambda *patterns: plain.golden(of_mode, patterns[:-1], patterns[-1])

    specs = plain_specs(spec)
    return selected(
        [unit(of_mode) for of_mode in specs],
        words,
        mode,
        widths=[[port.layout[0] for port in plain.inputs(of_mode)] for of_mode in specs],
        vectors=[port.packed for port in _operands(plain, spec)],
        dtype=np.dtype(storage_dtype(max(format_.width for format_ in spec.lists[result]))),
        rand=rand,
    )


def _vectors(plain: Kind, spec: SelectedSpec, count: int, rng: np.random.Generator) -> list[Bits]:
    """Return the plain kind's vectors of every mode, with anything above the narrow formats."""
    mode = rng.integers(0, 1 << spec.mode_bits, count).astype(np.uint64)
    specs = plain_specs(spec)
    ports = [_port(port, port.name, spec) for port in _operands(plain, spec)]
    columns = [np.zeros(port.shape((count,)), np.uint64) for port in ports]
    for number, of_mode in enumerate(specs):
        chosen = np.minimum(mode, len(specs) - 1) == number
        hard = plain.vectors(of_mode, int(chosen.sum()), rng)
        for column, codes, port, narrow in zip(columns, hard, ports, plain.inputs(of_mode), strict=True):
            word = rng.integers(0, (1 << port.layout[0]) - 1, codes.shape, np.uint64, endpoint=True)
            keep = np.uint64((1 << narrow.layout[0]) - 1)
            column[chosen] = word & ~keep | np.asarray(codes, np.uint64) & keep
    return [*columns, mode]


def _sentences(spec: SelectedSpec) -> list[str]:
    specs = plain_specs(spec)
    sentences = []
    for mode, of_mode in enumerate(specs):
        formats = ", ".join(f"{key} {getattr(of_mode.formats, key).name}" for key in spec.lists)
        beyond = " or above" if mode == len(specs) - 1 and len(specs) < 1 << spec.mode_bits else ""
        sentences.append(f"Mode {mode}{beyond}: {formats}.")
    sentences.append(
        "In each mode every result, NaNs, infinities and zeros included, is that of a unit of these formats."
    )
    return sentences
