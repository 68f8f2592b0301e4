"""The bridge between a serial line and the ports of a core: one request, one answer."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.ram import Ram

from .answer import AnswerSender
from .config import (
    BAD_LENGTH,
    BAD_PORT,
    BRIDGE,
    LONGEST,
    OK,
    READ,
    REPEAT,
    SHORT,
    WRITE,
    BridgeConfig,
)
from .ends import Offers, Takes, core_signature, member
from .request import RequestReceiver


class Bridge(wiring.Component):
    """Carries out requests from ``rx`` on the ports of a core, and answers on ``tx``.

    The payload of a request is kept in a memory until its checksum has proved right; only then
    does anything of it reach the core. The answer is kept in the same memory, to be given again.
    ``core_reset`` is high for the cycle in which the core is to be reset; a port ``a`` of the core
    is ``port_a`` here. For the frames see `pimlico.verif.bridge.frames`.

    Parameters
    ----------
    config : BridgeConfig
    """

    def __init__(self, config: BridgeConfig):
        self.config = config
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1), "core_reset": Out(1),
                          **core_signature(config.ports)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.request = request = RequestReceiver(config)
        m.submodules.answer = answer = AnswerSender(config)
        m.submodules.offers = offers = Offers(config)
        m.submodules.takes = takes = Takes(config)
        m.submodules.payloads = payloads = Ram(8, 2 * (LONGEST + 1))
        for port in config.ports:
            inside = getattr(offers if port.direction == "in" else takes, member(port))
            outside = getattr(self, member(port))
            if isinstance(outside, Signal):
                m.d.comb += (outside.eq(inside) if port.direction == "in"
                             else inside.eq(outside))
            else:
                wiring.connect(m, inside, wiring.flipped(outside))

        length, index, beats, at = Signal(8), Signal(8), Signal(8), Signal(8)
        sequence, code = Signal(8), Signal(3)
        kept_sequence, kept_short, kept_length = Signal(8), Signal(), Signal(8)
        last, most, wrong_way = self._tables(m, request.port, request.command)
        last_byte, timer, waiting = Signal(), Signal(config.stall_log2 + 1), Signal()
        upper, data, stalled = Signal(), Signal(8), timer[-1]
        m.d.comb += [
            request.rx.eq(self.rx), request.beat_last.eq(last), self.tx.eq(answer.tx),
            answer.sequence.eq(sequence), answer.code.eq(code), answer.length.eq(length),
            answer.byte.eq(payloads.q), self.core_reset.eq(offers.reset),
            offers.number.eq(request.port), offers.data.eq(payloads.q),
            offers.last.eq(last_byte), takes.number.eq(request.port), takes.at.eq(at),
            last_byte.eq(at == last), payloads.address.eq(Cat(index, upper)),
            payloads.data.eq(data),
        ]
        m.d.sync += timer.eq(Mux(waiting, timer + 1, 0))

        def advance():
            m.d.sync += at.eq(Mux(last_byte, 0, at + 1))

        def refuse(reason):
            m.d.sync += code.eq(reason)
            m.next = "ANSWER"

        with m.FSM():
            with m.State("LISTEN"):
                m.d.comb += [request.listen.eq(1), payloads.enable.eq(request.byte_strobe),
                             payloads.write.eq(request.byte_strobe), data.eq(request.byte),
                             payloads.address.eq(request.index)]
                m.d.sync += [sequence.eq(request.sequence), code.eq(request.code),
                             length.eq(0), index.eq(0), at.eq(0)]
                with m.If(request.done):
                    m.next = "CHECK"
            with m.State("CHECK"):
                m.d.sync += beats.eq(Mux(request.command == WRITE, 0, request.last))
                with m.If(code != OK):
                    m.next = "ANSWER"
                with m.Elif(request.command == REPEAT):
                    m.d.sync += [sequence.eq(kept_sequence), code.eq(Mux(kept_short, SHORT, OK)),
                                 length.eq(kept_length)]
                    m.next = "ANSWER"
                with m.Elif(request.unknown | wrong_way):
                    refuse(BAD_PORT)
                with m.Elif(request.command == WRITE):
                    m.next = "WRITE"
                    with m.If((request.length == 0) | (request.rest != 0)):
                        refuse(BAD_LENGTH)
                with m.Else():
                    m.next = "READ"
                    with m.If((request.length != 1) | (request.last > most)):
                        refuse(BAD_LENGTH)

            with m.State("WRITE"):
                m.d.comb += waiting.eq(1)
                with m.If(index == request.length):
                    m.next = "COUNT"
                with m.Elif(offers.room):
                    m.next = "FETCH"
                with m.Elif(stalled):
                    m.d.sync += code.eq(SHORT)
                    m.next = "COUNT"
            with m.State("FETCH"):
                m.d.comb += payloads.enable.eq(1)
                m.d.sync += index.eq(index + 1)
                m.next = "LOAD"
            with m.State("LOAD"):
                m.d.comb += offers.load.eq(1)
                advance()
                m.next = "FETCH"
                with m.If(last_byte):
                    m.d.sync += beats.eq(beats + 1)
                    m.next = "WRITE"
            with m.State("COUNT"):
                m.d.comb += [payloads.enable.eq(1), payloads.write.eq(1), data.eq(beats),
                             payloads.address.eq(LONGEST + 1)]
                m.d.sync += length.eq(1)
                m.next = "KEEP"

            with m.State("READ"):
                m.d.comb += waiting.eq(1)
                with m.If(beats == 0):
                    m.next = "KEEP"
                with m.Elif(takes.some):
                    m.next = "STORE"
                with m.Elif(stalled):
                    m.d.sync += code.eq(SHORT)
                    m.next = "KEEP"
            with m.State("STORE"):
                m.d.comb += [payloads.enable.eq(1), payloads.write.eq(1), upper.eq(1),
                             data.eq(takes.data), takes.hold.eq(1), takes.take.eq(last_byte)]
                m.d.sync += [index.eq(index + 1), length.eq(length + 1)]
                advance()
                with m.If(last_byte):
                    m.d.sync += beats.eq(beats - 1)
                    m.next = "READ"

            with m.State("KEEP"):
                m.d.sync += [kept_sequence.eq(sequence), kept_short.eq(code == SHORT),
                             kept_length.eq(length)]
                m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += answer.start.eq(1)
                m.next = "SENDING"
            with m.State("SENDING"):
                m.d.comb += [payloads.enable.eq(answer.fetch),
                             payloads.address.eq(Cat(answer.index, 1))]
                with m.If(answer.done):
                    m.next = "LISTEN"
        return m

    def _tables(self, m, port, command):
        """What is fixed of the port of a request: the last byte of a beat, the most beats of an
        answer, and whether the command goes the wrong way."""
        config = self.config
        last, most, wrong_way = Signal(8), Signal(8), Signal()
        with m.Switch(port):
            for number in config.numbers:
                with m.Case(number):
                    if number == BRIDGE:
                        m.d.comb += [last.eq(Mux(command == READ, config.read_bytes(number) - 1,
                                                 config.write_bytes(number) - 1)),
                                     most.eq(config.most_beats(number))]
                    elif config.takes(number):
                        m.d.comb += [last.eq(config.write_bytes(number) - 1),
                                     wrong_way.eq(command != WRITE)]
                    else:
                        m.d.comb += [last.eq(config.read_bytes(number) - 1),
                                     most.eq(config.most_beats(number)),
                                     wrong_way.eq(command != READ)]
        return last, most, wrong_way
