"""When the PIM channel gives what: its cycle contract in plain Python."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from pimlico.hdl.common.ports import Stream
from pimlico.hdl.pim.commands import CYCLE_BITS, PQ_ONLY, WAITS, Code, Op
from pimlico.hdl.pim.config import PimConfig
from pimlico.verif.bits import pack, unpack
from pimlico.verif.model import CycleModel, Values

from .arithmetic import accumulate, dots, flags
from .rules import Command, Rules
from .tables import Counts, Tables, moves

READS = 8
"""Columns that may be on their way to rdata or wait there."""
GATHERED = 7
"""Cycles from the last turn of a column of sums until it is written to the array."""
RESULTS = 2
"""Beats that may be on their way to result or wait there."""


class Decision(NamedTuple):
    """What happens to the command that is checked."""

    code: Code
    bank: int
    accepts: bool
    refuses: bool
    takes_data: bool


class Reply:
    """A stream of replies: each shows some cycles after its command, and waits its turn."""

    def __init__(self, most: int, delay: int):
        self.most, self._delay = most, delay
        self._beats: deque[tuple[int, int]] = deque()

    def __len__(self) -> int:
        return len(self._beats)

    def add(self, now: int, payload: int) -> None:
        self._beats.append((now + self._delay, payload))

    def shown(self, now: int) -> int | None:
        """The payload on offer, if any."""
        return self._beats[0][1] if self._beats and self._beats[0][0] <= now else None

    def take(self) -> None:
        self._beats.popleft()


class Store:
    """What the arrays, the global buffer and the accumulators hold."""

    def __init__(self, config: PimConfig):
        self.config = config
        self.rows: dict[tuple[int, int], dict[int, int]] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all but the arrays."""
        config = self.config
        shape = (config.banks, config.acc_slots, config.reuse, config.acc_lanes)
        self.buffer = [[0] * config.gb_cols for _ in range(config.reuse)]
        self.accs = np.zeros(shape, np.uint64)
        self.tables = Tables(config) if config.pq else None

    def read(self, bank: int, row: int, col: int) -> int:
        return self.rows.get((bank, row), {}).get(col, 0)

    def write(self, bank: int, row: int, col: int, word: int) -> None:
        self.rows.setdefault((bank, row), {})[col] = word & ((1 << self.config.column_bits) - 1)

    def multiply(self, command: Command, rows: dict[int, int]) -> None:
        """A MAC; `rows` gives the open row of each bank."""
        config, n = self.config, command.n
        words = [self.read(bank, row, command.col + i)
                 for bank, row in rows.items() for i in range(n)]
        columns = self._lanes(words).reshape(len(rows), 1, n, config.lanes)
        banks = list(rows)
        if command.op == Op.BIN_MAC:
            assert self.tables is not None
            vectors = self.tables.operands[banks, command.row:command.row + n][:, None]
        else:
            vectors = self._lanes([word for vector in self.buffer
                                   for word in vector[command.row:command.row + n]])
            vectors = vectors.reshape(1, config.reuse, n, config.lanes)
        sums = dots(config, columns, vectors)
        for i in range(n):
            slot = command.slot + i % config.rotation
            self.accs[banks, slot] = accumulate(config, self.accs[banks, slot], sums[:, :, i])

    def quantized(self, command: Command, rows: dict[int, int]) -> None:
        """A burst on sums, but for SUMS_TO_ROW; `rows` gives the open row of each bank."""
        config, tables, op = self.config, self.tables, command.op
        assert tables is not None
        if op == Op.PQ_CONFIG:
            tables.prepare(command, list(rows))
            return
        first, count = command.col, command.n
        if op == Op.LUT_SUM:
            first, count = 0, config.cols
        elif op == Op.BIN_ADD:
            count *= config.column_indices // config.lanes
        for bank, row in rows.items():
            columns = self._lanes([self.read(bank, row, first + i) for i in range(count)])
            if op == Op.ROW_TO_OB:
                tables.load(command, bank, columns)
            elif op == Op.LUT_BUILD:
                tables.build(command, bank, columns, self._lanes([self.buffer[0][command.row]])[0])
            elif op == Op.LUT_SUM:
                tables.look_up(command, bank, columns)
            else:
                tables.bin(command, bank, columns)

    def _lanes(self, words: list[int]) -> np.ndarray:
        config = self.config
        return unpack(words, config.fmt_bits, config.lanes, False).astype(np.uint64)


