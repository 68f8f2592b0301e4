"""A bank: its array and its MAC unit."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.parts import place

from .array import Array
from .burst import turn_layout
from .config import PimConfig
from .mac import MacUnit
from .table_turns import table_layout
from .tables import Tables


class Bank(wiring.Component):
    """Stages: access (addresses in registers), word (read), operands, then the MAC unit's.

    Attributes
    ----------
    read, write : In(1)
        RD or WR of column ``col`` of ``row``.
    turn : In
        A column of a burst, in any bank; ``here``: in this one. ``runs``: a burst that began
        earlier has columns to come in this bank.
    row, pim_row : In
        The open rows; MAC uses ``pim_row``.
    data : In
        What is written, in the cycle after ``write``.
    vectors : In
        The operands from the global buffer, three cycles after a column's turn.
    load, load_slot, load_data : In
        Sets the accumulators of a slot at this edge.
    read_slot : In
    word : Out
        The column read for RD or ROW_TO_GB, three cycles after it: from the operands' register,
        as block RAM without its output register takes most of a cycle.
    accs, flags : Out
        Of ``read_slot``, see `mac.MacUnit`.
    stages, active : In
        Turns of bursts on sums, and whether they are of this bank; only with product
        quantization. See `tables.Tables`.
    """

    part_name = "bank"

    def __init__(self, config: PimConfig):
        self.config = config
        row = range(config.rows)
        slot = config.slot_field
        super().__init__({
            "read": In(1), "write": In(1), "col": In(config.col_field), "row": In(row),
            "pim_row": In(row), "turn": In(turn_layout(config)), "here": In(1), "runs": In(1),
            "data": In(config.column_bits), "vectors": In(config.reuse * config.column_bits),
            "load": In(1), "load_slot": In(slot), "load_data": In(config.slot_bits),
            "read_slot": In(slot), "word": Out(config.column_bits),
            "accs": Out(config.slot_bits), "flags": Out(2),
            **({"stages": In(table_layout(config)), "active": In(1)} if config.pq else {})})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        array, mac = Array(config), MacUnit(config)
        m.submodules.array = place(platform, array)
        m.submodules.mac = place(platform, mac)
        col_bits = (config.cols - 1).bit_length()
        dual = config.dual_row_buffer
        mac_turn, copy_turn = self.turn.mac & self.here, self.turn.copy & self.here
        pim_turn, tables = mac_turn, None
        if config.pq:
            m.submodules.tables = place(platform, tables := Tables(config))
            pim_turn |= self.turn.build & (self.turn.sub == 0) & self.here
            copy_turn |= self.turn.load & self.here
        bursts = copy_turn if dual else pim_turn | copy_turn
        reads, writes = Signal(name="access_reads"), Signal(name="access_writes")
        address = Signal(range(array.depth), reset_less=True, name="access_address")
        col = Mux(self.runs, self.turn.col, self.col)[:col_bits]
        given: Value = self.data
        write = self.write
        if tables is not None:
            col = Mux(tables.writes, self.stages.store_col, col)
            if not dual:
                col = Mux(tables.reads, tables.col, col)
                bursts |= tables.reads
            write |= tables.writes
            stores = Signal(name="access_stores")
            m.d.sync += stores.eq(tables.writes)
            given = Mux(stores, tables.gathered, given)
        m.d.sync += [reads.eq(self.read | bursts), writes.eq(write),
                     address.eq(Cat(col, self.row))]
        column = Signal(config.column_bits, reset_less=True, name="operands_column")
        m.d.sync += column.eq(array.word if dual else self._counting(array.word))
        m.d.comb += [array.read.eq(reads), array.write.eq(writes), array.address.eq(address),
                     array.data.eq(given), self.word.eq(column)]
        if dual:
            pim_reads = Signal(name="access_pim_reads")
            pim_address = Signal.like(address, reset_less=True, name="access_pim_address")
            pim_col = self.turn.col[:col_bits]
            if tables is not None:
                pim_turn |= tables.reads
                pim_col = Mux(tables.reads, tables.col, pim_col)
            m.d.sync += [pim_reads.eq(pim_turn), pim_address.eq(Cat(pim_col, self.pim_row))]
            m.d.comb += [array.pim_read.eq(pim_reads), array.pim_address.eq(pim_address)]
            column = Signal(config.column_bits, reset_less=True, name="operands_pim_column")
            m.d.sync += column.eq(self._counting(array.pim_word))

        valid, slot = mac_turn, self.turn.slot[:len(mac.slot)]
        for stage in ("access", "word", "operands"):
            valid_next, slot_next = Signal(name=f"{stage}_multiplies"), \
                Signal.like(mac.slot, name=f"{stage}_slot", reset_less=True)
            m.d.sync += [valid_next.eq(valid), slot_next.eq(slot)]
            valid, slot = valid_next, slot_next
        m.d.comb += [
            mac.valid.eq(valid), mac.slot.eq(slot), mac.column.eq(column),
            mac.vectors.eq(self.vectors if tables is None else
                           Mux(self.stages.multiplies, tables.vector, self.vectors)),
            mac.load.eq(self.load),
            mac.load_slot.eq(self.load_slot), mac.load_data.eq(self.load_data),
            mac.read_slot.eq(self.read_slot), self.accs.eq(mac.read_data),
            self.flags.eq(mac.flags)]
        if tables is not None:
            m.d.comb += [
                tables.stages.eq(self.stages), tables.active.eq(self.active),
                tables.builds.eq(self.turn.build & self.here), tables.word.eq(self.word),
                tables.column.eq(column), tables.product.eq(mac.product)]
        return m

    def _counting(self, word: Value) -> Value:
        """The lanes of a column that count, of LUT_BUILD a centroid's: the others are zeros."""
        if not self.config.pq:
            return word
        lanes = Cat((lane | ~self.active).replicate(self.config.fmt_bits)
                    for lane in self.stages.segment)
        return word & lanes
