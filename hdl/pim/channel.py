"""The PIM channel: command register, checker, bursts, banks and replies."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal

from pimlico.hdl.common.component import BlockComponent, fields
from pimlico.hdl.common.parts import place

from .bank import Bank
from .burst import Burst
from .checker import Checker
from .commands import CODE_BITS, CYCLE_BITS
from .config import COUNTS, PimConfig
from .counts import Counts
from .decode import ON_SUMS, Decoder, any_of, flags_of
from .global_buffer import GlobalBuffer
from .replies import ReadReplies, ResultReplies
from .slots import Slots
from .table_turns import TableTurns


class PimChannel(BlockComponent):
    """Banks of one command bus, or a single one.

    A command is decoded into a register. There it is checked, and carried out, refused, or held
    back. Its effects begin in the next cycle, from registers (stage access).

    Parameters
    ----------
    config : PimConfig
    """

    config: PimConfig

    def elaborate(self, platform):
        m = Module()
        config = self.config
        checked_valid = Signal()
        parts: dict[str, Any] = {
            "decoder": Decoder(config), "checker": Checker(config), "burst": Burst(config),
            "slots": Slots(config), "buffer": GlobalBuffer(config),
            "reads": ReadReplies(config), "results": ResultReplies(config)}
        for name, part in parts.items():
            m.submodules[name] = place(platform, part)
        checker, burst, slots, buffer = (parts[name] for name in
                                         ("checker", "burst", "slots", "buffer"))
        reads, results = parts["reads"], parts["results"]
        checked = parts["decoder"].command

        legal, accept, refuse = Signal(), Signal(), Signal()
        runs = any_of(burst.runs.mac, burst.runs.copy, *flags_of(config, burst.runs, *ON_SUMS))
        m.d.comb += [
            parts["decoder"].payload.eq(self.cmd.payload),
            parts["decoder"].load.eq(self.cmd.ready),
            parts["decoder"].cycles_left.eq(checker.cycles_left),
            parts["decoder"].refreshes.eq(checker.refreshes),
            self.cmd.ready.eq(~checked_valid | accept | refuse),
            *(part.command.eq(checked) for part in (checker, burst, slots, buffer)),
            *(part.accept.eq(accept) for part in (checker, buffer)),
            *(part.turn.eq(burst.turn) for part in (checker, slots, buffer)),
            *(part.runs.eq(burst.runs) for part in (checker, slots)),
            # a burst waits for neither data nor room
            burst.start.eq(legal & any_of(checked.mac, checked.copy,
                                          *flags_of(config, checked, *ON_SUMS))),
            slots.base.eq(burst.base),
            checker.soon_ccd.eq(burst.soon_ccd), checker.slot_busy.eq(slots.busy),
            checker.unwritten.eq(buffer.unwritten),
            buffer.runs.eq(runs), self.busy.eq(runs | slots.any)]
        with m.If(self.cmd.ready):
            m.d.sync += checked_valid.eq(self.cmd.valid)
        self._decide(m, checked, checked_valid, parts, legal, accept, refuse)

        number = self._number(m, checked.mask, "number_of_bank")
        copied = self._number(m, burst.turn.mask, "copied_bank")
        written = Signal(config.wdata_bits, reset_less=True, name="access_data")
        m.d.sync += written.eq(Mux(checked.acc_write & ~checked.n[0], 0, self.wdata.payload))
        m.d.comb += [
            buffer.data.eq(written[:config.column_bits]), buffer.word.eq(reads.word),
            reads.ask.eq(accept & checked.read), results.ask.eq(accept & checked.acc_read),
            reads.bank.eq(Mux(burst.turn.copy, copied, number)),
            results.bank.eq(number), results.slot.eq(checked.slot),
            *(part.tag.eq(checked.tag) for part in (reads, results)),
            self.rdata.valid.eq(reads.o.valid), self.rdata.payload.eq(reads.o.payload),
            reads.o.ready.eq(self.rdata.ready), self.result.valid.eq(results.o.valid),
            self.result.payload.eq(results.o.payload),
            results.o.ready.eq(self.result.ready)]
        self._banks(m, platform, checked, accept, written, parts)
        if config.pq:
            self._count(m, platform, checked, accept, burst)
        return m

    def _decide(self, m, checked, checked_valid, parts, legal, accept, refuse):
        """Carry out, refuse or hold back."""
        config, checker = self.config, parts["checker"]
        cycle = Signal(CYCLE_BITS)
        m.d.sync += cycle.eq(cycle + 1)
        free = Signal(name="status_free")
        writes = checked.write | checked.gb_write | (checked.acc_write & checked.n[0])
        room = (~checked.read | parts["reads"].room) & (~checked.acc_read | parts["results"].room)
        final = 1 if config.strict else checker.final
        m.d.comb += [
            free.eq(~self.status.valid | self.status.ready),
            legal.eq(checked_valid & free & checker.legal),
            refuse.eq(checked_valid & free & ~checker.legal & final),
            self.wdata.ready.eq(legal & writes),
            accept.eq(legal & room & (~writes | self.wdata.valid))]
        with m.If(free):
            m.d.sync += self.status.valid.eq(refuse)
        port = config.port("status")
        answer = fields(port, self.status.payload)
        values = {"code": checker.code, "op": checked.op, "bank": checker.bank, "cycle": cycle,
                  "tag": checked.tag}
        assert list(answer) == list(values) and len(checker.code) == CODE_BITS
        with m.If(free):
            m.d.sync += self.status.payload.eq(Cat(values.values()))

    def _number(self, m, mask, name):
        """The number of the first bank in a mask."""
        number = Signal(self.config.bank_field, name=name)
        for bank in reversed(range(self.config.banks)):
            with m.If(mask[bank]):
                m.d.comb += number.eq(bank)
        return number

    def _banks(self, m, platform, checked, accept, written, parts):
        config, checker, burst = self.config, parts["checker"], parts["burst"]
        loads = Signal(config.banks, name="access_loads")
        slot = Signal(config.slot_field, reset_less=True, name="access_slot")
        m.d.sync += [loads.eq(checked.mask & (accept & checked.acc_write).replicate(config.banks)),
                     slot.eq(checked.slot)]
        running = (burst.runs.copy if config.dual_row_buffer
                   else burst.runs.mac | burst.runs.copy)
        if config.pq:
            rows = ("load", "store") if config.dual_row_buffer else (
                kind for kind in ON_SUMS if kind != "prepare")
            running |= Cat(burst.runs[kind] for kind in rows).any()
            turns = TableTurns(config)
            m.submodules.table_turns = place(platform, turns)
            m.d.comb += turns.turn.eq(burst.turn)
        banks = [Bank(config) for _ in range(config.banks)]
        row_bits = checker.row_bits
        for number, bank in enumerate(banks):
            m.submodules[f"bank_{number}"] = place(platform, bank)
            here = accept & checked.mask[number]
            m.d.comb += [
                bank.read.eq(here & checked.read), bank.write.eq(here & checked.write),
                bank.col.eq(checked.col),
                bank.row.eq(checker.rows.word_select(number, row_bits)),
                bank.pim_row.eq(checker.pim_rows.word_select(number, row_bits)),
                bank.turn.eq(burst.turn), bank.here.eq(burst.turn.mask[number]),
                bank.runs.eq(running & burst.runs.mask[number]),
                bank.data.eq(written[:config.column_bits]),
                bank.vectors.eq(parts["buffer"].vectors),
                bank.load.eq(loads[number]), bank.load_slot.eq(slot),
                bank.load_data.eq(written[:config.slot_bits]),
                bank.read_slot.eq(parts["results"].read_slot)]
            if config.pq:
                m.d.comb += [bank.stages.eq(turns.stages),
                             bank.active.eq(burst.runs.mask[number])]
        m.d.comb += [
            parts["reads"].words.eq(Cat(bank.word for bank in banks)),
            parts["results"].accs.eq(Cat(bank.accs for bank in banks)),
            parts["results"].flags.eq(Cat(bank.flags for bank in banks))]

    def _count(self, m, platform, checked, accept, burst):
        counts = Counts(self.config)
        m.submodules.counts = place(platform, counts)
        m.d.comb += [counts.command.eq(checked), counts.accept.eq(accept),
                     counts.turn.eq(burst.turn),
                     *(getattr(self, name).eq(getattr(counts, name)) for name in COUNTS)]
