"""Models, stimuli and Verilog at odds with the running sum, for the bench to find."""

from running_sum.cycles import RunningSumCycles

from pimlico.verif.episode import Episode

PORTS = """\
(input clk, input rst, input [7:0] s_axis_i_tdata, input s_axis_i_tvalid, output s_axis_i_tready,
 input s_axis_i_tlast, output [7:0] m_axis_o_tdata, output m_axis_o_tvalid, input m_axis_o_tready,
 output m_axis_o_tlast, input negate, output [3:0] count);
"""

NEVER_READY = f"""\
module pimlico_running_sum {PORTS}
  assign s_axis_i_tready = 0, m_axis_o_tvalid = 0, m_axis_o_tdata = 0, m_axis_o_tlast = 0;
  assign count = 0;
endmodule
"""

UNKNOWN_COUNT = NEVER_READY.replace("count = 0", "count = {3'b0, 1'bx}")

FINISHES = NEVER_READY.replace("endmodule", """\
  always @(posedge clk) if (s_axis_i_tvalid) $finish;
endmodule""")

LOOPS_AT_ONE_TIME = NEVER_READY.replace("endmodule", """\
  reg turn = 0;
  always @(posedge clk) if (s_axis_i_tvalid) forever #0 turn = ~turn;
endmodule""")

GATES = [{}, {"o": 1}, {"o": 2}, {}, {"o": 4, "i": 4}]
"""How many beats must be taken before each beat of `gated` is offered."""


class WrongSum(RunningSumCycles):
    """Forgets to end a packet."""

    def tick(self, inputs):
        super().tick(inputs)
        self.last = 0

    def outputs(self, inputs):
        return super().outputs(inputs) | {"o_payload": self.total}


class TooEarly(RunningSumCycles):
    """Takes a beat while the result before it still stands."""

    def outputs(self, inputs):
        return super().outputs(inputs) | {"i_ready": 1}


class Incomplete(RunningSumCycles):
    """Does not say what ``count`` is."""

    def outputs(self, inputs):
        outputs = super().outputs(inputs)
        del outputs["count"]
        return outputs


class NeverReady(RunningSumCycles):
    """Agrees with `NEVER_READY`."""

    def outputs(self, inputs):
        return {"i_ready": 0, "o_valid": 0, "count": 0}


def packets(config, rng):
    """Packets of 3, 4 and 5, then 1: sums 3, 7, 12, 1."""
    last = 1 << config.width
    yield Episode("two packets", {"i": [3, 4, 5 | last, 1 | last]}, ready={"o": 0.5})


def stalls(config, rng):
    """A beat that must wait, since nobody takes the first."""
    yield Episode("nobody listens", {"i": [1, 2]}, ready={"o": 0}, cycles=20)


def gated(config, rng):
    """Beats that wait for results, and for beats before them, to be taken."""
    while True:
        yield Episode("gated", {"i": [1, 2, 3, 4, 5]}, ready={"o": 0.4}, after={"i": GATES})


def nothing(config, rng):
    """No episode at all."""
    return iter(())


def broken(config, rng):
    """Cannot be made."""
    raise RuntimeError("no such packet")
