"""What the KV history buffer gives, in plain NumPy and free of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.kv.config import (
    CAPACITY,
    EMPTY,
    EXCESS,
    HOLE,
    LAYER,
    LAYER_BITS,
    SEQUENCE,
    SHORTAGE,
    KvConfig,
)

from .quant import quantize, restore

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Layer:
    """One layer of a pass over one sequence.

    Attributes
    ----------
    sequence, layer : int
    executed : bool array of shape (n_tokens,)
        The mask.
    fresh : integer array of shape (beats, beat_elems)
        The burst: rows of the executed tokens, and of those past the buffer's end. More or
        fewer beats than the mask asks for are errors of the user's that the buffer reports.
    appended : integer array of shape (row_elems,), optional
        The new token's row; any values where the layer did not execute it.
    append : bool, optional
        Whether the layer executed the new token; None without one.
    """

    sequence: int
    layer: int
    executed: Array
    fresh: Array
    appended: Array | None = None
    append: bool | None = None

    @property
    def rows(self) -> int:
        return len(self.executed) + (self.append is not None)


@dataclass(frozen=True)
class Output:
    """What comes of a layer.

    Attributes
    ----------
    data : int64 array of shape (rows, beats, beat_elems)
        Zeros where `hole`.
    fresh, hole : bool array of shape (rows, beats)
        The flags of ``kv``.
    code, row : int
        The first status code, 0 if none, and the row it is about.
    fresh_rows, held_rows, offchip_bytes : int
        The counters of ``done``.
    used : int
        Beats of the burst that were taken for rows.
    """

    data: Array
    fresh: Array
    hole: Array
    code: int
    row: int
    fresh_rows: int
    held_rows: int
    offchip_bytes: int
    used: int


class History:
    """The rows of every sequence as of their last executed layer, and the passes so far.

    Parameters
    ----------
    config : KvConfig
    """

    def __init__(self, config: KvConfig):
        self.config = config
        self._rows = np.zeros((config.sequences, config.tokens, config.row_elems), np.int64)
        self._valid = np.zeros((config.sequences, config.tokens), bool)
        self._next: list[int | None] = [None] * config.sequences

    def reset(self, sequence: int) -> int:
        """Forget a sequence; returns the status code, 0 if it was done."""
        if sequence >= self.config.sequences:
            return SEQUENCE
        self._next[sequence] = None
        return 0

    def refusal(self, sequence: int, layer: int, n_tokens: int, append: bool = False) -> int:
        """The code with which a start is refused while no pass runs, 0 if it is taken."""
        if sequence >= self.config.sequences:
            return SEQUENCE
        if layer not in (0, self._next[sequence]):
            return LAYER
        if n_tokens + append == 0:
            return EMPTY
        if self.config.overflow == "reject" and n_tokens + append > self.config.tokens:
            return CAPACITY
        return 0

    def run(self, job: Layer) -> Output:
        """The outputs of a layer that is not refused; the history moves on."""
        config = self.config
        if job.layer == 0:
            self._valid[job.sequence] = False
        data = np.zeros((job.rows, config.beats, config.beat_elems), np.int64)
        fresh = np.zeros((job.rows, config.beats), bool)
        hole = np.zeros((job.rows, config.beats), bool)
        faults: list[tuple[int, int]] = []
        used = fresh_rows = held_rows = 0
        for row in range(job.rows):
            new, tail = row == len(job.executed), row >= config.tokens
            executed = bool(job.append if new else job.executed[row]) or tail
            if not executed:
                held_rows += self._hold(job.sequence, row, data, hole, faults)
                continue
            beats = (np.asarray(job.appended).reshape(config.beats, -1) if new
                     else job.fresh[used:used + config.beats])
            got = len(beats)
            data[row, :got], fresh[row, :got], hole[row, got:] = beats, True, True
            if not new:
                used += got
                fresh_rows += got == config.beats
            if got < config.beats:
                faults.append((SHORTAGE, row))
            if not tail:
                self._rows[job.sequence, row] = self._stored(data[row].reshape(-1))
                self._valid[job.sequence, row] = got == config.beats
        if 0 < used < len(job.fresh):
            faults.append((EXCESS, 0))
        self._next[job.sequence] = (job.layer + 1) % (1 << LAYER_BITS)
        code, at = faults[0] if faults else (0, 0)
        return Output(data, fresh, hole, code, at, fresh_rows, held_rows,
                      fresh_rows * config.row_bytes + -(-len(job.executed) // 8), used)

    def _hold(self, sequence: int, row: int, data: Array, hole: Array,
              faults: list[tuple[int, int]]) -> bool:
        known = bool(self._valid[sequence, row])
        if known:
            data[row] = self._rows[sequence, row].reshape(self.config.beats, -1)
        else:
            hole[row] = True
            faults.append((HOLE, row))
        return known

    def _stored(self, row: Array) -> Array:
        """A row as it comes back from the memory."""
        bits = self.config.quant_bits
        if not bits:
            return row
        q, zero, scale = quantize(row[None], bits)
        return restore(q, zero, scale, bits)[0]
