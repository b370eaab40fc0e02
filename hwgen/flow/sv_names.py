r"""Port names in SystemVerilog that are its own words, such as ``rand``.

A design's ports keep their names in RTL. One that is a keyword is written as an escaped identifier, which is
the same name to every tool (IEEE 1800-2017, 5.6.1): ``\rand `` is the port ``rand``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["KEYWORDS", "escape_ports", "hide_ports"]

_ANNEX_B = """
accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before begin
bind bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking
cmos config const constraint context continue cover covergroup coverpoint cross deassign default defparam
design disable dist do edge else end endcase endchecker endclass endclocking endconfig endfunction
endgenerate endgroup endinterface endmodule endpackage endprimitive endprogram endproperty endspecify
endsequence endtable endtask enum event eventually expect export extends extern final first_match for
force foreach forever fork forkjoin function generate genvar global highz0 highz1 if iff ifnone
ignore_bins illegal_bins implements implies import incdir include initial inout input inside instance int
integer interconnect interface intersect join join_any join_none large let liblist library local
localparam logic longint macromodule matches medium modport module nand negedge nettype new nexttime nmos
nor noshowcancelled not notif0 notif1 null or output package packed parameter pmos posedge primitive
priority program property protected pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent
pure rand randc randcase randsequence rcmos real realtime ref reg reject_on release repeat restrict return
rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually s_nexttime s_until s_until_with scalared
sequence shortint shortreal showcancelled signed small soft solve specify specparam static string strong
strong0 strong1 struct super supply0 supply1 sync_accept_on sync_reject_on table tagged task this
throughout time timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef
union unique unique0 unsigned until until_with untyped use uwire var vectored virtual void wait wait_order
wand weak weak0 weak1 while wildcard wire with within wor xnor xor
"""

KEYWORDS = frozenset(_ANNEX_B.split())
"""The reserved words of IEEE 1800-2017, annex B."""

_HIDDEN = "hwgen_port_{}"


def hide_ports(xls_ir: str, ports: Iterable[str]) -> str:
    """Rename parameters that XLS would refuse as Verilog ports to something that it takes."""
    for port in KEYWORDS.intersection(ports):
        xls_ir = re.sub(rf"\b{port}\b", _HIDDEN.format(port), xls_ir)
    return xls_ir


def escape_ports(verilog: str, ports: Iterable[str]) -> str:
    """Give the hidden ports their own names back, as escaped identifiers (the blank belongs to them)."""
    for port in KEYWORDS.intersection(ports):
        verilog = re.sub(rf"\b{_HIDDEN.format(port)}\b", rf"\\{port} ", verilog)
    return verilog
