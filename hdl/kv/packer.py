"""Rows on their way into the memory: quantized, and packed into words."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.ram import MARK, memory

from .config import KvConfig, count
from .extremes import Extremes
from .quantizer import Quantizer
from .scale import Scale


class Packer(wiring.Component):
    """Takes rows beat by beat, gives words to write, and a zero and a scale a row.

    A row waits in a buffer until its least and greatest element are known, then leaves it a
    beat a cycle; all that follows its last beat is a fixed schedule. Rows are at least a row's
    beats apart, so those registers that hold something once a row need no queue.

    A beat comes at an edge with `take`. A row that breaks off leaves nothing behind: the next
    beat with `first` takes its place in the buffer.

    `write` has `word` written, and never comes with `hold`. That may not come twice running, so
    no word waits longer than a cycle; the next is ``pack`` cycles behind, and none is lost.
    `describe` has `zero` and `scale` of row `described` written.

    The first word of a row comes ``settle_cycles`` edges after its `ends`, or one more after a
    `hold`; its zero and scale earlier.
    """

    def __init__(self, config: KvConfig):
        self.config = config
        banks, words = count(config.banks), count(config.bank_words)
        rows = count(config.sequences * config.tokens)
        super().__init__({
            "take": In(1), "data": In(config.beat_bits), "first": In(1), "ends": In(1),
            "bank": In(banks), "offset": In(words), "row": In(rows),
            "hold": In(1), "write": Out(1), "word": Out(config.beat_bits),
            "word_bank": Out(banks), "word_offset": Out(words),
            "describe": Out(1), "described": Out(rows),
            "zero": Out(signed(config.elem_width)), "scale": Out(config.scale_bits),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.extremes = extremes = Extremes(config)
        m.submodules.quantizer = quantizer = Quantizer(config)
        m.submodules.scaler = scaler = Scale(config)

        # after[i]: the last beat of a row came i cycles ago
        known = config.minmax_stages
        described = known + 1 + scaler.stages
        packed = known + 1 + config.quant_bits + config.pack
        ages = Signal(packed)
        after = Cat(self.take & self.ends, ages)
        m.d.sync += ages.eq(after[:-1])

        bank, offset, row = (Signal.like(port, name=f"row_{name}", reset_less=True)
                             for port, name in ((self.bank, "bank"), (self.offset, "offset"),
                                                (self.row, "number")))
        with m.If(self.take & self.first):
            m.d.sync += [bank.eq(self.bank), offset.eq(self.offset), row.eq(self.row)]

        m.d.comb += [extremes.data.eq(self.data), extremes.valid.eq(self.take),
                     extremes.first.eq(self.first)]
        centre = Signal(signed(config.elem_width + 1), reset_less=True)
        span = Signal(config.elem_width, reset_less=True)
        with m.If(after[known]):
            m.d.sync += [centre.eq(extremes.low + extremes.high),
                         span.eq(extremes.high - extremes.low)]
        m.d.comb += [
            scaler.span.eq(span),
            self.describe.eq(after[described]),
            self.described.eq(self._carry(m, row, after[1:described + 1], "row")),
            self.zero.eq(self._carry(m, extremes.low, after[known:described + 1], "zero")),
            self.scale.eq(scaler.scale),
        ]

        beat, last = self._drain(m, after[known])
        m.d.comb += [quantizer.data.eq(beat), quantizer.centre.eq(centre),
                     quantizer.span.eq(span)]
        start = self._carry(m, Cat(bank, offset), after[1:], "start")
        self._pack(m, quantizer.levels, last, after[packed], start)
        return m

    def _carry(self, m: Module, value: Value, after: Value, name: str) -> Value:
        """What `value` is in the cycle of the first flag, in the cycle of the last.

        A register keeps it for a row's beats, so it takes only one for as many cycles.
        """
        for tap in range(0, len(after) - 1, self.config.beats):
            kept = Signal(value.shape(), name=f"{name}_{tap}", reset_less=True)
            with m.If(after[tap]):
                m.d.sync += kept.eq(value)
            value = kept
        return value

    def _drain(self, m: Module, begin: Value) -> tuple[Value, Value]:
        """The buffer; returns its read register and whether that gets a word's last beat."""
        config = self.config
        depth = config.buffer_beats
        m.submodules.buffer = buffer = memory(
            config.beat_bits, depth, "auto" if config.memory == "auto" else "block")
        store, fetch = buffer.write_port(), buffer.read_port(domain="comb")

        row_start = Signal(range(depth))
        filled = Signal(range(depth), reset_less=True)
        place = Signal(range(depth))
        beyond = Signal(range(depth))
        m.d.comb += [place.eq(Mux(self.first, row_start, filled)),
                     beyond.eq(Mux(place == depth - 1, 0, place + 1)),
                     store.addr.eq(place), store.data.eq(self.data), store.en.eq(self.take)]
        with m.If(self.take):
            m.d.sync += filled.eq(beyond)
            with m.If(self.ends):
                m.d.sync += row_start.eq(beyond)

        drained = Signal(range(depth))
        left = Signal(range(config.beats))
        position = Signal(range(config.pack))
        draining = Signal()
        ends_word = Signal()
        beat = Signal(config.beat_bits, reset_less=True, attrs={MARK: 1})
        m.d.comb += [draining.eq(begin | left.any()), fetch.addr.eq(drained),
                     ends_word.eq(draining & (position == config.pack - 1))]
        with m.If(draining):
            m.d.sync += [beat.eq(fetch.data),
                         drained.eq(Mux(drained == depth - 1, 0, drained + 1)),
                         position.eq(Mux(ends_word, 0, position + 1)),
                         left.eq(Mux(begin, config.beats - 1, left - 1))]
        return beat, ends_word

    def _pack(self, m: Module, levels: Value, ends_word: Value, first: Value,
              start: Value) -> None:
        """Gathers the levels of a word; `start` is the address of a row's first."""
        config = self.config
        full = Signal(config.quant_bits + 2)
        m.d.sync += full.eq(Cat(ends_word, full[:-1]))
        gathered = Signal(len(levels) * (config.pack - 1), reset_less=True)
        joined = Cat(gathered, levels)
        m.d.sync += gathered.eq(joined[len(levels):])

        waits = Signal()
        word = Signal(config.beat_bits, reset_less=True)
        bank = Signal.like(self.bank, name="bank_written", reset_less=True)
        offset = Signal.like(self.offset, name="offset_written", reset_less=True)
        wraps = Signal()
        m.d.comb += wraps.eq(bank == config.banks - 1)
        m.d.sync += waits.eq(full[-1] | (waits & self.hold))
        with m.If(full[-1]):
            m.d.sync += [word.eq(joined), bank.eq(Mux(wraps, 0, bank + 1)),
                         offset.eq(offset + wraps)]
            with m.If(first):
                m.d.sync += Cat(bank, offset).eq(start)
        m.d.comb += [self.write.eq(waits & ~self.hold), self.word.eq(word),
                     self.word_bank.eq(bank), self.word_offset.eq(offset)]
