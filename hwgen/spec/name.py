"""Names that are safe everywhere a project uses them: C++ function, SystemVerilog module, file name."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from hwgen.spec.record import spec_error
from hwgen.spec.reserved_words import CPP_WORDS, VERILOG_KEYWORDS
from hwgen.spec.source import quoted

__all__ = ["MAX_NAME", "Name"]

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")
MAX_NAME = 64

# The name becomes a C++ function, a SystemVerilog module and a file, so no language may own the word.
# Ports and variables of the code around the top, which would hide it.
_LOCAL_WORDS = "a b c x y acc rand clk count i result state taps"
_RESERVED = CPP_WORDS | VERILOG_KEYWORDS | frozenset(_LOCAL_WORDS.split())


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
