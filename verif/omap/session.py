"""A user, an entropy source and a host of the OMAP controller, as the beats that they give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pimlico.hdl.common.ports import Stream
from pimlico.hdl.omap.config import (
    DEL,
    FATAL_TAMPER,
    HOST_PROTOCOL,
    OK,
    RAND_UNDERRUN,
    TAG_BITS,
    OmapConfig,
)
from pimlico.verif.ascon.golden import seal

from ..episode import Episode
from .entropy import LinearGenerator
from .golden import Draw, ObliviousMap, Response

_SEALING = 2000
"""Cycles in which both pages of any size here are encrypted."""

INIT = [1, *[0] * 200_000]
"""The wire ``init``: once, at the begin of an episode."""


class Session:
    """Commands one after the other on the golden model, and the beats that go with them.

    The host answers in order, each page after `latency` cycles and up to `jitter` more, and
    holds noise in pages that were never written.

    Parameters
    ----------
    config : OmapConfig
    rng : numpy.random.Generator
    latency, jitter : int
        Cycles beyond the least.
    drain : bool
        Whether commands go on, as dels, after a fatal status.
    """

    def __init__(self, config: OmapConfig, rng: np.random.Generator, latency: int = 0,
                 jitter: int = 0, drain: bool = False):
        self.config, self.rng = config, rng
        self.latency, self.jitter, self.drain = latency, jitter, drain
        self.beats: dict[str, list[int]] = {"cmd": [], "rdata": []}
        self.after: dict[str, list[Mapping[str, int]]] = {"cmd": [], "rdata": []}
        self.delay: dict[str, list[int]] = {"rdata": []}
        self.responses: list[Response] = []
        self.trace: list[tuple[int, int]] = []
        self._generator = None
        if config.entropy == "stream":
            self.beats["random"] = []
        else:
            self._generator = LinearGenerator(config.random_bits)
        secrets = 0
        for _ in range(config.init_draws):
            secrets = (secrets << config.random_bits | self._draw_bits()) \
                & (1 << config.secret_bits) - 1
        drawn = config.index_hash == "drawn"
        self.map = ObliviousMap(config, secrets & (1 << config.seed_bits) - 1 if drawn else None)
        self._key = (secrets >> max(0, config.secret_bits - TAG_BITS)).to_bytes(
            16, "little") if config.sealed else b""
        self.host: dict[int, list[int]] = {}
        self._requests = self._writes = 0
        self._before: dict[int, list[int] | None] = {}
        self._last_pages = [-1, -1]

    def run(self, op: int, key: int, value: int = 0, fault: str = "",
            after: Mapping[str, int] | None = None) -> Response:
        """One command; its response.

        Parameters
        ----------
        op, key, value : int
        fault : str
            What the host does wrong, if anything: ``flip`` a bit of page a, ``replay`` the
            page as it was before, ``swap`` the pages' contents, ``mark`` the wrong beat as the
            last, ``empty`` the pages, or ``late`` answer; or ``dry`` entropy.
        after : mapping of str to int, optional
            Beats of streams that must have been taken before the command is offered.
        """
        config, map_ = self.config, self.map
        port: Stream = config.port("cmd")
        self.beats["cmd"].append(port.pack({"op": op, "key": key, "value": value}))
        self.after["cmd"].append(after or {})
        if map_.fatal and not self.drain:
            return self._respond(Response(map_.fatal, 0, 0))
        if fault == "dry":
            map_.fatal = map_.fatal or RAND_UNDERRUN
            return self._respond(Response(RAND_UNDERRUN, 0, 0))
        if map_.fatal:
            op = DEL
        bits, mask = self._draw_bits(), (1 << config.half_bits) - 1
        draw = Draw(*(bits >> at * config.half_bits & mask for at in range(4)))
        operation = map_.begin(op, key, value, draw)
        pages = [operation.pages[0], operation.pages[1] | 1 << config.half_bits]
        self.trace.append((pages[0], pages[1]))
        plain = self._answer(pages, operation.versions, fault)
        self._requests += 2
        status = self._caught(operation.versions, fault)
        if not status and operation.judge(*plain):
            operation.update_index()
            operation.commit()
            for half, page in enumerate(pages):
                self._before[page] = self.host.get(page)
                self.host[page] = list(operation.written[half])
            self._requests += 2
            self._writes += 2 * config.beats
            self._last_pages = pages
            return self._respond(operation.response)
        operation.abort()
        status = status or HOST_PROTOCOL
        map_.fatal = map_.fatal or status
        return self._respond(Response(status, 0, 0))

    def _caught(self, versions: list[int], fault: str) -> int:
        if fault in ("mark", "late"):
            return HOST_PROTOCOL
        if fault == "swap" or (fault in ("flip", "replay") and versions[0]):
            return FATAL_TAMPER if any(versions) else OK
        return OK

    def _answer(self, pages: list[int], versions: list[int], fault: str) -> list[list[int]]:
        """Offer the beats of both pages, as they are in the host's memory; the plain pages."""
        config = self.config
        plain = [self._contents(page) for page in pages]
        if fault == "empty":
            plain = [[0] * config.beats] * 2
        stored = [self._sealed(page, version, beats)
                  for page, version, beats in zip(pages, versions, plain, strict=True)]
        if fault == "flip":
            bit = int(self.rng.integers(config.beat_width))
            stored[0][int(self.rng.integers(config.beats))] ^= 1 << bit
        elif fault == "replay" and versions[0]:
            old = self._before[pages[0]] or [self.noise() for _ in range(config.beats)]
            stored[0] = self._sealed(pages[0], versions[0] - 1, old)
        elif fault == "swap":
            stored.reverse()
        for half, beats in enumerate(stored):
            needs = {"req": self._requests + half + 1}
            if pages[half] == self._last_pages[half]:
                needs["wdata"] = self._writes
            marks = [row == config.beats - 1 for row in range(config.beats)]
            if fault == "mark":
                marks[0] = not marks[0]
            self.beats["rdata"] += [beat | mark << config.beat_width
                                    for beat, mark in zip(beats, marks, strict=True)]
            self.after["rdata"] += [needs] * config.beats
            # the host's time begins when it has all that it is to write
            late = config.host_latency_max + 5 + _SEALING * config.sealed \
                if fault == "late" and not half else 0
            jitter = self.rng.integers(0, self.jitter + 1, config.beats)
            self.delay["rdata"] += [late + self.latency + int(jitter[0]), *(
                int(extra) * int(self.rng.random() < 0.2) for extra in jitter[1:])]
        return plain

    def _sealed(self, page: int, version: int, plain: list[int]) -> list[int]:
        """A page as it is in memory."""
        config = self.config
        if not config.sealed or not version:
            return list(plain)
        octets = config.beat_width // 8
        text = b"".join(beat.to_bytes(octets, "little") for beat in plain)
        nonce = page.to_bytes(8, "little") + version.to_bytes(8, "little")
        sealed, tag = seal(self._key, nonce, nonce, text[:-TAG_BITS // 8])
        whole = sealed + tag
        return [int.from_bytes(whole[at:at + octets], "little")
                for at in range(0, len(whole), octets)]

    def _respond(self, response: Response) -> Response:
        self.responses.append(response)
        return response

    def _draw_bits(self) -> int:
        if self._generator is not None:
            return self._generator.draw()
        bits = int.from_bytes(self.rng.bytes(16), "little") & (1 << self.config.random_bits) - 1
        self.beats["random"].append(bits)
        return bits

    def noise(self) -> int:
        """A beat of noise."""
        width = self.config.beat_width
        return int.from_bytes(self.rng.bytes(width // 8), "little")

    def _contents(self, page: int) -> list[int]:
        if page not in self.host:
            self.host[page] = [self.noise() for _ in range(self.config.beats)]
        return self.host[page]

    def episode(self, name: str, **options: Any) -> Episode:
        """The episode, from an init on."""
        wires = {"init": INIT, "drain": [int(self.drain)], **options.pop("wires", {})}
        return Episode(name, self.beats, after=self.after, delay=self.delay, wires=wires,
                       **options)
