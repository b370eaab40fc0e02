"""Names that are safe everywhere a project uses them: C++ function, SystemVerilog module, file name."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from hwgen.spec.record import spec_error
from hwgen.spec.source import quoted

__all__ = ["MAX_NAME", "Name"]

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")
MAX_NAME = 64

# The name becomes a C++ function, a SystemVerilog module and a file, so no language may own the word.
_CPP_WORDS = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t class
    compl const const_cast constexpr continue decltype default delete do double dynamic_cast else enum
    explicit export extern false float for friend goto if inline int long mutable namespace new noexcept
    not not_eq nullptr operator or or_eq private protected public register reinterpret_cast return short
    signed sizeof static static_assert static_cast struct switch template this thread_local throw true try
    typedef typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq main std
    hls hwgen ap_int ap_uint
"""
_VERILOG_WORDS = """
    accept_on alias always always_comb always_ff always_latch assert assign assume automatic before begin
    bind bins binsof bit buf bufif0 bufif1 byte casex casez cell chandle checker clocking cmos config
    constraint context cover covergroup coverpoint cross deassign defparam design disable dist edge end
    endcase endchecker endclass endclocking endconfig endfunction endgenerate endgroup endinterface
    endmodule endpackage endprimitive endprogram endproperty endsequence endspecify endtable endtask event
    eventually expect extends final first_match force foreach forever fork forkjoin function generate
    genvar global highz0 highz1 iff ifnone ignore_bins illegal_bins implements implies import incdir
    include initial inout input inside instance integer interconnect interface intersect join join_any
    join_none large let liblist library local localparam logic longint macromodule matches medium modport
    module nand negedge nettype nexttime nmos nor noshowcancelled notif0 notif1 null output package packed
    parameter pmos posedge primitive priority program property pull0 pull1 pulldown pullup
    pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime ref
    reg reject_on release repeat restrict rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually
    s_nexttime s_until s_until_with scalared sequence shortint shortreal showcancelled small soft solve
    specify specparam string strong strong0 strong1 super supply0 supply1 sync_accept_on sync_reject_on
    table tagged task throughout time timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand
    trior trireg type unique unique0 until until_with untyped use uwire var vectored wait wait_order wand
    weak weak0 weak1 wildcard wire with within wor xnor
"""
# Ports and variables of the code around the top, which would hide it.
_LOCAL_WORDS = "a b c x y acc rand clk count i result state taps"
_RESERVED = frozenset(f"{_CPP_WORDS} {_VERILOG_WORDS} {_LOCAL_WORDS}".split())


def _check_name(name: object) -> object:
    rule = f"a name is a C identifier of letters, digits and single inner underscores, up to {MAX_NAME}"
    if not isinstance(name, str):
        raise spec_error(f"the name {quoted(name)} is not a word; {rule}")
    if len(name) > MAX_NAME or not _IDENTIFIER.fullmatch(name):
        raise spec_error(f"illegal name {quoted(name)}: {rule}, such as 'mac_e4m3_sr8'")
    if name in _RESERVED:
        raise spec_error(
            f"illegal name {name!r}: it is taken in C++, SystemVerilog or the emitted code; "
            f"legal: {name + '_unit'!r}"
        )
    return name


Name = Annotated[
    str, Field(pattern=f"^{_IDENTIFIER.pattern}$", max_length=MAX_NAME), BeforeValidator(_check_name)
]
