"""The host bus: requests, the beats that are due, and the beats that go out."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from .config import OmapConfig


class Requests(Component):
    """The requests of an operation, a page each: read a, read b, then write a, write b.

    Parameters
    ----------
    config : OmapConfig
    """

    def __init__(self, config: OmapConfig):
        self.config = config
        super().__init__({
            "reads": In(1), "writes": In(1), "a": In(config.half_bits), "b": In(config.half_bits),
            "idle": Out(1), "read_taken": Out(1),
            "req": Out(stream.Signature(config.log2_pages + 1))})

    def elaborate(self, platform):
        m = Module()
        left = Signal(2)
        write = Signal()
        upper = Signal()
        with m.If(self.reads | self.writes):
            m.d.sync += [left.eq(2), write.eq(self.writes)]
        with m.Elif(self.req.valid & self.req.ready):
            m.d.sync += left.eq(left - 1)
        m.d.comb += [
            upper.eq(left == 1), self.req.valid.eq(left.any()),
            self.req.payload.eq(Cat(Mux(upper, self.b, self.a), upper, write)),
            self.idle.eq(~left.any()),
            self.read_taken.eq(self.req.valid & self.req.ready & ~write)]
        return m


class Arrivals(Component):
    """Watches the beats that the host gives: none unasked, none late, the last one marked.

    ``late`` and ``mismarked`` hold from their cause to the next launch; ``unasked`` lasts a
    cycle. The host has time until all beats that it is to write are ``gone``: a read may have
    to wait for them.

    Parameters
    ----------
    config : OmapConfig
    """

    def __init__(self, config: OmapConfig):
        self.config = config
        super().__init__({
            "launch": In(1), "read_taken": In(1), "gone": In(1),
            "rdata": In(stream.Signature(config.beat_width + 1)),
            "beats": Out(stream.Signature(config.beat_width)),
            "late": Out(1), "mismarked": Out(1), "unasked": Out(1)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        due = Signal(range(2 * config.beats + 1))
        some_due = Signal()
        takes = Signal()
        row = Signal(range(max(2, config.beats)))
        is_last = Signal()
        m.d.comb += [
            some_due.eq(due.any()),
            self.beats.valid.eq(self.rdata.valid & some_due),
            self.beats.payload.eq(self.rdata.payload[:-1]),
            self.rdata.ready.eq(~some_due | self.beats.ready),
            takes.eq(self.beats.valid & self.beats.ready),
            self.unasked.eq(self.rdata.valid & ~some_due),
            is_last.eq(row == config.beats - 1)]
        m.d.sync += due.eq(due + Mux(self.read_taken, config.beats, 0) - takes)
        with m.If(takes):
            m.d.sync += row.eq(Mux(is_last, 0, row + 1))
        with m.If(self.launch):
            m.d.sync += self.mismarked.eq(0)
        with m.Elif(takes & (self.rdata.payload[-1] != is_last)):
            m.d.sync += self.mismarked.eq(1)
        waited = Signal(config.watch_bits)
        with m.If(self.launch):
            m.d.sync += [self.late.eq(0), waited.eq(0)]
        with m.Elif(takes):
            m.d.sync += waited.eq(0)
        with m.Elif(some_due & ~self.rdata.valid & self.gone):
            with m.If(waited == config.host_latency_max - 1):
                m.d.sync += self.late.eq(1)
            with m.Else():
                m.d.sync += waited.eq(waited + 1)
        return m


class Departures(Component):
    """Sends both pages in hand, a beat a cycle.

    ``half`` and ``row`` are the place of the next beat to be read, while ``reading``.

    Parameters
    ----------
    config : OmapConfig
    """

    def __init__(self, config: OmapConfig):
        self.config = config
        bits = max(1, (config.beats - 1).bit_length())
        super().__init__({
            "send": In(1), "read": Out(1), "half": Out(1), "row": Out(bits),
            "word": In(config.beat_width), "reading": Out(1), "idle": Out(1), "sent": Out(1),
            "beats": Out(stream.Signature(config.beat_width + 1))})

    def elaborate(self, platform):
        m = Module()
        is_last = Signal()
        ends = Signal()
        last = Signal(reset_less=True)
        final = Signal(reset_less=True)
        taken = Signal()
        m.d.comb += [
            is_last.eq(self.row == self.config.beats - 1), ends.eq(is_last & self.half),
            taken.eq(self.beats.valid & self.beats.ready),
            self.read.eq(self.reading & (~self.beats.valid | self.beats.ready)),
            self.beats.payload.eq(Cat(self.word, last)),
            self.idle.eq(~self.reading & ~self.beats.valid),
            self.sent.eq(taken & final)]
        with m.If(self.send):
            m.d.sync += [self.reading.eq(1), self.half.eq(0), self.row.eq(0)]
        with m.Elif(self.read):
            m.d.sync += [self.row.eq(Mux(is_last, 0, self.row + 1)),
                         self.half.eq(self.half | is_last), self.reading.eq(~ends)]
        with m.If(self.read):
            m.d.sync += [self.beats.valid.eq(1), last.eq(is_last), final.eq(ends)]
        with m.Elif(taken):
            m.d.sync += self.beats.valid.eq(0)
        return m
