"""Recorded lockstep played to a compiled design: the bench's comparison at Verilator's speed."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from pimlico.generators.verilog import Emitted
from pimlico.hdl.common.ports import Port
from pimlico.verif.mismatch import describe_mismatch
from pimlico.verif.recording import Chunk, Octets, guard, octets
from pimlico.verif.run import Pin

from .compiled_run import build
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
        self._actual = np.zeros(sum(map(octets, self._outputs)), np.uint8)

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
        return None if first == count else first

    def write_coverage(self, path: Path) -> None:
        """Write Verilator's counts to a file, if the library was built to count."""
        self._library.bench_coverage(self._bench, ctypes.c_char_p(str(path).encode()))

    def explain(self, chunk: Chunk, cycle: int) -> str:
        """What differed in the cycle that `play` found."""
        values, position = {}, 0
        for pin in self._outputs:
            value = int.from_bytes(self._actual[position:position + octets(pin)], "little")
            values[pin.name] = format(value, f"0{pin.width}b")
            position += octets(pin)
        number, _, expected = chunk.cycles[cycle]
        episode, first = chunk.episode[cycle]
        return describe_mismatch(self._ports, self._pins, values, expected,
                                 chunk.cycles[max(0, cycle + 1 - _HISTORY):cycle + 1], episode,
                                 number, first)


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
    inputs, outputs = [], []
    position = 0
    for pin in pins:
        if pin.direction == "input" and pin.role != "clk":
            inputs.append(f"X({pin.name}, {octets(pin)}, {position})")
            position += octets(pin)
    input_octets, position = position, 0
    places = {}
    for pin in pins:
        if pin.direction == "output":
            places[pin.stream, pin.role] = position
            position += octets(pin)
    for pin in pins:
        if pin.direction == "output":
            place = places[pin.stream, pin.role]
            said = guard(ports[pin.stream or ""], pin)
            at = -1
            if said is not None:
                at = places[said, "wire"] if pin.role == "wire" else places[pin.stream, "tvalid"]
            outputs.append(f"X({pin.name}, {octets(pin)}, {place}, {at})")
    return "\n".join([
        "#pragma once", f"constexpr int kInputOctets = {input_octets};",
        f"constexpr int kOutputOctets = {position};",
        "#define INPUTS(X) " + " ".join(inputs), "#define OUTPUTS(X) " + " ".join(outputs), ""])


def _address(array: Octets) -> ctypes.c_void_p:
    assert array.flags.c_contiguous and array.dtype == np.uint8
    return ctypes.c_void_p(array.ctypes.data)
