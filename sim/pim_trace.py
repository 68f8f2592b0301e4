"""Long runs of the PIM channel: Verilator plays commands and data to it, and keeps a trace."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from pimlico.generators.verilog import Emitted
from pimlico.hdl.pim.config import COUNTS, PimConfig
from pimlico.verif.pim.play import OUTPUTS, Beats, Played, Trace, octets

from .compiled_run import build, run
from .verify import Progress

_OPTIMISE = ["OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O1"]
"""Of many multipliers: more would cost minutes, and save seconds."""

_STALLED = "nothing moves since cycle {cycle}, after {done} of {count} commands"


def run_trace(config: PimConfig, played: Played, design: Emitted,
              progress: Progress | None = None) -> Trace:
    """Play commands to the RTL; with `design` bound, a ``Player``.

    Parameters
    ----------
    config : PimConfig
    played : Played
    design : Emitted
        Verilog of ``pim-channel`` or ``pim-bank`` under `config`.
    progress : callable, optional
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    ValueError
        If there are not as many times as commands, or payloads have another width.
    ToolError
        If a tool is missing or fails, or the channel stops before it has taken all commands.
    """
    report = progress or (lambda what, done, total: None)
    job = _job(config, played)
    program = _build(design, config, report)
    with tempfile.TemporaryDirectory(prefix="pimlico-") as name:
        folder = Path(name)
        (folder / "job").write_bytes(job)
        told = run(program, folder, len(played.at), report, _STALLED)
        taken = {name: Beats(np.fromfile(folder / f"{name}.cycles", np.int64),
                             np.fromfile(folder / f"{name}.octets", np.uint8).reshape(
                                 -1, octets(config, name))) for name in OUTPUTS}
        counts = {name: told[name][0] for name in COUNTS} if config.pq else None
        return Trace(accepted=np.fromfile(folder / "accepted", np.int64), cycles=told["cycles"][0],
                     beats=told["beats"][0], counts=counts, **taken)


def _job(config: PimConfig, played: Played) -> bytes:
    """The file that the program reads."""
    count, t = len(played.at), config.timing
    widths = {"cmd": played.commands, "wdata": played.data}
    for name, given in widths.items():
        if given.ndim != 2 or given.shape[1] != octets(config, name) or given.dtype != np.uint8:
            raise ValueError(f"{name} must be of {octets(config, name)} octets a beat")
    if len(played.commands) != count:
        raise ValueError(f"{count} times for {len(played.commands)} commands")
    pauses = np.diff(played.at.astype(np.int64), prepend=0)
    patience = 2 * (t.trefi + t.trfc) + int(pauses.max(initial=0)) + 1000
    shape = [count, octets(config, "cmd"), len(played.data), octets(config, "wdata"), patience]
    return b"".join([np.array(shape, np.uint64).tobytes(), played.at.astype(np.uint64).tobytes(),
                     played.commands.tobytes(), played.data.tobytes()])


def _build(design: Emitted, config: PimConfig, report: Progress) -> Path:
    """The program for a design, built or found built before."""
    flags = [f"-D{name.upper()}_OCTETS={octets(config, name)}" for name in OUTPUTS]
    return build(design, "pim_trace.cpp", report, optimise=_OPTIMISE,
                 flags=[*flags, "-DCOUNTS"] if config.pq else flags)
