"""Which pass runs: starts and resets taken or refused, and what is remembered of a sequence."""

from __future__ import annotations

from amaranth.hdl import Array, C, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.ports import Stream
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

    One that is refused shows its code on `refused` and changes nothing. A pass is `active`
    from its start until its done is taken; in the cycle that takes it the next may start.

    Of a sequence three things are kept: whether it is known (one pass has ended since reset),
    the layer that may come next, and its extent: the rows below it were visited in the pass
    that began with layer 0, and only their validity bits mean anything. So a new pass, and a
    reset, need no sweep over the rows.

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
            "finish": In(1), "extent": In(config.extent_bits), "taken": In(1),
            "accept": Out(1), "extent_before": Out(config.extent_bits),
            "active": Out(1), "sequence": Out(config.sequence_bits), "layer": Out(LAYER_BITS),
            "appends": Out(1), "last_row": Out(config.row_bits),
            "refused": Out(CODE_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        start = fields(config.port("start"), self.start.payload)
        forget = self.reset.payload

        known = Signal(config.sequences)
        next_layer = Signal(LAYER_BITS)
        extent = Signal(config.extent_bits)
        self._remember(m, start["sequence"], next_layer, extent)

        append = start.get("append", C(0, 1))
        first_layer = Signal()
        m.d.comb += first_layer.eq(start["layer"] == 0)
        follows = Array(known)[start["sequence"]] & (start["layer"] == next_layer)
        busy = Signal()
        m.d.comb += busy.eq(self.active & ~self.taken)
        rules = [
            (busy, BUSY),
            (start["sequence"] >= config.sequences, SEQUENCE),
            (~(first_layer | follows), LAYER),
            ((start["n_tokens"] == 0) & ~append, EMPTY),
        ]
        if config.overflow == "reject":
            rules.append(((start["n_tokens"] > config.tokens)
                          | append & (start["n_tokens"] == config.tokens), CAPACITY))
        start_code = first_code(m, rules, "start_code")
        reset_code = first_code(m, [
            (forget >= config.sequences, SEQUENCE),
            (busy & (forget == self.sequence), BUSY)], "reset_code")

        m.d.comb += [
            self.reset.ready.eq(1),
            self.start.ready.eq(~self.reset.valid),
            self.accept.eq(self.start.valid & ~self.reset.valid & (start_code == 0)),
            self.extent_before.eq(Mux(first_layer, 0, extent)),
            self.refused.eq(Mux(self.reset.valid, reset_code,
                                Mux(self.start.valid, start_code, 0))),
        ]
        with m.If(self.accept):
            m.d.sync += [
                self.active.eq(1),
                self.sequence.eq(start["sequence"]),
                self.layer.eq(start["layer"]),
                self.appends.eq(append),
                self.last_row.eq(start["n_tokens"] - ~append),
            ]
        with m.Elif(self.taken):
            m.d.sync += self.active.eq(0)
        with m.If(self.finish):
            m.d.sync += known.bit_select(self.sequence, 1).eq(1)
        with m.If(self.reset.valid & (reset_code == 0)):
            m.d.sync += known.bit_select(forget, 1).eq(0)
        return m

    def _remember(self, m: Module, sequence: Value, next_layer: Signal, extent: Signal) -> None:
        """`next_layer` and `extent` of `sequence`, as the last pass that finished left them."""
        config = self.config
        if config.sequences == 1:
            with m.If(self.finish):
                m.d.sync += [next_layer.eq(self.layer + 1), extent.eq(self.extent)]
            return
        state = data.StructLayout({"next_layer": LAYER_BITS, "extent": config.extent_bits})
        m.submodules.sequences = states = memory(state, config.sequences)
        read, write = states.read_port(domain="comb"), states.write_port()
        m.d.comb += [
            read.addr.eq(sequence),
            next_layer.eq(read.data.next_layer), extent.eq(read.data.extent),
            write.en.eq(self.finish), write.addr.eq(self.sequence),
            write.data.next_layer.eq(self.layer + 1), write.data.extent.eq(self.extent),
        ]


def first_code(m: Module, rules: list[tuple[Value, int]], name: str) -> Signal:
    """The code of the first rule that is broken, 0 if none is."""
    code = Signal(CODE_BITS, name=name)
    with m.If(rules[0][0]):
        m.d.comb += code.eq(rules[0][1])
    for broken, number in rules[1:]:
        with m.Elif(broken):
            m.d.comb += code.eq(number)
    return code


def fields(port: Stream, payload: Value) -> dict[str, Value]:
    """The fields of a payload by name."""
    return {field.name: payload[port.offset(field.name):port.offset(field.name) + field.bits]
            for field in port.fields}


def constants(select: Value, values: list[int], width: int) -> Value:
    """``values[select]``, a table of constants."""
    return Array(C(value, width) for value in values)[select]
