"""Initialisation: secrets are drawn, and the trusted memories emptied."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import Component, In, Out

from .config import OmapConfig


class Startup(Component):
    """Sequence of ``init``, which the host sees nothing of.

    Pages need not be written: what is in a page that was never written is not looked at, and
    neither is its tag.

    Parameters
    ----------
    config : OmapConfig
    """

    def __init__(self, config: OmapConfig):
        self.config = config
        super().__init__({
            "start": In(1), "ready": Out(1), "drawing": Out(1),
            "random": In(config.random_bits), "random_valid": In(1),
            "secrets": Out(max(1, config.secret_bits)),
            "clear": Out(1), "address": Out(range(config.clear_words))})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        draws = Signal(range(config.init_draws + 1))
        with m.FSM(name="startup"):
            with m.State("off"), m.If(self.start):
                m.d.sync += [draws.eq(config.init_draws), self.address.eq(0), self.ready.eq(0)]
                m.next = "draw" if config.init_draws else "clear"
            if config.init_draws:
                with m.State("draw"):
                    m.d.comb += self.drawing.eq(1)
                    with m.If(self.random_valid):
                        m.d.sync += [
                            draws.eq(draws - 1),
                            self.secrets.eq(Cat(self.random, self.secrets)[:config.secret_bits])]
                        with m.If(draws == 1):
                            m.next = "clear"
            with m.State("clear"):
                m.d.comb += self.clear.eq(1)
                m.d.sync += self.address.eq(self.address + 1)
                with m.If(self.address == config.clear_words - 1):
                    m.d.sync += self.ready.eq(1)
                    m.next = "off"
        return m
