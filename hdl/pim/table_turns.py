"""The turns of bursts on sums, as they go through the stages that all banks have in common."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .burst import turn_layout
from .column_turns import longest_column
from .config import PimConfig
from .decode import ON_SUMS
from .pipeline import delayed


def table_layout(config: PimConfig) -> data.StructLayout:
    """What the turns in the stages ask of the banks, stage by stage.

    access: ``fetch`` a column of the operand buffer. word: ``looks_up`` the index ``sub`` of it,
    in the ``table``-th table, or ``reads`` column ``col`` of elements; ``segment``: the lanes of a
    column that count. lookup: ``loads`` a column into the operand buffer; ``multiplies`` by one.
    operands: ``adds`` to the sum at ``address``, or if ``bins``, at an index, an element in
    ``lane``, or ``clears`` it. addend: ``gathers`` the sum, and ``rounds`` it; ``stores`` the
    column of sums. gathered: ``refills`` the operand buffer with it. products: a product is to be
    set as the sum at ``set_address``.
    """
    buffer, sums = range(config.operand_cols), range(config.row_sums)
    return data.StructLayout({
        "fetch": 1, "fetch_col": buffer,
        "looks_up": 1, "reads": 1, "sub": range(longest_column(config)),
        "table": range(config.row_tables), "col": range(config.cols), "segment": config.lanes,
        "loads": 1, "load_col": buffer, "multiplies": 1,
        "adds": 1, "bins": 1, "clears": 1, "lane": range(config.lanes), "address": sums,
        "gathers": 1, "rounds": 1, "stores": 1, "store_col": range(config.cols),
        "refills": 1, "refill_col": buffer,
        "set_address": sums,
    })


class TableTurns(wiring.Component):
    """Delays turns by the stages from the turn (0) to access (1), word, lookup, fetched, operands,
    addend and gathered (7).

    No two bursts are in these stages at once, so that a bank knows by the mask of the burst that
    is begun last which turns are its own.

    Attributes
    ----------
    turn : In
        See `burst.Burst`.
    stages : Out
        See `table_layout`.
    """

    part_name = "table_turns"

    def __init__(self, config: PimConfig):
        self.config = config
        super().__init__({"turn": In(turn_layout(config)), "stages": Out(table_layout(config))})

    def elaborate(self, platform):
        m = Module()
        config, turn, out = self.config, self.turn, self.stages
        last = Signal(name="turn_ends")
        m.d.comb += last.eq(
            (turn.store & (turn.sub == config.column_sums - 1))
            | (turn.prepare & (turn.sub == config.lanes - 1)))
        kinds = (*ON_SUMS, "bin_mac")
        flags: list[Value] = [Cat(*(turn[kind] for kind in kinds), last)]
        places: list[Value] = [Cat(turn.slot, turn.col, turn.gb_col, turn.sub)]
        for stage in ("access", "word", "lookup", "fetched", "operands", "addend", "gathered"):
            flags.append(delayed(m, flags[-1], 1, f"{stage}_kind", control=True))
            places.append(delayed(m, places[-1], 1, f"{stage}_place"))

        def at(stage: int, kind: str) -> Value:
            return flags[stage][(*kinds, "last").index(kind)]

        def place(stage: int, name: str) -> Value:
            names = ("slot", "col", "gb_col", "sub")
            start = sum(len(turn[each]) for each in names[:names.index(name)])
            return places[stage][start:start + len(turn[name])]

        sub, centroids = place(2, "sub"), config.column_centroids
        addresses = [self._address(m, lambda kind: at(2, kind), lambda name: place(2, name))]
        for number in range(1 + config.dot_latency):
            addresses.append(delayed(m, addresses[-1], 1, f"address_{number}"))
        lane = delayed(m, sub[:_bits(config.lanes)], 3, "lane")
        m.d.comb += [
            out.fetch.eq(at(1, "lookup") | at(1, "bin") | at(1, "bin_mac")),
            out.fetch_col.eq(place(1, "gb_col")),
            out.looks_up.eq(at(2, "lookup")), out.sub.eq(sub),
            out.reads.eq(at(2, "bin") & (sub[:_bits(config.lanes)] == 0)),
            out.table.eq(place(2, "slot")), out.col.eq(place(2, "col")),
            out.segment.eq(Cat((~at(2, "build") | (sub == number)).replicate(config.segment)
                               for number in range(centroids))),
            out.loads.eq(at(3, "load")), out.load_col.eq(place(3, "gb_col")),
            out.multiplies.eq(at(3, "bin_mac")),
            out.adds.eq(at(5, "lookup") | at(5, "bin")), out.bins.eq(at(5, "bin")),
            out.clears.eq(at(5, "prepare") & ~place(5, "slot")[0]),
            out.lane.eq(lane), out.address.eq(addresses[3]),
            out.gathers.eq(at(6, "store") | at(6, "prepare")), out.rounds.eq(at(6, "prepare")),
            out.stores.eq(at(6, "store") & at(6, "last")), out.store_col.eq(place(6, "col")),
            out.refills.eq(at(7, "prepare") & at(7, "last") & place(7, "slot")[0]),
            out.refill_col.eq(place(7, "gb_col")), out.set_address.eq(addresses[-1])]
        return m

    def _address(self, m, at, place) -> Value:
        """The sum that a turn is of, in stage word; of BIN_ADD the index tells."""
        config = self.config
        sub, col, gb_col = place("sub"), place("col"), place("gb_col")
        bits = _bits(config.row_sums)
        address = Signal(bits, name="sum_address")
        m.d.comb += address.eq(Cat(sub[:_bits(config.column_indices)], col))
        for kind, value in (
                ("build", Cat(sub[:_bits(config.column_centroids)], col[:_bits(config.cols)],
                              place("slot"))),
                ("prepare", Cat(sub[:_bits(config.lanes)], gb_col)),
                ("store", Cat(sub[:_bits(config.column_sums)], gb_col))):
            with m.If(at(kind)):
                m.d.comb += address.eq(value)
        return address


def _bits(numbers: int) -> int:
    """Bits that number so many, which are a power of two."""
    return (numbers - 1).bit_length()
