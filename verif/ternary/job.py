"""A job of the ternary core: what its `cfg` beat says, and the `o` beats that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pimlico.hdl.ternary.config import BLOCK, KEY_BITS, TAG_BITS, TernaryConfig

from ..bits import pack, unpack
from .formats import activation_order, decode_beats
from .tile import results

Array = npt.NDArray[Any]


class Job(NamedTuple):
    """An accepted `cfg` beat and what follows from it."""

    n: int
    m: int
    tag: int
    scale: dict[str, Array]
    tile_beats: int
    tiles: int


def refusal(config: TernaryConfig, n: int, m: int) -> int:
    """The status code of a job's size; 0 if it is accepted."""
    return (1 if n == 0 else 2 if n > config.n_max else 3 if m == 0
            else 4 if m > config.m_max else 5 if config.block_format and n % BLOCK else 0)


class JobPort:
    """Reads `cfg` payloads."""

    def __init__(self, config: TernaryConfig):
        self._config = config
        self._port = config.port("cfg")
        self._n, self._m, self._tag = (
            (self._port.offset(name), (1 << width) - 1) for name, width in (
                ("n", config.n_bits), ("m", config.m_bits), ("tag", TAG_BITS)))
        self._scales = [field.name for field in config.scale_fields]

    def read(self, payload: int) -> tuple[int, Job | None]:
        """The status code of a payload, and its job if that is 0."""
        config = self._config
        n, m, tag = (payload >> at & mask for at, mask in (self._n, self._m, self._tag))
        code = refusal(config, n, m)
        if code:
            return code, None
        cfg = self._port.unpack(payload) if self._scales else {}
        scale = {name: np.atleast_1d(cfg[name]) for name in self._scales}
        return 0, Job(n, m, tag, scale, config.tile_beats(n), -(-m // config.keys))


class ResultPort:
    """Makes `o` payloads."""

    def __init__(self, config: TernaryConfig):
        self._config = config
        self._keep, self._tag, self._last = map(config.port("o").offset, ("keep", "tag", "last"))

    def payload(self, job: Job, tile: int, a: Sequence[int], w: Sequence[int],
                addend: int | None) -> int:
        """The payload of a row tile.

        Parameters
        ----------
        job : Job
        tile : int
            Number of the row tile in the job.
        a, w : sequence of int
            Its payloads, ``job.tile_beats`` each.
        addend : int or None
            Its payload, where there is that stream.
        """
        config = self._config
        x = unpack(a, config.act_bits, config.batch * config.columns, signed=not config.floating)
        x = x.reshape(len(a), config.batch, config.columns)
        order = activation_order(config, job.n).reshape(-1, 1, config.columns)
        x = np.where(order < 0, 0, x)
        added = None if addend is None else unpack(
            [addend], config.addend_width, config.batch * config.keys,
            signed=not config.floating).reshape(config.batch, config.keys)
        lanes = results(config, decode_beats(config, w)[0], x, added, job.scale).reshape(1, -1)
        return pack(lanes, config.out_bits)[0] | self.tail(job, tile)

    def tail(self, job: Job, tile: int) -> int:
        """What a payload has beside its results."""
        rows = min(self._config.keys, job.m - tile * self._config.keys)
        return ((1 << rows) - 1 << self._keep | job.tag << self._tag
                | (tile == job.tiles - 1) << self._last)


class CodeCheck:
    """Whether a weight beat holds a code for no weight, in a few wide integer operations."""

    def __init__(self, config: TernaryConfig):
        symbol, self.bits, self.limit = {
            "keys": (KEY_BITS[config.mu], KEY_BITS[config.mu] - 1, config.entries),
            "base3x5": (8, 8, 242),
            "tq1_0": (8, 8, 255),
        }.get(config.weight_format, (2, 2, 2))
        total = config.keys * config.weight_bits
        self.ones = sum(1 << position for position in range(0, total, symbol))

    def bad(self, word: int) -> bool:
        above, equal = 0, self.ones
        for bit in reversed(range(self.bits)):
            ones = word >> bit & self.ones
            if self.limit >> bit & 1:
                equal &= ones
            else:
                above |= equal & ones
                equal &= ~ones
        return above != 0
