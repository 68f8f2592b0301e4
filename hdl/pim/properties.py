"""Formal properties of the PIM banks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from amaranth.hdl import Cat, Mux, Signal, Value

from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.properties import Harness, Property, stream_properties

from .column_turns import column_turns
from .config import PimConfig
from .decode import ON_SUMS
from .replies import READS
from .rules_kept import activations, columns, one_bank, one_kind, pim_buffer, refreshes
from .shadow import Carried, History, narrow, without_arithmetic

DEPTH = 16
"""Cycles in which a broken channel gets from reset to where it shows."""


def properties(config: BlockConfig) -> list[Property]:
    """What holds for PIM banks, each with the configuration it is proved for."""
    assert isinstance(config, PimConfig)
    small = narrow(config)
    found = [
        *(replace(each, build=_tied(each.build)) for each in stream_properties(small)),
        Property("refused-unseen",
                 "in a cycle that carries no command out, no row is opened or closed, no array, "
                 "global buffer or accumulator is written, nothing is asked of a reply, and "
                 "counters only count", small, _refused, depth=DEPTH),
        Property("bank-timing",
                 "no sequence of commands breaks tRCD, tRP, tRAS, tRC, tCCD, tWR, tWTR or tRTP of "
                 "an arbitrary bank, uses a row that is not open, or closes one in a burst",
                 small, one_bank, depth=DEPTH),
        Property("channel-timing",
                 "no sequence of commands breaks tRRD, tFAW, or the tCCD of RD and WR",
                 narrow(config, banks=4), activations, depth=DEPTH),
        Property("refresh",
                 "refresh comes with all rows closed, nothing is opened within tRFC after it or "
                 "later than tREFI, and a header's columns have time before the next",
                 small, refreshes, depth=DEPTH),
        Property("burst-columns",
                 "a burst of n columns has n turns, tCCD apart, column by column"
                 + (", those on sums as many a column as they take; no burst begins before these "
                    "have settled" if small.pq else ""),
                 small, columns, depth=DEPTH),
        Property("slots",
                 "an accumulator is read or written only with no column on its way to it, and "
                 "additions to it are as far apart as they take",
                 small, _slots, depth=DEPTH),
        Property("buffer-written",
                 "MAC multiplies by columns of the global buffer that were written",
                 small, _written, depth=DEPTH),
        Property("replies-kept",
                 "every RD and ACC_RD gives one beat: none is lost for want of room",
                 small, _replies, depth=DEPTH),
    ]
    if small.dual_row_buffer:
        found += [
            Property("pim-timing",
                     "the same as bank-timing for the PIM row buffer, and no bank has one row in "
                     "both buffers", small, pim_buffer, depth=DEPTH),
        ]
    return found


def _tied(build: Callable[[Harness], None]) -> Callable[[Harness], None]:
    """The same without arithmetic, with what ties the waiting replies to their count."""
    def tied(h: Harness) -> None:
        without_arithmetic(h)
        _count_replies(h)
        build(h)
    return tied


def _count_replies(h: Harness) -> None:
    inside = h.dut.inside
    level, count = inside("reads.waiting.level"), inside("reads.columns_under_way")
    flying = sum(inside(f"reads.{stage}_asked") for stage in ("access", "word", "operands"))
    produce, consume = inside("reads.waiting.produce"), inside("reads.waiting.consume")
    h.require(count == level + flying, "columns on their way to rdata")
    h.require(count <= READS, "room for them")
    h.require(produce == (consume + level)[:len(produce)], "their queue")
    skid = h.dut.component.result.valid + inside("results.waiting.spare_full")
    h.require(inside("results.results_under_way") == skid + inside("results.access_asked"),
              "results on their way")
    h.require(inside("results.results_under_way") <= 2, "room for results")
    h.require(~inside("results.waiting.spare_full") | h.dut.component.result.valid,
              "the spare register fills last")


def _replies(h: Harness) -> None:
    inside = h.dut.inside
    Carried(h)
    _count_replies(h)
    h.require(~inside("reads.operands_asked") | (inside("reads.waiting.level") < READS),
              "a column finds a place")
    h.require(~inside("results.access_asked") | ~inside("results.waiting.spare_full"),
              "a result finds a place")


def _refused(h: Harness) -> None:
    inside, config = h.dut.inside, h.config
    now = Carried(h)
    idle = h.past(~now.accept)
    kept = [inside("checker.refresh.columns_announced"),
            *(inside(f"buffer.filled_{number}") for number in range(config.reuse))]
    effects: list[Value] = [inside("access_loads"), inside("buffer.access_writes"),
                            inside("reads.access_asked"), inside("results.access_asked")]
    for number in range(config.banks):
        buffers = ["ordinary", *(["pim"] if config.dual_row_buffer else [])]
        kept += [inside(f"checker.bank_{number}.{name}.{what}")
                 for name in buffers for what in ("open", "row")]
        writes = inside(f"bank_{number}.access_writes")
        if config.pq:  # a burst that began earlier may write
            writes = writes & ~inside(f"bank_{number}.access_stores")
        effects.append(writes)
    for register in kept:
        h.require(~idle | (register == h.past(register)), f"{register.name} is as it was")
    h.require(~idle | (Cat(effects) == 0), "no effect")
    left = inside("burst.columns_left")
    came = now.turn.mac | now.turn.copy
    if config.pq:
        one_kind(h)
        on_sums = Cat(now.turn[kind] for kind in ON_SUMS).any()
        last = Cat(now.turn[kind] & (now.turn.sub == count - 1)
                   for kind, count in column_turns(config).items()).any()
        h.require(now.accept | ~(came | on_sums) | (left != 0), "no turn of its own")
        came = came | (on_sums & last)
    came = h.past(came)
    h.require(~idle | (left == h.past(left) - Mux(came, 1, 0)), "a burst goes on as it did")
    due = inside("checker.refresh.cycles_left")
    before = h.past(due)
    h.require(~idle | (due == Mux(before == 0, 0, before - 1)), "refresh comes nearer")


def _slots(h: Harness) -> None:
    now, config = Carried(h), h.config
    slot = h.constant(config.slot_field, "some_slot")
    h.assume(slot < config.acc_slots)
    comes = now.turn.mac & (now.turn.slot == slot)
    history = History(h, "columns", comes, config.column_latency)
    h.require(~(now.does("acc_write", "acc_read") & (now.command.slot == slot))
              | ~history.within(config.column_latency), "no column is on its way")
    h.require(~comes | ~history.within(config.acc_latency), "additions do not meet")


def _written(h: Harness) -> None:
    now, config = Carried(h), h.config
    vector, col = h.constant(config.slot_field, "some_vector"), h.constant(
        config.row_field, "some_column")
    h.assume((vector < config.reuse) & (col < config.gb_cols))
    command = now.command
    covers = (command.row <= col) & (col < command.gb_end)
    written = Signal()
    writes = (command.slot == vector) & (
        (now.does("gb_write") & (command.col == col)) | (now.does("copy") & covers))
    with h.m.If(writes):
        h.m.d.sync += written.eq(1)
    multiplies = now.does("mac") & ~command.bin_mac if config.pq else now.does("mac")
    builds = now.does("build") & (command.row == col) if config.pq else Value.cast(0)
    h.require(~((multiplies & covers) | builds) | written, "a column that was written")
    for number in range(config.reuse):
        filled = h.dut.inside(f"buffer.filled_{number}")
        h.require((vector != number) | (written == (col < filled)), "as far as it is filled")
    h.require(~h.dut.inside("checked_valid")
              | (command.gb_end == command.row + command.n), "the end of a burst")
    bursts = command.copy | (command.mac & ~command.bin_mac if config.pq else command.mac)
    h.require(~h.dut.inside("checked_valid") | ~bursts
              | (command.gb_end <= config.gb_cols) | command.col_overrun, "in the buffer")
    h.require(~h.dut.inside("checked_valid") | ~command.gb_write
              | (command.col < config.gb_cols) | command.col_overrun, "a column of the buffer")
