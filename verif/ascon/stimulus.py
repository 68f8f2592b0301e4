"""Messages for the Ascon-AEAD128 core: directed corners first, then random ones without end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pimlico.hdl.ascon.config import AsconConfig
from pimlico.hdl.common.ports import Stream

from ..episode import Episode
from .golden import RATE, seal
from .vectors import KEY, NONCE, VECTORS


def packet(config: AsconConfig, data: bytes, trailing: bool = False) -> list[int]:
    """Payloads of ad or text for `data`.

    None at all is one beat of 0 bytes; such a beat also ends whole beats if `trailing`.
    """
    size = config.beat_bytes
    pieces = [data[at:at + size] for at in range(0, len(data), size)]
    if not data or (trailing and len(data) % size == 0):
        pieces.append(b"")
    last = len(pieces) - 1
    return [beat(config, piece, number == last) for number, piece in enumerate(pieces)]


def beat(config: AsconConfig, data: bytes, last: bool, said: int | None = None) -> int:
    """A payload of ad or text; `said` is the number of bytes it says, if not how many it has."""
    port: Stream = config.port("text")
    lanes = list(data.ljust(config.beat_bytes, b"\xa5"))  # what it does not have is not looked at
    size = len(data) if said is None else said
    return port.pack({"data": lanes, "bytes": size, "last": int(last)})


def number(data: bytes) -> int:
    """Bytes as a field has them, the first in the low bits."""
    return int.from_bytes(data, "little")


class Script:
    """The beats of messages, in order.

    Parameters
    ----------
    config : AsconConfig
    rng : numpy.random.Generator
        For keys, nonces and data.
    """

    def __init__(self, config: AsconConfig, rng: np.random.Generator):
        self.config, self.rng = config, rng
        self.beats: dict[str, list[int]] = {
            port.name: [] for port in config.ports
            if isinstance(port, Stream) and port.direction == "in"}

    def message(self, ad_bytes: int, text_bytes: int, decrypt: bool | None = None,
                wrong: str = "", trailing: bool = False) -> None:
        """A message of random bytes, in a direction that the core has.

        `wrong` is what is changed of one that is decrypted: a bit of ``"tag"``, of ``"text"``,
        of ``"ad"`` or of ``"nonce"``, every other time the first or the last.
        """
        ad, text = self.rng.bytes(ad_bytes), self.rng.bytes(text_bytes)
        self.add(self.rng.bytes(RATE), self.rng.bytes(RATE), ad, text,
                 self.direction(decrypt), wrong, trailing)

    @property
    def directions(self) -> list[bool]:
        """Whether messages are decrypted: both, or the one that the core has."""
        return [decrypt for decrypt in (False, True)
                if (self.config.decrypts if decrypt else self.config.encrypts)]

    def direction(self, decrypt: bool | None = None) -> bool:
        """Whether a message is decrypted: as asked where the core does both."""
        if len(self.directions) == 1:
            return self.directions[0]
        return bool(self.rng.integers(2)) if decrypt is None else decrypt

    def add(self, key: bytes, nonce: bytes, ad: bytes, text: bytes, decrypt: bool,
            wrong: str = "", trailing: bool = False) -> None:
        """A message; to be decrypted, it is sealed first."""
        parts = {"nonce": nonce, "ad": ad, "text": text}
        if decrypt:
            parts["text"], parts["tag"] = seal(key, nonce, ad, text)
            if wrong:
                parts[wrong] = self._changed(parts[wrong])
            self.beats["tag"].append(number(parts["tag"]))
        self.command(key, parts["nonce"], decrypt)
        self.beats["ad"] += packet(self.config, parts["ad"], trailing)
        self.beats["text"] += packet(self.config, parts["text"], trailing)

    def command(self, key: bytes, nonce: bytes, decrypt: bool) -> None:
        port: Stream = self.config.port("cmd")
        self.beats["cmd"].append(port.pack(
            {"key": number(key), "nonce": number(nonce), "decrypt": int(decrypt)}))

    def malformed(self, stream: str, kind: str) -> None:
        """A message of which a beat on `stream` says ``"more"`` or ``"fewer"`` bytes than it may.

        ``"fewer"`` is of a beat that is not the last one.
        """
        self.message(3 * RATE, 3 * RATE)
        beats = self.beats[stream]
        said = self.config.beat_bytes + 1 if kind == "more" else int(
            self.rng.integers(self.config.beat_bytes))
        place = -1 if kind == "more" else -2
        data = self.rng.bytes(self.config.beat_bytes)
        beats[place] = beat(self.config, data, kind == "more", said)

    def _changed(self, data: bytes) -> bytes:
        last = 8 * len(data) - 1
        ends = (0, last)
        bit = ends[self.rng.integers(2)] if self.rng.random() < 0.5 else int(
            self.rng.integers(last))
        return (number(data) ^ 1 << bit).to_bytes(len(data), "little")

    def episode(self, name: str, **options: Any) -> Episode:
        return Episode(name, self.beats, **options)


def episodes(config: AsconConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """The stimulus of ``ascon-aead128``."""
    yield from _directed(config, rng)
    while True:
        yield _random(config, rng)


LENGTHS = (0, 1, 3, 4, 5, 8, 11, 12, 15, 16, 17, 24, 31, 32, 33)
"""Bytes about the ends of beats and blocks."""


def known_answers(config: AsconConfig, rng: np.random.Generator) -> Iterator[Episode]:
    """The vectors of the standard, in every direction that the core has."""
    script = Script(config, rng)
    for vector in VECTORS.values():
        for decrypt in script.directions:
            script.add(KEY, NONCE, vector.ad, vector.text, decrypt)
    yield script.episode("known answers")


def _directed(config: AsconConfig, rng: np.random.Generator) -> Iterator[Episode]:
    yield from known_answers(config, rng)

    script = Script(config, rng)
    for ad_bytes, text_bytes in ((0, 0), (0, 7), (9, 0), (16, 16), (33, 48)):
        script.message(ad_bytes, text_bytes, False)
        script.message(ad_bytes, text_bytes, True)
    yield script.episode("empty, part and whole, at full rate")

    script = Script(config, rng)
    for size in LENGTHS:
        script.message(size, size)
    yield script.episode("sizes about beats and blocks")

    for cut in (config.long + 2, 2 * config.long + 5 * config.block_cycles):
        script = Script(config, rng)
        for _ in range(3):
            script.message(20, 70)
        yield script.episode(f"reset after {cut} cycles", cycles=cut)

    script = Script(config, rng)
    for data in (0, 255):
        whole = bytes([data]) * RATE
        for decrypt in script.directions:
            script.add(whole, whole, 2 * whole, 2 * whole, decrypt)
    yield script.episode("all zeros and all ones")

    if config.decrypts:
        script = Script(config, rng)
        for wrong in ("", *["tag"] * 8, "", "text", "", "ad", "nonce", ""):
            script.message(5, 10, True, wrong)
        yield script.episode("wrong tags", wires={"status_clear": [0] * 90 + [1]})

    script = Script(config, rng)
    for stream in ("ad", "text"):
        for kind in ("more", "fewer"):
            script.malformed(stream, kind)
            script.message(5, 20)
    yield script.episode("malformed beats", wires={"status_clear": [0] * 70 + [1] * 2})

    script = Script(config, rng)
    for size in (0, 1, RATE // 2, RATE, 2 * RATE):
        script.message(size, RATE, trailing=True)
        script.message(RATE, size, trailing=True)
    yield script.episode("empty beats that end a packet")


def _random(config: AsconConfig, rng: np.random.Generator) -> Episode:
    script = Script(config, rng)
    for _ in range(int(rng.integers(1, 8))):
        ad_bytes, text_bytes = (
            int(rng.integers(70)) if rng.random() < 0.6 else int(rng.choice(LENGTHS))
            for _ in range(2))
        wrong = str(rng.choice(["tag", "nonce"])) if rng.random() < 0.2 else ""
        if rng.random() < 0.1:
            script.malformed(str(rng.choice(["ad", "text"])), str(rng.choice(["more", "fewer"])))
        else:
            script.message(ad_bytes, text_bytes, wrong=wrong, trailing=bool(rng.random() < 0.3))
    stalls: dict[str, Any] = {}
    if rng.random() < 0.8:
        stalls["valid"] = {name: float(rng.choice([0.1, 0.5, 1])) for name in script.beats}
        stalls["ready"] = {name: float(rng.choice([0.1, 0.5, 1])) for name in ("result", "done")}
    cut = int(rng.integers(20, 300)) if rng.random() < 0.1 else None
    return script.episode("random", wires={"status_clear": [0] * int(rng.integers(1, 200)) + [1]},
                          cycles=cut, **stalls)
