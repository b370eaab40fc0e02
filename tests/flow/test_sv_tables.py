"""Constant arrays of wires in generated SystemVerilog become case functions, and nothing else changes."""

from __future__ import annotations

import pytest

from hwgen.flow.area import synthesise
from hwgen.flow.sv_tables import tables_as_functions

ARRAY = """\
module {name}(
  input wire [7:0] x,
  output wire [7:0] y
);
  wire [7:0] table_1[256];
  wire [7:0] other;
  assign table_1 = '{{{entries}}};
  assign other = table_1[x];
  assign y = other;
endmodule
"""


def array(name: str) -> str:
    return ARRAY.format(name=name, entries=", ".join(f"8'h{(n * n * 7 >> 5) % 256:02x}" for n in range(256)))


def test_an_indexed_constant_array_becomes_a_function_with_the_same_entries() -> None:
    text = tables_as_functions(array("m"))
    assert "[256]" not in text
    assert "table_1(x)" in text
    assert "8'h10: table_1 = 8'h38;" in text
    rows = [line for line in text.splitlines() if ": table_1 = " in line]
    assert 200 < len(rows) <= 256
    assert sum("default" in row for row in rows) == 1


def test_an_index_may_itself_be_looked_up() -> None:
    nested = """\
module m(
  input wire [1:0] x,
  output wire [1:0] y
);
  wire [1:0] a[4];
  wire [1:0] b[4];
  assign a = '{2'h1, 2'h2, 2'h3, 2'h0};
  assign b = '{2'h3, 2'h2, 2'h1, 2'h0};
  assign y = a[b[x[1:0]]];
endmodule
"""
    assert "assign y = a(b(x[1:0]));" in tables_as_functions(nested)


@pytest.mark.parametrize("use", ["assign z = table_1;", "assign z = table_1 == x;"])
def test_an_array_that_is_used_as_a_whole_is_left_alone(use: str) -> None:
    text = array("m").replace("  assign y", f"  {use}\n  assign y")
    assert tables_as_functions(text) == text


def test_an_array_of_wires_is_left_alone() -> None:
    text = array("m").replace("8'h00", "x", 1)
    assert tables_as_functions(text) == text


def test_a_function_takes_fewer_luts_than_an_array(tmp_path) -> None:
    luts = {}
    for name, text in (("array", array("array")), ("cases", tables_as_functions(array("cases")))):
        file = tmp_path / f"{name}.sv"
        file.write_text(text, encoding="utf-8")
        luts[name] = synthesise(file, name, "xcup").luts
    assert luts["cases"] < 0.8 * luts["array"]
