"""The step of an induction by a SAT solver, on gates, one assertion at a time.

z3 asks whether any assertion fails after a cycle in which all hold. Where there are hundreds of
them about lists and tables it finds no answer, while each alone is found in a moment, given those
that were found before it.

``python -m pimlico.sim.sat FOLDER DEPTH`` reads ``design.il`` in the folder, and writes
``step.json``: in a process of its own, since neither Yosys nor the solver can be stopped.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from pimlico.generators.errors import ToolError

from .smt import PASSES, SPACE, Verdict, read_design, run_tool, show, tail
from .tools import require

SOLVER = "cadical195"

# What is undefined is free, as an input is.
_PASSES = (*PASSES, "memory_map", "opt -full", "setundef -undriven -anyseq", "techmap", "dffunmap",
           "simplemap", "setundef -undriven -anyseq", "aigmap")


@dataclass(frozen=True)
class Gates:
    """A design of AND gates, as AIGER has it: a literal is twice a variable's number, plus one
    for its complement.

    Attributes
    ----------
    registers : dict of int to int
        By a register's literal, that of its next value.
    inputs : list of int
    ands : list of tuple of int
        Each gate's literal and those of its two inputs, which come before it.
    assertions : dict of int to str
        By the literal that is 1 where an assertion fails, its text.
    assumptions : list of int
    """

    registers: dict[int, int]
    inputs: list[int]
    ands: list[tuple[int, int, int]]
    assertions: dict[int, str]
    assumptions: list[int]

    @classmethod
    def read(cls, aiger: str, texts: Iterable[str]) -> Gates:
        """The gates of an AIGER file in its textual form, and the texts of its assertions."""
        lines = iter(aiger.splitlines())
        counts = [int(number) for number in next(lines).split()[2:]]
        inputs, registers, outputs, ands, bad, held = counts[:6]

        def numbers(count: int) -> list[tuple[int, ...]]:
            return [tuple(map(int, next(lines).split())) for _ in range(count)]

        free = [one[0] for one in numbers(inputs)]
        states = {one[0]: one[1] for one in numbers(registers)}
        numbers(outputs)
        fails = [one[0] for one in numbers(bad)]
        return cls(states, free, assumptions=[one[0] for one in numbers(held)],
                   ands=[(gate, one, other) for gate, one, other in numbers(ands)],
                   assertions=dict(zip(fails, texts, strict=True)))

    def needed(self, roots: Iterable[int]) -> list[tuple[int, int, int]]:
        """The gates that some literals follow from."""
        seen = {root & ~1 for root in roots}
        kept = []
        for gate in reversed(self.ands):
            if gate[0] in seen:
                seen.update(literal & ~1 for literal in gate[1:])
                kept.append(gate)
        return kept[::-1]


class Cycles:
    """Consecutive cycles of a design in a solver, the first from any state.

    Parameters
    ----------
    gates : Gates
    solver : pysat.solvers.Solver
    """

    def __init__(self, gates: Gates, solver: Any):
        self._gates, self._solver = gates, solver
        self._count = 1
        self._true = 1
        self._known: dict[tuple[int, int], int] = {}
        self._last: dict[int, int] = {}
        solver.add_clause([self._true])

    def add(self, *, is_last: bool = False) -> None:
        """A cycle after those that there are, in which the assumptions hold."""
        gates, before = self._gates, self._last
        now = {0: -self._true}
        self._last = now
        for state, following in gates.registers.items():
            now[state] = self._at(before, following) if before else self._new()
        for literal in gates.inputs:
            now[literal] = self._new()
        roots = [*gates.assertions, *gates.assumptions]
        if not is_last:
            roots += gates.registers.values()
        for gate, one, other in gates.needed(roots):
            now[gate] = self._and(self._at(now, one), self._at(now, other))
        for literal in gates.assumptions:
            self._solver.add_clause([self._at(now, literal)])

    def literal(self, literal: int) -> int:
        """The solver's literal for one of the design, in the last cycle."""
        return self._at(self._last, literal)

    def _at(self, values: dict[int, int], literal: int) -> int:
        return -values[literal & ~1] if literal & 1 else values[literal]

    def _new(self) -> int:
        self._count += 1
        return self._count

    def _and(self, one: int, other: int) -> int:
        true = self._true
        if -true in (one, other) or one == -other:
            return -true
        if one in (true, other):
            return other
        if other == true:
            return one
        key = (min(one, other), max(one, other))
        if key not in self._known:
            self._known[key] = gate = self._new()
            for clause in ([-gate, one], [-gate, other], [gate, -one, -other]):
                self._solver.add_clause(clause)
        return self._known[key]


def broken_after(gates: Gates, window: int) -> tuple[str, ...]:
    """The assertions that some run breaks after `window` cycles in which all hold; none if each
    of them holds."""
    from pysat.solvers import Solver

    with Solver(name=SOLVER) as solver:
        cycles = Cycles(gates, solver)
        for _ in range(window):
            cycles.add()
            for fails in gates.assertions:
                solver.add_clause([-cycles.literal(fails)])
        cycles.add(is_last=True)
        for fails in gates.assertions:
            failing = cycles.literal(fails)
            if solver.solve(assumptions=[failing]):
                model = set(solver.get_model())
                return tuple(dict.fromkeys(text for one, text in gates.assertions.items()
                                           if cycles.literal(one) in model))
            solver.add_clause([-failing])
    return ()


def solve_step(rtlil: str, folder: Path, depth: int, *, timeout: float, stop: Event | None = None,
               verbose: bool = False) -> Verdict:
    """Whether the assertions in some cycles in a row imply them in the next, from any state.

    Parameters
    ----------
    rtlil : str
        The design; its top is called ``smt.TOP``.
    folder : Path
        Where to work.
    depth : int
        Most cycles in a row.
    timeout : float
        Seconds after which to give up.
    stop : Event, optional
        Makes it give up once set.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    for tool in ("pyosys", "python-sat"):
        require(tool)
    (folder / "design.il").write_text(rtlil)
    result = folder / "step.json"
    ended = run_tool([sys.executable, "-m", "pimlico.sim.sat", str(folder), str(depth)],
                     timeout=timeout, stop=stop)
    if ended is None:
        return Verdict(None)
    output, code = ended
    show(output, verbose)
    if code or not result.exists():
        raise ToolError("the SAT solver could not be run on the design"
                        + tail(output or f"exit code {code}"))
    found = json.loads(result.read_text())
    return Verdict(not found["broken"], found["window"], tuple(found["broken"]))


def _gates(folder: Path) -> Gates:
    from pyosys import libyosys as ys

    design = read_design(folder)
    result = folder / "design.aag"
    for command in (*_PASSES, f"write_aiger -ascii {result}"):
        ys.run_pass(command, design)
    # AIGER has the assertions in the order of their cells
    texts = [cell.get_string_attribute(ys.IdString("\\src")).replace(SPACE, " ")
             for module in design.modules_.values() for cell in module.cells_.values()
             if cell.type.str() == "$assert"]
    return Gates.read(result.read_text(), texts)


def _main(folder: Path, depth: int) -> None:
    gates = _gates(folder)
    for window in range(1, depth + 1):
        broken = broken_after(gates, window)
        if not broken:
            break
    (folder / "step.json").write_text(json.dumps({"window": window, "broken": broken}))


if __name__ == "__main__":
    # neither Yosys nor the solver returns to the interpreter, where ^C would be seen
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _main(Path(sys.argv[1]), int(sys.argv[2]))
