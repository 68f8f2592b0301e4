import re
from dataclasses import replace
from itertools import pairwise

import faults
import pytest
from running_sum import BLOCK
from running_sum.config import RunningSumConfig
from running_sum.cycles import RunningSumCycles

from pimlico.generators.vectors import record
from pimlico.generators.verilog import emit
from pimlico.sim import runner
from pimlico.sim.verify import verify
from pimlico.verif.lockstep import Lockstep, LockstepError
from pimlico.verif.model import CycleModel
from pimlico.verif.run import Pin

CONFIG = RunningSumConfig()


@pytest.fixture(scope="module")
def design():
    return emit(BLOCK, CONFIG)


def run(design, *, model=None, stimulus="faults:packets", text=None, **more):
    """Verify on Icarus, which builds in no time."""
    block = replace(BLOCK, cycles=f"faults:{model}") if model else BLOCK
    return verify(block, CONFIG, simulators=["icarus"], cycles=20000, stimulus=stimulus,
                  design=replace(design, text=text) if text else design, **more)


def test_block_that_agrees_passes(design, seed):
    result = run(design, seed=seed, record=True)
    assert result["passed"]
    assert result["mismatch"] is None
    icarus = result["simulators"]["icarus"]
    assert icarus["episodes"] == 1
    assert icarus["tests"] == 1
    assert icarus["recorded"] == {"o": [3, 7, 0x10C, 0x101]}
    came, left = icarus["traffic"]["i"], icarus["traffic"]["o"]
    assert came["beats"] == left["beats"] == 4
    assert came["first"] == 2, "the reset takes two cycles"
    assert 2 < left["first"] < came["last"] < left["last"]


def test_wrong_payload_is_decoded(design):
    result = run(design, model="WrongSum", seed=1)
    assert not result["passed"]
    text = result["mismatch"]
    assert text.startswith("icarus: mismatch on m_axis_o_tlast in episode 'two packets', cycle ")
    assert "expected 0\n  got      1" in text
    assert re.search(r"cycle +i +o +negate +count\n", text)


def test_wrong_field_is_named(design):
    patched = design.text.replace("assign m_axis_o_tdata = o__payload[7:0];",
                                  "assign m_axis_o_tdata = o__payload[7:0] & 8'hfb;")
    assert patched != design.text
    result = run(design, text=patched, seed=1)
    assert "mismatch on m_axis_o_tdata" in result["mismatch"]
    assert "expected 0x07\n  got      0x03\n    sum: expected 7, got 3" in result["mismatch"]


def test_wrong_ready_is_found_though_no_payload_differs(design):
    result = run(design, model="TooEarly", stimulus="faults:stalls")
    assert "mismatch on s_axis_i_tready in episode 'nobody listens'" in result["mismatch"]


def test_model_must_give_every_output(design):
    assert "the cycle model gives no count" in run(design, model="Incomplete")["mismatch"]


def test_unknown_output_is_an_error(design):
    result = run(design, model="NeverReady", text=faults.UNKNOWN_COUNT)
    assert "mismatch on count" in result["mismatch"]
    assert "got      000X (X or Z)" in result["mismatch"]


def test_block_that_never_moves_is_stuck(design):
    result = run(design, model="NeverReady", text=faults.NEVER_READY)
    text = result["mismatch"]
    assert "stuck in episode 'two packets'" in text
    assert "  i: offered, not taken\n" in text
    assert CycleModel.patience <= result["cycles"] < CycleModel.patience + 100


def test_cut_episode_may_stand_still(design):
    assert run(design, stimulus="faults:stalls")["passed"]


def test_no_episode_is_a_failure(design):
    assert "the stimulus has no episode" in run(design, stimulus="faults:nothing")["mismatch"]


def test_broken_stimulus_shows_where(design):
    text = run(design, stimulus="faults:broken")["mismatch"]
    assert "RuntimeError: no such packet" in text


