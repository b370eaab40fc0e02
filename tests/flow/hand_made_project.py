"""Project folders with hand-written RTL, for what generated RTL never does."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ADDER_PORTS = [("a", 8), ("b", 8)]


def write_project(
    folder: Path,
    *,
    name: str,
    interface: str,
    inputs: Sequence[tuple[str, int]],
    output: int,
    verilog: str,
    stages: int = 1,
    latency: int = 1,
) -> Path:
    """Write the least that the RTL engines read: manifest, RTL and its record."""
    (folder / "rtl").mkdir(parents=True)
    (folder / "tb").mkdir()
    manifest = {
        "name": name,
        "interface": interface,
        "inputs": [{"name": port, "width": width} for port, width in inputs],
        "output": {"name": "y", "width": output},
        "lfsr": None,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "rtl" / f"{name}.sv").write_text(verilog)
    (folder / "rtl" / f"{name}.json").write_text(json.dumps({"stages": stages, "latency": latency}))
    return folder


def adder_function(latency: int) -> str:
    """Return y = a + b (9 bits) behind `latency` registers."""
    if latency == 0:
        return "module adder(input [7:0] a, b, output [8:0] y); assign y = 9'(a) + 9'(b); endmodule\n"
    return f"""
module adder(input ap_clk, input [7:0] a, input [7:0] b, output [8:0] y);
  reg [8:0] pipe [{latency}];
  always_ff @(posedge ap_clk) begin
    pipe[0] <= 9'(a) + 9'(b);
    for (int i = 1; i < {latency}; i++) pipe[i] <= pipe[i - 1];
  end
  assign y = pipe[{latency - 1}];
endmodule
"""


def adder_stream(
    *, go: str = "a_TVALID & b_TVALID & (!full | y_TREADY)", valid: str = "full", extra: str = ""
) -> str:
    """Return a streaming y = a + b with one output register; the arguments plant faults."""
    return f"""
module adder(input ap_clk, input ap_rst_n,
  input [7:0] a_TDATA, input a_TVALID, output a_TREADY,
  input [7:0] b_TDATA, input b_TVALID, output b_TREADY,
  output [15:0] y_TDATA, output y_TVALID, input y_TREADY);
  reg full; reg [8:0] sum; reg [7:0] cycle;
  wire go = {go};
  assign a_TREADY = go, b_TREADY = go;
  assign y_TVALID = {valid};
  assign y_TDATA = {{7'h55, sum}};  // padded to bytes, as Vitis does; the pad means nothing
  always_ff @(posedge ap_clk)
    if (!ap_rst_n) begin full <= 0; cycle <= 0; end
    else begin
      cycle <= cycle + 1;
      full <= go | (full & !y_TREADY);
      if (go) sum <= 9'(a_TDATA) + 9'(b_TDATA);
      {extra}
    end
endmodule
"""


def adder_operands(count: int = 500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a, b and a + b."""
    rng = np.random.default_rng(5)
    a, b = rng.integers(0, 256, (2, count)).astype(np.uint8)
    return a, b, a.astype(np.uint16) + b


def write_adder_vectors(folder: Path, count: int = 500) -> None:
    rows = zip(*(column.tolist() for column in adder_operands(count)), strict=True)
    text = "# a b -> y\n" + "".join(f"{a:02x} {b:02x} {y:03x}\n" for a, b, y in rows)
    (folder / "tb" / "vectors.txt").write_text(text)
