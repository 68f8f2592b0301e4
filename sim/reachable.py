"""Whether signals can ever be 1 from a reset on: asked of ABC's property-directed reachability."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

Run = Callable[..., None]

_BITS = {"S0": "0", "S1": "1"}
_FRAMES = 16
"""Cycles after a reset in which outputs are looked for before a proof is tried."""


def reset_values(ys: Any, run: Run, module: Any, reset: str) -> dict[str, str]:
    """What the outputs of a module without state are while `reset` is 1.

    Parameters
    ----------
    ys : module
        ``pyosys.libyosys``.
    run : callable
        Runs commands on the design of `module`, which they change.
    module : pyosys.libyosys.Module
    reset : str
        An input.

    Returns
    -------
    dict of str to str
        Bits of each output, most significant first: 0, 1, or x where it depends on other inputs.
    """
    wire = module.wire(ys.IdString(f"\\{reset}"))
    wire.port_input = False
    module.connect(ys.SigSpec(wire), ys.SigSpec(ys.Const(1, 1)))
    module.fixup_ports()
    run("opt_expr", "opt_clean -purge")
    return constants(module)


def constants(module: Any) -> dict[str, str]:
    """The outputs of a module that was cleaned, bit by bit: 0, 1, or x for no constant."""
    values = {wire.name.str()[1:]: ["x"] * wire.width for wire in module.wires_.values()
              if wire.port_output}
    for left, right in module.connections_:
        for bit, value in zip(left.to_sigbit_vector(), right.to_sigbit_vector(), strict=True):
            if bit.wire.name.str()[1:] in values and not value.is_wire():
                values[bit.wire.name.str()[1:]][bit.offset] = _BITS.get(value.data.name, "x")
    return {name: "".join(reversed(bits)) for name, bits in values.items()}


def begin_with(ys: Any, run: Run, module: Any, register: Any, values: str) -> None:
    """Give a register values that it has first.

    Parameters
    ----------
    ys, run
        As of `reset_values`.
    module : pyosys.libyosys.Module
    register : pyosys.libyosys.Cell
        A ``$dff``.
    values : str
        Bits, most significant first; x is an input, of the name of the register, while the input
        ``begun`` is 0.
    """
    ports = {name.str()[1:]: bits for name, bits in register.connections_.items()}
    name = "".join(letter if letter.isalnum() else "_" for letter in register.name.str())
    begun = module.wire(ys.IdString("\\begun")) or module.addWire(ys.IdString("\\begun"), 1)
    held = module.addWire(ys.IdString(f"\\held{name}"), len(values))
    first = module.addWire(ys.IdString(f"\\begin{name}"), len(values))
    begun.port_input = first.port_input = True
    module.remove(register)
    module.addDff(ys.IdString(f"\\register{name}"), ports["CLK"], ports["D"], ys.SigSpec(held))
    run(f"setattr -set init {len(values)}'b{values.replace('x', '0')} w:held{name}")
    for bit, (q, value) in enumerate(zip(ports["Q"].to_sigbit_vector(), reversed(values),
                                         strict=True)):
        now = ys.SigSpec(held, bit, 1)
        if value == "x":
            module.addMux(ys.IdString(f"\\first{name}_{bit}"), ys.SigSpec(first, bit, 1), now,
                          ys.SigSpec(begun), ys.SigSpec(q, 1))
        else:
            module.connect(ys.SigSpec(q, 1), now)


def shown(ys: Any, run: Run, miter: Any, state: Mapping[str, str], watched: Collection[str],
          folder: Path, timeout: int) -> dict[str, int] | None:
    """Which outputs of a miter become 1 when its state is put back in.

    Parameters
    ----------
    ys, run
        As of `reset_values`.
    miter : pyosys.libyosys.Module
        With inputs ``in_<name>_Q`` and outputs ``gold_<name>_D`` for each register, and an input
        ``in_clk``.
    state : mapping of str to str
        What each register begins with, most significant bit first; x is anything.
    watched : collection of str
        The outputs, of a bit each.
    folder : Path
        Where to work.
    timeout : int
        Seconds.

    Returns
    -------
    dict of str to int, or None
        For some outputs the first cycle in which they can be 1; empty only if it is proven that
        none ever is. None where that is not known.
    """
    clock = ys.SigSpec(miter.wire(ys.IdString("\\in_clk")))
    for wire in miter.wires_.values():
        if wire.port_output and wire.name.str()[1:] not in watched:
            wire.port_output = False
    for name, begin in state.items():
        now = miter.wire(ys.IdString(f"\\in_{name}_Q"))
        following = miter.wire(ys.IdString(f"\\gold_{name}_D"))
        if now is not None and following is not None:
            now.port_input = False
            miter.addDff(ys.IdString(f"\\{name}"), clock, ys.SigSpec(following), ys.SigSpec(now))
            run(f"setattr -set init {len(begin)}'b{begin} w:in_{name}_Q")
    begun = miter.wire(ys.IdString("\\in_begun"))
    if begun is not None:
        begun.port_input = False
        miter.addDff(ys.IdString("\\begins"), clock, ys.SigSpec(ys.Const(1, 1)),
                     ys.SigSpec(begun))
        run("setattr -set init 1'b0 w:in_begun")
    miter.fixup_ports()
    netlist = folder / "miter.aig"
    run("opt_clean -purge", "techmap", "opt -fast -keepdc", "dffunmap", "simplemap",
        "setundef -undriven -anyseq", "aigmap", "opt_clean", f"write_aiger -symbols {netlist}")
    # undc: a register that begins with x begins with an input
    start = f"read_aiger {netlist}; logic; undc; strash; scleanup; "
    found = re.findall(r"Output (\d+) was asserted in frame (\d+)",
                       _abc(ys, folder, f"{start} bmc3 -a -v -F {_FRAMES} -T {timeout // 4}"))
    if not found:
        proved = "Property proved" in _abc(ys, folder, f"{start} orpos; pdr -T {timeout}")
        return {} if proved else None
    names = {int(number): name.decode() for number, name in
             re.findall(rb"^o(\d+) (\S+)$", netlist.read_bytes(), re.MULTILINE)}
    return {names[int(number)]: int(frame) for number, frame in found}


def _abc(ys: Any, folder: Path, commands: str) -> str:
    """What ABC, as it comes with Yosys, says to some commands."""
    abc = Path(str(ys.__file__)).with_name("yosys-abc")
    return subprocess.run([abc, "-c", commands], capture_output=True, text=True, check=False,
                          cwd=folder).stdout
