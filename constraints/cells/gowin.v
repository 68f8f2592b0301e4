// Models of what is a black box in Yosys's library for Gowin, as far as Yosys makes use of it.
// Multipliers are without their registers. Of the ALU there is a model in that library, which
// Icarus leaves unknown where all inputs are constant.

module ALU (input I0, I1, I3, CIN, output SUM, COUT);
parameter ALU_MODE = 0;
localparam ADD = 0, SUB = 1, ADDSUB = 2, NE = 3, GE = 4, LE = 5, CUP = 6, CDN = 7, CUPCDN = 8;
localparam MULT = 9;
wire sum = ALU_MODE == ADD ? I0 ^ I1
  : ALU_MODE == SUB || ALU_MODE == NE || ALU_MODE == GE ? I0 ~^ I1
  : ALU_MODE == ADDSUB ? I0 ^ I1 ^ ~I3
  : ALU_MODE == LE ? ~I0 ^ I1
  : ALU_MODE == CUP ? I0
  : ALU_MODE == CDN ? ~I0
  : ALU_MODE == CUPCDN ? I0 ~^ I3
  : (I0 & I1) ^ I3;
wire carry = ALU_MODE == NE || ALU_MODE == CDN ? 1'b1
  : ALU_MODE == LE ? I1
  : ALU_MODE == CUP ? 1'b0
  : ALU_MODE == MULT ? I0 & I1
  : I0;
assign SUM = sum ^ CIN;
assign COUT = sum ? CIN : carry;
endmodule

module MULT9X9 (
  input [8:0] SIA, SIB,
  input ASEL, BSEL,
  input [8:0] A, B,
  input ASIGN, BSIGN, CE, CLK, RESET,
  output [17:0] DOUT
);
parameter AREG = 0, BREG = 0, PIPE_REG = 0, OUT_REG = 0;
wire signed [9:0] factor = {ASIGN & A[8], A};
wire signed [9:0] other = {BSIGN & B[8], B};
wire signed [19:0] product = factor * other;
assign DOUT = product[17:0];
generate
  if (AREG || BREG || PIPE_REG || OUT_REG) MULT9X9_WITH_REGISTERS_HAS_NO_MODEL missing ();
endgenerate
endmodule

module MULT18X18 (
  input [17:0] SIA, SIB,
  input ASEL, BSEL,
  input [17:0] A, B,
  input ASIGN, BSIGN, CE, CLK, RESET,
  output [35:0] DOUT
);
parameter AREG = 0, BREG = 0, PIPE_REG = 0, OUT_REG = 0;
wire signed [18:0] factor = {ASIGN & A[17], A};
wire signed [18:0] other = {BSIGN & B[17], B};
wire signed [37:0] product = factor * other;
assign DOUT = product[35:0];
generate
  if (AREG || BREG || PIPE_REG || OUT_REG) MULT18X18_WITH_REGISTERS_HAS_NO_MODEL missing ();
endgenerate
endmodule

module MULT36X36 (
  input [35:0] A, B,
  input ASIGN, BSIGN, CE, CLK, RESET,
  output [71:0] DOUT
);
parameter AREG = 0, BREG = 0, PIPE_REG = 0, OUT0_REG = 0, OUT1_REG = 0;
wire signed [36:0] factor = {ASIGN & A[35], A};
wire signed [36:0] other = {BSIGN & B[35], B};
wire signed [73:0] product = factor * other;
assign DOUT = product[71:0];
generate
  if (AREG || BREG || PIPE_REG || OUT0_REG || OUT1_REG)
    MULT36X36_WITH_REGISTERS_HAS_NO_MODEL missing ();
endgenerate
endmodule
