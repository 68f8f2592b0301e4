"""Recorded lockstep played to a compiled design: the bench's comparison at Verilator's speed."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from pimlico.generators.block import Block
from pimlico.generators.verilog import Emitted, emit
from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.ports import Port
from pimlico.verif.mismatch import Cycle, describe_mismatch
from pimlico.verif.recording import Chunk, Octets, guard
from pimlico.verif.rows import octets, places
from pimlico.verif.run import Pin, load_object

from .compiled_run import build
from .recorder import record
from .verify import Progress

_OPTIMISE = ["OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O2"]
_HISTORY = 8


class Player:
    """A design compiled to be played recordings; one instance, from power-up on.

    Parameters
    ----------
    library : Path
        Of `build_player`.
    ports : sequence of Port
        The component's.
    pins : sequence of Pin
        The top's, as recorded.
    seed : int
        Of the state before anything is written.
    mutant : int
        Value of the input that chooses a mutant, where the design has one.
    """

    def __init__(self, library: Path, ports: Sequence[Port], pins: Sequence[Pin], *,
                 seed: int = 1, mutant: int = 0):
        self._library = ctypes.CDLL(str(library))
        self._library.bench_make.restype = ctypes.c_void_p
        self._library.bench_replay.restype = ctypes.c_int64
        self._ports = {port.name: port for port in ports}
        self._pins = pins
        self._outputs = [pin for pin in pins if pin.direction == "output"]
        self._bench = ctypes.c_void_p(self._library.bench_make(ctypes.c_uint64(seed)))
        self._library.bench_select(self._bench, ctypes.c_uint32(mutant))
        self._before: list[Cycle] = []
        self._actual = np.zeros(sum(octets(pin.width) for pin in self._outputs), np.uint8)

    def __enter__(self) -> Player:
        return self

    def __exit__(self, *reason: object) -> None:
        self._library.bench_end(self._bench)

    def play(self, chunk: Chunk) -> int | None:
        """The first cycle of the chunk whose outputs differ; None where they all agree."""
        count = len(chunk.compared)
        first = self._library.bench_replay(
            self._bench, ctypes.c_int64(count), *map(_address, (
                chunk.inputs, chunk.expected, chunk.compared, self._actual)))
        if first < count:
            return first
        self._before = _compared(chunk, count)
        return None

    def write_coverage(self, path: Path) -> None:
        """Write Verilator's counts to a file, if the library was built to count."""
        self._library.bench_coverage(self._bench, ctypes.c_char_p(str(path).encode()))

    def explain(self, chunk: Chunk, cycle: int) -> str:
        """What differed in the cycle that `play` found."""
        values, position = {}, 0
        for pin in self._outputs:
            value = int.from_bytes(self._actual[position:position + octets(pin.width)], "little")
            values[pin.name] = format(value, f"0{pin.width}b")
            position += octets(pin.width)
        number, _, expected = chunk.cycles[cycle]
        episode, first = chunk.episode[cycle]
        history = [*self._before, *_compared(chunk, cycle + 1)][-_HISTORY:]
        return describe_mismatch(self._ports, self._pins, values, expected, history, episode,
                                 number, first)


