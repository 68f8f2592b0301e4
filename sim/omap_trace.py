"""Long runs of the OMAP controller: Verilator beside a host memory in C++, and their trace."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pimlico.generators.omap import BLOCK
from pimlico.generators.verilog import Emitted, emit
from pimlico.hdl.omap.config import OP_BITS, OPS, STATUS_BITS, OmapConfig

from .compiled_run import build, run
from .verify import Progress

_OPTIMISE = ["OPT_FAST=-O2", "OPT_SLOW=-O1", "OPT_GLOBAL=-O2"]
_STALLED = "no response since cycle {cycle}, after {done} of {count}"

_SEALING = 5000
"""Cycles in which pages of any size here are encrypted."""

_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_DRAWS = 1


@dataclass
class Commands:
    """What the user asks for, back to back.

    Attributes
    ----------
    op : np.ndarray
        Shape (n,), uint8: ``NOP``, ``GET``, ``PUT``, ``DEL``.
    key, value : sequence of int or np.ndarray
        n integers; or an array of uint8 of shape (n, octets), least significant octet first.
    """

    op: np.ndarray
    key: Sequence[int] | np.ndarray
    value: Sequence[int] | np.ndarray

    def __len__(self) -> int:
        return len(self.op)


@dataclass
class Trace:
    """What the RTL did. Cycles count from the first one after reset.

    Attributes
    ----------
    requests : np.ndarray
        Shape (m, 3), int64: cycle, page as on the bus, and 1 for a write; in order.
    responses : np.ndarray
        Shape (n, 3), int64: cycle, status, found.
    octets : np.ndarray
        Shape (n, octets of a value), uint8: the values of the responses, least significant
        octet first.
    accepted : np.ndarray
        Shape (n,), int64: the cycle in which each command was taken.
    pending, live, stash : np.ndarray
        Shape (n,), int64: the trusted counters in the cycle of each response.
    cycles : int
        Up to the last beat on any stream.
    peak_pending : int
        Most items that waited in any cycle.
    """

    requests: np.ndarray
    responses: np.ndarray
    octets: np.ndarray
    accepted: np.ndarray
    pending: np.ndarray
    live: np.ndarray
    stash: np.ndarray
    cycles: int
    peak_pending: int

    @cached_property
    def values(self) -> list[int]:
        """The values of the responses."""
        size, whole = self.octets.shape[1], self.octets.tobytes()
        return [int.from_bytes(whole[at:at + size], "little")
                for at in range(0, len(whole), size)]


def run_trace(design: Emitted | None, config: OmapConfig, commands: Commands, *, seed: int,
              latency: int = 1, jitter: int = 0, progress: Progress | None = None) -> Trace:
    """Run commands through the RTL at full rate.

    Commands and random numbers are always there, and every beat of the RTL is taken at once.
    The host answers reads in order, from a memory that takes every write and holds noise where
    nothing was written. So do trusted memories behind ports.

    Parameters
    ----------
    design : Emitted or None
        Verilog of the block; its own if None. A changed one may be given, with the same ports.
    config : OmapConfig
    commands : Commands
    seed : int
        Of the random numbers (see `draws`), noise and jitter; its lowest 64 bits count.
    latency : int
        Cycles from a read request to its first beat, at least 1.
    jitter : int
        Cycles that may be added to it for each read, uniformly drawn.
    progress : callable, optional
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    ValueError
        If a command does not fit the configuration, or the host would answer too early.
    ToolError
        If a tool is missing or fails, or the RTL stops before all commands are answered.
    """
    report = progress or (lambda what, done, total: None)
    if latency < 1 or jitter < 0:
        raise ValueError(f"latency must be at least 1 and jitter at least 0, not {latency} and "
                         f"{jitter}")
    job = _job(config, commands, seed, latency, jitter)
    program = _build(design or emit(BLOCK, config), config, report)
    with tempfile.TemporaryDirectory(prefix="pimlico-") as name:
        folder = Path(name)
        (folder / "job").write_bytes(job)
        told = run(program, folder, len(commands), report, _STALLED)
        return _collect(folder, config, told)


def draws(config: OmapConfig, seed: int, count: int) -> np.ndarray:
    """The random numbers of a run in the order in which the RTL takes them.

    Parameters
    ----------
    config : OmapConfig
        The first ``config.init_draws`` go into its secrets.
    seed : int
        That of `run_trace`.
    count : int

    Returns
    -------
    np.ndarray
        Shape (count, 4), int64: ``miss_a``, ``miss_b``, ``new_a``, ``new_b``.
    """
    words = -(-config.random_bits // 64)
    state = _mix(np.uint64(seed & (1 << 64) - 1) + _mix(np.uint64(_DRAWS)))
    with np.errstate(over="ignore"):
        stream = _mix(state + np.arange(1, count * words + 1, dtype=np.uint64)
                      * np.uint64(_GOLDEN)).reshape(count, words)
    fields = np.empty((count, 4), np.int64)
    for field in range(4):
        word, at = divmod(field * config.half_bits, 64)
        found = stream[:, word] >> np.uint64(at)
        if at + config.half_bits > 64:
            found |= stream[:, word + 1] << np.uint64(64 - at)
        fields[:, field] = found & np.uint64((1 << config.half_bits) - 1)
    return fields


def _mix(z: Any) -> Any:
    """The output function of SplitMix64."""
    with np.errstate(over="ignore"):
        z = (z ^ z >> np.uint64(30)) * np.uint64(_FIRST)
        z = (z ^ z >> np.uint64(27)) * np.uint64(_SECOND)
        return z ^ z >> np.uint64(31)


def _job(config: OmapConfig, commands: Commands, seed: int, latency: int, jitter: int) -> bytes:
    """The file that the program reads."""
    patience = config.clear_words + 2 * (latency + jitter) + config.host_latency_max \
        + 8 * config.beats + _SEALING * config.sealed + 1000
    shape = [seed & (1 << 64) - 1, len(commands), latency, jitter, config.key_width,
             config.value_width, config.random_bits, config.log2_pages, config.beat_width,
             config.beats, OP_BITS, STATUS_BITS, patience]
    ops = np.asarray(commands.op)
    if ops.size and not (ops.min() >= 0 and ops.max() < len(OPS)):
        raise ValueError(f"op must be 0 to {len(OPS) - 1}")
    return b"".join([np.array(shape, np.uint64).tobytes(), ops.astype(np.uint8).tobytes(),
                     _octets("key", commands.key, len(ops), config.key_width),
                     _octets("value", commands.value, len(ops), config.value_width)])


def _octets(name: str, numbers: Sequence[int] | np.ndarray, count: int, width: int) -> bytes:
    size = -(-width // 8)
    if len(numbers) != count:
        raise ValueError(f"{name} must be {count} numbers, not {len(numbers)}")
    if isinstance(numbers, np.ndarray) and numbers.ndim == 2:
        if numbers.shape[1] != size or numbers.dtype != np.uint8 \
                or (numbers[:, -1].astype(int) >> (width - 1) % 8 + 1).any():
            raise ValueError(f"{name} must be of {width} bits, in {size} octets")
        return numbers.tobytes()
    if isinstance(numbers, np.ndarray) and numbers.dtype != object:
        wide = numbers.astype(np.uint64)
        if count and (numbers.min() < 0 or (width < 64 and int(wide.max()) >> width)):
            raise ValueError(f"{name} must be of {width} bits")
        octets = np.zeros((count, max(8, size)), np.uint8)
        octets[:, :8] = wide.astype("<u8").view(np.uint8).reshape(count, 8)
        return octets[:, :size].tobytes()
    if any(number < 0 or number >> width for number in numbers):
        raise ValueError(f"{name} must be of {width} bits")
    return b"".join(int(number).to_bytes(size, "little") for number in numbers)


def _build(design: Emitted, config: OmapConfig, report: Progress) -> Path:
    """The program for a design, built or found built before."""
    return build(design, "omap_trace.cpp", report, optimise=_OPTIMISE,
                 flags=["-DRANDOM"] if config.entropy == "stream" else [],
                 headers={"memories.h": _memories(config)})


def _memories(config: OmapConfig) -> str:
    """The header that tells the program of the memories behind ports."""
    behind = config.memories if config.trusted == "port" else {}
    listed = " ".join(f"MEMORY({name}, {words}, {bits})"
                      for name, (words, bits) in behind.items())
    return f"#define TRUSTED_LATENCY {config.trusted_latency}\n#define MEMORIES {listed}\n"


def _collect(folder: Path, config: OmapConfig, told: dict[str, list[int]]) -> Trace:
    def read(name: str, columns: int, kind: type = np.int64) -> np.ndarray:
        return np.fromfile(folder / name, kind).reshape(-1, columns)

    counters = read("counters", 3)
    return Trace(
        requests=read("requests", 3), responses=read("responses", 3),
        octets=read("values", -(-config.value_width // 8), np.uint8),
        accepted=read("accepted", 1)[:, 0], pending=counters[:, 0], live=counters[:, 1],
        stash=counters[:, 2], cycles=told["cycles"][0], peak_pending=told["peak"][0])
