"""Mutants of a netlist, those that are none, and the score of a bench."""

from dataclasses import replace

import pytest
from running_sum import BLOCK as SUM
from running_sum.config import RunningSumConfig

from pimlico.generators.block import find
from pimlico.generators.errors import ToolError
from pimlico.generators.verilog import Emitted, TopPort, emit
from pimlico.sim.equivalence import equivalent
from pimlico.sim.mutants import SELECT, Mutant, mutate
from pimlico.sim.mutate import score
from pimlico.verif.episode import Episode

PORTS = [TopPort("clk", "input", 1, None, "clk"), TopPort("a", "input", 2, "a", "wire"),
         TopPort("m_axis_o_tdata", "output", 8, "o", "tdata"),
         TopPort("m_axis_o_tvalid", "output", 1, "o", "tvalid")]
DESIGN = """\
module pimlico_small (input clk, input [1:0] a, output [7:0] m_axis_o_tdata,
                      output m_axis_o_tvalid);
  reg valid;
  reg [1:0] held;
  always @(posedge clk) valid <= a[0];
  always @(posedge clk) held <= a;
  assign m_axis_o_tvalid = valid;
  assign m_axis_o_tdata = {6'd0, BODY};
endmodule
"""


def small(body):
    return Emitted("pimlico_small", DESIGN.replace("BODY", body), PORTS)


@pytest.mark.parametrize(("body", "where", "same"), [
    ("held & {2{valid & held[1]}} & {2{held[1]}}", "m_axis_o_tdata[0]", False),
    ("held | {2{~valid}}", "not", True),
    ("held | {2{valid}}", "or", False),
], ids=["seen", "under an invalid payload", "valid"])
def test_a_mutant_that_no_output_shows_is_equivalent(tmp_path, body, where, same):
    design = small(body)
    _, mutants = mutate(design, 1000, 1, tmp_path)
    chosen = [each for each in mutants if each.signal.startswith((where, f"{where} "))
              and each.change == "stuck at 0"]
    assert chosen, [each.signal for each in mutants]
    found = equivalent(design, chosen, tmp_path)
    assert (found == {each.number for each in chosen}) is same
    if not same:
        assert found != {each.number for each in chosen}


REACHES = """\
module pimlico_small (input clk, input rst, input [1:0] a, output [7:0] m_axis_o_tdata,
                      output m_axis_o_tvalid);
  reg [2:0] count;
  reg dead;
  wire beyond = count == 3'd6;
  always @(posedge clk)
    if (rst) count <= 3'd0;
    else count <= count == 3'd4 ? 3'd0 : count + 3'd1;
  always @(posedge clk) dead <= a[0];
  assign m_axis_o_tvalid = 1'b1;
  assign m_axis_o_tdata = {4'd0, dead & beyond, count};
endmodule
"""


@pytest.mark.parametrize(("signal", "change", "same"), [
    ("beyond[0]", "stuck at 0", True), ("beyond[0]", "stuck at 1", False),
    ("dead[0]", "inverted", True), ("m_axis_o_tdata[1]", "stuck at 0", False),
], ids=["never true", "shown", "register that shows nothing", "counter"])
def test_states_that_are_never_reached_do_not_count(tmp_path, signal, change, same):
    design = Emitted("pimlico_small", REACHES,
                     [*PORTS, TopPort("rst", "input", 1, None, "rst")])
    _, mutants = mutate(design, 1000, 1, tmp_path)
    chosen = [each for each in mutants if (each.signal, each.change) == (signal, change)]
    assert chosen, [each.signal for each in mutants]
    found = equivalent(design, chosen, tmp_path)
    assert found == ({each.number for each in chosen} if same else set())


HOLDS = """\
module pimlico_small (input clk, input rst, input [1:0] a, output [7:0] m_axis_o_tdata,
                      output m_axis_o_tvalid);
  reg asked, shown;
  reg [7:0] word, square;
  reg [2:0] since;
  wire counts = since != 3'd5;
  always @(posedge clk) if (a[0]) word <= {4{a}};
  always @(posedge clk) square <= word * word;
  always @(posedge clk) asked <= !rst & a[0];
  always @(posedge clk) shown <= !rst & asked;
  always @(posedge clk)
    if (rst) since <= 3'd5;
    else if (a[1]) since <= 3'd0;
    else if (counts) since <= since + 3'd1;
  assign m_axis_o_tvalid = shown | since < 3'd3;
  assign m_axis_o_tdata = shown ? square : 8'd0;
endmodule
"""


