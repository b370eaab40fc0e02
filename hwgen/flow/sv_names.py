r"""Port names in SystemVerilog that are its own words, such as ``rand``.

A design's ports keep their names in RTL. One that is a keyword is written as an escaped identifier, which is
the same name to every tool (IEEE 1800-2017, 5.6.1): ``\rand `` is the port ``rand``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hwgen.spec.reserved_words import VERILOG_KEYWORDS

__all__ = ["escape_ports", "hide_ports"]

_HIDDEN = "hwgen_port_{}"


def hide_ports(xls_ir: str, ports: Iterable[str]) -> str:
    """Rename parameters that XLS would refuse as Verilog ports to something that it takes."""
    for port in VERILOG_KEYWORDS.intersection(ports):
        xls_ir = re.sub(rf"\b{port}\b", _HIDDEN.format(port), xls_ir)
    return xls_ir


def escape_ports(verilog: str, ports: Iterable[str]) -> str:
    """Give the hidden ports their own names back, as escaped identifiers (the blank belongs to them)."""
    for port in VERILOG_KEYWORDS.intersection(ports):
        verilog = re.sub(rf"\b{_HIDDEN.format(port)}\b", rf"\\{port} ", verilog)
    return verilog
