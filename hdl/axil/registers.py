"""The register map of a core behind AXI4-Lite: which ports it takes, and where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Literal

from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.common.ports import Port, Stream, Wire

DATA_WIDTH = 32
"""Bits of a register."""
ADDRESS_WIDTH = 12
"""Bits of a byte address: a page of 4 KiB, the least that most interconnects give a slave."""
NARROW = 512
"""Bits of the widest payload that goes through registers."""

Kind = Literal["identity", "status", "payload", "push", "pop", "wire"]
Access = Literal["ro", "rw"]


@dataclass(frozen=True)
class Register:
    """A word of the map.

    Attributes
    ----------
    name : str
        In capitals, port first: ``CFG_N``.
    address : int
        Byte address, a multiple of 4.
    kind : str
        What is behind it.
    access : str
        ``ro``: a write is refused.
    width : int
        Bits in use, from bit 0; the others read 0 and ignore what is written.
    doc : str
    port : Port, optional
        The stream or wire that it belongs to.
    lsb : int
        Its place in the payload or wire, bits.
    """

    name: str
    address: int
    kind: Kind
    access: Access
    width: int
    doc: str
    port: Port | None = None
    lsb: int = 0


def is_narrow(port: Port) -> bool:
    """Whether a port goes through registers.

    So do streams of at most `NARROW` bits that carry neither a field ``data`` nor a ``last``:
    those are single commands and replies, the others are bulk. Of wires all do but those of a
    group, which are the pins of a memory and count cycles.
    """
    if isinstance(port, Wire):
        return not port.group
    return port.width <= NARROW and not {"data", "last"} & {field.name for field in port.fields}


@dataclass(frozen=True)
class RegisterMap:
    """The registers of a core.

    Parameters
    ----------
    ports : sequence of Port
        Of the core, in order.
    identity : int
        32 bits by which software knows the core.
    kept : sequence of str
        Narrow ports that stay as they are all the same, such as a stream of requests to a memory.

    Raises
    ------
    ConfigError
        If the registers do not fit, or `kept` names no port.
    """

    ports: Sequence[Port]
    identity: int
    kept: Sequence[str] = ()

    def __post_init__(self) -> None:
        names = [port.name for port in self.ports]
        for name in self.kept:
            if name not in names:
                near = get_close_matches(name, names, n=1)
                raise ConfigError("--keep", name, f"be one of {', '.join(names)}",
                                  f"did you mean {near[0]}?" if near else "")
        most = 1 << ADDRESS_WIDTH - 2
        if len(self.registers) > most:
            raise ConfigError("--axil", f"{len(self.registers)} registers",
                              f"be at most {most}", "configure narrower commands, or --keep some")
        if len(self.streams) > DATA_WIDTH:
            raise ConfigError("--axil", f"{len(self.streams)} narrow streams",
                              f"be at most {DATA_WIDTH}, a bit each in STREAM_STATUS",
                              "--keep some")

    @cached_property
    def narrow(self) -> list[Port]:
        """Ports behind registers."""
        return [port for port in self.ports if is_narrow(port) and port.name not in self.kept]

    @cached_property
    def outside(self) -> list[Port]:
        """Ports that stay ports."""
        return [port for port in self.ports if port not in self.narrow]

    @cached_property
    def streams(self) -> list[Stream]:
        """Narrow streams, in the order of their bits in STREAM_STATUS."""
        return [port for port in self.narrow if isinstance(port, Stream)]

    @cached_property
    def registers(self) -> list[Register]:
        """Every register, by address."""
        found: list[Register] = []

        def add(name: str, kind: Kind, access: Access, width: int, doc: str,
                port: Port | None = None, lsb: int = 0) -> None:
            found.append(Register(name.upper(), 4 * len(found), kind, access, width, doc, port,
                                  lsb))

        def words(name: str, kind: Kind, access: Access, width: int, doc: str, port: Port,
                  lsb: int) -> None:
            count = -(-width // DATA_WIDTH)
            for number in range(count):
                suffix = f"_{number}" if count > 1 else ""
                low = number * DATA_WIDTH
                bits = f", bits {min(width, low + DATA_WIDTH) - 1} to {low}" if suffix else ""
                add(name + suffix, kind, access, min(DATA_WIDTH, width - low),
                    (doc or port.name) + bits, port, lsb + low)

        add("core_id", "identity", "ro", DATA_WIDTH,
            "changes with the block, its parameters and ports")
        add("stream_status", "status", "ro", max(1, len(self.streams)),
            "a bit a stream: room for a command, or a reply that waits")
        for port in self.narrow:
            access: Access = "rw" if port.direction == "in" else "ro"
            if isinstance(port, Wire):
                words(port.name, "wire", access, port.width, port.doc, port, 0)
                continue
            for field in port.fields:
                for lane in range(field.lanes):
                    suffix = f"_lane{lane}" if field.lanes > 1 else ""
                    words(f"{port.name}_{field.name}{suffix}", "payload", access, field.width,
                          field.doc, port, port.offset(field.name) + lane * field.width)
            if port.direction == "in":
                add(f"{port.name}_push", "push", "rw", 1,
                    "write 1 to send the command; 1 while it waits for the core", port)
            else:
                add(f"{port.name}_pop", "pop", "rw", 1,
                    "1 while a reply waits; write 1 to take it", port)
        return found