def test_what_a_register_holds_for_nobody_does_not_count(tmp_path):
    """Seen by marks beyond a multiplier, or in a copy of the register."""
    design = Emitted("pimlico_small", HOLDS,
                     [*PORTS, TopPort("rst", "input", 1, None, "rst")])
    _, mutants = mutate(design, 1000, 1, tmp_path)
    same = {("procmux A[3]", "inverted"): True,  # held while nothing reads it
            ("word[3]", "inverted"): False,
            ("ne B[1]", "stuck at 1"): True,  # counts on, past what is asked for
            ("ne B[2]", "stuck at 0"): False}
    chosen = [each for each in mutants if (each.signal, each.change) in same]
    assert {(each.signal, each.change) for each in chosen} == set(same)
    found = equivalent(design, chosen, tmp_path)
    assert found == {each.number for each in chosen if same[each.signal, each.change]}


def test_mutants_name_what_they_change(tmp_path):
    design = emit(SUM, RunningSumConfig())
    mutated, mutants = mutate(design, 40, 3, tmp_path)
    assert [each.number for each in mutants] == list(range(1, 41))
    assert mutated.ports == [*design.ports, TopPort(SELECT, "input", 6, None, "wire")]
    lines = design.text.splitlines()
    assert all(isinstance(each, Mutant) and "$" not in each.signal for each in mutants)
    assert sum(bool(lines[each.line - 1].strip()) for each in mutants if each.line) > 30
    assert mutate(design, 40, 3, tmp_path)[1] == mutants != mutate(design, 40, 4, tmp_path)[1]


def test_a_design_has_only_so_many_mutants(tmp_path):
    assert len(mutate(small("held"), 1000, 1, tmp_path)[1]) < 100


def test_score_of_a_sound_bench(seed):
    seen = []
    result = score(SUM, RunningSumConfig(), count=80, cycles=3000, seed=seed,
                   progress=lambda what, done, total: seen.append(what))
    assert result["score"] >= 95, result["survivors"]
    assert result["killed"] + len(result["survivors"]) == result["total"]
    assert result["total"] + result["equivalent"] == 80
    assert (result["seed"], result["cycles"]) == (seed, 3000)
    assert 0 < result["last_kill"] < 3000
    assert result["coverage"]["line"] == 100 and result["coverage"]["toggle"] > 90
    assert {"mutants: making", "mutants: playing", "coverage: running"} <= set(seen)


def test_a_weak_stimulus_lets_mutants_live(seed):
    weak = replace(SUM, stimulus="test_mutate:one_packet")
    result = score(weak, RunningSumConfig(), count=80, cycles=3000, seed=seed)
    assert result["score"] < 90 and result["coverage"]["toggle"] < 60
    survivor = result["survivors"][0]
    assert set(survivor) == {"number", "change", "signal", "line", "text"}


def one_packet(config, rng):
    yield Episode("one", {"i": [1, 2, 3 | 1 << 8]})


def test_a_block_that_disagrees_with_its_model_has_no_score(seed):
    wrong = replace(SUM, cycles="test_mutate:WrongSum")
    with pytest.raises(ToolError, match=r"^the block as it is does not agree with its "
                                        r"model:\nmismatch on "):
        score(wrong, RunningSumConfig(), count=4, cycles=500, seed=seed)


class WrongSum(SUM.load("cycles")):
    def outputs(self, inputs):
        return super().outputs(inputs) | {"count": self.count ^ 1}


def test_ternary(seed):
    block = find("ternary-gemm")
    result = score(block, block.config(keys=2, luts=1, mu=2, act="int4", n_max=64, m_max=64),
                   count=100, cycles=20_000, seed=seed)
    assert result["score"] >= 95, result["survivors"]


FAMILIES = {
    "kv-history": ({"row_elems": 16, "beat_elems": 4, "tokens": 5, "append": True}, 600, 60_000),
    "omap-controller": ({
        "key_width": 20, "value_width": 12, "log2_pages": 3, "slots": 4, "capacity": 12,
        "beat_width": 64, "index_ways": 2, "host_latency_max": 30, "trusted": "port"},
        200, 250_000),
    "ascon-aead128": ({}, 200, 50_000),
    "bitslice-array": ({"rows": 2, "cols": 2, "max_k": 64}, 200, 60_000),
    "pim-channel": ({
        "fmt": "int8", "lanes": 8, "row_bytes": 256, "rows": 4, "banks": 4, "bank_groups": 2,
        "gb_cols": 8, "acc_slots": 3, "timing": {
            "trcd_rd": 7, "trcd_wr": 5, "trcd_mac": 9, "trp": 5, "tras": 11, "trc": 17,
            "tccd_s": 5, "tccd_l": 7, "tccd_mac": 3, "trrd_s": 5, "trrd_l": 7, "tfaw": 29,
            "twr": 17, "twtr": 13, "trtp": 15, "trefi": 300, "trfc": 21}}, 250, 100_000),
}
"""Configurations in which little is out of reach, mutants, and cycles."""


@pytest.mark.deep
@pytest.mark.parametrize("name", FAMILIES)
def test_families(name, seed):
    block = find(name)
    parameters, count, cycles = FAMILIES[name]
    result = score(block, block.config(**parameters), count=count, cycles=cycles, seed=seed)
    assert result["score"] >= 95, result["survivors"]