def replay(block: Block, config: BlockConfig, *, cycles: int, seed: int,
           design: Emitted | None = None, stimulus: str | None = None,
           progress: Progress | None = None) -> dict[str, Any]:
    """Run a block against its cycle model as `verify` does, but recorded first and then played.

    The same seed gives the same stimulus, comparisons and verdict as cocotb with Verilator.

    Parameters
    ----------
    block : Block
    config : BlockConfig
    cycles, seed : int
        As of `verify`.
    design : Emitted, optional
        Verilog to check instead of the block's own.
    stimulus : str, optional
        ``module:object`` of a `Stimulus` to use instead of the block's own.
    progress : callable, optional
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    dict
        ``passed``, ``failure`` (text or None), ``cycles``, ``comparisons``, ``episodes``,
        ``traffic`` by stream, and ``cycles_per_second``. Of a run that fails the counts are those
        of its recording.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    report = progress or (lambda what, done, total: None)
    design = design or emit(block, config)
    library = build_player(design, config.ports, report)
    make = load_object(stimulus) if stimulus else block.load("stimulus")
    pins = pins_of(design)
    chunks, outcome = record(block, config, make(config, np.random.default_rng(seed)), pins, seed,
                             cycles, report)
    failure, begun = None, perf_counter()
    with Player(library, config.ports, pins, seed=seed) as player:
        for chunk, cycle in _played(player, chunks):
            report("replay: running", outcome.cycles, cycles)
            if cycle is not None:
                failure = player.explain(chunk, cycle)
                break
    seconds = perf_counter() - begun
    return {"passed": failure is None and outcome.comparisons > 0, "failure": failure,
            "cycles": outcome.cycles, "comparisons": outcome.comparisons,
            "episodes": outcome.episodes,
            "traffic": {stream: asdict(carried) for stream, carried in outcome.traffic.items()},
            "cycles_per_second": round(outcome.cycles / seconds)}


def _played(player: Player, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, int | None]]:
    """Chunks, and the cycle that `play` finds in each; one is played while the next is made."""
    with ThreadPoolExecutor(1) as pool:
        last: tuple[Chunk, Future[int | None]] | None = None
        for chunk in chunks:
            if last is not None:
                yield last[0], last[1].result()
            last = chunk, pool.submit(player.play, chunk)
        if last is not None:
            yield last[0], last[1].result()


def pins_of(design: Emitted) -> list[Pin]:
    """The ports of a design as the bench is told them."""
    return [Pin(**asdict(port)) for port in design.ports]


def build_player(design: Emitted, ports: Sequence[Port], report: Progress,
                 mutants: str = "", coverage: bool = False) -> Path:
    """The library of a design, built or found built before.

    Parameters
    ----------
    design : Emitted
    ports : sequence of Port
        The component's.
    report : callable
        Called with what is being done, how much of it is done, and how much there is.
    mutants : str
        Name of an input beside the ports that chooses a mutant.
    coverage : bool
        Count the coverage, for `Player.write_coverage`.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    flags = [f"-DMUTANTS={mutants}"] if mutants else []
    options = ["--coverage-line", "--coverage-toggle"] if coverage else []
    pins = [pin for pin in pins_of(design) if pin.name != mutants]
    return build(design, "replay.cpp", report, optimise=_OPTIMISE, flags=flags, options=options,
                 library=True, headers={"pins.h": _header(pins, {port.name: port
                                                                 for port in ports})})


def _header(pins: Sequence[Pin], ports: Mapping[str, Port]) -> str:
    """The pins as macros that the library expands: name, octets, place in a row, and guard."""
    put, input_octets = places(pins, "input")
    shown, output_octets = places(pins, "output")
    inputs = [f"X({pin.name}, {octets(pin.width)}, {put[pin.stream, pin.role]})"
              for pin in pins if pin.direction == "input" and pin.role != "clk"]
    outputs = []
    for pin in pins:
        if pin.direction == "output":
            said = guard(ports[pin.stream or ""], pin)
            at = -1 if said is None else shown[
                (said, "wire") if pin.role == "wire" else (pin.stream, "tvalid")]
            outputs.append(f"X({pin.name}, {octets(pin.width)}, {shown[pin.stream, pin.role]}, "
                           f"{at})")
    return "\n".join([
        "#pragma once", f"constexpr int kInputOctets = {input_octets};",
        f"constexpr int kOutputOctets = {output_octets};",
        "#define INPUTS(X) " + " ".join(inputs), "#define OUTPUTS(X) " + " ".join(outputs), ""])


def _compared(chunk: Chunk, end: int) -> list[Cycle]:
    """The last compared cycles before the cycle `end` of a chunk."""
    begin = max(0, end - _HISTORY - 2)
    return [cycle for cycle, compared in zip(chunk.cycles[begin:end], chunk.compared[begin:end],
                                             strict=True) if compared]


def _address(array: Octets) -> ctypes.c_void_p:
    assert array.flags.c_contiguous and array.dtype == np.uint8
    return ctypes.c_void_p(array.ctypes.data)
