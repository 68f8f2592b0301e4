// Models of what is a black box in Yosys's library for UltraScale+, as far as Yosys makes use of it.

// The multiplier alone, without registers.
module DSP48E2 (
  input [29:0] A, ACIN,
  input [17:0] B, BCIN,
  input [47:0] C, PCIN,
  input [26:0] D,
  input [4:0] INMODE,
  input [3:0] ALUMODE,
  input [8:0] OPMODE,
  input [2:0] CARRYINSEL,
  input CARRYIN,
  output [47:0] P
);
parameter ACASCREG = 1, ADREG = 1, ALUMODEREG = 1, AREG = 1, BCASCREG = 1, BREG = 1;
parameter CARRYINREG = 1, CARRYINSELREG = 1, CREG = 1, DREG = 1, INMODEREG = 1, MREG = 1;
parameter OPMODEREG = 1, PREG = 1;
parameter A_INPUT = "DIRECT", B_INPUT = "DIRECT", AMULTSEL = "A", BMULTSEL = "B";
parameter USE_MULT = "MULTIPLY", USE_SIMD = "ONE48";
wire signed [26:0] factor = A[26:0];
wire signed [17:0] other = B;
wire signed [47:0] product = factor * other;
assign P = INMODE == 0 && ALUMODE == 0 && OPMODE == 9'h005 && CARRYINSEL == 0 && !CARRYIN
  ? product : 48'bx;
generate
  if (AREG || BREG || MREG || PREG || ALUMODEREG || INMODEREG || OPMODEREG || CARRYINREG
      || CARRYINSELREG || A_INPUT != "DIRECT" || B_INPUT != "DIRECT" || AMULTSEL != "A"
      || BMULTSEL != "B" || USE_MULT != "MULTIPLY" || USE_SIMD != "ONE48")
    DSP48E2_BEYOND_A_MULTIPLIER_HAS_NO_MODEL missing ();
endgenerate
endmodule
