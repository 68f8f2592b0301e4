"""Records a block's bench, by its compiled cycle model where it has one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec

from pimlico.generators.block import Block
from pimlico.hdl.common.config import BlockConfig
from pimlico.verif.episode import Episode
from pimlico.verif.recording import Chunk, Recording
from pimlico.verif.run import Outcome, Pin

from .verify import Progress

_FIRST = 16


def record(block: Block, config: BlockConfig, stimulus: Iterable[Episode], pins: Sequence[Pin],
           seed: int, cycles: int, report: Progress) -> tuple[Iterator[Chunk], Outcome]:
    """The chunks of a run, and its outcome, which fills as they are taken.

    Parameters
    ----------
    block : Block
    config : BlockConfig
    stimulus : iterable of Episode
    pins : sequence of Pin
        Of the top.
    seed, cycles : int
        As of `Lockstep`.
    report : callable
        Called with what is being done, how much of it is done, and how much there is.
    """
    model = block.load("cycles")(config)
    compiled = block.load("compiled")(config) if block.compiled and find_spec("numba") else None
    if compiled is None:
        plain = Recording(config.ports, pins, model, seed=seed, cycles=cycles)
        return plain.chunks(stimulus), plain.outcome
    # loaded late, for its compiler takes long to load
    from pimlico.verif.compiled_recording import CompiledRecording

    def recording(length: int) -> CompiledRecording:
        return CompiledRecording(config.ports, pins, model, compiled, seed=seed, cycles=length)

    report("model: compiling", 0, 1)
    for _ in recording(_FIRST).chunks([Episode("first", {})]):
        pass
    report("model: compiling", 1, 1)
    whole = recording(cycles)
    return whole.chunks(stimulus), whole.outcome
