"""The cocotb bench of every block: one test, told what to run by the file in ``PIMLICO_RUN``."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Any

import cocotb
import numpy as np
from cocotb import simulator
from cocotb.triggers import GPITrigger

from pimlico.hdl.common.config import BlockConfig

from .episode import Episode
from .lockstep import Lockstep, LockstepError
from .model import CycleModel
from .run import ENVIRONMENT, Outcome, Run, load_object

HALF_PERIOD = 5
"""Simulator steps of half a clock cycle: cycle k of a report begins at step 10 k."""

_NO_DELAY = 3
_PROGRESS_SECONDS = 0.2


class Steps(GPITrigger):
    """Fires when an iterator has ended, having advanced it by one each half clock period.

    A cycle costs two simulator callbacks and no pass of cocotb's scheduler, which would take
    half of the bench's time.
    """

    def __init__(self, steps: Iterator[None]):
        super().__init__()
        self._steps = steps
        self.error: BaseException | None = None

    def _prime(self) -> None:
        self._wait()

    def _wait(self) -> None:
        self._cbhdl = simulator.register_timed_callback(HALF_PERIOD, self._advance)

    def _advance(self) -> None:
        try:
            next(self._steps)
        except StopIteration:
            self._react()
        except BaseException as error:
            self.error = error
            self._react()
        else:
            self._wait()


def reader(handle: Any) -> Callable[[], str]:
    """A function that gives a signal's value in binary, without a `LogicArray` in between."""
    return handle._handle.get_signal_val_binstr


def writer(handle: Any) -> Callable[[str], None]:
    """A function that sets a signal from binary, at once.

    No clock edge can race with it: the bench moves inputs half a period away from the edge.
    """
    return partial(handle._handle.set_signal_val_binstr, _NO_DELAY)


@cocotb.test()
async def lockstep(dut: Any) -> None:
    """Compare the design with its cycle model, and leave an `Outcome`."""
    run = Run.load(Path(os.environ[ENVIRONMENT]))
    result = Path(run.result)
    outcome = Outcome()
    try:
        config: BlockConfig = load_object(run.config)(**run.parameters)
        model: CycleModel = load_object(run.model)(config)
        stimulus = load_object(run.stimulus)(config, np.random.default_rng(run.seed))
        episodes = _at_least_one(stimulus)
        read = {pin.name: reader(getattr(dut, pin.name))
                for pin in run.pins if pin.direction == "output"}
        write = {pin.name: writer(getattr(dut, pin.name))
                 for pin in run.pins if pin.direction == "input"}
        play = Lockstep(config.ports, run.pins, read, write, model, seed=run.seed,
                        cycles=run.cycles, record=run.record,
                        progress=_Progress(result.with_suffix(".progress")))
        outcome = play.outcome
        steps = Steps(play.play(episodes))
        start = perf_counter()
        await steps
        outcome.seconds = perf_counter() - start
        if steps.error is not None:
            raise steps.error
    except LockstepError as failure:
        outcome.failure = str(failure)
    except Exception:
        outcome.failure = f"the bench itself failed\n{traceback.format_exc()}"
    outcome.save(result)
    cocotb.log.info("%d cycles, %d comparisons, %.0f cycles/s",
                    outcome.cycles, outcome.comparisons, outcome.rate)
    assert outcome.passed, outcome.failure


class _Progress:
    """Writes the number it is called with to a file, a few times a second."""

    def __init__(self, path: Path):
        self._path = path
        self._next = 0.0

    def __call__(self, done: int) -> None:
        now = perf_counter()
        if now >= self._next:
            self._next = now + _PROGRESS_SECONDS
            self._path.write_text(str(done))


def _at_least_one(stimulus: Iterator[Episode]) -> Iterator[Episode]:
    stimulus = iter(stimulus)
    try:
        first = next(stimulus)
    except StopIteration:
        raise LockstepError("the stimulus has no episode") from None
    return chain([first], stimulus)
