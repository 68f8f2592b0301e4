"""The sums of a bank: scores of tokens, bins of weights, or a table on its way to a row."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.float.add import FloatAdd
from pimlico.hdl.common.parts import place
from pimlico.hdl.common.ram import MARK, memory

from .config import PimConfig
from .pipeline import delayed


class Sums(Component):
    """A memory of ``row_sums`` numbers, and an adder that adds to one in each turn.

    Stages: address (the number is fetched), addend (it is there, and is added to), and as many
    more as the addition takes. Turns that may be of one sum are `acc_latency` cycles apart or more,
    so that it is known when the next addition begins, and is forwarded to that if it is not in the
    memory yet.
    Numbers are unknown until they are set.

    Parameters
    ----------
    config : PimConfig

    Attributes
    ----------
    address : In
    add, clear : In(1)
        The number there is to be added to, or set to +0.
    addend : In
        A cycle after ``add``.
    set, set_address, set_data : In
        Sets a number at the end of this cycle. Not with an addition on its way.
    number : Out
        The one at ``address``, a cycle later.
    """

    def __init__(self, config: PimConfig):
        self.config = config
        self.part_name = (f"sums_{config.acc_format.name}_{config.subnormals}_{config.row_sums}_"
                          f"{config.acc_latency}_{config.turn_gap('bin')}")
        address, bits = range(config.row_sums), config.acc_bits
        super().__init__({
            "address": In(address), "add": In(1), "clear": In(1), "addend": In(bits),
            "set": In(1), "set_address": In(address), "set_data": In(bits), "number": Out(bits)})

    def elaborate(self, platform):
        m = Module()
        config, kind = self.config, self.config.acc_format
        m.submodules.words = words = memory(config.acc_bits, config.row_sums, apart=True)
        store, fetch = words.write_port(), words.read_port(domain="comb")
        fetched = Signal(config.acc_bits, reset_less=True, attrs={MARK: 1})
        m.d.comb += fetch.addr.eq(self.address)
        m.d.sync += fetched.eq(fetch.data)

        turn = Cat(self.add, self.clear)
        began = delayed(m, turn, 1, "addend_turn", control=True)
        ended = delayed(m, began, config.acc_latency - 1, "sum_turn", control=True)
        address = delayed(m, self.address, config.acc_latency, "sum_address")
        adder = FloatAdd(kind, kind, kind, config.subnormals, config.acc_latency - 1)
        m.submodules.add = place(platform, adder)
        total = Signal(config.acc_bits)
        m.d.comb += [
            total.eq(Mux(ended[1], 0, adder.result)), adder.a.eq(self.number),
            adder.b.eq(self.addend),
            store.en.eq(self.set | ended.any()),
            store.addr.eq(Mux(self.set, self.set_address, address)),
            store.data.eq(Mux(self.set, self.set_data, total))]
        if adder.stages:
            m.d.comb += adder.advance.eq(1)
        if config.acc_latency < config.turn_gap("bin"):
            m.d.comb += self.number.eq(fetched)
        else:
            meets = Signal(name="addend_meets_sum")
            last = Signal.like(total, name="last_sum", reset_less=True)
            m.d.sync += [meets.eq(ended[0] & (address == self.address)), last.eq(total)]
            m.d.comb += self.number.eq(Mux(meets, last, fetched))
        return m
