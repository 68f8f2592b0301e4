"""Commands at given cycles, what came of them, and a player on the cycle model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pimlico.hdl.common.ports import Stream
from pimlico.hdl.pim.config import COUNTS, PimConfig

from ..bits import unpack_bytes
from .cycles import PimCycles

Array = npt.NDArray[Any]

OUTPUTS = ("rdata", "result", "status")


@dataclass
class Played:
    """Commands to play, and the data that they write.

    Attributes
    ----------
    at : int64 array of shape (n,)
        Cycle from which each command is offered, until it is taken. Cycles count from the first
        one after reset.
    commands : uint8 array of shape (n, octets)
        Payloads of ``cmd``, least significant octet first.
    data : uint8 array of shape (beats, octets)
        Payloads of ``wdata``, which are always there, in order.
    """

    at: Array
    commands: Array
    data: Array


@dataclass
class Beats:
    """Beats of an output stream, taken at once.

    Attributes
    ----------
    cycles : int64 array of shape (n,)
    octets : uint8 array of shape (n, octets)
        Payloads, least significant octet first.
    """

    cycles: Array
    octets: Array


@dataclass
class Trace:
    """What a channel did.

    Attributes
    ----------
    accepted : int64 array of shape (n,)
        The cycle in which each command was taken; if legal then, it acts in the next one.
    rdata, result, status : Beats
    cycles : int
        Up to the last one in which anything moved.
    beats : int
        Beats of ``wdata`` that were taken.
    counts : dict of str to int, optional
        With product quantization, what the counters of the channel show in the end, by the names
        of their ports.
    """

    accepted: Array
    rdata: Beats
    result: Beats
    status: Beats
    cycles: int
    beats: int
    counts: dict[str, int] | None = None


Player = Callable[[PimConfig, Played], Trace]
"""Plays to a channel of a configuration, RTL or model."""


def octets(config: PimConfig, name: str) -> int:
    """Octets of a payload of a stream."""
    port: Stream = config.port(name)
    return -(-port.width // 8)


def payloads(port: Stream, values: dict[str, Array]) -> Array:
    """Payloads of many beats.

    Parameters
    ----------
    port : Stream
        With fields of one lane.
    values : dict of str to integer array of shape (n,)
        Of each field, non-negative.

    Returns
    -------
    uint8 array of shape (n, octets)
        Least significant octet first.
    """
    bits = [(values[field.name].astype(np.int64)[:, None] >> np.arange(field.width) & 1)
            for field in port.fields]
    return np.packbits(np.concatenate(bits, axis=1).astype(np.uint8), axis=1, bitorder="little")


def field_of(port: Stream, raw: Array, name: str) -> Array:
    """A field of one lane in many payloads.

    Parameters
    ----------
    port : Stream
    raw : uint8 array of shape (n, octets)
    name : str

    Returns
    -------
    int64 array of shape (n,)
    """
    field = next(field for field in port.fields if field.name == name)
    start = port.offset(name)
    bits = np.unpackbits(raw, axis=1, bitorder="little")[:, start:start + field.width]
    return bits.astype(np.int64) @ (1 << np.arange(field.width))


def play(config: PimConfig, played: Played) -> Trace:
    """Play commands to the cycle model.

    Raises
    ------
    ValueError
        If the model stops before it has taken all commands.
    """
    model = PimCycles(config)
    commands = [int.from_bytes(each.tobytes(), "little") for each in played.commands]
    data = [int.from_bytes(each.tobytes(), "little") for each in played.data]
    ports = {name: config.port(name) for name in OUTPUTS}
    taken: dict[str, list[tuple[int, int]]] = {name: [] for name in OUTPUTS}
    accepted: list[int] = []
    now = active = moved = beat = 0
    while len(accepted) < len(commands) or not model.idle:
        offers = len(accepted) < len(commands) and now >= played.at[len(accepted)]
        inputs = {"cmd_valid": int(offers), "cmd_payload": commands[len(accepted)] if offers else 0,
                  "wdata_valid": int(beat < len(data)),
                  "wdata_payload": data[beat] if beat < len(data) else 0,
                  **{f"{name}_ready": 1 for name in OUTPUTS}}
        values = model.outputs(inputs)
        came = [name for name in OUTPUTS if values[f"{name}_valid"]]
        for name in came:
            taken[name].append((now, values[f"{name}_payload"]))
        takes = bool(values["wdata_ready"] and inputs["wdata_valid"])
        model.tick(inputs)
        beat += takes
        if offers and values["cmd_ready"]:
            accepted.append(now)
            moved = now
        if takes or came:
            moved = now
        if now == moved or not model.idle:
            active = now
        begun = max(moved, played.at[min(len(accepted), len(commands) - 1)])
        if now > begun + model.patience:
            raise ValueError(f"nothing moves since cycle {moved}, after {len(accepted)} of "
                             f"{len(commands)} commands")
        now += 1
    beats = {name: Beats(np.array([cycle for cycle, _ in each], np.int64),
                         unpack_bytes([word for _, word in each], ports[name].width)
                         .reshape(-1, octets(config, name)))
             for name, each in taken.items()}
    return Trace(accepted=np.array(accepted, np.int64), cycles=active + 1, beats=beat,
                 counts=_counts(config, model), **beats)


def _counts(config: PimConfig, model: PimCycles) -> dict[str, int] | None:
    if not config.pq:
        return None
    shown = model.outputs({"cmd_valid": 0, "wdata_valid": 0,
                           **{f"{name}_ready": 0 for name in OUTPUTS}})
    return {name: shown[name] for name in COUNTS}
