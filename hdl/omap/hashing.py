"""The hash of the index: two Toeplitz matrices, and their combinations for more ways."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from .config import OmapConfig


class IndexHash(Component):
    """Addresses of a key in every way. Combinational.

    Ways 0 and 1 have a Toeplitz hash each, the others an exclusive or of both, one of them
    rotated: half the parity trees of a hash of their own.

    Parameters
    ----------
    config : OmapConfig
    """

    def __init__(self, config: OmapConfig):
        self.config = config
        super().__init__({"key": In(config.key_width), "seed": In(config.seed_bits),
                          "addresses": Out(config.index_ways * config.index_bits)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        length = config.key_width + config.index_bits - 1
        first = Signal(config.index_bits)
        second = Signal(config.index_bits)
        m.d.comb += [first.eq(self._toeplitz(self.seed[:length])),
                     second.eq(self._toeplitz(self.seed[length:]))]
        ways = []
        for way in range(config.index_ways):
            turn = (way - 1) // 2 % config.index_bits
            if way < 2:
                ways.append((first, second)[way])
            elif way % 2:
                ways.append(first ^ second.rotate_left(turn))
            else:
                ways.append(first.rotate_left(turn) ^ second)
        m.d.comb += self.addresses.eq(Cat(ways))
        return m

    def _toeplitz(self, diagonals: Value) -> Value:
        width = self.config.key_width
        return Cat((diagonals[row:row + width] & self.key).xor()
                   for row in range(self.config.index_bits))
