"""The hash of the index: two Toeplitz hashes, mixed by a map that is not linear."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from .config import OmapConfig


class IndexHash(Component):
    """Addresses of a key in every way. Combinational.

    A way's address is one of two Toeplitz hashes, and the chi map of the other, both rotated.
    The linear hash alone would send keys that count up, a subspace, to half of the places or
    fewer whenever its matrix has not full rank on them, and overflow the stash; with chi they
    spread as random keys do.

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
        bits, length = config.hash_bits, config.key_width + config.hash_bits - 1
        sums, mixed = [], []
        for number, name in enumerate(("first", "second")):
            total = Signal(bits, name=name)
            chi = Signal(bits, name=f"{name}_mixed")
            m.d.comb += [
                total.eq(self._toeplitz(self.seed[number * length:(number + 1) * length])),
                chi.eq(total ^ (~total.rotate_right(1) & total.rotate_right(2)))]
            sums.append(total)
            mixed.append(chi)
        m.d.comb += self.addresses.eq(Cat(
            (sums[way % 2].rotate_left(way // 2 % bits)
             ^ mixed[1 - way % 2].rotate_left(way % bits))[:config.index_bits]
            for way in range(config.index_ways)))
        return m

    def _toeplitz(self, diagonals: Value) -> Value:
        width = self.config.key_width
        return Cat((diagonals[row:row + width] & self.key).xor()
                   for row in range(self.config.hash_bits))
