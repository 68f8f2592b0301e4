"""Memories whose contents are never trusted before they are written, as FPGAs have them.

Amaranth gives every memory zeros to start from. Few memories of a chip have that, and keeping
the promise costs UltraRAM and SPRAM altogether. So what is made here carries a mark, by which
`without_init` takes the zeros out of the RTLIL: in the Verilog, and in proofs, where the memory
then starts with anything.
"""

from __future__ import annotations

import re
from typing import Literal

from amaranth.hdl import Cat, Const, Module, Mux, ShapeLike, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from .parts import PartLibrary

Kind = Literal["auto", "block", "ultra", "spram"]
"""The memory asked of synthesis: its own choice, block RAM, UltraRAM, or iCE40 SPRAM."""

MARK = "starts_unknown"
"""Attribute in the RTLIL of a memory or register whose power-up value does not count."""

_STYLES = {"auto": {}, "block": {"ram_style": "block"}, "ultra": {"ram_style": "ultra"},
           "spram": {"ram_style": "huge"}}


def memory(shape: ShapeLike, depth: int, kind: Kind = "auto", apart: bool = False) -> Memory:
    """A memory of `depth` words, whose contents at power-up are unknown.

    With `apart` a word that is read in the cycle that writes it does not count: synthesis then
    adds no logic for it. Amaranth's own simulator still shows zeros at power-up.
    """
    collisions = {"no_rw_check": 1} if apart else {}
    return _Unknown(shape=shape, depth=depth, init=[],
                    attrs={MARK: 1, **_STYLES[kind], **collisions})


class _Unknown(Memory):
    """A memory that is emitted without its zeros: written out bit by bit, only to be taken away
    again, those of a large one would take minutes."""

    def elaborate(self, platform):
        instance = super().elaborate(platform)
        if isinstance(platform, PartLibrary):
            instance._data._init._raw = ()
        return instance


class Ram(Component):
    """A memory with one port, which reads or writes a word a cycle. Latency one cycle.

    With ``enable``, a word is read into ``q`` or, with ``write`` as well, stored from ``data``.
    Without it everything stays; ``write`` never comes alone. Contents and ``q`` are unknown
    until written and read.

    Parameters
    ----------
    width : int
        Bits of a word.
    depth : int
        Words.
    kind : Kind
    write_through : bool
        Whether a write gives its word on ``q`` as well; else ``q`` stays. Block RAM can do
        either, UltraRAM and SPRAM cannot write through. With it comes ``wipe``, at which ``q``
        becomes zero and nothing is read: the synchronous reset of a block RAM's output. It must
        not come with a write, which block RAM cannot do, and synthesis must be able to see
        that: else it makes the zeros of gates.
    """

    def __init__(self, width: int, depth: int, kind: Kind = "auto", write_through: bool = False):
        self.depth = depth
        self.kind = kind
        self.write_through = write_through
        wipe = {"wipe": In(1)} if write_through else {}
        super().__init__({"address": In(range(depth)), "enable": In(1), "write": In(1), **wipe,
                          "data": In(width), "q": Out(width)})

    def elaborate(self, platform):
        m = Module()
        # one word would have an address of no bits
        m.submodules.words = words = memory(len(self.data), max(2, self.depth), self.kind)
        address = Cat(self.address, Const(0, 1)) if self.depth == 1 else self.address
        store = words.write_port()
        fetch = words.read_port(domain="comb")
        # a synchronous read port would be a register without a name in the Verilog
        word = Signal(len(self.q), reset_less=True, attrs={MARK: 1})
        m.d.comb += [store.addr.eq(address), store.data.eq(self.data), fetch.addr.eq(address),
                     self.q.eq(word)]
        if self.write_through:
            m.d.comb += store.en.eq(self.write)
            with m.If(self.wipe):
                m.d.sync += word.eq(0)
            with m.Elif(self.enable):
                m.d.sync += word.eq(Mux(self.write, self.data, fetch.data))
        else:
            m.d.comb += store.en.eq(self.write)
            with m.If(self.enable & ~self.write):
                m.d.sync += word.eq(fetch.data)
        return m


def without_init(text: str) -> str:
    """RTLIL in which what carries the mark has no power-up value, and no mark."""
    return re.sub(r"^module .*?\nend\n", lambda module: _forget(module[0]), text,
                  flags=re.S | re.M)


def _forget(module: str) -> str:
    memories = set()

    def unmark(found: re.Match[str]) -> str:
        attributes, owner = found.groups()
        if MARK not in attributes:
            return found[0]
        if owner.split()[0] == "memory":
            memories.add(owner.split()[-1])
        return re.sub(rf" *attribute \\(?:init|{MARK}) .*\n", "", attributes) + owner

    def keep(found: re.Match[str]) -> str:
        return "" if found[1] in memories else found[0]

    module = re.sub(r"^((?: *attribute .*\n)+)(.*\n)", unmark, module, flags=re.M)
    return re.sub(r'^ *cell \$meminit_v2 .*\n *parameter \\MEMID "\\(.*)"\n(?: {4}.*\n)*  end\n',
                  keep, module, flags=re.M)
