"""The timing rules as properties: stated on what was carried out, whatever the checker does."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Mux, Signal, Value

from pimlico.hdl.common.properties import Harness

from .column_turns import column_turns
from .config import PimConfig
from .decode import ON_SUMS
from .shadow import Carried, History

STORES = ("store",)
"""Kinds of bursts that write the ordinary row buffer."""


def one_bank(h: Harness) -> None:
    """The rules of an arbitrary bank's ordinary row buffer."""
    now, config, t = Carried(h), h.config, h.config.timing
    bank = _some_bank(h)
    bursts, stores = _copies(config), STORES if config.pq else ()
    if not config.dual_row_buffer:
        bursts += _multiplies(config)
    act = now.at(bank, "activate")
    pre = now.at(bank, "precharge", "precharge_all")
    write, read = now.at(bank, "write", *stores), now.at(bank, "read")
    turn, store_turn = now.turns(bank, *bursts), now.turns(bank, *stores)
    starts = now.at(bank, *bursts)
    since_act = History(h, "act", act, max(t.trc, t.trcd_rd, t.trcd_wr, t.trcd_mac))
    since_pre = History(h, "pre", pre, t.trp)
    since_write = History(h, "write", write | store_turn, max(t.twr, t.twtr))
    since_read = History(h, "read", read | turn, t.trtp)
    since_column = History(h, "column", read | write | turn | store_turn, t.tccd_l)
    refresh = now.does("refresh")
    for event, history, least, text in (
            (read, since_act, t.trcd_rd, "tRCD, read"),
            (write, since_act, t.trcd_wr, "tRCD, write"),
            (starts, since_act, t.trcd_mac, "tRCD, burst"),
            (act | refresh, since_pre, t.trp, "tRP"), (act | refresh, since_act, t.trc, "tRC"),
            (pre, since_act, t.tras, "tRAS"), (pre, since_write, t.twr, "tWR"),
            (pre, since_read, t.trtp, "tRTP"),
            (read | starts, since_write, t.twtr, "tWTR"),
            (read | write | starts, since_column, t.tccd_l, "tCCD long")):
        h.require(~event | ~history.within(least), text)
    is_open = _follow(h, act, pre)
    for number in range(config.banks):
        h.require((bank != number)
                  | (h.dut.inside(f"checker.bank_{number}.ordinary.open") == is_open), "open")
    h.require(~(read | write | starts | pre) | is_open, "the row is open")
    h.require(~(act | refresh) | ~is_open, "no row is open")
    running = now.running(*bursts, *stores)
    in_burst = running & now.runs.mask.bit_select(bank, 1)
    h.require(~in_burst | is_open, "a burst has its row")
    h.require(~(turn | store_turn) | is_open, "a turn has its row")


def pim_buffer(h: Harness) -> None:
    """The rules of an arbitrary bank's PIM row buffer, and no row in both."""
    now, config, t = Carried(h), h.config, h.config.timing
    bank = _some_bank(h)
    act, pre = now.at(bank, "pim_activate"), now.at(bank, "pim_precharge")
    bursts = _multiplies(config)
    starts, turn = now.at(bank, *bursts), now.turns(bank, *bursts)
    since_act = History(h, "pim_act", act, max(t.trc, t.trcd_mac))
    since_pre = History(h, "pim_pre", pre, t.trp)
    since_read = History(h, "pim_read", turn, t.trtp)
    refresh = now.does("refresh")
    for event, history, least, text in (
            (starts, since_act, t.trcd_mac, "tRCD"), (act | refresh, since_pre, t.trp, "tRP"),
            (act | refresh, since_act, t.trc, "tRC"), (pre, since_act, t.tras, "tRAS"),
            (pre, since_read, t.trtp, "tRTP")):
        h.require(~event | ~history.within(least), text)
    is_open = _follow(h, act, pre)
    h.require(~(starts | pre | turn) | is_open, "the row is open")
    h.require(~(act | refresh) | ~is_open, "no row is open")
    h.require(~(now.running(*bursts) & now.runs.mask.bit_select(bank, 1)) | is_open,
              "a burst has its row")
    for number in range(config.banks):
        path = f"checker.bank_{number}"
        opens = [h.dut.inside(f"{path}.{name}.open") for name in ("ordinary", "pim")]
        rows = [h.dut.inside(f"{path}.{name}.row") for name in ("ordinary", "pim")]
        h.require((bank != number) | (opens[1] == is_open), "open")
        h.require(~(opens[0] & opens[1]) | (rows[0] != rows[1]), "no row in both buffers")


