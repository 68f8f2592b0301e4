"""Registers behind a block RAM of an ECP5 become its own, and nothing else does."""

import random

import pytest
from ram_block import icarus, ram

from pimlico.constraints import netlist
from pimlico.constraints.synth import synthesise

READER = """
module reader(input clk, input [9:0] a, input en, we, load, wipe, other, input [17:0] di,
              output reg [17:0] o, output [17:0] tap);
reg [17:0] words [0:1023], q;
always @(posedge clk) if (en & we{guard}) words[a] <= di;
always @(posedge clk) {latch} if (en) q <= we ? di : words[a];
{register}
endmodule
"""
LATCH = {"free": ("", ""), "wiped": ("& ~wipe", "if (wipe) q <= 0; else")}
AT = "always @(posedge clk) "

# LUTs beside the registers: one for the write enable, those of the register's enable
MERGED = {
    "always": ("free", AT + "o <= q;", 1),
    "enabled": ("free", AT + "if (load) o <= q;", 1),
    "enabled by logic": ("free", AT + "if (load & other) o <= q;", 2),
    "other edge for both": ("free", AT + "if (load) o <= q;", 1),
    "wiped": ("wiped", AT + "o <= wipe ? 0 : q;", 1),
    "wiped, enabled or not": ("wiped", AT + "if (wipe) o <= 0; else if (load) o <= q;", 2),
    "wiped as it is loaded": ("wiped", AT + "if (load | wipe) o <= wipe ? 0 : q;", 2),
    "wiped, enabled in spite of it":
        ("wiped", AT + "if (wipe) o <= 0; else if (load ^ wipe) o <= q;", 3),
    "wiped, always enabled by another":
        ("wiped", AT + "if (wipe) o <= 0; else if (load | other) o <= q;", 3),
}
KEPT = {
    "every bit goes elsewhere too": ("free", AT + "o <= q; assign tap = q;"),
    "one bit goes elsewhere too": ("free", AT + "o <= q; assign tap = q[3];"),
    "logic between": ("free", AT + "o <= q ^ di;"),
    "logic before one bit": ("free", AT + "o <= {q[17:1], q[0] & other};"),
    "two enables": ("free", AT + "begin if (load) o[8:0] <= q; if (other) o[17:9] <= q[17:9]; end"),
    "other edge": ("free", "always @(negedge clk) o <= q;"),
    "register's reset": ("free", AT + "if (wipe) o <= 0; else if (load) o <= q;"),
    "latch's reset": ("wiped", AT + "if (load) o <= q;"),
    "another reset": ("wiped", AT + "if (other) o <= 0; else if (load) o <= q;"),
    "reset of some bits": ("wiped", AT + "o <= {q[17:1], q[0] & ~wipe};"),
    "asynchronous reset": ("wiped", "always @(posedge clk, posedge wipe) if (wipe) o <= 0;"
                                    " else o <= q;"),
    "set": ("wiped", AT + "o <= wipe ? 18'h3ffff : q;"),
    "starts with a one": ("free", AT + "o <= q; initial o = 18'h20;"),
}


def read(case, latch, register):
    text = READER
    for name, value in zip(("{guard}", "{latch}", "{register}"), (*LATCH[latch], register),
                           strict=True):
        text = text.replace(name, value)
    if "both" in case:
        text = text.replace("posedge", "negedge")
    if "by hand" in case:
        text = text.replace("output reg", "output")
    return synthesise(text, "reader", "ecp5")


@pytest.mark.parametrize("case", MERGED)
def test_a_register_becomes_the_block_rams_own(case):
    latch, register, luts = MERGED[case]
    result = read(case, latch, register)
    assert (result["bram"], result["ff"], result["lut"]) == (1, 0, luts)


@pytest.mark.parametrize("case", KEPT)
def test_another_register_stays(case):
    result = read(case, *KEPT[case])
    assert (result["bram"], result["ff"]) == (1, 18)


@pytest.mark.parametrize("more, registers", [
    ("", 0), ('.LSRMUX("INV"), ', 18), ('.CEMUX("INV"), ', 18), ('.REGSET("SET"), ', 18)])
def test_flip_flops_placed_by_hand_move_unless_they_invert(more, registers):
    control = {"CEMUX": "CE", "LSRMUX": "LSR", "REGSET": "RESET", "SRMODE": "LSR_OVER_CE"}
    control = more + ", ".join(f'.{name}("{value}")' for name, value in control.items()
                               if name not in more)
    flip_flops = "\n".join(
        f"TRELLIS_FF #({control}) ff{bit} "
        f"(.CLK(clk), .CE(load), .LSR(wipe), .DI(q[{bit}]), .Q(o[{bit}]));" for bit in range(18))
    result = read("by hand", "wiped", flip_flops)
    assert (result["bram"], result["ff"]) == (1, registers)


@pytest.mark.parametrize("wipe, registers", [("0", 0), ("wipe", 36)])
def test_a_port_of_36_bits_takes_a_register_without_reset(wipe, registers):
    text = f"""
module reader(input clk, input [8:0] to, from, input we, load, wipe, input [35:0] di,
              output reg [35:0] o);
(* no_rw_check *) reg [35:0] words [0:511]; reg [35:0] q;
always @(posedge clk) if (we) words[to] <= di;
always @(posedge clk) if ({wipe}) q <= 0; else q <= words[from];
always @(posedge clk) if ({wipe}) o <= 0; else if (load) o <= q;
endmodule
"""
    result = synthesise(text, "reader", "ecp5")
    assert (result["bram"], result["ff"]) == (1, registers)


def test_a_wide_memory_takes_its_register_and_is_quick():
    emitted = ram(width=128, depth=1024, write_through=True, registered=True)
    result = synthesise(emitted.text, emitted.top, "ecp5", pnr=True, seeds=1)
    assert result["cells"] == {"DP16KD": 8, "LUT4": 2}
    assert result["fmax_mhz"] > 220


@pytest.mark.parametrize("shape", [
    {"width": 36, "depth": 1024, "write_through": True},
    {"width": 9, "depth": 2048, "write_through": True},
    {"width": 20, "depth": 1024},
    {"width": 36, "depth": 512},
    {"width": 2, "depth": 8192},
], ids=str)
def test_the_netlist_does_what_the_verilog_does(tmp_path, shape, seed):
    emitted = ram(kind="block", registered=True, **shape)
    mapped = netlist.synthesise(emitted, "ecp5")
    assert "OUTREG" in mapped.text and mapped.cells.keys() <= {"DP16KD", "LUT4"}

    rng = random.Random(seed)
    some = rng.sample(range(shape["depth"]), 8)
    steps = [{"address": rng.choice(some), "wipe": int(rng.random() < 0.1),
              "data": f"{shape['width']}'d{rng.getrandbits(shape['width'])}"}
             | {name: rng.randrange(2) for name in ("enable", "write", "load")}
             for _ in range(1000)]
    expected = icarus(tmp_path, emitted.text, emitted, steps)
    given = icarus(tmp_path, mapped.text, emitted, steps)
    known = [pair for pair in zip(expected, given, strict=True) if "x" not in pair[0]]
    assert len(known) > 800
    assert [pair for pair in known if pair[0] != pair[1]] == []
