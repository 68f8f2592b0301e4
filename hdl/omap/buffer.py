"""The two pages in hand: beats come in, the key's item is taken out, waiting items go in."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from pimlico.hdl.common.ram import memory

from .config import OmapConfig


class PageBuffer(Component):
    """Pages a and b of an operation, in one memory a lane.

    A beat is registered together with the comparison of its keys, and stored in the next cycle,
    with zeros for empty slots and for the key's own item, whose value is caught.

    Where a beat holds several slots, waiting items are stored after the beats, one a cycle.
    Where a slot is one beat or more, they are stored in the place of the empty slots' beats.

    Parameters
    ----------
    config : OmapConfig
    """

    def __init__(self, config: OmapConfig):
        self.config = config
        self.positions = -(-config.beats // config.parts)
        merges = 2 * config.merges
        super().__init__({
            "launch": In(1), "allow": In(1), "key": In(config.key_width), "hit": In(1),
            "load": In(1), "used_a": In(config.slots), "used_b": In(config.slots),
            "source": In(stream.Signature(config.beat_width)),
            "place": Out(1 + max(1, (config.beats - 1).bit_length())),
            "arrived": Out(1), "in_page": Out(1), "caught": Out(1),
            "caught_parts": Out(config.parts), "value": Out(config.parts * config.beat_width
                                                           if config.parts > 1
                                                           else config.tuple_width),
            "recording": In(1), "got": In(1), "got_half": In(1), "got_slot": In(config.slots),
            "item": In(config.tuple_width), "recorded": In(range(merges + 1)),
            "merged_a": Out(1), "merged": Out(1),
            "kept_a": Out(config.slots), "kept_b": Out(config.slots),
            "read": In(1), "read_half": In(1), "read_row": In(range(max(2, config.beats))),
            "word": Out(config.beat_width)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        lanes, slots = config.lanes, self.positions * config.lanes
        self.row = row = Signal(range(max(2, config.beats)))
        self.part = part = Signal(range(max(2, config.parts)))
        half = Signal()
        busy = Signal()
        takes = Signal()
        last_row = Signal()
        last_part = Signal()
        ends_slot = Signal()
        m.d.comb += [
            self.source.ready.eq(busy & self.allow),
            takes.eq(self.source.valid & self.source.ready),
            last_row.eq(row == config.beats - 1),
            last_part.eq(part == config.parts - 1),
            ends_slot.eq(last_part | last_row), self.place.eq(Cat(row, half))]
        with m.If(self.launch):
            m.d.sync += [busy.eq(1), row.eq(0), part.eq(0), half.eq(0)]
        with m.Elif(takes):
            m.d.sync += [row.eq(Mux(last_row, 0, row + 1)),
                         part.eq(Mux(ends_slot, 0, part + 1))]
            with m.If(last_row):
                m.d.sync += [half.eq(1), busy.eq(~half)]

        used = [Signal(slots, name=f"used_slots_{name}", reset_less=True) for name in "ab"]
        loaded = Signal(slots)
        m.d.comb += loaded.eq(self.used_a)
        now_used = Signal(slots)
        m.d.comb += now_used.eq(Mux(half, used[1], Mux(self.load, loaded, used[0])))
        stage_valid = Signal()
        stage_half = Signal(reset_less=True)
        stage_row = Signal.like(row, reset_less=True)
        stage_part = Signal.like(part, reset_less=True)
        stage_kept = Signal(lanes)
        stage_matched = Signal(lanes)
        beat = Signal(config.beat_width, reset_less=True)
        tuples = [beat[lane * config.tuple_width:(lane + 1) * config.tuple_width]
                  for lane in range(lanes)]
        held_match = Signal(reset_less=True)
        keys = Signal(lanes)
        for lane in range(lanes):
            at = lane * config.tuple_width
            equal = self.source.payload[at:at + config.key_width] == self.key
            m.d.comb += keys[lane].eq(Mux(part == 0, self.hit & equal, held_match)
                                      if config.parts > 1 else self.hit & equal)
        m.d.sync += [stage_valid.eq(takes),
                     stage_kept.eq(now_used[:lanes] & ~keys & takes.replicate(lanes)),
                     stage_matched.eq(now_used[:lanes] & keys & takes.replicate(lanes))]
        with m.If(takes):
            m.d.sync += [beat.eq(self.source.payload), stage_half.eq(half), stage_row.eq(row),
                         stage_part.eq(part), held_match.eq(keys[0])]

        # slot by slot, once round a page, so that no slot's bit is ever looked up
        with m.If(self.load):
            m.d.sync += [used[0].eq(loaded), used[1].eq(self.used_b)]
        for number in range(2):
            with m.If(takes & ends_slot & (half == number)):
                keeps = now_used[:lanes] & ~keys
                m.d.sync += used[number].eq(Cat(now_used[lanes:], keeps))
        m.d.comb += [self.kept_a.eq(used[0]), self.kept_b.eq(used[1])]

        m.d.comb += self.caught.eq(stage_matched.any())
        with m.If(self.launch):
            m.d.sync += [self.in_page.eq(0), self.arrived.eq(0)]
        with m.Else():
            m.d.sync += self.in_page.eq(self.in_page | self.caught)
            with m.If(stage_valid & ~busy):
                m.d.sync += self.arrived.eq(1)
        if config.parts > 1:
            m.d.comb += [self.caught_parts.eq(Cat(stage_part == number
                                                  for number in range(config.parts))),
                         self.value.eq(beat.replicate(config.parts))]
        else:
            total: Value = Const(0, config.tuple_width)
            for lane, one in enumerate(tuples):
                total = total | (one & stage_matched[lane].replicate(config.tuple_width))
            m.d.comb += [self.caught_parts.eq(1), self.value.eq(total)]

        waiting = memory(config.tuple_width, 1 << max(1, (2 * config.merges - 1).bit_length()))
        m.submodules.waiting = waiting
        self.store = store = waiting.write_port()
        self.fetch = fetch = waiting.read_port(domain="comb")
        m.d.comb += [store.en.eq(self.got), store.data.eq(self.item)]
        insert = Signal(lanes)
        row_bits = len(stage_row)
        at_row = Signal(row_bits)
        at_half = Signal()
        writes = Signal(lanes)
        if config.appends:
            append = self._append_after(m, insert, stage_valid & ~busy)
            m.d.comb += [at_row.eq(Mux(stage_valid, stage_row, append[0])),
                         at_half.eq(Mux(stage_valid, stage_half, append[1])),
                         writes.eq(Mux(stage_valid, ~Const(0, lanes), insert))]
            item = fetch.data
        else:
            self._append_arriving(m, insert, takes, ends_slot, half, now_used, stage_valid)
            m.d.comb += [at_row.eq(stage_row), at_half.eq(stage_half),
                         writes.eq(stage_valid)]
            padded = Signal(config.parts * config.beat_width)
            m.d.comb += padded.eq(fetch.data)
            item = Array(padded.word_select(number, config.beat_width)
                         for number in range(config.parts))[stage_part]

        width = config.beat_width if config.parts > 1 else config.tuple_width
        spare = config.parts * config.beat_width - config.tuple_width if config.parts > 1 else 0
        words = []
        address = Cat(at_row, at_half) if config.beats > 1 else at_half
        read_address = Cat(self.read_row, self.read_half) if config.beats > 1 else self.read_half
        for lane in range(lanes):
            words_lane = memory(width, 2 << (row_bits if config.beats > 1 else 0))
            m.submodules[f"lane{lane}"] = words_lane
            write = words_lane.write_port()
            read = words_lane.read_port(domain="comb")
            source = tuples[lane] if config.parts == 1 else beat
            plain = Signal(width, name=f"plain{lane}")
            m.d.comb += plain.eq(source)
            if spare:
                with m.If(stage_part == config.parts - 1):
                    m.d.comb += plain[width - spare:].eq(0)
            m.d.comb += [
                write.en.eq(writes[lane]),
                write.addr.eq(address),
                write.data.eq((plain & stage_kept[lane].replicate(width))
                              | (item & insert[lane].replicate(width))),
                read.addr.eq(read_address)]
            words.append(read.data)
        word = Signal(len(Cat(words)), reset_less=True)
        with m.If(self.read):
            m.d.sync += word.eq(Cat(words))
        m.d.comb += self.word.eq(word)
        return m

    def _append_after(self, m: Module, insert: Value, arrives: Value) -> tuple[Value, Value]:
        """Store the waiting items that were fetched, a cycle each; their row and half.

        Which comes next is decided a cycle ahead, as soon as it is known what was fetched, so
        that the logic of every bit hangs on registers only.
        """
        config = self.config
        entries = 2 * config.merges
        number = Signal(range(entries + 1))
        fits = Signal(entries)
        slots = [Signal(config.slots, name=f"into{entry}", reset_less=True)
                 for entry in range(entries)]
        going = Signal()
        newest = Signal()
        m.d.comb += [
            newest.eq(self.recorded == number),
            going.eq((self.arrived | arrives) & ((self.recorded > number)
                                                 | (newest & self.recording))),
            self.store.addr.eq(self.recorded),
            self.merged_a.eq(number >= entries - 1), self.merged.eq(number == entries)]
        for entry in range(entries):
            with m.If(self.launch):
                m.d.sync += fits[entry].eq(0)
            with m.Elif(self.got & (self.recorded == entry)):
                m.d.sync += [fits[entry].eq(1), slots[entry].eq(self.got_slot)]
        with m.If(self.launch):
            m.d.sync += number.eq(0)
        with m.Elif(going):
            m.d.sync += number.eq(number + 1)
        into = Signal(config.slots)
        there = Signal()
        m.d.comb += [into.eq(Mux(newest, self.got_slot, Array(slots)[number])),
                     there.eq(going & Mux(newest, self.got, Array(list(fits))[number]))]
        row: Value = Const(0, len(self.row))
        for at in range(config.slots):
            row = row | Mux(into[at], Const(at // config.lanes, len(self.row)), 0)
        stored_row = Signal(len(self.row), reset_less=True)
        stored_number = Signal(range(entries), reset_less=True)
        inserts = Signal(config.lanes)
        m.d.sync += [stored_row.eq(row), stored_number.eq(number), inserts.eq(Cat(
            there & Cat(into[lane::config.lanes]).any() for lane in range(config.lanes)))]
        m.d.comb += [insert.eq(inserts), self.fetch.addr.eq(stored_number)]
        return stored_row, stored_number[0]

    def _append_arriving(self, m: Module, insert: Value, takes: Value, ends_slot: Value,
                         half: Value, now_used: Value, stage_valid: Value) -> None:
        """Store item k in the place of the k-th empty slot, as its beats come by."""
        config = self.config
        merges, bits = config.merges, max(1, (config.merges - 1).bit_length())
        entries = 2 * merges
        fits = Signal(entries)
        placed = [Signal(range(merges + 1), name=f"placed_{name}") for name in "ab"]
        stage_number = Signal(bits, reset_less=True)
        stage_half = Signal(reset_less=True)
        inserts = Signal(reset_less=True)
        number = Signal(range(merges + 1))
        empty = Signal()
        slot = Signal(range(self.positions))
        m.d.comb += [
            number.eq(Mux(half, placed[1], placed[0])),
            empty.eq((slot < config.slots) & ~now_used[0] & (number < merges)),
            self.store.addr.eq(self.recorded), self.fetch.addr.eq(Cat(stage_half, stage_number)),
            insert.eq(inserts & stage_valid), self.merged_a.eq(1), self.merged.eq(1)]
        with m.If(takes):
            m.d.sync += [stage_number.eq(number), stage_half.eq(half),
                         inserts.eq(empty & Array(list(fits))[Cat(half, number[:bits])])]
            with m.If(ends_slot):
                m.d.sync += slot.eq(Mux(slot == self.positions - 1, 0, slot + 1))
        for entry in range(entries):
            with m.If(self.launch):
                m.d.sync += fits[entry].eq(0)
            with m.Elif(self.got & (self.recorded == entry)):
                m.d.sync += fits[entry].eq(1)
        for one, count in enumerate(placed):
            with m.If(self.launch):
                m.d.sync += count.eq(0)
            with m.Elif(takes & ends_slot & empty & (half == one)):
                m.d.sync += count.eq(count + 1)
        with m.If(self.launch):
            m.d.sync += slot.eq(0)