def activations(h: Harness) -> None:
    """tRRD, tFAW, and the tCCD between RD and WR of any banks."""
    now, config, t = Carried(h), h.config, h.config.timing
    act = now.does("activate", "pim_activate")
    h.require(~act | ~History(h, "any_act", act, t.trrd_s).within(t.trrd_s), "tRRD short")
    access = now.does("read", "write")
    h.require(~access | ~History(h, "any_access", access, t.tccd_s).within(t.tccd_s),
              "tCCD short")
    size = config.group_banks
    for group in range(config.bank_groups):
        here = now.command.mask[group * size:(group + 1) * size].any()
        for event, least, text in ((act & here, t.trrd_l, "tRRD long"),
                                   (access & here, t.tccd_l, "tCCD long")):
            past = History(h, f"{text.replace(' ', '_')}_{group}", event, least)
            h.require(~event | ~past.within(least), text)
    # how many banks each of the last cycles has opened, four standing for more
    counted = act & now.command.counted
    opened = Mux(counted, now.command.others + Const(1, 3), 0)
    window = [Signal(3, name=f"opened_{age}") for age in range(1, t.tfaw)]
    h.m.d.sync += [register.eq(value)
                   for register, value in zip(window, [opened, *window], strict=False)]
    h.require(~counted | (sum(window, opened) <= 4), "tFAW")
    banks = sum((now.command.mask[number] for number in range(1, config.banks)),
                now.command.mask[0])
    h.require(~h.dut.inside("checked_valid") | (banks == 0) | (now.command.others + 1 == banks),
              "banks are counted")


def refreshes(h: Harness) -> None:
    """Refresh and headers."""
    now, t = Carried(h), h.config.timing
    inside = h.dut.inside
    refresh, act = now.does("refresh"), now.does("activate", "pim_activate")
    past = History(h, "refresh", refresh, t.trfc)
    h.require(~(refresh | act) | ~past.within(t.trfc), "tRFC")
    age = Signal(range(t.trefi + 1), name="cycles_since_refresh")
    with h.m.If(refresh):
        h.m.d.sync += age.eq(1)
    with h.m.Elif(age != t.trefi):
        h.m.d.sync += age.eq(age + 1)
    h.require(~act | (age < t.trefi), "tREFI")
    left = inside("checker.refresh.cycles_left")
    h.require(left + age == t.trefi, "cycles are counted")
    h.require(inside("checker.refresh.due") == (left == 0), "refresh is due")
    announced = Signal.like(now.command.n, name="announced")
    with h.m.If(now.does("header")):
        h.m.d.sync += announced.eq(now.command.n)
    with h.m.Elif(now.does("mac") & (announced != 0)):
        h.m.d.sync += announced.eq(announced - now.command.n)
    h.require(announced == inside("checker.refresh.columns_announced"), "columns are counted")
    h.require(~now.does("header") | (now.command.n * t.tccd_mac + age <= t.trefi),
              "there is time for what is announced")
    h.require(~inside("checked_valid")
              | (now.command.header_cycles == now.command.n * t.tccd_mac), "its cycles")
    h.require(~inside("checked_valid") | ~now.command.header | (now.command.n != 0)
              | now.command.index_range, "a header has columns")
    h.require(~inside("checked_valid") | ~now.command.header | now.command.index_range
              | (now.command.header_late == (now.command.header_cycles > left)), "they fit or not")
    h.require(~(now.does("header", "refresh")) | (announced == 0), "all announced have come")
    h.require(~(now.does("mac") & (announced != 0)) | (now.command.n <= announced),
              "no more than announced")


def columns(h: Harness) -> None:
    """A burst's turns."""
    now, config, t = Carried(h), h.config, h.config.timing
    kinds = ("mac", "copy", *(ON_SUMS if config.pq else ()))
    starts, turn = now.does(*kinds), Cat(now.turn[kind] for kind in kinds).any()
    ends, next_column, next_buffer = _several_turns(h, now, starts) if config.pq else (1, 1, 1)
    left = Signal.like(now.command.n, name="columns_to_come")
    longest = max(t.tccd_mac, config.turn_gap("bin")) if config.pq else t.tccd_mac
    wait = Signal(range(longest), name="cycles_to_wait") if longest > 1 else Const(0, 1)
    next_col, next_gb = Signal.like(now.turn.col), Signal.like(now.turn.gb_col)
    with h.m.If(starts):
        h.m.d.sync += left.eq(now.command.n - ends)
    with h.m.Elif(turn):
        h.m.d.sync += left.eq(left - ends)
    if longest > 1:
        with h.m.If(turn):
            h.m.d.sync += wait.eq(_gap(h, now, ends, left, starts) - 1 if config.pq
                                  else t.tccd_mac - 1)
        with h.m.Elif(wait != 0):
            h.m.d.sync += wait.eq(wait - 1)
        h.require(wait == h.dut.inside("burst.cycles_to_turn"), "its wait")
    with h.m.If(turn):
        h.m.d.sync += [next_col.eq(now.turn.col + next_column),
                       next_gb.eq(now.turn.gb_col + next_buffer)]
    h.require(left == h.dut.inside("burst.columns_left"), "columns left")
    h.require(turn == (starts | ((left != 0) & (wait == 0))), "a turn when it is due")
    h.require(~starts | ((left == 0) & (wait == 0)), "a burst begins after the one before")
    h.require(~starts | (now.command.n != 0), "a burst has columns")
    h.require(~h.dut.inside("checked_valid") | ~Cat(now.command[kind] for kind in kinds).any()
              | now.command.index_range | (now.command.n != 0), "a count")
    going = turn & ~starts
    h.require(~going | ((now.turn.col == next_col) & (now.turn.gb_col == next_gb)),
              "column by column")
    h.require((left == 0) | ((now.runs.col == next_col) & (now.runs.gb_col == next_gb)),
              "the next column")


