// A memory of DEPTH rows, served by a stream of requests {load, store, load row, store row, data}.
//
// Requests are done in order, one a cycle, and a request loads before it stores. A loaded row is answered
// one cycle later from the memory's output register. All rows are zero at the start, as static arrays are
// in C++; a reset changes none.
module hwgen_ram #(
  parameter WIDTH = 8,
  parameter DEPTH = 2,
  parameter ROW = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
  input wire ap_clk,
  input wire ap_rst_n,
  input wire [2+2*ROW+WIDTH-1:0] request_TDATA,
  input wire request_TVALID,
  output wire request_TREADY,
  output wire [WIDTH-1:0] response_TDATA,
  output wire response_TVALID,
  input wire response_TREADY
);
  reg [WIDTH-1:0] rows [0:DEPTH-1];
  reg [WIDTH-1:0] loaded;
  reg loaded_valid;

  wire load, store;
  wire [ROW-1:0] load_row, store_row;
  wire [WIDTH-1:0] data;
  assign {load, store, load_row, store_row, data} = request_TDATA;
  assign request_TREADY = ~loaded_valid | response_TREADY;
  assign response_TDATA = loaded;
  assign response_TVALID = loaded_valid;
  wire go = request_TVALID & request_TREADY;

  initial begin
    for (int i = 0; i < DEPTH; i++) rows[i] = '0;
  end
  always_ff @(posedge ap_clk) begin
    if (go & load) loaded <= rows[load_row];
    if (go & store) rows[store_row] <= data;
  end
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) loaded_valid <= 1'b0;
    else if (request_TREADY) loaded_valid <= go & load;
  end
endmodule
