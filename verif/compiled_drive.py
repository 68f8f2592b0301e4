"""What drives the streams and wires of a block, as `drive` does, in machine code.

Functions take the few arrays that they need: every array handed on costs time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np

from .drive import DRAIN
from .episode_arrays import DRAWS, Bench
from .rows import Array

ON, DONE, STUCK = 0, 1, 2
"""What `ended` says."""

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Machine code for a function of numbers, arrays and named tuples of them.

    It is made anew in every process: a copy kept on disk would not see that a function of
    another module, which it calls, has changed.
    """
    return cast(Function, numba.njit(function))


@compiled
def put(bench: Bench, sources: int, rng: np.random.Generator) -> None:
    """The inputs of the next cycle: sources offer, sinks decide, wires change."""
    streams, inputs = bench.streams, bench.inputs
    bench.still[0] += 1
    for number in range(len(streams)):
        stream = streams[number]
        if number >= sources:
            inputs[stream.ready] = _draw(streams, bench.draws, number, rng)
        elif stream.free:
            offers = (stream.left > 0 and _draw(streams, bench.draws, number, rng)
                      and _open(streams, bench.numbers, number))
            _offer(streams, bench.octets, inputs, number, offers)
    for number in range(len(bench.wires)):
        wire = bench.wires[number]
        for octet in range(wire.size):
            inputs[wire.at + octet] = bench.octets[wire.base + wire.turn * wire.size + octet]
        wire.turn = wire.turn + 1 if wire.turn + 1 < wire.values else 0


@compiled
def _draw(streams: Array, draws: Array, number: int, rng: np.random.Generator) -> bool:
    stream = streams[number]
    if stream.chance >= 1:
        return True
    if stream.drawn == DRAWS:
        draws[number, :] = rng.random(DRAWS) < stream.chance
        stream.drawn = 0
    stream.drawn += 1
    drawn: bool = draws[number, stream.drawn - 1]
    return drawn


@compiled
def _open(streams: Array, numbers: Array, number: int) -> bool:
    """Whether nothing holds the next beat of a source back."""
    stream = streams[number]
    beat = stream.beats - stream.left
    if stream.gates >= 0:
        first = stream.gates + beat * len(streams)
        for other in range(len(streams)):
            if streams[other].taken < numbers[first + other]:
                return False
    if stream.delays >= 0 and numbers[stream.delays + beat]:
        numbers[stream.delays + beat] -= 1
        return False
    return True


@compiled
def _offer(streams: Array, octets: Array, inputs: Array, number: int, offers: bool) -> None:
    """Put the next beat of a source, or take back the valid of the last."""
    stream = streams[number]
    if offers:
        start = stream.base + (stream.beats - stream.left) * (stream.size + 1)
        stream.left -= 1
        stream.free = 0
        stream.offered = 1
        inputs[stream.valid] = 1
        for octet in range(stream.size):
            inputs[stream.data + octet] = octets[start + octet]
        if stream.last >= 0:
            inputs[stream.last] = octets[start + stream.size]
    elif stream.offered:
        stream.offered = 0
        inputs[stream.valid] = 0
        for octet in range(stream.size):
            inputs[stream.data + octet] ^= octets[stream.flips + octet]
        if stream.last >= 0:
            inputs[stream.last] ^= octets[stream.flips + stream.size]


@compiled
def take(streams: Array, carried: Array, still: Array, number: int, cycle: int) -> None:
    """Count a beat of a stream."""
    streams[number].taken += 1
    streams[number].free = 1
    if carried[number, 0] == 0:
        carried[number, 1] = cycle
    carried[number, 0] += 1
    carried[number, 2] = cycle
    still[0] = 0


@compiled
def show(streams: Array, outputs: Array, sink: int, valid: bool, payloads: Array) -> None:
    """An output stream's valid, and where it is 1 the next of its payloads."""
    stream = streams[sink]
    outputs[stream.valid] = valid
    for octet in range(stream.size):
        outputs[stream.data + octet] = payloads[stream.taken, octet] if valid else 0
    if stream.last >= 0:
        outputs[stream.last] = payloads[stream.taken, stream.size] if valid else 0


@compiled
def ended(streams: Array, still: Array, idle: bool, patience: int) -> int:
    """Whether the episode goes on after this cycle, is at its end, or stuck.

    An episode that is cut, whose `patience` is 0, does neither.
    """
    if patience == 0 or still[0] == 0:
        return ON
    done = idle
    for number in range(len(streams)):
        done = done and streams[number].left == 0 and streams[number].free == 1
    if done:
        still[1] += 1
        return DONE if still[1] == DRAIN else ON
    return STUCK if still[0] == patience else ON
