"""Handshakes of the ternary LUT GEMM core: what moves in a cycle, without what is carried.

Beats leave every stage in the order in which they came, so control knows nothing of their values.
Plain functions of plain integers, that run as they are or compiled.
"""

from __future__ import annotations

from typing import NamedTuple

from pimlico.hdl.ternary.config import BAD_CODE, BAD_FRAME

HERE, FIRST, LAST = 1, 2, 4
"""Bits of a token, the place of a beat in a stage; the latter two as its row tile has them."""

TOKEN = 3
"""Bits of a token."""


class Shape(NamedTuple):
    """What of a configuration the handshakes depend on; flags, and the stages of the pipeline."""

    rescales: int
    addend: int
    decode: int
    stages: int


class Pins(NamedTuple):
    """Valids of the inputs, and ready of `o`."""

    cfg: int
    a: int
    w: int
    addend: int
    o: int


class Taken(NamedTuple):
    """What the beats on offer say: status code of the `cfg` and its job's size in beats and row
    tiles, ``first`` and ``last`` of the `a`, whether the `w` holds a code for no weight."""

    refusal: int
    tile_beats: int
    tiles: int
    marks: int
    bad_code: int


class State(NamedTuple):
    """Registers. `tiles` is 0 without a job; `stages` holds a token each, the newest lowest."""

    tile_beats: int = 0
    tiles: int = 0
    beat: int = 0
    tile: int = 0
    table: int = 0
    decoded: int = 0
    stages: int = 0
    acc: int = 0
    scaled: int = 0
    result: int = 0
    status: int = 0


class Settled(NamedTuple):
    """What the handshakes of a cycle settle to."""

    step: bool
    advance: bool
    take_keys: bool
    fetch: bool
    take_w: bool
    take_a: bool
    take_cfg: bool
    scale: bool
    leaves: bool
    o_valid: bool
    cfg_ready: bool
    a_ready: bool
    w_ready: bool
    addend_ready: bool


def partial(state: State, shape: Shape) -> int:
    """The token of the partial sum, the last stage of the pipeline."""
    return state.stages >> TOKEN * (shape.stages - 1)


def idle(state: State) -> bool:
    """Whether nothing that was accepted is still to come out."""
    return (state.tiles | state.table | state.stages | state.acc | state.scaled
            | state.result) == 0


def settle(state: State, pins: Pins, shape: Shape) -> Settled:
    """What moves in a cycle.

    Parameters
    ----------
    state : State
    pins : Pins
    shape : Shape

    Returns
    -------
    Settled
        `leaves`: the result's register, or without rescaling the accumulator, is free or freed.
    """
    if shape.rescales:
        leaves = state.result == 0 or pins.o == 1
        scale = state.scaled == 0 or leaves
        acc_free = state.acc == 0 or scale
        o_valid = state.result == 1
    else:
        leaves = state.acc == 0 or pins.o == 1
        scale = False
        acc_free = leaves
        o_valid = state.acc == 1
    token = state.stages >> TOKEN * (shape.stages - 1)
    ready = token != 0 and acc_free
    addend_ready = shape.addend == 1 and ready and token & FIRST != 0
    step = ready and (not addend_ready or pins.addend == 1)
    advance = token == 0 or step

    take_keys = state.table != 0 and advance
    if shape.decode:
        fetch = take_keys and state.decoded == 1
        w_ready = state.decoded == 0 or take_keys
    else:
        fetch = take_keys and pins.w == 1
        w_ready = take_keys
    a_ready = state.tiles != 0 and (state.table == 0 or fetch)
    take_a = a_ready and pins.a == 1
    finish = take_a and state.beat == state.tile_beats - 1 and state.tile == state.tiles - 1
    cfg_ready = state.tiles == 0 or finish
    return Settled(step, advance, take_keys, fetch, w_ready and pins.w == 1, take_a,
                   cfg_ready and pins.cfg == 1, scale, leaves, o_valid, cfg_ready, a_ready,
                   w_ready, addend_ready)


def tick(state: State, now: Settled, clear: int, taken: Taken, shape: Shape) -> State:
    """The state after the clock edge.

    Parameters
    ----------
    state : State
    now : Settled
        Of the cycle that ends.
    clear : int
        ``status_clear``.
    taken : Taken
        What does not belong to a beat that is taken is not looked at.
    shape : Shape
    """
    token = state.stages >> TOKEN * (shape.stages - 1)
    acc, scaled, result = state.acc, state.scaled, state.result
    if shape.rescales:
        if now.leaves:
            result = scaled
        if now.scale:
            scaled, acc = acc, 0
    elif now.leaves:
        acc = 0
    if now.step:
        acc = 1 if token & LAST else 0

    stages = state.stages
    if now.advance:
        stages = (stages << TOKEN | (state.table if now.fetch else 0)) & (
            (1 << TOKEN * shape.stages) - 1)
    decoded = 1 if now.take_w and shape.decode else 0 if now.take_keys else state.decoded

    event = BAD_CODE if now.take_w and taken.bad_code else 0
    table = 0 if now.fetch else state.table
    tile_beats, tiles, beat, tile = state.tile_beats, state.tiles, state.beat, state.tile
    if now.take_a:
        marks = (1 if beat == 0 else 0) | (2 if beat == tile_beats - 1 else 0)
        if taken.marks != marks:
            event = BAD_FRAME
        table = HERE | marks << 1
        beat += 1
        if beat == tile_beats:
            beat = 0
            tile += 1
            if tile == tiles:
                tiles = 0
    if now.take_cfg:
        if taken.refusal:
            event = taken.refusal
        else:
            tile_beats, tiles, beat, tile = taken.tile_beats, taken.tiles, 0, 0
    status = event if state.status == 0 or clear else state.status
    return State(tile_beats, tiles, beat, tile, table, decoded, stages, acc, scaled, result,
                 status)
