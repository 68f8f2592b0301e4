import netlists
import pytest

from pimlico.constraints.synth import synthesise
from pimlico.constraints.targets import TARGETS, find

ROUTED = [name for name, target in TARGETS.items() if target.device]


@pytest.mark.parametrize("target, luts", [("ecp5", 10), ("ice40", 8), ("gowin", 9)])
def test_an_adder_takes_a_lut_a_bit_carry_included(target, luts):
    result = synthesise(netlists.ADDER, "adder", target)
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
    result = synthesise(netlists.MIXED, "mixed", target)
    assert result["ff"] == ff
    assert (result["dsp"], result["bram"], result["lutram"]) == (dsp, bram, lutram)
    assert result["lut"] > 0
    assert result["uncounted"] == {}


@pytest.mark.parametrize("target", ROUTED)
def test_place_and_route_gives_the_median_of_its_seeds(target):
    bare = synthesise(netlists.ADDER, "adder", target)
    result = synthesise(netlists.ADDER, "adder", target, pnr=True, seeds=3, clock_mhz=1)
    assert len(result["fmax_seeds"]) == 3
    assert result["fmax_mhz"] == sorted(result["fmax_seeds"])[1]
    assert 50 < result["fmax_mhz"] < 1000
    assert result["timing_met"] is True
    assert result["cells"] == bare["cells"], "the harness is not counted"


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


def test_no_fmax_where_nextpnr_has_no_delays():
    result = synthesise(netlists.WIDE_MULTIPLIER, "wide_multiplier", "gowin", pnr=True, seeds=1)
    assert result["fmax_mhz"] is None
    assert result["notes"] == ["no Fmax: nextpnr knows no delays of MULT18X18"]


def test_half_a_block_counts_as_a_whole_one_once():
    counted = [find("xcup").count({"RAMB18E2": number})["bram"] for number in (1, 2, 3)]
    assert counted == [1, 1, 2]


def test_a_cell_nobody_knows_is_named():
    assert find("ecp5").uncounted({"LUT4": 3, "EHXPLLL": 1}) == {"EHXPLLL": 1}
