"""The register map for people and software: Markdown, a C header, SystemRDL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pimlico.hdl.axil.registers import ADDRESS_WIDTH, DATA_WIDTH, Register, RegisterMap
from pimlico.hdl.common.ports import Stream

from .axil import Axil

_RULES = """\
A command is sent by writing its registers, then 1 to its `_PUSH`. It stays there until the core
takes it; until then its registers and `_PUSH` refuse writes. A reply is read from its registers,
then taken by writing 1 to its `_POP`; while none waits, its registers refuse reads and `_POP`
refuses a 1. Wires are levels: what is written holds until it is written again. What is refused
is answered SLVERR and changes nothing; so is an access to an address or in a direction that is not
listed. Write strobes choose bytes. The two lowest address bits are ignored. Values of several
words are little-endian, and not read at one instant."""


def register_files(axil: Axil) -> dict[str, str]:
    """Text of ``<top>_axil.md``, ``.h`` and ``.rdl`` by name."""
    top = axil.emitted.top
    return {f"{top}.md": _markdown(axil), f"{top}.h": _header(top, axil.registers),
            f"{top}.rdl": _systemrdl(top, axil.registers)}


def describe_registers(axil: Axil) -> dict[str, Any]:
    """The wrapper's part of the manifest."""
    return {
        "top": axil.emitted.top, "address_width": ADDRESS_WIDTH, "data_width": DATA_WIDTH,
        "identity": axil.registers.identity,
        "registers": [{"name": entry.name, "address": entry.address, "access": entry.access,
                       "width": entry.width, "doc": entry.doc,
                       "port": entry.port.name if entry.port else None, "lsb": entry.lsb}
                      for entry in axil.registers.registers],
        "ports": [{"name": port.name, "direction": port.direction, "width": port.width}
                  for port in axil.emitted.ports],
    }


def _markdown(axil: Axil) -> str:
    top, registers = axil.emitted.top, axil.registers
    rows = "\n".join(f"| `0x{entry.address:03x}` | `{entry.name}` | {entry.access} "
                     f"| {_bits(entry)} | {entry.doc} |" for entry in registers.registers)
    bits = "\n".join(f"| {bit} | `{port.name}` | {_meaning(port)} |"
                     for bit, port in enumerate(registers.streams))
    outside = ", ".join(f"`{port.name}`" for port in registers.outside) or "none"
    status = ("\n## STREAM_STATUS\n\n| bit | stream | 1 when |\n| --- | --- | --- |\n"
              f"{bits}\n" if bits else "")
    return f"""\
# {top}: registers

AXI4-Lite, {DATA_WIDTH} bits of data, {ADDRESS_WIDTH} of address. `CORE_ID` reads \
`0x{registers.identity:08x}`. Ports that stay
as they are on the core: {outside}.

{_RULES}

| address | register | access | bits | meaning |
| --- | --- | --- | --- | --- |
{rows}
{status}"""


def _meaning(port: Stream) -> str:
    return "a command can be written" if port.direction == "in" else "a reply waits"


def _bits(register: Register) -> str:
    return f"{register.width - 1}:0" if register.width > 1 else "0"


def _header(top: str, registers: RegisterMap) -> str:
    prefix = top.upper()
    lines = [f"/* Registers of {top}: byte offsets from its base address. */",
             f"#ifndef {prefix}_H", f"#define {prefix}_H", "",
             f"#define {prefix}_IDENTITY 0x{registers.identity:08x}u", ""]
    for entry in registers.registers:
        lines.append(f"/* {_ascii(entry.doc)} ({entry.access}) */")
        lines.append(f"#define {prefix}_{entry.name}_OFFSET 0x{entry.address:03x}u")
        if entry.width < DATA_WIDTH:
            lines.append(f"#define {prefix}_{entry.name}_MASK 0x{(1 << entry.width) - 1:08x}u")
    lines += ["", "/* Bits of STREAM_STATUS. */"] if registers.streams else []
    lines += [f"#define {prefix}_STREAM_STATUS_BIT_{port.name.upper()} (1u << {bit})"
              for bit, port in enumerate(registers.streams)]
    return "\n".join([*lines, "", "#endif"]) + "\n"


def _systemrdl(top: str, registers: RegisterMap) -> str:
    lines = [f"addrmap {top} {{", f'    name = "{top}";', "    default regwidth = 32;",
             "    default accesswidth = 32;", "    littleendian;"]
    for entry in registers.registers:
        lines += ["", "    reg {", f'        name = "{entry.name}";',
                  f'        desc = "{_quoted(entry.doc)}";']
        lines += [f"        {line}" for line in _rdl_fields(entry, registers)]
        lines.append(f"    }} {entry.name} @ 0x{entry.address:x};")
    return "\n".join([*lines, "};"]) + "\n"


def _rdl_fields(register: Register, registers: RegisterMap) -> Iterator[str]:
    """Field definitions: what software may do, and what the hardware does beside it."""
    if register.kind == "status":
        for bit, port in enumerate(registers.streams):
            yield (f'field {{ sw = r; hw = w; desc = "{_meaning(port)}"; }} '
                   f"{port.name}_ready[{bit}:{bit}];")
        if registers.streams:
            return
    access = {
        "identity": f"sw = r; hw = na; reset = 32'h{registers.identity:x};",
        "push": "sw = rw; onwrite = woset; hw = rw;",
        "pop": "sw = rw; onwrite = woclr; hw = rw;",
    }.get(register.kind, "sw = rw; hw = r; reset = 0;" if register.access == "rw"
          else "sw = r; hw = w;")
    yield f"field {{ {access} }} value[{register.width - 1}:0];"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _ascii(text: str) -> str:
    """Text that may stand in a C comment."""
    return re.sub(r"\*/", "* /", text)
