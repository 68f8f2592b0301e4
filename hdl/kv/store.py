"""The memory of the rows: what any kind of it takes and gives."""

from __future__ import annotations

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import KvConfig


def store_signature(config: KvConfig) -> wiring.Signature:
    """Ports of a store: a beat enters the memory stage, then moves to the output register.

    ``enter``: at this edge a beat enters the memory stage. It is described by ``stream`` (its
    data are in ``data``, else in the memory), ``keep`` (streamed, and stored as well), ``bank``
    and ``offset`` (of its word), ``phase`` (its place in the word), ``row`` (its row's number
    among those of all sequences), ``first`` and ``end`` (of its row) and ``broken`` (the beats
    of its row stored so far are void: the row will not be completed).
    ``load``: at this edge the beat in the memory stage moves to ``o``, as zeros with ``hole``.
    ``wipe``: at this edge ``o`` and the memory stage become zeros; comes with ``load`` and with
    an ``enter`` that is not ``stream``.
    ``settled``: everything kept is in the memory.
    """
    return wiring.Signature({
        "enter": In(1), "stream": In(1), "keep": In(1), "data": In(config.beat_bits),
        "bank": In(range(config.banks)), "offset": In(range(config.bank_words)),
        "phase": In(range(config.pack)), "row": In(range(config.sequences * config.tokens)),
        "first": In(1), "end": In(1), "broken": In(1),
        "load": In(1), "hole": In(1), "wipe": In(1),
        "o": Out(config.beat_bits), "settled": Out(1),
    })
