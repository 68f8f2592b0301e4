"""The cycle model of the PIM banks alone: replies, jobs, stalls, refusals and rates."""

from collections import deque
from copy import deepcopy
from itertools import islice
from types import NoneType

import numpy as np
import pytest
from long_runs import without
from pim_configs import SMALL
from pim_play import Played

from pimlico.hdl.common.ports import Stream
from pimlico.hdl.pim.commands import WAITS, Code, Op
from pimlico.hdl.pim.config import PimConfig
from pimlico.verif.bits import unpack
from pimlico.verif.pim.arithmetic import accumulate, dots, flags
from pimlico.verif.pim.mixed import mix
from pimlico.verif.pim.rules import Command
from pimlico.verif.pim.script import Commands
from pimlico.verif.pim.stimulus import episodes

SELDOM = {"trefi": 65535}
"""Rules under which no refresh is due."""


def made(case, seed, **changes):
    """A maker of commands for a configuration under test, without refreshes."""
    parameters = SMALL[case]
    timing = parameters.get("timing", "hbm2_neupims")
    timing = {"base": timing} if isinstance(timing, str) else timing
    config = PimConfig(**parameters | {"timing": timing | SELDOM} | changes)
    return Commands(config, np.random.default_rng(seed))


def stream(commands, count=80):
    commands.fill()
    commands.clear()
    commands.buffer(4)
    mix(commands, count)
    commands.results()
    return commands.script.episode("random stream")


@pytest.mark.parametrize("case", SMALL)
def test_replies_come_after_the_latency_that_the_configuration_says(case, seed):
    commands = made(case, seed, strict=True)
    played = Played(commands.config, stream(commands))
    given = list(zip(played.cycles("cmd"), played.fields("cmd"), commands.script.codes,
                     strict=True))
    config = commands.config
    for name, op, cycles in (("rdata", Op.RD, config.latency),
                             ("result", Op.ACC_RD, config.result_latency)):
        expected = [(now + cycles, command["tag"], command["bank_mask"].bit_length() - 1)
                    for now, command, code in given if command["op"] == op and not code]
        assert [(now, beat["tag"], beat["bank"]) for now, beat in zip(
            played.cycles(name), played.fields(name), strict=True)] == expected
        assert expected
    assert [(now, beat["tag"], beat["op"], beat["code"], beat["cycle"]) for now, beat in zip(
        played.cycles("status"), played.fields("status"), strict=True)] == [
        (now + 2, command["tag"], command["op"], code, now + 1)
        for now, command, code in given if code]


def expected_sums(config, columns, vectors, burst):
    """Accumulators of a bank after bursts of columns of shape (n, lanes), for each vector.

    Every burst begins with the first accumulator of a rotation. Shape (rotation, reuse, acc_lanes).
    """
    turn_of = np.arange(len(columns)) % burst % config.rotation
    if not config.floating:
        products = columns.astype(np.int8).astype(np.int64) * vectors.astype(np.int8)
        if config.acc_lanes == 1:
            products = products.sum(axis=-1, keepdims=True)
        return np.stack([products[:, turn_of == turn].sum(axis=1)
                         for turn in range(config.rotation)])
    accs = np.zeros((config.rotation, config.reuse, config.acc_lanes), np.uint64)
    for i, (turn, column) in enumerate(zip(turn_of, columns, strict=True)):
        accs[turn] = accumulate(config, accs[turn], dots(config, column, vectors[:, i]))
    return accs


@pytest.mark.parametrize("case", SMALL)
def test_a_matrix_of_rows_times_vectors(case, seed):
    """Rows in all banks, one after the other into the same accumulators."""
    commands = made(case, seed)
    config, issue = commands.config, commands.issue
    rows, n = min(config.rows, 3), min(config.cols, config.gb_cols, 12)
    matrix, buffer = {}, []

    def written(word):
        return unpack([word], config.fmt_bits, config.lanes, False)[0]

    def write(op, banks=0, **fields):
        word = commands.column()
        commands.script.issue(op, banks, data=word, **fields)
        return written(word)

    for row in range(rows):
        for bank in range(config.banks):
            issue(Op.ACT, 1 << bank, row=row)
            matrix[row, bank] = np.array([write(Op.WR, 1 << bank, col=col) for col in range(n)])
        issue(Op.PRE_ALL)
    buffer = [[write(Op.GB_WR, col=col, slot=vector) for col in range(n)]
              for vector in range(config.reuse)]
    for slot in range(config.acc_slots):
        issue(Op.ACC_WR, commands.every, slot=slot)
    base = commands.mac_slots[-1]
    for row in range(rows):
        commands.open(row)
        issue(Op.MAC, commands.every, n=n, slot=base)
        commands.close()
    for turn in range(config.rotation):
        for bank in range(config.banks):
            issue(Op.ACC_RD, 1 << bank, slot=base + turn)
    played = Played(config, commands.script.episode("matrix"))
    assert played.refusals == []
    results = played.fields("result")
    for at, (turn, bank) in enumerate(np.ndindex(config.rotation, config.banks)):
        columns = np.concatenate([matrix[row, bank] for row in range(rows)])
        vectors = np.tile(np.array(buffer), (1, rows, 1))
        sums = expected_sums(config, columns, vectors, n)[turn].reshape(-1)
        beat = results[at]
        assert (beat["slot"], beat["bank"]) == (base + turn, bank)
        got = np.atleast_1d(beat["data"]).astype(np.int64)
        assert got.tolist() == sums.astype(np.int64).tolist()
        assert beat["flags"] == (flags(config, sums) if config.floating else 0)


