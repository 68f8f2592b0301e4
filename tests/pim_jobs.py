"""Stimulus for the PIM banks beside the block's own."""

from itertools import pairwise

from pim_cases import LATE, PREPARED, WAITING, WRITTEN, WRONG
from pim_table_cases import WAITING as TABLES_WAITING
from pim_table_cases import WRONG as TABLES_WRONG

from pimlico.hdl.pim.commands import Op
from pimlico.hdl.pim.config import PimConfig
from pimlico.verif.episode import Episode
from pimlico.verif.pim.mixed import mix
from pimlico.verif.pim.rules import Command
from pimlico.verif.pim.script import Commands
from pimlico.verif.pim.workloads import schedule

FIRST = 1
"""Earliest cycle after reset in which a command is checked."""


def cases(config):
    """Cases of the configuration: name, commands with their cycles, and the codes of those that
    are refused."""
    for name, (parameters, before, command, code, first) in (WAITING | TABLES_WAITING).items():
        if PimConfig(**parameters) == config:
            yield name, [*before, (first - 1, command), (first, command)], [code]
    for name, (parameters, before, command, code, late) in LATE.items():
        if PimConfig(**parameters) == config:
            yield name, [*before, (late, command)], [code]
    for name, (parameters, before, command, code, legal) in (WRONG | TABLES_WRONG).items():
        if PimConfig(**parameters) == config:
            after = [(200, command), *([(201, legal)] if legal else [])]
            yield name, [*before, *after], [code]


def filled(config, rng, rows):
    """All columns of some rows are written; sums and operand buffers are set."""
    made = Commands(config, rng)
    made.rows, made.spans = rows, [(0, config.cols)]
    made.fill()
    if config.pq:
        made.clear()
    return made.script.episode("fill")


def rules_by_themselves(config, rng):
    """Each rule refused a cycle too early, and met on time."""
    port, commands = config.port("cmd"), Commands(config, rng)
    yield filled(config, rng, range(4))
    for name, timed, _ in cases(config):
        written = [(col - PREPARED, Command(Op.GB_WR, col=col))
                   for col in range(min(WRITTEN, config.gb_cols))]
        written += [(slot - config.acc_slots, Command(Op.ACC_WR, commands.every, slot=slot))
                    for slot in range(config.acc_slots)]
        timed = [(cycle + PREPARED + FIRST, command) for cycle, command in written + timed]
        cycles = [0, *(cycle for cycle, _ in timed)]
        yield Episode(
            name, {"cmd": [port.pack(command._asdict()) for _, command in timed],
                   "wdata": [commands.column() for _ in timed]},
            delay={"cmd": [now - before - 1 for before, now in pairwise(cycles)]},
            cycles=timed[-1][0] + 40)


def resets(config, rng):
    """Streams that a reset cuts short, some of them early; the arrays keep what was written."""
    yield filled(config, rng, Commands(config, rng).rows)
    for number in range(20):
        made = Commands(config, rng)
        made.clear()
        made.buffer(4)
        mix(made, 25)
        length = made.script.rules.now
        yield made.script.episode(
            f"reset {number}", surplus=[made.column() for _ in range(30)],
            cycles=int(rng.integers(2, 60 if number % 2 else length)),
            ready={"rdata": 0.3, "result": 0.3, "status": 0.5} if number % 3 else {})


def reads_beside(config, rng):
    """Rows multiplied while others are read, each command as soon as it is legal."""
    yield filled(config, rng, range(config.rows))
    made = Commands(config, rng)
    columns = [made.column() for _ in range(8)]
    yield schedule(config, 6, min(config.cols, config.gb_cols), 96).episode(config, columns)
