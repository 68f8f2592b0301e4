"""Ports as data: what the component, the Verilog wrapper, the bench and the docs all read.

A stream's payload is one packed integer, first field in the least significant bits, lane 0
first. A field called ``last``, always the final one, becomes ``tlast`` in the Verilog.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Direction = Literal["in", "out"]


@dataclass(frozen=True)
class Field:
    """A named slice of a payload: ``lanes`` values of ``width`` bits."""

    name: str
    width: int
    lanes: int = 1
    signed: bool = False
    doc: str = ""

    @property
    def bits(self) -> int:
        return self.width * self.lanes


@dataclass(frozen=True)
class Stream:
    """A valid/ready stream. The payload holds while stalled; valid never waits for ready."""

    name: str
    direction: Direction
    fields: tuple[Field, ...]
    doc: str = ""

    @cached_property
    def width(self) -> int:
        """Payload bits, ``last`` included."""
        return sum(field.bits for field in self.fields)

    @property
    def has_last(self) -> bool:
        return self.fields[-1].name == "last"

    @property
    def data_width(self) -> int:
        """Payload bits without ``last``."""
        return self.width - self.has_last

    def offset(self, name: str) -> int:
        """Bit position of a field in the payload."""
        position = 0
        for field in self.fields:
            if field.name == name:
                return position
            position += field.bits
        raise KeyError(name)

    def pack(self, values: Mapping[str, int | Sequence[int]]) -> int:
        """One payload from a value, or a list of ``lanes`` values, a field."""
        word = position = 0
        for field in self.fields:
            value = values[field.name]
            for lane in [value] if isinstance(value, int) else value:
                word |= (int(lane) & ((1 << field.width) - 1)) << position
                position += field.width
        return word

    def unpack(self, word: int) -> dict[str, int | list[int]]:
        """The inverse of `pack`; one-lane fields come back as plain integers."""
        values: dict[str, int | list[int]] = {}
        for field in self.fields:
            lanes = []
            for _ in range(field.lanes):
                lane = word & ((1 << field.width) - 1)
                word >>= field.width
                lanes.append(lane - (lane >> field.width - 1 << field.width)
                             if field.signed else lane)
            values[field.name] = lanes if field.lanes > 1 else lanes[0]
        return values


@dataclass(frozen=True)
class Wire:
    """A plain port without handshake, such as a status code.

    An output says something in every cycle; or, with `when`, in those in which the output wire of
    that name, one bit wide, is 1. Drawings show the wires of a `group` as one.
    """

    name: str
    direction: Direction
    width: int
    doc: str = ""
    when: str = ""
    group: str = ""


Port = Stream | Wire
