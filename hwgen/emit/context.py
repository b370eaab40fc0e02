"""What the templates are given about an operator: words, types and sentences, no decisions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hwgen import __version__
from hwgen.emit import cpp
from hwgen.formats import BlockFormat, Format
from hwgen.operators import Field, Operator, Port
from hwgen.operators.describe import format_sentence, overflow_sentence, rounding_sentence, special_sentences
from hwgen.operators.port import ElementFormat
from hwgen.spec import OperatorSpec, Record
from hwgen.spec.selection import SelectedSpec

__all__ = ["render_context"]

DEFAULT_CLOCK_PS = 5000  # 200 MHz: what the part's logic reaches without effort


def render_context(operator: Operator) -> dict[str, Any]:
    """Return the variables and functions of the project templates."""
    spec, state = operator.spec, operator.state
    stream = operator.interface == "stream"
    product = getattr(spec, "product", None)
    names = [port.name for port in operator.inputs]
    words = [f"{name}_word" if stream else name for name in names] + (["rand_word"] if state else [])
    clock_ps = spec.target.clock_ps or DEFAULT_CLOCK_PS

    extra_headers = cpp.format_headers(_formats_in(spec)) | ({"lfsr"} if state else set())
    extra_headers |= {"eager"} if spec.rounding.eager else set()

    def signature(closing: str) -> str:
        items = [_parameter(port, stream=stream, output=False) for port in operator.inputs]
        items.append(_parameter(operator.output, stream=stream, output=True))
        return cpp.parameters(f"void {operator.name}(", items, f"){closing}")

    return {
        # what it is
        "name": operator.name,
        "summary": operator.definition.summary,
        "version": __version__,
        "interface": operator.interface,
        "inputs": operator.inputs,
        "output": operator.output,
        "ports": (*operator.inputs, operator.output),
        "spec": spec,
        "target": spec.target,
        "clock_ns": f"{clock_ps / 1000:g}",
        "lfsr": state,
        # sentences
        "port_holds": _port_holds,
        "port_sentence": lambda port: (
            f"{port.width:2} bit{'s' if port.width > 1 else ''}, {_port_holds(port)}"
        ),
        "product": None if product is None else _product_sentence(*product),
        "rounding": rounding_sentence(operator) if spec.overflow else "",
        "overflow": overflow_sentence(operator) if spec.overflow else "",
        "specials": special_sentences(operator),
        "latency": _LATENCY["frames" if operator.definition.results else operator.interface],
        "interface_sentence": _INTERFACE[operator.interface],
        "polynomial": _polynomial(operator),
        # C++
        "template": operator.definition.template,
        "words": ", ".join(words),
        "names": [*names, "y"],
        "bench_words": [*(f"{port.name}_word" for port in operator.inputs), "y"],
        "variable_rate": operator.definition.results is not None,
        "label_width": max(8, *(len(port.name) + 3 for port in (*operator.inputs, operator.output))),
        "lanes": operator.lanes,
        "lanes_sentence": _LANES.format(operator.lanes),
        "lane_ports": _lane_ports(operator),
        "lane_output": operator.lane_output,
        "lane_words": ", ".join(f"{name}_lane" for name, _ in _lane_ports(operator)),
        "random_words": operator.random_words * operator.lanes,
        "headers": lambda header: sorted({*header.replace(",", " ").split(), *extra_headers}),
        "format_rows": _format_rows(spec),
        "rounding_rows": _rounding_rows(spec),
        "signature": signature,
        "aliases": cpp.aliases,
        "assignment": cpp.assignment,
        "comment": cpp.comment,
        "constant": cpp.constant,
        "format_type": cpp.format_type,
        "parameters": cpp.parameters,
        "rounding_type": cpp.rounding_type,
    }


_LATENCY = {
    "function": "One result per clock (II = 1). Logic only; the tools add pipeline registers for the clock.",
    "stream": "One result per clock (II = 1) while all inputs are valid and y is ready.",
    "frames": "One activation per clock (II = 1) while all inputs are valid and y is ready.",
}
_LANES = "{} equal units side by side; every port holds a word for each, that of lane 0 lowest."
_INTERFACE = {
    "function": "a function, without handshake or reset: combinational, or pipelined (II = 1).",
    "stream": "AXI4-Stream ports and no other control (`ap_ctrl_none`), II = 1.",
}


def _parameter(port: Port, *, stream: bool, output: bool) -> str:
    word = f"ap_uint<{port.width}>"
    if stream:
        return f"hls::stream<{word}>& {port.name}"
    return f"{word}& {port.name}" if output else f"{word} {port.name}"


def _lane_ports(operator: Operator) -> list[tuple[str, int]]:
    """Return name and width in one lane of everything that a lane takes."""
    ports = [(port.name, port.width) for port in operator.lane_inputs]
    bits = operator.spec.rounding.bits
    return [*ports, ("rand", bits * operator.random_words)] if bits and operator.random_words else ports


def _formats_in(value: object) -> Iterator[Format]:
    """Yield every format of a spec, wherever it stands."""
    if isinstance(value, Format):
        yield value
    elif isinstance(value, Record):
        for key in type(value).model_fields:
            yield from _formats_in(getattr(value, key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _formats_in(item)


def _format_rows(spec: OperatorSpec) -> list[tuple[str, str, str]]:
    """Return the type aliases of all formats that have a type; that of a block format is its elements'."""
    if isinstance(spec, SelectedSpec):
        return _selected_rows(spec)
    rows, formats = [], spec.formats
    for key in type(formats).model_fields:
        format_ = getattr(formats, key)
        if isinstance(format_, BlockFormat):
            rows.append((f"{key}_t", cpp.format_type(format_.element), f"elements of {format_.name}"))
        elif isinstance(format_, ElementFormat):
            rows.append((f"{key}_t", cpp.format_type(format_), format_.name))
    return rows