@pytest.mark.parametrize("case", SMALL)
def test_commands_that_wait_give_the_same_when_they_are_legal(case, seed):
    """Commands on time in a strict channel; the same without a pause in one that waits."""
    strict, waits = made(case, seed, strict=True), made(case, seed, strict=False)
    episode = stream(strict)
    legal = [at for at, code in enumerate(strict.script.codes) if not code]
    beats = {"cmd": [episode.beats["cmd"][at] for at in legal], "wdata": episode.beats["wdata"]}
    again = strict.script.episode("legal ones")
    again = type(again)("at once", beats)
    one, other = Played(strict.config, episode), Played(waits.config, again)
    assert other.refusals == []
    for name in ("rdata", "result"):
        assert one.payloads(name) == other.payloads(name)
    on_time = type(again)("in time", beats, delay={"cmd": _holds(strict.config, beats["cmd"])})
    timed = Played(strict.config, on_time)
    assert timed.refusals == []
    for name in ("rdata", "result"):
        assert timed.beats[name] == other.beats[name]


def _holds(config, words):
    """Cycles to hold each command back so that it is legal at once, and no later."""
    commands = Commands(config, np.random.default_rng(0))
    port, holds = config.port("cmd"), []
    for word in words:
        fields = port.unpack(word)
        op, banks = fields.pop("op"), fields.pop("bank_mask")
        holds.append(commands.script.wait(Command(op, banks, **fields)))
        assert commands.script.issue(op, banks, **fields) == Code.OK
    return holds


@pytest.mark.parametrize("case", SMALL)
def test_nothing_is_lost_under_back_pressure(case, seed):
    """Replies and refusals are those of an unhindered run, in the same order."""
    commands = made(case, seed, strict=False)
    stream(commands, 200)
    for banks, fields in ((0, {}), (1, {"slot": 7}), (commands.every, {"n": 2})):
        commands.issue(Op.ACC_WR, banks, **fields)
        commands.issue(Op.RD, 1, col=commands.config.cols)
    free = commands.script.episode("free")
    slow = type(free)("hindered", free.beats, valid={"cmd": 0.7, "wdata": 0.4},
                      ready={"rdata": 0.2, "result": 0.3, "status": 0.15})
    eager = type(free)("eager", free.beats)
    one, other = (Played(commands.config, each, seed) for each in (eager, slow))
    for name in ("cmd", "wdata", "rdata", "result"):
        assert one.payloads(name) == other.payloads(name)
    assert len(other.beats["rdata"]) > 4 < len(other.beats["result"])
    assert other.beats["rdata"][-1][0] > one.beats["rdata"][-1][0]
    assert other.refusals == one.refusals
    assert len(one.refusals) >= 4 and max(one.refusals) < WAITS
    commands = sorted(beat["tag"] for beat in one.fields("status"))
    assert commands == sorted(beat["tag"] for beat in other.fields("status"))
    assert other.cycles("wdata")[-1] > one.cycles("wdata")[-1]


def state(thing):
    """All that a model holds, as plain values that compare."""
    if isinstance(thing, np.ndarray):
        return thing.tobytes()
    if isinstance(thing, dict):
        return {key: state(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple, deque)):
        return [state(each) for each in thing]
    if isinstance(thing, (int, range, NoneType)):
        return thing
    return {name: state(value) for name, value in vars(thing).items()
            if not isinstance(value, (PimConfig, Stream))}


@pytest.mark.parametrize("case", without(SMALL, "pq-wide"))
def test_a_refused_command_changes_nothing(case, seed):
    """Any command that is refused, in any state of a random stream: then all is as without it."""
    config = PimConfig(**SMALL[case])
    rng = np.random.default_rng(seed)
    refused = set()

    def watch(model, ports):
        if not ports["cmd_ready"] or rng.random() < (0.9 if config.pq else 0.7):
            return
        without = after(model, None)
        for _ in range(3):
            command = config.port("cmd").pack(anything(config, rng))
            answers = []
            offered = after(model, command, answers)
            if answers:
                assert state(offered) == state(without)
                refused.add(Code(config.port("status").unpack(answers[0])["code"]))

    mixed = (each for each in episodes(config, rng) if each.name == "random stream")
    for episode in islice(mixed, 4):
        Played(config, episode, seed, watch)
    assert {Code.INDEX_RANGE, Code.RESERVED} < refused
    assert (max(refused) < WAITS) != config.strict


def anything(config, rng):
    """Any fields, those of columns mostly within the row."""
    fields = {field.name: int(rng.integers(0, 1 << field.width))
              for field in config.port("cmd").fields}
    if rng.random() < 0.7:
        fields |= {"op": int(rng.integers(1, 24 if config.pq else 17)), "row": int(rng.integers(2)),
                   "bank_mask": 1 << int(rng.integers(config.banks)),
                   "col": int(rng.integers(4)), "n": int(rng.integers(1, 4)), "slot": 0}
    return fields


def after(model, command, answers=None):
    """A copy of the model some cycles on, `command` offered first; none comes after that.

    `answers` takes the beats of status that are of `command`.
    """
    model = deepcopy(model, {id(each): each for each in vars(model).values()
                             if isinstance(each, (PimConfig, Stream))})
    for cycle in range(3):
        inputs = {"cmd_valid": int(cycle == 0 and command is not None), "wdata_valid": 1,
                  "cmd_payload": command or 0, "wdata_payload": 1 << 40, "status_ready": 1,
                  "rdata_ready": 0, "result_ready": 0}
        outputs = model.outputs(inputs)
        if cycle == 2 and outputs["status_valid"]:
            answers.append(outputs["status_payload"])
        model.tick(inputs)
    return model
