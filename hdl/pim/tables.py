"""Product quantization in a bank: its operand buffer, its sums, and the ways between them."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.float.config import FloatFormat
from pimlico.hdl.common.float.convert import FloatConvert
from pimlico.hdl.common.parts import place

from .choice import word_of
from .config import PimConfig
from .operand_buffer import OperandBuffer
from .pipeline import delayed, held
from .sums import Sums
from .table_turns import table_layout


class Tables(wiring.Component):
    """Lookups and bins of a bank.

    Attributes
    ----------
    stages : In
        See `table_turns.table_layout`.
    active : In(1)
        The turns are of this bank.
    builds : In(1)
        A turn of LUT_BUILD in this bank.
    word : In
        The column read by ROW_TO_OB, in stage lookup.
    column : In
        The column read at ``col``, in stage operands.
    product : In
        Of LUT_BUILD, ``dot_latency`` cycles after stage lookup.
    reads, col : Out
        In stage word: a column of the array is to be read in the next cycle.
    writes : Out(1)
        In stage addend: ``gathered`` is to be written to the array in the next cycle.
    gathered : Out
        A column of sums, in the cycle after ``writes``.
    vector : Out
        The column of the operand buffer that BIN_MAC multiplies by, in stage lookup.
    """

    part_name = "tables"

    def __init__(self, config: PimConfig):
        self.config = config
        bits = config.column_bits
        super().__init__({
            "stages": In(table_layout(config)), "active": In(1), "builds": In(1), "word": In(bits),
            "column": In(bits), "product": In(config.acc_bits), "reads": Out(1),
            "col": Out(range(config.cols)), "writes": Out(1), "gathered": Out(bits),
            "vector": Out(bits)})

    def elaborate(self, platform):
        m = Module()
        config, stages, active = self.config, self.stages, self.active
        buffer, sums = OperandBuffer(config), Sums(config)
        m.submodules.buffer, m.submodules.sums = place(platform, buffer), place(platform, sums)
        m.d.comb += [
            buffer.read.eq(stages.fetch & active), buffer.address.eq(stages.fetch_col),
            buffer.sub.eq(stages.sub), buffer.write.eq((stages.loads | stages.refills) & active),
            buffer.write_address.eq(Mux(stages.refills, stages.refill_col, stages.load_col)),
            buffer.data.eq(Mux(stages.refills, self.gathered, self.word)),
            self.vector.eq(buffer.column)]

        # stage word: the entry of a table that an index stands for
        entry = Cat(buffer.index, stages.table)
        lanes = (config.column_sums - 1).bit_length()
        m.d.comb += [
            self.reads.eq((stages.looks_up | stages.reads) & active),
            self.col.eq(Mux(stages.looks_up, entry[lanes:], stages.col)),
            self.writes.eq(stages.stores & active)]
        sum_of_entry = delayed(m, entry[:lanes], 3, "sum_of_entry")
        bin_address = delayed(m, buffer.index, 3, "bin")

        element = self._converted(m, platform, "element", config.fmt_format, config.acc_format,
                                  word_of(self.column, config.fmt_bits, stages.lane))
        found = word_of(self.column, config.acc_bits, sum_of_entry)
        builds = delayed(m, self.builds, 3 + config.dot_latency, "build", control=True)
        m.d.comb += [
            sums.address.eq(Mux(stages.bins, bin_address, stages.address)),
            sums.add.eq(stages.adds & active), sums.clear.eq(stages.clears & active),
            sums.addend.eq(held(m, Mux(stages.bins, element, found), "addend")),
            sums.set.eq(builds), sums.set_address.eq(stages.set_address),
            sums.set_data.eq(self.product)]

        number, bits = sums.number, config.column_bits
        rounded = self._converted(m, platform, "rounded", config.acc_format, config.fmt_format,
                                  number)
        gathered = Signal(bits, reset_less=True, name="gathered_sums")
        with m.If(stages.gathers):
            m.d.sync += gathered.eq(Mux(
                stages.rounds, Cat(gathered, rounded)[-bits:], Cat(gathered, number)[-bits:]))
        m.d.comb += self.gathered.eq(gathered)
        return m

    def _converted(self, m: Module, platform: object, name: str, source: FloatFormat,
                   out: FloatFormat, value: Value) -> Value:
        if source is out:
            return value
        convert = FloatConvert(source, out, self.config.subnormals)
        m.submodules[f"convert_{name}"] = place(platform, convert)
        m.d.comb += convert.value.eq(value)
        return convert.result
