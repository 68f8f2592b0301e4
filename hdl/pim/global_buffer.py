"""The global buffer: the vectors that all banks multiply by."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.ram import Ram

from .burst import turn_layout
from .config import PimConfig
from .decode import any_of, decoded_layout


class GlobalBuffer(wiring.Component):
    """A memory of ``gb_cols`` columns for each vector, and how far each is written.

    The first time, columns are written in order, so that a count tells those that are written.

    Attributes
    ----------
    command : In
        See `decode.decoded_layout`.
    accept : In(1)
        It is carried out in this cycle.
    turn : In
        The column of a burst that has its turn.
    runs : In(1)
        A burst that began earlier runs.
    data : In
        What GB_WR writes, in the cycle after it.
    word : In
        A column of a bank, three cycles after its turn in a copy.
    unwritten : Out(1)
        The command reads columns that were never written, or would leave some out.
    vectors : Out
        Three cycles after a column's turn, in a register.
    """

    part_name = "global_buffer"

    def __init__(self, config: PimConfig):
        self.config = config
        bits = config.column_bits
        super().__init__({"command": In(decoded_layout(config)), "accept": In(1),
                          "turn": In(turn_layout(config)), "runs": In(1), "data": In(bits),
                          "word": In(bits), "unwritten": Out(1),
                          "vectors": Out(config.reuse * bits)})

    def elaborate(self, platform):
        m = Module()
        config, command, turn = self.config, self.command, self.turn
        filled = [Signal(range(config.gb_cols + 1), name=f"filled_{number}")
                  for number in range(config.reuse)]
        mine = Signal.like(filled[0], name="filled_of_vector")
        mac = command.mac & ~command.bin_mac if config.pq else command.mac
        builds = [command.build & (command.row >= mine)] if config.pq else []
        m.d.comb += [
            mine.eq(filled[0] if config.pq else Array(filled)[command.slot]),
            self.unwritten.eq(any_of(
                mac & Cat(command.gb_end > count for count in filled).any(),
                command.gb_write & (command.col > mine),
                command.copy & (command.row > mine), *builds))]
        end = Signal.like(mine, name="end")
        m.d.comb += end.eq(Mux(command.copy, command.gb_end, command.col + 1))
        grows = self.accept & (command.gb_write | command.copy) & (end > mine)
        for number, count in enumerate(filled):
            with m.If(grows & (command.slot == number)):
                m.d.sync += count.eq(end)

        address = Signal(range(config.gb_cols), reset_less=True, name="access_address")
        vector = Signal(config.slot_field, reset_less=True, name="access_vector")
        reads, writes, copies = (Signal(name=f"access_{name}")
                                 for name in ("reads", "writes", "copies"))
        writing = command.gb_write & ~self.runs
        m.d.sync += [
            reads.eq(any_of(turn.mac, *([turn.build] if config.pq else []))),
            writes.eq(self.accept & command.gb_write), copies.eq(turn.copy),
            address.eq(Mux(writing, command.col, turn.gb_col)),
            vector.eq(Mux(writing, command.slot, turn.slot))]
        lands, copied, copied_vector = copies, address, vector
        for stage in ("word", "operands"):
            held = [Signal.like(lands, name=f"{stage}_copies"),
                    Signal.like(copied, name=f"{stage}_address"),
                    Signal.like(copied_vector, name=f"{stage}_vector")]
            m.d.sync += [register.eq(value) for register, value in
                         zip(held, (lands, copied, copied_vector), strict=True)]
            lands, copied, copied_vector = held
        words = []
        for number in range(config.reuse):
            ram = Ram(config.column_bits, config.gb_cols)
            m.submodules[f"vector_{number}"] = ram
            write = (writes & (vector == number)) | (lands & (copied_vector == number))
            m.d.comb += [
                ram.address.eq(Mux(lands, copied, address)), ram.write.eq(write),
                ram.enable.eq(reads | write), ram.data.eq(Mux(lands, self.word, self.data))]
            words.append(ram.q)
        m.d.sync += self.vectors.eq(Cat(words))
        return m