def _several_turns(h: Harness, now: Carried, starts: Value) -> tuple[Value, Value, Value]:
    """Of bursts on sums: whether a turn is its column's last, whether the next turn is of another
    column of the row, and of the buffer; and that nothing else begins before they are over."""
    config, turn = h.config, now.turn
    kinds = ("mac", "copy", "bin_mac", *ON_SUMS)
    flags = Signal(len(kinds), name="kind_of_burst")
    with h.m.If(starts):
        h.m.d.sync += flags.eq(Cat(now.command[kind] for kind in kinds))
    mine = Cat(turn[kind] for kind in kinds)
    h.require(~mine.any() | (mine == Mux(starts, Cat(now.command[kind] for kind in kinds), flags)),
              "turns are of the burst's kind")
    on_sums = Cat(turn[kind] for kind in ON_SUMS).any()
    history = History(h, "turn_on_sums", on_sums, config.pq_settles + 1)
    h.require(~starts | ~history.within(config.pq_settles + 1), "sums are settled")
    settling = h.dut.inside("burst.settling")
    running = Cat(h.dut.inside(f"burst.is_{kind}") for kind in ON_SUMS).any()
    for age in range(1, config.pq_settles + 1):
        h.require(~history.at(age) | (running & (settling > config.pq_settles - age)),
                  "as long as that is awaited")
    number = Signal.like(turn.sub, name="number_of_turn")
    last = Cat(turn[kind] & (number == count - 1)
               for kind, count in column_turns(config).items()).any()
    ends = Signal(name="column_ends")
    h.m.d.comb += ends.eq(~on_sums | last)
    with h.m.If(mine.any()):
        h.m.d.sync += number.eq(Mux(ends, 0, number + 1))
    h.require(turn.sub == number, "turn by turn")
    one_kind(h)
    left = h.dut.inside("burst.columns_left")
    h.require((left != 0) | (number == 0), "a burst begins with a column's first turn")
    h.require((left == 0) | (Cat(h.dut.inside(f"burst.is_{kind}") for kind in kinds[1:])
                             == flags[1:]), "the kind of the burst")
    elements = (number & (config.lanes - 1)) == config.lanes - 1
    return ends, Mux(turn.bin, elements, ends), ends & ~turn.build


def _gap(h: Harness, now: Carried, ends: Value, left: Value, starts: Value) -> Value:
    """Cycles to the next turn; to that of the next burst, tCCD but after PQ_CONFIG."""
    config = h.config
    last = ends & (Mux(starts, now.command.n, left) == 1)
    gap: Value = Const(config.timing.tccd_mac)
    for kind in column_turns(config):
        own = now.turn[kind] & (~last | (kind == "prepare"))
        gap = Mux(own, config.turn_gap(kind), gap)
    return gap


def one_kind(h: Harness) -> None:
    """A burst is of one kind: its flags are those of a command."""
    flags = [h.dut.inside("burst.is_copy"),
             *(h.dut.inside(f"burst.is_{kind}") for kind in (*ON_SUMS, "bin_mac"))]
    for number, flag in enumerate(flags):
        h.require(~flag | ~Cat(flags[:number]).any(), "one kind of burst")


def _copies(config: PimConfig) -> tuple[str, ...]:
    """Kinds of bursts that read the ordinary row buffer."""
    return ("copy", "load") if config.pq else ("copy",)


def _multiplies(config: PimConfig) -> tuple[str, ...]:
    """Kinds of bursts that read the row that MAC uses."""
    return ("mac", "build", "lookup", "bin") if config.pq else ("mac",)


def _some_bank(h: Harness) -> Value:
    bank = h.constant(h.config.bank_field, "some_bank")
    h.assume(bank < h.config.banks)
    return bank


def _follow(h: Harness, opens: Value, closes: Value) -> Signal:
    """Whether a row is open, by what was carried out."""
    is_open = Signal(name="row_is_open")
    with h.m.If(opens):
        h.m.d.sync += is_open.eq(1)
    with h.m.Elif(closes):
        h.m.d.sync += is_open.eq(0)
    return is_open
