"""Rows of recorded cycles: where the pins are in them, and cycles read back from them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, overload

import numpy.typing as npt

from pimlico.hdl.common.ports import Port, Stream

from .mismatch import Cycle
from .run import Pin

Array = npt.NDArray[Any]


def octets(width: int) -> int:
    """Octets that a value takes in a row."""
    return -(-width // 8)


def places(pins: Iterable[Pin], direction: str) -> tuple[dict[tuple[str | None, str], int], int]:
    """Where each pin of a direction begins in a row, by stream and role, and the row's octets.

    A row is the pins' values side by side, in their order, without the clock.
    """
    found, position = {}, 0
    for pin in pins:
        if pin.direction == direction and pin.role != "clk":
            found[pin.stream, pin.role] = position
            position += octets(pin.width)
    return found, position


class Cycles(Sequence[Cycle]):
    """Cycles read back from their rows.

    Parameters
    ----------
    ports : sequence of Port
    pins : sequence of Pin
    inputs, expected, compared : ndarray of uint8
        As of a `Chunk`.
    first : int
        Number of the first cycle.
    """

    def __init__(self, ports: Sequence[Port], pins: Sequence[Pin], inputs: Array,
                 expected: Array, compared: Array, first: int):
        self._ports = {port.name: port for port in ports}
        self._rows = inputs, expected
        self._compared, self._first, self._count = compared, first, len(compared)
        driven, shown = places(pins, "input")[0], places(pins, "output")[0]
        self._inputs = [(pin, driven[pin.stream, pin.role]) for pin in pins
                        if pin.direction == "input" and pin.stream]
        self._outputs = [(pin, shown[pin.stream, pin.role]) for pin in pins
                         if pin.direction == "output"]

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Cycle: ...

    @overload
    def __getitem__(self, index: slice) -> list[Cycle]: ...

    def __getitem__(self, index: int | slice) -> Cycle | list[Cycle]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(self._count))]
        index = range(self._count)[index]
        inputs = self._values(self._inputs, self._rows[0][index])
        outputs = self._values(self._outputs, self._rows[1][index])
        for port in self._ports.values():
            if (isinstance(port, Stream) and port.direction == "out"
                    and not outputs[f"{port.name}_valid"]):
                del outputs[f"{port.name}_payload"]
        return (self._first + index, inputs, outputs if self._compared[index] else {})

    def _values(self, pins: list[tuple[Pin, int]], row: Array) -> dict[str, int]:
        values: dict[str, int] = {}
        for pin, at in pins:
            value = int.from_bytes(row[at:at + octets(pin.width)].tobytes(), "little")
            port = self._ports[pin.stream or ""]
            if not isinstance(port, Stream):
                values[port.name] = value
            elif pin.role in ("tvalid", "tready"):
                values[f"{port.name}_{pin.role[1:]}"] = value
            else:
                shift = port.data_width if pin.role == "tlast" else 0
                name = f"{port.name}_payload"
                values[name] = values.get(name, 0) | value << shift
        return values


class Episodes(Sequence[tuple[str, int]]):
    """Name and first cycle of each row's episode, from the rows where they begin."""

    def __init__(self, begins: list[tuple[int, str, int]], count: int):
        self._rows = [row for row, _, _ in begins]
        self._said = [(name, first) for _, name, first in begins]
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> tuple[str, int]: ...

    @overload
    def __getitem__(self, index: slice) -> list[tuple[str, int]]: ...

    def __getitem__(self, index: int | slice) -> tuple[str, int] | list[tuple[str, int]]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(self._count))]
        return self._said[bisect_right(self._rows, range(self._count)[index]) - 1]
