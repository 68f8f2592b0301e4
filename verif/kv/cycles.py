"""When the KV history buffer gives what: its cycle contract in plain Python."""

from __future__ import annotations

from typing import NamedTuple

from pimlico.hdl.common.ports import Stream
from pimlico.hdl.kv.config import (
    BUSY,
    CAPACITY,
    EMPTY,
    EXCESS,
    HOLE,
    LAYER,
    LAYER_BITS,
    SEQUENCE,
    SHORTAGE,
    KvConfig,
    parts,
)
from pimlico.verif.bits import pack, unpack
from pimlico.verif.model import CycleModel, Values

from .quant import quantize, restore


class Beat(NamedTuple):
    """A beat in the memory stage or the output register."""

    data: int
    fresh: bool
    hole: bool
    part: int
    end: bool
    last: bool
    cleared: bool


class Issue(NamedTuple):
    """What the walk over the rows does in a cycle: the beat that enters, and what it takes."""

    beat: Beat
    streams: bool
    executed: bool
    appended: bool
    takes_mask: bool
    takes_fresh: bool
    takes_append: bool
    fault: int


class Pass:
    """A running pass."""

    def __init__(self, start: dict[str, int], extent: int):
        self.sequence, self.layer = start["sequence"], start["layer"]
        self.n_tokens, self.append = start["n_tokens"], bool(start.get("append", 0))
        self.rows = self.n_tokens + self.append
        self.extent = extent
        self.row = self.beat = 0
        self.executed = self.hole = False
        self.taken: list[int] = []
        self.burst_over = self.burst_open = False
        self.code = self.fresh_rows = self.held_rows = self.bytes = 0

    @property
    def walking(self) -> bool:
        return self.row < self.rows


