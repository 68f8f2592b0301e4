"""What a person needs to see of a run that failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pimlico.hdl.common.ports import Port, Stream

from .run import Pin

Cycle = tuple[int, dict[str, int], dict[str, int]]
"""Cycle number, the inputs that stood at the ports, the outputs that the model gives."""


def describe_mismatch(ports: Mapping[str, Port], pins: Sequence[Pin], values: Mapping[str, str],
                      expected: Mapping[str, int], history: Iterable[Cycle], episode: str,
                      cycle: int, first: int) -> str:
    """The first output pin that differs, what was expected, and the cycles before.

    Parameters
    ----------
    ports : mapping of str to Port
    pins : sequence of Pin
    values : mapping of str to str
        Each output pin's value in binary, as the simulator gives it.
    expected : mapping of str to int
        The model's outputs in this cycle.
    history : iterable of Cycle
        The last cycles, this one included.
    episode : str
    cycle, first : int
        Number of this cycle in the run, and of the first of the episode.
    """
    handshakes_first = sorted(pins, key=lambda pin: pin.role in ("tdata", "tlast"))
    for pin in handshakes_first:
        if pin.direction == "output":
            trouble = _trouble(ports, pin, values[pin.name], expected)
            if trouble:
                break
    else:
        raise AssertionError("every output agrees")
    lines = [f"mismatch on {pin.name} in episode '{episode}', cycle {cycle} "
             f"({cycle - first} of the episode)", *trouble, "", *_table(ports.values(), history)]
    return "\n".join(lines)


def describe_stall(ports: Iterable[Port], history: Sequence[Cycle] | Iterable[Cycle],
                   episode: str, idle: bool) -> str:
    """Which streams of a block that stopped moving wait for what."""
    ports, history = list(ports), list(history)
    cycle, inputs, outputs = history[-1]
    waits = []
    for port in ports:
        if isinstance(port, Stream):
            both = {**inputs, **outputs}
            valid, ready = both[f"{port.name}_valid"], both[f"{port.name}_ready"]
            if valid and not ready:
                waits.append(f"  {port.name}: offered, not taken")
            elif ready and not valid:
                waits.append(f"  {port.name}: ready, nothing offered")
            else:
                waits.append(f"  {port.name}: neither valid nor ready")
    state = "all that was taken has come out" if idle else "results are still to come out"
    return "\n".join([f"stuck in episode '{episode}' at cycle {cycle}: no beat moves, {state}",
                      *waits, "", *_table(ports, history)])


def _trouble(ports: Mapping[str, Port], pin: Pin, value: str,
             expected: Mapping[str, int]) -> list[str]:
    """Lines that say how `value` differs from the model; none if it does not."""
    port = ports[pin.stream or ""]
    name = {"tvalid": f"{port.name}_valid", "tready": f"{port.name}_ready",
            "wire": port.name}.get(pin.role, f"{port.name}_payload")
    if name.endswith("_payload") and not expected.get(f"{port.name}_valid"):
        return []
    if not isinstance(port, Stream) and port.when and not expected.get(port.when):
        return []
    if name not in expected:
        return [f"  the cycle model gives no {name}"]
    want = expected[name]
    if isinstance(port, Stream) and pin.role == "tdata":
        want &= (1 << port.data_width) - 1
    elif isinstance(port, Stream) and pin.role == "tlast":
        want >>= port.data_width
    if value.strip("01"):
        return [f"  expected {_number(want, pin.width)}", f"  got      {value} (X or Z)"]
    got = int(value, 2)
    if got == want:
        return []
    lines = [f"  expected {_number(want, pin.width)}", f"  got      {_number(got, pin.width)}"]
    if isinstance(port, Stream) and pin.role == "tdata":
        lines += _fields(port, want, got)
    return lines


def _number(value: int, width: int) -> str:
    return str(value) if width <= 4 else f"0x{value:0{-(-width // 4)}x}"


def _fields(port: Stream, want: int, got: int) -> list[str]:
    wanted, seen = port.unpack(want), port.unpack(got)
    lines = []
    for field in port.fields:
        one, other = wanted[field.name], seen[field.name]
        if one == other:
            continue
        if isinstance(one, list) and isinstance(other, list):
            lines += [f"    {field.name}[{lane}]: expected {a}, got {b}"
                      for lane, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        else:
            lines.append(f"    {field.name}: expected {one}, got {other}")
    if got >> port.data_width:
        lines.append(f"    padding above bit {port.data_width - 1}: expected 0")
    return lines


def _table(ports: Iterable[Port], history: Iterable[Cycle]) -> list[str]:
    """Handshakes of the last cycles as the model has them, and the plain wires."""
    header = ["cycle"]
    rows: list[list[str]] = []
    ports = list(ports)
    header += [port.name for port in ports]
    for cycle, inputs, outputs in history:
        both = {**inputs, **outputs}
        row = [str(cycle)]
        for port in ports:
            if isinstance(port, Stream):
                valid, ready = both.get(f"{port.name}_valid"), both.get(f"{port.name}_ready")
                row.append(("v" if valid else "-") + ("r" if ready else "-"))
            else:
                row.append(str(both.get(port.name, "?")))
        rows.append(row)
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = ["  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
             for row in [header, *rows]]
    return ["last cycles (v valid, r ready, as the model has them)", *lines]
