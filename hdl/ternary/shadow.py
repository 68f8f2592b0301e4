"""What the properties of the ternary core are stated with: a job's own count, and the stages."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Mux, Signal, Value
from amaranth.lib import data

from pimlico.hdl.common.component import fields
from pimlico.hdl.common.properties import Harness, Placed

from .beat import beat_layout
from .config import BLOCK, TernaryConfig

INDEX_BITS = 8
"""Of the number of a beat, tile or result. It wraps; what is in flight at once is far fewer."""


class JobCount:
    """What the handshakes of `cfg` and `a` say of the job: counts up, where the core counts down.

    With a serial build the activations come for all row tiles at once, as for a single one.

    Attributes
    ----------
    legal, code : Value
        Of the cfg that is offered.
    accept, take : Value
        A legal cfg, an activation beat is taken.
    active : Signal
        A job runs.
    last, job_last, rows, used : Value
        Of the beat that comes next; `used` marks its columns that carry a weight.
    fields : dict of Signal
        What else the job's cfg says, its tag for one.
    """

    def __init__(self, h: Harness, config: TernaryConfig):
        m, core = h.m, h.dut.component
        self.config = config
        cfg = fields(config.port("cfg"), core.cfg.payload)
        self.code = refusal_code(config, cfg["n"], cfg["m"])
        self.legal = self.code == 0
        self.accept = core.cfg.valid & core.cfg.ready & self.legal
        self.take = core.a.valid & core.a.ready

        self.active = Signal(name="job_active")
        self.n = Signal(config.n_bits, name="job_n")
        self.m = Signal(config.m_bits, name="job_m")
        self.fields = {name: Signal(len(value), name=f"job_{name}")
                       for name, value in cfg.items() if name not in ("n", "m")}
        self.beats = Signal(range(config.tile_beats(config.n_max) + 1), name="tile_beats")
        self.rows_before = Signal(config.m_bits + 1, name="rows_before")
        self.last = (self.beats + 1) * config.columns >= self.n
        if config.block_format:
            self.last = self.beats + 1 == (self.n >> 8) * config.block_beats
        self.job_last = C(1, 1) if config.serial else self.rows_before + config.keys >= self.m
        self.rows = Mux(self.job_last, self.m - self.rows_before, config.keys)[:config.rows_bits]
        self.finish = self.take & self.last & self.job_last

        self.used = Cat(*(self._is_used(column) for column in range(config.columns)))

        with m.If(self.take):
            m.d.sync += self.beats.eq(Mux(self.last, 0, self.beats + 1))
            with m.If(self.last & ~self.job_last):
                m.d.sync += self.rows_before.eq(self.rows_before + config.keys)
        with m.If(self.finish):
            m.d.sync += self.active.eq(0)
        with m.If(self.accept):
            m.d.sync += [self.active.eq(1), self.n.eq(cfg["n"]), self.m.eq(cfg["m"]),
                         self.beats.eq(0), self.rows_before.eq(0)]
            m.d.sync += [held.eq(cfg[name]) for name, held in self.fields.items()]
        self._tie(h)

    def _is_used(self, column: int) -> Value:
        config = self.config
        if not config.block_format:
            return self.beats * config.columns + column < self.n
        if config.weight_format == "tq2_0":
            return C(1, 1)
        # A block is 48 bytes of five digits, then 4 bytes of four
        byte = (self.beats % config.block_beats * config.columns + column) // 5
        return (byte < 48) | ((byte < 52) & (column % 5 < 4))

    def _tie(self, h: Harness) -> None:
        """The invariants that tie these counts to the sequencer's."""
        config = self.config

        def inside(name: str) -> Signal:
            return h.dut.inside(f"sequencer.{name}")

        tied = [
            refusal_code(config, self.n, self.m) == 0,
            self.rows_before < self.m,
            inside("first") == (self.beats == 0),
            inside("job_m" if config.serial else "rows_left") == self.m - self.rows_before,
            *(inside(f"job_{name}") == held for name, held in self.fields.items()),
        ]
        if config.block_format:
            beat, left = inside("block_beat"), inside("blocks_left")
            tied += [inside("blocks") == self.n >> 8, left > 0, left <= self.n >> 8,
                     beat < config.block_beats,
                     self.beats == ((self.n >> 8) - left) * config.block_beats + beat]
        else:
            tied += [inside("columns") == self.n, self.beats * config.columns < self.n,
                     inside("columns_left") == self.n - self.beats * config.columns]
        h.require(inside("busy") == self.active, "the sequencer is busy during jobs")
        h.require(~self.active | Cat(*tied).all(), "the sequencer's counts are the job's")


def refusal_code(config: TernaryConfig, n: Value, m: Value) -> Value:
    """The status code of a cfg: the first rule that it breaks, 0 if none."""
    rules = [(n == 0, 1), (n > config.n_max, 2), (m == 0, 3), (m > config.m_max, 4)]
    if config.block_format:
        rules.append((n % BLOCK != 0, 5))
    code: Value = C(0, 3)
    for broken, number in reversed(rules):
        code = Mux(broken, number, code)
    return code


class Stages:
    """The core's stages, from the table to the output register.

    Attributes
    ----------
    beats : list of tuple
        Full flag and beat of the table, of each register stage of the reduction, and of the
        partial sum.
    tiles : list of tuple
        The same of the accumulators and, to rescale, of scale and result.
    fetch, advance, step : Signal
        The table's beat, the reduction's beats, the partial sum's beat moves on.
    leave : list of Value
        The tile in each of `tiles` moves on if there is one.
    """

    def __init__(self, dut: Placed, config: TernaryConfig):
        layout = beat_layout(config)

        def stage(name: str) -> tuple[Value, data.View]:
            return dut.inside(f"{name}_full"), data.View(layout, dut.inside(f"{name}_beat"))

        names = ["table", *(f"reduce_{i}" for i in range(config.pipeline)), "partial"]
        self.beats = [stage(name) for name in names]
        self.tiles = [stage("acc")]
        o = dut.component.o
        self.leave: list[Value] = [o.ready]
        if config.out != "raw":
            self.tiles += [stage("results.scale"), stage("results.result")]
            room = ~self.tiles[2][0] | o.ready
            self.leave = [~self.tiles[1][0] | room, room, o.ready]
        self.fetch, self.advance, self.step = map(dut.inside, ("fetch", "advance", "step"))

    def tiles_from(self, position: int) -> Value:
        """Row tiles that are complete in the stages from `position` on."""
        ends = [full & beat.last for full, beat in self.beats] + [full for full, _ in self.tiles]
        return add(ends[position:])


def add(flags: list[Value]) -> Value:
    """Number of flags that are high, `INDEX_BITS` wide."""
    return sum(flags, start=C(0, INDEX_BITS))[:INDEX_BITS]