class KvCycles(CycleModel):
    """Cycle model of ``kv-history``.

    A beat enters the memory stage when that is empty or moves on, and needs what it takes: the
    mask bit (or the append beat) with the first of a row, the streamed beat where the row is
    executed. One cycle later it may move to the output register, another later it is on ``kv``.
    """

    def __init__(self, config: KvConfig):
        super().__init__(config)
        self._kv: Stream = config.port("kv")
        self._done: Stream = config.port("done")
        self._start: Stream = config.port("start")
        self._parts = [parts(config, beat) for beat in range(config.beats)]
        self._data_mask = (1 << config.beat_bits) - 1
        # the memory is cleared together with the output, while the next beat of a hole enters
        self._clears_memory = not config.bypass and config.beats > 1
        self.reset()

    def reset(self) -> None:
        config = self.config
        self._known = [False] * config.sequences
        self._next = [0] * config.sequences
        self._extent = [0] * config.sequences
        self._rows: dict[tuple[int, int], list[int]] = {}
        self._valid: set[tuple[int, int]] = set()
        self._pass: Pass | None = None
        self._memory: Beat | None = None
        self._output: Beat | None = None
        self._done_valid = False
        self._dropping = self._finished = False
        self._settling = 0
        self._status = self._status_row = 0
        self._code = self._code_row = 0

    @property
    def idle(self) -> bool:
        return self._pass is None

    def outputs(self, inputs: Values) -> dict[str, int]:
        issue = self._issue(inputs)
        values = {
            "start_ready": int(not inputs["reset_valid"]), "reset_ready": 1,
            "mask_ready": int(issue is not None and issue.takes_mask),
            "fresh_ready": int(self._dropping or (issue is not None and issue.takes_fresh)),
            "kv_valid": int(self._output is not None),
            "done_valid": int(self._done_valid),
            "status": self._status, "status_row": self._status_row,
        }
        if self.config.append:
            values["append_ready"] = int(issue is not None and issue.takes_append)
        if self._output is not None:
            values["kv_payload"] = self._payload(self._output)
        if self._done_valid:
            values["done_payload"] = self._summary()
        return values

    def tick(self, inputs: Values) -> None:
        issue = self._issue(inputs)
        taken = self._done_valid and bool(inputs["done_ready"])
        refused = self._take_starts(inputs, taken)
        fault = row = 0
        if self._settling:
            self._settling -= 1
        if self._dropping and inputs["fresh_valid"] and inputs["fresh_payload"] >> \
                self.config.beat_bits:
            self._dropping = False
        if self._finished:
            self._finished = False
            fault = self._close()
        free = self._free(inputs)
        if free:
            if self._output is not None and self._output.last:
                self._done_valid = True
            self._output, self._memory = self._memory, None
        if issue is not None:
            assert self._pass is not None
            row = self._pass.row if issue.fault else 0
            fault = self._enter(self._pass, issue, inputs)
        if taken:
            self._done_valid = False
            self._pass = None
        if self._accepted is not None:
            self._pass = self._accepted
        if inputs["status_clear"] or not self._status:
            self._status, self._status_row = self._code, self._code_row
        self._code, self._code_row = fault or refused, row

    def _free(self, inputs: Values) -> bool:
        return self._output is None or bool(inputs["kv_ready"])

    def _issue(self, inputs: Values) -> Issue | None:
        """The beat that enters the memory stage in this cycle, if one does."""
        now = self._pass
        if now is None or not now.walking or self._dropping:
            return None
        free, memory = self._free(inputs), self._memory
        if memory is not None and (not free or self._alone(memory)):
            return None
        if self._settling and now.row == now.beat == 0:
            return None
        config = self.config
        appended = now.append and now.row == now.n_tokens
        executed, first = now.executed, now.beat == 0
        if first:
            if not inputs["append_valid" if appended else "mask_valid"]:
                return None
            bit = (inputs["append_payload"] >> config.beat_bits if appended
                   else inputs["mask_payload"] & 1)
            executed = bool(bit) or now.row >= config.tokens
        missing = executed and not appended and now.burst_over
        streams = executed and not missing
        source = "append" if appended else "fresh"
        if streams and not inputs[f"{source}_valid"]:
            return None
        held = now.row < now.extent and (now.sequence, now.row) in self._valid
        hole = missing or (not executed and not held if first else now.hole)
        fault = 0
        if missing and (first or not now.hole):
            fault = SHORTAGE
        elif first and hole:
            fault = HOLE
        data = 0
        if streams:
            data = inputs[f"{source}_payload"] & self._data_mask
        elif not hole:
            data = self._rows[now.sequence, now.row][now.beat]
        end = now.beat == config.beats - 1
        # the beat before it, a hole too, has cleared the memory stage as it moved on
        cleared = (memory is not None and memory.hole and not memory.end)
        beat = Beat(data, streams, hole, self._parts[now.beat], end,
                    end and now.row == now.rows - 1, cleared)
        return Issue(beat, streams, executed, appended, first and not appended,
                     streams and not appended, appended and (first or streams), fault)

    def _alone(self, beat: Beat) -> bool:
        return self._clears_memory and beat.hole and beat.end and not beat.cleared

    def _enter(self, now: Pass, issue: Issue, inputs: Values) -> int:
        """Move the pass on by a beat; returns the status code of this cycle."""
        config, beat = self.config, issue.beat
        self._memory = beat
        tail = now.row >= config.tokens
        if issue.takes_mask and now.row % 8 == 0:
            now.bytes += 1
        if issue.streams:
            now.taken.append(beat.data)
        if issue.takes_fresh:
            now.burst_over = bool(inputs["fresh_payload"] >> config.beat_bits)
            now.burst_open = not now.burst_over
        now.executed, now.hole = issue.executed, beat.hole
        now.beat += 1
        fault = issue.fault
        if beat.end:
            if not beat.hole:
                if not issue.streams:
                    now.held_rows += 1
                elif not issue.appended:
                    now.fresh_rows += 1
                    now.bytes += config.row_bytes
            if not tail:
                self._leave_row(now, beat, issue.streams)
            now.taken = []
            now.beat = 0
            now.row += 1
        if beat.last:
            self._known[now.sequence] = True
            self._next[now.sequence] = (now.layer + 1) % (1 << LAYER_BITS)
            self._extent[now.sequence] = now.extent
            self._finished = True
        now.code = now.code or fault
        return fault

    def _close(self) -> int:
        """A cycle after a pass's last beat: what is left of its burst is dropped from now on."""
        now = self._pass
        assert now is not None
        if not now.burst_open:
            return 0
        self._dropping = True
        now.code = now.code or EXCESS
        return EXCESS

    def _leave_row(self, now: Pass, beat: Beat, streams: bool) -> None:
        place = now.sequence, now.row
        now.extent = max(now.extent, now.row + 1)
        self._valid.discard(place)
        if not beat.hole:
            self._valid.add(place)
        if streams:
            self._rows[place] = self._stored(now.taken)
            if self.config.quant_bits:
                self._settling = self.config.settle_cycles

    def _stored(self, beats: list[int]) -> list[int]:
        """A row's beats as they come back from the memory."""
        config, bits = self.config, self.config.quant_bits
        if not bits:
            return beats
        row = unpack(beats, config.elem_width, config.beat_elems).reshape(1, -1)
        q, zero, scale = quantize(row, bits)
        back = restore(q, zero, scale, bits).reshape(config.beats, config.beat_elems)
        return pack(back, config.elem_width)

    def _take_starts(self, inputs: Values, taken: bool) -> int:
        """Take a start or a reset; returns the code with which it is refused."""
        config = self.config
        self._accepted: Pass | None = None
        busy = self._pass is not None and not taken
        if inputs["reset_valid"]:
            sequence = inputs["reset_payload"]
            if sequence >= config.sequences:
                return SEQUENCE
            if busy and self._pass is not None and sequence == self._pass.sequence:
                return BUSY
            self._known[sequence] = False
            return 0
        if not inputs["start_valid"]:
            return 0
        start = {name: int(value) for name, value in
                 self._start.unpack(inputs["start_payload"]).items()}  # type: ignore[arg-type]
        code = self._refusal(start, busy)
        if not code:
            sequence = start["sequence"]
            self._accepted = Pass(start, self._extent[sequence] if start["layer"] else 0)
        return code

    def _refusal(self, start: dict[str, int], busy: bool) -> int:
        config = self.config
        if busy:
            return BUSY
        sequence, layer, rows = start["sequence"], start["layer"], start["n_tokens"]
        if sequence >= config.sequences:
            return SEQUENCE
        if layer and not (self._known[sequence] and layer == self._next[sequence]):
            return LAYER
        rows += start.get("append", 0)
        if not rows:
            return EMPTY
        return CAPACITY if config.overflow == "reject" and rows > config.tokens else 0

    def _payload(self, beat: Beat) -> int:
        flags = beat.fresh | beat.hole << 1 | beat.part << 2 | beat.last << 4
        return beat.data | flags << self.config.beat_bits

    def _summary(self) -> int:
        now = self._pass
        assert now is not None
        return self._done.pack({
            "sequence": now.sequence, "layer": now.layer, "code": now.code,
            "fresh_rows": now.fresh_rows, "held_rows": now.held_rows, "offchip_bytes": now.bytes})
