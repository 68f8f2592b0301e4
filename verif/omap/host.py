"""The host side of the cycle model: requests, beats that are due, and beats that go out."""

from __future__ import annotations

from collections.abc import Mapping

from pimlico.hdl.omap.config import OmapConfig
from pimlico.verif.ascon.page import PageCipherCycles


class Requests:
    """Requests in order, a page each."""

    def __init__(self) -> None:
        self._queue: list[int] = []

    @property
    def idle(self) -> bool:
        return not self._queue

    def outputs(self) -> dict[str, int]:
        values = {"req_valid": int(bool(self._queue))}
        if self._queue:
            values["req_payload"] = self._queue[0]
        return values

    def add(self, *payloads: int) -> None:
        self._queue += payloads

    def tick(self, ready: int) -> int | None:
        """The request that was taken, if any."""
        return self._queue.pop(0) if self._queue and ready else None


class Arrivals:
    """Counts the beats that are due, and watches for the host's faults."""

    def __init__(self, config: OmapConfig):
        self._config = config
        self.due = self._row = self._waited = 0
        self.late = self.mismarked = False

    def tick(self, launch: bool, read_taken: bool, gone: bool, valid: int, payload: int,
             taken: bool) -> None:
        config = self._config
        if launch:
            self.late, self.mismarked, self._waited = False, False, 0
        elif taken:
            self._waited = 0
        elif self.due and not valid and gone:
            if self._waited == config.host_latency_max - 1:
                self.late = True
            else:
                self._waited += 1
        if taken:
            last = self._row == config.beats - 1
            if not launch and payload >> config.beat_width != last:
                self.mismarked = True
            self._row = 0 if last else self._row + 1
        self.due += config.beats * read_taken - taken


class Departures:
    """Beats of pages on their way to the bus, or to the cipher before it."""

    def __init__(self, config: OmapConfig):
        self._beats = config.beats
        self._words: list[int] = []
        self.place = 0
        self.word: int | None = None
        self._last = self._final = False

    @property
    def reading(self) -> bool:
        return self.place < len(self._words)

    @property
    def idle(self) -> bool:
        return not self.reading and self.word is None

    @property
    def payload(self) -> tuple[int, bool]:
        """The beat on offer, and whether it is the last of its page."""
        assert self.word is not None
        return self.word, self._last

    def tick(self, ready: int, send: list[int] | None) -> bool:
        """Whether the last beat of all was taken."""
        sent = self.word is not None and bool(ready) and self._final
        if self.reading and (self.word is None or ready):
            self.word = self._words[self.place]
            self.place += 1
            self._last = self.place % self._beats == 0
            self._final = not self.reading
        elif ready:
            self.word = None
        if send is not None:
            self._words, self.place = send, 0
        return sent


class SealedBus:
    """Both page ciphers, what they are told, and what they tell."""

    def __init__(self, config: OmapConfig):
        shape = (config.beat_width, config.beats, config.log2_pages, config.version_bits,
                 config.cipher_rounds_per_cycle)
        self._config = config
        self._opener = PageCipherCycles(*shape, decrypt=True)
        self._sealer = PageCipherCycles(*shape, decrypt=False)
        self._opens: list[int] = []
        self._seals: list[int] = []
        self._written: list[bool] = []
        self._verdicts = self._left = self._row = 0
        self.forged = False

    @property
    def opened(self) -> bool:
        return self._verdicts == 2

    @property
    def idle(self) -> bool:
        return not self._left

    def outputs(self) -> tuple[dict[str, int], dict[str, int]]:
        """Of the opener, and of the sealer."""
        return self._opener.outputs({}), self._sealer.outputs({})

    @property
    def last(self) -> bool:
        return self._row == self._config.beats - 1

    def know(self, *starts: int) -> None:
        """The pages, with their versions, that come in."""
        self._opens = list(starts)
        self._written = [start >> self._config.log2_pages > 0 for start in starts]

    def send(self, *starts: int) -> None:
        """The pages, with their versions, that go out."""
        self._seals = list(starts)
        self._left = len(starts) * self._config.beats

    def launch(self) -> None:
        self._verdicts, self.forged = 0, False

    def tick(self, key: int, rdata: tuple[int, int], taken: int, plain: tuple[int, int],
             out_ready: int) -> bool:
        """One cycle; whether the last beat of what was sent was taken.

        Parameters
        ----------
        key : int
        rdata : (int, int)
            Valid and data of the sealed beat that comes in.
        taken : int
            Whether the pages in hand take a beat.
        plain : (int, int)
            Valid and data of the plain beat that goes out.
        out_ready : int
            Whether the host takes a beat.
        """
        opener, sealer = self.outputs()
        opened = opener["start_ready"] and bool(self._opens)
        sealed = sealer["start_ready"] and bool(self._seals)
        self._opener.tick(_inputs(key, self._opens, rdata, taken))
        self._sealer.tick(_inputs(key, self._seals, plain, out_ready))
        if opened:
            self._opens.pop(0)
        if sealed:
            self._seals.pop(0)
        if opener["verdict_valid"]:
            self.forged |= self._written[self._verdicts] and not opener["verdict_payload"]
            self._verdicts += 1
        sent = False
        if sealer["result_valid"] and out_ready:
            sent = self._left == 1
            self._left -= 1
            self._row = 0 if self.last else self._row + 1
        return sent


def _inputs(key: int, starts: list[int], source: tuple[int, int],
            result_ready: int) -> Mapping[str, int]:
    return {"key": key, "start_valid": int(bool(starts)),
            "start_payload": starts[0] if starts else 0, "source_valid": source[0],
            "source_payload": source[1], "result_ready": result_ready, "verdict_ready": 1}
