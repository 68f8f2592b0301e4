"""The KV history buffer: streams, stages and their handshakes."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from pimlico.hdl.common.component import BlockComponent
from pimlico.hdl.common.parts import place

from .account import Account
from .address import Address
from .burst import Burst
from .config import EXCESS
from .packed import PackedStore
from .passes import Passes
from .status import Status
from .store import BypassStore, ThroughStore
from .validity import Validity
from .walk import Walk, beat_layout


class KvHistory(BlockComponent):
    """Gives every token's K/V row of a layer in order, a beat a cycle.

    Rows of executed tokens are streamed and stored, those of the others read; the memory has a
    single port. Two stages: a beat enters the memory stage in the cycle that takes its mask bit
    or its streamed beat, and moves from there to the output register. A stalled output holds
    both; ``valid`` never depends on ``ready`` of the same stream.

    Latency ``config.latency`` from mask bit or fresh beat to ``kv``; a pass takes
    ``config.pass_cycles`` from its start to its done.

    Parameters
    ----------
    config : KvConfig
        Its ``ports`` give the streams and their fields.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config

        def part(name, component):
            m.submodules[name] = place(platform, component)
            return component

        passes = part("passes", Passes(config))
        validity = part("validity", Validity(config))
        walk = part("walk", Walk(config))
        burst = part("burst", Burst())
        kind = PackedStore if config.quant_bits else BypassStore if config.bypass \
            else ThroughStore
        store = part("rows", kind(config))
        connect(m, flipped(self.start), passes.start)
        connect(m, flipped(self.reset), passes.reset)
        finished = Signal()
        m.d.sync += finished.eq(walk.enter & walk.beat.last)
        m.d.comb += [
            passes.finished.eq(finished),
            passes.taken.eq(self.done.valid & self.done.ready),
            validity.load.eq(passes.idle),
            validity.of.eq(self.start.payload),
            validity.anew.eq(passes.anew),
            validity.row.eq(walk.row),
            validity.next_row.eq(walk.next_row),
            validity.step.eq(walk.enter & walk.beat.ends & ~walk.tail),
            validity.ok.eq(~walk.beat.hole),
        ]
        self._sources(m, passes, validity, walk, burst)
        self._store(m, passes, walk, store, part)
        self._stages(m, passes, walk, burst, store)
        self._results(m, passes, walk, burst, part)
        return m

    def _sources(self, m: Module, passes: Passes, validity: Validity, walk: Walk,
                 burst: Burst) -> None:
        """The streams that rows and their mask bits come from."""
        m.d.comb += [
            walk.idle.eq(passes.idle),
            walk.go.eq(passes.accept),
            walk.n_tokens.eq(passes.n_tokens),
            walk.appends.eq(passes.appends),
            walk.only_new.eq(passes.only_new),
            walk.valid.eq(validity.valid),
            walk.burst_over.eq(burst.over),
            walk.mask_valid.eq(self.mask.valid),
            walk.mask_executed.eq(self.mask.payload),
            walk.fresh_valid.eq(self.fresh.valid),
            walk.calm.eq(~burst.dropping),
            self.mask.ready.eq(walk.take_mask),
            self.fresh.ready.eq(walk.take_fresh | burst.dropping),
            burst.load.eq(passes.idle),
            burst.take.eq(walk.take_fresh),
            burst.last.eq(self.fresh.payload[-1]),
            burst.offered.eq(self.fresh.valid),
            burst.finished.eq(passes.finished),
        ]
        if self.config.append:
            m.d.comb += [
                walk.append_valid.eq(self.append.valid),
                walk.append_executed.eq(self.append.payload[-1]),
                self.append.ready.eq(walk.take_append),
            ]

    def _store(self, m: Module, passes: Passes, walk: Walk, store: wiring.Component,
               part) -> None:
        address = part("address", Address(self.config))
        bits = self.config.beat_bits
        streamed: Value = self.fresh.payload[:bits]
        if self.config.append:
            streamed = Mux(walk.appended, self.append.payload[:bits], streamed)
        m.d.comb += [
            address.idle.eq(passes.idle), address.of.eq(self.start.payload),
            address.step.eq(walk.enter & ~walk.tail), address.ends.eq(walk.beat.ends),
            address.number.eq(walk.number), address.row.eq(walk.row),
            store.room.eq(walk.room), store.enter.eq(walk.enter),
            store.stream.eq(walk.stream), store.keep.eq(walk.keep), store.data.eq(streamed),
            store.bank.eq(address.bank), store.offset.eq(address.offset),
            store.phase.eq(address.phase),
            store.row.eq(address.row_number), store.first.eq(walk.first),
            store.ends.eq(walk.beat.ends), store.broken.eq(walk.broken),
        ]

    def _stages(self, m: Module, passes: Passes, walk: Walk, burst: Burst,
                store: wiring.Component) -> None:
        """The memory stage and the output register."""
        beat = beat_layout(self.config)
        memory_full = Signal()
        memory_beat = Signal(beat, reset_less=True)
        output_beat = Signal(beat, reset_less=True)
        free = Signal()
        move = Signal()
        m.d.comb += [
            free.eq(~self.kv.valid | self.kv.ready),
            move.eq(memory_full & free),
            walk.room.eq(~memory_full | free),
            store.load.eq(move),
            store.hole.eq(memory_beat.hole),
        ]
        m.d.sync += [memory_full.eq(walk.enter | memory_full & ~move),
                     self.kv.valid.eq(move | self.kv.valid & ~self.kv.ready)]
        with m.If(walk.enter):
            m.d.sync += memory_beat.eq(walk.beat)
        with m.If(move):
            m.d.sync += output_beat.eq(memory_beat)
        m.d.comb += self.kv.payload.eq(Cat(store.o, output_beat.fresh, output_beat.hole,
                                           output_beat.part, output_beat.last))
        if not self.config.bypass and self.config.beats > 1:
            self._wipe(m, walk, store)
        if self.config.quant_bits:
            begun = Signal()
            with m.If(passes.idle):
                m.d.sync += begun.eq(0)
            with m.Elif(walk.enter):
                m.d.sync += begun.eq(1)
            m.d.comb += walk.calm.eq(~burst.dropping & (begun | store.settled))
        m.d.sync += self.done.valid.eq(self.kv.valid & self.kv.ready & output_beat.last
                                       | self.done.valid & ~self.done.ready)

    def _wipe(self, m: Module, walk: Walk, store: wiring.Component) -> None:
        """Zeros of a hole: memory stage and output are cleared together, while the next beat
        of the hole enters; so they are there for the last one, and the beat after it is safe.

        Only a hole of one beat, the last of its row, has nothing to follow it (``alone``): it is
        cleared with an empty memory stage.
        """
        alone = Signal()
        m.d.comb += store.wipe.eq(store.load & (walk.hollow | alone))
        m.d.sync += alone.eq(walk.enter & walk.beat.hole & walk.beat.ends & ~store.wipe
                             | alone & ~store.load)
        with m.If(alone):
            m.d.comb += walk.room.eq(0)

    def _results(self, m: Module, passes: Passes, walk: Walk, burst: Burst, part) -> None:
        """Counters, done and status."""
        account = part("account", Account(self.config))
        status = part("errors", Status(self.config))
        whole = Signal()
        m.d.comb += [
            whole.eq(walk.enter & walk.beat.ends & ~walk.beat.hole),
            account.load.eq(passes.idle),
            account.fault.eq(status.code),
            account.fresh_row.eq(whole & walk.stream & ~walk.appended),
            account.held_row.eq(whole & ~walk.stream),
            account.mask_byte.eq(walk.take_mask & (walk.row[:3] == 0)),
            self.done.payload.eq(Cat(passes.of, passes.layer, account.code,
                                     account.fresh_rows, account.held_rows,
                                     account.offchip_bytes)),
            status.fault.eq(Mux(walk.fault != 0, walk.fault, Mux(burst.excess, EXCESS, 0))),
            status.of_row.eq(walk.fault != 0),
            status.row.eq(walk.row),
            status.refused.eq(passes.refused),
            status.clear.eq(self.status_clear),
            self.status.eq(status.status),
            self.status_row.eq(status.status_row),
        ]
