"""What the proofs of the OMAP controller look at inside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add, or_

from amaranth.asserts import AnySeq
from amaranth.hdl import Cat, Const, Signal, Value
from amaranth.lib import data

from pimlico.hdl.common.properties import Harness
from pimlico.hdl.common.ram import memory

from .config import OmapConfig
from .index import target_layout

Claim = Callable[[Value, str], None]
"""What is done with an invariant: it is to be proved (`Harness.require`), or taken as proved by
another property (`given`)."""


def given(h: Harness) -> Claim:
    """For invariants that another property proves."""
    return lambda condition, text: h.assume(condition)


class Inside:
    """Registers and signals of the component in a harness, by path.

    Parameters
    ----------
    h : Harness
    """

    def __init__(self, h: Harness):
        self.h = h
        self._registers = dict(h.dut.registers())

    def __call__(self, path: str) -> Signal:
        """The register of that path, or the signal."""
        found = self._registers.get(path)
        return self.h.dut.inside(path) if found is None else found

    def maybe(self, path: str) -> Value:
        """The same, or 0 where this make of the component has no such signal."""
        try:
            return self(path)
        except LookupError:
            return Const(0, 1)

    def named(self, value: Value, name: str) -> Signal:
        """The value in a signal, so that it is made once."""
        signal = Signal(Value.cast(value).shape(), name=name)
        self.h.m.d.comb += signal.eq(value)
        return signal


class Place:
    """A place of the index.

    Attributes
    ----------
    valid, key, target : Value
        Its entry.
    holds : callable
        Whether it has the entry of a key.
    """

    def __init__(self, valid: Value, key: Value, target: Value):
        self.valid, self.key, self.target = valid, key, target

    def holds(self, key: Value) -> Value:
        return self.valid & (self.key == key)


class Places:
    """All places of the index.

    Attributes
    ----------
    ways : list of list of Place
        Of each way, by address.
    stash : list of Place
    """

    def __init__(self, inside: Inside):
        h = inside.h
        config: OmapConfig = h.config
        self.entry = data.StructLayout({"valid": 1, "key": config.key_width,
                                        "target": target_layout(config)})
        self.words = [h.dut.words(f"index.way{way}.ram.words")
                      for way in range(config.index_ways)]
        self.ways = [[self._place(word, word[0]) for word in words] for words in self.words]
        waits = inside("index.waits")
        self.stash = [self._place(inside(f"index.stash{number}"), waits[number])
                      for number in range(config.index_stash)]

    def _place(self, word: Signal, valid: Value) -> Place:
        view = data.View(self.entry, word)
        return Place(valid, view.key, view.target.as_value())

    def place(self, word: Signal) -> Place:
        """An entry that was read."""
        return self._place(word, word[0])

    @property
    def all(self) -> list[Place]:
        return [*(place for way in self.ways for place in way), *self.stash]


class AnyHash:
    """Any function of a key in place of the index's hash.

    The index counts on nothing of its hash but that a key has the same addresses each time, and
    to a solver it is a maze of sums. So the addresses of every key are words of a memory that
    may change only while the index is not in use.

    Parameters
    ----------
    inside : Inside
    """

    def __init__(self, inside: Inside):
        h = inside.h
        config: OmapConfig = h.config
        self.inside = inside
        self._bits, self._ways = config.index_bits, config.index_ways
        addresses = inside("index.hash.addresses")
        h.dut.cut("index.hash")
        self._table = memory(len(addresses), 1 << config.key_width)
        h.m.submodules.any_hash = self._table
        change = self._table.write_port()
        h.m.d.comb += [change.en.eq(~inside("startup.ready")), change.addr.eq(AnySeq(
            config.key_width)), change.data.eq(AnySeq(len(addresses)))]
        h.m.d.comb += addresses.eq(Cat(*self(inside("index.hashed_key"))))

    def __call__(self, key: Value) -> list[Value]:
        """The address of a key in every way."""
        read = self._table.read_port(domain="comb")
        self.inside.h.m.d.comb += read.addr.eq(key)
        return [read.data.word_select(way, self._bits) for way in range(self._ways)]


class AnyIndex:
    """An index that says anything, when it is asked, in place of the controller's.

    Parameters
    ----------
    inside : Inside
    """

    def __init__(self, inside: Inside):
        h = inside.h
        m = h.m
        active, done, settled, clearing = (
            inside(f"index.{name}") for name in ("active", "done", "settled", "clearing"))
        # its outputs, of which one has the name of a register
        outputs = {signal.name: signal
                   for statement in h.dut.fragment.find_subfragment("index").statements["comb"]
                   for signal in statement._lhs_signals()}
        h.dut.cut("index")
        m.d.comb += [outputs[name].eq(AnySeq(len(outputs[name])))
                     for name in ("found", "target", "stashed", "full")]
        m.d.sync += clearing.eq(inside("startup.clear"))
        with m.If(inside("accepts")):
            m.d.sync += [active.eq(1), done.eq(0), settled.eq(0)]
        with m.Elif(inside("leaves")):
            m.d.sync += [active.eq(0), done.eq(0), settled.eq(0)]
        with m.Elif(active):
            m.d.sync += [done.eq(done | AnySeq(1)), settled.eq(settled | (done & AnySeq(1)))]


def one_at_most(bits: list[Value]) -> Value:
    """No two of the bits are set."""
    number = Cat(*bits)
    return (number & (number - 1)[:len(number)]) == 0


def any_of(values: list[Value]) -> Value:
    return reduce(or_, values, Const(0, 1))


def total(values: list[Value]) -> Value:
    return reduce(add, values, Const(0, 1))
