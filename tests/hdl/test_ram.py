import random
import re
import subprocess

import pytest
from amaranth.asserts import AnySeq
from amaranth.back import rtlil
from amaranth.hdl import Assert, Module, Signal
from amaranth.lib.memory import Memory
from amaranth.sim import Simulator
from ram_block import icarus, ram

from pimlico.generators.verilog import _write_verilog
from pimlico.hdl.common.ram import MARK, Ram, memory, without_init
from pimlico.sim.smt import TOP, solve, write_smt2
from pimlico.sim.tools import require

SHAPES = [(8, 16), (5, 3), (1, 2), (3, 1)]


class Model:
    """What a `Ram` does; None is unknown."""

    def __init__(self, write_through):
        self.write_through = write_through
        self.words, self.q = {}, None

    def tick(self, address, enable, write, wipe, data):
        if wipe:
            self.q = 0
        elif enable and write:
            self.words[address] = data
            self.q = data if self.write_through else self.q
        elif enable:
            self.q = self.words.get(address)


def stimulus(rng, width, depth, write_through, cycles):
    steps = []
    for _ in range(cycles):
        enable = int(rng.random() < 0.7)
        wipe = int(write_through and rng.random() < 0.1)
        write = int(enable and not wipe and rng.random() < 0.5)
        steps.append((rng.randrange(depth), enable, write, wipe, rng.randrange(1 << width)))
    return steps


@pytest.mark.parametrize("write_through", [False, True])
@pytest.mark.parametrize("width, depth", SHAPES)
def test_reads_what_was_written_a_cycle_later(width, depth, write_through, seed):
    dut = Ram(width, depth, write_through=write_through)
    model = Model(write_through)
    assert hasattr(dut, "wipe") == write_through
    known = 0

    async def bench(context):
        nonlocal known
        for step in stimulus(random.Random(seed), width, depth, write_through, 300):
            for name, value in zip(("address", "enable", "write", "wipe", "data"), step,
                                   strict=True):
                if name != "wipe" or write_through:
                    context.set(getattr(dut, name), value)
            await context.tick()
            model.tick(*step)
            if model.q is not None:
                known += 1
                assert context.get(dut.q) == model.q

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert known > 100


@pytest.mark.parametrize("write_through", [False, True])
def test_the_verilog_does_the_same_and_knows_nothing_at_power_up(tmp_path, write_through, seed):
    emitted = ram(width=6, depth=9, write_through=write_through)
    steps = stimulus(random.Random(seed), 6, 9, write_through, 300)
    names = ("address", "enable", "write", "wipe", "data")
    printed = icarus(tmp_path, emitted.text, emitted,
                     [dict(zip(names, step, strict=True)) for step in steps])
    model = Model(write_through)
    expected = []
    for step in steps:
        model.tick(*step)
        expected.append("x" * 6 if model.q is None else f"{model.q:06b}")
    assert printed == expected


@pytest.mark.parametrize("kind, style", [
    ("auto", []), ("block", ["block"]), ("ultra", ["ultra"]), ("spram", ["huge"])])
def test_the_verilog_asks_for_the_kind_and_for_no_initial_value(kind, style):
    text = ram(width=8, depth=16, kind=kind).text
    assert re.findall(r'\(\* ram_style = "(\w+)" \*\)\n  reg \[7:0\] words \[15:0\];', text) \
        == style
    assert text.count("(*") == len(style)
    assert "initial" not in text and MARK not in text and "= 8'h00;" not in text


def test_verilator_has_nothing_to_say(tmp_path):
    emitted = ram(width=8, depth=16, kind="block", write_through=True, registered=True)
    (tmp_path / "ram.v").write_text(emitted.text)
    run = subprocess.run([require("verilator"), "--lint-only", "-Wall", "-Wno-DECLFILENAME",
                          "-Wno-UNUSEDSIGNAL", "-Wno-PROCASSINIT", tmp_path / "ram.v"],
                         capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_memory_of_the_users_own_keeps_its_contents():
    m = Module()
    m.submodules.known = known = Memory(shape=8, depth=4, init=[1, 2, 3, 4])
    m.submodules.fresh = fresh = memory(8, 4)
    y, at = Signal(8), Signal(2)
    ports = [each.read_port(domain="comb") for each in (known, fresh)]
    write = fresh.write_port()
    m.d.comb += [y.eq(ports[0].data ^ ports[1].data), *(port.addr.eq(at) for port in ports),
                 write.addr.eq(at), write.en.eq(1), write.data.eq(y)]
    counter = Signal(4, init=5)
    m.d.sync += counter.eq(counter + y[0])
    text = without_init(rtlil.convert(m, name="top", ports=[at, y, counter], emit_src=False))
    verilog = _write_verilog(text, "top")
    assert re.findall(r"known\[(\d)\] = 8'h0(\d);", verilog) == [
        ("0", "1"), ("1", "2"), ("2", "3"), ("3", "4")]
    assert "fresh[0] =" not in verilog
    assert "counter = 4'h5;" in verilog


@pytest.mark.parametrize("ours", [True, False])
def test_a_proof_starts_from_any_contents(tmp_path, ours):
    m = Module()
    m.submodules.words = words = memory(2, 4) if ours else Memory(shape=2, depth=4, init=[])
    read, write = words.read_port(domain="comb"), words.write_port()
    m.d.comb += [read.addr.eq(AnySeq(2)), write.addr.eq(AnySeq(2)), write.en.eq(AnySeq(1)),
                 Assert(read.data == 0, "zero")]
    text = rtlil.convert(m, name=TOP, ports=[], emit_src=False)
    smt2 = write_smt2(without_init(text), tmp_path)
    assert solve(smt2, 3, induction=False, timeout=60).holds is not ours