def _selected_rows(spec: SelectedSpec) -> list[tuple[str, str, str]]:
    """Return the type aliases of lists of formats: each format, then the list."""
    rows = []
    for key, formats in spec.lists.items():
        types = [f"{key}{mode}_t" for mode in range(len(formats))]
        rows += [(name, cpp.format_type(fmt), fmt.name) for name, fmt in zip(types, formats, strict=True)]
        remark = "by mode" if len(formats) > 1 else "in every mode"
        rows.append((f"{key}_t", f"hwgen::one_of<{', '.join(types)}>", remark))
    return rows


def _rounding_rows(spec: OperatorSpec) -> list[tuple[str, str, str]]:
    if spec.overflow is None:
        return []
    rounding = spec.rounding
    rule = cpp.rounding_type(rounding.rounding(), spec.overflow, eager=rounding.eager)
    return [("rounding_t", rule, "of the result")]


def _port_holds(port: Port) -> str:
    if port.holds:
        return port.holds
    parts = [_field_holds(field, alone=len(port.fields) == 1) for field in port.fields]
    return f"lowest first: {'; '.join(parts)}" if len(parts) > 1 else parts[0]


def _field_holds(field: Field, *, alone: bool) -> str:
    name = "" if alone else f"{field.name}, "
    if field.format is None:
        bits = field.count * field.width
        return f"{name}{bits} bit{'s' if bits > 1 else ''}"
    what = f"{field.format.name}: {format_sentence(field.format)}"
    if field.count == 1:
        return f"{name}{what}"
    return f"{name}{field.count} elements of {field.width} bits, element 0 lowest, {what}"


def _product_sentence(format_: Any, rounding: Any) -> str:
    return (
        f"Rounded to {format_.name} ({rounding.mode.value}) before it is added: {format_sentence(format_)}."
    )


def _polynomial(operator: Operator) -> str:
    lfsr = operator.spec.rounding.lfsr
    if lfsr is None or lfsr.taps is None:
        return ""
    terms = " + ".join("x" if tap == 1 else f"x^{tap}" for tap in lfsr.taps)
    return f"Feedback polynomial {terms} + 1, of maximal period 2^{lfsr.width} - 1."
