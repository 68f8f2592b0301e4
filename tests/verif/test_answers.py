"""Wires that answer the block, and outputs that say something at times: bench and vectors."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from pimlico.generators import vectors
from pimlico.generators.block import Block
from pimlico.generators.diagram import Stage, draw
from pimlico.generators.testbench import render
from pimlico.generators.verilog import Emitted, TopPort
from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.ports import Wire
from pimlico.verif.episode import Episode
from pimlico.verif.lockstep import Lockstep, LockstepError
from pimlico.verif.model import CycleModel
from pimlico.verif.run import Pin

TABLE = [3, 1, 4, 1, 5, 9, 2, 6]
"""The memory that the block asks."""


class AskerConfig(BlockConfig):
    """Asks for the words of a table in turn, while ``go`` is 1, and shows the last answer."""

    block: ClassVar[str] = "asker"
    latency: ClassVar[int] = 1
    interval: ClassVar[int] = 1

    @property
    def ports(self):
        return (Wire("go", "in", 1), Wire("ask", "out", 1), Wire("place", "out", 3, when="ask"),
                Wire("q", "in", 4), Wire("seen", "out", 4))


class Asker(CycleModel):
    """The block and its table."""

    def __init__(self, config):
        super().__init__(config)
        self.reset()

    def reset(self):
        self.at, self.q = 0, 15

    def answers(self):
        return {"q": self.q}

    def outputs(self, inputs):
        asks = {"place": self.at} if inputs["go"] else {}
        return {"ask": inputs["go"], "seen": self.q} | asks

    def tick(self, inputs):
        if inputs["go"]:
            self.q, self.at = TABLE[self.at], (self.at + 1) % len(TABLE)

    @property
    def idle(self):
        return False


def going(config, rng):
    while True:
        yield Episode("going", {}, wires={"go": [1, 1, 0, 1, 0, 0]}, cycles=40)


class Pins:
    """Pins of a block that counts, and shows what it is answered."""

    def __init__(self, step=1, place="{:03b}", seen=0):
        self.step, self.place, self.seen = step, place, seen
        self.at, self.values = 0, {}
        self.lockstep = Lockstep(
            AskerConfig().ports,
            [Pin("clk", "input", 1, None, "clk"), Pin("rst", "input", 1, None, "rst"),
             *(Pin(port.name, f"{port.direction}put", port.width, port.name, "wire")
               for port in AskerConfig().ports)],
            {"ask": lambda: self.values["go"], "place": self.read_place, "seen": self.read_seen},
            {name: lambda value, name=name: self.values.update({name: value})
             for name in ("clk", "rst", "go", "q")},
            Asker(AskerConfig()), seed=1, cycles=30)

    def read_place(self):
        return format(self.at, "03b") if self.values["go"] == "1" else self.place.format(self.at)

    def read_seen(self):
        return format(int(self.values["q"], 2) ^ self.seen, "04b")

    def play(self):
        for _ in self.lockstep.play(going(None, None)):
            if self.values["clk"] == "1":
                if self.values["rst"] == "1":
                    self.at = 0
                elif self.values["go"] == "1":
                    self.at = (self.at + self.step) % 8
        return self.lockstep.outcome


def test_answers_are_driven_before_outputs_are_read():
    outcome = Pins().play()
    ran = outcome.cycles - 2  # of reset, the second of which is compared
    going = sum([1, 1, 0, 1, 0, 0][at % 6] for at in range(ran))
    assert outcome.comparisons == 2 * (ran + 1) + going


def test_a_wrong_question_is_found():
    with pytest.raises(LockstepError, match=r"mismatch on place in episode 'going', cycle 3 "):
        Pins(step=3).play()


def test_a_wrong_use_of_an_answer_is_found():
    with pytest.raises(LockstepError, match="mismatch on seen"):
        Pins(seen=2).play()


@pytest.mark.parametrize("place", ["000", "zzz", "xx1"])
def test_what_says_nothing_may_be_anything(place):
    assert Pins(place=place).play().cycles == 30


def recorded():
    class Here(Block):
        def load(self, what):
            return {"stimulus": going, "cycles": Asker}[what]

    block = Here("asker", "", AskerConfig, "", "", "", Path())
    return vectors.record(block, AskerConfig(), 30)


def test_vectors_carry_the_answers():
    trace = [cycle for cycle in recorded() if not cycle.reset]
    expected, at = [15], 0
    for cycle in trace:
        if cycle.inputs["go"]:
            expected.append(TABLE[at % len(TABLE)])
            at += 1
            assert cycle.outputs["place"] == (at - 1) % 8
        else:
            expected.append(expected[-1])
            assert "place" not in cycle.outputs
    assert [cycle.inputs["q"] for cycle in trace] == expected[:-1]
    assert len(set(expected)) > 4


def test_the_testbench_looks_at_an_output_while_it_says_something():
    ports = [TopPort("clk", "input", 1, None, "clk"), TopPort("rst", "input", 1, None, "rst"),
             *(TopPort(port.name, f"{port.direction}put", port.width, port.name, "wire")
               for port in AskerConfig().ports)]
    text = render(Emitted("pimlico_asker", "", ports), AskerConfig(), 30)
    assert "if (expect_ask && place !== expect_place)" in text
    assert "if (seen !== expect_seen)" in text


def test_a_wire_is_drawn_with_its_group():
    class Grouped(AskerConfig):
        @property
        def ports(self):
            return tuple(replace(port, group="a table") if port.name in ("ask", "place", "q")
                         else port for port in super().ports)

    text = draw("pimlico_asker", Grouped(), [Stage("asker", "asks", 40)])
    assert text.count("a table") == 2 and ">place<" not in text and ">seen<" in text
    assert ">40 cycles<" in text
