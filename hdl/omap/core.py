"""The OMAP cache controller."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream

from pimlico.hdl.common.component import BlockComponent, fields

from .buffer import PageBuffer
from .bus import Arrivals, Departures, Requests
from .config import (
    COMMIT_STEPS,
    DEL,
    FATAL_INDEX,
    FATAL_PENDING,
    FATAL_TAMPER,
    FULL,
    GET,
    HOST_PROTOCOL,
    KEY_BITS,
    MISS,
    NOP,
    OK,
    OP_BITS,
    PUT,
    RAND_UNDERRUN,
    STATUS_BITS,
    OmapConfig,
)
from .entropy import LinearGenerator
from .index import Index
from .pending import PendingBuffer
from .records import PageRecords
from .response import Responder
from .sealed import SealedBus
from .startup import Startup


class OmapController(BlockComponent):
    """Oblivious key-value map over two pages an operation.

    A command waits in the lookup stage for its pair of pages. At its launch it moves on to the
    operation stage, which reads the pages, merges, and commits, while the next one is looked
    up. What the host sees, and when, depends on the handshakes only.

    Source: BOLT, arXiv 2509.01742.
    """

    config: OmapConfig

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.startup = startup = Startup(config)
        m.submodules.index = index = Index(config)
        m.submodules.records = records = PageRecords(config)
        m.submodules.pending = pending = PendingBuffer(config)
        m.submodules.buffer = buffer = PageBuffer(config)
        m.submodules.requests = requests = Requests(config)
        m.submodules.arrivals = arrivals = Arrivals(config)
        m.submodules.departures = departures = Departures(config)
        m.submodules.responder = responder = Responder(config)
        if config.entropy == "stream":
            random = self.random
        else:
            m.submodules.generator = generator = LinearGenerator(config.random_bits)
            random = generator.random
        drawn = {name: random.payload[at * config.half_bits:(at + 1) * config.half_bits]
                 for at, name in enumerate(("miss_a", "miss_b", "new_a", "new_b"))}
        cmd = fields(config.port("cmd"), self.cmd.payload)

        # lookup stage
        lookup_full = Signal()
        launched = Signal()
        lookup_op = Signal(OP_BITS, reset_less=True)
        lookup_key = Signal(config.key_width, reset_less=True)
        lookup_value = Signal(config.value_width, reset_less=True)
        accepts = Signal()
        leaves = Signal()
        m.d.comb += [
            self.cmd.ready.eq(startup.ready & ~self.init & (~lookup_full | leaves)),
            accepts.eq(self.cmd.valid & self.cmd.ready),
            index.start.eq(accepts), index.start_key.eq(cmd["key"]), index.key.eq(lookup_key)]
        with m.If(accepts):
            m.d.sync += [lookup_full.eq(1), launched.eq(0), lookup_op.eq(cmd["op"]),
                         lookup_key.eq(cmd["key"]), lookup_value.eq(cmd["value"])]
        with m.Elif(leaves):
            m.d.sync += lookup_full.eq(0)

        # operation stage
        busy = Signal()
        aborted = Signal()
        committed = Signal()
        departed = Signal()
        may_arrive = Signal()
        probed = Signal()
        fetched = Signal()
        closed = Signal()
        step = Signal(range(config.fetched + COMMIT_STEPS + 1))
        op = Signal(OP_BITS, reset_less=True)
        key = Signal(config.key_width, reset_less=True)
        value = Signal(config.value_width, reset_less=True)
        hit = Signal(reset_less=True)
        places = Signal(reset_less=True)
        outcome = Signal(range(FULL + 1), reset_less=True)
        status = Signal(STATUS_BITS)
        which = Signal(reset_less=True)
        pointer = Signal(config.pointer_bits, reset_less=True)
        page_a = Signal(config.half_bits, reset_less=True)
        page_b = Signal(config.half_bits, reset_less=True)
        new_a = Signal(config.half_bits, reset_less=True)
        new_b = Signal(config.half_bits, reset_less=True)

        sent = Signal()
        gone = Signal()
        launch = Signal()
        launchable = Signal()
        op_now = Signal(OP_BITS)
        hit_now = Signal()
        full_now = Signal()
        status_now = Signal(STATUS_BITS)
        first = Signal(config.half_bits)
        second = Signal(config.half_bits)
        refused = Signal()
        owed = Signal()
        judged = Signal()
        ran_dry = Signal()
        m.d.comb += [
            owed.eq(busy & aborted & ~judged),
            refused.eq(self.fatal.any() & (~self.drain | owed)),
            op_now.eq(Mux(self.fatal.any() & self.drain, DEL, lookup_op)),
            hit_now.eq(index.found & (op_now != NOP)),
            full_now.eq(~hit_now & (self.live == config.capacity)),
            first.eq(Mux(hit_now, index.target.a, drawn["miss_a"])),
            second.eq(Mux(hit_now, index.target.b, drawn["miss_b"])),
            launchable.eq(lookup_full & ~launched & index.done & ~refused & ~ran_dry & ~busy
                          & requests.idle & responder.room
                          & (gone if config.bus == "shared" else 1)),
            launch.eq(launchable & random.valid),
            random.ready.eq(launchable | startup.drawing)]
        with m.If(op_now == PUT):
            m.d.comb += status_now.eq(Mux(full_now, FULL, OK))
        with m.Else():
            m.d.comb += status_now.eq(Mux(hit_now | (op_now == NOP), OK, MISS))

        lost = Signal()
        sound = Signal()
        abort = Signal()
        commit = Signal()
        send = Signal()
        finish = Signal()
        with m.If(launch):
            m.d.sync += [
                busy.eq(1), launched.eq(1), aborted.eq(0), committed.eq(0), departed.eq(0),
                may_arrive.eq(0), probed.eq(0), fetched.eq(0), closed.eq(0),
                step.eq(1), op.eq(op_now),
                key.eq(lookup_key), hit.eq(hit_now), outcome.eq(status_now),
                places.eq(((op_now == PUT) & ~full_now) | ((op_now == GET) & hit_now)),
                which.eq(index.target.which), pointer.eq(index.target.pointer),
                page_a.eq(first), page_b.eq(second), new_a.eq(drawn["new_a"]),
                new_b.eq(drawn["new_b"]), value.eq(Mux(op_now == PUT, lookup_value, 0))]
        with m.Else():
            m.d.sync += [
                busy.eq(busy & ~finish), aborted.eq(aborted | abort),
                committed.eq(committed | commit), departed.eq(departed | send),
                may_arrive.eq(may_arrive | (step == config.arrives - 1)),
                fetched.eq(fetched | (step == config.fetched - 1)),
                probed.eq(probed | (step == config.trusted_latency + 2)),
                closed.eq(closed | pending.committing[-1])]
            with m.If(finish):
                m.d.sync += step.eq(0)
            with m.Elif(step.any() & (step != config.fetched + COMMIT_STEPS)):
                m.d.sync += step.eq(step + 1)
            caught = Signal()
            m.d.comb += caught.eq((pending.own | pending.probed)
                                  & ~(buffer.in_page | buffer.caught))
            with m.If((op != PUT) & caught):
                m.d.sync += value.eq(pending.item[config.key_width:])
            for part in range(config.parts):
                at = part * config.beat_width
                low, high = max(at, config.key_width), min(at + config.beat_width,
                                                           config.tuple_width) \
                    if config.parts > 1 else config.tuple_width
                if low < high:
                    with m.If((op != PUT) & buffer.caught & buffer.caught_parts[part]):
                        m.d.sync += value[low - config.key_width:high - config.key_width].eq(
                            buffer.value[low:high])

        m.d.comb += [
            status.eq(outcome),
            lost.eq(hit & ~buffer.in_page & ~pending.known),
            commit.eq(busy & sound & fetched & ~committed & ~responder.staged
                      & requests.idle),
            send.eq(busy & (committed | commit) & buffer.merged_a & ~departed),
            finish.eq(busy & ~(lookup_full & launched)
                      & Mux(aborted, judged & pending.restored,
                            (closed | pending.committing[-1]) & buffer.merged
                            & (departed | send)))]

        # what ends an operation, or refuses it
        dry = Signal(config.watch_bits)
        refuse = Signal()
        m.d.comb += refuse.eq(lookup_full & ~launched & index.settled & (refused | ran_dry)
                              & (~busy | owed) & ~responder.staged)
        with m.If(launch | refuse):
            m.d.sync += [dry.eq(0), ran_dry.eq(0)]
        with m.Elif(launchable):
            m.d.sync += [dry.eq(dry + 1), ran_dry.eq(dry == config.host_latency_max - 1)]
        changes = Signal()
        m.d.comb += [
            changes.eq(places | (hit & (op == DEL))),
            index.update.eq(lookup_full & launched & index.settled & sound & changes),
            index.insert.eq(~hit), index.remove.eq(op == DEL),
            index.updated.a.eq(new_a), index.updated.b.eq(new_b),
            index.updated.which.eq(records.target), index.updated.pointer.eq(pending.entry),
            index.retire.eq(lookup_full & index.settled
                             & ((launched & ((sound & ~changes) | aborted)) | refuse)),
            leaves.eq(index.update | index.retire)]
        inserted = Signal()
        m.d.sync += inserted.eq(index.update & index.insert)
        with m.If(startup.clear):
            m.d.sync += self.live.eq(0)
        with m.Elif(index.update):
            m.d.sync += self.live.eq(self.live + index.insert - index.remove)

        bad_tag = Signal()
        code = Signal(STATUS_BITS)
        bad_host = Signal()
        m.d.comb += [
            bad_host.eq(arrivals.late | arrivals.mismarked),
            code.eq(Mux(~bad_host & bad_tag, FATAL_TAMPER, HOST_PROTOCOL)),
            sound.eq(judged & ~bad_host & ~bad_tag & ~lost & ~aborted),
            abort.eq(busy & ~aborted & ~committed & ~responder.staged
                     & (arrivals.late | (judged & (bad_host | bad_tag | lost)))),
            responder.stage.eq(commit | abort | refuse), responder.direct.eq(~commit),
            responder.sent.eq(sent),
            responder.response.eq(Mux(commit, Cat(status, hit, value), Mux(
                abort, code, Mux(refused, self.fatal, RAND_UNDERRUN))))]
        with m.If(startup.clear):
            m.d.sync += self.fatal.eq(OK)
        with m.Elif(~self.fatal.any()):
            with m.If(abort):
                m.d.sync += self.fatal.eq(code)
            with m.Elif(arrivals.unasked):
                m.d.sync += self.fatal.eq(HOST_PROTOCOL)
            with m.Elif(pending.committing[-1] & (pending.count > config.pending)):
                m.d.sync += self.fatal.eq(FATAL_PENDING)
            with m.Elif(inserted & index.full):
                m.d.sync += self.fatal.eq(FATAL_INDEX)
            with m.Elif(refuse):
                m.d.sync += self.fatal.eq(RAND_UNDERRUN)

        seed = startup.secrets[:config.seed_bits] if config.index_hash == "drawn" \
            else config.fixed_seed
        m.d.comb += [
            startup.start.eq(self.init & ~lookup_full & ~busy & responder.idle & requests.idle
                             & gone),
            startup.random.eq(random.payload), startup.random_valid.eq(random.valid),
            index.seed.eq(seed), index.clear.eq(startup.clear),
            index.clear_address.eq(startup.address),
            records.launch.eq(launch), records.launch_a.eq(first), records.launch_b.eq(second),
            records.step.eq(step), records.a.eq(page_a), records.b.eq(page_b),
            records.new_a.eq(new_a), records.new_b.eq(new_b), records.removes.eq(hit),
            records.which.eq(which), records.places.eq(places),
            records.commit.eq(pending.committing[2]), records.push.eq(pending.committing[3]),
            records.kept_a.eq(buffer.kept_a | pending.taken_a),
            records.kept_b.eq(buffer.kept_b | pending.taken_b),
            records.after_a.eq(pending.after_a), records.after_b.eq(pending.after_b),
            records.entry.eq(pending.entry), records.clear.eq(startup.clear),
            records.clear_page.eq(startup.address),
            pending.launch.eq(launch), pending.step.eq(step), pending.pointer.eq(pointer),
            pending.key.eq(key), pending.hit.eq(hit), pending.which.eq(which),
            pending.head_a.eq(records.read_a.head), pending.head_b.eq(records.read_b.head),
            pending.used_a.eq(records.read_a.used), pending.used_b.eq(records.read_b.used),
            pending.commit.eq(commit), pending.in_page.eq(buffer.in_page),
            pending.places.eq(places), pending.value.eq(value), pending.restore.eq(aborted),
            pending.here.eq(records.here),
            pending.target_head.eq(records.target_head), pending.clear.eq(startup.clear),
            pending.clear_entry.eq(startup.address),
            pending.clear_link.eq(startup.clear & (startup.address < config.pending_entries)),
            buffer.launch.eq(launch), buffer.key.eq(key), buffer.hit.eq(hit),
            buffer.load.eq(step == config.trusted_latency),
            buffer.used_a.eq(records.read_a.used), buffer.used_b.eq(records.read_b.used),
            buffer.recording.eq(pending.recording), buffer.got.eq(pending.got),
            buffer.got_half.eq(pending.got_half),
            buffer.got_slot.eq(pending.got_slot), buffer.item.eq(pending.item),
            buffer.recorded.eq(pending.recorded),
            buffer.allow.eq(may_arrive & ~(departures.reading & (
                Cat(departures.row, departures.half) <= buffer.place))),
            buffer.read.eq(departures.read), buffer.read_half.eq(departures.half),
            buffer.read_row.eq(departures.row),
            requests.reads.eq(launch), requests.writes.eq(commit), requests.a.eq(page_a),
            requests.b.eq(page_b),
            arrivals.launch.eq(launch), arrivals.gone.eq(gone),
            arrivals.read_taken.eq(requests.read_taken),
            departures.send.eq(send),
            departures.word.eq(buffer.word),
            self.ready.eq(startup.ready), self.pending.eq(pending.count),
            self.stash.eq(index.stashed)]
        for name, source in (("req", requests.req), ("rsp", responder.rsp)):
            port = getattr(self, name)
            m.d.comb += [port.valid.eq(source.valid), port.payload.eq(source.payload),
                         source.ready.eq(port.ready)]
        m.d.comb += [arrivals.rdata.valid.eq(self.rdata.valid),
                     arrivals.rdata.payload.eq(self.rdata.payload),
                     self.rdata.ready.eq(arrivals.rdata.ready)]
        for part in (index, records, pending):
            for name, memory in part.memories.ports.items():
                for wire in ("enable", "write", "address", "data"):
                    m.d.comb += getattr(self, f"{name}_{wire}").eq(getattr(memory, wire))
                m.d.comb += memory.q.eq(getattr(self, f"{name}_q"))
        if config.sealed:
            m.submodules.sealed = sealed = SealedBus(config)
            m.d.comb += [
                sealed.key.eq(startup.secrets[-KEY_BITS:]), sealed.launch.eq(launch),
                sealed.known.eq(step == config.trusted_latency + 1), sealed.a.eq(page_a),
                sealed.b.eq(page_b), sealed.version_a.eq(records.version_a),
                sealed.version_b.eq(records.version_b), sealed.send.eq(departures.send),
                bad_tag.eq(sealed.forged), sent.eq(sealed.sent), gone.eq(sealed.idle),
                judged.eq(busy & buffer.arrived & probed & sealed.opened)]
            _join(m, arrivals.beats, sealed.sealed_in)
            _join(m, sealed.plain_in, buffer.source)
            _join(m, departures.beats, sealed.plain_out)
            _join(m, sealed.sealed_out, self.wdata)
        else:
            m.d.comb += [sent.eq(departures.sent), gone.eq(departures.idle), bad_tag.eq(0),
                         judged.eq(busy & buffer.arrived & probed)]
            _join(m, arrivals.beats, buffer.source)
            _join(m, departures.beats, self.wdata)
        return m


def _join(m: Module, source: stream.Interface, sink: stream.Interface) -> None:
    m.d.comb += [sink.valid.eq(source.valid), sink.payload.eq(source.payload),
                 source.ready.eq(sink.ready)]
