"""What each beat of a pass is and where it comes from: streamed, held or a hole."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .config import CODE_BITS, HOLE, SHORTAGE, KvConfig, count, parts


def beat_layout(config: KvConfig) -> data.StructLayout:
    """What is known of a beat beside its data: source, place in the row, end of the pass."""
    return data.StructLayout({"fresh": 1, "hole": 1, "part": 2, "ends": 1, "last": 1})


class Walk(wiring.Component):
    """Walks the rows of a pass in order, a beat a cycle.

    The first beat of a row takes the row's mask bit, of the mask stream or, for the new token,
    of the append stream. Beats of an executed row each take a streamed beat, of fresh or
    append; once the burst on fresh has ended they are missing. Rows that the buffer has no
    place for (``tail``) are streamed whatever their mask bit says.

    ``busy``: from the cycle after ``go``, which begins a pass, to its last beat. ``idle``: no
    pass runs, and one that begins has the new token alone if ``only_new``. ``room``: a beat may
    enter the memory stage in this cycle; ``calm``: nothing else holds it back; ``enter``: one
    does, with a streamed beat (``take``), which is stored too (``keep``), or without.
    ``burst_over``: the burst of this pass has ended. ``valid``: the row holds something.
    ``hollow``: the beat that entered last is one of a hole, and the row goes on.

    Parameters
    ----------
    config : KvConfig
    """

    part_name = "walk"

    def __init__(self, config: KvConfig):
        self.config = config
        super().__init__({
            "idle": In(1), "go": In(1), "n_tokens": In(config.row_bits), "appends": In(1),
            "only_new": In(1),
            "room": In(1), "calm": In(1), "valid": In(1), "burst_over": In(1),
            "mask_valid": In(1), "mask_executed": In(1), "fresh_valid": In(1),
            "append_valid": In(1), "append_executed": In(1),
            "take_mask": Out(1), "take_fresh": Out(1), "take_append": Out(1),
            "busy": Out(1), "enter": Out(1), "row": Out(config.row_bits),
            "next_row": Out(config.row_bits), "number": Out(count(config.beats)),
            "beat": Out(beat_layout(config)), "first": Out(1),
            "stream": Out(1), "take": Out(1), "keep": Out(1), "appended": Out(1), "tail": Out(1),
            "broken": Out(1), "hollow": Out(1), "fault": Out(CODE_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        self._count(m)
        wanted = Signal()  # the row's beat before was streamed, so this one is to be
        hollow = Signal(reset_less=True, name="hollow_row")  # it is a hole by now
        known = Signal()
        executed = Signal()
        over = Signal()
        m.d.comb += [
            known.eq(~self.first | Mux(self.appended, self.append_valid, self.mask_valid)),
            executed.eq(Mux(self.first, self.tail | Mux(self.appended, self.append_executed,
                                                        self.mask_executed), wanted)),
            over.eq(self.burst_over & ~self.appended),
            self.stream.eq(executed & ~over),
            self.beat.fresh.eq(self.stream),
            self.beat.hole.eq(Mux(executed, over, Mux(self.first, ~self.valid, hollow))),
            self.broken.eq(executed & over & ~self.first),
            self.hollow.eq(hollow & ~self.first & ~wanted),
        ]

        # kept as they are by synthesis, each a gate from the one before: the memory's write
        # enable is two gates from its registers
        due = Signal(attrs={"keep": 1})
        open_ = Signal(name="open")
        take = Signal(attrs={"keep": 1}, name="takes")
        passes_by = Signal()
        m.d.comb += [
            due.eq(known & executed),
            open_.eq(self.busy & self.calm & ~over),
            self.take.eq(take),
            take.eq(self.room & due & open_
                    & Mux(self.appended, self.append_valid, self.fresh_valid)),
            passes_by.eq(self.room & self.busy & self.calm & known & ~self.stream),
            self.enter.eq(take | passes_by),
            self.keep.eq(self.take & ~self.tail),
            self.take_mask.eq(self.enter & self.first & ~self.appended),
            self.take_fresh.eq(self.take & ~self.appended),
            self.take_append.eq(self.enter & self.appended & (self.first | self.stream)),
        ]
        m.d.sync += self.busy.eq(self.go | self.busy & ~(self.enter & self.beat.last))

        with m.If(self.enter):
            m.d.sync += [wanted.eq(self.stream), hollow.eq(self.beat.hole)]
            with m.If(executed & over):
                m.d.comb += self.fault.eq(SHORTAGE)
            with m.Elif(self.first & self.beat.hole):
                m.d.comb += self.fault.eq(HOLE)
        return m

    def _count(self, m: Module) -> None:
        """The place of the beat in its row, and of the row in the pass.

        The flags that the handshakes need are registers, ready a cycle before.
        """
        config = self.config
        first = Signal(init=1, name="first_beat")
        ends = Signal(init=config.beats == 1, name="last_beat")
        appended = Signal(name="new_token")
        following = Signal(config.row_bits, init=1, name="following")
        reached = Signal()
        m.d.comb += [
            self.first.eq(first),
            self.beat.ends.eq(ends),
            self.appended.eq(appended),
            self.next_row.eq(following),
            reached.eq(following == self.n_tokens),
            self.beat.last.eq(ends & Mux(self.appends, appended, reached)),
            self.beat.part.eq(self._part()),
        ]
        following_number = self.number + 1
        if config.beats & (config.beats - 1):
            following_number = Mux(ends, 0, following_number)
        if config.beats == 1:
            m.d.comb += self.number.eq(0)
        with m.If(self.enter):
            m.d.sync += first.eq(ends)
            if config.beats > 1:
                m.d.sync += [self.number.eq(following_number),
                             ends.eq(self.number == config.beats - 2)]
            with m.If(ends):
                m.d.sync += [self.row.eq(following), following.eq(following + 1),
                             appended.eq(self.appends & reached)]
        with m.If(~self.busy):
            m.d.sync += [self.row.eq(0), following.eq(1)]
        with m.If(self.idle):
            m.d.sync += appended.eq(self.only_new)
        if config.overflow == "reject":
            m.d.comb += self.tail.eq(0)
            return
        past_the_end = Signal()
        m.d.comb += self.tail.eq(past_the_end)
        with m.If(self.enter & ends & (following == config.tokens)):
            m.d.sync += past_the_end.eq(1)
        with m.If(~self.busy):
            m.d.sync += past_the_end.eq(0)

    def _part(self) -> Value:
        """Fixed by the beat's number: in turn, or by halves."""
        config = self.config
        if config.order == "interleaved":
            return Cat(~self.number[0], self.number[0])
        table = [parts(config, number) for number in range(config.beats)]
        value: Value = C(table[-1], 2)
        for number in range(config.beats - 1, 0, -1):
            if table[number] != table[number - 1]:
                value = Mux(self.number < number, C(table[number - 1], 2), value)
        return value
