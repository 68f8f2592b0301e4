import pytest
import small_netlists

from pimlico.constraints.synth import synthesise
from pimlico.constraints.targets import TARGETS, find

ROUTED = [name for name, target in TARGETS.items() if target.device]


@pytest.mark.parametrize("target, luts", [("ecp5", 10), ("ice40", 8), ("gowin", 9)])
def test_an_adder_takes_a_lut_a_bit_carry_included(target, luts):
    result = synthesise(small_netlists.ADDER, "adder", target)
    assert luts <= result["lut"] <= luts + 2
    assert result["ff"] == 9
    assert result["uncounted"] == {}


# Nexus takes the product's register into the DSP; iCE40 HX has neither DSP nor LUT RAM, so that
# multiplier and small memory are logic there.
@pytest.mark.parametrize("target, ff, dsp, bram, lutram", [
    ("ecp5", 48, 1, 1, 6),
    ("gowin", 48, 1, 1, 6),
    ("nexus", 16, 1, 1, 6),
    ("xcup", 48, 1, 1, 8),
    ("ice40", 48 + 64, 0, 2, None),
])
def test_each_part_of_a_design_lands_on_its_resource(target, ff, dsp, bram, lutram):
    result = synthesise(small_netlists.MIXED, "mixed", target)
    assert result["ff"] == ff
    assert (result["dsp"], result["bram"], result["lutram"]) == (dsp, bram, lutram)
    assert result["lut"] > 0
    assert result["uncounted"] == {}


@pytest.mark.parametrize("target", ROUTED)
def test_place_and_route_gives_the_median_of_its_seeds(target):
    bare = synthesise(small_netlists.ADDER, "adder", target)
    result = synthesise(small_netlists.ADDER, "adder", target, pnr=True, seeds=3, clock_mhz=1)
    assert len(result["fmax_seeds"]) == 3
    assert result["fmax_mhz"] == sorted(result["fmax_seeds"])[1]
    assert 50 < result["fmax_mhz"] < 1000
    assert result["timing_met"] is True
    assert result["cells"] == bare["cells"], "the harness is not counted"


@pytest.mark.parametrize("target", ROUTED)
@pytest.mark.parametrize("expression", [
    "d[5:0] ^ (d[5:0] + e[5:0])",
    "{5'd0, ^(d + e)}",
    "{5'd0, d[e[4:0]]}",
    "d[5:0] & {6{e[0] & e[1] & e[2]}} & (d[11:6] + e[11:6])",
])
def test_no_cell_on_the_way_hides_a_path_from_fmax(target, expression):
    text = ("module path(input clk, input [31:0] d, e, output reg [5:0] y);"
            f" always @(posedge clk) y <= {expression}; endmodule")
    result = synthesise(text, "path", target, pnr=True, seeds=1)
    assert result["critical_path"]["to"].startswith("core.")


def test_an_unregistered_input_to_output_path_is_timed():
    ports = "module path(input [7:0] a, b, input [15:0] c, output y); assign y = "
    deep, shallow = f"{ports} a * b == c; endmodule", f"{ports} a[0] & b[0]; endmodule"
    slow, fast = (synthesise(text, "path", "ice40", pnr=True, seeds=1) for text in (deep, shallow))
    assert slow["fmax_mhz"] < fast["fmax_mhz"] / 2
    assert slow["critical_path"]["from"].startswith("harness_")
    period = 1000 / slow["fmax_mhz"]
    path = slow["critical_path"]
    assert path["logic_ns"] + path["routing_ns"] == pytest.approx(period, rel=0.02)


def test_more_ports_than_pins_can_be_placed():
    text = ("module wide(input clk, input [149:0] d, output reg [149:0] q);"
            " always @(posedge clk) q <= ~d; endmodule")
    assert synthesise(text, "wide", "ice40", pnr=True, seeds=1)["fmax_mhz"] > 50


@pytest.mark.parametrize("text, top, cell", [
    (small_netlists.WIDE_MULTIPLIER, "wide_multiplier", "MULT18X18"),
    (small_netlists.MEMORY, "memory", "DPX9B"),
    (small_netlists.SMALL_MEMORY, "small_memory", "RAM16SDP4"),
])
def test_no_fmax_where_nextpnr_has_no_delays(text, top, cell):
    result = synthesise(text, top, "gowin", pnr=True, seeds=1, clock_mhz=1)
    assert (result["fmax_mhz"], result["fmax_seeds"], result["timing_met"]) == (None, None, None)
    assert result["notes"] == [f"no Fmax: nextpnr knows no delays of {cell}"]


def test_half_a_block_counts_as_a_whole_one_once():
    counted = [find("xcup").count({"RAMB18E2": number})["bram"] for number in (1, 2, 3)]
    assert counted == [1, 1, 2]


def test_a_cell_nobody_knows_is_named():
    assert find("ecp5").uncounted({"LUT4": 3, "EHXPLLL": 1}) == {"EHXPLLL": 1}
