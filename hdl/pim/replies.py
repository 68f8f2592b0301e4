"""What RD and ACC_RD give: columns and accumulators on their way to the ports."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Signal, Value
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.skid import SkidBuffer

from .commands import TAG_BITS
from .config import PimConfig

READS = 8
"""Columns that may be on their way to rdata or wait there; five would make a RD a cycle."""


class ReadReplies(wiring.Component):
    """Columns for rdata.

    Attributes
    ----------
    ask : In(1)
        RD of ``bank`` with ``tag`` is carried out; only with ``room``.
    words : In
        The columns that the banks read, three cycles later.
    room : Out(1)
    word : Out
        Of the bank asked three cycles ago.
    o : Out(stream)
    """

    part_name = "read_replies"

    def __init__(self, config: PimConfig):
        self.config = config
        super().__init__({
            "ask": In(1), "bank": In(config.bank_field), "tag": In(TAG_BITS),
            "words": In(config.banks * config.column_bits), "room": Out(1),
            "word": Out(config.column_bits),
            "o": Out(stream.Signature(config.port("rdata").width))})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.waiting = waiting = fifo.SyncFIFO(width=len(self.o.payload), depth=READS)
        taken = self.o.valid & self.o.ready
        count = Signal(range(READS + 1), name="columns_under_way")
        m.d.sync += count.eq(count + self.ask - taken)
        label, asked = Cat(self.bank, self.tag), self.ask
        for stage in ("access", "word", "operands"):
            asked_next = Signal(name=f"{stage}_asked")
            label_next = Signal(len(label), reset_less=True, name=f"{stage}_label")
            m.d.sync += [asked_next.eq(asked), label_next.eq(label)]
            asked, label = asked_next, label_next
        m.d.comb += [
            self.room.eq(count != READS),
            self.word.eq(_select(self.words, config.column_bits, label[:config.bank_field])),
            waiting.w_en.eq(asked), waiting.w_data.eq(Cat(self.word, label)),
            self.o.valid.eq(waiting.r_rdy), self.o.payload.eq(waiting.r_data),
            waiting.r_en.eq(self.o.ready)]
        return m


class ResultReplies(wiring.Component):
    """Accumulators for result.

    Attributes
    ----------
    ask : In(1)
        ACC_RD of ``slot`` of ``bank`` with ``tag`` is carried out; only with ``room``.
    accs, flags : In
        Of ``read_slot`` in all banks.
    room : Out(1)
    read_slot : Out
        The slot to read, in the cycle after ``ask``.
    o : Out(stream)
    """

    part_name = "result_replies"

    def __init__(self, config: PimConfig):
        self.config = config
        super().__init__({
            "ask": In(1), "bank": In(config.bank_field), "slot": In(config.slot_field),
            "tag": In(TAG_BITS), "accs": In(config.banks * config.slot_bits),
            "flags": In(config.banks * 2), "room": Out(1), "read_slot": Out(config.slot_field),
            "o": Out(stream.Signature(config.port("result").width))})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.waiting = waiting = SkidBuffer(len(self.o.payload))
        taken = self.o.valid & self.o.ready
        count = Signal(range(3), name="results_under_way")
        m.d.sync += count.eq(count + self.ask - taken)
        asked = Signal(name="access_asked")
        bank = Signal(config.bank_field, reset_less=True, name="access_bank")
        tag = Signal(TAG_BITS, reset_less=True, name="access_tag")
        m.d.sync += [asked.eq(self.ask), bank.eq(self.bank), tag.eq(self.tag),
                     self.read_slot.eq(self.slot)]
        m.d.comb += [
            self.room.eq((count != 2) | taken),
            waiting.i.valid.eq(asked),
            waiting.i.payload.eq(Cat(_select(self.accs, config.slot_bits, bank), self.read_slot,
                                     bank, tag, _select(self.flags, 2, bank))),
            self.o.valid.eq(waiting.o.valid), self.o.payload.eq(waiting.o.payload),
            waiting.o.ready.eq(self.o.ready)]
        return m


def _select(values: Value, width: int, index: Value) -> Value:
    """One of equally wide values in a row."""
    parts = [values[at:at + width] for at in range(0, len(values), width)]
    return parts[0] if len(parts) == 1 else Array(parts)[index]
