"""Where the values of a mutant may differ from its design's, marked beside the design.

A bit of the design gets a mark, 1 in every cycle in which the mutant's value of it may be another.
What a cell gives is marked if what it takes is, but for gates and multiplexers whose unmarked
inputs decide. No value of the mutant is computed, so arithmetic costs nothing, and what a register
holds while nothing reads it may be marked and does no harm.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import count
from typing import Any

Bit = int | str
"""A bit of a netlist in Yosys' JSON: its number, or a constant."""

_BITWISE = ("$and", "$or", "$xor", "$xnor", "$not", "$bwmux", "$mux")
_PORTS = {"$_AND_": "ABY", "$_OR_": "ABY", "$_NOT_": "AY", "$_MUX_": "ABSY"}


class Differences:
    """A module without state that gets marks.

    Parameters
    ----------
    module : dict
        From Yosys' JSON; `mark` changes it. Registers are inputs ``<name>_Q`` and outputs
        ``<name>_D``, memories inputs ``<name>_RD_DATA`` and outputs ``<name>_RD_ADDR`` and so on.
    at_once : collection of str
        Names of the memories whose reads take no clock, of one port each.
    """

    def __init__(self, module: dict[str, Any], at_once: Collection[str]):
        self._ports, self._cells = module["ports"], module["cells"]
        self._given = dict(self._cells)
        self._memories = at_once
        self._readers: dict[Bit, list[str]] = defaultdict(list)
        numbers = [0]
        for name, cell in self._given.items():
            for port, bits in cell["connections"].items():
                numbers += [bit for bit in bits if isinstance(bit, int)]
                for bit in bits if port != "Y" else ():
                    self._readers[bit].append(name)
        for port in self._ports.values():
            numbers += [bit for bit in port["bits"] if isinstance(bit, int)]
        self._new = count(1 + max(numbers))
        self._marks: dict[Bit, Bit] = {}

    def mark(self, where: str, port: str, at: int, mode: str, ctrl: int) -> list[str]:
        """Add the marks of a mutant, and an output ``trigger``: one of them can be seen.

        Parameters
        ----------
        where, port : str
            Cell and port of the bit that is changed; of a register its name, and ``D`` or ``Q``.
        at, ctrl : int
            The bit, and the one that decides, of that port.
        mode : str
            Of Yosys' ``mutate``.

        Returns
        -------
        list of str
            Registers with marks: inputs ``mark_<name>_Q`` and outputs ``mark_<name>_D``.
        """
        cell = self._given.get(where)
        bits = cell["connections"][port] if cell else self._bits(f"{where}_{port}")
        gives = port in "QY"
        first = [bits[at]] if gives else cell["connections"]["Y"] if cell else \
            [self._bits(f"{where}_Q")[at]]
        self._marks = {bit: next(self._new) for bit in sorted(self._reached(first))}
        self._changed = (where, port, at)
        self._mode, self._bit, self._ctrl = mode, bits[at], bits[ctrl]
        for name, each in self._given.items():
            outputs = each["connections"].get("Y", [])
            if any(bit in self._marks for bit in outputs):
                marks = {of: self._as_changed(name, of, map(self._mark, taken))
                         for of, taken in each["connections"].items() if of != "Y"}
                values = self._as_changed(name, "Y", self._through(each, marks))
                for bit, value in zip(outputs, values, strict=True):
                    self._drive(bit, value)
        registers = self._keep()
        self._watch()
        return registers

    def _bits(self, port: str) -> list[Bit]:
        return self._ports[port]["bits"] if port in self._ports else []

    def _registers(self) -> list[str]:
        return [port[:-2] for port in self._ports
                if port.endswith("_Q") and f"{port[:-1]}D" in self._ports]

    def _mark(self, bit: Bit) -> Bit:
        return self._marks.get(bit, "0")

    def _reached(self, first: Iterable[Bit]) -> set[int]:
        """What a change of some bits may change, in this cycle or later."""
        after: dict[Bit, list[Bit]] = defaultdict(list)
        for name in self._registers():
            for bit, held in zip(self._bits(f"{name}_D"), self._bits(f"{name}_Q"), strict=True):
                after[bit].append(held)
        for memory in self._memories:
            for bit in self._bits(f"{memory}_RD_ADDR"):
                after[bit] += self._bits(f"{memory}_RD_DATA")
        reached: set[int] = set()
        ahead = list(first)
        while ahead:
            bit = ahead.pop()
            if isinstance(bit, int) and bit not in reached:
                reached.add(bit)
                ahead += after[bit]
                for name in self._readers[bit]:
                    ahead += self._given[name]["connections"].get("Y", [])
        return reached

    def _as_changed(self, where: str, port: str, marks: Iterable[Bit]) -> list[Bit]:
        """Marks of a port, with that of the bit that the mutant changes, if it is of the port."""
        result = list(marks)
        if (where, port) == self._changed[:2]:
            at, mode = self._changed[2], self._mode
            if mode == "inv":
                result[at] = "1"
            elif mode.startswith("const"):
                result[at] = self._bit if mode == "const0" else self._not(self._bit)
            else:
                differs = self._ctrl if mode == "cnot1" else self._not(self._ctrl)
                result[at] = self._any([differs, result[at], self._mark(self._ctrl)])
        return result

    def _through(self, cell: dict[str, Any], marks: dict[str, list[Bit]]) -> list[Bit]:
        """Marks of what a cell gives."""
        kind, ports = cell["type"], cell["connections"]
        width = len(ports["Y"])
        fits = all(len(bits) == width for port, bits in ports.items() if port != "S")
        if kind not in _BITWISE or not fits:
            if kind in ("$reduce_or", "$reduce_bool"):
                decided = self._any(self._and(bit, self._not(mark)) for bit, mark in
                                    zip(ports["A"], marks["A"], strict=True))
                return [self._and(self._any(marks["A"]), self._not(decided)),
                        *["0"] * (width - 1)]
            return [self._any(mark for of in marks.values() for mark in of)] * width
        result = []
        for at in range(width):
            a = marks["A"][at]
            b = marks["B"][at] if "B" in marks else "0"
            if kind in ("$and", "$or"):
                # the other's value decides, if it is not marked itself
                stays = [self._any([mark, bit if kind == "$and" else self._not(bit)])
                         for mark, bit in ((a, ports["A"][at]), (b, ports["B"][at]))]
                result.append(self._any([self._and(a, stays[1]), self._and(b, stays[0])]))
            elif kind in ("$mux", "$bwmux"):
                select = at if kind == "$bwmux" else 0
                result.append(self._any([marks["S"][select],
                                         self._choose(a, b, ports["S"][select])]))
            else:
                result.append(self._any([a, b]))
        return result

    def _keep(self) -> list[str]:
        """Marks of registers, and of what memories give."""
        kept = []
        for memory in self._memories:
            wrong = self._any(map(self._mark, self._bits(f"{memory}_RD_ADDR")))
            for bit in self._bits(f"{memory}_RD_DATA"):
                self._drive(bit, wrong)
        for name in self._registers():
            held, following = self._bits(f"{name}_Q"), self._bits(f"{name}_D")
            if not any(bit in self._marks for bit in held):
                continue
            kept.append(name)
            marks: list[Bit] = [next(self._new) for _ in held]
            for bit, value in zip(held, self._as_changed(name, "Q", marks), strict=True):
                self._drive(bit, value)
            self._ports[f"mark_{name}_Q"] = {"direction": "input", "bits": marks}
            self._ports[f"mark_{name}_D"] = {
                "direction": "output",
                "bits": self._as_changed(name, "D", map(self._mark, following))}
        return kept

    def _watch(self) -> None:
        """The output that says what is seen: but for what goes into registers and the addresses
        of what is read."""
        unseen = {f"{memory}_RD_ADDR" for memory in self._memories}
        seen = [bit for name, port in self._ports.items() for bit in port["bits"]
                if port["direction"] == "output" and name not in unseen
                and not (name.endswith("_D") and f"{name[:-1]}Q" in self._ports)]
        self._ports["trigger"] = {"direction": "output",
                                  "bits": [self._any(map(self._mark, seen))]}

    def _drive(self, bit: Bit, value: Bit) -> None:
        if bit in self._marks:
            self._gate("$_OR_", value, "0", y=self._marks[bit])

    def _gate(self, kind: str, *inputs: Bit, y: Bit | None = None) -> Bit:
        y = next(self._new) if y is None else y
        self._cells[f"mark{y}"] = {
            "type": kind, "parameters": {}, "attributes": {}, "hide_name": 0,
            "port_directions": {port: "output" if port == "Y" else "input"
                                for port in _PORTS[kind]},
            "connections": {port: [bit] for port, bit in
                            zip(_PORTS[kind], (*inputs, y), strict=True)}}
        return y

    def _not(self, bit: Bit) -> Bit:
        known = {"0": "1", "1": "0"}
        return known[bit] if isinstance(bit, str) and bit in known else self._gate("$_NOT_", bit)

    def _and(self, a: Bit, b: Bit) -> Bit:
        if "0" in (a, b):
            return "0"
        return self._gate("$_AND_", a, b)

    def _choose(self, a: Bit, b: Bit, select: Bit) -> Bit:
        return a if a == b else self._gate("$_MUX_", a, b, select)

    def _any(self, bits: Iterable[Bit]) -> Bit:
        some: Sequence[Bit] = [bit for bit in dict.fromkeys(bits) if bit != "0"]
        if "1" in some:
            return "1"
        while len(some) > 1:
            some = [self._gate("$_OR_", *some[at:at + 2]) if at + 1 < len(some) else some[at]
                    for at in range(0, len(some), 2)]
        return some[0] if some else "0"
