"""Which pass runs: starts and resets taken or refused, and what is remembered of a sequence."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.component import fields
from pimlico.hdl.common.ram import memory

from .config import (
    BUSY,
    CAPACITY,
    CODE_BITS,
    EMPTY,
    LAYER,
    LAYER_BITS,
    SEQUENCE,
    KvConfig,
)


class Passes(wiring.Component):
    """Takes every start and reset in the cycle in which it is offered, a reset before a start.

    One that is refused shows its code on `refused`, a cycle later, and changes nothing. A pass
    is `active` from its start until its done is taken; in the cycle that takes it the next may
    start. While none is (``idle``), whatever stands at `start` is loaded; only `active` tells
    whether it was a start, which keeps the check off all other registers.

    Of a sequence two things are kept: whether it is known (a pass has ended since reset), and
    the layer that may come next.

    Parameters
    ----------
    config : KvConfig
    """

    part_name = "passes"

    def __init__(self, config: KvConfig):
        self.config = config
        super().__init__({
            "start": In(stream.Signature(config.port("start").width)),
            "reset": In(stream.Signature(config.port("reset").width)),
            "finished": In(1), "taken": In(1),
            "accept": Out(1), "idle": Out(1), "anew": Out(1), "only_new": Out(1),
            "active": Out(1), "of": Out(config.sequence_bits), "layer": Out(LAYER_BITS),
            "appends": Out(1), "n_tokens": Out(config.row_bits),
            "refused": Out(CODE_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        start = fields(config.port("start"), self.start.payload)
        append = start.get("append", C(0, 1))
        forget = self.reset.payload
        m.d.comb += [
            self.idle.eq(~self.active | self.taken),
            self.anew.eq(start["layer"] == 0),
            self.only_new.eq(append & (start["n_tokens"] == 0)),
        ]

        forgotten = Signal()
        rows = start["n_tokens"]
        wrong = {
            BUSY: Mux(self.reset.valid, ~self.idle & (forget == self.of), ~self.idle),
            SEQUENCE: Mux(self.reset.valid, forget, start["sequence"]) >= config.sequences,
            LAYER: ~self.reset.valid & ~(self.anew | self._follows(m, start, forgotten)),
            EMPTY: ~self.reset.valid & (rows == 0) & ~append,
        }
        if config.overflow == "reject":
            wrong[CAPACITY] = ~self.reset.valid & ((rows > config.tokens)
                                                   | append & (rows == config.tokens))
        broken = Signal(len(wrong))
        right = Signal()
        m.d.comb += [
            broken.eq(Cat(wrong.values())),
            right.eq(~broken.any()),
            self.reset.ready.eq(1),
            self.start.ready.eq(~self.reset.valid),
            self.accept.eq(self.start.valid & ~self.reset.valid & right),
            forgotten.eq(self.reset.valid & right),
        ]
        offered = Signal()
        broken_rules = Signal.like(broken, name="broken_rules", reset_less=True)
        m.d.sync += [offered.eq(self.start.valid | self.reset.valid), broken_rules.eq(broken)]
        with m.If(offered):
            m.d.comb += self.refused.eq(first(broken_rules, list(wrong)))
        m.d.sync += self.active.eq(self.accept | self.active & ~self.taken)
        with m.If(self.idle):
            m.d.sync += [
                self.of.eq(start["sequence"]),
                self.layer.eq(start["layer"]),
                self.appends.eq(append),
                self.n_tokens.eq(start["n_tokens"]),
            ]
        return m

    def _follows(self, m: Module, start: dict[str, Value], forgotten: Value) -> Value:
        """Whether the layer is the one after that of the sequence's last pass that finished."""
        config = self.config
        if config.sequences == 1:
            # 0 while there was none, which every start may have
            next_layer = Signal(LAYER_BITS)
            with m.If(self.finished):
                m.d.sync += next_layer.eq(self.layer + 1)
            with m.If(forgotten):
                m.d.sync += next_layer.eq(0)
            return start["layer"] == next_layer
        m.submodules.layers = layers = memory(LAYER_BITS, config.sequences)
        read, write = layers.read_port(domain="comb"), layers.write_port()
        known = Signal(config.sequences)
        m.d.comb += [
            read.addr.eq(start["sequence"]), write.addr.eq(self.of),
            write.en.eq(self.finished), write.data.eq(self.layer + 1),
        ]
        finished = (self.finished << self.of)[:config.sequences]
        lost = (forgotten << self.reset.payload)[:config.sequences]
        m.d.sync += known.eq((known | finished) & ~lost)
        return (known >> start["sequence"])[0] & (start["layer"] == read.data)


def first(broken: Value, codes: list[int]) -> Value:
    """The code of the first rule that is broken, 0 if none is."""
    code: Value = C(0, CODE_BITS)
    for rule, number in reversed(list(enumerate(codes))):
        code = Mux(broken[rule], number, code)
    return code
