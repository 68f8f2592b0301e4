"""RTL and cycle model side by side, every output compared on every cycle.

Knows no simulator: it reads and writes binary text, the form in which simulators give values
quickest, and in which an X shows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from pimlico.hdl.common.ports import Port, Stream

from .drive import BIT, DRAIN, RESET_CYCLES, Gates, InputWire, Read, Sink, Source, Write, draws
from .episode import Episode
from .mismatch import Cycle, describe_mismatch, describe_stall
from .model import CycleModel
from .run import Outcome, Pin, Traffic

_HISTORY = 8
_PROGRESS_EVERY = 64


class LockstepError(Exception):
    """The block does not do what its model says."""


class Lockstep:
    """One run of the bench.

    Parameters
    ----------
    ports : sequence of Port
        The component's ports.
    pins : sequence of Pin
        The top module's ports that carry them.
    read, write : mapping of str to callable
        By pin name: outputs' values, most significant bit first, and inputs' setters.
    model : CycleModel
    seed : int
        Seeds the stalls.
    cycles : int
        Where to stop.
    record : bool
        Keep every payload taken from an output stream.
    progress : callable, optional
        Called now and then with the cycles done.
    """

    def __init__(self, ports: Sequence[Port], pins: Sequence[Pin], read: Mapping[str, Read],
                 write: Mapping[str, Write], model: CycleModel, *, seed: int, cycles: int,
                 record: bool = False, progress: Callable[[int], object] = lambda done: None):
        self.outcome = Outcome()
        self._ports = {port.name: port for port in ports}
        self._pins = pins
        self._read = read
        self._model = model
        self._rng = np.random.default_rng([seed, 1])
        self._limit = cycles
        self._progress = progress
        self._inputs: dict[str, int] = {}
        self._history: deque[Cycle] = deque(maxlen=_HISTORY)
        self._episode = ""
        self._connect({(pin.stream, pin.role): pin for pin in pins}, write, record)

    def _connect(self, pins: Mapping[tuple[str | None, str], Pin], write: Mapping[str, Write],
                 record: bool) -> None:
        self._clk = write[pins[None, "clk"].name]
        reset = pins[None, "rst"]
        self._reset = write[reset.name]
        self._in_reset, self._out_of_reset = "01" if reset.name.endswith("n") else "10"
        self._sources: list[Source] = []
        self._sinks: list[Sink] = []
        self._input_wires: list[InputWire] = []
        self._answered: list[InputWire] = []
        self._bits: list[tuple[Read, str]] = []
        self._words: list[tuple[Read, str]] = []
        self._at_times: list[tuple[Read, str, str]] = []
        answers = self._model.answers()
        for name, port in self._ports.items():
            here = {role: pin.name for (stream, role), pin in pins.items() if stream == name}
            if not isinstance(port, Stream):
                if port.direction == "in":
                    wires = self._answered if name in answers else self._input_wires
                    wires.append(InputWire(name, port.width, self._inputs, write[here["wire"]]))
                elif port.when:
                    self._at_times.append((self._read[here["wire"]], name, port.when))
                else:
                    self._words.append((self._read[here["wire"]], name))
                continue
            traffic = self.outcome.traffic.setdefault(name, Traffic())
            if port.direction == "in":
                writes = {role: write[pin] for role, pin in here.items() if pin in write}
                width = pins[name, "tdata"].width
                self._sources.append(Source(port, width, self._inputs, writes, traffic))
                self._bits.append((self._read[here["tready"]], f"{name}_ready"))
            else:
                reads = {role: self._read[pin] for role, pin in here.items() if pin in self._read}
                kept = self.outcome.recorded.setdefault(name, []) if record else None
                self._sinks.append(
                    Sink(port, self._inputs, write[here["tready"]], reads, traffic, kept))
                self._bits.append((self._read[here["tvalid"]], f"{name}_valid"))

    def play(self, episodes: Iterable[Episode]) -> Iterator[None]:
        """Run `episodes`, giving way after each half of a clock cycle.

        Raises
        ------
        LockstepError
            At the first output that differs from the model's or is X, or if the block stops
            moving.
        """
        for episode in episodes:
            self.outcome.episodes += 1
            yield from self._play(episode)
            if self.outcome.cycles >= self._limit:
                return

    def _play(self, episode: Episode) -> Iterator[None]:
        self._begin(episode)
        yield from self._play_reset()
        outcome, inputs = self.outcome, self._inputs
        sources, sinks, wires = self._sources, self._sinks, self._input_wires
        at_times = self._at_times
        outputs, tick, clk = self._model.outputs, self._model.tick, self._clk
        compare, always = self._compare, len(self._bits) + len(self._words)
        first = outcome.cycles
        end = min(self._limit, first + episode.cycles if episode.cycles else self._limit)
        still = drained = 0
        self._reset(self._out_of_reset)
        for now in range(first, end):
            clk("0")
            for source in sources:
                if source.free:
                    source.offer()
            for sink in sinks:
                sink.decide()
            for wire in wires:
                wire.change()
            if self._answered:
                self._answer()
            yield

            expected = outputs(inputs)
            compare(expected, first)
            outcome.comparisons += always
            for _, _, when in at_times:
                outcome.comparisons += expected[when]
            outcome.cycles += 1
            still += 1
            for source in sources:
                if not source.free and expected[source.ready]:
                    source.free = True
                    source.traffic.count(now)
                    still = 0
            for sink in sinks:
                if expected[sink.valid]:
                    outcome.comparisons += sink.compared
                    if inputs[sink.ready]:
                        still = 0
                        sink.traffic.count(now)
                        if sink.kept is not None:
                            sink.kept.append(expected[sink.payload])
            tick(inputs)
            clk("1")
            if not now % _PROGRESS_EVERY:
                self._progress(now)
            yield

            if still and episode.cycles is None:
                if self._finished:
                    drained += 1
                    if drained == DRAIN:
                        return
                elif still == self._model.patience:
                    raise LockstepError(describe_stall(
                        self._ports.values(), self._history, episode.name, self._model.idle))

    def _begin(self, episode: Episode) -> None:
        self._episode = episode.name
        for source in self._sources:
            source.load(episode.beats.get(source.name, []),
                        draws(self._rng, episode.valid.get(source.name, 1)),
                        self._gates(episode.after.get(source.name)),
                        episode.delay.get(source.name))
        for sink in self._sinks:
            sink.load(draws(self._rng, episode.ready.get(sink.name, 1)))
        for wire in self._input_wires:
            wire.load(episode.wires.get(wire.name, [0]))
        self._answer()

    def _answer(self) -> None:
        answers = self._model.answers()
        for wire in self._answered:
            wire.put(answers[wire.name])

    def _gates(self, after: Sequence[Mapping[str, int]] | None) -> Gates | None:
        """For each beat of a source, the streams to wait for, and their beats then taken."""
        if after is None:
            return None
        traffic = self.outcome.traffic
        before = {name: carried.beats for name, carried in traffic.items()}
        return [[(traffic[name], before[name] + count) for name, count in needs.items()]
                for needs in after]

    def _play_reset(self) -> Iterator[None]:
        self._reset(self._in_reset)
        # After one cycle of reset nothing may be left that only a second one would clear.
        first = self.outcome.episodes == 1
        for age in range(RESET_CYCLES if first else int(self._rng.integers(RESET_CYCLES)) + 1):
            self._clk("0")
            yield
            if age:
                self._compare(self._model.outputs(self._inputs), self.outcome.cycles)
                self.outcome.comparisons += len(self._bits) + len(self._words)
            self._model.reset()
            self.outcome.cycles += 1
            self._clk("1")
            yield

    @property
    def _finished(self) -> bool:
        for source in self._sources:
            if source.left or not source.free:
                return False
        return self._model.idle

    def _compare(self, expected: Mapping[str, int], first: int) -> None:
        """Raise unless the outputs are the expected ones in this cycle; see `_explain`."""
        self._history.append((self.outcome.cycles, self._inputs.copy(), dict(expected)))
        if not self._agrees(expected):
            raise LockstepError(self._explain(expected, first))

    def _agrees(self, expected: Mapping[str, int]) -> bool:
        try:
            for read, name in self._bits:
                if read() != BIT[expected[name]]:
                    return False
            for read, name in self._words:
                if int(read(), 2) != expected[name]:
                    return False
            for read, name, when in self._at_times:
                if expected[when] and int(read(), 2) != expected[name]:
                    return False
            for sink in self._sinks:
                if expected[sink.valid] and not sink.agrees(expected[sink.payload]):
                    return False
        except (ValueError, KeyError, IndexError):
            return False
        return True

    def _explain(self, expected: Mapping[str, int], first: int) -> str:
        values = {pin.name: self._read[pin.name]() for pin in self._pins
                  if pin.direction == "output"}
        return describe_mismatch(self._ports, self._pins, values, expected, self._history,
                                 self._episode, self.outcome.cycles, first)
