"""What a channel has done: products, additions to sums, columns of the arrays."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .burst import turn_layout
from .config import COUNT_BITS, COUNTS, PimConfig
from .decode import decoded_layout


class Counts(wiring.Component):
    """Counters of all banks' work, modulo 2^32. A turn, or a command, counts a cycle later.

    Attributes
    ----------
    command : In
        See `decode.decoded_layout`.
    accept : In(1)
        It is carried out in this cycle.
    turn : In
        See `burst.Burst`.
    products, additions, columns : Out
        See `config.COUNTS`.
    """

    part_name = "counts"

    def __init__(self, config: PimConfig):
        self.config = config
        super().__init__({
            "command": In(decoded_layout(config)), "accept": In(1), "turn": In(turn_layout(config)),
            **{name: Out(COUNT_BITS) for name in COUNTS}})

    def elaborate(self, platform):
        m = Module()
        config, turn = self.config, self.turn
        banks = Signal(range(config.banks + 1))
        m.d.comb += banks.eq(sum(turn.mask[1:], turn.mask[0]))
        first = turn.sub == 0
        elements = (turn.sub & (config.lanes - 1)) == 0
        moves = Cat(turn.mac, turn.copy, turn.load, turn.lookup, turn.build & first,
                    turn.bin & elements, turn.store & (turn.sub == config.column_sums - 1)).any()
        access = self.accept & (self.command.read | self.command.write)
        products = Mux(turn.mac, config.lanes, Mux(turn.build, config.pq_dsub, 0))
        for count, more in ((self.products, banks * products),
                            (self.additions, _if(turn.lookup | turn.bin, banks)),
                            (self.columns, _if(moves, banks) + access)):
            m.d.sync += count.eq(count + more)
        return m


def _if(condition: Value, number: Value) -> Value:
    return Mux(condition, number, 0)
