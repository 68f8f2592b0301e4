"""Job control: what each activation beat is, from the job's n and m."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from pimlico.hdl.common.component import fields

from .beat import beat_layout
from .config import BLOCK, TernaryConfig


class Sequencer(wiring.Component):
    """Counts a job's beats and names each.

    A job is accepted when none runs or in the cycle that takes the last beat of the one
    before, so jobs follow without a bubble. A refused `cfg` is taken off the stream, starts
    nothing and shows its code on `refused` in that cycle.
    """

    part_name = "sequencer"

    def __init__(self, config: TernaryConfig, **more: wiring.Member):
        self.config = config
        self.cfg_port = config.port("cfg")
        super().__init__({
            "cfg": In(stream.Signature(self.cfg_port.width)),
            "take": In(1),
            "busy": Out(1),
            "beat": Out(beat_layout(config)),
            "mask": Out(config.columns),
            "refused": Out(3),
            **more,
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        cfg = fields(self.cfg_port, self.cfg.payload)

        m.d.comb += self.refused.eq(self._refusal(cfg))
        accept = Signal()
        finish = Signal()
        m.d.comb += [
            finish.eq(self.take & self.beat.last & self.beat.job_last),
            self.cfg.ready.eq(~self.busy | finish),
            accept.eq(self.cfg.valid & self.cfg.ready & (self.refused == 0)),
        ]
        with m.If(accept):
            m.d.sync += self.busy.eq(1)
        with m.Elif(finish):
            m.d.sync += self.busy.eq(0)

        first = Signal()
        tile_end = self.take & self.beat.last
        with m.If(accept):
            m.d.sync += first.eq(1)
        with m.Elif(self.take):
            m.d.sync += first.eq(self.beat.last)
        m.d.comb += self.beat.first.eq(first)
        self._count_rows(m, cfg["m"], accept)
        for name in [name for name in cfg if name not in ("n", "m")]:
            held = Signal(len(cfg[name]), name=f"job_{name}", reset_less=True)
            with m.If(accept):
                m.d.sync += held.eq(cfg[name])
            m.d.comb += self.beat[name].eq(held)
        count = self._count_blocks if config.block_format else self._count_columns
        count(m, cfg["n"], accept, tile_end)
        return m

    def _count_rows(self, m: Module, rows: Value, accept: Value) -> None:
        """Rows of the tiles that are left; the last tile has those beyond the others."""
        config = self.config
        rows_left = Signal(config.m_bits, reset_less=True)
        with m.If(accept):
            m.d.sync += rows_left.eq(rows)
        with m.Elif(self.take), m.If(self.beat.last):
            m.d.sync += rows_left.eq(rows_left - config.keys)
        m.d.comb += [
            self.beat.job_last.eq(rows_left <= config.keys),
            self.beat.rows.eq(Mux(self.beat.job_last, rows_left, config.keys)),
        ]

    def _refusal(self, cfg: dict[str, Value]) -> Value:
        config = self.config
        code: Value = C(0, 3)
        if config.block_format:
            code = Mux(cfg["n"] % BLOCK != 0, 5, code)
        code = Mux(cfg["m"] > config.m_max, 4, code)
        code = Mux(cfg["m"] == 0, 3, code)
        code = Mux(cfg["n"] > config.n_max, 2, code)
        return Mux(cfg["n"] == 0, 1, code)

    def _count_columns(self, m: Module, n: Value, accept: Value, tile_end: Value) -> None:
        """Columns in natural order: a tile ends with the beat that reaches column n."""
        config = self.config
        columns = Signal(config.n_bits, reset_less=True)
        columns_left = Signal(config.n_bits, reset_less=True)
        m.d.comb += [
            self.beat.last.eq(columns_left <= config.columns),
            self.mask.eq(Cat(*(columns_left > column for column in range(config.columns)))),
        ]
        with m.If(accept):
            m.d.sync += [columns.eq(n), columns_left.eq(n)]
        with m.Elif(tile_end):
            m.d.sync += columns_left.eq(columns)
        with m.Elif(self.take):
            m.d.sync += columns_left.eq(columns_left - config.columns)

    def _count_blocks(self, m: Module, n: Value, accept: Value, tile_end: Value) -> None:
        """Blocks of 256 weights, each a fixed number of beats."""
        config = self.config
        blocks = Signal(config.n_bits - 8, reset_less=True)
        blocks_left = Signal(config.n_bits - 8, reset_less=True)
        beat = Signal(range(config.block_beats), name="block_beat", reset_less=True)
        block_end = Signal()
        m.d.comb += [
            block_end.eq(beat == config.block_beats - 1),
            self.beat.last.eq(block_end & (blocks_left == 1)),
            self.mask.eq(self._slots(beat)),
        ]
        with m.If(accept):
            m.d.sync += [blocks.eq(n >> 8), blocks_left.eq(n >> 8), beat.eq(0)]
        with m.Elif(self.take):
            m.d.sync += beat.eq(Mux(block_end, 0, beat + 1))
            with m.If(tile_end):
                m.d.sync += blocks_left.eq(blocks)
            with m.Elif(block_end):
                m.d.sync += blocks_left.eq(blocks_left - 1)

    def _slots(self, beat: Value) -> Value:
        """The slots of a block's beat that carry a weight: after `qs`, TQ1_0 has 4 bytes `qh`
        of 4 digits."""
        config = self.config
        every = (1 << config.columns) - 1
        if config.weight_format == "tq2_0":
            return C(every, config.columns)
        mask: Value = C(every, config.columns)
        size = config.columns // 5
        for number in range(config.digit_beats, config.block_beats):
            first_byte = (number - config.digit_beats) * size
            slots = sum(1 << 5 * byte + digit for byte in range(size) for digit in range(4)
                        if first_byte + byte < 4)
            mask = Mux(beat == number, C(slots, config.columns), mask)
        return mask
