"""Verilog models of the ECP5's cells that are in netlists of memories.

The block RAM as far as Yosys makes use of it: words of 9 or 18 bits at two ports, or of 36 bits
written at A and read at B. A synchronous reset makes zero of the read latch, and of the output
register if that is enabled.
"""

_LUT = """
module LUT4 #(parameter [15:0] INIT = 0) (input A, B, C, D, output Z);
assign Z = INIT[{D, C, B, A}];
endmodule
"""

_PORTS = """
input CLK{p}, CE{p}, OCE{p}, WE{p}, RST{p}, CS{p}0, CS{p}1, CS{p}2"""

_PORT = """
wire clk{p} = CLK{p}MUX == "INV" ? ~CLK{p} : CLK{p};
wire [13:0] ad{p} = {{{ads}}};
wire [17:0] di{p} = {{{dis}}};
wire [17:0] do{p};
assign {{{dos}}} = do{p};
"""

_BEHAVIOUR = """
reg [8:0] bytes [0:2047];
reg [35:0] latch_a = 0, latch_b = 0, out_a = 0, out_b = 0;

function integer lanes(input integer width); lanes = width / 9; endfunction
function integer base(input integer width, input [13:0] ad);
  base = width == 9 ? ad[13:3] : width == 18 ? {ad[13:4], 1'b0} : {ad[13:5], 2'b00};
endfunction

task access(input integer width, input [13:0] ad, input write, input [35:0] di,
            input [127:0] mode, inout [35:0] latch);
  integer at, lane;
  begin
    at = base(width, ad);
    for (lane = 0; lane < lanes(width); lane = lane + 1) begin
      if (!write || mode == "READBEFOREWRITE") latch[lane*9 +: 9] = bytes[at + lane];
      if (write && (width == 9 || ad[lane])) bytes[at + lane] = di[lane*9 +: 9];
      if (write && mode == "WRITETHROUGH") latch[lane*9 +: 9] = bytes[at + lane];
    end
  end
endtask

localparam WIDE = DATA_WIDTH_A == 36;

always @(posedge clkA) begin
  if (OCEA) out_a = RSTA ? 0 : latch_a;
  if (RSTA) latch_a = 0;
  else if (CEA) access(DATA_WIDTH_A, adA, WEA, {diB, diA}, WRITEMODE_A, latch_a);
end
always @(posedge clkB) begin
  if (OCEB) out_b = RSTB ? 0 : latch_b;
  if (RSTB) latch_b = 0;
  else if (CEB) access(DATA_WIDTH_B, adB, WEB, diB, WRITEMODE_B, latch_b);
end
wire [35:0] a = REGMODE_A == "OUTREG" ? out_a : latch_a;
wire [35:0] b = REGMODE_B == "OUTREG" ? out_b : latch_b;
assign doA = WIDE ? b[17:0] : a[17:0];
assign doB = WIDE ? b[35:18] : b[17:0];
endmodule
"""


def models():
    """The modules ``LUT4`` and ``DP16KD``."""
    ports, body = [], []
    for p in "AB":
        ads, dis, dos = ([f"{bus}{p}{bit}" for bit in reversed(range(count))]
                         for bus, count in (("AD", 14), ("DI", 18), ("DO", 18)))
        ports += [_PORTS.format(p=p), *(f"input {name}" for name in ads + dis),
                  *(f"output {name}" for name in dos)]
        body.append(_PORT.format(p=p, ads=", ".join(ads), dis=", ".join(dis),
                                 dos=", ".join(dos)))
    parameters = ", ".join([
        *(f"parameter INITVAL_{index:02X} = 320'd0" for index in range(64)),
        *(f"parameter [127:0] {name} = 0" for name in (
            "CLKAMUX", "CLKBMUX", "REGMODE_A", "REGMODE_B", "WRITEMODE_A", "WRITEMODE_B",
            "RESETMODE", "ASYNC_RESET_RELEASE", "GSR", "CSDECODE_A", "CSDECODE_B")),
        "parameter DATA_WIDTH_A = 18", "parameter DATA_WIDTH_B = 18"])
    return f"{_LUT}module DP16KD #({parameters}) ({', '.join(ports)});{''.join(body)}{_BEHAVIOUR}"
