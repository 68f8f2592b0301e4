"""Formal properties: what one is, the harness it is stated in, and those of any stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from amaranth.asserts import AnyConst, AnySeq
from amaranth.hdl import (
    Assert,
    Assume,
    Cat,
    Const,
    Elaboratable,
    EnableInserter,
    Fragment,
    Module,
    ResetSignal,
    Shape,
    Signal,
    Value,
    ValueLike,
)
from amaranth.hdl._mem import MemoryInstance
from amaranth.lib import wiring

from .config import BlockConfig
from .ports import Port, Stream


@dataclass(frozen=True)
class Property:
    """A statement about a block, to be proved.

    Attributes
    ----------
    name : str
        As in ``pimlico prove``'s result.
    shows : str
        What holds, as a sentence.
    config : BlockConfig
        What it is proved for: the block's own configuration, or a smaller one.
    build : callable
        States the property in a `Harness` of the component.
    depth : int
        Cycles after power-up that are searched for a counterexample.
    induction : bool
        Whether it holds at all times, shown by temporal induction of up to `depth` cycles;
        else it is claimed only for the first `depth` cycles after power-up.
    inputs : mapping, optional
        Makers of what drives an input, by its path, where that is not altogether free.
    gates : bool
        Whether a SAT solver shows the step of the induction, one assertion at a time, where
        they are too many for an SMT solver at once.
    """

    name: str
    shows: str
    config: BlockConfig
    build: Callable[[Harness], None]
    depth: int
    induction: bool = True
    inputs: Mapping[str, Callable[[], ValueLike]] = field(default_factory=dict)
    gates: bool = False


class Harness:
    """A component whose inputs are free, with assertions about it.

    Streams into the component hold valid and payload while stalled, as AXI has it; nothing
    else is assumed. Reset is free too: it may come at any time, for any number of cycles, and
    the registers of the harness are reset with the component.

    Parameters
    ----------
    component : callable
        Makes the component from `config`.
    config : BlockConfig
    inputs : mapping, optional
        What drives an input (``a.payload``, ``a.valid``, ``o.ready``, a wire by its name)
        instead of a free value.

    Attributes
    ----------
    m : Module
        For the registers and logic of a property.
    dut : Placed
        The component.
    running : Signal
        Whether the component sees the clock's edge at the end of this cycle. Always, unless
        a property drives it.
    """

    def __init__(self, component: Callable[[BlockConfig], wiring.Component], config: BlockConfig,
                 inputs: Mapping[str, ValueLike] | None = None):
        self.m = Module()
        self.config = config
        self.running = Signal(init=1)
        self._component = component
        self._numbers = iter(range(1 << 30))
        self.dut = self.place("dut", inputs or {})

    def place(self, name: str, inputs: Mapping[str, ValueLike]) -> Placed:
        """Another copy of the component, whose inputs are free but for those given."""
        component = self._component(self.config)
        placed = Placed(component, self.config, Fragment.get(component, None))
        self.m.submodules[name] = _Gated(placed.fragment, self.running)
        for path, signal in placed.inputs.items():
            value = inputs.get(path)
            self.m.d.comb += signal.eq(AnySeq(len(signal)) if value is None else value)
        for port in self.config.ports:
            if isinstance(port, Stream) and port.direction == "in":
                offered = getattr(component, port.name)
                stalled = self.past(offered.valid & ~offered.ready)
                self.assume(~stalled | (offered.valid
                                        & (offered.payload == self.past(offered.payload))))
        return placed

    def require(self, condition: ValueLike, text: str) -> None:
        """`condition` holds in every cycle; `text` says so in a counterexample."""
        self.m.d.comb += Assert(condition, text)

    def assume(self, condition: ValueLike) -> None:
        """Look only at behaviours in which `condition` holds in every cycle."""
        self.m.d.comb += Assume(condition)

    def constant(self, width: int, name: str) -> Signal:
        """An arbitrary value that never changes."""
        signal = Signal(width, name=name)
        self.m.d.comb += signal.eq(AnyConst(width))
        return signal

    def past(self, value: ValueLike) -> Signal:
        """`value` in the cycle before; 0 after reset."""
        value = Value.cast(value)
        register = Signal(value.shape(), name=f"past_{next(self._numbers)}")
        self.m.d.sync += register.eq(value)
        return register

    def count(self, event: ValueLike, width: int, name: str) -> Signal:
        """Number of cycles with `event` before this one, since reset, modulo ``2**width``."""
        counter = Signal(width, name=name)
        self.m.d.sync += counter.eq(counter + Value.cast(event).any())
        return counter


class _Gated(Elaboratable):
    """A fragment that stands still unless `running`, taken as it is in the end: ports may be
    added to its memories until then."""

    def __init__(self, fragment: Fragment, running: Signal):
        self.fragment, self.running = fragment, running

    def elaborate(self, platform):
        return EnableInserter(self.running)(self.fragment)


@dataclass
class Placed:
    """A copy of the component in a `Harness`.

    Attributes
    ----------
    component : wiring.Component
        For its ports.
    inputs : dict
        Every input by path, ``a.payload``.
    outputs : dict
        Every output by path.
    """

    component: wiring.Component
    config: BlockConfig
    fragment: Fragment
    inputs: dict[str, Signal] = field(init=False)
    outputs: dict[str, Signal] = field(init=False)

    def __post_init__(self) -> None:
        self.inputs, self.outputs = {}, {}
        for port in self.config.ports:
            for path, signal, is_input in _ends(port, getattr(self.component, port.name)):
                (self.inputs if is_input else self.outputs)[path] = signal

    def inside(self, path: str) -> Signal:
        """A signal inside the component, ``submodule.submodule.name``.

        Raises
        ------
        LookupError
            If nothing drives a signal of that name there.
        """
        *parts, name = path.split(".")
        fragment = self._find(".".join(parts))
        for domain in fragment.statements:
            for signal in _driven(fragment, domain):
                if signal.name == name:
                    return signal
        raise LookupError(f"nothing called {name} is driven in "
                          f"{'.'.join(parts) or type(self.component).__name__}")

    def cut(self, path: str) -> None:
        """Take a submodule out; its outputs are then for the harness to drive.

        Raises
        ------
        LookupError
            If there is none at that path.
        """
        parent, _, name = path.rpartition(".")
        fragment = self._find(parent)
        kept = [each for each in fragment.subfragments if each[1] != name]
        if len(kept) == len(fragment.subfragments):
            raise LookupError(f"nothing is at {path}")
        fragment.subfragments = kept

    def _find(self, path: str) -> Fragment:
        fragment = self.fragment
        try:
            for part in filter(None, path.split(".")):
                fragment = fragment.find_subfragment(part)
        except NameError as error:
            raise LookupError(str(error)) from None
        return fragment

    def words(self, path: str) -> list[Signal]:
        """What a memory inside the component holds now, word by word.

        Raises
        ------
        LookupError
            If there is no memory at that path.
        """
        fragment = self._find(path)
        if not isinstance(fragment, MemoryInstance):
            raise LookupError(f"{path} is no memory")
        depth = fragment._data.depth
        words = [Signal(Shape.cast(fragment._data.shape), name=f"{path.replace('.', '_')}_{number}")
                 for number in range(depth)]
        for number, word in enumerate(words):
            fragment.read_port(domain="comb", addr=Const(number, (depth - 1).bit_length()),
                               data=word, en=Const(1), transparent_for=())
        return words

    def registers(self) -> Iterator[tuple[str, Signal]]:
        """Every register inside, by path, in an order that is the same for every copy."""
        yield from _registers(self.fragment, "")


def _ends(port: Port, end) -> Iterator[tuple[str, Signal, bool]]:
    is_input = port.direction == "in"
    if isinstance(port, Stream):
        yield f"{port.name}.payload", end.payload, is_input
        yield f"{port.name}.valid", end.valid, is_input
        yield f"{port.name}.ready", end.ready, not is_input
    else:
        yield port.name, end, is_input


def _driven(fragment: Fragment, domain: str) -> Iterator[Signal]:
    seen = set()
    for statement in fragment.statements.get(domain, ()):
        for signal in statement._lhs_signals():
            if id(signal) not in seen:
                seen.add(id(signal))
                yield signal


def _registers(fragment: Fragment, prefix: str) -> Iterator[tuple[str, Signal]]:
    for signal in _driven(fragment, "sync"):
        yield prefix + signal.name, signal
    for child, name, _ in fragment.subfragments:
        yield from _registers(child, f"{prefix}{name}.")


def stream_properties(config: BlockConfig) -> list[Property]:
    """What every output stream of any block keeps: payload held, valid alone."""
    outputs = [port for port in config.ports
               if isinstance(port, Stream) and port.direction == "out"]
    return [
        *(Property(f"{port.name}-holds",
                   f"{port.name} keeps valid and payload from the cycle in which valid rises to "
                   "the handshake",
                   config, _held(port), depth=config.latency + 5) for port in outputs),
        *(Property(f"{port.name}-valid-alone",
                   f"{port.name}'s valid does not depend on its ready in the same cycle: with the "
                   "clock stopped and every other input still, it stays as ready changes",
                   config, _alone(port), depth=config.latency + 5) for port in outputs),
    ]


def _held(port: Stream) -> Callable[[Harness], None]:
    def build(h: Harness) -> None:
        offered = getattr(h.dut.component, port.name)
        stalled = h.past(offered.valid & ~offered.ready)
        h.require(~stalled | offered.valid, f"{port.name}: valid stays up while stalled")
        h.require(~stalled | (offered.payload == h.past(offered.payload)),
                  f"{port.name}: the payload stays while stalled")
    return build


def _alone(port: Stream) -> Callable[[Harness], None]:
    def build(h: Harness) -> None:
        h.m.d.comb += h.running.eq(AnySeq(1))
        others = Cat(*(signal for path, signal in h.dut.inputs.items()
                       if path != f"{port.name}.ready"))
        still = h.past(~h.running & ~ResetSignal()) & (others == h.past(others))
        valid = getattr(h.dut.component, port.name).valid
        h.require(~still | (valid == h.past(valid)),
                  f"{port.name}: valid depends on nothing but state and the other inputs")
    return build