class PimCycles(CycleModel):
    """Cycle model of ``pim-channel`` and ``pim-bank``.

    A command is taken into a register, and checked there from the next cycle on. A legal one acts
    in the cycle in which it leaves the register; a refused one does nothing but its beat of
    status, which shows in the next cycle. All wait while a beat of status does; a legal one also
    waits for its data, or for room for its reply. rdata follows four cycles after RD is carried
    out, result two cycles after ACC_RD.
    """

    def __init__(self, config: PimConfig):
        super().__init__(config)
        self._cmd: Stream = config.port("cmd")
        self._rdata: Stream = config.port("rdata")
        self._result: Stream = config.port("result")
        self._status_port: Stream = config.port("status")
        self._rules = Rules(config)
        self._store = Store(config)
        self.reset()

    patience = 70000
    recorded = 100_000  # later episodes read what earlier ones write

    def reset(self) -> None:
        self._rules.reset()
        self._store.reset()
        self._held: Command | None = None
        self._status: int | None = None
        config = self.config
        self._reads = Reply(READS, config.latency - 1)
        self._results = Reply(RESULTS, config.result_latency - 1)
        self._checked: tuple[Code, int] | None = None
        self._counts = Counts()
        self._writes: deque[tuple[int, int, int, int, int]] = deque()
        """Columns that SUMS_TO_ROW writes: cycle, bank, row, column, word."""

    @property
    def idle(self) -> bool:
        return (self._held is None and self._status is None and not self._rules.busy
                and not len(self._reads) and not len(self._results))

    def outputs(self, inputs: Values) -> dict[str, int]:
        now = self._rules.now
        decision = self._decide(inputs)
        leaves = decision is None or decision.accepts or decision.refuses
        values = {
            "cmd_ready": int(leaves),
            "wdata_ready": int(decision is not None and decision.takes_data),
            "busy": int(self._rules.busy),
            "status_valid": int(self._status is not None),
            **(dict(self._counts.items()) if self.config.pq else {}),
        }
        if self._status is not None:
            values["status_payload"] = self._status
        for name, reply in (("rdata", self._reads), ("result", self._results)):
            payload = reply.shown(now)
            values[f"{name}_valid"] = int(payload is not None)
            if payload is not None:
                values[f"{name}_payload"] = payload
        return values

    def tick(self, inputs: Values) -> None:
        rules, now = self._rules, self._rules.now
        decision = self._decide(inputs)
        if self._status is not None and inputs["status_ready"]:
            self._status = None
        for name, reply in (("rdata", self._reads), ("result", self._results)):
            if inputs[f"{name}_ready"] and reply.shown(now) is not None:
                reply.take()
        leaves = True
        if decision is not None:
            command = self._held
            assert command is not None
            if decision.refuses:
                self._status = self._status_port.pack({
                    "code": decision.code, "op": command.op, "bank": decision.bank,
                    "cycle": now % (1 << CYCLE_BITS), "tag": command.tag})
            elif decision.accepts:
                self._carry_out(command, inputs["wdata_payload"])
            else:
                leaves = False
        if leaves:
            self._held = None
            if inputs["cmd_valid"]:
                self._held = Command(**self._cmd.unpack(  # type: ignore[arg-type]
                    inputs["cmd_payload"]))
        self._checked = None
        self._go_on()
        rules.tick()

    def _go_on(self) -> None:
        """What a burst does in this cycle."""
        turn = self._rules.turn()
        if turn is not None and self.config.pq:
            command, number = turn
            self._counts.add(command.bank_mask.bit_count(), moves(self.config, command, number))
        while self._writes and self._writes[0][0] == self._rules.now:
            _, bank, row, col, word = self._writes.popleft()
            self._store.write(bank, row, col, word)

    def _decide(self, inputs: Values) -> Decision | None:
        command, config = self._held, self.config
        if command is None:
            return None
        if self._checked is None:
            self._checked = self._rules.check(command)
        code, bank = self._checked
        if self._status is not None and not inputs["status_ready"]:
            return Decision(code, bank, False, False, False)
        if code:
            refuses = config.strict or code < WAITS
            return Decision(code, bank, False, refuses, False)
        writes = command.op in (Op.WR, Op.GB_WR) or (command.op == Op.ACC_WR and command.n == 1)
        accepts = not writes or bool(inputs["wdata_valid"])
        if command.op == Op.RD:
            accepts = len(self._reads) < READS
        if command.op == Op.ACC_RD:
            popped = inputs["result_ready"] and self._results.shown(self._rules.now) is not None
            accepts = len(self._results) - bool(popped) < RESULTS
        return Decision(code, bank, accepts, False, writes)

    def _carry_out(self, command: Command, data: int) -> None:
        config, rules, store, op = self.config, self._rules, self._store, command.op
        banks = rules.targets(command)
        now = rules.now
        rules.apply(command)
        if op in (Op.RD, Op.WR):
            self._counts.add(1, (0, 0, 1))
        if op == Op.RD:
            row = rules.ordinary[banks[0]].row
            assert row is not None
            self._reads.add(now, self._rdata.pack({
                "data": store.read(banks[0], row, command.col), "bank": banks[0],
                "tag": command.tag}))
        elif op == Op.WR:
            row = rules.ordinary[banks[0]].row
            assert row is not None
            store.write(banks[0], row, command.col, data)
        elif op == Op.GB_WR:
            store.buffer[command.slot][command.col] = data & ((1 << config.column_bits) - 1)
        elif op == Op.ROW_TO_GB:
            row = rules.ordinary[banks[0]].row
            assert row is not None
            for i in range(command.n):
                store.buffer[command.slot][command.row + i] = store.read(
                    banks[0], row, command.col + i)
        elif op in (Op.MAC, Op.BIN_MAC):
            store.multiply(command, {bank: rules.pim[bank].row  # type: ignore[misc]
                                     for bank in banks})
        elif op == Op.SUMS_TO_ROW:
            self._write_sums(command, banks)
        elif op in PQ_ONLY:
            buffers = rules.ordinary if op == Op.ROW_TO_OB else rules.pim
            store.quantized(command, {bank: buffers[bank].row  # type: ignore[misc]
                                      for bank in banks})
        elif op == Op.ACC_WR:
            word = data if command.n else 0
            lanes = unpack([word], config.acc_bits, config.reuse * config.acc_lanes, False)
            store.accs[banks, command.slot] = lanes.astype(np.uint64).reshape(
                config.reuse, config.acc_lanes)
        elif op == Op.ACC_RD:
            accs = store.accs[banks[0], command.slot]
            self._results.add(now, self._result.pack({
                "data": unpack(pack(accs.reshape(1, -1), config.acc_bits), config.acc_bits,
                               accs.size, not config.floating)[0].tolist(),
                "slot": command.slot, "bank": banks[0], "tag": command.tag,
                "flags": int(flags(config, accs.reshape(-1)))}))

    def _write_sums(self, command: Command, banks: list[int]) -> None:
        """Columns of sums, each to be written some cycles after its last turn."""
        config, tables = self.config, self._store.tables
        assert tables is not None
        columns = {bank: tables.stored(command, bank) for bank in banks}
        gap = self._rules.gap(command.op)
        for i in range(command.n):
            turn = self._rules.now + ((i + 1) * config.column_sums - 1) * gap
            for bank in banks:
                row = self._rules.ordinary[bank].row
                assert row is not None
                self._writes.append((turn + GATHERED - 1, bank, row, command.col + i,
                                     columns[bank][i]))
