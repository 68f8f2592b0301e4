"""The operand buffer of a bank: indices, or bins that a codebook is multiplied by."""

from __future__ import annotations

from amaranth.hdl import Module, Mux
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.ram import Ram

from .choice import word_of
from .config import PimConfig
from .pipeline import held


class OperandBuffer(Component):
    """A memory of ``operand_cols`` columns, written or read, and the index that a turn is for.

    Parameters
    ----------
    config : PimConfig

    Attributes
    ----------
    read, address : In
    sub : In
        Which index of the column, a cycle after ``read``.
    write, write_address, data : In
        Not with ``read``.
    index : Out
        A cycle after ``read``, of as many bits as number the centroids.
    column : Out
        Two cycles after ``read``, in a register.
    """

    def __init__(self, config: PimConfig):
        self.config = config
        self.part_name = (f"operand_buffer_{config.operand_cols}x{config.column_bits}_"
                          f"{config.index_bits}_{config.pq_k}")
        address, bits = range(config.operand_cols), config.column_bits
        super().__init__({
            "read": In(1), "address": In(address), "sub": In(range(config.column_indices)),
            "write": In(1), "write_address": In(address), "data": In(bits),
            "index": Out(range(config.pq_k)), "column": Out(bits)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.ram = ram = Ram(config.column_bits, config.operand_cols)
        m.d.comb += [
            ram.address.eq(Mux(self.write, self.write_address, self.address)),
            ram.enable.eq(self.read | self.write), ram.write.eq(self.write),
            ram.data.eq(self.data),
            self.index.eq(word_of(ram.q, config.index_bits, self.sub)),
            self.column.eq(held(m, ram.q, "operands"))]
        return m
