// A first-in first-out queue of DEPTH words, and one more in its output register.
//
// out_TVALID and out_TDATA come from registers, and in_TREADY from registers only: no path leads from
// one handshake to the other. A word takes two cycles to come through; with DEPTH >= 2 one goes in and
// one comes out in every cycle.
module hwgen_fifo #(
  parameter WIDTH = 8,
  parameter DEPTH = 2
) (
  input wire ap_clk,
  input wire ap_rst_n,
  input wire [WIDTH-1:0] in_TDATA,
  input wire in_TVALID,
  output wire in_TREADY,
  output wire [WIDTH-1:0] out_TDATA,
  output wire out_TVALID,
  input wire out_TREADY
);
  localparam PLACE = DEPTH > 1 ? $clog2(DEPTH) : 1;
  localparam COUNT = $clog2(DEPTH + 1);
  localparam [PLACE-1:0] LAST = PLACE'(DEPTH - 1);
  localparam [COUNT-1:0] FULL = COUNT'(DEPTH);

  reg [WIDTH-1:0] words [0:DEPTH-1];
  reg [PLACE-1:0] first, free;
  reg [COUNT-1:0] count;
  reg [WIDTH-1:0] front;
  reg front_valid;

  assign in_TREADY = count != FULL;
  assign out_TDATA = front;
  assign out_TVALID = front_valid;
  wire push = in_TVALID & in_TREADY;
  wire shift = (count != 0) & (~front_valid | out_TREADY);

  always_ff @(posedge ap_clk) begin
    if (push) words[free] <= in_TDATA;
    if (shift) front <= words[first];
  end
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      first <= '0;
      free <= '0;
      count <= '0;
      front_valid <= 1'b0;
    end else begin
      if (push) free <= free == LAST ? '0 : free + 1'b1;
      if (shift) first <= first == LAST ? '0 : first + 1'b1;
      count <= count + COUNT'(push) - COUNT'(shift);
      front_valid <= shift | (front_valid & ~out_TREADY);
    end
  end
endmodule
