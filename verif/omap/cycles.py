"""When the OMAP cache controller gives what: its cycle contract in plain Python."""

from __future__ import annotations

from types import SimpleNamespace

from pimlico.hdl.common.ports import Stream
from pimlico.hdl.omap.config import (
    DEL,
    FATAL_INDEX,
    FATAL_PENDING,
    FATAL_TAMPER,
    HOST_PROTOCOL,
    OK,
    RAND_UNDERRUN,
    RELOCATIONS,
    STATUS_BITS,
    OmapConfig,
)
from pimlico.verif.model import CycleModel, Values

from .entropy import LinearGenerator
from .golden import Draw, ObliviousMap, Operation
from .host import Arrivals, Departures, Requests, SealedBus
from .stages import COMMIT_STEPS, PUSH, Lookup, Stage
from .startup import Startup
from .trusted import Asks, TrustedMemories, Words


class OmapCycles(CycleModel):
    """Cycle model of ``omap-controller``.

    What an operation does comes from the golden model at its launch and commit; here are the
    handshakes, and the fixed times between them.
    """

    def __init__(self, config: OmapConfig):
        super().__init__(config)
        self._cmd: Stream = config.port("cmd")
        self._relocates = {step * config.relocation_cycles + config.trusted_latency + 3
                           for step in range(RELOCATIONS)}
        self._half_mask = (1 << config.half_bits) - 1
        self.warmup = config.init_draws + config.clear_words + 2
        self._words = Words(config)
        self.patience += config.clear_words + config.host_latency_max
        self.reset()

    def reset(self) -> None:
        config = self.config
        self._map = ObliviousMap(config)
        self._memories = TrustedMemories(config) if config.trusted == "port" else None
        self._cleared: int | None = None
        self._startup = Startup(config)
        self._lookup: Lookup | None = None
        self._stage: Stage | None = None
        self._requests, self._arrivals = Requests(), Arrivals(config)
        self._departures = Departures(config)
        self._sealed = SealedBus(config) if config.sealed else None
        self._generator = LinearGenerator(config.random_bits)
        self._staged: tuple[int, int, int] | None = None
        self._written = False
        self._rsp: int | None = None
        self._dry = 0
        self._ran_dry = self._inserted = False
        self._fatal = OK
        self._live = self._pending = 0

    @property
    def idle(self) -> bool:
        stage = self._stage
        hopeless = stage is not None and stage.aborted and not stage.arrived
        return (self._startup.doing == "off" and (not self._startup.ready or self._lookup is None)
                and (stage is None or hopeless) and self._staged is None and self._rsp is None
                and self._requests.idle and self._gone)

    @property
    def _gone(self) -> bool:
        return self._departures.idle if self._sealed is None else self._sealed.idle

    def outputs(self, inputs: Values) -> dict[str, int]:
        now = self._now(inputs)
        config = self.config
        values = {
            "cmd_ready": int(now.cmd_ready), "rdata_ready": int(now.rdata_ready),
            "rsp_valid": int(self._rsp is not None), "ready": int(self._startup.ready),
            "fatal": self._fatal, "live": self._live, "pending": self._pending,
            "stash": self._map.index.stashed, **self._requests.outputs(),
            "wdata_valid": int(now.out_valid),
        }
        if config.entropy == "stream":
            values["random_ready"] = int(now.random_ready)
        if self._rsp is not None:
            values["rsp_payload"] = self._rsp
        if now.out_valid:
            values["wdata_payload"] = now.out_word | now.out_last << config.beat_width
        if self._memories is not None:
            values |= self._memories.outputs(self._asks(inputs, now))
        return values

    def answers(self) -> Values:
        return {} if self._memories is None else self._memories.answers()

    def _asks(self, inputs: Values, now: SimpleNamespace) -> Asks:
        """What is asked of the trusted memories in this cycle."""
        config, map_, stage, words = self.config, self._map, self._stage, self._words
        asks: Asks = {}
        if self._startup.doing == "clear":
            page = self._startup.clears % (config.pages // 2)
            asks |= {"lower": (page, 0), "upper": (page, 0)}
        if self._cleared is not None:
            address = self._cleared % (1 << config.index_bits)
            asks |= {f"way{way}": (address, 0) for way in range(config.index_ways)}
            if self._cleared < config.pending_entries:
                asks["next"] = self._cleared, words.fresh(self._cleared)
        asks |= self._asks_index(now)
        if now.launch:
            look = self._lookup
            assert look is not None
            random = self._generator.next if config.entropy == "lfsr" \
                else inputs["random_payload"]
            place = look.place if self._op(look, inputs["drain"]) else None
            a, b = map_.pair(place, self._draw(random))
            asks |= {"lower": (a, None), "upper": (b, None), "next": (map_.waiting.free or 0, None)}
        if stage is not None:
            if stage.step == 1:
                draw = stage.operation.draw
                asks |= {"lower": (draw.new_a, None), "upper": (draw.new_b, None)}
            assert self._memories is not None
            asks |= words.walk(stage.operation, stage.pointer, stage.step,
                               self._memories.q["next"])
            if stage.phase:
                asks |= stage.writes[stage.phase - 1]
        return asks

    def _asks_index(self, now: SimpleNamespace) -> Asks:
        config, look, index = self.config, self._lookup, self._map.index
        if look is None:
            return {}
        if now.update:
            assert self._stage is not None
            place = self._stage.operation.place
            if place is None or place.way is None:
                return {}
            return {f"way{place.way}": (place.address, self._words.updated(self._stage.operation))}
        if look.cycle in self._relocates:
            move = index.move(look.key)
            return {} if move is None else {
                f"way{move.way}": (move.address, self._words.entry(move.entry))}
        if look.cycle == 1:
            key = look.key
        elif look.cycle + config.trusted_latency + 1 in self._relocates:
            _, entry = index.first
            key = 0 if entry is None else entry.key
        else:
            return {}
        return {f"way{way}": (address, None) for way, address in enumerate(index.hash(key))}

    def _now(self, inputs: Values) -> SimpleNamespace:
        """What is decided in a cycle."""
        config, look, stage = self.config, self._lookup, self._stage
        now = SimpleNamespace()
        settled = look is not None and look.cycle == config.relocated
        judged = stage is not None and stage.arrived and stage.probed \
            and (self._sealed is None or self._sealed.opened)
        owed = stage is not None and stage.aborted and not judged
        refused = bool(self._fatal) and (not inputs["drain"] or owed)
        waits = look is not None and not look.launched
        now.launchable = (
            look is not None and waits and look.cycle > config.trusted_latency + 2
            and not refused and not self._ran_dry and stage is None
            and self._requests.idle and not (self._staged and self._rsp is not None)
            and (config.bus == "duplex" or self._gone))
        now.random_ready = now.launchable or self._startup.doing == "draw"
        valid = inputs["random_valid"] if config.entropy == "stream" else 1
        now.launch = now.launchable and bool(valid)
        now.drawn = bool(valid)
        free = self._staged is None
        now.refuse = (waits and settled and (refused or self._ran_dry) and (stage is None or owed)
                      and free)
        now.refused = refused

        now.sound = now.commit = now.abort = now.send = now.finish = False
        if stage is not None:
            bad_host = self._arrivals.late or self._arrivals.mismarked
            forged = self._sealed is not None and self._sealed.forged
            good = judged and not bad_host and not forged and stage.judge()
            now.sound = good and not stage.aborted
            now.abort = (not stage.aborted and not stage.committed and free
                         and (self._arrivals.late or (judged and not good)))
            now.code = FATAL_TAMPER if forged and not bad_host else HOST_PROTOCOL
            now.commit = (now.sound and stage.step >= config.fetched and not stage.committed
                          and free)
            whole_a, whole = stage.whole
            now.send = (stage.committed or now.commit) and whole_a and not stage.departed
            left = not (look is not None and look.launched)
            ends = stage.closed or stage.phase == COMMIT_STEPS
            restored = stage.restored == 2 * config.merges if not config.sealed \
                else stage.step > config.fetched + 1 or not config.walk_may_last
            now.finish = left and (judged and restored if stage.aborted
                                   else ends and whole and (stage.departed or now.send))
        active = look is not None and look.launched and settled
        now.update = active and now.sound and stage is not None and (
            stage.operation.places or (stage.operation.hit and stage.operation.op == DEL))
        leaves = (active and (now.sound or (stage is not None and stage.aborted))) or now.refuse
        now.leaves = leaves
        now.cmd_ready = self._startup.ready and not inputs["init"] and (look is None or leaves)

        allow = stage is not None and stage.may_arrive and len(stage.beats) < 2 * config.beats \
            and not (self._departures.reading and self._departures.place <= len(stage.beats))
        now.allow = allow
        if self._sealed is None:
            now.beat_ready, now.beat_valid = allow, bool(inputs["rdata_valid"])
            now.beat = inputs["rdata_payload"] & (1 << config.beat_width) - 1
            now.out_valid = self._departures.word is not None
            if now.out_valid:
                now.out_word, now.out_last = self._departures.payload
        else:
            opener, sealer = self._sealed.outputs()
            now.beat_ready = bool(opener["source_ready"])
            now.plain_valid, now.plain = opener["result_valid"], opener.get("result_payload", 0)
            now.sealer_ready = sealer["source_ready"]
            now.out_valid = bool(sealer["result_valid"])
            if now.out_valid:
                now.out_word, now.out_last = sealer["result_payload"], self._sealed.last
        due = self._arrivals.due > 0
        now.rdata_ready = not due or now.beat_ready
        now.takes = due and bool(inputs["rdata_valid"]) and now.beat_ready
        now.unasked = bool(inputs["rdata_valid"]) and not due
        return now

    def tick(self, inputs: Values) -> None:
        config, now = self.config, self._now(inputs)
        stage, map_ = self._stage, self._map
        clearing = self._startup.doing == "clear"
        if self._memories is not None:
            self._memories.tick(self._asks(inputs, now))
            self._cleared = self._startup.clears if clearing else None
        starts = (self._startup.doing == "off" and inputs["init"] and self._lookup is None
                  and stage is None and self._staged is None and self._rsp is None
                  and self._requests.idle and self._gone)

        fatal = self._fatal
        if clearing:
            fatal = OK
        elif not fatal:
            if now.abort:
                fatal = now.code
            elif now.unasked:
                fatal = HOST_PROTOCOL
            elif stage is not None and stage.phase == COMMIT_STEPS \
                    and self._pending > config.pending:
                fatal = FATAL_PENDING
            elif self._inserted and map_.index.full:
                fatal = FATAL_INDEX
            elif now.refuse:
                fatal = RAND_UNDERRUN

        response: tuple[int, int, int] | None = None
        if now.commit:
            assert stage is not None
            status, found, value = stage.operation.response
            response = status, found, value
        elif now.abort:
            response = (now.code, 0, 0)
        elif now.refuse:
            response = (self._fatal if now.refused else RAND_UNDERRUN, 0, 0)
        if now.launch or now.refuse:
            self._dry, self._ran_dry = 0, False
        elif now.launchable:
            self._ran_dry = self._dry == config.host_latency_max - 1
            self._dry += 1

        self._inserted = False
        if now.update:
            assert stage is not None
            stage.operation.update_index()
            self._inserted = stage.operation.inserts
            self._live = map_.live
        random = self._random(inputs, now)
        if self._startup.tick(starts, now.drawn, random):
            self._map = ObliviousMap(config, self._startup.seed)
            self._live = self._pending = 0
        gone = self._gone
        read_taken = self._tick_host(inputs, now, response)
        self._arrivals.tick(now.launch, read_taken, gone, inputs["rdata_valid"],
                            inputs["rdata_payload"], now.takes)
        if stage is not None:
            self._tick_stage(stage, now)
        self._tick_lookup(inputs, now, random)
        self._fatal = fatal

    def _random(self, inputs: Values, now: SimpleNamespace) -> int:
        if self.config.entropy == "stream":
            return inputs["random_payload"]
        return self._generator.draw() if now.random_ready else 0

    def _tick_host(self, inputs: Values, now: SimpleNamespace,
                   response: tuple[int, int, int] | None) -> bool:
        config, stage = self.config, self._stage
        taken = self._requests.tick(inputs["req_ready"])
        written = stage.operation.written if stage is not None and now.send else None
        send = [*written[0], *written[1]] if written is not None else None
        if self._sealed is None:
            sent = self._departures.tick(inputs["wdata_ready"], send)
        else:
            word = self._departures.word
            key = self._startup.secrets >> max(0, config.secret_bits - 128)
            rdata = int(bool(inputs["rdata_valid"]) and self._arrivals.due > 0)
            sent = self._sealed.tick(
                key, (rdata, inputs["rdata_payload"] & (1 << config.beat_width) - 1),
                int(now.allow), (int(word is not None), word or 0), inputs["wdata_ready"])
            self._departures.tick(now.sealer_ready, send)
            if stage is not None and now.send:
                self._sealed.send(*(self._sealed_page(stage.operation, half, 1)
                                    for half in range(2)))
            if stage is not None and stage.step == config.trusted_latency + 1:
                self._sealed.know(*(self._sealed_page(stage.operation, half, 0)
                                    for half in range(2)))
            if now.launch:
                self._sealed.launch()
        gives = self._staged is not None and (self._written or sent) \
            and (self._rsp is None or inputs["rsp_ready"])
        if self._staged is not None and gives:
            status, found, value = self._staged
            self._rsp = status | found << STATUS_BITS | value << STATUS_BITS + 1
        elif inputs["rsp_ready"]:
            self._rsp = None
        if response is not None:
            self._staged, self._written = response, not now.commit
        elif gives:
            self._staged = None
        elif sent:
            self._written = True
        if stage is not None and now.commit:
            half = 1 << config.half_bits
            a, b = stage.operation.pages
            write = 1 << config.log2_pages
            self._requests.add(a | write, b | half | write)
        return taken is not None and not taken >> config.log2_pages

    def _sealed_page(self, operation: Operation, half: int, later: int) -> int:
        config = self.config
        page = operation.pages[half] | half << config.half_bits
        version = (operation.versions[half] + later) & (1 << config.version_bits) - 1
        return page | version << config.log2_pages

    def _tick_stage(self, stage: Stage, now: SimpleNamespace) -> None:
        pushes = stage.phase == PUSH
        stage.tick(now)
        if pushes:
            self._pending = self._map.waiting.count
        if now.commit and self._memories is not None:
            stage.writes = self._words.commit(stage.operation)
        if now.finish:
            self._stage = None

    def _tick_lookup(self, inputs: Values, now: SimpleNamespace, random: int) -> None:
        config, look, map_ = self.config, self._lookup, self._map
        if look is not None:
            if look.cycle in self._relocates:
                map_.index.relocate(look.key)
            if now.launch:
                self._launch(look, random, inputs["drain"])
            if look.cycle < config.relocated:
                look.cycle += 1
        if inputs["cmd_valid"] and now.cmd_ready:
            fields = self._cmd.unpack(inputs["cmd_payload"])
            op, key, value = fields["op"], fields["key"], fields["value"]
            assert isinstance(op, int) and isinstance(key, int) and isinstance(value, int)
            self._lookup = Lookup(op, key, value, map_.index.find(key))
        elif now.leaves:
            self._lookup = None

    def _draw(self, random: int) -> Draw:
        half = self.config.half_bits
        return Draw(*(random >> at * half & self._half_mask for at in range(4)))

    def _op(self, look: Lookup, drain: int) -> int:
        return DEL if self._fatal and drain else look.op

    def _launch(self, look: Lookup, random: int, drain: int) -> None:
        config, op = self.config, self._op(look, drain)
        operation = Operation(self._map, op, look.key, look.value, self._draw(random),
                              look.place if op else None, self._map.free_entry)
        self._stage = Stage(config, operation, look.place.entry.pointer if look.place else 0)
        look.launched = True
        a, b = operation.pages
        self._requests.add(a, b | 1 << config.half_bits)
