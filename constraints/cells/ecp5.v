// Models of what is a black box in Yosys's library for the ECP5, as far as Yosys makes use of it.

// Words of 1 to 18 bits at two ports, or of 36 bits written at A and read at B. A synchronous
// reset makes zero of the read latch, and of the output register if that is enabled. Asynchronous
// reset has no model: what it would make zero becomes unknown.
module DP16KD (
  input CLKA, CEA, OCEA, WEA, RSTA, CSA0, CSA1, CSA2,
  input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
  input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
    DIA4, DIA3, DIA2, DIA1, DIA0,
  output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
    DOA4, DOA3, DOA2, DOA1, DOA0,
  input CLKB, CEB, OCEB, WEB, RSTB, CSB0, CSB1, CSB2,
  input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
  input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
    DIB4, DIB3, DIB2, DIB1, DIB0,
  output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
    DOB4, DOB3, DOB2, DOB1, DOB0
);
parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC", GSR = "ENABLED";
parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
parameter [319:0] INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0;
parameter [319:0] INITVAL_04 = 0, INITVAL_05 = 0, INITVAL_06 = 0, INITVAL_07 = 0;
parameter [319:0] INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0;
parameter [319:0] INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0;
parameter [319:0] INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0;
parameter [319:0] INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0;
parameter [319:0] INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0;
parameter [319:0] INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0;
parameter [319:0] INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0, INITVAL_23 = 0;
parameter [319:0] INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0;
parameter [319:0] INITVAL_28 = 0, INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0;
parameter [319:0] INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0;
parameter [319:0] INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0;
parameter [319:0] INITVAL_34 = 0, INITVAL_35 = 0, INITVAL_36 = 0, INITVAL_37 = 0;
parameter [319:0] INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0;
parameter [319:0] INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0;
localparam [64*320-1:0] INITIAL = {
  INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
  INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
  INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
  INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
  INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
  INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
  INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
  INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00};

reg [8:0] bytes [0:2047];
integer word;
initial for (word = 0; word < 1024; word = word + 1)
  {bytes[2*word + 1], bytes[2*word]} = INITIAL[word/16*320 + word%16*20 +: 18];

wire clkA = CLKAMUX == "INV" ? ~CLKA : CLKA;
wire [13:0] adA = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2,
  ADA1, ADA0};
wire [17:0] diA = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6,
  DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
wire [17:0] doA;
assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
  DOA4, DOA3, DOA2, DOA1, DOA0} = doA;
wire clkB = CLKBMUX == "INV" ? ~CLKB : CLKB;
wire [13:0] adB = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2,
  ADB1, ADB0};
wire [17:0] diB = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6,
  DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
wire [17:0] doB;
assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
  DOB4, DOB3, DOB2, DOB1, DOB0} = doB;

function [35:0] read(input integer width, input [13:0] ad);
  case (width)
    36: read = {bytes[{ad[13:5], 2'd3}], bytes[{ad[13:5], 2'd2}],
                bytes[{ad[13:5], 2'd1}], bytes[{ad[13:5], 2'd0}]};
    18: read = {bytes[{ad[13:4], 1'b1}], bytes[{ad[13:4], 1'b0}]};
    9: read = bytes[ad[13:3]];
    4: read = bytes[ad[13:3]][{ad[2], 2'd0} +: 4];
    2: read = bytes[ad[13:3]][{ad[2:1], 1'b0} +: 2];
    default: read = bytes[ad[13:3]][ad[2:0]];
  endcase
endfunction

task write(input integer width, input [13:0] ad, input [35:0] di);
  case (width)
    36: begin
      if (ad[0]) bytes[{ad[13:5], 2'd0}] = di[8:0];
      if (ad[1]) bytes[{ad[13:5], 2'd1}] = di[17:9];
      if (ad[2]) bytes[{ad[13:5], 2'd2}] = di[26:18];
      if (ad[3]) bytes[{ad[13:5], 2'd3}] = di[35:27];
    end
    18: begin
      if (ad[0]) bytes[{ad[13:4], 1'b0}] = di[8:0];
      if (ad[1]) bytes[{ad[13:4], 1'b1}] = di[17:9];
    end
    9: bytes[ad[13:3]] = di[8:0];
    4: bytes[ad[13:3]][{ad[2], 2'd0} +: 4] = di[3:0];
    2: bytes[ad[13:3]][{ad[2:1], 1'b0} +: 2] = di[1:0];
    default: bytes[ad[13:3]][ad[2:0]] = di[0];
  endcase
endtask

localparam [35:0] ZERO = RESETMODE == "SYNC" ? 36'd0 : 36'bx;
reg [35:0] latchA = 0, latchB = 0, outA = 0, outB = 0;

always @(posedge clkA) begin
  if (OCEA) outA <= RSTA ? ZERO : latchA;
  if (RSTA) latchA <= ZERO;
  else if (CEA) begin
    if (!WEA || WRITEMODE_A == "READBEFOREWRITE") latchA <= read(DATA_WIDTH_A, adA);
    if (WEA) begin
      write(DATA_WIDTH_A, adA, {diB, diA});
      if (WRITEMODE_A == "WRITETHROUGH") latchA <= read(DATA_WIDTH_A, adA);
    end
  end
end

always @(posedge clkB) begin
  if (OCEB) outB <= RSTB ? ZERO : latchB;
  if (RSTB) latchB <= ZERO;
  else if (CEB) begin
    if (!WEB || WRITEMODE_B == "READBEFOREWRITE") latchB <= read(DATA_WIDTH_B, adB);
    if (WEB) begin
      write(DATA_WIDTH_B, adB, {18'd0, diB});
      if (WRITEMODE_B == "WRITETHROUGH") latchB <= read(DATA_WIDTH_B, adB);
    end
  end
end

wire [35:0] a = REGMODE_A == "OUTREG" ? outA : latchA;
wire [35:0] b = REGMODE_B == "OUTREG" ? outB : latchB;
assign doA = DATA_WIDTH_B == 36 ? b[17:0] : a[17:0];
assign doB = DATA_WIDTH_B == 36 ? b[35:18] : b[17:0];
endmodule

// Without its registers.
module MULT18X18D (
  input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
  input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
  input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
  input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
  output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
    P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
parameter REG_INPUTA_CLK = "NONE", REG_INPUTB_CLK = "NONE", REG_PIPELINE_CLK = "NONE";
parameter REG_OUTPUT_CLK = "NONE";
wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
wire signed [18:0] factor = {SIGNEDA & a[17], a};
wire signed [18:0] other = {SIGNEDB & b[17], b};
wire signed [37:0] product = factor * other;
assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
  P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = product[35:0];
generate
  if (REG_INPUTA_CLK != "NONE" || REG_INPUTB_CLK != "NONE" || REG_PIPELINE_CLK != "NONE"
      || REG_OUTPUT_CLK != "NONE") MULT18X18D_WITH_REGISTERS_HAS_NO_MODEL missing ();
endgenerate
endmodule
