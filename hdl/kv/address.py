"""Where a beat's word is: bank, offset in it, and place of the beat in the word."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import KvConfig, count
from .scaled import scaled


class Address(wiring.Component):
    """The words of a sequence follow each other, over the banks in turn.

    With powers of two the address is put together from the numbers of beat, row and sequence;
    else counters follow the walk. ``idle``: the counters go back to where the next pass's
    sequence `of` begins. ``row_number`` counts the rows of all sequences.
    """

    part_name = "address"

    def __init__(self, config: KvConfig):
        self.config = config
        super().__init__({
            "idle": In(1), "of": In(config.sequence_bits), "step": In(1), "ends": In(1),
            "number": In(count(config.beats)), "row": In(config.row_bits),
            "phase": Out(count(config.pack)), "bank": Out(count(config.banks)),
            "offset": Out(count(config.bank_words)),
            "row_number": Out(count(config.sequences * config.tokens)),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        if config.aligned:
            self._join(m)
            return m
        next_word = self._turn(m, self.phase, self.step, config.pack)
        next_round = self._turn(m, self.bank, next_word, config.banks)
        self._follow(m, self.offset, next_round, config.sequence_words)
        self._follow(m, self.row_number, self.step & self.ends, config.tokens)
        return m

    def _join(self, m: Module) -> None:
        config = self.config
        pack, beats = _log2(config.pack), _log2(config.beats)
        row: Value = self.row[:(config.tokens - 1).bit_length()]
        if config.sequences > 1:
            current = Signal.like(self.of, name="current", reset_less=True)
            with m.If(self.idle):
                m.d.sync += current.eq(self.of)
            row = Cat(row, current)
        word = Cat(self.number[pack:beats], row)
        bank = _log2(config.banks)
        m.d.comb += [self.phase.eq(self.number[:pack]), self.bank.eq(word[:bank]),
                     self.offset.eq(word[bank:]), self.row_number.eq(row)]

    def _turn(self, m: Module, number: Signal, step: Value, size: int) -> Value:
        """Counts `number` to `size` and round; returns the steps that end a round."""
        if size == 1:
            m.d.comb += number.eq(0)
            return step
        at_end = Signal(name=f"last_{number.name}")
        m.d.comb += at_end.eq(number == size - 1)
        with m.If(self.idle):
            m.d.sync += number.eq(0)
        with m.Elif(step):
            m.d.sync += number.eq(Mux(at_end, 0, number + 1))
        return step & at_end

    def _follow(self, m: Module, number: Signal, step: Value, size: int) -> None:
        """Counts `number` up from where the sequence's part, each of `size`, begins."""
        with m.If(self.idle):
            m.d.sync += number.eq(scaled(self.of, size, len(number)))
        with m.Elif(step):
            m.d.sync += number.eq(number + 1)


def _log2(size: int) -> int:
    return size.bit_length() - 1
