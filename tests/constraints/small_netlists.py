"""Small designs whose netlists are known."""

CHAIN = """
module chain(input [4:0] a, output y);
assign y = ~(~(~(~(a[0] & a[1]) & a[2]) & a[3]) & a[4]);
endmodule
"""

SHIFT = """
module shift(input clk, input [7:0] d, output [7:0] q);
reg [7:0] stage, out;
always @(posedge clk) begin stage <= d; out <= stage; end
assign q = out;
endmodule
"""

ADDER = """
module adder(input clk, input [7:0] a, b, output reg [8:0] y);
always @(posedge clk) y <= a + b;
endmodule
"""

MULTIPLIER = """
module multiplier(input [7:0] a, b, output [15:0] y);
assign y = a * b;
endmodule
"""

# Its products sum to a netlist on which ABC's unbounded equivalence proofs do not end.
DOT_PRODUCT = """
module dot_product(input signed [7:0] a0, b0, a1, b1, a2, b2, a3, b3, output signed [19:0] y);
assign y = a0 * b0 + a1 * b1 + a2 * b2 + a3 * b3;
endmodule
"""

WIDE_MULTIPLIER = """
module wide_multiplier(input clk, input [15:0] a, b, output reg [31:0] y);
always @(posedge clk) y <= a * b;
endmodule
"""

# A memory inside a submodule, read through a register, with logic on both sides.
MEMORY = """
module store #(parameter DEPTH = 9) (input clk, write, input [DEPTH-1:0] to, from,
                                     input [15:0] d, output reg [15:0] q);
(* no_rw_check *) reg [15:0] words [0:(1<<DEPTH)-1];
always @(posedge clk) begin if (write) words[to] <= d; q <= words[from]; end
endmodule
module memory(input clk, write, input [8:0] to, from, input [15:0] d, output [15:0] q);
wire [15:0] word;
store inner (clk, write, to, from, d, word);
assign q = ~word;
endmodule
"""

SMALL_MEMORY = """
module small_memory(input clk, write, input [3:0] to, from, input [3:0] d, output [3:0] q);
reg [3:0] words [0:15];
always @(posedge clk) if (write) words[to] <= d;
assign q = words[from];
endmodule
"""

ROM = """
module rom(input [3:0] address, output reg [3:0] y);
reg [3:0] words [0:15];
integer i;
initial for (i = 0; i < 16; i = i + 1) words[i] = (i * 7) ^ (i >> 1);
always @* y = words[address];
endmodule
"""

MIXED = SHIFT + WIDE_MULTIPLIER + MEMORY + SMALL_MEMORY + """
module mixed(input clk, write, input [15:0] a, b, input [8:0] to, from,
             output [7:0] s, output [31:0] p, output [15:0] q, output [3:0] r);
shift one (clk, a[7:0], s);
wide_multiplier two (clk, a, b, p);
memory three (clk, write, to, from, a, q);
small_memory four (clk, write, to[3:0], from[3:0], b[3:0], r);
endmodule
"""
