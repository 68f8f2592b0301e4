"""What each beat of a pass is and where it comes from: streamed, held or a hole."""

from __future__ import annotations

from amaranth.hdl import C, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .config import CODE_BITS, HOLE, SHORTAGE, KvConfig, count, parts
from .passes import constants


def beat_layout(config: KvConfig) -> data.StructLayout:
    """What is known of a beat beside its data: source, place in the row, end of the pass."""
    return data.StructLayout({"fresh": 1, "hole": 1, "part": 2, "end": 1, "last": 1})


class Walk(wiring.Component):
    """Walks the rows of a pass in order, a beat a cycle.

    The first beat of a row takes the row's mask bit, of the mask stream or, for the new token,
    of the append stream. Beats of an executed row each take a streamed beat, of fresh or
    append; once the burst on fresh has ended they are missing. Rows that the buffer has no
    place for (``tail``) are streamed whatever their mask bit says.

    ``room``: a beat may enter the memory stage in this cycle; ``calm``: so may the first beat
    of a pass; ``enter``: one does. ``burst_over``: the burst of this pass has ended. ``valid``:
    the row holds something.

    Parameters
    ----------
    config : KvConfig
    """

    part_name = "walk"

    def __init__(self, config: KvConfig):
        self.config = config
        super().__init__({
            "load": In(1), "sequence": In(config.sequence_bits),
            "last_row": In(config.row_bits), "appends": In(1),
            "room": In(1), "calm": In(1), "valid": In(1), "burst_over": In(1),
            "mask_valid": In(1), "mask_executed": In(1), "fresh_valid": In(1),
            "append_valid": In(1), "append_executed": In(1),
            "take_mask": Out(1), "take_fresh": Out(1), "take_append": Out(1),
            "enter": Out(1), "beat": Out(beat_layout(config)),
            "stream": Out(1), "keep": Out(1), "appended": Out(1), "tail": Out(1),
            "first": Out(1), "broken": Out(1),
            "bank": Out(count(config.banks)), "offset": Out(count(config.bank_words)),
            "phase": Out(count(config.pack)), "row": Out(config.row_bits),
            "place": Out(count(config.sequences * config.tokens)),
            "fault": Out(CODE_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        busy = Signal()
        beat = Signal(count(config.beats), reset_less=True)
        row_streams = Signal(reset_less=True)
        row_is_hole = Signal(reset_less=True)

        final = Signal()
        executed = Signal()
        missing = Signal()
        source = Signal()
        m.d.comb += [
            final.eq(self.row == self.last_row),
            self.first.eq(beat == 0),
            self.beat.end.eq(beat == config.beats - 1),
            self.appended.eq(self.appends & final),
            executed.eq(Mux(self.first, self.tail | Mux(self.appended, self.append_executed,
                                                        self.mask_executed), row_streams)),
            missing.eq(executed & ~self.appended & self.burst_over),
            source.eq(Mux(self.appended, self.append_valid, self.fresh_valid)),
            self.stream.eq(executed & ~missing),
            self.keep.eq(self.stream & ~self.tail),
            self.beat.fresh.eq(self.stream),
            self.beat.hole.eq(missing | Mux(self.first, ~executed & ~self.valid, row_is_hole)),
            self.beat.last.eq(self.beat.end & final),
            self.beat.part.eq(self._part(beat)),
            self.broken.eq(missing & ~self.first & row_streams & ~row_is_hole),
        ]
        known = Signal()
        m.d.comb += [
            known.eq(~self.first | Mux(self.appended, self.append_valid, self.mask_valid)),
            self.enter.eq(busy & self.room & self.calm & known & (~self.stream | source)),
            self.take_mask.eq(self.enter & self.first & ~self.appended),
            self.take_fresh.eq(self.enter & self.stream & ~self.appended),
            self.take_append.eq(self.enter & self.appended & (self.first | self.stream)),
        ]
        with m.If(self.enter & missing & (self.first | ~row_is_hole)):
            m.d.comb += self.fault.eq(SHORTAGE)
        with m.Elif(self.enter & self.first & self.beat.hole):
            m.d.comb += self.fault.eq(HOLE)

        with m.If(self.load):
            m.d.sync += [busy.eq(1), beat.eq(0), self.row.eq(0)]
        with m.Elif(self.enter):
            m.d.sync += [row_streams.eq(executed), row_is_hole.eq(self.beat.hole),
                         beat.eq(Mux(self.beat.end, 0, beat + 1))]
            with m.If(self.beat.end):
                m.d.sync += self.row.eq(self.row + 1)
            with m.If(self.beat.last):
                m.d.sync += busy.eq(0)
        self._tail(m)
        self._address(m)
        return m

    def _part(self, beat: Value) -> Value:
        """Fixed by the beat's number; a table, or a comparison where the row is in halves."""
        config = self.config
        table = [parts(config, number) for number in range(config.beats)]
        if config.order == "interleaved":
            return Mux(beat[0], 2, 1)
        value: Value = C(table[-1], 2)
        for number in range(config.beats - 1, 0, -1):
            if table[number] != table[number - 1]:
                value = Mux(beat < number, C(table[number - 1], 2), value)
        return value

    def _tail(self, m: Module) -> None:
        """Whether the row lies past the buffer's last."""
        config = self.config
        if config.overflow == "reject":
            m.d.comb += self.tail.eq(0)
            return
        tail = Signal(name="past_the_end")
        m.d.comb += self.tail.eq(tail)
        with m.If(self.load):
            m.d.sync += tail.eq(0)
        with m.Elif(self.enter & self.beat.end & (self.row == config.tokens - 1)):
            m.d.sync += tail.eq(1)

    def _address(self, m: Module) -> None:
        """The beat's word: those of a sequence follow each other, over the banks in turn."""
        config = self.config
        advance = Signal()
        m.d.comb += advance.eq(self.enter & ~self.tail)
        self._count(m, self.place, advance & self.beat.end, config.tokens, bool(config.quant_bits))
        next_word = self._turn(m, self.phase, advance, config.pack)
        next_round = self._turn(m, self.bank, next_word, config.banks)
        self._count(m, self.offset, next_round, config.sequence_words, True)

    def _turn(self, m: Module, number: Signal, step: Value, size: int) -> Value:
        """Counts `number` to `size` and round; returns the steps that end a round."""
        if size == 1:
            m.d.comb += number.eq(0)
            return step
        at_end = number == size - 1
        with m.If(self.load):
            m.d.sync += number.eq(0)
        with m.Elif(step):
            m.d.sync += number.eq(Mux(at_end, 0, number + 1))
        return step & at_end

    def _count(self, m: Module, number: Signal, step: Value, size: int, used: bool) -> None:
        """Counts `number` up from where the sequence's part, each of `size`, begins."""
        if not used:
            m.d.comb += number.eq(0)
            return
        bases = [size * sequence for sequence in range(self.config.sequences)]
        with m.If(self.load):
            m.d.sync += number.eq(constants(self.sequence, bases, len(number)))
        with m.Elif(step):
            m.d.sync += number.eq(number + 1)