def test_no_test_executed_is_a_failure(design, monkeypatch):
    monkeypatch.setenv("COCOTB_TEST_FILTER", "no such test")
    result = run(design)
    assert not result["passed"]
    assert "no test was executed" in result["mismatch"]
    assert result["simulators"]["icarus"]["tests"] == 0


def test_simulator_that_ends_early_is_a_failure(design):
    result = run(design, model="NeverReady", text=faults.FINISHES)
    assert not result["passed"]
    assert "ended prematurely" in result["mismatch"]


def test_simulator_that_loops_is_ended(design, monkeypatch):
    monkeypatch.setattr(runner, "SILENCE", 3)
    result = run(design, model="NeverReady", text=faults.LOOPS_AT_ONE_TIME)
    assert "the simulator came to no clock edge for 3 s" in result["mismatch"]


class Mirror:
    """Pins that show what a model gives, as RTL without a fault would."""

    def __init__(self):
        self.model = RunningSumCycles(CONFIG)
        self.pins = [Pin("clk", "input", 1, None, "clk"), Pin("aresetn", "input", 1, None, "rst")]
        self.pins += [Pin("s_axis_i_tdata", "input", 8, "i", "tdata"),
                      Pin("s_axis_i_tvalid", "input", 1, "i", "tvalid"),
                      Pin("s_axis_i_tready", "output", 1, "i", "tready"),
                      Pin("s_axis_i_tlast", "input", 1, "i", "tlast"),
                      Pin("m_axis_o_tdata", "output", 8, "o", "tdata"),
                      Pin("m_axis_o_tvalid", "output", 1, "o", "tvalid"),
                      Pin("m_axis_o_tready", "input", 1, "o", "tready"),
                      Pin("m_axis_o_tlast", "output", 1, "o", "tlast"),
                      Pin("negate", "input", 1, "negate", "wire"),
                      Pin("count", "output", 4, "count", "wire")]
        self.values = {}
        self.trace = []

    def lockstep(self, **more):
        read = {name: lambda name=name: self.get(name) for name in
                ("s_axis_i_tready", "m_axis_o_tdata", "m_axis_o_tvalid", "m_axis_o_tlast",
                 "count")}
        write = {pin.name: lambda value, name=pin.name: self.values.update({name: value})
                 for pin in self.pins if pin.direction == "input"}
        return Lockstep(CONFIG.ports, self.pins, read, write, RunningSumCycles(CONFIG),
                        seed=7, **more)

    @property
    def inputs(self):
        bit = {name: int(value, 2) for name, value in self.values.items()}
        return {"i_valid": bit["s_axis_i_tvalid"], "o_ready": bit["m_axis_o_tready"],
                "i_payload": bit["s_axis_i_tdata"] | bit["s_axis_i_tlast"] << 8,
                "negate": bit["negate"]}

    def get(self, pin):
        outputs = self.model.outputs(self.inputs)
        return {"s_axis_i_tready": format(outputs["i_ready"], "b"),
                "m_axis_o_tvalid": format(outputs["o_valid"], "b"),
                "m_axis_o_tdata": format(outputs["o_payload"] & 255, "08b"),
                "m_axis_o_tlast": format(outputs["o_payload"] >> 8, "b"),
                "count": format(outputs["count"], "04b")}[pin]

    def play(self, lockstep, episodes):
        for _ in lockstep.play(episodes):
            if self.values["clk"] == "1":
                if self.values["aresetn"] == "0":
                    self.model.reset()
                else:
                    self.trace.append(self.inputs)
                    self.model.tick(self.inputs)


def test_source_holds_each_beat_until_it_is_taken_and_leaves_no_old_payload():
    mirror = Mirror()
    beats = list(range(1, 60))
    episode = faults.Episode("held", {"i": beats}, valid={"i": 0.5}, ready={"o": 0.4})
    mirror.play(mirror.lockstep(cycles=1000), [episode])
    model, taken = RunningSumCycles(CONFIG), []
    for before, after in zip(mirror.trace, [*mirror.trace[1:], None], strict=True):
        ready = model.outputs(before)["i_ready"]
        model.tick(before)
        if before["i_valid"] and ready:
            taken.append(before["i_payload"])
            if after and not after["i_valid"]:
                assert after["i_payload"] != before["i_payload"]
        elif before["i_valid"]:
            assert after["i_valid"]
            assert after["i_payload"] == before["i_payload"]
    assert taken == beats


