"""What the templates are given about an operator: words, types and sentences, no decisions."""

from __future__ import annotations

from typing import Any

from hwgen import __version__
from hwgen.emit import cpp
from hwgen.operators import Operator, Port
from hwgen.operators.describe import format_sentence, overflow_sentence, rounding_sentence, special_sentences

__all__ = ["render_context"]

_DEFAULT_CLOCK_PS = 5000  # 200 MHz: what the part's logic reaches without effort


def render_context(operator: Operator) -> dict[str, Any]:
    """Return the variables and functions of the project templates."""
    spec, state = operator.spec, operator.state
    assert spec.overflow is not None  # noqa: S101  (filled in by validation)
    stream = operator.interface == "stream"
    product = getattr(spec, "product", None)
    result_key = operator.definition.result
    names = [port.name for port in operator.inputs]
    words = [f"{name}_word" if stream else name for name in names] + (["rand_word"] if state else [])
    clock_ps = spec.target.clock_ps or _DEFAULT_CLOCK_PS
    format_keys = dict.fromkeys((*operator.definition.operands, result_key))

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
        "port_sentence": lambda port: f"{port.width:2} bits, {_port_holds(port)}",
        "product": None if product is None else _product_sentence(*product),
        "rounding": rounding_sentence(operator),
        "overflow": overflow_sentence(operator),
        "specials": special_sentences(operator),
        "latency": _LATENCY[operator.interface],
        "interface_sentence": _INTERFACE[operator.interface],
        "polynomial": _polynomial(operator),
        # C++
        "template": operator.definition.template,
        "words": ", ".join(words),
        "names": [*names, "y"],
        "casts": [*(f"ap_uint<{port.width}>({port.name}_word)" for port in operator.inputs), "y"],
        "headers": lambda header: sorted([header, "lfsr"] if state else [header]),
        "format_rows": [_format_row(key, getattr(spec.formats, key)) for key in format_keys],
        "rounding_rows": [
            ("rounding_t", cpp.rounding_type(spec.rounding.rounding(), spec.overflow), "of the result")
        ],
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
}
_INTERFACE = {
    "function": "a function, without handshake or reset: combinational, or pipelined (II = 1).",
    "stream": "AXI4-Stream ports and no other control (`ap_ctrl_none`), II = 1.",
}


def _parameter(port: Port, *, stream: bool, output: bool) -> str:
    word = f"ap_uint<{port.width}>"
    if stream:
        return f"hls::stream<{word}>& {port.name}"
    return f"{word}& {port.name}" if output else f"{word} {port.name}"


def _format_row(key: str, format_: Any) -> tuple[str, str, str]:
    return f"{key}_t", cpp.format_type(format_), format_.name


def _port_holds(port: Port) -> str:
    if port.format is None:
        return "uniform random bits, fresh for every result"
    return f"{port.format.name}: {format_sentence(port.format)}"


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
