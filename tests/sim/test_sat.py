"""The step of an induction by a SAT solver: what it needs, and which assertion it says fails."""

from dataclasses import replace

import pytest
from amaranth.asserts import AnyConst, AnySeq
from amaranth.back import rtlil
from amaranth.hdl import Assert, Assume, Cat, ClockDomain, Module, Mux, Signal

from pimlico.generators.errors import ToolError
from pimlico.sim.sat import solve_step
from pimlico.sim.smt import TOP, Verdict
from pimlico.sim.tools import TOOLS


def step(m, folder, depth=1, timeout=60):
    m.domains.sync = domain = ClockDomain(reset_less=True)
    design = rtlil.convert(m, name=TOP, ports=[domain.clk], emit_src=False)
    return solve_step(design, folder, depth, timeout=timeout)


def test_an_assertion_that_fails_is_named(seed, tmp_path):
    wrong = seed % 7
    m = Module()
    for number in range(7):
        register = Signal(3, name=f"register{number}")
        m.d.sync += register.eq(register + (number == wrong))
        m.d.comb += Assert(register == 0, f"register {number} stays 0")
    assert step(m, tmp_path) == Verdict(False, 1, (f"register {wrong} stays 0",))


def test_one_assertion_takes_the_others_as_given(tmp_path):
    m = Module()
    count, copy = Signal(3), Signal(3)
    after = Mux(count == 5, 0, count + 1)
    m.d.sync += [count.eq(after), copy.eq(Mux(copy == 5, 0, count + 1))]
    m.d.comb += [Assert(copy <= 5, "the copy is small"), Assert(count == copy, "both are equal")]
    assert step(m, tmp_path) == Verdict(True, 1)


def test_as_many_cycles_as_are_needed(tmp_path):
    for depth, found in ((2, Verdict(False, 2, ("nothing comes out",))), (5, Verdict(True, 3))):
        m = Module()
        given, shifts = AnySeq(1), Signal(3)
        m.d.sync += shifts.eq(Cat(given, shifts)[:3])
        m.d.comb += [Assume(~given), Assert(~shifts[2], "nothing comes out")]
        assert step(m, tmp_path, depth) == found


def test_assumptions_hold_in_every_cycle(tmp_path):
    for assumed in (True, False):
        m = Module()
        given, register = AnySeq(4), Signal(4)
        m.d.sync += register.eq(given)
        m.d.comb += [Assume((given < 3) | (not assumed)), Assert(register < 3, "it is small")]
        assert step(m, tmp_path).holds == assumed


def test_what_is_constant_stays(tmp_path):
    for value, holds in ((AnyConst(4), True), (AnySeq(4), False)):
        m = Module()
        register, same = Signal(4), Signal(4)
        m.d.comb += [same.eq(value), Assert(register == same, "it is that value")]
        m.d.sync += register.eq(same)
        assert step(m, tmp_path).holds == holds


def test_no_answer_in_time(tmp_path):
    m = Module()
    m.d.comb += Assert(AnySeq(1) == 0, "never")
    assert step(m, tmp_path, timeout=0) == Verdict(None)


def test_a_missing_solver_is_one_clear_line(monkeypatch, tmp_path):
    monkeypatch.setitem(TOOLS, "python-sat", replace(TOOLS["python-sat"], path=lambda: None))
    with pytest.raises(ToolError, match=r"^python-sat is missing, needed for proofs; get it with: "
                                        r"pip install 'pimlico\[formal\]'$"):
        step(Module(), tmp_path)


def test_a_design_that_yosys_does_not_read(tmp_path):
    with pytest.raises(ToolError, match=r"(?s)^the SAT solver could not be run on the design\n"):
        solve_step("no design", tmp_path, 1, timeout=60)