def test_stalls_differ_from_each_other_and_repeat_with_the_seed():
    traces = []
    for _ in range(2):
        mirror = Mirror()
        mirror.play(mirror.lockstep(cycles=300), faults.stalls(CONFIG, None))
        mirror.play(mirror.lockstep(cycles=300), [faults.Episode(
            "stalled", {"i": [1] * 80}, valid={"i": 0.5}, ready={"o": 0.5})])
        traces.append(mirror.trace)
    assert traces[0] == traces[1]
    assert {(cycle["i_valid"], cycle["o_ready"]) for cycle in traces[0]} == {
        (0, 0), (0, 1), (1, 0), (1, 1)}


def test_every_output_counts_once_a_cycle_and_payloads_while_valid():
    mirror = Mirror()
    lockstep = mirror.lockstep(cycles=1000)
    mirror.play(lockstep, [faults.Episode("three", {"i": [1, 2, 3]})])
    cycles = lockstep.outcome.cycles
    ready_valid_count, data_and_last = 3, 2
    assert lockstep.outcome.comparisons == (cycles - 1) * ready_valid_count + 3 * data_and_last


def test_run_stops_at_its_cycles():
    mirror = Mirror()
    lockstep = mirror.lockstep(cycles=50)
    mirror.play(lockstep, [faults.Episode("long", {"i": [1] * 400})])
    assert lockstep.outcome.cycles == 50


def test_wires_repeat_from_the_start():
    mirror = Mirror()
    mirror.play(mirror.lockstep(cycles=100), [faults.Episode(
        "wires", {"i": [1] * 9}, wires={"negate": [1, 0, 0]})])
    assert [cycle["negate"] for cycle in mirror.trace[:6]] == [1, 0, 0, 1, 0, 0]


def test_state_that_survives_a_reset_is_found():
    mirror = Mirror()
    lockstep = mirror.lockstep(cycles=100)
    mirror.model.reset = lambda: None
    with pytest.raises(LockstepError, match=r"mismatch on \S+ in episode 'second'"):
        mirror.play(lockstep, [
            faults.Episode("first", {"i": [1, 2]}, ready={"o": 0}, cycles=5),
            faults.Episode("second", {"i": [1]})])


def gates_hold(cycles):
    """A beat of `gated` is on offer from the cycle after its counts are reached, no sooner."""
    taken = {"i": 0, "o": 0}
    for inputs, outputs in cycles:
        at = taken["i"]
        counts = faults.GATES[at] if at < len(faults.GATES) else {"i": at + 1}
        assert inputs["i_valid"] == all(taken[name] >= count for name, count in counts.items())
        taken["i"] += inputs["i_valid"] & outputs["i_ready"]
        taken["o"] += outputs["o_valid"] & inputs["o_ready"]
    assert taken == {"i": 5, "o": 5}


def test_the_bench_holds_beats_back_until_the_counts_of_their_episode():
    mirror = Mirror()
    lockstep = mirror.lockstep(cycles=1000)
    episodes = faults.gated(CONFIG, None)
    for _ in range(3):
        mirror.trace.clear()
        mirror.play(lockstep, [next(episodes)])
        model, cycles = RunningSumCycles(CONFIG), []
        for inputs in mirror.trace:
            cycles.append((inputs, model.outputs(inputs)))
            model.tick(inputs)
        gates_hold(cycles)


def test_recorded_vectors_hold_beats_back_alike():
    trace = record(replace(BLOCK, stimulus="faults:gated"), CONFIG, 300)
    begins = [at for at, cycle in enumerate(trace) if cycle.reset]
    assert len(begins) > 4
    for begin, end in pairwise(begins):
        gates_hold([(cycle.inputs, cycle.outputs) for cycle in trace[begin + 1:end]])
