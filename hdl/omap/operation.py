"""Invariants of an operation: how its registers follow from its command and the index."""

from __future__ import annotations

from amaranth.hdl import Cat
from amaranth.lib import data

from .config import DEL, GET, NOP, PUT
from .index import target_layout
from .inside import Claim, Inside


class OperationInvariants:
    """What ties the operation to its command.

    Attributes
    ----------
    own : Signal
        The command of the operation is still in the lookup stage: it has not changed the index.
    """

    def __init__(self, inside: Inside, claim: Claim):
        h = inside.h
        busy, op, hit = inside("busy"), inside("op"), inside("hit")
        places = inside("places")
        self.own = own = inside.named(inside("lookup_full") & inside("launched"), "own_command")
        claim(~own | busy, "a command that was launched has its operation")
        claim(~own | (inside("key") == inside("lookup_key")), "the operation's key")
        claim(~own | inside("index.done"), "the operation's key was looked up")
        claim(~own | (hit == (inside("index.found") & (op != NOP))), "a hit")
        target = data.View(target_layout(h.config), inside("index.known"))
        claim(~own | ~hit | (Cat(inside("page_a"), inside("page_b"), inside("which"),
                                 inside("pointer")) == Cat(target.a, target.b, target.which,
                                                           target.pointer)),
              "the operation's pages")
        claim(~busy | ~hit | (op != NOP), "a nop hits nothing")
        claim(~busy | ~places | (op == PUT) | ((op == GET) & hit), "what places an item")
        claim(~busy | ~hit | places | (op == DEL), "what removes an item")
        claim(~own | ~places | hit | ~inside("index.waits").all(), "a new key has room")
