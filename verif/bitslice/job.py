"""Jobs as cfg beats ask for them, and where their operands and results lie."""

from __future__ import annotations

import numpy as np

from pimlico.hdl.bitslice.config import DRAFT, FULL, KEEP, PRELOAD, REFINE, ZERO, BitsliceConfig

from ..bits import Array
from .golden import Job, positions_of

JUDGING = 2
"""Cycles from a cfg beat to the one in which its job begins or is refused."""


class Jobs:
    """What a configuration makes of jobs.

    Parameters
    ----------
    config : BitsliceConfig
    """

    def __init__(self, config: BitsliceConfig):
        self.config = config
        self._cfg = config.port("cfg")
        self.operands = ("a", "w", "w_low") if config.nested else ("a", "w")

    def reads(self, job: Job) -> tuple[str, ...]:
        """Streams that bring a beat for each step along K."""
        if not self.config.nested or job.mode.w != 8:
            return ("a", "w")
        return {FULL: ("a", "w", "w_low"), DRAFT: ("a", "w"), REFINE: ("a", "w_low")}[job.nest]

    def positions(self, job: Job) -> int:
        """Digits of a weight."""
        return len(positions_of(self.config, job))

    def judge(self, payload: int, kept_k: int = 0) -> tuple[Job, int]:
        """The job of a cfg beat, and the code with which it is refused, 0 if it is not.

        Parameters
        ----------
        kept_k : int
            Products in each of the results before; 0 when there are none.
        """
        config = self.config
        cfg = self._cfg.unpack(payload)
        number, length, group = cfg["mode"], cfg["length"], cfg.get("group_len", 0)
        known = number < len(config.modes)
        mode = config.mode[number if known else 0]
        nest, start = cfg.get("nest", FULL), cfg.get("start", ZERO)
        a_signed = bool(cfg.get("a_signed", config.a_signed == "signed"))
        w_signed = bool(cfg.get("w_signed", config.w_signed == "signed"))
        beat_k = config.beat_k if config.dataflow == "os" else 1
        code = 0
        if length == 0:
            code = 1
        elif length > config.length_max:
            code = 2
        elif length % beat_k:
            code = 3
        elif group and (group & group - 1 or group < beat_k or length % group):
            code = 4
        elif not known:
            code = 5
        elif cfg["tiles"] == 0:
            code = 6
        elif nest > REFINE or (nest != FULL and mode.w != 8):
            code = 7
        elif self._bad_start(start, cfg["tiles"], group, length, kept_k):
            code = 8
        return Job(mode, length, group, cfg["tiles"], a_signed, w_signed, nest, start,
                   _value(cfg.get("a_zero", 0), mode.a, a_signed),
                   _value(cfg.get("w_zero", 0), mode.w, w_signed)), code

    def _bad_start(self, start: int, tiles: int, group: int, length: int, kept_k: int) -> bool:
        if start == ZERO:
            return False
        config = self.config
        if config.dataflow == "ws":
            return start != PRELOAD
        if tiles != 1 or group:
            return True
        if start == KEEP:
            return kept_k == 0 or kept_k + length > config.max_k
        return start != PRELOAD or not config.preload

    def lanes(self, tile: Array, job: Job) -> Array:
        """Results as the beats of a tile carry them.

        Parameters
        ----------
        tile : int64 array of shape (rows, cols * products of the mode)

        Returns
        -------
        int64 array of shape (bands, results)
        """
        config = self.config
        products = config.products_of(job.mode.w, job.nest)
        places = np.zeros((config.drain_adders, config.bands, config.cols, config.products),
                          np.int64)
        places[..., :products] = tile.reshape(config.drain_adders, config.bands, config.cols,
                                              products)
        return places.transpose(1, 0, 2, 3).reshape(config.bands, config.results)


def _value(bits: int, width: int, signed: bool) -> int:
    bits &= (1 << width) - 1
    return bits - (bits >> width - 1 << width) if signed else bits
